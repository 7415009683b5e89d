"""Fields against their declared types; pydantic's complaints in our words, at the line of the very field.

What a field wants is read from the type's own JSON Schema, so that a new kind of requirement gets its sentences for
nothing.  A validator that wants to say it better raises ``ValueError(msg(…))``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vorflug.documents.problems import Problem, Problems, near
from vorflug.documents.yamlstrict import Map, Mark, Seq, find, place
from vorflug.model.message import Message, msg, visible

M = TypeVar("M", bound=BaseModel)

WRITTEN = {"written": True}
"""Validation context that says: this comes from a document, so quantities must have their units."""

_SHOWN = 60


def read(type_: type[M], node: Map, problems: Problems) -> M | None:
    """Make a *type_* of *node*.  What is wrong goes to *problems*, and the answer is None."""
    result = attempt(type_, node)
    if isinstance(result, BaseModel):
        return result
    problems.extend(result)
    return None


def attempt(type_: type[M], node: Map) -> M | list[Problem]:
    """Make a *type_* of *node*, or say everything that is wrong with it."""
    try:
        # JSON mode is the strict one that still takes a list for a tuple and a word for an enum
        return type_.model_validate_json(json.dumps(node), strict=True, context=WRITTEN)
    except ValidationError as error:
        return _explain(error, type_, node)


@cache
def schema_of(type_: type[BaseModel]) -> dict[str, Any]:
    """The type's JSON Schema (as it is read)."""
    return type_.model_json_schema(mode="validation", by_alias=True)


def check_names(node: Map, known: Sequence[str], problems: Problems) -> Map:
    """Refuse fields that are not *known*; return *node* without them."""
    for name in node:
        if name not in known:
            problems.add(place(node.keys_at[name]), unknown_field(name, known, node))
    return node.only(known)


def unknown_field(name: str, known: Sequence[str], used: Collection[str] = ()) -> Message:
    """The sentence about a field that does not exist; a field that is *used* already was rather not meant."""
    meant = near(name, [word for word in known if word not in used]) or near(name, known)
    if meant is not None:
        return msg(
            "there is no field {name}; did you mean {near}? Fields here: {known:list}.",
            name=name,
            near=meant,
            known=tuple(known),
        )
    return msg("there is no field {name}. Fields here: {known:list}.", name=name, known=tuple(known))


def unknown_word(what: Message, seen: str, known: Sequence[str]) -> Message:
    """The sentence about a name (of a kind, a parameter, a source, …) that does not exist."""
    meant = near(seen, known)
    if meant is not None:
        return msg("there is no {what} {seen}; did you mean {near}?", what=what, seen=seen, near=meant)
    if not known:
        return msg("there is no {what} {seen}: there is none at all.", what=what, seen=seen)
    shown = tuple(known)[:_SHOWN]
    return msg("there is no {what} {seen}. There are: {known:list}.", what=what, seen=seen, known=shown)


def seen_at(node: Any, mark: Mark) -> Any:
    """What stands there, for a sentence: as it was written, short."""
    match node:
        case Map() | dict():
            return msg("fields ({names:list})", names=tuple(node)[:8]) if node else msg("empty braces")
        case Seq() | list():
            return msg("a list of {count}", count=len(node))
        case None:
            return msg("nothing")
        case "":
            return msg("an empty text")
        case _:
            return visible(mark[3] or str(node), at_most=_SHOWN)


def sentence(name: str, problem: Message) -> Message:
    """*problem*, a clause or a question, as a sentence about the field *name*."""
    if problem.text.endswith(("?", ".")):
        return msg("{field}: {problem}", field=name, problem=problem)
    return msg("{field}: {problem}.", field=name, problem=problem)


def wrong(name: str, wanted: Message, node: Any, mark: Mark, allowed: Sequence[str] = ()) -> Message:
    """The sentence about a value that does not fit."""
    meant = near(node, allowed)
    seen = seen_at(node, mark)
    if meant is not None:
        return msg(
            "{field}: wanted {wanted}, saw {seen}; did you mean {near}?",
            field=name,
            wanted=wanted,
            seen=seen,
            near=meant,
        )
    return msg("{field}: wanted {wanted}, saw {seen}.", field=name, wanted=wanted, seen=seen)


def _explain(error: ValidationError, type_: type[BaseModel], node: Map) -> list[Problem]:
    schema = schema_of(type_)
    found: dict[tuple[Any, ...], Problem] = {}
    renamed: set[tuple[tuple[str | int, ...], str]] = set()
    details = error.errors(include_url=False)
    details.sort(key=lambda d: d["type"] != "extra_forbidden")
    within = {d["loc"][:depth] for d in details for depth in range(len(d["loc"]))}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in within:
            continue  # entries that were refused one by one are not also missing
        loc = detail["loc"]
        value, mark, taken = find(node, loc, node.at)
        path = loc[:taken]
        if detail["type"] == "extra_forbidden":
            name = str(path[-1])
            holder, holder_at, _ = find(node, path[:-1], node.at)
            known = _properties(_walk(schema, path[:-1], schema), schema)
            if (meant := near(name, [k for k in known if k not in holder])) is not None:
                renamed.add((path[:-1], meant))
            at = holder.keys_at[name] if isinstance(holder, Map) else holder_at
            found.setdefault((place(at), name), Problem(place(at), unknown_field(name, known, holder)))
        elif detail["type"] == "missing" and taken < len(loc):
            name = str(loc[taken])
            if (path, name) in renamed:
                continue
            wanted = describe(_walk(schema, (*path, name), schema), schema)
            says = msg("the field {field} is missing; it wants {wanted}.", field=_dotted((*path, name)), wanted=wanted)
            found.setdefault((place(mark), name), Problem(place(mark), says))
        else:
            says = _value(detail, schema, path, value, mark)
            # branches of a union complain one by one about the same value
            found.setdefault((place(mark), path), Problem(place(mark), says))
    return list(found.values())


def _dotted(path: Sequence[str | int]) -> str:
    """``paths.2.at_least``; entries of lists count from 1."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in path) or "document"


def _value(
    detail: Mapping[str, Any], schema: dict[str, Any], path: tuple[str | int, ...], value: Any, mark: Mark
) -> Message:
    name = _dotted(path)
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, ValueError) and raised.args:
        says = raised.args[0]
        if not isinstance(says, Message):
            return sentence(name, Message("{problem}", {"problem": str(says)}))
        if "seen" in says.values and mark[3]:
            # 24.10 has become 24.1 on its way here: show what stands in the file
            says = Message(says.text, {**says.values, "seen": visible(mark[3], at_most=_SHOWN)})
        return sentence(name, says)
    here = _resolve(_walk(schema, path, schema), schema)
    return wrong(name, describe(here, schema), value, mark, _words(here, schema))


def _resolve(here: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in here:
        here = root["$defs"][here["$ref"].rpartition("/")[2]]
    return here


def _walk(here: dict[str, Any], path: Sequence[str | int], root: dict[str, Any]) -> dict[str, Any]:
    """The part of the schema that speaks about *path*; {} where it does not."""
    here = _resolve(here, root)
    if not path:
        return here
    step, rest = path[0], path[1:]
    branches = [b for key in ("anyOf", "oneOf", "allOf") for b in here.get(key, ())]
    for branch in branches:
        if found := _walk(branch, path, root):
            return found
    following: Any = None
    if isinstance(step, int):
        prefix = here.get("prefixItems", ())
        following = prefix[step] if step < len(prefix) else here.get("items")
    else:
        following = here.get("properties", {}).get(step, here.get("additionalProperties"))
    return _walk(following, rest, root) if isinstance(following, dict) else {}


def _properties(here: dict[str, Any], root: dict[str, Any]) -> tuple[str, ...]:
    here = _resolve(here, root)
    own = tuple(here.get("properties", ()))
    # a field that may be left out is "these fields, or null"
    return own or tuple(name for branch in here.get("anyOf", ()) for name in _properties(branch, root))


def _words(here: dict[str, Any], root: dict[str, Any]) -> list[str]:
    here = _resolve(here, root)
    words = [str(w) for w in here.get("enum", ())]
    for key in ("anyOf", "oneOf"):
        for branch in here.get(key, ()):
            words += _words(branch, root)
    return words


def describe(here: dict[str, Any], root: dict[str, Any]) -> Message:
    """What the schema wants, as a noun phrase."""
    here = _resolve(here, root)
    for key in ("anyOf", "oneOf"):
        if key in here:
            branches = [describe(b, root) for b in here[key] if b.get("type") != "null"]
            different = tuple(dict.fromkeys(branches))
            return different[0] if len(different) == 1 else msg("{choices:or}", choices=different)
    if words := here.get("enum"):
        return msg("{values:or}", values=tuple(str(w) for w in words))
    if "const" in here:
        return msg("exactly {value}", value=str(here["const"]))
    example = next(iter(here.get("examples", ())), None)
    match here.get("type"):
        case "string":
            return _describe_text(here, example)
        case "integer" | "number":
            return _describe_number(here)
        case "boolean":
            return msg("true or false")
        case "array":
            return msg("a list with at least one entry") if here.get("minItems") else msg("a list")
        case "object" if here.get("properties"):
            return msg("the fields {names:list}", names=tuple(here["properties"]))
        case "object":
            return msg("fields")
        case _:
            return msg("another value")


def _describe_text(here: dict[str, Any], example: Any) -> Message:
    if example is not None:
        return msg("a text such as '{example}'", example=str(example))
    match here:
        case {"format": "date"}:
            return msg("a date such as 2026-11-25")
        case {"format": "ipv4network" | "ipv6network" | "ipvanynetwork"}:
            return msg("a network such as 10.20.0.0/16")
        case {"pattern": pattern}:
            return msg("a text of the form {pattern}", pattern=pattern)
        case {"minLength": 1, "maxLength": most}:
            return msg("a text of 1 to {most} characters", most=most)
        case {"minLength": low, "maxLength": most}:
            return msg("a text of {low} to {most} characters", low=low, most=most)
        case {"maxLength": most}:
            return msg("a text of at most {most} characters", most=most)
        case _:
            return msg("a text")


def _describe_number(here: dict[str, Any]) -> Message:
    whole = here["type"] == "integer"
    match here:
        case {"minimum": low, "maximum": high}:
            return (
                msg("a whole number from {low} to {high}", low=low, high=high)
                if whole
                else msg("a number from {low} to {high}", low=low, high=high)
            )
        case {"minimum": low}:
            return (
                msg("a whole number of at least {low}", low=low)
                if whole
                else msg("a number of at least {low}", low=low)
            )
        case _:
            return msg("a whole number") if whole else msg("a number")
