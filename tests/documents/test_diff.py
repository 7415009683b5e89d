"""What changed between two profiles."""

from __future__ import annotations

from documents.samples import HEAD, load, row
from vorflug.documents.diff import Change, Part, compare
from vorflug.model.requirement import OperatingModel

BOTH = "[compose, kubernetes]"


def told(old, new):
    return [(d.part.value, d.change.value, d.name, d.field, d.old, d.new) for d in compare(old, new)]


def test_nothing():
    assert compare(load(row()), load(row())) == []


def test_a_threshold_a_text_and_a_row():
    old = load(row("A-1", fields="at_least: {S: 8 GB, M: 9 GB, L: 10 GB}"), row("B-1"), row("C-1"))
    new = load(
        row("A-1", fields="at_least: {S: 8 GB, M: 12 GB, L: 10 GB}"),
        row("C-1", title="{en: RAM, de: Arbeitsspeicher}"),
        row("D-1"),
    )
    requirement = Part.REQUIREMENT.value
    found = told(old, new)
    assert (requirement, "changed", "A-1", "at_least.M", "9 GB", "12 GB") in found
    assert (requirement, "changed", "C-1", "title.en", "Memory", "RAM") in found
    assert [f[1:3] for f in found] == [("removed", "B-1"), ("changed", "A-1"), ("changed", "C-1"), ("added", "D-1")]


def test_parameters_sources_and_the_head():
    head = HEAD.replace("[azure, aws]", "[azure, local]").replace("version: 1.2.0", "version: 1.3.0")
    head = head.replace("sources:", "sources:\n  V-NEW: new").replace("  proxy.used:", "  proxy.is_used:")
    found = told(load(row()), load(row(), head=head))
    assert ("profile", "changed", "", "version", "1.2.0", "1.3.0") in found
    assert ("source", "added", "V-NEW", None, None, {"title": "new"}) in found
    assert [f[1:3] for f in found if f[0] == "parameter"] == [
        ("removed", "proxy.used"), ("changed", "llm.provider"), ("added", "proxy.is_used")
    ]  # fmt: skip


def test_the_same_change_for_two_models_is_one_and_an_overlay_is_for_its_own():
    (found,) = compare(load(row(models=BOTH)), load(row(models=BOTH, fields="at_least: 9 GB")))
    assert found.models == (OperatingModel.COMPOSE, OperatingModel.KUBERNETES)
    change = "change: {MEM-1: {at_least: 16 GB}}\n"
    found = compare(load(row(models=BOTH), kubernetes=""), load(row(models=BOTH), kubernetes=change))
    assert [(d.change, d.models) for d in found] == [(Change.CHANGED, (OperatingModel.KUBERNETES,))]
