"""A profile and a site file -> the rows to judge: requirements, excluded ones, and ones that wait for a value."""

from __future__ import annotations

import pytest

from documents.samples import HEAD, SITE, TODAY, confirmation, load, row
from vorflug.documents import site
from vorflug.documents.problems import DocumentError
from vorflug.documents.resolve import resolve
from vorflug.documents.site import Site
from vorflug.model.cause import Team
from vorflug.model.message import render
from vorflug.model.requirement import Excluded, HostSize, OperatingModel, Pending, Phase, Requirement

GB = 10**9


def items(profile, text=None, *, model="compose", size="S", phase="pre-install"):
    given = site.parse(text.encode(), "site.yaml", profile, TODAY) if text else Site.empty()
    return resolve(profile, given, model=OperatingModel(model), size=HostSize(size), phase=Phase(phase))


def values(*lines):
    return "schema: vorflug/site/1\nparameters:\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(("size", "bytes_"), [("S", 8 * GB), ("M", 32 * GB), ("L", 64 * 2**30)])
def test_each_size_has_its_numbers(size, bytes_):
    (found,) = items(load(row(fields="at_least: {S: 8 GB, M: 32 GB, L: 64 GiB}")), size=size)
    assert isinstance(found, Requirement) and found.at_least == bytes_


def test_a_parameter_is_put_in_also_below_a_size():
    profile = load(row(fields="at_least: {S: {param: ram.floor}, M: 32 GB, L: 64 GB}"))
    (found,) = items(profile, values("ram.floor: 12 GB"))
    assert found.at_least == 12 * GB
    (found,) = items(profile, values("ram.floor: 12 GB"), size="M")
    assert found.at_least == 32 * GB


def test_a_missing_parameter_is_one_cause_for_all_who_wait_for_it():
    profile = load(row(fields="at_least: {param: ram.floor}"), row("MEM-2", fields="at_least: {param: ram.floor}"))
    first, second = items(profile)
    assert isinstance(first, Pending) and first.cause == second.cause and first.kind == "memory"
    assert (first.cause.kind, first.cause.subject, first.cause.team) == ("parameter.missing", "ram.floor", Team.PROJECT)
    assert render(first.cause.says) == "The parameter ram.floor (Least memory) is not given."
    assert render(first.cause.fix) == "Add to the site file, below 'parameters:': ram.floor: 8 GB"


def test_the_line_to_add_works():
    profile = load(row(fields="at_least: {param: ram.floor}"))
    (pending,) = items(profile)
    assert isinstance(items(profile, values(pending.cause.fix.values["line"]))[0], Requirement)


def test_a_parameter_that_may_be_left_out_leaves_the_default():
    profile = load(row(fields="at_least: 8 GB\ntolerance: {param: ram.slack}"))
    assert items(profile)[0].tolerance == 0.0
    assert items(profile, values("ram.slack: 5 %"))[0].tolerance == 0.05


WHEN = {
    "holds": ("{param: proxy.used, is: true}", ["proxy.used: true"], Requirement, None),
    "default decides": (
        "{param: proxy.used, is: true}", [], Excluded, "Does not apply here: proxy.used is false, not true."
    ),
    "one of several": ("{param: llm.provider, is: [azure, aws]}", ["llm.provider: aws"], Requirement, None),
    "none of several": (
        "{param: llm.provider, is: [aws]}", ["llm.provider: azure"], Excluded,
        "Does not apply here: llm.provider is azure, not aws.",
    ),
    "unanswered": ("{param: llm.provider, is: aws}", [], Pending, "llm.provider"),
    "a list overlaps": ("{param: integrations, is: [smtp]}", ["integrations: [sharepoint, smtp]"], Requirement, None),
    "a list does not overlap": (
        "{param: integrations, is: smtp}", ["integrations: [sharepoint]"], Excluded,
        "Does not apply here: integrations is sharepoint, not smtp.",
    ),
    "optional and unanswered": ("{param: integrations, is: smtp}", [], Pending, "integrations"),
    "all: one no is enough": (
        "{all: [{param: llm.provider, is: aws}, {param: proxy.used, is: true}]}", [], Excluded,
        "Does not apply here: proxy.used is false, not true.",
    ),
    "all: unanswered": (
        "{all: [{param: llm.provider, is: aws}, {param: proxy.used, is: false}]}", [], Pending, "llm.provider"
    ),
    "any: one yes is enough": (
        "{any: [{param: llm.provider, is: aws}, {param: proxy.used, is: false}]}", [], Requirement, None
    ),
    "any: unanswered": (
        "{any: [{param: llm.provider, is: aws}, {param: proxy.used, is: true}]}", [], Pending, "llm.provider"
    ),
    "any: all no": (
        "{any: [{param: llm.provider, is: aws}, {param: proxy.used, is: true}]}", ["llm.provider: azure"], Excluded,
        "Does not apply here: llm.provider is azure, not aws and proxy.used is false, not true.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHEN)
def test_when(name):
    when, given, kind, says = WHEN[name]
    (found,) = items(load(row(when=when)), values(*given) if given else None)
    assert isinstance(found, kind)
    if isinstance(found, Excluded):
        assert render(found.because) == says
    if isinstance(found, Pending):
        assert found.cause.subject == says


def test_what_does_not_apply_waits_for_nothing():
    (found,) = items(load(row(fields="at_least: {param: ram.floor}", when="{param: proxy.used, is: true}")))
    assert isinstance(found, Excluded)


def test_another_phase_is_named():
    (found,) = items(load(row(phases="[go-live, operations]")))
    assert isinstance(found, Excluded)
    assert render(found.because) == "Belongs to the phase go-live or operations; judged here: before installation."


def test_rows_of_another_model_are_not_there():
    profile = load(row(), row("MEM-2", models="[saas]"))
    assert [i.id for i in items(profile, model="saas")] == ["MEM-2"]
    with pytest.raises(DocumentError, match="no requirement for the operating model hybrid"):
        items(profile, model="hybrid")


def test_only_sizes_that_the_profile_has():
    profile = load(row(), head=HEAD.replace("  L: {title: {en: large, de: groß}}\n", ""))
    assert profile.sizes_or_all == (HostSize.S, HostSize.M)
    with pytest.raises(DocumentError, match="there is no size L"):
        items(profile, size="L")


def test_an_answer_reaches_its_confirmation():
    (found,) = items(load(confirmation()), SITE)
    assert found.answer.confirmed and found.answer.by == "Erika Muster"
    (found,) = items(load(confirmation()))
    assert found.answer is None


def test_order_is_the_profiles():
    profile = load(row("B-1"), row("A-1", phases="[go-live]"), row("C-1", fields="at_least: {param: ram.floor}"))
    ids = [i.id if isinstance(i, Requirement) else i.header.id for i in items(profile)]
    assert ids == ["B-1", "A-1", "C-1"]


def test_resolving_causes_no_io(no_io):
    profile = load(row(), confirmation())
    with no_io():
        assert len(items(profile)) == 2


def test_what_waits_for_a_value_already_says_what_each_size_wants():
    profile = load(row(fields="at_least: {S: 8 GB, M: 32 GB, L: 64 GB}\nwhen: {param: llm.provider, is: aws}"))
    wanted = {size: items(profile, size=size)[0].wanted for size in "SML"}
    assert {size: render(says) for size, says in wanted.items()} == {
        "S": "at least 8 GB", "M": "at least 32 GB", "L": "at least 64 GB",
    }  # fmt: skip


def test_where_the_value_itself_is_missing_only_what_depends_on_size_names_one():
    (plain,) = items(load(row(fields="at_least: {param: ram.floor}")))
    assert render(plain.wanted) == "a value in the site file"
    (sized,) = items(load(row(fields="at_least: {S: 8 GB, M: {param: ram.floor}, L: 64 GB}")), size="M")
    assert render(sized.wanted) == "a value in the site file, and what size M asks for"
