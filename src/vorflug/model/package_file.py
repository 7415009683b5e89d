"""A file of the delivered package as a fact, and the one cause that all findings share while it cannot be read."""

from __future__ import annotations

from typing import assert_never

from vorflug.model.cause import Cause
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact
from vorflug.model.requirement import Verdict, unknown, unmet
from vorflug.ports.package import READ_AT_MOST, FileRead, Reading


class FileFact(Fact):
    """A file, as far as it could be read."""

    path: str
    reading: Reading
    line: int | None = None
    """Where parsing stopped, from 1; None where the parser does not say."""
    problem: str = ""
    """What the parser wanted, without the file's own text."""
    size_bytes: int = 0

    @classmethod
    def of(cls, read: FileRead) -> FileFact:
        """The fact that a port's answer is."""
        return cls(
            path=read.path, reading=read.reading, line=read.line, problem=read.problem, size_bytes=read.size_bytes
        )


def file_cause(file: FileFact) -> Cause | None:
    """Why *file* cannot be used; None where it was read."""
    path = file.path
    match file.reading:
        case Reading.GOOD:
            return None
        case Reading.ABSENT:
            says = msg("There is no file {path}.", path=path)
            fix = msg("Put the delivered file to {path}, or correct the path in the site file.", path=path)
        case Reading.DENIED:
            says = msg("This user may not read {path}.", path=path)
            fix = msg("Run again as root or as the owner of {path}.", path=path)
        case Reading.NOT_A_FILE:
            says = msg("{path} is no regular file.", path=path)
            fix = msg("Put the delivered file to {path}, or correct the path in the site file.", path=path)
        case Reading.EMPTY:
            says = msg("{path} is empty.", path=path)
            fix = msg("Put the delivered file to {path} again.", path=path)
        case Reading.TOO_LARGE:
            says = msg("{path} is larger than {most:size}.", path=path, most=READ_AT_MOST)
            fix = msg("Put the delivered file to {path} again.", path=path)
        case Reading.BROKEN if file.line is not None:
            says = msg("{path}, line {line}: {problem}", path=path, line=file.line, problem=file.problem)
            fix = msg("Mend {path} at line {line}.", path=path, line=file.line)
        case Reading.BROKEN:
            says = msg("{path}: {problem}", path=path, problem=file.problem)
            fix = msg("Mend {path}.", path=path)
        case _:
            assert_never(file.reading)
    return Cause(f"file.{file.reading}", path, says, fix)


def file_gap(wanted: Message, file: FileFact) -> Verdict | None:
    """The verdict on a demand on the content of *file* while it cannot be used; None where it was read."""
    cause = file_cause(file)
    if cause is None:
        return None
    if file.reading is Reading.DENIED:
        return unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)
    fix = cause.fix or cause.says
    return unmet(wanted=wanted, seen=cause.says, because=cause.says, fix=fix, cause=cause)
