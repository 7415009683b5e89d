"""``when:``: a parameter held against values, and ``all:`` and ``any:`` of such.  No expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from vorflug.documents.fields import seen_at, unknown_word
from vorflug.documents.parameters import Parameter, ParameterType, mistakes, wanted_of, written
from vorflug.documents.problems import Problems
from vorflug.documents.yamlstrict import Map, Mark, Seq, place
from vorflug.model.message import Message, msg

_COMPARABLE = (ParameterType.CHOICE, ParameterType.BOOLEAN, ParameterType.INTEGER)


@dataclass(frozen=True)
class Is:
    """The parameter has one of these values; a list has at least one of them."""

    parameter: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


Condition = Is | AllOf | AnyOf


@dataclass(frozen=True)
class Holds:
    """The requirement applies."""


@dataclass(frozen=True)
class Fails:
    """It does not, for these reasons (each a clause without full stop)."""

    reasons: tuple[Message, ...]


@dataclass(frozen=True)
class Unanswered:
    """Nobody can tell: this parameter is not given."""

    parameter: str


def judge(condition: Condition, answers: Mapping[str, Any]) -> Holds | Fails | Unanswered:
    """Hold *condition* against the parameters' values.  A missing value decides nothing unless another part does."""
    match condition:
        case Is(name, values):
            if name not in answers:
                return Unanswered(name)
            have = answers[name] if isinstance(answers[name], list | tuple) else (answers[name],)
            if any(value in values for value in have):
                return Holds()
            shown = tuple(written(v) for v in values)
            value = tuple(written(v) for v in have)
            clause = msg("{parameter} is {value:list}, not {wanted:or}", parameter=name, value=value, wanted=shown)
            return Fails((clause,))
        case AllOf(parts):
            judged = [judge(part, answers) for part in parts]
            fails = [j for j in judged if isinstance(j, Fails)]
            if fails:
                return fails[0]
            return next((j for j in judged if isinstance(j, Unanswered)), Holds())
        case AnyOf(parts):
            judged = [judge(part, answers) for part in parts]
            if any(isinstance(j, Holds) for j in judged):
                return Holds()
            open_ = next((j for j in judged if isinstance(j, Unanswered)), None)
            return open_ or Fails(tuple(reason for j in judged if isinstance(j, Fails) for reason in j.reasons))
        case _:
            assert_never(condition)


def parameters_of(condition: Condition | None) -> frozenset[str]:
    """Every parameter that *condition* looks at."""
    match condition:
        case None:
            return frozenset()
        case Is(name, _):
            return frozenset((name,))
        case AllOf(parts) | AnyOf(parts):
            return frozenset[str]().union(*(parameters_of(part) for part in parts))
        case _:
            assert_never(condition)


def answered_by(condition: Condition | None) -> frozenset[str]:
    """The parameters that surely have a value where *condition* holds."""
    match condition:
        case None:
            return frozenset()
        case Is(name, _):
            return frozenset((name,))
        case AllOf(parts):
            return frozenset[str]().union(*(answered_by(part) for part in parts))
        case AnyOf(parts):
            return frozenset[str].intersection(*(answered_by(part) for part in parts))
        case _:
            assert_never(condition)


def read(node: Any, mark: Mark, parameters: Mapping[str, Parameter], problems: Problems) -> Condition | None:
    """Read a ``when:``.  What is wrong goes to *problems*, and the answer is None."""
    if isinstance(node, Map):
        for word, made in (("all", AllOf), ("any", AnyOf)):
            if set(node) == {word}:
                return _several(node, word, made, parameters, problems)
        if set(node) == {"param", "is"}:
            return _is(node, parameters, problems)
    problems.add(
        place(mark),
        msg(
            "when: wanted {{param: NAME, is: VALUE}}, {{all: […]}} or {{any: […]}}, saw {seen}.",
            seen=seen_at(node, mark),
        ),
    )
    return None


def _several(
    node: Map, word: str, made: type[AllOf | AnyOf], parameters: Mapping[str, Parameter], problems: Problems
) -> Condition | None:
    parts, mark = node[word], node.values_at[word]
    if not isinstance(parts, Seq) or not parts:
        problems.add(
            place(mark),
            msg("{word}: wanted a list of conditions, saw {seen}.", word=word, seen=seen_at(parts, mark)),
        )
        return None
    read_ = [read(part, at, parameters, problems) for part, at in zip(parts, parts.items_at, strict=True)]
    known = tuple(part for part in read_ if part is not None)
    return made(known) if len(known) == len(parts) else None


def _is(node: Map, parameters: Mapping[str, Parameter], problems: Problems) -> Condition | None:
    name, at = node["param"], node.values_at["param"]
    parameter = parameters.get(name) if isinstance(name, str) else None
    if parameter is None:
        problems.add(place(at), unknown_word(msg("parameter"), str(name), tuple(parameters)))
        return None
    if parameter.type not in _COMPARABLE:
        says = msg(
            "{name} is of the type {type}; 'when' can look at {types:list} only.",
            name=name,
            type=parameter.type.value,
            types=tuple(t.value for t in _COMPARABLE),
        )
        problems.add(place(at), says)
        return None
    wanted = node["is"]
    values = wanted if isinstance(wanted, Seq) else [wanted]
    marks = wanted.items_at if isinstance(wanted, Seq) else [node.values_at["is"]]
    if not values:
        problems.add(place(node.values_at["is"]), msg("is: wanted a value or a list of them, saw an empty list."))
        return None
    one = parameter.model_copy(update={"many": False})
    bad = False
    for value, mark in zip(values, marks, strict=True):
        if any(mistakes(one, value)):
            bad = True
            problems.add(
                place(mark),
                msg(
                    "{name} can never be {seen}: it is {wanted}.",
                    name=name,
                    seen=seen_at(value, mark),
                    wanted=wanted_of(one),
                ),
            )
    return None if bad else Is(name, tuple(values))
