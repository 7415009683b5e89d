"""Where a run leaves its files: whole or not at all, 0600, never through a link that somebody planted.

A file is written under a name of its own beside its target, flushed to the disk and renamed (rename(2) is atomic and
does not follow a link at the target).  The folder is made before the first probe, so that a place that cannot be
written is found at once; where a run does not get to the end, nothing is left of it.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from vorflug.model.message import Message, msg

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_HOST = 63
"""RFC 1035, 2.3.4: the longest label of a host name."""

_PART = ".part"
_PROBE = ".probe"
_ROOM = 2 << 20
"""Bytes that a report of some 200 requirements needs, its page included, and something to spare."""

_SECOND_TRIES = 99
"""Runs on one host that may end in the same second and folder."""


class OutputRefused(OSError):
    """A place that cannot be written.  *message* names it, says what was seen and what to do."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class ReportFolder:
    """The folder of one report, made by `open`.

    As a context manager it cleans up: after an exception, and where nothing was written, files and folder are removed.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd
        self._written: list[str] = []

    @classmethod
    def open(cls, parent: Path, host: str, when: datetime) -> ReportFolder:
        """Make ``vorflug-<host>-<UTC time>`` (0700) in *parent*, which is made if it is not there.

        *host* is cut down to letters, digits, ``-`` and ``_``; *when* is an aware time.  A folder that is there already
        is never used again: the new one gets ``-2`` and so on.  Raises OutputRefused.
        """
        name = folder_name(host, when)
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = _make_new(parent, name)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except (OSError, ValueError) as error:
            raise _cannot(parent, error) from error
        folder = cls(path, fd)
        try:
            if os.fstat(fd).st_uid != os.geteuid():
                raise OutputRefused(msg("{path}: somebody else put another folder here.", path=str(path)))
            os.fchmod(fd, 0o700)  # whatever the umask says
            _probe(fd)
        except OSError as error:
            folder.discard()
            raise error if isinstance(error, OutputRefused) else _cannot(parent, error) from error
        return folder

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def write(self, name: str, data: bytes, mode: int = 0o600) -> Path:
        """Write one file whole; return its path.  Raises OutputRefused; then nothing of the file is left."""
        try:
            _write(self._fd, name, data, mode)
        except OSError as error:
            raise error if isinstance(error, OutputRefused) else _cannot(self._path / name, error) from error
        self._written.append(name)
        return self._path / name

    def discard(self) -> None:
        """Remove what was written, also what is only half there, and the folder if nothing else is in it."""
        if self._fd >= 0:
            with suppress(OSError):
                # by the descriptor: the path may lead elsewhere by now
                self._written += [n for n in os.listdir(self._fd) if n.endswith((_PART, _PROBE))]
        for name in self._written:
            with suppress(OSError):
                os.unlink(name, dir_fd=self._fd)
        self._written.clear()
        self.close()
        with suppress(OSError):
            self._path.rmdir()

    def close(self) -> None:
        """Let go of the folder; what was written stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or not self._written:
            self.discard()
        self.close()


def folder_name(host: str, when: datetime) -> str:
    """``vorflug-audit-vm-01-20261124T101200Z``; a host without one usable character is ``host``."""
    short = _NOT_IN_A_NAME.sub("-", host[: 4 * _LONGEST_HOST])[:_LONGEST_HOST].strip("-")
    return f"vorflug-{short or 'host'}-{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def write_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write one output file whole: what was at *path* stays until all of *data* is on the disk.

    A link, folder or device at *path* is refused, never followed or replaced.  Raises OutputRefused.
    """
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _write(fd, path.name, data, mode)
        finally:
            os.close(fd)
    except OutputRefused:
        raise
    except (OSError, ValueError) as error:
        raise _cannot(path, error) from error


def _make_new(parent: Path, name: str) -> Path:
    for number in range(1, _SECOND_TRIES + 1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):  # also a planted link: mkdir(2) does not follow it
            path.mkdir(mode=0o700)
            return path
    raise OutputRefused(msg("{path}: {count} folders of this name are there already.", path=name, count=_SECOND_TRIES))


def _probe(fd: int) -> None:
    # a folder can be made where no file can: quotas, and file systems that are full to the last block
    name = f".{secrets.token_hex(8)}{_PROBE}"
    probe = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=fd)
    try:
        # file systems that cannot reserve are written to instead, says posix_fallocate(3)
        os.posix_fallocate(probe, 0, _ROOM)
    finally:
        os.close(probe)
        os.unlink(name, dir_fd=fd)


def _write(fd: int, name: str, data: bytes, mode: int) -> None:
    if not name or "/" in name or name in {".", ".."}:
        raise OutputRefused(msg("{path}: wanted the name of a file.", path=name))
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            raise OutputRefused(
                msg("{path}: there is a link, folder or device, which is neither followed nor replaced.", path=name)
            )
    part = f".{name[:200]}.{secrets.token_hex(8)}{_PART}"
    part_fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=fd)
    try:
        with os.fdopen(part_fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(part_fd, mode)  # whatever the umask says
            os.fsync(part_fd)
        os.rename(part, name, src_dir_fd=fd, dst_dir_fd=fd)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=fd)
        raise
    os.fsync(fd)


def _cannot(path: Path, error: Exception) -> OutputRefused:
    if isinstance(error, OutputRefused):
        return error
    why = error.strerror if isinstance(error, OSError) else None
    return OutputRefused(
        msg("{path}: cannot be written ({error}). Name another place with --out.", path=str(path), error=why or "?")
    )
