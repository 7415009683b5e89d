"""Files of keys and reports: read once, capped, never through a planted link, never half written."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from vorflug.model.message import Message, msg


class FileRefused(ValueError):
    """A file that cannot be read or written as agreed.  *message* names it and says what was seen."""

    def __init__(self, message: Message, code: int = 0) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code
        """The errno behind it, 0 where there is none."""


def read_once(path: str | Path, *, most: int, dir_fd: int | None = None, follow: bool = False) -> bytes:
    """The whole content of one regular file of at most *most* bytes, opened and read exactly once.

    *follow* allows *path* itself to be a symbolic link; only a path that a person named may.  Raises FileRefused.
    """
    name = str(path)
    # without O_NONBLOCK a planted FIFO would hold the reader for ever
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    try:
        fd = os.open(path, flags, dir_fd=dir_fd)
    except OSError as error:
        raise _refused(name, error) from error
    except ValueError as error:  # a NUL in the name
        raise FileRefused(msg("{file}: this is no file name", file=name)) from error
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            raise FileRefused(msg("{file}: wanted a regular file, saw {kind}", file=name, kind=_kind(mode)))
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise _refused(name, error) from error
    finally:
        os.close(fd)
    if len(data) > most:
        raise FileRefused(msg("{file}: larger than the {most:size} that are allowed", file=name, most=most))
    return data


def create_once(name: str, data: bytes, *, dir_fd: int) -> None:
    """Create the file *name* (0600) with all of *data*, or not at all.

    Raises FileExistsError where it is there already, also as a link; OSError where it cannot be written.  A reader
    never sees half of it: it appears by link(2), which does not overwrite.
    """
    part = f".{name}.{secrets.token_hex(8)}.part"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=dir_fd)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.link(part, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
    finally:
        with suppress(OSError):
            os.unlink(part, dir_fd=dir_fd)


def create_file(path: Path, data: bytes) -> None:
    """`create_once` for a path that a person named.  Raises FileRefused; what is there already is never overwritten."""
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            create_once(path.name, data, dir_fd=fd)
        finally:
            os.close(fd)
    except FileExistsError as error:
        raise FileRefused(
            msg("{file}: is there already and is not overwritten. Name another file.", file=str(path)), errno.EEXIST
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise FileRefused(msg("{file}: cannot be written ({error})", file=str(path), error=why or "?")) from error


def _refused(name: str, error: OSError) -> FileRefused:
    match error.errno:
        case errno.ENOENT:
            return FileRefused(msg("{file}: not there", file=name), errno.ENOENT)
        case errno.ELOOP:
            return FileRefused(msg("{file}: a symbolic link, which is not followed here", file=name), errno.ELOOP)
        case code:
            return FileRefused(
                msg("{file}: cannot be read ({error})", file=name, error=error.strerror or "?"), code or errno.EIO
            )


def _kind(mode: int) -> Message:
    if stat.S_ISDIR(mode):
        return msg("a folder")
    if stat.S_ISFIFO(mode):
        return msg("a named pipe")
    return msg("a device or socket")
