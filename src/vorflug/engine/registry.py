"""Finds every area.  The only place that imports them, and only by listing the package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

from vorflug import areas, model
from vorflug.model.message import Message
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement


@cache
def names() -> tuple[str, ...]:
    """The areas there are, without importing them."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(areas.__path__)))


@cache
def load() -> tuple[str, ...]:
    """Import every module of `vorflug.areas`; return their names."""
    for name in names():
        importlib.import_module(f"{areas.__name__}.{name}")
    return names()


@cache
def requirements() -> Mapping[str, type[Requirement]]:
    """Every kind of requirement that a profile may contain.  Raises TypeError where two areas claim one kind."""
    load()
    return _by_kind(_concrete(Requirement))


@cache
def queries() -> Mapping[str, type[Query[Any]]]:
    """Every kind of query that a facts file may contain."""
    load()
    return _by_kind(_concrete(Query))


def fact_of(query: type[Query[Any]]) -> type[Fact]:
    """The type that *query* is answered with: the return type of its ``observe``."""
    fact: type[Fact] = get_type_hints(query.observe)["return"]
    return fact


def area_of(cls: type) -> str:
    """The name of the area that *cls* belongs to."""
    return cls.__module__.rpartition(".")[2]


def title(area: str) -> Message:
    """The area's heading."""
    module = importlib.import_module(f"{areas.__name__}.{area}")
    heading: Message = module.TITLE
    return heading


def _concrete(base: type[Any]) -> list[type[Any]]:
    found: list[type[Any]] = []
    todo = list(base.__subclasses__())
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        # pydantic and tests make subclasses of their own: only what an area defines counts, and the shared questions
        if cls.__module__.startswith((f"{areas.__name__}.", f"{model.__name__}.")) and not inspect.isabstract(cls):
            found.append(cls)
    return found


def _by_kind(classes: list[type[Any]]) -> dict[str, type[Any]]:
    kinds: dict[str, type[Any]] = {}
    for cls in sorted(classes, key=lambda c: (c.__module__, c.kind)):
        other = kinds.setdefault(cls.kind, cls)
        if other is not cls:
            raise TypeError(f"kind {cls.kind!r} is claimed by {other.__module__} and {cls.__module__}")
    return dict(sorted(kinds.items()))
