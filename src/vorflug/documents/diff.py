"""What changed between two profiles: rows, thresholds, texts, parameters, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vorflug.documents.profile import Profile
from vorflug.documents.site import plain
from vorflug.model.requirement import OperatingModel


class Change(StrEnum):
    """What happened to something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Part(StrEnum):
    """What it happened to."""

    PROFILE = "profile"
    SOURCE = "source"
    PARAMETER = "parameter"
    REQUIREMENT = "requirement"


@dataclass(frozen=True)
class Difference:
    """One change."""

    part: Part
    change: Change
    name: str
    """The requirement's id, the parameter's or source's name, or the field of the profile."""
    field: str | None
    """Of a change: the field, with dots for what lies deeper."""
    old: Any
    new: Any
    models: tuple[OperatingModel, ...]
    """Of a requirement: the operating models that it changes for."""


def compare(old: Profile, new: Profile) -> list[Difference]:
    """Every difference, requirements last and in the new profile's order."""
    found = list(_compare(Part.PROFILE, {"": _preamble(old)}, {"": _preamble(new)}, ()))
    found += _compare(Part.SOURCE, _texts(old.sources), _texts(new.sources), ())
    found += _compare(Part.PARAMETER, _parameters(old), _parameters(new), ())
    by_model = [
        difference
        for model in OperatingModel
        for difference in _compare(Part.REQUIREMENT, _rows(old, model), _rows(new, model), (model,))
    ]
    return found + _merged(by_model, new)


def _preamble(profile: Profile) -> dict[str, Any]:
    return profile.preamble.model_dump(mode="json", by_alias=True, exclude={"sources"}, exclude_none=True)


def _texts(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {name: {"title": text} for name, text in texts.items()}


def _parameters(profile: Profile) -> dict[str, dict[str, Any]]:
    return {name: p.model_dump(mode="json", exclude_defaults=True) for name, p in profile.parameters.items()}


def _rows(profile: Profile, model: OperatingModel) -> dict[str, dict[str, Any]]:
    return {row.id: plain(row.node) for row in profile.rows_of(model)}


def _compare(
    part: Part, old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]], models: tuple[OperatingModel, ...]
) -> Iterator[Difference]:
    for name in [n for n in old if n not in new]:
        yield Difference(part, Change.REMOVED, name, None, old[name], None, models)
    for name, fields in new.items():
        if name not in old:
            yield Difference(part, Change.ADDED, name, None, None, fields, models)
            continue
        before, after = dict(_leaves(old[name])), dict(_leaves(fields))
        for field in dict.fromkeys((*before, *after)):
            if before.get(field) != after.get(field):
                yield Difference(part, Change.CHANGED, name, field, before.get(field), after.get(field), models)


def _leaves(fields: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _merged(differences: list[Difference], new: Profile) -> list[Difference]:
    """The same change for several operating models is one."""
    groups: dict[str, Difference] = {}
    for d in differences:
        key = repr((d.change, d.name, d.field, d.old, d.new))
        models = (*groups[key].models, *d.models) if key in groups else d.models
        groups[key] = Difference(d.part, d.change, d.name, d.field, d.old, d.new, models)
    order = {row.id: position for position, row in enumerate(new.rows)}
    return sorted(groups.values(), key=lambda d: order.get(d.name, -1))
