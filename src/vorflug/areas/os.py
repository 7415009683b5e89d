"""The operating system: which distribution and version, on which architecture?

Sources: os-release(5) (``/etc/os-release`` wins over ``/usr/lib/os-release``, they are never merged) and uname(2).
A derivative names its parent in ID_LIKE; it is shown, but a tested parent does not make the derivative tested.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Operating system")

_PLACES = ("/etc/os-release", "/usr/lib/os-release")
_SHORTEST_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_NAMES = {
    "almalinux": "AlmaLinux",
    "amzn": "Amazon Linux",
    "centos": "CentOS",
    "debian": "Debian",
    "fedora": "Fedora",
    "ol": "Oracle Linux",
    "opensuse-leap": "openSUSE Leap",
    "rhel": "RHEL",
    "rocky": "Rocky Linux",
    "sles": "SLES",
    "ubuntu": "Ubuntu",
}
"""What people call the systems that os-release(5) writes in lower case."""
_SYNONYMS = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
"""What image registries and people call a machine (left) and what uname(2) calls it."""


class OsReleaseFact(Fact):
    """What the system says of itself; an empty string where it says nothing."""

    id: str
    version_id: str
    id_like: tuple[str, ...]
    """The systems that it was derived from, nearest first."""
    pretty_name: str
    path: str
    """The file that was read."""

    @property
    def name(self) -> str:
        """The system as a person would name it; empty where the file names none."""
        return self.pretty_name or f"{self.id} {self.version_id}".strip()


@dataclass(frozen=True, kw_only=True)
class OsReleaseQuery(Query[OsReleaseFact]):
    """Which distribution is this, in which version?"""

    kind = "os_release"

    def asks(self) -> Message:
        return msg("Which operating system is this, in which version?")

    def observe(self, host: Host) -> OsReleaseFact:
        for path in _PLACES:
            try:
                text = host.files.read_text(path, limit=1 << 16)
            except (FileNotFoundError, NotADirectoryError):
                continue
            values = _assignments(text)
            return OsReleaseFact(
                id=values.get("ID", ""),
                version_id=values.get("VERSION_ID", ""),
                id_like=tuple(values.get("ID_LIKE", "").split()),
                pretty_name=values.get("PRETTY_NAME", ""),
                path=path,
            )
        raise NotImplementedError(f"neither {_PLACES[0]} nor {_PLACES[1]} is there")


def _assignments(text: str) -> dict[str, str]:
    """Shell-compatible assignments (os-release(5)); a line that is none is passed over, as a later one wins."""
    values: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        assignment = _SHORTEST_ASSIGNMENT.fullmatch(line.strip())
        if assignment is None:
            continue
        try:
            words = shlex.split(assignment[2])
        except ValueError:  # a quote that is never closed
            continue
        if len(words) <= 1:
            values[assignment[1]] = words[0][:200] if words else ""
    return values


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
        return tuple(f"{_named(system.id)} {version}" for system in self.accepted for version in system.versions)

    def queries(self, known: Evidence) -> Sequence[OsReleaseQuery]:  # noqa: ARG002 - one question, whatever is known
        return [OsReleaseQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        system = evidence[OsReleaseQuery()]
        seen = msg("{name}", name=system.name) if system.name else msg("{file} without a name", file=system.path)
        if not system.id or not system.version_id:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{file} has no {key}, so the system and its version are not certain.",
                    file=system.path,
                    key="VERSION_ID" if system.id else "ID",
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
        name = f"{_named(system.id)} {system.version_id}"
        if any(version.within(one) for one in series):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{system} is one of: {accepted}.", system=name, accepted=self._systems()),
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
        parents = tuple(_named(a.id) for a in self.accepted if a.id in system.id_like)
        if parents:
            return msg(
                "{system} is derived from {parents:list}, but is a system of its own and none of: {accepted}.",
                system=name,
                parents=parents,
                accepted=self._systems(),
            )
        return msg("{system} is none of: {accepted}.", system=name, accepted=self._systems())


def _named(id_: str) -> str:
    return _NAMES.get(id_, id_)


class ArchitectureFact(Fact):
    """The machine that the kernel runs on."""

    machine: str
    """As uname(2) names it."""


@dataclass(frozen=True, kw_only=True)
class ArchitectureQuery(Query[ArchitectureFact]):
    """Which architecture is this?"""

    kind = "architecture"

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
