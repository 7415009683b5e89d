"""JSON from outside, read without surprises, and small typed looks into it.

RFC 8259 leaves repeated member names, NaN and huge nesting to the parser; two readers that differ there can be shown
two different statements under one signature, so all of it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vorflug.model.message import Message, msg


class Malformed(ValueError):
    """Bytes that are not what was agreed.  *message* says what was wanted and what was seen."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def parse(data: bytes, *, most: int) -> Any:
    """Read UTF-8 JSON of at most *most* bytes.  Raises Malformed."""
    if len(data) > most:
        raise Malformed(
            msg("wanted at most {most:size} of JSON, saw {seen:size}", most=most, seen=len(data)),
        )
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise Malformed(msg("wanted UTF-8, saw an invalid byte at offset {offset}", offset=error.start)) from error
    except json.JSONDecodeError as error:
        raise Malformed(
            msg("wanted JSON, but line {line} column {column} is none", line=error.lineno, column=error.colno)
        ) from error
    except RecursionError as error:
        raise Malformed(msg("wanted JSON of ordinary depth, saw too many nested brackets")) from error
    except Malformed:
        raise
    except ValueError as error:  # int() refuses more than 4,300 digits (CVE-2020-10735)
        raise Malformed(msg("wanted ordinary numbers, saw one with thousands of digits")) from error


def dump(value: Any) -> bytes:
    """The one form in which this program writes signed JSON: ASCII, no spaces, members in the given order."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def members(value: Any, wanted: tuple[str, ...], where: str) -> dict[str, Any]:
    """*value* as an object with exactly the *wanted* members, in any order.  Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed(msg("{where}: wanted an object, saw {seen}", where=where, seen=type(value).__name__))
    if set(value) != set(wanted):
        raise Malformed(
            msg(
                "{where}: wanted exactly the members {wanted:list}, saw {seen:list}",
                where=where,
                wanted=wanted,
                seen=tuple(sorted(value)[:20]) or (msg("none"),),
            )
        )
    return value


def text(value: Mapping[str, Any], name: str, where: str, *, among: tuple[str, ...] = ()) -> str:
    """The non-empty string member *name*, one of *among* if that is given.  Raises Malformed."""
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise Malformed(
            msg("{where}.{name}: wanted a text, saw {seen}", where=where, name=name, seen=type(found).__name__)
        )
    if among and found not in among:
        raise Malformed(
            msg("{where}.{name}: wanted {wanted:or}, saw {seen}", where=where, name=name, wanted=among, seen=found)
        )
    return found


def integer(value: Mapping[str, Any], name: str, where: str, *, among: tuple[int, ...] = ()) -> int:
    """The integer member *name*, one of *among* or, without that, at least 0.

    Raises Malformed; a boolean is no integer here.
    """
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, int):
        found = type(found).__name__
    elif found in among or (not among and found >= 0):
        return found
    if not among:
        raise Malformed(
            msg(
                "{where}.{name}: wanted a whole number of at least 0, saw {seen}",
                where=where,
                name=name,
                seen=str(found)[:80],
            )
        )
    raise Malformed(
        msg(
            "{where}.{name}: wanted {wanted:or}, saw {seen}", where=where, name=name, wanted=among, seen=str(found)[:80]
        )
    )


def names(value: Mapping[str, Any], name: str, where: str) -> list[str]:
    """The list of texts that is the member *name*.  Raises Malformed."""
    found = value.get(name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Malformed(
            msg("{where}.{name}: wanted a list of texts, saw {seen}", where=where, name=name, seen=type(found).__name__)
        )
    return found


def mapping(value: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """The object member *name*.  Raises Malformed."""
    found = value.get(name)
    if not isinstance(found, dict):
        raise Malformed(
            msg("{where}.{name}: wanted an object, saw {seen}", where=where, name=name, seen=type(found).__name__)
        )
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(msg("wanted each member once, saw {name} twice", name=twice))
    return found


def _constant(name: str) -> Any:
    raise Malformed(msg("wanted JSON numbers, saw {name}", name=name))
