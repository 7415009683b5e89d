"""File descriptors that are closed whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def opened(path: str, flags: int) -> Iterator[int]:
    """*path*, opened by open(2) with *flags*; no program that is started inherits it.  Raises OSError as open does."""
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
