"""Docker: does the engine run, in which version, and has it room for images?

One file in spite of its length: every demand here rests on the one answer of the engine and shares its causes.

Sources: Docker Engine API (``/version``, ``/info``); systemctl(1) ``is-enabled``; Docker's storage driver pages.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.cause import Cause
from vorflug.model.container_engine import engine_cause, engine_gap
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Size, Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.containers import EngineState

TITLE = msg("Docker")


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


@dataclass(frozen=True, kw_only=True)
class EngineQuery(Query[EngineFact]):
    """What does the engine behind the Docker socket say about itself?"""

    kind = "docker_engine"

    def asks(self) -> Message:
        return msg("Does the Docker Engine answer, and in which version and with which storage?")

    def observe(self, host: Host) -> EngineFact:
        engine = host.containers.engine()
        said = {name: getattr(engine, name) for name in EngineFact.model_fields if name != "installed"}
        installed = engine.state is EngineState.ABSENT and any(map(host.commands.which, ("docker", "dockerd")))
        return EngineFact(**said, installed=installed)


class Boot(StrEnum):
    """Whether docker.service starts with the machine."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    NO_SYSTEMD = "no_systemd"
    UNCLEAR = "unclear"


_BOOT = dict.fromkeys(("enabled", "enabled-runtime", "alias"), Boot.ENABLED) | dict.fromkeys(
    ("disabled", "masked", "masked-runtime", "static", "indirect", "not-found"), Boot.DISABLED
)


class BootFact(Fact):
    """What systemd says about starting Docker at boot."""

    boot: Boot
    said: str
    """systemctl's own word: ``enabled``, ``masked``, ``static``."""


@dataclass(frozen=True, kw_only=True)
class BootQuery(Query[BootFact]):
    """Does systemd start Docker at boot?"""

    kind = "docker_boot"

    def asks(self) -> Message:
        return msg("Does systemd start Docker at boot?")

    def observe(self, host: Host) -> BootFact:
        if host.commands.which("systemctl") is None or not host.files.exists("/run/systemd/system"):
            return BootFact(boot=Boot.NO_SYSTEMD, said="")  # sd_booted(3)
        done = host.commands.run(("systemctl", "is-enabled", "docker.service"))
        said = done.out.strip() or done.err.strip()[:200]
        return BootFact(boot=_BOOT.get(said, Boot.UNCLEAR), said=said)


class ComposeFact(Fact):
    """The compose programs there are; None where there is none."""

    plugin: str | None
    """Version of ``docker compose``."""
    standalone: str | None
    """Version of ``docker-compose``: 1.x is the Python program that ended in 2023."""


@dataclass(frozen=True, kw_only=True)
class ComposeQuery(Query[ComposeFact]):
    """Which compose is there?"""

    kind = "docker_compose_version"

    def asks(self) -> Message:
        return msg("Which Docker Compose is installed?")

    def observe(self, host: Host) -> ComposeFact:
        return ComposeFact(
            plugin=_version_of(host, ("docker", "compose", "version", "--short")),
            standalone=_version_of(host, ("docker-compose", "version", "--short")),
        )


def _version_of(host: Host, argv: tuple[str, ...]) -> str | None:
    if host.commands.which(argv[0]) is None:
        return None
    done = host.commands.run(argv)
    text = done.out.strip()
    # without the plugin docker prints its own help, or ends with an error
    return text if done.code == 0 and text.removeprefix("v")[:1].isdecimal() and "\n" not in text else None


class RoomFact(Fact):
    """Free space where images and volumes go, in the order of the question's paths."""

    class Place(Fact):
        """One folder and the file system under it."""

        path: str
        mount_point: str
        device: str
        """``major:minor``: equal for folders that share their space."""
        free_bytes: int

    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class RoomQuery(Query[RoomFact]):
    """How much space is free where the engine stores?"""

    kind = "docker_room"
    paths: tuple[str, ...]

    def asks(self) -> Message:
        return msg("How much space is free under {paths:list}?", paths=self.paths)

    def observe(self, host: Host) -> RoomFact:
        found = [(path, host.files.file_system(path)) for path in self.paths]
        return RoomFact(
            places=tuple(
                RoomFact.Place(path=path, mount_point=fs.mount_point, device=fs.device, free_bytes=fs.free_bytes)
                for path, fs in found
            )
        )


class OfEngine(Requirement):
    """A demand that needs an answering engine.  While there is none, all of these share one cause."""

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - subclasses look
        return [EngineQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        return engine_gap(self.wanted(), engine.state, engine.socket, installed=engine.installed) or self.judge_engine(
            engine, evidence
        )

    @abstractmethod
    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:
        """Decide, given an engine that answers."""


class RunningRequirement(Requirement):
    """The engine answers, and starts at boot."""

    kind = "docker_running"

    def wanted(self) -> Message:
        return msg("the Docker Engine answers, and starts at boot")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same, whatever is known
        return [EngineQuery(), BootQuery()]

    def about(self, evidence: Evidence) -> Cause | None:
        engine = evidence[EngineQuery()]
        return engine_cause(engine.state, engine.socket, installed=engine.installed)

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        cause = engine_cause(engine.state, engine.socket, installed=engine.installed)
        if cause is not None:
            fix = cause.fix or cause.says
            if engine.state in (EngineState.DENIED, EngineState.TIMEOUT, EngineState.REMOTE):
                return unknown(wanted=self.wanted(), because=cause.says, fix=fix, cause=cause)
            return unmet(wanted=self.wanted(), seen=cause.says, because=cause.says, fix=fix, cause=cause)
        boot = evidence[BootQuery()]
        product = engine.product or "Docker Engine"
        words = {"product": product, "version": engine.version}
        seen = (
            msg("{product} {version} answers; docker.service is {said}", **words, said=boot.said)
            if boot.said
            else msg("{product} {version} answers; nothing says whether it starts at boot", **words)
        )
        if boot.boot is Boot.ENABLED:
            says = msg("The Docker Engine answers and starts at boot.")
            return met(wanted=self.wanted(), seen=seen, because=says)
        if boot.boot is Boot.DISABLED:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The Docker Engine answers, but systemd does not start it at boot (docker.service is {said}).",
                    said=boot.said,
                ),
                fix=msg("Enable it: systemctl enable docker."),
            )
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=(
                msg("The Docker Engine answers; there is no systemd that could say whether it starts at boot.")
                if boot.boot is Boot.NO_SYSTEMD
                else msg(
                    "The Docker Engine answers; whether it starts at boot systemctl did not say: {said}", said=boot.said
                )
            ),
            fix=msg(
                "Have the team that runs this machine look whether Docker starts at boot: only systemd can be asked."
            ),
        )


class EngineVersionRequirement(OfEngine):
    """At least this version of the engine."""

    kind = "docker_engine_version"
    at_least: Version

    def wanted(self) -> Message:
        return msg("Docker Engine {least} or newer", least=str(self.at_least))

    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:  # noqa: ARG002
        seen = msg("{product} {version}", product=engine.product or "Docker Engine", version=engine.version)
        fix = msg("Upgrade Docker Engine to {least} or newer.", least=str(self.at_least))
        return _compared(self.wanted(), seen, (engine.product or "Docker Engine", engine.version), self.at_least, fix)


class ComposeVersionRequirement(Requirement):
    """At least this version of Docker Compose: the plugin's where there is one, else the standalone program's."""

    kind = "docker_compose_version"
    at_least: Version

    def wanted(self) -> Message:
        return msg("Docker Compose {least} or newer", least=str(self.at_least))

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - one question, whatever is known
        return [ComposeQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        compose = evidence[ComposeQuery()]
        if compose.plugin is None and compose.standalone is None:
            # the plugin answers without an engine, so its silence says that it is not there
            seen, says = msg("neither docker compose nor docker-compose"), msg("Docker Compose is not installed.")
            return unmet(wanted=self.wanted(), seen=seen, because=says, fix=self._install())
        version = compose.plugin or compose.standalone or ""
        seen = (
            msg("docker compose {version}", version=version)
            if compose.plugin is not None
            else msg("docker-compose {version} (standalone program)", version=version)
        )
        return _compared(self.wanted(), seen, ("Docker Compose", version), self.at_least, self._install())

    def _install(self) -> Message:
        return msg("Install the package docker-compose-plugin in version {least} or newer.", least=str(self.at_least))


def _compared(wanted: Message, seen: Message, program: tuple[str, str], least: Version, fix: Message) -> Verdict:
    name, version = program
    try:
        new_enough = Version(version) >= least
    except ValueError:  # a build of one's own: "dev"
        says = msg("The version {version} cannot be compared with {least}.", version=version, least=str(least))
        return unknown(wanted=wanted, seen=seen, because=says, fix=fix)
    if new_enough:
        says = msg("{program} {version} is at least {least}.", program=name, version=version, least=str(least))
        return met(wanted=wanted, seen=seen, because=says)
    says = msg("{program} {version} is older than {least}.", program=name, version=version, least=str(least))
    return unmet(wanted=wanted, seen=seen, because=says, fix=fix)


class StorageDriverRequirement(OfEngine):
    """The engine stores images with one of these drivers."""

    kind = "docker_storage_driver"
    allowed: Annotated[tuple[str, ...], Field(min_length=1)]
    """As ``docker info`` names them: ``overlay2``; ``overlayfs`` with the containerd image store."""

    def wanted(self) -> Message:
        return msg("storage driver {allowed:or}", allowed=self.allowed)

    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:  # noqa: ARG002
        seen = (
            msg("{driver} on {backing}", driver=engine.driver, backing=engine.backing_file_system)
            if engine.backing_file_system
            else msg("{driver} (containerd image store)", driver=engine.driver)
            if engine.driver_type
            else msg("{driver}", driver=engine.driver)
        )
        if engine.driver in self.allowed:
            says = msg("The storage driver {driver} is one of those wanted.", driver=engine.driver)
            return met(wanted=self.wanted(), seen=seen, because=says)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The storage driver is {driver}.", driver=engine.driver),
            fix=msg(
                'Set "storage-driver": "{driver}" in daemon.json, restart Docker and pull the images again.',
                driver=self.allowed[0],
            ),
        )


class ImageSpaceRequirement(OfEngine):
    """Free space for images and for the rest of the engine's data; what shares a file system is added up.

    With the containerd image store (the default of new installations since Docker 29) images lie in containerd's root,
    otherwise in the engine's data root; volumes and logs lie in the data root in either case.
    """

    kind = "docker_image_space"
    at_least: Size
    """For images."""
    rest: Size = 0
    """For volumes, logs and layers of containers, in the data root."""
    containerd_root: AbsolutePath | None = None
    """Where images will go, judged as long as there is no engine to name its own folder."""
    data_root: AbsolutePath | None = None
    """Where the rest will go, likewise."""

    def wanted(self) -> Message:
        if self.rest:
            return msg(
                "{need:size} free for images and {rest:size} for volumes and logs", need=self.at_least, rest=self.rest
            )
        return msg("{need:size} free for images", need=self.at_least)

    def then(self) -> Message:
        return msg("the free space under the folders that the engine names as its data root and containerd's root")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [EngineQuery()]
        if EngineQuery() in known and (paths := self._paths(known[EngineQuery()])):
            asked.append(RoomQuery(paths=paths))
        return asked

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        if self._usual(engine):
            return self.judge_engine(engine, evidence)
        return super().judge(evidence)

    def _usual(self, engine: EngineFact) -> tuple[str, ...]:
        """The folders of the profile, for an engine that is still to come; empty where they do not stand for it."""
        if engine.state is not EngineState.ABSENT or self.containerd_root is None or self.data_root is None:
            return ()
        return (self.containerd_root, self.data_root)  # as a new installation has it since Docker 29

    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:
        paths = self._paths(engine)
        if not paths:
            return unknown(
                wanted=self.wanted(),
                because=msg("Where the engine stores images could not be found out."),
                fix=msg("Run again as root, so that /etc/containerd/config.toml can be read."),
            )
        places = evidence[RoomQuery(paths=paths)].places
        needs = (self.at_least, self.rest) if len(paths) > 1 else (self.at_least + self.rest,)
        wanted_on: dict[str, int] = {}
        for place, need in zip(places, needs, strict=True):
            wanted_on[place.device] = wanted_on.get(place.device, 0) + need
        # the tightest file system speaks for all
        tightest = min(places, key=lambda p: p.free_bytes - wanted_on[p.device])
        need, free = wanted_on[tightest.device], tightest.free_bytes
        folders = tuple(p.path for p in places if p.device == tightest.device)
        seen = msg(
            "{free:size} free under {folders:list} ({mount})", free=free, folders=folders, mount=tightest.mount_point
        )
        if self._usual(engine):
            seen = msg("{seen}; no engine runs, so the usual folders were asked", seen=seen)
        gauge = Gauge(free, need, "B")
        says = msg(
            "{free:size} are free under {folders:list}, {need:size} are wanted there.",
            free=free,
            folders=folders,
            need=need,
        )
        if free >= need:
            return met(wanted=self.wanted(), seen=seen, because=says, gauge=gauge)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=says,
            fix=msg(
                "Enlarge {mount} so that {need:size} are free, or mount a volume of its own under {folders:list}.",
                mount=tightest.mount_point,
                need=need,
                folders=folders,
            ),
            gauge=gauge,
        )

    def _paths(self, engine: EngineFact) -> tuple[str, ...]:
        """Where images go, then where the rest goes if that is another folder; empty where that is not known."""
        if engine.state is not EngineState.ANSWERING or not engine.data_root:
            return self._usual(engine)
        if not engine.driver_type:
            return (engine.data_root,)
        return (engine.containerd_root, engine.data_root) if engine.containerd_root else ()
