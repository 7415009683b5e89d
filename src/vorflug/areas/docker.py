"""Docker: does the engine run and start at boot, and in which version and with which storage driver?

Sources: Docker Engine API (``/version``, ``/info``); systemctl(1) ``is-enabled``; Docker's storage driver pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.cause import Cause
from vorflug.model.container_engine import EngineFact, EngineQuery, OfEngine, engine_fault, engine_seen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Docker")


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
    touches = ("systemctl", "/run/systemd/system")

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
    touches = ("docker", "docker-compose")

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


class RunningRequirement(Requirement):
    """The engine answers, and starts at boot."""

    kind = "docker_running"

    def wanted(self) -> Message:
        return msg("the Docker Engine answers, and starts at boot")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same, whatever is known
        return [EngineQuery(), BootQuery()]

    def about(self, evidence: Evidence) -> Cause | None:
        return evidence[EngineQuery()].cause

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        if (fault := engine_fault(self.wanted(), engine)) is not None:
            return fault
        boot = evidence[BootQuery()]
        words = {"product": engine.name, "version": engine.version}
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
        fix = msg("Upgrade Docker Engine to {least} or newer.", least=str(self.at_least))
        return _compared(self.wanted(), engine_seen(engine), (engine.name, engine.version), self.at_least, fix)


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
        version = compose.plugin or compose.standalone
        if version is None:
            # the plugin answers without an engine, so its silence says that it is not there
            seen, says = msg("neither docker compose nor docker-compose"), msg("Docker Compose is not installed.")
            return unmet(wanted=self.wanted(), seen=seen, because=says, fix=self._install())
        seen = (
            msg("docker compose {version}", version=version)
            if compose.plugin is not None
            else msg("docker-compose {version} (standalone program)", version=version)
        )
        return _compared(self.wanted(), seen, ("Docker Compose", version), self.at_least, self._install())

    def _install(self) -> Message:
        return msg("Install the package docker-compose-plugin; wanted is {least} or newer.", least=str(self.at_least))


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
