"""Files that commands read and write, and the terminal's width."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.language import tell
from vorflug.model.message import Message, msg

_MOST = 64 << 20


def read_file(path: str) -> bytes:
    """The bytes of a file, or of ``report.json`` in a report folder.  Raises Refusal (2)."""
    file = Path(path)
    if os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises where it may not look
        file /= "report.json"
    try:
        # O_NONBLOCK: a pipe that nobody writes to must not hang us
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise Refusal(msg("{file}: wanted a file, but it is something else.", file=path))
            data = stream.read(_MOST + 1)
    except OSError as error:
        raise Refusal(msg("{file}: cannot be read: {why}", file=path, why=error.strerror or str(error))) from error
    if len(data) > _MOST:
        raise Refusal(msg("{file}: larger than {most:size}.", file=path, most=_MOST))
    return data


def note(message: Message) -> None:
    """Say something beside the result: on stderr, so that stdout carries only what was asked for."""
    from vorflug.host.secrets import redact

    click.echo(f"vorflug: {redact(tell(message))}", err=True)


def terminal_width() -> int:
    """Columns of the terminal: COLUMNS, else what it says, else 80."""
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def echo_wrapped(text: str, *, indent: int = 0) -> None:
    """Print *text* in the terminal's width; lines after the first stand two columns further in."""
    import textwrap

    click.echo(
        textwrap.fill(
            text,
            terminal_width(),
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


class OutputFile:
    """A file that will be written at once and whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, data: bytes) -> None:
        """Write it atomically, 0600.  Raises Refusal (2)."""
        from vorflug.cli import interrupts
        from vorflug.documents.folder import OutputRefused, write_file

        try:
            with interrupts.held():
                write_file(self._path, data)
        except OutputRefused as refused:
            raise Refusal(refused.message) from refused


@contextmanager
def output_file(path: str) -> Iterator[OutputFile]:
    """Check that *path* can be written before the work begins; raises Refusal (2) where it cannot."""
    folder = Path(path).absolute().parent
    if not os.path.isdir(folder):  # noqa: PTH112 - as above
        raise Refusal(msg("{file}: there is no folder {folder}; make it first.", file=path, folder=str(folder)))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refusal(msg("{file}: the folder {folder} cannot be written.", file=path, folder=str(folder)))
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise Refusal(
            msg("{path}: there is a link, folder or device, which is neither followed nor replaced.", path=path)
        )
    yield OutputFile(Path(path))
