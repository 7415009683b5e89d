"""The hosts file: which names it gives addresses to (hosts(5))."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from vorflug.model.resolver_files import host_addresses

_BYTES = 16 * 1024 * 1024
"""Lists of blocked names are some MiB long."""
_LINES_AT_MOST = 1000
"""With one and the same name."""
_LINE_BYTES = 64 * 1024
_AFTER = (b"", b"#", b".")


def listed(name: str, path: str) -> frozenset[str]:
    """The addresses that the file gives to *name*, in ASCII; empty where there is no such file.

    It is read as the C library in this very process reads it: what it may not read, that may not either.
    """
    try:
        status = Path(path).stat()
        data = _data(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return frozenset()
    found: set[str] = set()
    wanted = name.lower().rstrip(".").encode("ascii", "replace")
    at, lines = data.find(wanted), 0
    while wanted and at >= 0 and lines < _LINES_AT_MOST:
        end = at + len(wanted)
        # a name in full; others end like it
        if data[at - 1 : at].isspace() and (data[end : end + 1] in _AFTER or data[end : end + 1].isspace()):
            start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            line = data[start : len(data) if end < 0 else end][:_LINE_BYTES]
            found.update(host_addresses(line.decode("utf-8", "replace"), wanted.decode()))
            lines, end = lines + 1, start + len(line)
        at = data.find(wanted, end)
    # measured with glibc: whoever asks for IPv4 is given 127.0.0.1 by a line with ::1
    return frozenset(found | {"127.0.0.1"} if "::1" in found else found)


@lru_cache(maxsize=1)
def _data(path: str, _modified: int, _size: int) -> bytes:
    """In lower case; as bytes, since characters beyond Latin-1 would make text of four bytes for each."""
    with Path(path).open("rb") as file:
        return file.read(_BYTES).lower()
