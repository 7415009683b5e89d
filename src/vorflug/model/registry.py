"""How a profile names a registry and its images."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from vorflug.model.contact import IMAGES, REGISTRY_EXEMPT
from vorflug.model.message import Message
from vorflug.model.requirement import Requirement

DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
"""The names of Docker Hub."""

_HUB = "registry-1.docker.io"


def api_host(registry: str) -> str:
    """``host[:port]`` at which the API of *registry* is, as addresses have it: without the usual port.

    Docker Hub is known by other names, too.
    """
    return _HUB if registry in DOCKER_HUB else registry.removesuffix(":443")


def repository_path(registry: str, repository: str) -> str:
    """The path of *repository* at *registry*: Docker Hub keeps official images under a name that people leave out."""
    return f"library/{repository}" if registry in DOCKER_HUB and "/" not in repository else repository


_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"

HostPort = Annotated[str, StringConstraints(pattern=rf"^({_LABEL}\.)*{_LABEL}(:[0-9]{{1,5}})?$", max_length=260)]
"""``host[:port]`` in lower case, as image names have it."""

_TAG = r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_DIGEST = r"@sha(256|512):[0-9a-f]{64,128}"

Image = Annotated[str, StringConstraints(pattern=rf"^[a-z0-9._/-]+({_TAG})?({_DIGEST})?$", max_length=400)]
"""``repository:tag`` or ``repository@sha256:…`` (OCI distribution specification), without the registry's name."""


HostPattern = Annotated[str, StringConstraints(pattern=rf"^\*(\.{_LABEL})+(:[0-9]{{1,5}})?$", max_length=260)]
"""``*.example.com[:port]``: names of which the one that will serve is not known beforehand."""


class AtRegistry(Requirement):
    """What every demand on a registry names."""

    networked = True

    registry: HostPort
    """``host[:port]`` of its API: ``registry-1.docker.io``."""
    token_hosts: tuple[HostPort, ...] = ()
    """Hosts of token services that it may send us to, besides its own."""
    proxy: str | None = None
    ca_file: str | None = None
    """PEM file of the corporate root, besides the host's store."""

    def serves(self) -> Message:
        return IMAGES

    def tls_exempt(self) -> Message:
        return REGISTRY_EXEMPT
