"""The Docker Engine's answer as several areas ask for it, and the one cause of all that its silence leaves open.

Source: Docker Engine API (``/version``, ``/info``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.containers import EngineState


class EngineFact(Fact):
    """What the engine says about itself; empty strings unless it is answering."""

    state: EngineState
    socket: str
    detail: str = ""
    product: str = ""
    version: str = ""
    driver: str = ""
    driver_type: str = ""
    """``io.containerd.snapshotter.v1`` with the containerd image store."""
    backing_file_system: str = ""
    data_root: str = ""
    containerd_root: str = ""
    """Empty where it could not be found out."""
    installed: bool = False
    """Looked at only where there is no socket: whether a client or daemon is installed nevertheless."""

    @property
    def name(self) -> str:
        """What it is called in texts; distributions' own builds do not fill in the product."""
        return self.product or "Docker Engine"

    @property
    def cause(self) -> Cause | None:
        """Why it cannot be asked as the Docker Engine; None where it can."""
        return engine_cause(self.state, self.socket, installed=self.installed, product=self.product)


@dataclass(frozen=True, kw_only=True)
class EngineQuery(Query[EngineFact]):
    """What does the engine behind the Docker socket say about itself?"""

    kind = "docker_engine"
    touches = ("@containers.engine", "docker")

    def asks(self) -> Message:
        return msg("Does the Docker Engine answer, and in which version and with which storage?")

    def observe(self, host: Host) -> EngineFact:
        engine = host.containers.engine()
        said = {name: getattr(engine, name) for name in EngineFact.model_fields if name != "installed"}
        installed = engine.state is EngineState.ABSENT and any(map(host.commands.which, ("docker", "dockerd")))
        return EngineFact(**said, installed=installed)


def engine_cause(state: EngineState, socket: str, *, installed: bool = False, product: str = "") -> Cause | None:
    """Why the engine behind *socket* could not be asked; None where the Docker Engine answers.

    *installed*: that a client or daemon is there was seen, so that nobody is told to install it again.
    *product*: what answers; Podman speaks the Docker Engine API too, with versions, folders and settings of its own
    (podman-system-service(1)).
    """
    if state is EngineState.ANSWERING:
        return _other_product(socket, product) if "podman" in product.lower() else None
    says, fix = _words(state, socket, installed=installed)
    return Cause(f"docker.{state}", socket, says, fix, Team.PLATFORM)


def daemon_file_cause(path: str, broken: str) -> Cause:
    """daemon.json at *path* cannot be parsed; *broken* says why, with the line."""
    return Cause(
        "docker.daemon_file",
        path,
        msg("daemon.json cannot be parsed, and Docker does not start with it: {broken}", broken=broken),
        msg("Mend daemon.json at the line named and check it: dockerd --validate."),
        Team.PLATFORM,
    )


def _other_product(socket: str, product: str) -> Cause:
    return Cause(
        "docker.other_product",
        socket,
        msg(
            "{product} answers behind the Docker socket {socket}, not the Docker Engine.",
            product=product,
            socket=socket,
        ),
        msg(
            "Install Docker Engine in place of {product} (and of the package podman-docker), then run again.",
            product=product,
        ),
        Team.PLATFORM,
    )


def engine_gap(wanted: Message, cause: Cause | None) -> Verdict | None:
    """The verdict on a demand that needs the engine while *cause* keeps it from being asked; None without one."""
    return None if cause is None else unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)


def engine_seen(engine: EngineFact) -> Message:
    """What was found at the socket, as raw as it was seen."""
    match engine.state:
        case EngineState.ANSWERING:
            return msg("{product} {version}", product=engine.name, version=engine.version)
        case EngineState.ABSENT if engine.installed:
            return msg("no {socket}; docker or dockerd is installed", socket=engine.socket)
        case EngineState.ABSENT:
            return msg("no {socket}, neither docker nor dockerd", socket=engine.socket)
        case _:
            return msg("{socket}: {detail}", socket=engine.socket, detail=engine.detail or engine.state.value)


def engine_fault(wanted: Message, engine: EngineFact) -> Verdict | None:
    """The verdict on the demand that the engine answers; None where the Docker Engine does."""
    cause, seen = engine.cause, engine_seen(engine)
    if cause is None:
        return None
    if engine.state in (EngineState.DENIED, EngineState.TIMEOUT, EngineState.REMOTE):
        # who stands before a closed door does not know whether there is somebody behind it
        return unknown(wanted=wanted, seen=seen, because=cause.says, fix=cause.fix, cause=cause)
    return unmet(wanted=wanted, seen=seen, because=cause.says, fix=cause.fix or cause.says, cause=cause)


def daemon_file_gap(wanted: Message, path: str, broken: str) -> Verdict:
    """The verdict on a demand on daemon.json while it cannot be parsed: the same fault for all of them."""
    cause = daemon_file_cause(path, broken)
    return unmet(
        wanted=wanted, seen=msg("{broken}", broken=broken), because=cause.says, fix=cause.fix or cause.says, cause=cause
    )


def _words(state: EngineState, socket: str, *, installed: bool) -> tuple[Message, Message]:
    match state:
        case EngineState.ABSENT if installed:
            return (
                msg("Docker is installed, but its socket {socket} is not there.", socket=socket),
                msg("Start it (systemctl enable --now docker), or name its socket with DOCKER_HOST. Then run again."),
            )
        case EngineState.ABSENT:
            return (
                msg("There is no Docker socket {socket}.", socket=socket),
                msg("Install and start Docker Engine: systemctl enable --now docker. Then run again."),
            )
        case EngineState.DENIED:
            return (
                msg("This user may not use the Docker socket {socket}.", socket=socket),
                msg("Run again as root or as a member of the group that owns {socket}.", socket=socket),
            )
        case EngineState.REFUSED:
            return (
                msg("The Docker socket {socket} exists, but nobody listens behind it.", socket=socket),
                msg("Start the daemon and look at why it ended: systemctl start docker; journalctl -u docker."),
            )
        case EngineState.TIMEOUT:
            return (
                msg("The Docker Engine behind {socket} gave no answer in time.", socket=socket),
                msg("Find out why the daemon hangs: journalctl -u docker. Then run again."),
            )
        case EngineState.NOT_DOCKER:
            return (
                msg("What answers behind {socket} does not speak the Docker Engine API.", socket=socket),
                msg("Find out which program owns {socket}: ss -xlp. Then start Docker Engine there.", socket=socket),
            )
        case EngineState.REMOTE:
            return (
                msg("DOCKER_HOST names {socket}; only a Unix socket of this machine is asked.", socket=socket),
                msg("Run again on the machine that Docker runs on, with DOCKER_HOST unset."),
            )
        case EngineState.ANSWERING:
            raise ValueError("an engine that answers is no cause")
        case _:
            assert_never(state)


class OfEngine(Requirement):
    """A demand that needs an answering engine.  While there is none, all of these share one cause."""

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - subclasses look
        return [EngineQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        return engine_gap(self.wanted(), engine.cause) or self.judge_engine(engine, evidence)

    @abstractmethod
    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:
        """Decide, given an engine that answers."""
