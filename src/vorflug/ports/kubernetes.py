"""Kubernetes: the kubeconfig without its secrets, and the version of the server that a context leads to.

Sources: kubernetes.io, "Organizing Cluster Access Using kubeconfig Files" (merging rules) and the kubeconfig (v1)
reference.  The version is asked without credentials: the default role ``system:public-info-viewer`` lets anybody read
``/version``, so no token is sent and no credential plugin of the kubeconfig is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class AuthKind(StrEnum):
    """How a context proves who it is."""

    TOKEN = "token"  # noqa: S105 - a kind, not a token
    CLIENT_CERTIFICATE = "client-certificate"
    EXEC = "exec"
    """A credential plugin: a program that kubectl runs."""
    AUTH_PROVIDER = "auth-provider"
    BASIC = "basic"
    NONE = "none"


@dataclass(frozen=True)
class Context:
    """A context of the kubeconfig."""

    name: str
    cluster: str
    server: str
    """URL of the API server, without credentials; empty where the cluster is not defined."""
    namespace: str
    """Empty where none is set (then it is ``default``)."""
    auth: AuthKind
    file: str
    """The file that defines the context."""
    in_one_file: bool
    """Whether its cluster and user are defined in that file too, so that the file alone suffices."""
    foreign: str = ""
    """While this runs as root: the file, or a folder of it, that belongs to another user; else empty."""


@dataclass(frozen=True)
class KubeConfig:
    """All kubeconfig files merged: the first file that defines a name wins."""

    files: tuple[str, ...]
    """Those that exist, in order."""
    missing: tuple[str, ...]
    """Those that are named and do not exist."""
    current: str
    """The current context; empty where none is set."""
    contexts: tuple[Context, ...]

    def context(self, name: str = "") -> Context | None:
        """The context called *name*, or the current one; None where there is no such."""
        wanted = name or self.current
        return next((c for c in self.contexts if c.name == wanted), None)


class ServerState(StrEnum):
    """What became of the attempt to ask an API server."""

    ANSWERING = "answering"
    NO_CONTEXT = "no_context"
    """There is no such context, or it leads to no server."""
    UNREACHABLE = "unreachable"
    """No connection: the name, the port, a proxy or the network."""
    UNTRUSTED = "untrusted"
    """The server's certificate is not the one that the kubeconfig trusts."""
    DENIED = "denied"
    """401 or 403: the cluster does not say its version to strangers."""
    TIMEOUT = "timeout"
    NOT_KUBERNETES = "not_kubernetes"
    """Somebody answered, but not as a Kubernetes API server does."""


@dataclass(frozen=True)
class Server:
    """What the API server says about itself."""

    state: ServerState
    context: str
    """The context that was used; empty where there is none."""
    server: str
    """URL, without credentials."""
    now: str
    """The host's time, RFC 3339 UTC: support periods are judged against it."""
    detail: str = ""
    version: str = ""
    """``gitVersion``: ``v1.34.4``, ``v1.33.2-eks-…``."""
    platform: str = ""


class Kubernetes(Protocol):
    """Reads kubeconfig files and asks an API server for its version."""

    def config(self) -> KubeConfig:
        """The merged kubeconfig: ``KUBECONFIG``, else ``~/.kube/config``.

        Files that do not exist are no error.  Raises ValueError, with the file, where one cannot be parsed.
        """
        ...

    def server(self, context: str = "") -> Server:
        """The version of the server that *context* (empty: the current one) leads to."""
        ...
