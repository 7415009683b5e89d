"""Files of kernel settings: would one of them set something back at the next boot?

Source: sysctl.d(5).  Files are sorted by their names, in whichever folder they lie; of two with one name only that of
the folder named first counts, and a link to /dev/null makes it count as empty.  The last assignment of a name wins.  A
pattern does not touch names that a line gives in full, nor those that a line without ``=`` excludes.  /etc/sysctl.conf
counts where a link in /etc/sysctl.d leads to it (Debian until 12, RHEL), and, being read last, where systemd does not
start the machine (sysctl(8), ``--system``).

Two names may be one setting: the kernel's ``net.ipv4.ip_forward`` is ``net.ipv4.conf.all.forwarding``
(net/ipv4/devinet.c), so that a file that names one undoes what another file says of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, visible
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.sysctl import below_proc_sys
from vorflug.ports import Host
from vorflug.ports.files import FileKind

TITLE = msg("Files of kernel settings")

_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_CONF = "/etc/sysctl.conf"


class SettingLine(Frozen):
    """A line that may set one of the asked names."""

    file: str
    line: int
    """From 1."""
    name: str
    """As a path below /proc/sys; it may be a pattern."""
    value: str | None
    """None for a line that excludes the name from patterns."""


class SettingFilesFact(Fact):
    """What the files say about the asked names, in the order in which they are read at boot."""

    lines: tuple[SettingLine, ...]
    hidden: tuple[str, ...]
    """Folders and files that are closed to this user."""
    container: str
    """What this runs in, as systemd-detect-virt(1) names it; empty for the machine itself."""


@dataclass(frozen=True, kw_only=True)
class SettingFilesQuery(Query[SettingFilesFact]):
    """What do files set these kernel settings to at the next boot?"""

    kind = "sysctl_files"
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Which files set {names:list} at the next boot?", names=self.names)

    def observe(self, host: Host) -> SettingFilesFact:
        asked = tuple(below_proc_sys(name) for name in self.names)
        hidden: list[str] = []
        lines = [
            one
            for path in _files(host, hidden)
            for one in _lines(host, path, hidden)
            if any(_covers(one.name, name) for name in asked)
        ]
        return SettingFilesFact(
            lines=tuple(lines), hidden=tuple(hidden), container=host.system.virtualisation().container
        )


def _files(host: Host, hidden: list[str]) -> Iterator[str]:
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        try:
            names = host.files.list_folder(folder)
        except FileNotFoundError:
            continue
        except PermissionError:
            hidden.append(folder)
            continue
        for name in names:
            if name.endswith(".conf"):
                found.setdefault(name, f"{folder}/{name}")
    yield from (path for _, path in sorted(found.items()))
    if not host.files.exists("/run/systemd/system"):
        yield _CONF


def _lines(host: Host, path: str, hidden: list[str]) -> Iterator[SettingLine]:
    try:
        if host.files.status(path).kind is FileKind.CHARACTER:
            return  # /dev/null
        text = host.files.read_text(path)
    except FileNotFoundError:
        return
    except PermissionError:
        hidden.append(path)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.partition("=")
        name = name.strip()
        if not (equals or name.startswith("-")):
            continue
        # what a comment says is no name that anybody asks about
        yield SettingLine(
            file=path,
            line=number,
            name=below_proc_sys(name.removeprefix("-")),
            value=visible(value.strip(), at_most=64) if equals else None,
        )


def _covers(pattern: str, name: str) -> bool:
    """glob(7): a star does not go beyond a slash."""
    parts, wanted = pattern.split("/"), name.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, wanted, parts))


class NotSetBackRequirement(Requirement):
    """No file sets this kernel setting to a value that is not wanted."""

    kind = "sysctl_not_set_back"
    names: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+([./][A-Za-z0-9_-]+)+$", max_length=128)], ...],
        Field(min_length=1),
    ]
    """All names of this one setting; the first is the usual one."""
    unwanted: Annotated[str, StringConstraints(min_length=1, max_length=64)]

    def wanted(self) -> Message:
        return msg("no file sets {name} to {value}", name=self.names[0], value=self.unwanted)

    def queries(self, known: Evidence) -> Sequence[SettingFilesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [SettingFilesQuery(names=self.names)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[SettingFilesQuery(names=self.names)]
        wanted, name = self.wanted(), self.names[0]
        decides = self._decides(fact.lines)
        if decides is None:
            seen = msg("no file sets {name}", name=name)
        else:
            where = f"{decides.file}:{decides.line}"
            seen = msg("{where}: {name} = {value}", where=where, name=decides.name, value=str(decides.value))
        if fact.container:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("This runs in a container ({kind}); the machine's own files count.", kind=fact.container),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        if fact.hidden:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("These may not be read, and could set it: {paths:list}.", paths=fact.hidden),
                fix=msg("Run this as root."),
            )
        if decides is None:
            return met(wanted=wanted, seen=seen, because=msg("No file sets {name} at the next boot.", name=name))
        if decides.value != self.unwanted:
            return met(wanted=wanted, seen=seen, because=msg("No file sets it to {value}.", value=self.unwanted))
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg(
                "{file} sets {name} to {value} at the next boot, and whenever settings are loaded again.",
                file=decides.file,
                name=name,
                value=self.unwanted,
            ),
            fix=msg(
                "Take the line out of {file}, or have this machine excluded from the rule that writes it.",
                file=decides.file,
            ),
        )

    def _decides(self, lines: Sequence[SettingLine]) -> SettingLine | None:
        """The line that has the last word."""
        kept: dict[str, SettingLine] = {}
        for line in lines:
            if line.name in kept and kept[line.name].value != line.value:
                del kept[line.name]  # it moves to the end; one that says the same stays where it was
            kept.setdefault(line.name, line)
        names = {below_proc_sys(name) for name in self.names}
        writing = [
            line
            for line in kept.values()
            # a name in full touches itself alone; a pattern touches what no line names in full
            if line.value is not None
            and (line.name in names or any(_covers(line.name, name) for name in names - kept.keys()))
        ]
        return writing[-1] if writing else None
