"""``.env`` files as Compose reads them: quotes, ``export``, comments, variables.

Source: Compose Specification, "Syntax of the env file"; its odd cases as compose-go v2.16.2 (dotenv/parser.go) has
them, with which ``tests/host/live/dotenv_compose.json`` was made.  A parser of our own: the one for Python reads many
of those cases otherwise: it takes ``KEY= # note`` for empty, refuses ``KEY: value``, and fills in no ``$NAME``.

Variables are filled in from the file alone: what the environment of Compose will hold is not known here.
"""

from __future__ import annotations

import re
import unicodedata

from vorflug.host.live.interpolation import NotFilledIn, fill_in
from vorflug.host.live.structured import Malformed
from vorflug.ports.package import Problem

_BLANK = "\t\v\f\r \u0085\u00a0"
"""Space within a line."""
_SPACE = (
    _BLANK + "\n\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""White_Space of Unicode, as Go's unicode.IsSpace has it."""
_BLANKS = re.compile(f"[{_BLANK}]*")
_BETWEEN = re.compile(f"(?:[{_SPACE}]+|#[^\n]*)*")
"""Space, empty lines and comments before a key."""
_EXPORT = re.compile(f"export[\\t\\n\\f\\r ][{_BLANK}]*")
_KEY = re.compile(r"[^=:\n]*")
_IN_KEYS = frozenset("_.-[]" + _BLANK)
_LINE = re.compile(r"[^\n]*")
_QUOTED = {quote: re.compile(rf"(?:[^{quote}\\]|\\.)*", re.DOTALL) for quote in "'\""}
_ESCAPED_QUOTE = {quote: re.compile(rf"\\([\\{quote}])|\\") for quote in "'\""}
_ESCAPE = re.compile(r'\\([abcfnrtv$"\\]|0[0-9]{0,3})')
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    '"': '"',
    "\\": "\\",
    "$": "$$",
}
_HIGHEST_OCTAL = 0o377
_LONGEST = 1 << 22
"""Characters of all values together: each may be made of those before it."""


class _Wrong(ValueError):
    """A statement that breaks a rule."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _Values(dict[str, str]):
    """What was read so far.  Raises _Wrong where it grows too long."""

    def __init__(self) -> None:
        super().__init__()
        self._length = 0

    def __setitem__(self, key: str, value: str) -> None:
        self._length += len(value)
        if self._length > _LONGEST:
            raise _Wrong(Problem.LONG_VALUES)
        super().__setitem__(key, value)


def parse_env(text: str, name: str) -> dict[str, str]:
    """Keys and values; of a key that stands twice the last value counts.  Raises Malformed with the line.

    A key without ``=`` is left out: Compose takes its value from its own environment, which nobody knows here.
    """
    values = _Values()
    text = text.removeprefix("\ufeff")
    if text.startswith("\ufffd\ufffd") or "\x00" in text[:4]:
        raise Malformed(name, 1, Problem.ENCODING)
    at = 0
    while (at := _end(_BETWEEN, text, at)) < len(text):
        begins = at
        try:
            at = _statement(text, at, values)
        except (_Wrong, NotFilledIn) as error:
            raise Malformed(name, text.count("\n", 0, begins) + 1, error.problem) from None
    return {key: value for key, value in values.items() if key}  # "=x": no variable has that name


def _statement(text: str, at: int, values: _Values) -> int:
    """Note one key with its value; returns where it ends.  Raises _Wrong or NotFilledIn."""
    if (export := _EXPORT.match(text, at)) is not None:
        at = export.end()
    end = _end(_KEY, text, at)
    key = text[at:end]
    if not all(c in _IN_KEYS or unicodedata.category(c)[0] in "LN" for c in key):
        raise _Wrong(Problem.KEY_VALUE)
    if end == len(text):
        return end  # the last line, without "=" and line end: compose-go gives it to a variable without a name
    key = key.rstrip(_SPACE)
    if " " in key:
        raise _Wrong(Problem.KEY_VALUE)
    at = _end(_BLANKS, text, end + 1)
    if text[end] != "\n":
        values[key], at = _value(text, at, values)
    return at


def _value(text: str, at: int, values: _Values) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote not in _QUOTED:
        end = _end(_LINE, text, at)
        # only a space makes a comment of "#": not a tab, and not the space before the value
        return fill_in(text[at:end].partition(" #")[0].rstrip(_SPACE), values), end + 1
    end = _end(_QUOTED[quote], text, at + 1)
    if not text.startswith(quote, end):
        raise _Wrong(Problem.CLOSING_QUOTE)
    # a backslash before the quote goes; the others stay for the escapes below
    value = _ESCAPED_QUOTE[quote].sub(lambda e: quote if e[1] == quote else e[0], text[at + 1 : end])
    return (fill_in(_ESCAPE.sub(_escaped, value), values) if quote == '"' else value), end + 1


def _escaped(escape: re.Match[str]) -> str:
    code = escape[1]
    if not code.startswith("0"):
        return _ESCAPES.get(code, escape[0])
    digits = code[1:]
    octal = len(digits) == 3 and digits.isdecimal() and not set(digits) & {"8", "9"}  # noqa: PLR2004 - as in Go
    return chr(int(digits, 8)) if octal and int(digits, 8) <= _HIGHEST_OCTAL else "\\" + digits


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
