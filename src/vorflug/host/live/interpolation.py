"""Variables in texts as Compose fills them in: ``$A``, ``${A:-default}``, ``${A?message}``, ``$$``.

Source: Compose Specification, "Interpolation", and what compose-go v2.16.2 (template/template.go) makes of its odd
cases; no library for Python follows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vorflug.model.message import render
from vorflug.model.package_file import problem_text
from vorflug.ports.package import Problem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACE = re.compile(r"[{}]")
_DEEPEST = 50
"""Defaults within defaults; real files have two."""
_LONGEST = 1 << 20
"""Characters: variables made of variables grow without bound."""


class NotFilledIn(ValueError):
    """The text cannot be filled in.  Says what was wanted, without the text itself."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(render(problem_text(problem)))
        self.problem = problem


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """*text* with its variables from *values*; one that is not there is empty.  Raises NotFilledIn."""
    return _fill_in(text, values, 0)


def _fill_in(text: str, values: Mapping[str, str], depth: int) -> str:
    if depth > _DEEPEST:
        raise NotFilledIn(Problem.NESTED_VARIABLES)
    parts: list[str] = []
    length = at = line_end = 0
    while (dollar := text.find("$", at)) >= 0:
        if dollar >= line_end:
            found = text.find("\n", dollar)
            line_end = found if found >= 0 else len(text)
        part, end = _one(text, dollar, line_end, values, depth)
        parts += (text[at:dollar], part)
        length += dollar - at + len(part)
        if length > _LONGEST:
            raise NotFilledIn(Problem.LONG_VALUES)
        at = end
    return "".join((*parts, text[at:]))


def _one(text: str, dollar: int, line_end: int, values: Mapping[str, str], depth: int) -> tuple[str, int]:
    """What stands for the variable at *dollar*, and where the text goes on."""
    if text.startswith("$$", dollar):
        return "$", dollar + 2
    if (plain := _NAME.match(text, dollar + 1)) is not None:
        return values.get(plain[0], ""), plain.end()
    if not text.startswith("{", dollar + 1):
        return "$", dollar + 1
    name = _NAME.match(text, dollar + 2)
    operator = _OPERATOR.match(text, name.end()) if name is not None else None
    # a default reaches to the last brace of its line, unless its own braces are balanced before
    end = text.rfind("}", 0, line_end) if operator is not None else name.end() if name is not None else -1
    if name is None or end < name.end() or not text.startswith("}", end):
        raise NotFilledIn(Problem.VARIABLE)
    if operator is None:
        return values.get(name[0], ""), end + 1
    end = _closing(text, dollar, end)
    return _with(name[0], operator[0], text[operator.end() : end], values, depth), end + 1


def _closing(text: str, dollar: int, last: int) -> int:
    """Where the braces after *dollar* are balanced; *last* where they are not."""
    opened, at = 0, dollar
    while (brace := _BRACE.search(text, at, last + 1)) is not None:
        opened += 1 if brace[0] == "{" else -1
        if opened == 0:
            return brace.start()
        # compose-go looks at nothing that stands right behind an opening brace
        at = brace.end() + (brace[0] == "{")
    return last


def _with(name: str, operator: str, rest: str, values: Mapping[str, str], depth: int) -> str:
    value = values.get(name)
    there = bool(value) if operator.startswith(":") else value is not None
    match operator[-1]:
        case "-":
            return (value or "") if there else _fill_in(rest, values, depth + 1)
        case "+":
            return _fill_in(rest, values, depth + 1) if there else (value or "")
        case _:
            if not there:
                raise NotFilledIn(Problem.REQUIRED_VARIABLE)
            return value or ""
