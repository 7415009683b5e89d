"""The hosts file: which names it gives addresses to (hosts(5))."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from vorflug.model.resolver_files import host_addresses

_BYTES = 16 * 1024 * 1024
"""Lists of blocked names are some MiB long."""


def listed(name: str, path: str) -> frozenset[str]:
    """The addresses that the file gives to *name*; empty where there is no such file.

    It is read as the C library in this very process reads it: what it may not read, that may not either.
    """
    try:
        status = Path(path).stat()
        text = _text(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return frozenset()
    lines = []
    at = text.find(wanted := name.lower().rstrip("."))
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        lines.append(text[start:end])
        at = text.find(wanted, end)
    found = frozenset(host_addresses("\n".join(lines), wanted))
    # measured with glibc: whoever asks for IPv4 is given 127.0.0.1 by a line with ::1
    return found | {"127.0.0.1"} if "::1" in found else found


@lru_cache(maxsize=2)
def _text(path: str, _modified: int, _size: int) -> str:
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        return file.read(_BYTES).lower()
