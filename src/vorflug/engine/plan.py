"""What will be asked, before anything is.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vorflug.model.evidence import Evidence
from vorflug.model.query import Query
from vorflug.model.requirement import Item, Requirement


def plan(items: Iterable[Item]) -> dict[Query[Any], list[Requirement]]:
    """Every distinct question with the requirements that put it, in the profile's order."""
    nothing = Evidence()
    asked: dict[Query[Any], list[Requirement]] = {}
    for item in items:
        if isinstance(item, Requirement):
            for query in item.queries(nothing):
                asked.setdefault(query, []).append(item)
    return asked
