from __future__ import annotations

import hashlib
import itertools
import json
from types import SimpleNamespace

import pytest

from attest.samples import files_of, finding, predicate_of, report, verdict
from vorflug.attest import statement
from vorflug.attest.strict import Malformed
from vorflug.engine.verdict import decide
from vorflug.model.requirement import Level, Nature, Outcome


def built(**changes):
    plain = report(**changes)
    return json.loads(statement.build(files_of(plain), predicate_of(plain)))


def read(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return statement.read(data, statement.PAYLOAD_TYPE)


def test_it_is_an_in_toto_statement_over_both_files_by_name_and_sha256():
    files = files_of(report())
    said = built()
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "urn:vorflug:preflight:v1"
    assert said["subject"] == [
        {"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}}
        for name in ("report.json", "report.html")
    ]
    assert list(said) == ["_type", "subject", "predicateType", "predicate"]


def test_the_predicate_holds_what_a_gate_needs_and_no_more_of_the_host():
    predicate = built()["predicate"]
    assert predicate["verdict"]["exit_code"] == 0 and predicate["verdict"]["exit_code_with_confirmations"] == 5
    assert predicate["outcomes"]["OS-005"] == "met" and predicate["outcomes"]["ORG-001"] == "unknown"
    assert predicate["engagement"] is None
    assert set(predicate["host"]) == {"name", "identity"}


@pytest.mark.parametrize(
    ("findings", "result", "passed", "warned", "failed"),
    [
        ([finding("A", "met")], "PASSED", ["A"], [], []),
        ([finding("A", "met"), finding("B", "unmet", "should")], "WARNED", ["A"], ["B"], []),
        ([finding("A", "met"), finding("B", "unknown", nature="organisational")], "WARNED", ["A"], ["B"], []),
        ([finding("A", "met"), finding("B", "unmet")], "FAILED", ["A"], [], ["B"]),
        ([finding("A", "met"), finding("B", "unknown")], "FAILED", ["A"], [], ["B"]),
        ([finding("A", "met"), finding("B", "not_applicable")], "PASSED", ["A"], [], []),
    ],
)
def test_the_embedded_test_result_never_passes_what_was_not_seen(findings, result, passed, warned, failed):
    found = predicate_of(report(findings=findings))["test_result"]
    assert found["result"] == result
    assert (found["passedTests"], found["warnedTests"], found["failedTests"]) == (passed, warned, failed)
    # a ResourceDescriptor must name a uri, a digest or content
    assert found["configuration"][0]["digest"] == {"sha256": "ab" * 32}


@pytest.mark.parametrize(
    "changes",
    [
        {"findings": []},
        {"findings": [finding("A", "not_applicable")]},
        {"findings": [finding("A", "met"), finding("A", "unmet")]},
        {"findings": [finding("A", "fine")]},
        {"verdict": verdict("ready", 3, 0)},
        {"verdict": verdict("not_ready", 0)},
        {"verdict": verdict("undetermined", 0)},
        {"verdict": verdict("splendid", 0)},
        {"verdict": verdict("ready", True)},
        {"host": {"name": "x"}},
    ],
)
def test_a_report_that_says_nothing_or_contradicts_itself_is_not_signed(changes):
    with pytest.raises(ValueError):
        predicate_of(report(**changes))


@pytest.mark.parametrize(
    "files",
    [{}, {"report.json": b"{}"}, {"report.json": b"", "report.html": b"", "more": b""}],
)
def test_exactly_the_two_files_are_signed(files):
    with pytest.raises(ValueError, match="wanted exactly"):
        statement.build(files, predicate_of(report()))


def _edit(said, change):
    change(said)
    return said


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(more=1),
        lambda s: s.pop("predicate"),
        lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
        lambda s: s["subject"].pop(),
        lambda s: s["subject"].append(s["subject"][0]),
        lambda s: s["subject"].__setitem__(1, s["subject"][0]),
        lambda s: s["subject"][0].update(name="../report.json"),
        lambda s: s["subject"][0]["digest"].update(sha1="00"),
        lambda s: s["subject"][0]["digest"].update(sha256="AB" * 32),
        lambda s: s["subject"][0]["digest"].update(sha256=7),
        lambda s: s.update(subject={}),
        lambda s: s.update(predicate=[]),
    ],
)
def test_a_statement_is_read_strictly(change):
    assert read(built()).predicate["outcomes"]
    with pytest.raises(Malformed):
        read(_edit(built(), change))


def test_another_payload_type_is_refused():
    with pytest.raises(Malformed, match="payload type"):
        statement.read(json.dumps(built()).encode(), "application/json")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("with_confirmations", [False, True])
def test_whatever_the_engine_decides_does_not_contradict_itself(strict, with_confirmations):
    choices = list(itertools.product(Nature, (Level.MUST, Level.SHOULD), Outcome))
    for several in itertools.combinations(choices, 3):
        if all(outcome is Outcome.NOT_APPLICABLE for _, _, outcome in several):
            continue
        decided = decide(
            [
                SimpleNamespace(nature=n, header=SimpleNamespace(level=lv), verdict=SimpleNamespace(outcome=o))
                for n, lv, o in several
            ],
            strict=strict,
            with_confirmations=with_confirmations,
        )
        found = [finding(f"A-{i}", o.value, lv.value, n.value) for i, (n, lv, o) in enumerate(several)]
        assert predicate_of(report(findings=found, verdict=decided.model_dump(mode="json")))
