"""Files of kernel settings: would one of them set something back at the next boot?

Source: sysctl.d(5).  The last assignment of a name wins.  A
pattern does not touch names that a line gives in full, nor those that a line without ``=`` excludes.  /etc/sysctl.conf
counts where a link in /etc/sysctl.d leads to it (Debian until 12, RHEL), and, being read last, where systemd does not
start the machine (sysctl(8), ``--system``).

Two names may be one setting: the kernel's ``net.ipv4.ip_forward`` is ``net.ipv4.conf.all.forwarding``
(net/ipv4/devinet.c), so that a file that names one undoes what another file says of the other.

A value is a number as the kernel reads it (proc_dointvec, kernel/sysctl.c); ufw's own file counts too where ufw is on
(ufw-framework(8), IPT_SYSCTL), before or after the others: no file says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.drop_in import drop_ins, masked
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, visible
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.sysctl import below_proc_sys
from vorflug.model.whole_file import NotWhole, read_whole
from vorflug.ports import Host

TITLE = msg("Files of kernel settings")

_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_CONF = "/etc/sysctl.conf"
_UFW = "/etc/ufw/ufw.conf"
_UFW_DEFAULTS = "/etc/default/ufw"
_UFW_ON = re.compile(r"""^[ \t]*ENABLED=["']?(\w*)""", re.MULTILINE | re.ASCII)
_UFW_FILE = re.compile(r"""^[ \t]*IPT_SYSCTL=["']?([^"'\s#]*)""", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|[\n\r\0]")
"""As systemd reads lines (read_line() of src/basic/fileio.c)."""
_SPACE = " \t\r\n"
_NUMBER = re.compile(r"(-?)(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9][0-9]*))(?![^ ])", re.IGNORECASE | re.ASCII)
_LONGEST_NUMBER = 20
"""Characters; a longer one is refused (TMPBUFLEN in kernel/sysctl.c)."""


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
    ufw: tuple[SettingLine, ...] = ()
    """What ufw sets when it starts; empty where it is off."""
    hidden: tuple[str, ...]
    """Folders and files that are closed to this user."""
    unread: tuple[str, ...] = ()
    """What could not be read for another reason: a file that is too long, a FIFO."""
    container: str
    """What this runs in, as systemd-detect-virt(1) names it; empty for the machine itself."""


@dataclass(frozen=True, kw_only=True)
class SettingFilesQuery(Query[SettingFilesFact]):
    """What do files set these kernel settings to at the next boot?"""

    kind = "sysctl_files"
    touches = (
        "/etc/sysctl.d/",
        "/run/sysctl.d/",
        "/usr/local/lib/sysctl.d/",
        "/usr/lib/sysctl.d/",
        "/lib/sysctl.d/",
        "/etc/sysctl.conf",
        "/etc/ufw/",
        "/etc/default/ufw",
        "/run/systemd/system",
        "@system.virtualisation",
    )
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Which files set {names:list} at the next boot?", names=self.names)

    def observe(self, host: Host) -> SettingFilesFact:
        asked = tuple(below_proc_sys(name) for name in self.names)
        gaps = _Gaps([], [])
        lines, ufw = (
            tuple(
                one
                for path in paths
                for one in _lines(host, path, gaps)
                if any(_covers(one.name, name) for name in asked)
            )
            for paths in (_files(host, gaps), _ufw_files(host, gaps))
        )
        return SettingFilesFact(
            lines=lines,
            ufw=ufw,
            hidden=tuple(gaps.hidden),
            unread=tuple(gaps.unread),
            container=host.system.virtualisation().container,
        )


@dataclass
class _Gaps:
    """Places that could not be looked at, as `SettingFilesFact` names them."""

    hidden: list[str]
    unread: list[str]


def _files(host: Host, gaps: _Gaps) -> Iterator[str]:
    paths, closed = drop_ins(host, _FOLDERS)
    gaps.hidden += closed
    yield from paths
    if not host.files.exists("/run/systemd/system"):
        yield _CONF


def _ufw_files(host: Host, gaps: _Gaps) -> Iterator[str]:
    on = _UFW_ON.findall(_text(host, _UFW, gaps))
    if on and on[-1].lower() == "yes":
        named = _UFW_FILE.findall(_text(host, _UFW_DEFAULTS, gaps))
        yield from (path for path in named[-1:] if path)


def _text(host: Host, path: str, gaps: _Gaps) -> str:
    """Empty where there is no such file, or where that is noted among *gaps*."""
    try:
        return read_whole(host, path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except PermissionError:
        gaps.hidden.append(path)
    except NotWhole:
        gaps.unread.append(path)
    return ""


def _lines(host: Host, path: str, gaps: _Gaps) -> Iterator[SettingLine]:
    try:
        text = "" if masked(host, path) else _text(host, path, gaps)
    except FileNotFoundError:
        return
    except PermissionError:
        gaps.hidden.append(path)
        return
    for number, line in enumerate(_LINE_END.split(text), start=1):
        name, equals, value = line.partition("=")
        name = name.strip(_SPACE)
        if not (equals or name.startswith("-")):
            continue
        # what a comment says is no name that anybody asks about
        yield SettingLine(
            file=path,
            line=number,
            name=below_proc_sys(name.removeprefix("-")),
            value=visible(value.strip(_SPACE).replace("\t", " "), at_most=64) if equals else None,
        )


def _number(value: str) -> int | None:
    """The first number of *value*, in C's notation, what follows a space passed over; None for what is refused."""
    found = _NUMBER.match(value)
    if found is None or len(found[0]) > _LONGEST_NUMBER:
        return None
    minus, hexadecimal, octal, decimal = found.groups()
    size = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    number = -size if minus else size
    return number if -(1 << 31) <= number < 1 << 31 else None


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
    unwanted: Annotated[str, StringConstraints(pattern=r"^(0|-?[1-9][0-9]{0,8})$")]
    """A number, as the kernel shows it."""

    def wanted(self) -> Message:
        return msg("no file sets {name} to {value}", name=self.names[0], value=self.unwanted)

    def queries(self, known: Evidence) -> Sequence[SettingFilesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [SettingFilesQuery(names=self.names)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[SettingFilesQuery(names=self.names)]
        wanted, name = self.wanted(), self.names[0]
        decides = self._worst(fact)
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
        if fact.unread:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "These are too long to be read or no files, and could set it: {paths:list}.", paths=fact.unread
                ),
                fix=msg("Look into them by hand, and note the result at the sign-off."),
            )
        if decides is None:
            return met(wanted=wanted, seen=seen, because=msg("No file sets {name} at the next boot.", name=name))
        number = _number(str(decides.value))
        if number is None:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "That is no number, and the kernel does not take it; which value {name} has after the next boot "
                    "is not visible.",
                    name=name,
                ),
                fix=msg("Mend the line in {file}.", file=decides.file),
            )
        if number != int(self.unwanted):
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

    def _worst(self, fact: SettingFilesFact) -> SettingLine | None:
        """Of the last words of systemd's files and of ufw's, the one that counts against this machine."""
        deciding = [line for line in map(self._decides, (fact.lines, fact.ufw)) if line is not None]
        numbers = [_number(str(line.value)) for line in deciding]
        for bad in (int(self.unwanted), None):
            if bad in numbers:
                return deciding[numbers.index(bad)]
        return deciding[-1] if deciding else None

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
