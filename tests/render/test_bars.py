from __future__ import annotations

import pytest

from render.parts import finding
from render.sample import report
from vorflug.model.message import msg
from vorflug.model.report import GaugeInfo, Sentence
from vorflug.model.requirement import Outcome
from vorflug.render.bars import across, bar, parts
from vorflug.render.sizes import compare


def with_gauge(have: float, want: float):
    gauge = GaugeInfo.model_construct(have=have, want=want, unit="1")
    return finding("G-1", "cpu", Outcome.MET, "G", "G", gauge=gauge)


def test_what_is_no_capacity_has_no_bar():
    assert bar(finding("G-1", "cpu", Outcome.MET, "G", "G")) is None


def test_the_mark_lies_before_the_end_and_too_little_ends_before_the_mark():
    drawn = bar(with_gauge(4, 8))
    assert 0 < drawn.filled < drawn.marks[0].at < 100


def test_plenty_fills_the_bar_and_no_more():
    assert bar(with_gauge(1e12, 8)).filled == 100


@pytest.mark.parametrize("have", [float("nan"), float("inf"), -1.0, 0.0])
@pytest.mark.parametrize("want", [float("nan"), float("inf"), -1.0, 0.0, 5.0])
def test_no_number_breaks_the_drawing(have, want):
    drawn = bar(with_gauge(have, want))
    assert 0 <= drawn.filled <= 100
    assert all(0 <= m.at <= 100 for m in drawn.marks)


def test_across_the_sizes_there_is_one_mark_each_and_the_judged_one_stands_out():
    row = compare(report()).rows[0]
    drawn = across(row, "M")
    assert [(m.label, m.own) for m in drawn.marks] == [("S", False), ("M", True), ("L", False)]
    assert drawn.marks[0].at < drawn.marks[1].at < drawn.marks[2].at


def test_a_report_without_gauges_per_size_keeps_the_one_mark():
    row = compare(report()).rows[0]
    bare = tuple(c.model_copy(update={"gauge": None}) for c in row.cells)
    from dataclasses import replace

    assert len(across(replace(row, cells=bare), "M").marks) == 1


def test_sizes_that_want_the_same_share_a_mark():
    row = compare(report()).rows[2]
    from dataclasses import replace

    small, medium, large = row.cells
    two = across(replace(row, cells=(small, medium.model_copy(update={"gauge": small.gauge}), large)), "M")
    assert [(m.label, m.own) for m in two.marks] == [("S M", True), ("L", False)]
    one = across(replace(row, cells=(small, small, small)), "M")
    assert [m.label for m in one.marks] == [""]


def test_a_bar_that_is_enough_for_some_sizes_only_has_no_colour_of_its_own():
    rows = {r.id: r for r in compare(report()).rows}
    assert across(rows["HW-002"], "M").mixed and across(rows["HW-001"], "M").mixed
    assert not across(rows["HW-004"], "M").mixed
    assert not bar(with_gauge(4, 8)).mixed


def test_each_part_has_its_own_bar_and_its_own_end():
    def one(have, want, of):
        return GaugeInfo(have=have, want=want, unit="B", of=Sentence.of(msg("{what}", what=of)))

    found = finding(
        "G-1", "storage", Outcome.UNMET, "G", "G", gauge=one(5, 10, "/"), gauges=(one(5, 10, "/"), one(9, 9, "/c"))
    )
    first, second = parts(found)
    assert (first.enough, second.enough) == (False, True)
    assert [drawn.of.en for drawn in (first, second)] == ["/", "/c"]


@pytest.mark.parametrize("count", [0, 1])
def test_one_part_is_the_bar_itself(count):
    found = with_gauge(4, 8).model_copy(update={"gauges": (with_gauge(4, 8).gauge,) * count})
    assert parts(found) == (bar(found),)
    assert parts(finding("G-1", "cpu", Outcome.MET, "G", "G")) == ()
