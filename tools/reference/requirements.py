"""``docs/reference/requirements.md``: every row of the shipped profile, what is asked for it and what decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reference.markdown import cell, code, codes, document, table
from vorflug.documents import library, parameters
from vorflug.documents.profile import Profile
from vorflug.documents.rows import Row
from vorflug.engine import registry
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.requirement import HostSize, Nature, OperatingModel, Requirement
from vorflug.render.words import MODELS

_HEADS = ("id", "wanted state", "kind", "asked (kinds of fact)", "what decides", "level", "team", "basis", "phases")


def page() -> str:
    """The whole page, for the newest shipped profile.  Raises DocumentError where it does not load."""
    profile = library.load()
    return document(f"Requirements of {profile.title.en} {profile.version}", _lines(profile))


def _lines(profile: Profile) -> Iterator[str]:
    base = profile.rows_of(OperatingModel.COMPOSE)
    technical = sum(row.nature is Nature.TECHNICAL for row in base)
    yield (
        f"Row → kind → facts → what decides. {MODELS[OperatingModel.COMPOSE]}: {len(base)} requirements, {technical} "
        f"of them technical, {len(base) - technical} to be confirmed by a person. Where a value comes from the "
        "customer (*parameters*), an example stands in its place."
    )
    yield ""
    yield "A demand that differs by size is given for each. A follow-up question is given after *then*."
    for area, rows in _by_area(base).items():
        yield from ("", f"## {cell(render(registry.title(area)))}", "")
        yield from table(_HEADS, (_row(profile, row) for row in rows))
    for model in OperatingModel:
        if model is not OperatingModel.COMPOSE:
            yield from ("", f"## {MODELS[model]}", "")
            yield from _overlay(profile, model, base)
    yield from ("", "## Parameters", "")
    yield from table(
        ("name", "meaning", "wants", "if it is not given"),
        (
            (
                code(name),
                cell(parameter.title.en),
                cell(render(parameters.wanted_of(parameter))) + (", a list" if parameter.many else ""),
                _without(parameter),
            )
            for name, parameter in profile.parameters.items()
        ),
    )


def _without(parameter: parameters.Parameter) -> str:
    if parameter.required:
        return "what needs it is undetermined"
    return "left out" if parameter.default is None else code(parameters.written(parameter.default))


def _overlay(profile: Profile, model: OperatingModel, base: Iterable[Row]) -> Iterator[str]:
    rows = profile.rows_of(model)
    before = {row.id: row for row in base}
    same = [row.id for row in rows if before.get(row.id) is row]
    other = [row for row in rows if before.get(row.id) is not row]
    yield f"{len(rows)} requirements; {len(same)} of them as for {MODELS[OperatingModel.COMPOSE]}."
    if same:
        yield from ("", f"As there: {codes(same)}.")
    if other:
        yield from ("", "Its own, or changed:", "")
        yield from table(_HEADS, (_row(profile, row) for row in other))


def _by_area(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    # what a person confirms comes last: there are many of them, and no fact decides them
    for row in sorted(rows, key=lambda row: row.nature is Nature.ORGANISATIONAL):
        found.setdefault(registry.area_of(row.type), []).append(row)
    return found


def _row(profile: Profile, row: Row) -> tuple[str, ...]:
    answers = {name: profile.parameters[name].sample for name in row.uses}
    made = {size: row.requirement(size, answers) for size in profile.sizes_or_all}
    header = next(iter(row.headers.values()))
    return (
        code(row.id),
        cell(header.title.en),
        code(row.kind),
        _asked(made.values()),
        _decides(row, made),
        cell(_by_size({size: one.level.value for size, one in row.headers.items()})),
        header.team.value,
        header.basis.value + (f" ({', '.join(header.sources)})" if header.sources else ""),
        ", ".join(header.phases),
    )


def _asked(made: Iterable[Requirement]) -> str:
    kinds = dict.fromkeys(q.kind for one in made for q in one.queries(Evidence()))
    then = dict.fromkeys(render(sentence) for one in made if (sentence := one.then()) is not None)
    asked = codes(kinds) or "a person"
    return asked + "".join(f"<br>*then* {cell(sentence)}" for sentence in then)


def _decides(row: Row, made: dict[HostSize, Requirement]) -> str:
    decides = cell(_by_size({size: render(one.wanted()) for size, one in made.items()}))
    needed = sorted(row.needs)
    return decides + (f"<br>*parameters* {codes(needed)}" if needed else "")


def _by_size(texts: dict[HostSize, str]) -> str:
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{size.value}: {text}" for size, text in texts.items())
