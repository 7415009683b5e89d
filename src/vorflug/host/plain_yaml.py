"""Plain values as YAML that people can read and compare, and back, exactly.

libyaml's own emitter puts every text with a tab or a blank before a line end into one quoted line, and that is most of
/proc; so the texts are written here: several lines as a block (``|``), others plain or in double quotes.  It is a small
part of YAML 1.2.2 (8.1 block scalars, 7.3.1 double quotes) in which every value has one form, whatever reads it.
A lone surrogate (a file name that is no UTF-8, PEP 383) has no form in YAML: such a text is written in JSON's form, as
a mapping with the single key ``=json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_BYTES = 16 << 20
"""A text larger than this is refused before it is read."""
_MOST_VALUES = 500_000
_DEEPEST = 24

_JSON = "=json"
_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.@%+-]*", re.ASCII)
_WORDS = frozenset({"null", "true", "false"})
_MEAN_MORE = _WORDS | {"y", "yes", "n", "no", "on", "off"}
"""Of these YAML 1.1 makes other values than texts."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,24})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e"}


class Unreadable(ValueError):
    """The text is not what `write` writes.  Says which file and line, what was wanted, what was seen."""


# ---- writing ---------------------------------------------------------------------------------------------------------


def write(value: Any) -> str:
    """*value* as a document.  Dicts (with text keys) keep their order.  Raises TypeError for what is no plain value."""
    return f"{_value(value, 0, start=True)}\n"


def _value(value: Any, column: int, *, start: bool = False) -> str:
    """*value* in a collection that begins at *column*; *start*: the line is empty, so a collection may begin there."""
    match value:
        case dict() if value:
            pairs = [f"{_key(key)}:{_after_colon(item, column)}" for key, item in value.items()]
            return ("" if start else "\n" + " " * column) + ("\n" + " " * column).join(pairs)
        case list() if value:
            # a block's indentation counts from the collection, which begins at the dash
            items = [f"- {_value(item, column + 2 * _opens(item), start=True)}" for item in value]
            return ("" if start else "\n" + " " * column) + ("\n" + " " * column).join(items)
        case dict():
            return "{}"
        case list():
            return "[]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return _text(value, column)
        case _:
            raise TypeError(f"wanted a plain value, saw {type(value).__name__}")


def _key(key: str) -> str:
    if key == _JSON or (_PLAIN.fullmatch(key) and key.lower() not in _MEAN_MORE):
        return key
    return '"' + "".join(_escaped(character) for character in key) + '"'


def _after_colon(item: Any, column: int) -> str:
    if isinstance(item, dict | list) and item:
        return _value(item, column + 2)
    if isinstance(item, str) and _surrogates(item):
        return _value({_JSON: json.dumps(item)}, column + 2)
    return f" {_value(item, column)}"


def _text(text: str, column: int) -> str:
    if _surrogates(text):
        return f"{_JSON}: {_quoted(json.dumps(text), column)}"  # in a list: a mapping may begin here
    if _PLAIN.fullmatch(text) and text.lower() not in _MEAN_MORE:
        return text
    lines = text.split("\n")
    if len(lines) > 1 and any(lines) and all(line.replace("\t", "").isprintable() for line in lines):
        return _block(text, lines, column)
    return _quoted(text, column)


def _opens(item: Any) -> bool:
    """Whether *item* is written as a collection."""
    return isinstance(item, dict | list) or (isinstance(item, str) and _surrogates(item))


def _surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _block(text: str, lines: list[str], column: int) -> str:
    """YAML 1.2.2, 8.1.1: the indentation is said where the text itself begins with a blank, tab or empty line."""
    indentation = "2" if text[0] in " \t\n" else ""
    chomping = "-" if lines[-1] else "+" if not lines[-2] else ""
    body = lines if lines[-1] else lines[:-1]
    return "\n".join([f"|{indentation}{chomping}", *(f"{' ' * (column + 2)}{line}" if line else "" for line in body)])


def _quoted(text: str, column: int) -> str:
    """A line of its own for each line of the text: an escaped line break says nothing (YAML 1.2.2, 7.3.1)."""
    pieces = ["".join(_escaped(character) for character in piece) for piece in text.splitlines(keepends=True) or [""]]
    # blanks at the start of a continuation line would be left out
    later = [f"\\{piece}" if piece.startswith(" ") else piece for piece in pieces[1:]]
    return '"' + f"\\\n{' ' * (column + 2)}".join([pieces[0], *later]) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 1 << 8 else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


# ---- reading ---------------------------------------------------------------------------------------------------------


class Placed(dict[str, Any]):
    """A mapping that knows the line (from 1) on which it began."""

    line = 0


def read(data: str | bytes, name: str) -> Any:
    """The value that *data* holds; *name* is what a refusal calls it.  Mappings are `Placed`.

    Strict: one document, no anchors, aliases, tags, directives or duplicate keys; plain scalars are those of JSON, and
    anything else is a text.  Raises Unreadable.
    """
    import yaml
    from yaml._yaml import CParser

    raw = data.encode() if isinstance(data, str) else data
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"{name}: wanted at most {MOST_BYTES} bytes, saw {len(raw)}")
    try:
        return _Reading(name).of(_events(CParser(raw)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(f"{name}:{mark.line + 1 if mark else 1}: wanted YAML, saw: {error.problem}") from None
    except (yaml.reader.ReaderError, UnicodeDecodeError) as error:
        raise Unreadable(f"{name}: wanted UTF-8 without control characters, saw: {error.reason}") from None


def _events(parser: Any) -> Iterator[Any]:
    import yaml

    while (event := parser.get_event()) is not None:
        yield event
        if type(event) is yaml.StreamEndEvent:
            return


class _Reading:
    def __init__(self, name: str) -> None:
        self._name = name
        self._values = 0

    def of(self, events: Iterator[Any]) -> Any:
        next(events)  # the start of the stream
        start = next(events)
        if type(start).__name__ == "StreamEndEvent":
            raise Unreadable(f"{self._name}: wanted a document, saw nothing")
        if start.version or start.tags:
            self._refuse(start, "wanted no directives (%YAML, %TAG)")
        value = self._next(events, next(events), 0)
        next(events)  # the end of the document
        if type(after := next(events)).__name__ != "StreamEndEvent":
            self._refuse(after, "wanted one document, saw a second one")
        return value

    def _next(self, events: Iterator[Any], event: Any, depth: int) -> Any:
        kind = type(event).__name__
        self._values += 1
        if kind == "AliasEvent" or event.anchor is not None:
            self._refuse(event, "wanted no anchors and aliases")
        if event.tag is not None:
            self._refuse(event, f"wanted no tags, saw {event.tag[:64]!r}")
        if depth > _DEEPEST or self._values > _MOST_VALUES:
            self._refuse(event, f"wanted at most {_DEEPEST} levels and {_MOST_VALUES} values, saw more")
        if kind == "ScalarEvent":
            return event.value if event.style else self._plain(event)
        if kind == "SequenceStartEvent":
            return [self._next(events, item, depth + 1) for item in _until(events, "SequenceEndEvent")]
        found = Placed()
        found.line = event.start_mark.line + 1
        for key_event in _until(events, "MappingEndEvent"):
            key = self._next(events, key_event, depth + 1)
            if not isinstance(key, str) or key in found:
                self._refuse(key_event, f"wanted each name once and as a text, saw {str(key)[:64]!r}")
            found[key] = self._next(events, next(events), depth + 1)
        return self._from_json(found[_JSON], event) if found.keys() == {_JSON} else found

    def _plain(self, event: Any) -> Any:
        text: str = event.value
        if text in _WORDS or _INTEGER.fullmatch(text) or (len(text) < 64 and _NUMBER.fullmatch(text)):  # noqa: PLR2004
            return json.loads(text)
        if not text or text.lower() in _MEAN_MORE:
            self._refuse(event, f"wanted a value that reads the same everywhere, saw {text!r}: put it in quotes")
        return text

    def _from_json(self, text: Any, event: Any) -> str:
        try:
            value = json.loads(text)
        except (TypeError, ValueError):
            value = None
        if not isinstance(value, str):
            self._refuse(event, f"wanted a text in JSON's form after {_JSON}")
        return str(value)

    def _refuse(self, event: Any, what: str) -> None:
        raise Unreadable(f"{self._name}:{event.start_mark.line + 1}: {what}")


def _until(events: Iterator[Any], end: str) -> Iterator[Any]:
    while type(event := next(events)).__name__ != end:
        yield event
