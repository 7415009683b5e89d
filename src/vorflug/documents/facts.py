"""Observations as plain JSON, and back.

A query is written as its kind and fields, a fact as its fields.  Reading is strict: a kind that this program does not
know is refused by name, so that facts are never judged in part.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from vorflug.documents.plain import Redact, encode, struck_out
from vorflug.documents.problems import DocumentError, Place, Problem
from vorflug.engine import registry
from vorflug.model.message import Message, msg
from vorflug.model.query import Observation, Query, Reason, Seen, Unseen
from vorflug.model.report import FactInfo, Facts, Report, Sentence

MOST_BYTES = 64 << 20
"""A facts file or report larger than this is refused before it is parsed."""
_DEEPEST = 64
"""Levels of brackets; a report needs some ten, and what walks through them must not run out of stack."""
_LONGEST_NUMBER = 40
"""Digits of a whole number; those of a file's size in bytes are twenty."""


def _refused(says: Message, file: str = "facts", line: int = 0) -> DocumentError:
    return DocumentError([Problem(Place(file, line, 1 if line else 0), says)])


@cache
def _adapter(type_: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(type_)


def write_query(query: Query[Any]) -> dict[str, Any]:
    """A query as plans, facts files and reports show it."""
    return {"kind": query.kind, **_adapter(type(query)).dump_python(query, mode="json")}


def read_query(fields: dict[str, Any]) -> Query[Any]:
    """Read a query back.  Raises DocumentError for a kind that is not known."""
    fields = dict(fields)
    kind = fields.pop("kind", None)
    type_ = registry.query(str(kind))
    if type_ is None:
        raise _refused(
            msg(
                "holds a question of the unknown kind {kind}: it comes from another version of Vorflug.", kind=str(kind)
            )
        )
    # a dataclass takes no notice of fields that it does not know
    if unknown := sorted(set(fields) - {field.name for field in dataclasses.fields(type_)}):
        raise _refused(
            msg(
                "the question of kind {kind} has fields that are not known here: {names:list}.",
                kind=kind,
                names=unknown,
            )
        )
    return cast(Query[Any], _adapter(type_).validate_python(fields))


def write_observation(observation: Observation) -> FactInfo:
    """One row of a facts file."""
    fact: dict[str, Any] | None = None
    unseen: dict[str, str] | None = None
    match observation.result:
        case Seen(seen):
            fact = seen.model_dump(mode="json")
        case Unseen(reason, detail):
            unseen = {"reason": reason.value, "detail": detail}
    return FactInfo(
        query=write_query(observation.query),
        asks=Sentence.of(observation.query.asks()),
        fact=fact,
        unseen=unseen,
        took_s=round(observation.took_s, 4),
    )


def read_observation(row: FactInfo) -> Observation:
    """Read one row back.  Raises DocumentError."""
    kind = str(row.query.get("kind"))
    try:
        query = read_query(row.query)
        if row.fact is not None:
            seen = registry.fact_of(type(query)).model_validate(row.fact)
            return Observation(query, Seen(seen), row.took_s)
        if row.unseen is not None:
            return Observation(query, Unseen(Reason(row.unseen["reason"]), row.unseen.get("detail", "")), row.took_s)
    except (ValidationError, ValueError, KeyError) as error:
        raise _refused(
            msg("the question of kind {kind} cannot be read: {error}", kind=kind, error=_brief(error))
        ) from error
    raise _refused(msg("the question of kind {kind} has neither a fact nor a reason why there is none.", kind=kind))


def observations(document: Facts | Report) -> list[Observation]:
    """Every observation that *document* holds, in the order of their questions.

    Raises DocumentError, also where a question has two answers: which of them holds nobody could tell.
    """
    found = [read_observation(row) for row in document.facts]
    twice = [query for query, count in Counter(one.query for one in found).items() if count > 1]
    if twice:
        raise _refused(
            msg("a question of kind {kind} is answered twice: {question}", kind=twice[0].kind, question=twice[0].asks())
        )
    return found


def write(document: Facts | Report, redact: Redact) -> bytes:
    """The bytes of a facts file or report: UTF-8 JSON, one space of indent, a final newline, secrets struck out."""
    plain = struck_out(document.model_dump(mode="json", by_alias=True), redact)
    for row, fact in zip(plain["facts"], document.facts, strict=True):
        # a question comes from profile and site file, never from the host: struck out, its answer would not be found
        row["query"] = struck_out(fact.query, str)
    return encode(plain)


class _Unreadable(Exception):
    """JSON that is sound, but not what a facts file or report may hold."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def read(data: bytes, name: str) -> Facts | Report:
    """Read a facts file or a report.  *name* is for the refusal.  Raises DocumentError."""
    if len(data) > MOST_BYTES:
        raise _refused(msg("larger than {most:size}.", most=MOST_BYTES), name)
    try:
        plain = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_finite,
            parse_float=_finite,
            parse_int=_whole,
        )
        _check_depth(plain)
        schema = plain.get("schema") if isinstance(plain, dict) else None
        match schema:
            case "vorflug/facts/1":
                return Facts.model_validate(plain)
            case "vorflug/report/1":
                return Report.model_validate(plain)
    except (_Unreadable, RecursionError) as error:
        deep = msg("wanted at most {most} levels of brackets, saw more", most=_DEEPEST)
        says = msg(
            "wanted a facts file or a report.json, but this is none: {error}.", error=getattr(error, "message", deep)
        )
        raise _refused(says, name) from error
    except ValidationError as error:
        raise _refused(msg("is no sound {schema}: {error}", schema=schema, error=_brief(error)), name) from error
    except ValueError as error:
        says = msg("wanted a facts file or a report.json, but this is no JSON: {error}", error=str(error))
        raise _refused(says, name, getattr(error, "lineno", 1)) from error
    seen = str(schema)[:100] if schema else msg("none")
    raise _refused(msg("wanted the schema vorflug/facts/1 or vorflug/report/1, saw {schema}.", schema=seen), name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259, 4 leaves repeated names to the reader: two readers would see two reports
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _Unreadable(msg("wanted each member once, saw {name} twice", name=twice))
    return found


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise _Unreadable(msg("wanted a number, saw {seen}", seen=written))
    return number


def _whole(written: str) -> int:
    if len(written) > _LONGEST_NUMBER:
        raise _Unreadable(
            msg("wanted a number of at most {most} digits, saw {seen}", most=_LONGEST_NUMBER, seen=len(written))
        )
    return int(written)


def _check_depth(plain: Any) -> None:
    level = [plain]
    for _ in range(_DEEPEST):
        level = [
            one
            for value in level
            if isinstance(value, dict | list)
            for one in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise _Unreadable(msg("wanted at most {most} levels of brackets, saw more", most=_DEEPEST))


def _brief(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)


def in_order(found: Iterable[Observation]) -> list[Observation]:
    """Sorted by kind and fields, so that the same answers give the same bytes whatever order they came in."""
    return sorted(found, key=lambda o: json.dumps(write_query(o.query), sort_keys=True))
