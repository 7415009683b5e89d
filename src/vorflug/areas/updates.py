"""Updates: where do they come from, and do security updates wait?

One file in spite of its length: both questions begin with who installs updates here, and read that manager's files.

Sources: sources.list(5) (one-line and deb822 style, ``Enabled``), dnf.conf(5) (``reposdir``, ``enabled``), zypper(8),
apk-repositories(5).  Pending updates are counted from what lies on disk, nothing is refreshed: apt-get(8) ``-s``
(simulates), dnf(8) ``--cacheonly``, zypper(8) ``--no-refresh``.  How old the lists are is what they say of themselves:
``Date`` of the Release files (Debian RepositoryFormat), "Last metadata expiration check" of dnf, ``revision`` of
repomd.xml (a time where SUSE writes it).  Old lists prove that updates wait, but never that none does.
Whether a source answers is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.date import DateQuery
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.quantity import Duration
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Updates")

_OFF = {"no", "false", "without", "off", "disable", "0"}
"""How apt and the readers of .repo files spell "off" (apt's StringToBool, dnf.conf(5))."""
_REPO_FOLDERS = ("/etc/yum.repos.d", "/etc/distro.repos.d", "/usr/share/dnf5/repos.d")
_ZYPP_FOLDERS = ("/etc/zypp/repos.d",)
_LISTS = "/var/lib/apt/lists"
_APT_WRITES_NOTHING = tuple(
    word
    for option in ("Debug::NoLocking=1", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=")
    for word in ("-o", option)
)
"""apt.conf(5): no lock is taken, and root's apt does not write its cache anew."""
_SHOWN = 10


class Manager(StrEnum):
    """Who installs updates."""

    APT = "apt"
    DNF = "dnf"
    ZYPPER = "zypper"
    APK = "apk"


_PROGRAMS = {
    Manager.ZYPPER: ("zypper",),
    Manager.APT: ("apt-get",),
    Manager.DNF: ("dnf", "dnf5", "yum"),
    Manager.APK: ("apk",),
}
"""The programs that tell them; openSUSE and Debian can have dnf beside their own."""


class Source(Frozen):
    """A source that is switched on."""

    file: str
    uri: str
    """Without credentials; cut at 200 characters."""


class UpdateSourcesFact(Fact):
    """The configured sources of updates."""

    manager: Manager | None
    """None where no known package manager is installed."""
    sources: tuple[Source, ...]
    closed: tuple[str, ...]
    """Files and folders that this user may not read."""


@dataclass(frozen=True, kw_only=True)
class UpdateSourcesQuery(Query[UpdateSourcesFact]):
    """Which sources of updates are configured?"""

    kind = "update_sources"
    touches = (
        "zypper",
        "apt-get",
        "dnf",
        "dnf5",
        "yum",
        "apk",
        "/etc/apk/",
        "/etc/apt/",
        "/etc/yum.repos.d/",
        "/etc/distro.repos.d/",
        "/usr/share/dnf5/",
        "/etc/zypp/",
    )

    def asks(self) -> Message:
        return msg("Which sources of updates are configured?")

    def observe(self, host: Host) -> UpdateSourcesFact:
        manager = _manager(host)
        reader = _Reader(host)
        match manager:
            case Manager.APT:
                found = reader.apt()
            case Manager.DNF:
                found = reader.repos(_REPO_FOLDERS)
            case Manager.ZYPPER:
                found = reader.repos(_ZYPP_FOLDERS)
            case Manager.APK:
                found = reader.apk()
            case None:
                found = iter(())
        sources = tuple(dict.fromkeys(found))
        return UpdateSourcesFact(manager=manager, sources=sources, closed=tuple(reader.closed))


def _manager(host: Host) -> Manager | None:
    return next(
        (one for one, names in _PROGRAMS.items() if any(host.commands.which(name) is not None for name in names)), None
    )


class _Reader:
    """Reads the files that name sources, and keeps which of them are closed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.closed: list[str] = []

    def apt(self) -> Iterator[Source]:
        folder = "/etc/apt/sources.list.d"
        names = [f"{folder}/{name}" for name in self._list(folder)]
        for path in ("/etc/apt/sources.list", *(name for name in names if name.endswith(".list"))):
            for line in self._read(path).splitlines():
                words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
                if words[:1] == ["deb"]:
                    yield from _apt_sources(path, words[1:2])
        for path in (name for name in names if name.endswith(".sources")):
            for stanza in re.split(r"\n\s*\n", self._read(path).replace("\r\n", "\n")):
                fields = _deb822(stanza)
                if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in _OFF:
                    yield from _apt_sources(path, fields.get("uris", "").split())

    def repos(self, folders: tuple[str, ...]) -> Iterator[Source]:
        for folder in folders:
            for path in (f"{folder}/{name}" for name in self._list(folder) if name.endswith(".repo")):
                # a line that begins with a space goes on with the value above it
                text = re.sub(r"\n[ \t]+(?=[^\s\[#;])", " ", self._read(path))
                for section in re.split(r"(?m)^\s*\[", text)[1:]:
                    pairs = (line.partition("=") for line in section.splitlines()[1:])
                    values = {key.strip().lower(): value.strip() for key, _, value in pairs}
                    uri = values.get("baseurl") or values.get("metalink") or values.get("mirrorlist")
                    if values.get("enabled", "1").lower() not in _OFF and uri:
                        yield Source(file=path, uri=uri.split()[0][:200])

    def apk(self) -> Iterator[Source]:
        folder = "/etc/apk/repositories.d"
        more = [f"{folder}/{name}" for name in self._list(folder) if name.endswith(".list")]
        for path in ("/etc/apk/repositories", *more):
            for line in self._read(path).splitlines():
                words = [word for word in line.partition("#")[0].split() if not word.startswith("@")]
                if words:
                    yield Source(file=path, uri=words[0][:200])

    def _list(self, folder: str) -> tuple[str, ...]:
        try:
            return self._host.files.list_folder(folder)
        except FileNotFoundError:
            return ()
        except PermissionError:
            self.closed.append(folder)
            return ()

    def _read(self, path: str) -> str:
        try:
            return self._host.files.read_text(path)
        except FileNotFoundError:
            return ""
        except PermissionError:
            self.closed.append(path)
            return ""


def _apt_sources(path: str, uris: Sequence[str]) -> Iterator[Source]:
    """An installation medium brings no updates."""
    return (Source(file=path, uri=uri[:200]) for uri in uris if not uri.startswith("cdrom:"))


def _deb822(stanza: str) -> dict[str, str]:
    """Fields by lower-case name, continuation lines joined (deb822(5)); comments are passed over."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        else:
            key, _, value = line.partition(":")
            name = key.strip().lower()
            fields[name] = value.strip()
    return fields


class UpdateSourcesRequirement(Requirement):
    """At least one source of updates is configured."""

    kind = "update_sources"

    def wanted(self) -> Message:
        return msg("a source of updates is configured")

    def queries(self, known: Evidence) -> Sequence[UpdateSourcesQuery]:  # noqa: ARG002 - one question, always
        return [UpdateSourcesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[UpdateSourcesQuery()]
        if found.manager is None:
            return unknown(
                wanted=self.wanted(),
                seen=msg("none of the known package managers"),
                because=msg("Where this system gets its updates from is not known to this program."),
                fix=msg("Have it confirmed how this machine gets its updates."),
            )
        if found.sources:
            uris = tuple(dict.fromkeys(source.uri for source in found.sources))
            return met(
                wanted=self.wanted(),
                seen=listed(msg("{uri}", uri=uri) for uri in uris),
                because=msg(
                    "Sources configured for {manager}: {n}; whether they answer was not asked.",
                    manager=found.manager,
                    n=len(uris),
                ),
            )
        if found.closed:
            return unknown(
                wanted=self.wanted(),
                because=msg("This user may not read {files:list}.", files=found.closed),
                fix=msg("Run again as root."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("{manager} without a source", manager=found.manager),
            because=msg("{manager} has no source that is switched on, so no update can arrive.", manager=found.manager),
            fix=msg("Enter the internal mirror, or register this machine with its update service."),
        )


class SecurityUpdatesFact(Fact):
    """Security updates that wait, as far as the lists on disk know."""

    manager: Manager
    pending: tuple[str, ...]
    """Packages or advisories, at most ten."""
    count: int
    lists_of: str
    """When the newest list was made or fetched, RFC 3339 UTC; empty where the lists do not tell."""


@dataclass(frozen=True, kw_only=True)
class SecurityUpdatesQuery(Query[SecurityUpdatesFact]):
    """Which security updates wait?"""

    kind = "security_updates"
    touches = ("zypper", "apt-get", "dnf", "dnf5", "yum", "apk", "/var/lib/apt/lists/", "/var/cache/zypp/raw/")
    deadline = 60.0

    def asks(self) -> Message:
        return msg("Which security updates wait, as far as the lists on this machine know?")

    def observe(self, host: Host) -> SecurityUpdatesFact:
        manager = _manager(host)
        match manager:
            case Manager.APT:
                pending, lists_of = _apt(host)
            case Manager.DNF:
                pending, lists_of = _dnf(host)
            case Manager.ZYPPER:
                pending, lists_of = _zypper(host)
            case Manager.APK | None:
                raise NotImplementedError("no package manager here that tells security updates apart")
        pending = tuple(dict.fromkeys(pending))
        return SecurityUpdatesFact(manager=manager, pending=pending[:_SHOWN], count=len(pending), lists_of=lists_of)


def _run(host: Host, *argv: str) -> str:
    try:
        done = host.commands.run(argv, limit=1 << 22)
    except FileNotFoundError:
        raise NotImplementedError(f"there is no {argv[0]} to ask") from None
    if done.code != 0:
        raise NotImplementedError(f"{argv[0]} ended with status {done.code}: {(done.err or done.out).strip()[:200]}")
    # dnf 4 writes the age of its lists to one stream or the other
    return f"{done.out}\n{done.err}"


def _apt(host: Host) -> tuple[tuple[str, ...], str]:
    """Lines such as ``Inst openssl [3.0.1] (3.0.2 Debian-Security:12/stable-security [amd64])``."""
    dates = [date for name in _lists(host) for date in _release_dates(host, f"{_LISTS}/{name}")]
    if not dates:
        raise NotImplementedError("apt has no package lists here")
    out = _run(host, "apt-get", "--simulate", "--quiet", *_APT_WRITES_NOTHING, "dist-upgrade")
    found = re.findall(r"(?m)^Inst (\S+) .*\([^)]*-[Ss]ecurity[ ,:]", out)
    return tuple(found), _instant(max(dates))


def _lists(host: Host) -> tuple[str, ...]:
    try:
        return tuple(name for name in host.files.list_folder(_LISTS) if name.endswith(("_InRelease", "_Release")))
    except FileNotFoundError:
        return ()


def _release_dates(host: Host, path: str) -> Iterator[datetime]:
    for line in host.files.lines_with(path, ("Date: ",))[:1]:
        try:
            yield parsedate_to_datetime(line.removeprefix("Date: ").strip()).astimezone(UTC)
        except ValueError:
            continue


def _dnf(host: Host) -> tuple[tuple[str, ...], str]:
    """Lines such as ``RHSA-2024:1234 Important/Sec. openssl-3.0.7-25.el9_3.x86_64``."""
    out = _run(host, "dnf", "--cacheonly", "updateinfo", "list", "--security")
    found = re.findall(r"(?m)^(\S+)\s+(?:\S+/Sec\.|security\s+\S+)\s+\S+", out)
    age = re.search(r"expiration check: (?:(\d+) days?, )?(\d+):(\d\d):(\d\d) ago", out)
    if age is None:
        return tuple(found), ""
    days, hours, minutes, seconds = (int(part or 0) for part in age.groups())
    now = datetime.fromisoformat(host.certificates.now())
    passed = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return tuple(found), _instant(datetime.fromtimestamp(now.timestamp() - passed, UTC))


def _zypper(host: Host) -> tuple[tuple[str, ...], str]:
    """Table rows: repository | name | category | severity | interactive | status | …."""
    out = _run(host, "zypper", "--non-interactive", "--no-refresh", "list-patches", "--category", "security")
    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines()]
    heads = next((row for row in rows if "Status" in row), None)
    if heads is None:
        return (), _zypp_age(host)  # no patch at all: there is no table
    name, status = heads.index("Name"), heads.index("Status")
    found = tuple(row[name] for row in rows if len(row) == len(heads) and row[status] == "needed")
    return found, _zypp_age(host)


def _zypp_age(host: Host) -> str:
    folder = "/var/cache/zypp/raw"
    times = []
    try:
        names = host.files.list_folder(folder)
    except (FileNotFoundError, PermissionError):
        return ""
    for name in names:
        try:
            lines = host.files.lines_with(f"{folder}/{name}/repodata/repomd.xml", ("<revision>",))
        except (FileNotFoundError, PermissionError):
            continue
        times += [int(number) for line in lines for number in re.findall(r"<revision>(\d{10})<", line)]
    return _instant(datetime.fromtimestamp(max(times), UTC)) if times else ""


def _instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class SecurityUpdatesRequirement(Requirement):
    """No more than this many security updates wait, by lists that are no older than this."""

    kind = "security_updates"
    at_most: Annotated[int, Field(ge=0)]
    lists_at_most: Duration
    """How old the lists may be to show that nothing waits."""

    def wanted(self) -> Message:
        if self.at_most == 0:
            return msg("no security update pending, by lists no older than {age:duration}", age=self.lists_at_most)
        return msg(
            "at most {most} security updates pending, by lists no older than {age:duration}",
            most=self.at_most,
            age=self.lists_at_most,
        )

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, always
        return [SecurityUpdatesQuery(), DateQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[SecurityUpdatesQuery()]
        if found.count > self.at_most:
            return unmet(
                wanted=self.wanted(),
                seen=msg("{n} security updates pending", n=found.count),
                because=msg("{n} security updates wait, among them {names:list}.", n=found.count, names=found.pending),
                fix=msg("Install the updates, and reboot where they ask for it."),
            )
        if not found.lists_of:
            return unknown(
                wanted=self.wanted(),
                seen=msg("{n} security updates pending, by lists of unknown age", n=found.count),
                because=msg("The lists of {manager} do not tell how old they are.", manager=found.manager),
                fix=msg("Refresh the lists of {manager}, then run again.", manager=found.manager),
            )
        seen = msg("{n} security updates pending, by lists of {day:date}", n=found.count, day=found.lists_of)
        now = datetime.fromisoformat(evidence[DateQuery()].now)
        if (now - datetime.fromisoformat(found.lists_of)).total_seconds() > self.lists_at_most:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The newest list is of {day:date}: too old to show that nothing waits.", day=found.lists_of
                ),
                fix=msg("Refresh the lists of {manager}, then run again.", manager=found.manager),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("By the lists of {day:date} not more than that wait.", day=found.lists_of),
        )
