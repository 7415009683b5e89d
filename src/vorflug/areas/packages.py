"""Packages: is software installed that collides with what the product needs, or was some left midway?

Sources: Docker's guides for Debian, Ubuntu, RHEL and Fedora ("Uninstall old versions"), and what its packages declare:
docker-ce conflicts with docker.io or docker, containerd.io with containerd and runc, docker-compose-plugin with
docker-compose; dpkg(1) for the states, ``--audit`` and ``--configure --pending``; apk-fix(8); snapd's ``/snap``, or
``/var/lib/snapd/snap`` where the distribution has no ``/snap``, and the images in ``/var/lib/snapd/snaps``; the lists
of dpkg-query(1) in ``/var/lib/dpkg/info``.

Names are those of one package manager: what is a conflict there is something else elsewhere.  Where Docker publishes no
packages, those of the distribution are the way to install an engine, and no conflict.  Podman and Buildah are none
either, wherever they run their containers with crun: what collides is runc.

A package of which only the settings are left is not installed.  One that was left midway is a fault of its own: until
it is mended, apt refuses to go on with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, assert_never

from pydantic import StringConstraints, model_validator

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.os_release import OsReleaseQuery, system_name
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unmet
from vorflug.ports import Host
from vorflug.ports.packages import Inventory, Manager, PackageState

TITLE = msg("Packages")

_SNAPS = ("/snap", "/var/lib/snapd/snap")
_SNAP_IMAGES = "/var/lib/snapd/snaps"
_ENGINE = "dockerd"

_SHOWN = 20

PackageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=128)]
DistributionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]+$", max_length=64)]


class Entry(Frozen):
    """One entry of the package manager's list."""

    name: str
    version: str
    architecture: str
    state: PackageState
    detail: str
    """The manager's own word for the state."""


def _entries(seen: Inventory) -> tuple[Entry, ...]:
    return tuple(
        Entry(name=one.name, version=one.version, architecture=one.architecture, state=one.state, detail=one.detail)
        for one in seen.found
    )


class PackagesFact(Fact):
    """What is there of the packages that were asked for, in whatever state."""

    manager: Manager
    found: tuple[Entry, ...]
    """Ordered by name and version."""


@dataclass(frozen=True, kw_only=True)
class PackagesQuery(Query[PackagesFact]):
    """Which of these packages are there?"""

    kind = "packages"
    touches = ("@packages.find",)
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Are these packages installed: {names:list}?", names=self.names)

    def observe(self, host: Host) -> PackagesFact:
        seen = host.packages.find(self.names)
        return PackagesFact(manager=seen.manager, found=_entries(seen))


class SnapsFact(Fact):
    """Which of the snaps that were asked for have a folder or an image."""

    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SnapsQuery(Query[SnapsFact]):
    """Which of these snaps are there?"""

    kind = "snaps"
    touches = ("/snap/", "/var/lib/snapd/")
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Are these snaps installed: {names:list}?", names=self.names)

    def observe(self, host: Host) -> SnapsFact:
        folders = {name for name in self.names for folder in _SNAPS if host.files.exists(f"{folder}/{name}")}
        # a snap that is disabled has no folder, only its images: NAME_REVISION.snap
        try:
            images = {image.partition("_")[0] for image in host.files.list_folder(_SNAP_IMAGES)}
        except FileNotFoundError:
            images = set()
        return SnapsFact(found=tuple(name for name in self.names if name in folders | images))


class UnfinishedPackagesFact(Fact):
    """The packages that an installation left midway."""

    manager: Manager
    found: tuple[Entry, ...]
    """Ordered by name, at most twenty."""
    count: int


@dataclass(frozen=True, kw_only=True)
class UnfinishedPackagesQuery(Query[UnfinishedPackagesFact]):
    """Which packages were left midway?"""

    kind = "unfinished_packages"
    touches = ("@packages.unfinished",)

    def asks(self) -> Message:
        return msg("Which packages did an installation leave midway?")

    def observe(self, host: Host) -> UnfinishedPackagesFact:
        seen = host.packages.unfinished()
        found = _entries(seen)
        return UnfinishedPackagesFact(manager=seen.manager, found=found[:_SHOWN], count=len(found))


class EnginePackageFact(Fact):
    """Whose file the running engine is."""

    package: str
    """Empty where no engine is seen running, or its file belongs to none of the packages."""


@dataclass(frozen=True, kw_only=True)
class EnginePackageQuery(Query[EnginePackageFact]):
    """Which of these packages of dpkg does the running engine belong to?"""

    kind = "engine_package"
    touches = ("@processes.named", "/var/lib/dpkg/info/")
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
    """None of the packages and snaps that conflict with Docker's own packages is installed, wholly or midway."""

    kind = "packages_absent"
    dpkg: tuple[PackageName, ...] = ()
    """Names of packages where dpkg keeps the records."""
    rpm: tuple[PackageName, ...] = ()
    """Names of packages where rpm does."""
    snaps: tuple[PackageName, ...] = ()
    unpublished: tuple[DistributionId, ...] = ()
    """Distributions, by their ID of os-release(5), for which Docker publishes no packages: theirs are right there."""

    @model_validator(mode="after")
    def _names_something(self) -> PackagesAbsentRequirement:
        if not self.dpkg and not self.rpm:
            raise ValueError("wanted names of packages under dpkg or rpm")
        return self

    def wanted(self) -> Message:
        return msg("nothing installed that conflicts with Docker's own packages")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        return [OsReleaseQuery(), self._packages, *self._snaps, *self._engine(known)]

    @property
    def _packages(self) -> PackagesQuery:
        return PackagesQuery(names=tuple(dict.fromkeys((*self.dpkg, *self.rpm))))

    @property
    def _snaps(self) -> tuple[SnapsQuery, ...]:
        return (SnapsQuery(names=self.snaps),) if self.snaps else ()

    def _named(self, manager: Manager) -> tuple[str, ...]:
        match manager:
            case Manager.DPKG:
                return self.dpkg
            case Manager.RPM:
                return self.rpm
            case Manager.APK:
                return ()
            case _:
                assert_never(manager)

    def _conflicts(self, fact: PackagesFact) -> tuple[Entry, ...]:
        names = self._named(fact.manager)
        return tuple(one for one in fact.found if one.name in names and one.state is not PackageState.CONFIG_FILES)

    def _engine(self, known: Evidence) -> tuple[EnginePackageQuery, ...]:
        """The question that follows where dpkg has some of them: only its lists of files are read."""
        if self._packages not in known or known[self._packages].manager is not Manager.DPKG:
            return ()
        names = _names(self._conflicts(known[self._packages]), PackageState.INSTALLED, PackageState.HALF)
        return (EnginePackageQuery(packages=names),) if names else ()

    def judge(self, evidence: Evidence) -> Verdict:
        # what is there is a conflict even where the other place could not be looked at; absence takes both
        snaps = tuple(name for query in self._snaps if query in evidence for name in evidence[query].found)
        theirs = self._whose_packages(evidence)
        packages = [evidence[self._packages]] if theirs is None and self._packages in evidence else []
        found = tuple(one for fact in packages for one in self._conflicts(fact))
        if found:
            evidence[OsReleaseQuery()]  # where that is not known, those may be the right ones
        if not found and not snaps:
            for query in self._snaps:
                evidence[query]
            return self._none(theirs, evidence)
        return unmet(
            wanted=self.wanted(),
            seen=listed([*map(_seen, found), *(msg("snap {name}", name=name) for name in snaps)]),
            because=sentences([*_why(found, snaps), *self._runs(evidence)]),
            fix=sentences(_fixes(found, snaps, [fact.manager for fact in packages])),
        )

    def _whose_packages(self, evidence: Evidence) -> str | None:
        """The name of a distribution whose own packages are the right ones; None where Docker's are, or may be."""
        id_ = evidence[OsReleaseQuery()].id if OsReleaseQuery() in evidence else ""
        return system_name(id_) if id_ in self.unpublished else None

    def _none(self, theirs: str | None, evidence: Evidence) -> Verdict:
        if theirs is not None:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("{system}", system=theirs),
                because=msg("Docker publishes no packages for {system}; its own are right there.", system=theirs),
            )
        manager = evidence[self._packages].manager
        if not (names := self._named(manager)):
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("{manager}", manager=manager.value),
                because=msg("Docker publishes no packages for {manager}.", manager=manager.value),
            )
        return met(
            wanted=self.wanted(),
            seen=msg("none of them, by the records of {manager}", manager=manager.value),
            because=msg("Not installed: {names:list}.", names=names),
        )

    def _runs(self, evidence: Evidence) -> list[Message]:
        owners = [evidence[query].package for query in self._engine(evidence) if query in evidence]
        return [msg("The engine that runs is that of the package {package}.", package=name) for name in owners if name]


class PackagesWholeRequirement(Requirement):
    """No package was left midway, whatever its name."""

    kind = "packages_whole"

    def wanted(self) -> Message:
        return msg("no package left midway")

    def queries(self, known: Evidence) -> Sequence[UnfinishedPackagesQuery]:  # noqa: ARG002 - one question, always
        return [UnfinishedPackagesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[UnfinishedPackagesQuery()]
        if fact.manager is Manager.RPM:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("{manager}", manager=fact.manager.value),
                because=msg("{manager} keeps no record of packages that were left midway.", manager=fact.manager.value),
            )
        if not fact.found:
            return met(
                wanted=self.wanted(),
                seen=msg("none, by the records of {manager}", manager=fact.manager.value),
                because=msg("No package was left midway."),
            )
        names = _names(fact.found, PackageState.HALF)
        more = [msg("In all there are {n} of them.", n=fact.count)] if fact.count > len(fact.found) else []
        return unmet(
            wanted=self.wanted(),
            seen=listed(map(_seen, fact.found)),
            because=sentences([_left_midway(names), *more]),
            fix=sentences(_finish(fact.manager, names)),
        )


def _names(found: Sequence[Entry], *states: PackageState) -> tuple[str, ...]:
    """Each name once, though it may be there in several versions or architectures."""
    return tuple(dict.fromkeys(one.name for one in found if one.state in states))


def _seen(one: Entry) -> Message:
    if one.state is PackageState.HALF:
        return msg("{name} {version} ({detail})", name=one.name, version=one.version, detail=one.detail)
    return msg("{name} {version}", name=one.name, version=one.version)


def _left_midway(names: tuple[str, ...]) -> Message:
    return msg("An installation left these packages midway: {names:list}.", names=names)


def _why(found: Sequence[Entry], snaps: Sequence[str]) -> list[Message]:
    whole, half = _names(found, PackageState.INSTALLED), _names(found, PackageState.HALF)
    says = []
    if half:
        says.append(_left_midway(half))
    if whole:
        says.append(msg("Installed and in conflict with Docker's own packages: {names:list}.", names=whole))
    if snaps:
        says.append(msg("Installed as a snap, with data and settings of its own: {names:list}.", names=tuple(snaps)))
    return says


def _fixes(found: Sequence[Entry], snaps: Sequence[str], managers: Sequence[Manager]) -> list[Message]:
    names = _names(found, PackageState.INSTALLED, PackageState.HALF)
    half = _names(found, PackageState.HALF)
    fixes = [fix for manager in managers if half for fix in _finish(manager, half)]
    if names:
        fixes.append(msg("Remove {names:list} before Docker's own packages are installed.", names=names))
    if snaps:
        fixes.append(
            msg("Save the data of its volumes where it was used, then: snap remove {names}.", names=" ".join(snaps))
        )
    return fixes


def _finish(manager: Manager, half: Sequence[str]) -> list[Message]:
    """How to finish what was left midway."""
    match manager:
        case Manager.DPKG:
            return [msg("Finish what was left midway: dpkg --configure -a, then apt-get --fix-broken install.")]
        case Manager.APK:
            return [msg("Finish what was left midway: apk fix {names}.", names=" ".join(half))]
        case Manager.RPM:
            return []
        case _:
            assert_never(manager)
