"""Kubernetes: kubectl, the kubeconfig's contexts, and the version of the cluster.

Sources: kubernetes.io, "Organizing Cluster Access Using kubeconfig Files" and "Version Skew Policy".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.cause import Cause, Team
from vorflug.model.cluster_access import no_context, no_kubectl
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.kubernetes import AuthKind, ServerState

TITLE = msg("Kubernetes")


class KubectlFact(Fact):
    """The kubectl that is found in the trusted folders."""

    version: str | None
    """``v1.34.4``; None where there is no kubectl."""


@dataclass(frozen=True, kw_only=True)
class KubectlQuery(Query[KubectlFact]):
    """Which kubectl is installed?"""

    kind = "kubectl"
    touches = ("kubectl",)

    def asks(self) -> Message:
        return msg("Which kubectl is installed?")

    def observe(self, host: Host) -> KubectlFact:
        if host.commands.which("kubectl") is None:
            return KubectlFact(version=None)
        done = host.commands.run(("kubectl", "version", "--client", "--output=json"))
        try:
            return KubectlFact(version=str(json.loads(done.out)["clientVersion"]["gitVersion"]))
        except (ValueError, LookupError, TypeError):
            raise ValueError(f"wanted a version from kubectl, saw exit status {done.code}") from None


class KubeconfigFact(Fact):
    """The contexts of the kubeconfig, without any credential."""

    class Context(Fact):
        """One context."""

        name: str
        server: str
        """URL of the API server; empty where the context leads to none."""
        namespace: str
        auth: AuthKind

    files: tuple[str, ...]
    missing: tuple[str, ...]
    """Files that are named and do not exist."""
    broken: str = ""
    """Why a kubeconfig cannot be parsed, with file and line; then nothing else is known."""
    current: str
    contexts: tuple[Context, ...]


@dataclass(frozen=True, kw_only=True)
class KubeconfigQuery(Query[KubeconfigFact]):
    """Which contexts does the kubeconfig have?"""

    kind = "kubeconfig"
    touches = ("@kubernetes.config",)

    def asks(self) -> Message:
        return msg("Which contexts does this user's kubeconfig have?")

    def observe(self, host: Host) -> KubeconfigFact:
        try:
            config = host.kubernetes.config()
        except ValueError as error:
            return KubeconfigFact(files=(), missing=(), broken=str(error), current="", contexts=())
        return KubeconfigFact(
            files=config.files,
            missing=config.missing,
            current=config.current,
            contexts=tuple(
                KubeconfigFact.Context(name=c.name, server=c.server, namespace=c.namespace, auth=c.auth)
                for c in config.contexts
            ),
        )


class ServerFact(Fact):
    """What the API server says about itself."""

    state: ServerState
    context: str
    server: str
    now: str
    """The host's time, RFC 3339 UTC."""
    detail: str
    version: str
    """``v1.34.4``; empty unless it is answering."""


@dataclass(frozen=True, kw_only=True)
class ServerQuery(Query[ServerFact]):
    """Which version has the API server?"""

    kind = "kubernetes_server"
    touches = ("@kubernetes.server", "@net.resolve", "@certificates.read")
    reach = Reach.NETWORK
    context: str = ""
    """Empty is the current one."""

    def asks(self) -> Message:
        if self.context:
            return msg(
                "Which version has the Kubernetes API server of the context {context} "
                "(GET /version, without credentials)?",
                context=self.context,
            )
        return msg(
            "Which version has the Kubernetes API server of the current context (GET /version, without credentials)?"
        )

    def observe(self, host: Host) -> ServerFact:
        server = host.kubernetes.server(self.context)
        return ServerFact(
            state=server.state,
            context=server.context,
            server=server.server,
            now=server.now,
            detail=server.detail,
            version=server.version,
        )


class KubectlVersionRequirement(Requirement):
    """At least this version of kubectl."""

    kind = "kubectl_version"
    at_least: Version

    def wanted(self) -> Message:
        return msg("kubectl {least} or newer", least=str(self.at_least))

    def queries(self, known: Evidence) -> Sequence[KubectlQuery]:  # noqa: ARG002 - one question, whatever is known
        return [KubectlQuery()]

    def about(self, evidence: Evidence) -> Cause | None:
        return no_kubectl() if evidence[KubectlQuery()].version is None else None

    def judge(self, evidence: Evidence) -> Verdict:
        version = evidence[KubectlQuery()].version
        fix = msg("Install kubectl {least} or newer.", least=str(self.at_least))
        if version is None:
            return unmet(
                wanted=self.wanted(), seen=msg("no kubectl"), because=msg("kubectl is not installed."), fix=fix
            )
        seen = msg("kubectl {version}", version=version)
        if Version(version) >= self.at_least:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{program} {version} is at least {least}.",
                    program="kubectl",
                    version=version,
                    least=str(self.at_least),
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{program} {version} is older than {least}.",
                program="kubectl",
                version=version,
                least=str(self.at_least),
            ),
            fix=fix,
        )


class ContextRequirement(Requirement):
    """There is a kubeconfig with the context that leads to the cluster."""

    kind = "kubernetes_context"
    context: str = ""
    """Its name; empty accepts the current one."""

    def wanted(self) -> Message:
        if self.context:
            return msg("a kubeconfig with the context {context}", context=self.context)
        return msg("a kubeconfig with a current context")

    def queries(self, known: Evidence) -> Sequence[KubeconfigQuery]:  # noqa: ARG002 - one question, always
        return [KubeconfigQuery()]

    def about(self, evidence: Evidence) -> Cause | None:
        return None if self._find(evidence[KubeconfigQuery()]) is not None else no_context(self.context)

    def judge(self, evidence: Evidence) -> Verdict:
        config = evidence[KubeconfigQuery()]
        cause = no_context(self.context)
        fix = msg("Get the kubeconfig of the cluster, and name it in KUBECONFIG or put it to ~/.kube/config.")
        if config.broken:
            says = msg("The kubeconfig cannot be parsed: {broken}", broken=config.broken)
            return unmet(wanted=self.wanted(), seen=says, because=says, fix=fix, cause=cause)
        found = self._find(config)
        if found is not None:
            return met(
                wanted=self.wanted(),
                seen=msg("{name}: {server} ({auth})", name=found.name, server=found.server, auth=str(found.auth)),
                because=msg("The context {name} leads to {server}.", name=found.name, server=found.server),
            )
        if not config.files:
            says = msg("There is no kubeconfig.")
            return unmet(wanted=self.wanted(), seen=says, because=says, fix=fix, cause=cause)
        return unmet(
            wanted=self.wanted(),
            seen=msg("contexts: {names:list}", names=tuple(c.name for c in config.contexts) or ("-",)),
            because=(
                msg("The kubeconfig has no context {context} that leads to a server.", context=self.context)
                if self.context
                else msg("The kubeconfig has no current context that leads to a server.")
            ),
            fix=msg("Choose the context of the cluster: kubectl config use-context NAME."),
            cause=cause,
        )

    def _find(self, config: KubeconfigFact) -> KubeconfigFact.Context | None:
        wanted = self.context or config.current
        return next((c for c in config.contexts if c.name == wanted and c.server), None)


class Release(Frozen):
    """A minor release, and how long it is supported."""

    minor: Version
    """``'1.34'``"""
    until: date
    """Last day of support."""


class KubernetesVersionRequirement(Requirement):
    """The cluster's version is within its support period on the day of the run."""

    kind = "kubernetes_version"
    supported: Annotated[tuple[Release, ...], Field(min_length=1)]
    """The releases that the profile knows."""
    context: str = ""
    """Empty is the current one."""

    def wanted(self) -> Message:
        return msg("a supported Kubernetes: {minors:or}", minors=tuple(str(r.minor) for r in self.supported))

    def queries(self, known: Evidence) -> Sequence[ServerQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ServerQuery(context=self.context)]

    def judge(self, evidence: Evidence) -> Verdict:
        server = evidence[ServerQuery(context=self.context)]
        if server.state is not ServerState.ANSWERING:
            cause = server_cause(server, self.context)
            return unknown(wanted=self.wanted(), because=cause.says, fix=cause.fix, cause=cause)
        seen = msg("Kubernetes {version} ({server})", version=server.version, server=server.server)
        version, today = Version(server.version), date.fromisoformat(server.now[:10])
        release = next((r for r in self.supported if version.within(r.minor)), None)
        newest = max(self.supported, key=lambda r: r.minor)
        upgrade = msg("Upgrade the cluster to {newest} or another supported release.", newest=str(newest.minor))
        if release is None and version > newest.minor:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{version} is newer than the releases that this profile knows.", version=server.version),
                fix=msg("Use a newer version of the profile, or agree this version with the vendor."),
            )
        if release is None:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{version} is none of the supported releases.", version=server.version),
                fix=upgrade,
            )
        until = release.until.isoformat()
        if today > release.until:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Support for {minor} ended on {until:date}.", minor=str(release.minor), until=until),
                fix=upgrade,
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{minor} is supported until {until:date}.", minor=str(release.minor), until=until),
        )


def server_cause(server: ServerFact, context: str) -> Cause:
    """Why the API server did not tell its version."""
    values = {"server": server.server, "detail": server.detail}
    match server.state:
        case ServerState.NO_CONTEXT:
            return no_context(context)
        case ServerState.UNREACHABLE:
            says = msg("No connection to the Kubernetes API server {server}: {detail}", **values)
            fix = msg("Make the API server reachable from this machine (name, route, port, proxy), then run again.")
        case ServerState.TIMEOUT:
            says = msg("The Kubernetes API server {server} gave no answer in time.", **values)
            fix = msg("Make the API server reachable from this machine (name, route, port, proxy), then run again.")
        case ServerState.UNTRUSTED:
            says = msg("The certificate of {server} is not the one that the kubeconfig trusts: {detail}", **values)
            fix = msg("Get the current kubeconfig of the cluster; its certificate-authority-data must fit the server.")
        case ServerState.DENIED:
            says = msg("{server} does not tell its version without credentials: {detail}", **values)
            fix = msg("Ask the cluster's administrator for the version: kubectl version.")
        case ServerState.NOT_KUBERNETES:
            says = msg("What answers at {server} is no Kubernetes API server: {detail}", **values)
            fix = msg("Correct the server of the cluster in the kubeconfig.")
        case ServerState.ANSWERING:
            raise ValueError("a server that answers is no cause")
        case _:
            assert_never(server.state)
    return Cause(f"kubernetes.{server.state}", server.server, says, fix, Team.PLATFORM)
