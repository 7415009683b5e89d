from __future__ import annotations

import pytest

from render.sample import report
from vorflug.model.message import render
from vorflug.model.report import VerdictOutcome
from vorflug.model.requirement import HostSize, OperatingModel, Outcome
from vorflug.render.sizes import compare, model_sentence, model_state
from vorflug.texts import translator


def test_what_is_open_for_every_size_alike_does_not_count_against_a_size():
    found = compare(report())
    assert all(s.verdict.outcome is VerdictOutcome.NOT_READY for s in found.sizes)
    assert str(found.fit) == "This host fits S, not M or L, because:"
    assert str(found.short) == "in size this host fits S, not M or L; musts that are open whatever the size: 11"
    assert [str(b) for b in found.besides] == ["Whatever the size, 11 more musts are open; they stand above."]


def test_each_size_that_fails_says_on_what():
    found = compare(report())
    assert {o.size: len(o.because) for o in found.obstacles} == {HostSize.M: 2, HostSize.L: 3}
    assert "64 GB" in found.obstacles[1].because[0].en


def test_every_capacity_is_a_row_with_a_cell_per_size():
    rows = {r.id: r for r in compare(report()).rows}
    assert list(rows) == ["HW-002", "HW-002.recommended", "HW-001", "HW-003", "HW-004"]
    assert [c.outcome for c in rows["HW-001"].cells] == [Outcome.MET, Outcome.MET, Outcome.UNMET]


def test_a_must_that_only_one_size_makes_is_a_row_too_and_the_other_cells_are_empty():
    sample = report(hostile=False)
    large = sample.sizes[2]
    extra = large.findings[-1].model_copy(update={"id": "ONLY-L"})
    sizes = (*sample.sizes[:2], large.model_copy(update={"findings": (*large.findings, extra)}))
    row = {r.id: r for r in compare(sample.model_copy(update={"sizes": sizes})).rows}["ONLY-L"]
    assert row.cells[:2] == (None, None) and row.cells[2] == extra


def test_a_size_with_unknowns_only_is_open_never_fitting():
    sample = report(hostile=False)
    small = sample.sizes[0]
    cpu = small.findings[2].model_copy(update={"outcome": Outcome.UNKNOWN})
    changed = small.model_copy(update={"findings": (*small.findings[:2], cpu, *small.findings[3:])})
    found = compare(sample.model_copy(update={"sizes": (changed, *sample.sizes[1:])}))
    assert str(found.fit) == "This host does not fit M or L, because:"
    assert str(found.besides[0]) == "Whether this host fits S is undetermined."


def test_all_sizes_fit():
    sample = report(ready=True)
    only = sample.model_copy(update={"sizes": sample.sizes[:1]})
    assert str(compare(only).fit) == "This host fits S."


def test_no_sizes_at_all_say_nothing():
    found = compare(report().model_copy(update={"sizes": ()}))
    assert found.fit is None and found.short is None and found.rows == ()


def test_a_model_that_was_not_asked_is_called_that_and_not_undetermined():
    models = {m.model: m for m in report().models}
    kubernetes = models[OperatingModel.KUBERNETES]
    assert str(model_state(kubernetes)) == "not asked"
    assert "--model kubernetes" in str(model_sentence(kubernetes))
    assert model_state(models[OperatingModel.COMPOSE]) is None
    assert str(model_sentence(models[OperatingModel.COMPOSE])) == "Its musts: 7 not met, 6 undetermined."


def test_a_model_that_is_ready_says_so():
    sample = report(ready=True)
    assert str(model_sentence(sample.models[0])) == "Every technical must of this operating model is met."


def test_a_capacity_that_wants_the_same_of_every_size_says_nothing_about_size():
    sample = report(hostile=False)

    def same(size):
        found = size.findings[0]
        flat = found.model_copy(update={"wanted": sample.sizes[0].findings[0].wanted, "outcome": Outcome.UNMET})
        return size.model_copy(update={"findings": (flat, *size.findings[1:])})

    found = compare(sample.model_copy(update={"sizes": tuple(same(s) for s in sample.sizes)}))
    assert "HW-002" not in {r.id for r in found.rows}
    assert "12 more musts" in str(found.besides[-1])


def judged_so(sample, outcome):
    """*sample* with every capacity judged so for every size, as where nobody could look."""

    def changed(size):
        found = [
            j.model_copy(update={"outcome": outcome, "gauge": None}) if j.id.startswith("HW-") else j
            for j in size.findings
        ]
        return size.model_copy(update={"findings": tuple(found)})

    return sample.model_copy(update={"sizes": tuple(changed(s) for s in sample.sizes)})


def test_capacities_that_nobody_could_judge_leave_it_open_which_sizes_fit():
    found = compare(judged_so(report(hostile=False), Outcome.UNKNOWN))
    assert found.fit is None
    assert str(found.short) == "whether this host fits S, M or L is undetermined"
    assert str(found.besides[0]) == "Whether this host fits S, M or L is undetermined."
    assert [o.size for o in found.obstacles] == list(HostSize)
    assert render(found.besides[0], translator("de"), "de") == (
        "Ob dieser Host für S, M oder L reicht, ist nicht feststellbar."
    )


def test_where_no_must_depends_on_size_nothing_is_said_about_sizes():
    sample = report(hostile=False)
    bare = tuple(
        s.model_copy(update={"findings": tuple(j for j in s.findings if not j.id.startswith("HW-"))})
        for s in sample.sizes
    )
    found = compare(sample.model_copy(update={"sizes": bare}))
    assert (found.fit, found.short, found.obstacles, found.besides) == (None, None, (), ())


def test_a_single_size_fits_only_where_nothing_is_open():
    sample = report(hostile=False)
    found = compare(sample.model_copy(update={"sizes": sample.sizes[:1]}))
    assert str(found.short) == "this host does not fit S"


def test_what_fits_and_what_is_undetermined_stand_side_by_side():
    sample = report(ready=True)
    large = sample.sizes[2]
    unknown = tuple(j.model_copy(update={"outcome": Outcome.UNKNOWN}) for j in large.findings)
    sizes = (sample.sizes[0], large.model_copy(update={"findings": unknown}))
    assert str(compare(sample.model_copy(update={"sizes": sizes})).short) == "this host fits S; undetermined for L"


@pytest.mark.parametrize(
    ("unmet", "unknown", "not_asked", "en", "de"),
    [
        (1, 0, 0, "Its musts: 1 not met.", "Seine Muss-Anforderungen: 1 nicht erfüllt."),
        (0, 1, 0, "Its musts: 1 undetermined.", "Seine Muss-Anforderungen: 1 nicht feststellbar."),
        (6, 21, 0, "Its musts: 6 not met, 21 undetermined.",
         "Seine Muss-Anforderungen: 6 nicht erfüllt, 21 nicht feststellbar."),
        (6, 21, 3, "Its musts: 6 not met, 21 undetermined, 3 of these not asked here.",
         "Seine Muss-Anforderungen: 6 nicht erfüllt, 21 nicht feststellbar, davon 3 hier nicht abgefragt."),
        (0, 21, 3,
         "Its musts: 21 undetermined, 3 of these not asked here: run again with --model kubernetes.",
         ("Seine Muss-Anforderungen: 21 nicht feststellbar, davon 3 hier nicht abgefragt: "
         "mit --model kubernetes erneut ausführen.")),
    ],
)  # fmt: skip
def test_a_model_counts_all_that_is_open(unmet, unknown, not_asked, en, de):
    model = next(m for m in report().models if m.model is OperatingModel.KUBERNETES)
    outcome = VerdictOutcome.NOT_READY if unmet else VerdictOutcome.UNDETERMINED
    counts = model.verdict.counts.model_copy(update={"must_unmet": unmet, "must_unknown": unknown})
    verdict = model.verdict.model_copy(update={"counts": counts, "outcome": outcome})
    said = model.model_copy(update={"verdict": verdict, "not_asked": not_asked})
    assert str(model_sentence(said)) == en
    assert render(model_sentence(said), translator("de"), "de") == de
    # what was asked and could not be told is not called "not asked"
    assert model_state(said) is None
