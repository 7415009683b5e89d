"""Packages: is software installed that collides with what the product needs?

Sources: Docker's guide for Ubuntu ("Uninstall old versions": docker.io, docker-compose, docker-doc, podman-docker);
dpkg(1) for the states and ``--configure --pending``; apk-fix(8); snapd's ``/snap``, or ``/var/lib/snapd/snap`` where
the distribution has no ``/snap``; the lists of dpkg-query(1) in ``/var/lib/dpkg/info``.

A package of which only the settings are left is not installed.  One that was left midway is a fault of its own: until
it is mended, dpkg refuses to go on with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.packages import Manager, PackageState

TITLE = msg("Packages")

_SNAPS = ("/snap", "/var/lib/snapd/snap")
_ENGINE = "dockerd"

PackageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=128)]


class Entry(Frozen):
    """One entry of the package manager's list."""

    name: str
    version: str
    architecture: str
    state: PackageState
    detail: str
    """The manager's own word for the state."""


class PackagesFact(Fact):
    """What is there of the packages that were asked for, in whatever state."""

    manager: Manager
    found: tuple[Entry, ...]
    """Ordered by name and version."""


@dataclass(frozen=True, kw_only=True)
class PackagesQuery(Query[PackagesFact]):
    """Which of these packages are there?"""

    kind = "packages"
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Are these packages installed: {names:list}?", names=self.names)

    def observe(self, host: Host) -> PackagesFact:
        seen = host.packages.find(self.names)
        return PackagesFact(
            manager=seen.manager,
            found=tuple(
                Entry(
                    name=one.name,
                    version=one.version,
                    architecture=one.architecture,
                    state=one.state,
                    detail=one.detail,
                )
                for one in seen.found
            ),
        )


class SnapsFact(Fact):
    """Which of the snaps that were asked for have a folder."""

    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SnapsQuery(Query[SnapsFact]):
    """Which of these snaps are there?"""

    kind = "snaps"
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Are these snaps installed: {names:list}?", names=self.names)

    def observe(self, host: Host) -> SnapsFact:
        return SnapsFact(
            found=tuple(name for name in self.names if any(host.files.exists(f"{folder}/{name}") for folder in _SNAPS))
        )


class EnginePackageFact(Fact):
    """Whose file the running engine is."""

    package: str
    """Empty where no engine is seen running, or its file belongs to none of the packages."""


@dataclass(frozen=True, kw_only=True)
class EnginePackageQuery(Query[EnginePackageFact]):
    """Which of these packages of dpkg does the running engine belong to?"""

    kind = "engine_package"
    packages: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Does the running engine belong to one of {packages:list}?", packages=self.packages)

    def observe(self, host: Host) -> EnginePackageFact:
        running = host.processes.named((_ENGINE,)).found
        programs = {one.program for one in running if one.program is not None}
        for package in self.packages if programs else ():
            try:
                files = host.files.lines_with(f"/var/lib/dpkg/info/{package}.list", tuple(sorted(programs)))
            except FileNotFoundError:
                continue
            if programs.intersection(files):
                return EnginePackageFact(package=package)
        return EnginePackageFact(package="")


class PackagesAbsentRequirement(Requirement):
    """None of these packages and snaps is installed, wholly or midway."""

    kind = "packages_absent"
    names: Annotated[tuple[PackageName, ...], Field(min_length=1)]
    snaps: tuple[PackageName, ...] = ()

    def wanted(self) -> Message:
        return msg("none of {names:list}", names=(*self.names, *(f"snap {name}" for name in self.snaps)))

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [self._packages, *self._snaps]
        return [*asked, *self._engine(known)]

    @property
    def _packages(self) -> PackagesQuery:
        return PackagesQuery(names=self.names)

    @property
    def _snaps(self) -> tuple[SnapsQuery, ...]:
        return (SnapsQuery(names=self.snaps),) if self.snaps else ()

    def _engine(self, known: Evidence) -> tuple[EnginePackageQuery, ...]:
        """The question that follows where dpkg has some of them: only its lists of files are read."""
        if self._packages not in known or known[self._packages].manager is not Manager.DPKG:
            return ()
        names = _names(known[self._packages].found, PackageState.INSTALLED, PackageState.HALF)
        return (EnginePackageQuery(packages=names),) if names else ()

    def judge(self, evidence: Evidence) -> Verdict:
        # what is there is a conflict even where the other place could not be looked at; absence takes both
        packages = [evidence[self._packages]] if self._packages in evidence else []
        snaps = tuple(name for query in self._snaps if query in evidence for name in evidence[query].found)
        found = tuple(one for fact in packages for one in fact.found if one.state is not PackageState.CONFIG_FILES)
        if not found and not snaps:
            manager = evidence[self._packages].manager
            for query in self._snaps:
                evidence[query]
            return met(
                wanted=self.wanted(),
                seen=msg("none of them, by the records of {manager}", manager=manager.value),
                because=msg("None of these packages is installed."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=listed([*map(_seen, found), *(msg("snap {name}", name=name) for name in snaps)]),
            because=sentences([*_why(found, snaps), *self._runs(evidence)]),
            fix=sentences(_fixes(found, snaps, [fact.manager for fact in packages])),
        )

    def _runs(self, evidence: Evidence) -> list[Message]:
        owners = [evidence[query].package for query in self._engine(evidence) if query in evidence]
        return [msg("The engine that runs is that of the package {package}.", package=name) for name in owners if name]


def _names(found: Sequence[Entry], *states: PackageState) -> tuple[str, ...]:
    """Each name once, though it may be there in several versions or architectures."""
    return tuple(dict.fromkeys(one.name for one in found if one.state in states))


def _seen(one: Entry) -> Message:
    if one.state is PackageState.HALF:
        return msg("{name} {version} ({detail})", name=one.name, version=one.version, detail=one.detail)
    return msg("{name} {version}", name=one.name, version=one.version)


def _why(found: Sequence[Entry], snaps: Sequence[str]) -> list[Message]:
    whole, half = _names(found, PackageState.INSTALLED), _names(found, PackageState.HALF)
    says = []
    if half:
        says.append(msg("An installation left these packages midway: {names:list}.", names=half))
    if whole:
        says.append(msg("Installed and in conflict with Docker's own packages: {names:list}.", names=whole))
    if snaps:
        says.append(msg("Installed as a snap, with data and settings of its own: {names:list}.", names=tuple(snaps)))
    return says


def _fixes(found: Sequence[Entry], snaps: Sequence[str], managers: Sequence[Manager]) -> list[Message]:
    half = _names(found, PackageState.HALF)
    names = _names(found, PackageState.INSTALLED, PackageState.HALF)
    fixes = []
    if half and Manager.DPKG in managers:
        fixes.append(msg("Finish what was left midway: dpkg --configure -a, then apt-get --fix-broken install."))
    if half and Manager.APK in managers:
        fixes.append(msg("Finish what was left midway: apk fix {names}.", names=" ".join(half)))
    if names:
        fixes.append(msg("Remove {names:list} before Docker's own packages are installed.", names=names))
    if snaps:
        fixes.append(
            msg("Save the data of its volumes where it was used, then: snap remove {names}.", names=" ".join(snaps))
        )
    return fixes
