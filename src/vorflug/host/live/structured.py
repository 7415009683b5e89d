"""YAML and JSON from outside, parsed with bounds.  A refusal names file and line, and never quotes the file."""

from __future__ import annotations

import json
import re
from typing import Any

from vorflug.model.message import render
from vorflug.model.package_file import problem_text
from vorflug.ports.package import Problem

_MOST_NODES = 100_000
"""Of YAML with every alias written out: a configuration of 1 MB has about 50,000."""
_DEEPEST = 100
"""Levels of nesting: real configuration has fewer than 20, and the composer recurses on the C stack."""


class Unparsable(ValueError):
    """The text is not what it should be.  *line* counts from 1; None where the parser does not say."""

    def __init__(self, name: str, line: int | None, problem: str) -> None:
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")
        self.line = line
        self.problem = problem


class Malformed(Unparsable):
    """A text that breaks a rule of its format.  *detail*: see `vorflug.ports.package.FileRead`."""

    def __init__(self, name: str, line: int | None, problem: Problem, detail: str = "") -> None:
        super().__init__(name, line, render(problem_text(problem, detail)))
        self.kind = problem
        self.detail = detail


def parse_json(text: str, name: str) -> Any:
    """The value that *text* is in JSON (RFC 8259).  Raises Malformed."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Malformed(name, error.lineno, Problem.JSON, error.msg) from None
    except ValueError:  # a number of more digits than sys.get_int_max_str_digits()
        raise Malformed(name, None, Problem.VALUE) from None
    except RecursionError:
        raise Malformed(name, None, Problem.NESTING) from None


def parse_yaml(text: str, name: str) -> Any:
    """The value that *text* is in YAML, one document, safe types only.  Raises Malformed.

    Aliases are counted as what they stand for: a small file that would be written out to millions of nodes is refused.
    """
    import yaml

    try:
        _bound(yaml.parse(text, Loader=yaml.CSafeLoader), name)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise Malformed(name, line, Problem.YAML, _problem(error)) from None
    except yaml.reader.ReaderError:
        raise Malformed(name, None, Problem.CHARACTER) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unparsable):
            raise
        # a date such as 2026-13-45 or a self-containing key
        raise Malformed(name, None, Problem.VALUE) from None


def _bound(events: Any, name: str) -> None:
    sizes: dict[str, int] = {}
    """Nodes below each anchor that is complete."""
    open_: list[tuple[str | None, int]] = []
    """The anchor of every collection that is not, and how many nodes were counted before it."""
    count = 0
    for event in events:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            open_.append((event.anchor, count))
            count += 1
            if len(open_) > _DEEPEST:
                raise Malformed(name, line, Problem.NESTING)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = count - before
        elif kind == "ScalarEvent":
            count += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif kind == "AliasEvent":
            if any(anchor == event.anchor for anchor, _ in open_):
                raise Malformed(name, line, Problem.CYCLIC_ALIAS)
            count += sizes.get(event.anchor, 1)
        if count > _MOST_NODES:
            raise Malformed(name, line, Problem.SIZE, str(_MOST_NODES))


def _problem(error: Any) -> str:
    # the problem text of PyYAML names tokens and tags; an undefined alias or a tag would quote the file's own words
    text = str(error.problem or "not well formed")
    return re.split(r"['\"]", text, maxsplit=1)[0].strip() or "not well formed"


def scalar(value: Any) -> str:
    """*value* as text; empty for null, and for a list or a mapping, which is never written out."""
    if value is None or isinstance(value, dict | list | set | tuple):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of more than 4300 digits (sys.set_int_max_str_digits)
        return ""


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
