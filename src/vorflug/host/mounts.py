"""Mounts of this process's namespace, read from mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vorflug import ports

PATH = "/proc/self/mountinfo"
_LIMIT = 1 << 23
_OPTION_AT_MOST = 200
_SECRET_OPTIONS = {"user", "username", "password", "pass", "credentials", "cred", "secret", "secretfile"}
"""mount.cifs(8), mount.ceph(8): options whose values are nobody's business."""


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo."""

    id: int
    device: str
    root: str
    """The folder of the file system that is mounted: not ``/`` for a bind mount."""
    point: str
    kind: str
    source: str
    options: tuple[str, ...]
    """Of the mount and of the super block, without duplicates."""


def read(files: ports.Files) -> tuple[Mount, ...]:
    """Every mount, in the kernel's order.  Raises NotImplementedError without /proc."""
    try:
        return parse(files.read_text(PATH, limit=_LIMIT))
    except FileNotFoundError:
        raise NotImplementedError(f"{PATH} is not there: /proc is not mounted") from None


def parse(text: str) -> tuple[Mount, ...]:
    """The lines of mountinfo.  Raises ValueError for what is none."""
    return tuple(_mount(line) for line in text.split("\n") if line)


def _mount(line: str) -> Mount:
    fields = line.split(" ")
    # a number of optional fields, ended by "-"; no field can be a bare "-" before it
    end = fields.index("-", 6)
    kind, source, of_super_block = fields[end + 1 : end + 4]
    options = dict.fromkeys(_option(o) for o in (*fields[5].split(","), *of_super_block.split(",")))
    return Mount(
        id=int(fields[0]),
        device=fields[2],
        root=_unescaped(fields[3]),
        point=_unescaped(fields[4]),
        kind=kind,
        source=_unescaped(source),
        options=tuple(options),
    )


def _unescaped(field: str) -> str:
    """The kernel writes space, tab, newline, backslash and hash as three octal digits (seq_escape)."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field)


def _option(option: str) -> str:
    name, _, value = option.partition("=")
    return f"{name}=[redacted]" if value and name.lower() in _SECRET_OPTIONS else _unescaped(option)[:_OPTION_AT_MOST]


def strike_secrets(text: str) -> str:
    """The lines of mountinfo as they may be kept: the values of secret options struck out, the form unchanged."""
    return re.sub(
        rf"(?i)(?<=[ ,])({'|'.join(_SECRET_OPTIONS)})=[^, \n]+", lambda option: f"{option[1]}=[redacted]", text
    )
