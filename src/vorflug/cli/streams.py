"""Standard streams that cannot hurt: closed ones, full ones, and ones whose reader went away.

A verdict must reach the exit code whatever becomes of the text.  A reader that leaves (``| head``) is no mistake and
changes nothing; text that was lost otherwise (a full disk behind ``> FILE``) is said on stderr, and the program does
not end with 0.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Steady(io.FileIO):
    """A descriptor that takes whatever it is given; *lost* is why not all of it got through."""

    lost: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        if self.lost is None:
            try:
                return super().write(data) or 0
            except OSError as error:
                self.lost = error
        return len(memoryview(data))


_OUT, _ERR = 1, 2
_steady: dict[int, _Steady] = {}


def prepare() -> None:
    """Make stdout and stderr safe to write to; call this before anything is opened."""
    for number in (0, _OUT, _ERR):
        # without this the next file that is opened, the report itself perhaps, would be the closed stream's
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for number, name in ((_OUT, "stdout"), (_ERR, "stderr")):
        before = getattr(sys, name)
        raw = _Steady(number, "w", closefd=False)
        _steady[number] = raw
        stream = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=before.encoding if before is not None else "utf-8",
            # a name that cannot be written in the terminal's encoding is shown as \u…, never a crash
            errors="backslashreplace",
            line_buffering=number == _ERR or raw.isatty(),
        )
        setattr(sys, name, stream)


def flush() -> OSError | None:
    """Write out what is buffered; return why stdout did not get all of it, None where it did or nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    lost = _steady[_OUT].lost if _OUT in _steady else None
    # EIO: the terminal is gone (a lost ssh session)
    return None if lost is None or lost.errno in {errno.EPIPE, errno.EIO} else lost
