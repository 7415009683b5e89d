"""A file of the delivered package as a fact, and the one cause that all findings share while it cannot be read."""

from __future__ import annotations

from typing import assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact
from vorflug.model.requirement import Verdict, unknown, unmet
from vorflug.ports.package import READ_AT_MOST, FileRead, Problem, Reading


class FileFact(Fact):
    """A file, as far as it could be read."""

    path: str
    reading: Reading
    line: int | None = None
    """Where parsing stopped, from 1; None where the parser does not say."""
    problem: Problem | None = None
    """Given where it is broken."""
    detail: str = ""
    """A foreign parser's own words, or what the problem is about."""
    size_bytes: int = 0

    @classmethod
    def of(cls, read: FileRead) -> FileFact:
        """The fact that a port's answer is."""
        return cls(
            path=read.path,
            reading=read.reading,
            line=read.line,
            problem=read.problem,
            detail=read.detail,
            size_bytes=read.size_bytes,
        )


def problem_text(problem: Problem, detail: str = "") -> Message:
    """What *problem* is, as a part of a sentence.  A foreign parser's words (*detail*) stay as they are."""
    match problem:
        case Problem.ENCODING:
            return msg("wanted UTF-8, saw another encoding (UTF-16?)")
        case Problem.KEY_VALUE:
            return msg("wanted KEY=value")
        case Problem.CLOSING_QUOTE:
            return msg("wanted a closing quote")
        case Problem.VARIABLE:
            return msg("wanted a variable such as ${{NAME}} or ${{NAME:-default}}")
        case Problem.REQUIRED_VARIABLE:
            return msg("wanted a value for the variable with '?', which is not set here")
        case Problem.NESTED_VARIABLES:
            return msg("wanted variables that are not nested so deeply")
        case Problem.LONG_VALUES:
            return msg("wanted shorter values")
        case Problem.JSON:
            return msg("wanted JSON: {detail}", detail=detail)
        case Problem.YAML:
            return msg("wanted YAML: {detail}", detail=detail)
        case Problem.CHARACTER:
            return msg("a character that may not stand in YAML")
        case Problem.VALUE:
            return msg("a value that its type does not have, such as the date 2026-13-45")
        case Problem.NESTING:
            return msg("nested too deeply")
        case Problem.CYCLIC_ALIAS:
            return msg("an alias that stands within what it stands for")
        case Problem.SIZE:
            return msg("wanted at most {most} nodes, aliases written out", most=detail)
        case Problem.MAPPING:
            return msg("wanted a mapping of keys to values")
        case Problem.SERVICES:
            return msg("wanted a mapping 'services' with at least one service")
        case Problem.SERVICE:
            return msg("wanted a mapping under the service {service}", service=detail)
        case _:
            assert_never(problem)


def file_cause(file: FileFact) -> Cause | None:
    """Why *file* cannot be used; None where it was read.  Who runs the containers mends it, whichever demand met it."""
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
            says = msg("{path}, line {line}: {problem}", path=path, line=file.line, problem=_problem(file))
            fix = msg("Mend {path} at line {line}.", path=path, line=file.line)
        case Reading.BROKEN:
            says = msg("{path}: {problem}", path=path, problem=_problem(file))
            fix = msg("Mend {path}.", path=path)
        case _:
            assert_never(file.reading)
    return Cause(f"file.{file.reading}", path, says, fix, Team.PLATFORM)


def _problem(file: FileFact) -> Message:
    return msg("not well formed") if file.problem is None else problem_text(file.problem, file.detail)


_WITHOUT_VALUES = {Reading.ABSENT, Reading.EMPTY}


def values_gap(wanted: Message, env: FileFact, *, missed: bool) -> Verdict | None:
    """The verdict on a demand on a compose file while its values cannot be had from *env*; None where they can.

    Compose does without an env file that is absent or empty: that is a gap only where a variable is *missed*.
    """
    return None if env.reading in _WITHOUT_VALUES and not missed else file_gap(wanted, env)


def file_gap(wanted: Message, file: FileFact) -> Verdict | None:
    """The verdict on a demand on the content of *file* while it cannot be used; None where it was read."""
    cause = file_cause(file)
    if cause is None:
        return None
    if file.reading is Reading.DENIED:
        return unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)
    fix = cause.fix or cause.says
    return unmet(wanted=wanted, seen=cause.says, because=cause.says, fix=fix, cause=cause)
