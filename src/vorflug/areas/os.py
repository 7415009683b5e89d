"""The operating system: which distribution and version, on which architecture, started by which init?

Sources: os-release(5) and uname(2); sd_booted(3) for systemd, OpenRC's ``/run/openrc``, proc_pid_comm(5) of process 1
for the others.  A derivative names its parent in ID_LIKE; it is shown, but a tested parent does not make the
derivative tested.  Inside a container all but the architecture is the container's; the machine's
init is hidden there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.os_release import OsReleaseFact, OsReleaseQuery, system_name
from vorflug.model.process_namespace import apart
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Operating system")

_SYNONYMS = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
"""What image registries and people call a machine (left) and what uname(2) calls it."""


class System(Frozen):
    """A distribution and the series of it that are accepted."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]+$", max_length=64)]
    """As in os-release(5): ``ubuntu``, ``debian``, ``rhel``, ``sles``."""
    versions: Annotated[tuple[Version, ...], Field(min_length=1)]
    """A series stands for its releases: ``"12"`` accepts 12.11."""


class OsReleaseRequirement(Requirement):
    """One of these distributions, in one of these versions."""

    kind = "os_release"
    accepted: Annotated[tuple[System, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("{systems:or}", systems=self._systems())

    def _systems(self) -> tuple[str, ...]:
        return tuple(f"{system_name(system.id)} {version}" for system in self.accepted for version in system.versions)

    def queries(self, known: Evidence) -> Sequence[OsReleaseQuery]:  # noqa: ARG002 - one question, whatever is known
        return [OsReleaseQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        system = evidence[OsReleaseQuery()]
        seen = system.seen
        if system.missing:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{file} has no {key}, so the system and its version are not certain.",
                    file=system.path,
                    key=system.missing,
                ),
                fix=msg("Find out which system this is, and have it agreed with the vendor."),
            )
        series = [version for accepted in self.accepted if accepted.id == system.id for version in accepted.versions]
        try:
            version = Version(system.version_id)
        except ValueError:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{file} gives the version as {version}, which cannot be compared.",
                    file=system.path,
                    version=system.version_id,
                ),
                fix=msg("Find out which system this is, and have it agreed with the vendor."),
            )
        name = f"{system_name(system.id)} {system.version_id}"
        if any(version.within(one) for one in series):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{system} is on the list: {accepted}.", system=name, accepted=self._systems()),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=self._why_not(system, name),
            fix=msg(
                "Install {systems:or}, or have this system agreed with the vendor.",
                systems=self._systems(),
            ),
        )

    def _why_not(self, system: OsReleaseFact, name: str) -> Message:
        parents = tuple(system_name(a.id) for a in self.accepted if a.id in system.id_like)
        if parents:
            return msg(
                "{system} is derived from {parents:list}, but is a system of its own and not on the list: {accepted}.",
                system=name,
                parents=parents,
                accepted=self._systems(),
            )
        return msg("{system} is not on the list: {accepted}.", system=name, accepted=self._systems())


class ArchitectureFact(Fact):
    """The machine that the kernel runs on."""

    machine: str
    """As uname(2) names it."""


@dataclass(frozen=True, kw_only=True)
class ArchitectureQuery(Query[ArchitectureFact]):
    """Which architecture is this?"""

    kind = "architecture"
    touches = ("@machine.uname",)

    def asks(self) -> Message:
        return msg("Which processor architecture is this?")

    def observe(self, host: Host) -> ArchitectureFact:
        return ArchitectureFact(machine=host.system.uname().machine)


class ArchitectureRequirement(Requirement):
    """One of these architectures: images are built for some only."""

    kind = "architecture"
    accepted: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=32)], ...], Field(min_length=1)
    ]
    """``x86_64`` or ``amd64``, ``aarch64`` or ``arm64``, and further names of uname(2)."""

    def wanted(self) -> Message:
        return msg("{machines:or}", machines=self.accepted)

    def queries(self, known: Evidence) -> Sequence[ArchitectureQuery]:  # noqa: ARG002 - one question, always
        return [ArchitectureQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        machine = evidence[ArchitectureQuery()].machine
        seen = msg("{machine}", machine=machine)
        if _SYNONYMS.get(machine, machine) in {_SYNONYMS.get(one, one) for one in self.accepted}:
            return met(wanted=self.wanted(), seen=seen, because=msg("The images are built for {one}.", one=machine))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("This machine is {machine}; the images are not built for it.", machine=machine),
            fix=msg("Provide a machine with {machines:or}.", machines=self.accepted),
        )


class Init(StrEnum):
    """What process 1 is, as far as it is told apart."""

    SYSTEMD = "systemd"
    OPENRC = "openrc"
    RUNIT = "runit"
    SYSVINIT = "sysvinit"
    OTHER = "other"
    """Another program: an init that is not known here, or in a container whatever was started there."""


INIT_NAMES = {Init.SYSTEMD: "systemd", Init.OPENRC: "OpenRC", Init.RUNIT: "runit", Init.SYSVINIT: "SysV init"}


class InitFact(Fact):
    """What starts and watches the services."""

    init: Init
    program: str
    """The name of process 1; empty where it was not needed to tell."""


@dataclass(frozen=True, kw_only=True)
class InitQuery(Query[InitFact]):
    """What starts the services here?"""

    kind = "init"
    touches = ("/run/systemd/system", "/run/openrc", "/proc/1/comm", "/proc/self/ns/")

    def asks(self) -> Message:
        return msg("Which init system starts the services?")

    def observe(self, host: Host) -> InitFact:
        if host.files.exists("/run/systemd/system"):
            return InitFact(init=Init.SYSTEMD, program="")
        if host.files.exists("/run/openrc"):
            return InitFact(init=Init.OPENRC, program="")
        try:
            program = host.files.read_text("/proc/1/comm", limit=64).strip()
        except FileNotFoundError:
            raise PermissionError("process 1 is hidden, so it is not visible which init system runs") from None
        if apart(host):
            raise NotImplementedError(f"process 1 here is {program!r}, a container's own; the machine's is hidden")
        known = {"runit": Init.RUNIT, "runit-init": Init.RUNIT, "init": Init.SYSVINIT}
        return InitFact(init=known.get(program, Init.OTHER), program=program)


class InitRequirement(Requirement):
    """One of these init systems starts the services."""

    kind = "init_system"
    accepted: Annotated[tuple[Init, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("{systems:or}", systems=tuple(INIT_NAMES.get(one, one) for one in self.accepted))

    def queries(self, known: Evidence) -> Sequence[InitQuery]:  # noqa: ARG002 - one question, whatever is known
        return [InitQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[InitQuery()]
        name = INIT_NAMES.get(found.init, found.program)
        seen = msg("{name}", name=name)
        if found.init in self.accepted:
            return met(wanted=self.wanted(), seen=seen, because=msg("{name} starts the services.", name=name))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("Process 1 is {name}; service units for another init system do nothing here.", name=name),
            fix=msg("Start the container engine and the product at boot by the means of {name}.", name=name),
        )
