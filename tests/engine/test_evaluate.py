"""Pure, total, in order; equal causes have one root; could not look is never fine."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import ConfigDict

from conftest import header
from vorflug.areas import memory
from vorflug.areas.memory import MemoryFact, MemoryQuery, MemoryRequirement
from vorflug.areas.storage_speed import StorageWriteLatencyRequirement
from vorflug.engine import registry
from vorflug.engine.evaluate import evaluate
from vorflug.engine.verdict import NothingJudged, decide, roots
from vorflug.model.cause import Cause, Team
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.report import VerdictOutcome
from vorflug.model.requirement import (
    Excluded,
    Header,
    Level,
    Nature,
    Outcome,
    Pending,
    Requirement,
    met,
    unknown,
    unmet,
)

GIB = 2**30
MEMORY = MemoryFact(total_bytes=16 * GIB, available_bytes=GIB, limit_bytes=None, limited_by=None)
CAUSE = Cause("proxy.auth_required", "proxy.corp:3128", msg("test says"), msg("test fix"), Team.PROXY)


def head(id_="T-1", **changes):
    return Header.model_validate(header(id=id_, **changes))


def memory_of(at_least, id_="T-1", **changes):
    return MemoryRequirement.model_validate(header(id=id_, at_least=at_least, **changes))


class Fixed(Requirement):
    """Comes out as the test says."""

    kind = "test-fixed"
    outcome: Outcome
    cause: Cause | None = None
    is_about: Cause | None = None

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def wanted(self):
        return msg("test")

    def queries(self, known):
        return []

    def judge(self, evidence):
        words = {"wanted": msg("test"), "because": msg("test")}
        match self.outcome:
            case Outcome.MET:
                return met(**words, seen=msg("test"))
            case Outcome.UNMET:
                return unmet(**words, seen=msg("test"), fix=msg("test"), cause=self.cause)
            case Outcome.UNKNOWN:
                return unknown(**words, cause=self.cause)
        raise KeyError("boom")

    def about(self, evidence):
        return self.is_about


def fixed(outcome, id_, **fields):
    return Fixed(**header(id=id_, level=fields.pop("level", "must")), outcome=outcome, **fields)


def test_one_finding_for_each_item_in_the_profiles_order(no_io):
    items = [memory_of("8 GB", "A-1"), memory_of("64 GB", "A-2"), memory_of("1 GB", "A-3")]
    registry.requirements()
    with no_io():
        findings = evaluate(items, [Observation(MemoryQuery(), Seen(MEMORY))])
    assert [(f.header.id, f.verdict.outcome) for f in findings] == [
        ("A-1", Outcome.MET),
        ("A-2", Outcome.UNMET),
        ("A-3", Outcome.MET),
    ]
    assert findings[0].subject == "memory"


def test_the_guard_bites(no_io):
    with pytest.raises(AssertionError, match="must be pure"), no_io():
        open("/etc/hostname")  # noqa: SIM115 - the guard must stop it


@pytest.mark.parametrize("reason", list(Reason))
def test_what_was_not_seen_is_unknown_and_says_why(reason):
    (finding,) = evaluate([memory_of("1 GB")], [Observation(MemoryQuery(), Unseen(reason, "some detail"))])
    assert finding.verdict.outcome is Outcome.UNKNOWN
    assert "some detail" in render(finding.verdict.because)
    assert finding.verdict.fix is not None
    assert finding.verdict.cause.kind == f"unseen.{reason}"
    # people read it: the question, not the program's notation of it
    assert finding.verdict.cause.subject == "How much memory is there, and does a cgroup limit it?"


def test_what_nobody_asked_is_unknown():
    (finding,) = evaluate([memory_of("1 GB")], [])
    assert (finding.verdict.outcome, finding.verdict.cause.kind) == (Outcome.UNKNOWN, "unseen.not_asked")


SPEED = {"path": "/srv", "at_most": "50 ms", "block": "2300 B", "total": "22 MiB", "within": "20 s"}


def writing(detail, reason=Reason.NOT_ASKED):
    demands = [StorageWriteLatencyRequirement.model_validate(header(id=f"A-{n}", **SPEED)) for n in (1, 2)]
    (query,) = demands[0].queries(Evidence())
    return evaluate(demands, [Observation(query, Unseen(reason, detail))])


@pytest.mark.parametrize("detail", ["--active", ""])
def test_what_would_have_written_says_what_and_how_it_is_allowed(detail):
    findings = writing(detail)
    for finding in findings:
        assert finding.verdict.outcome is Outcome.UNKNOWN
        because, fix = render(finding.verdict.because), render(finding.verdict.fix)
        assert because.startswith("Not asked, because it writes to this machine: At most 22 MiB at /srv")
        assert "The question was: How long do synchronous writes take at /srv?" in because
        assert "--active" in fix
    (root,) = roots(findings)
    assert root.blocks == ("A-1", "A-2") and "only with --active" in root.cause.says.en


def test_what_would_have_written_says_so_in_german():
    from vorflug.texts import say

    verdict = writing("--active")[0].verdict
    assert "weil dafür auf diesen Rechner geschrieben wird" in say(verdict.because, "de")
    assert "mit --active" in say(verdict.fix, "de")


@pytest.mark.parametrize(
    ("detail", "reason"), [("--deadline 5", Reason.NOT_ASKED), ("", Reason.TIMEOUT), ("--active", Reason.CANCELLED)]
)
def test_what_was_allowed_and_has_no_answer_is_not_blamed_on_the_option(detail, reason):
    finding = writing(detail, reason)[0]
    assert finding.verdict.cause.kind == f"unseen.{reason}"
    assert "--active" not in render(finding.verdict.fix)


def test_a_judge_that_crashes_is_unknown():
    (finding,) = evaluate([fixed(Outcome.NOT_APPLICABLE, "A-1")], [])
    assert finding.verdict.outcome is Outcome.UNKNOWN
    assert "boom" in render(finding.verdict.because)


def nested(levels):
    deep = msg("end")
    for _ in range(levels):
        deep = Message("{x}", {"x": deep})
    return deep


@pytest.mark.parametrize("broken", [nested(140), nested(2000), Message("{missing}"), Message("{x:nonsense}", {"x": 1})])
def test_a_verdict_that_cannot_be_written_is_unknown_and_takes_no_other_with_it(broken):
    cause = Cause("test", "test", broken, msg("test"))
    findings = evaluate([fixed(Outcome.UNMET, "A-1", cause=cause), fixed(Outcome.MET, "A-2")], [])
    assert [f.verdict.outcome for f in findings] == [Outcome.UNKNOWN, Outcome.MET]
    assert "Judging failed" in render(findings[0].verdict.because)


class Unspeakable(Fixed):
    """Its demand cannot be written."""

    kind = "test-unspeakable"

    def wanted(self):
        return nested(2000)


def test_a_demand_that_cannot_be_written_gives_way_to_its_title():
    (finding,) = evaluate([Unspeakable(**header(id="A-1", level="must"), outcome="not_applicable")], [])
    assert finding.verdict.outcome is Outcome.UNKNOWN and render(finding.verdict.wanted) == finding.header.title.en


def test_a_missing_value_is_unknown_and_another_phase_is_not_applicable():
    cause = Cause("parameter.missing", "llm.endpoint", msg("test says"), msg("test fix"))
    pending = Pending(head("A-1"), "memory", Nature.TECHNICAL, cause)
    excluded = Excluded(head("A-2"), "memory", Nature.TECHNICAL, msg("test because"))
    first, second = evaluate([pending, excluded], [])
    assert (first.verdict.outcome, first.verdict.cause) == (Outcome.UNKNOWN, cause)
    assert (second.verdict.outcome, second.subject) == (Outcome.NOT_APPLICABLE, memory.__name__.rpartition(".")[2])


def test_equal_causes_have_one_root():
    other = Cause("proxy.auth_required", "other:3128", msg("test says"))
    findings = evaluate(
        [
            fixed(Outcome.UNMET, "A-1", cause=CAUSE),
            fixed(Outcome.UNKNOWN, "A-2", cause=Cause(CAUSE.kind, CAUSE.subject, msg("other words"))),
            fixed(Outcome.UNMET, "A-3", cause=other),
            fixed(Outcome.MET, "A-4"),
        ],
        [],
    )
    (root,) = roots(findings)
    assert (root.cause.kind, root.finding, root.blocks, root.team) == (
        "proxy.auth_required",
        None,
        ("A-1", "A-2"),
        Team.PROXY,
    )
    assert all(f.blocked_by is None for f in findings)


def test_the_requirement_that_is_about_it_is_the_root():
    findings = evaluate(
        [fixed(Outcome.UNKNOWN, "A-1", cause=CAUSE), fixed(Outcome.UNMET, "A-2", cause=CAUSE, is_about=CAUSE)], []
    )
    assert [f.blocked_by for f in findings] == ["A-2", None]
    (root,) = roots(findings)
    assert (root.finding, root.blocks) == ("A-2", ("A-1",))


def test_a_root_speaks_with_the_words_of_the_requirement_that_is_about_it():
    better = Cause(CAUSE.kind, CAUSE.subject, msg("test says more"), msg("test fix that fits"))
    findings = evaluate(
        [fixed(Outcome.UNKNOWN, "A-1", cause=CAUSE), fixed(Outcome.UNMET, "A-2", cause=better, is_about=CAUSE)], []
    )
    (root,) = roots(findings)
    assert (root.cause.says.en, root.cause.fix.en) == ("test says more", "test fix that fits")


def test_what_is_met_is_no_root():
    findings = evaluate([fixed(Outcome.UNKNOWN, "A-1", cause=CAUSE), fixed(Outcome.MET, "A-2", is_about=CAUSE)], [])
    assert [f.blocked_by for f in findings] == [None, None]


@dataclass(frozen=True)
class Row:
    outcome: Outcome
    level: Level = Level.MUST
    person: bool = False


class Person(Fixed):
    kind = "test-person"
    nature = Nature.ORGANISATIONAL


@pytest.mark.parametrize(
    ("rows", "options", "outcome", "code"),
    [
        ([Row(Outcome.MET)], {}, "ready", 0),
        ([Row(Outcome.MET), Row(Outcome.UNMET)], {}, "not_ready", 3),
        ([Row(Outcome.UNKNOWN), Row(Outcome.UNMET)], {}, "not_ready", 3),
        ([Row(Outcome.UNKNOWN), Row(Outcome.MET)], {}, "undetermined", 5),
        ([Row(Outcome.MET), Row(Outcome.UNMET, Level.SHOULD)], {}, "ready", 0),
        ([Row(Outcome.MET), Row(Outcome.UNMET, Level.SHOULD)], {"strict": True}, "ready", 4),
        ([Row(Outcome.UNKNOWN), Row(Outcome.UNMET, Level.SHOULD)], {"strict": True}, "undetermined", 5),
        ([Row(Outcome.MET), Row(Outcome.UNKNOWN, Level.SHOULD)], {"strict": True}, "ready", 0),
        ([Row(Outcome.MET), Row(Outcome.UNMET, Level.INFO)], {"strict": True}, "ready", 0),
        ([Row(Outcome.MET), Row(Outcome.UNKNOWN, person=True)], {}, "ready", 0),
        ([Row(Outcome.MET), Row(Outcome.UNKNOWN, person=True)], {"with_confirmations": True}, "ready", 5),
        ([Row(Outcome.MET), Row(Outcome.UNMET, person=True)], {"with_confirmations": True}, "ready", 3),
    ],
)
def test_verdict_and_exit_code(rows, options, outcome, code):
    items = [
        (Person if row.person else Fixed)(**header(id=f"A-{n}", level=row.level), outcome=row.outcome)
        for n, row in enumerate(rows)
    ]
    verdict = decide(evaluate(items, []), **options)
    assert (verdict.outcome, verdict.exit_code) == (VerdictOutcome(outcome), code)
    assert verdict.counts.confirmations_outstanding == sum(r.person and r.outcome is Outcome.UNKNOWN for r in rows)


def test_nothing_judged_is_an_error():
    with pytest.raises(NothingJudged):
        decide([])
    with pytest.raises(NothingJudged):
        decide(evaluate([Excluded(head(), "memory", Nature.TECHNICAL, msg("test"))], []))


def test_equal_questions_without_an_answer_are_one_cause_and_others_another():
    alike = [memory_of("1 GB", "A-1"), memory_of("2 GB", "A-2")]
    first, second = (f.verdict.cause for f in evaluate(alike, []))
    assert first == second
    (denied,) = evaluate([memory_of("1 GB")], [Observation(MemoryQuery(), Unseen(Reason.DENIED))])
    assert denied.verdict.cause != first
