"""Capacities as bars: where the bar ends and where the marks stand, in percent.  Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

from vorflug.model.message import Message
from vorflug.model.report import FindingInfo, GaugeInfo, Sentence
from vorflug.model.requirement import Outcome
from vorflug.render.sizes import Row
from vorflug.render.words import amounts

_HEADROOM = 1.12
"""The farthest mark stands a little before the end, so that "enough" can be seen to pass it."""


@dataclass(frozen=True)
class Mark:
    """A wanted amount on the bar."""

    at: float
    """Percent of the bar's length."""
    label: str
    """The sizes that want it; empty where the bar has one mark only."""
    own: bool
    """Whether it is the mark of the size that was judged."""


@dataclass(frozen=True)
class Bar:
    """One capacity."""

    filled: float
    """Percent of the bar's length; 100 also where there is more than the bar can show."""
    enough: bool
    mixed: bool
    """Whether it is enough for some of the marks only: then no colour says so for all of them."""
    marks: tuple[Mark, ...]
    says: Message
    """The same in words."""
    of: Sentence | None = None
    """What it is of, where a finding has several."""


def bar(finding: FindingInfo) -> Bar | None:
    """The bar of a finding that is a capacity; None for any other."""
    gauge = finding.gauge
    return None if gauge is None else _bar(gauge, [("", gauge)], own="", enough=finding.outcome is Outcome.MET)


def parts(finding: FindingInfo) -> tuple[Bar, ...]:
    """A bar for each part of a finding that has several; else the one bar, or none.

    All are drawn to one scale of their own: a part is enough where what is there reaches its own mark.
    """
    if len(finding.gauges) > 1:
        return tuple(replace(_bar(g, [("", g)], own="", enough=g.have >= g.want), of=g.of) for g in finding.gauges)
    one = bar(finding)
    return () if one is None else (one,)


def across(row: Row, own: str) -> Bar | None:
    """One bar with a mark for each size; *own* is the size that was judged."""
    if row.finding is None or row.finding.gauge is None:
        return None
    wanted = [
        (size.value, judged.gauge) for size, judged in zip(row.sizes, row.cells, strict=True) if judged and judged.gauge
    ]
    drawn = _bar(row.finding.gauge, wanted or [("", row.finding.gauge)], own, row.finding.outcome is Outcome.MET)
    return replace(drawn, mixed=len({cell.outcome for cell in row.cells if cell}) > 1)


def _bar(have: GaugeInfo, wanted: list[tuple[str, GaugeInfo]], own: str, enough: bool) -> Bar:
    by_amount: dict[float, list[str]] = {}
    for label, gauge in wanted:
        by_amount.setdefault(gauge.want, []).append(label)
    full = max((g.want for _, g in wanted), default=have.want) * _HEADROOM
    return Bar(
        filled=_share(have.have, full),
        enough=enough,
        mixed=False,
        marks=tuple(
            Mark(_share(want, full), "" if len(by_amount) == 1 else " ".join(labels), own in labels)
            for want, labels in by_amount.items()
        ),
        says=amounts(have),
    )


def _share(part: float, full: float) -> float:
    # a report may come from anywhere: no number in it may break the drawing
    if not isfinite(part) or not isfinite(full) or full <= 0:
        return 0.0
    return round(max(0.0, min(100.0, 100 * part / full)), 2)
