from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from render.sample import report
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
    assert int(tree.get("failures")) == len(list(tree.iter("failure"))) == counts.must_unmet
    assert int(tree.get("errors")) == len(list(tree.iter("error"))) == counts.must_unknown
    skipped = [f for f in sample.findings if f.outcome is Outcome.NOT_APPLICABLE
               or (f.nature is Nature.ORGANISATIONAL and f.outcome is not Outcome.MET)]  # fmt: skip
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
