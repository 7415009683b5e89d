from __future__ import annotations

from render.sample import report
from vorflug.model.report import VerdictOutcome
from vorflug.model.requirement import HostSize, OperatingModel, Outcome
from vorflug.render.sizes import compare, model_sentence, model_state


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
    assert str(found.besides[0]) == "Whether it fits S could not be decided."


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
    assert "7 of its musts are not met, 6 are undetermined." in str(model_sentence(models[OperatingModel.COMPOSE]))


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
