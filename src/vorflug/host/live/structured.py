"""YAML and JSON from outside, parsed with bounds.  A refusal names file and line, and never quotes the file."""

from __future__ import annotations

import json
import re
from typing import Any

_DEEPEST = 100
"""Levels of nesting: real configuration has fewer than 20, and the composer recurses on the C stack."""


class Unparsable(ValueError):
    """The text is not what it should be.  *line* counts from 1; None where the parser does not say."""

    def __init__(self, name: str, line: int | None, problem: str) -> None:
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")
        self.line = line
        self.problem = problem


def parse_json(text: str, name: str) -> Any:
    """The value that *text* is in JSON (RFC 8259).  Raises Unparsable."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unparsable(name, error.lineno, f"wanted JSON: {error.msg}") from None
    except RecursionError:
        raise Unparsable(name, None, "wanted JSON: nested too deeply") from None


def parse_yaml(text: str, name: str) -> Any:
    """The value that *text* is in YAML, one document, safe types only.  Raises Unparsable.

    Aliases are resolved as references, so a small file stays small in memory as long as nobody walks all of it.
    """
    import yaml

    try:
        _bound(yaml.parse(text, Loader=yaml.CSafeLoader), name)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise Unparsable(name, line, f"wanted YAML: {_problem(error)}") from None
    except yaml.reader.ReaderError:
        raise Unparsable(name, None, "wanted YAML: a character that may not stand in it") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unparsable):
            raise
        # a date such as 2026-13-45 or a self-containing key
        raise Unparsable(name, None, "wanted YAML: a value that cannot be built") from None


def _bound(events: Any, name: str) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        if kind.endswith(("MappingStartEvent", "SequenceStartEvent")):
            depth += 1
            if depth > _DEEPEST:
                raise Unparsable(name, event.start_mark.line + 1, "wanted YAML: nested too deeply")
        elif kind.endswith(("MappingEndEvent", "SequenceEndEvent")):
            depth -= 1


def _problem(error: Any) -> str:
    # the problem text of PyYAML names tokens and tags; an undefined alias or a tag would quote the file's own words
    text = str(error.problem or "not well formed")
    return re.split(r"['\"]", text, maxsplit=1)[0].strip() or "not well formed"


def dig(data: Any, dotted: str) -> Any:
    """The value at ``a.b.0.c``.  Raises KeyError where there is none."""
    for part in dotted.split("."):
        match data:
            case dict() if part in data:
                data = data[part]
            case list() if part.isdecimal() and int(part) < len(data):
                data = data[int(part)]
            case _:
                raise KeyError(dotted)
    return data
