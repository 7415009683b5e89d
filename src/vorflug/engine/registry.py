"""Finds every area.  The only place that imports them: all by listing the package, or one by a kind that it defines.

A run needs the areas of its profile only; all of them together cost about 15 MB and a quarter of a second.  The table
in `kinds` says which those are.  It is generated, and only spares time: what it lacks is found by listing.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

from vorflug import areas, model
from vorflug.engine import kinds
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


@cache
def requirement(kind: str) -> type[Requirement] | None:
    """What *kind* in a profile stands for; None where no area defines it.  Imports no more than its area."""
    return _indexed(Requirement, kind, kinds.REQUIREMENTS) or requirements().get(kind)


@cache
def query(kind: str) -> type[Query[Any]] | None:
    """What *kind* in a facts file stands for; None where no area defines it.  Imports no more than its module."""
    return _indexed(Query, kind, kinds.QUERIES) or queries().get(kind)


def fact_of(query: type[Query[Any]]) -> type[Fact]:
    """The type that *query* is answered with: the return type of its ``observe``."""
    fact: type[Fact] = get_type_hints(query.observe)["return"]
    return fact


def area_of(cls: type) -> str:
    """The name of the area that *cls* belongs to."""
    return cls.__module__.rpartition(".")[2]


def area_of_kind(kind: str) -> str:
    """The name of the area that defines the requirements of *kind*.  Raises KeyError where none does."""
    type_ = requirement(kind)
    if type_ is None:
        raise KeyError(kind)
    return area_of(type_)


def title(area: str) -> Message:
    """The area's heading."""
    module = importlib.import_module(f"{areas.__name__}.{area}")
    heading: Message = module.TITLE
    return heading


def _indexed(base: type[Any], kind: str, modules: Mapping[str, str]) -> type[Any] | None:
    """The class, if it is where *modules* says."""
    name = modules.get(kind)
    if name is None or importlib.util.find_spec(name) is None:
        return None
    defined = vars(importlib.import_module(name)).values()
    return next((cls for cls in _concrete(base) if cls.kind == kind and cls in defined), None)


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
    found: dict[str, type[Any]] = {}
    for cls in sorted(classes, key=lambda c: (c.__module__, c.kind)):
        other = found.setdefault(cls.kind, cls)
        if other is not cls:
            raise TypeError(f"kind {cls.kind!r} is claimed by {other.__module__} and {cls.__module__}")
    return dict(sorted(found.items()))
