"""``docs/reference/areas.md``: every subject, what it asks, and what a profile may demand of it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

from reference import source, types
from reference.markdown import cell, code, document, prose, table
from reference.schemas import fact_schema
from vorflug.documents.rows import fields_of
from vorflug.engine import registry
from vorflug.model.query import Query, Reach
from vorflug.model.requirement import Nature, Requirement
from vorflug.texts import say

_REACH = {Reach.LOCAL: "this machine", Reach.NETWORK: "the network"}


def page() -> str:
    """The whole page."""
    return document("What is asked, subject by subject", _lines())


def _lines() -> Iterator[str]:
    yield (
        "One section per file in `src/vorflug/areas/`. A *question* brings back a fact, which carries no opinion; a "
        "*requirement* of a profile holds facts against what is wanted. Equal questions are put once."
    )
    yield ""
    names = registry.load()
    yield ", ".join(f"[{name}](#{name})" for name in names)
    for name in names:
        yield from ("", f"## {name}", "")
        yield from _area(name)


def _area(name: str) -> Iterator[str]:
    module = importlib.import_module(f"vorflug.areas.{name}")
    title = registry.title(name)
    yield f"**{cell(say(title, 'en'))}** (German: {cell(say(title, 'de'))})"
    yield ""
    yield prose(module.__doc__ or "")
    queries = [q for q in registry.queries().values() if vars(module).get(q.__name__) is q]
    yield from ("", "### Asks", "")
    if not queries:
        yield "Nothing of the machine: the answer comes from the site file."
    else:
        yield from table(
            ("kind", "question", "contacts", "given up after", "asked alone"), (_question(q) for q in queries)
        )
        for query in queries:
            yield from ("", f"`{query.kind}` brings back:", "")
            yield from _fact(query)
    for kind, type_ in registry.requirements().items():
        if registry.area_of(type_) == name:
            yield from ("", f"### Requirement `{kind}`", "")
            yield from _requirement(type_)


def _question(query: type[Query[Any]]) -> tuple[str, ...]:
    return (
        code(query.kind),
        "<br>".join(cell(text) for text in source.sentences(query, "asks")),
        _REACH[query.reach],
        f"{query.deadline:g} s",
        "yes" if query.exclusive else "no",
    )


def _fact(query: type[Query[Any]]) -> Iterator[str]:
    fact = registry.fact_of(query)
    schema, definitions = fact_schema(fact)
    texts = source.field_texts(fact)
    yield from table(
        ("field", "type", "meaning"),
        (
            (code(name), types.words(field, definitions), prose(texts.get(name, "")))
            for name, field in schema.get("properties", {}).items()
        ),
    )


def _requirement(type_: type[Requirement]) -> Iterator[str]:
    yield prose(type_.__doc__ or "")
    if type_.nature is Nature.ORGANISATIONAL:
        yield from ("", "Only a person can confirm it.")
    names = fields_of(type_)
    if not names:
        yield from ("", "It has no fields of its own.")
        return
    schema = type_.model_json_schema()
    definitions = schema.get("$defs", {})
    texts = source.field_texts(type_)
    yield ""
    yield from table(
        ("field", "type", "default", "meaning"),
        (
            (
                code(name),
                types.words(schema["properties"][name], definitions),
                _default(schema["properties"][name]),
                prose(texts.get(name, "")),
            )
            for name in names
        ),
    )


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return "*needed*"
    value = field["default"]
    return "none" if value in (None, [], {}) else code(json.dumps(value, ensure_ascii=False))
