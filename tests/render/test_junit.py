from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from render.sample import report
from vorflug.model.report import VerdictOutcome
from vorflug.model.requirement import Level, Nature, Outcome
from vorflug.render.junit import render_junit


@pytest.fixture(params=["en", "de"])
def tree(request):
    return ET.fromstring(render_junit(report(), lang=request.param).encode())


def case(tree, id_):
    return next(c for c in tree.iter("testcase") if c.get("name").startswith(f"{id_} "))


def test_there_is_a_case_for_every_finding_and_a_suite_for_every_subject(tree):
    sample = report()
    assert len(list(tree.iter("testcase"))) == len(sample.findings) == int(tree.get("tests"))
    assert len(list(tree.iter("testsuite"))) == len({f.subject for f in sample.findings})


def test_failures_are_the_unmet_technical_musts_and_errors_the_unknown_ones(tree):
    sample = report()
    counts = sample.verdict.counts
    # the exit code is 3 with and without confirmations, so the refused one counts as well
    assert counts.confirmations_refused == 1
    assert int(tree.get("failures")) == len(list(tree.iter("failure"))) == counts.must_unmet + 1
    assert int(tree.get("errors")) == len(list(tree.iter("error"))) == counts.must_unknown
    skipped = [f for f in sample.findings if f.outcome is Outcome.NOT_APPLICABLE
               or (f.nature is Nature.ORGANISATIONAL and f.outcome is Outcome.UNKNOWN)]  # fmt: skip
    assert int(tree.get("skipped")) == len(list(tree.iter("skipped"))) == len(skipped)


def test_each_suite_counts_its_own(tree):
    for suite in tree.iter("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert suite.find("properties/property[@name='size']").get("value") == "M"


def test_a_should_that_is_unmet_passes_with_a_note(tree):
    sample = report()
    should = next(f for f in sample.findings if f.level is Level.SHOULD and f.outcome is Outcome.UNMET)
    found = case(tree, should.id)
    assert [child.tag for child in found] == ["system-out"]
    assert found.find("system-out").text


def test_a_failure_says_what_was_wanted_seen_and_what_to_do():
    tree = ET.fromstring(render_junit(report(), lang="en").encode())
    failure = case(tree, "HW-002").find("failure")
    assert "32 GB wanted" in failure.get("message")
    for part in ("Wanted: at least 32 GB", "Seen: 15.6 GiB", "Fix: Give this machine", "Team: OS / virtualisation"):
        assert part in failure.text


def test_a_ready_report_fails_nothing():
    tree = ET.fromstring(render_junit(report(ready=True), lang="en").encode())
    assert tree.get("failures") == tree.get("errors") == "0"
    assert int(tree.get("tests")) > 50


def test_characters_that_xml_forbids_are_made_visible():
    sample = report(hostile=False)
    bad = sample.findings[-1].model_copy(update={"id": "X-\x00\ud800\x1b"})
    text = render_junit(sample.model_copy(update={"findings": (*sample.findings[:-1], bad)}), lang="en")
    ET.fromstring(text.encode())
    assert "X-\\u0000\\ud800\\u001b" in text


def with_answers(exit_code, people, *, refused=True, outcome=VerdictOutcome.READY):
    """A report in which nothing technical is open, and which ended so."""
    sample = report(ready=True, hostile=False)
    answers = [f for f in report(hostile=False).findings if f.id == "ORG-005"] if refused else []
    verdict = sample.verdict.model_copy(
        update={"exit_code": exit_code, "exit_code_with_confirmations": people, "outcome": outcome}
    )
    changed = sample.model_copy(update={"findings": (*sample.findings, *answers), "verdict": verdict})
    return ET.fromstring(render_junit(changed, lang="en").encode())


def test_a_refused_must_fails_only_where_the_exit_code_counts_confirmations():
    without, counted = with_answers(0, 3), with_answers(3, 3)
    assert [(c.tag, c.get("type")) for c in case(without, "ORG-005")] == [("skipped", "confirmation.refused")]
    assert [(c.tag, c.get("type")) for c in case(counted, "ORG-005")] == [("failure", "confirmation.refused")]
    assert (without.get("failures"), without.get("errors")) == ("0", "0")
    assert (counted.get("failures"), counted.get("errors")) == ("1", "0")
    assert "answered with no by E. Muster" in case(without, "ORG-005").find("skipped").text


def test_an_undetermined_report_that_does_not_count_confirmations_has_no_failure():
    assert with_answers(5, 3, outcome=VerdictOutcome.UNDETERMINED).get("failures") == "0"


def test_an_outstanding_must_is_an_error_only_where_the_exit_code_is_its_own():
    without, counted = with_answers(0, 5, refused=False), with_answers(5, 5, refused=False)
    assert [(c.tag, c.get("type")) for c in case(without, "ORG-001")] == [("skipped", "confirmation.outstanding")]
    assert [(c.tag, c.get("type")) for c in case(counted, "ORG-001")] == [("error", "confirmation.outstanding")]
    assert (without.get("errors"), counted.get("errors"), counted.get("failures")) == ("0", "3", "0")
