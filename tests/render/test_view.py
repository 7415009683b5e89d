from __future__ import annotations

import pytest

from render.parts import PROXY, cause, finding
from render.sample import interrupted, report
from vorflug.model.cause import Team
from vorflug.model.message import Message, msg
from vorflug.model.query import Reason
from vorflug.model.report import Root, VerdictOutcome
from vorflug.model.requirement import HostSize, Level, LocalText, Nature, Outcome
from vorflug.render.view import headline, subjects, technical, view


def entries(lists):
    return {e.id: e for team in lists for e in team.entries}


def test_every_open_technical_must_and_should_is_said_once_under_what_to_do_or_could_not_look():
    sample = report()
    story = view(sample)
    said = [
        id_
        for lists in (story.to_do, story.could_not_look)
        for e in entries(lists).values()
        for id_ in (*([e.finding.id] if e.finding else []), *(f.id for f in e.blocks))
    ]
    open_ = {
        f.id
        for f in sample.findings
        if f.nature is Nature.TECHNICAL
        and f.outcome in (Outcome.UNMET, Outcome.UNKNOWN)
        and not f.id.endswith(".recommended")
        and (f.level is not Level.INFO or f.outcome is Outcome.UNKNOWN)
    }
    assert len(said) == len(set(said))
    assert open_ <= set(said)


def test_the_team_whose_entry_blocks_most_musts_comes_first_and_a_persons_no_after_what_a_program_saw():
    teams = [t.team for t in view(report()).to_do]
    assert teams == [Team.PROXY, Team.OS, Team.STORAGE, Team.PROJECT, Team.PLATFORM]


def test_a_cause_that_a_finding_is_about_is_shown_as_that_finding_with_what_it_blocks():
    entry = entries(view(report()).to_do)["PRX-001"]
    assert [f.id for f in entry.blocks] == ["EGR-001", "EGR-002", "EGR-003", "EGR-004"]
    assert entry.says == PROXY.says
    assert entry.fix == PROXY.fix
    assert entry.seen is not None


def test_a_cause_of_its_own_with_only_unknown_behind_it_stands_under_could_not_look():
    story = view(report())
    entry = entries(story.could_not_look)["cause-2"]
    assert entry.finding is None and entry.outcome is Outcome.UNKNOWN and len(entry.blocks) == 4
    assert "cause-2" not in entries(story.to_do)


def test_the_floor_names_the_recommendation_and_the_recommendation_is_not_listed_again():
    listed = entries(view(report()).to_do)
    assert "48 GB" in listed["HW-002"].recommended.en
    assert "HW-002.recommended" not in listed
    assert listed["HW-002"].fits == (HostSize.S,)


def test_a_recommendation_whose_floor_is_met_stands_for_itself():
    sample = report(hostile=False, size=HostSize.S)
    assert {f.id: f.outcome for f in sample.findings}["HW-002"] is Outcome.MET
    assert entries(view(sample).to_do)["HW-002.recommended"].level is Level.SHOULD


def test_notes_are_no_work_to_do():
    assert "OS-040" not in entries(view(report()).to_do)


def test_confirmations_outstanding_have_a_list_of_their_own_and_refused_ones_are_work():
    story = view(report())
    assert [f.id for f in story.to_confirm] == ["ORG-001", "ORG-002", "ORG-003"]
    assert not {"ORG-001", "cause-3"} & (entries(story.to_do).keys() | entries(story.could_not_look).keys())
    refused = entries(story.to_do)["ORG-005"]
    assert not technical(refused)


def test_the_reasons_of_a_bad_verdict_are_the_roots_that_stand_in_the_way_one_sentence_each():
    said = [str(r.message()) if hasattr(r, "message") else str(r) for r in view(report()).reasons]
    assert said[0].startswith("proxy.corp:3128 wants Negotiate")
    assert len(said) == 3
    besides = [str(m) for m in view(report()).besides]
    assert besides == [
        "4 more musts are blocked by these.",
        "6 more musts are undetermined.",
        "3 points are still to be confirmed by people.",
    ]


@pytest.mark.parametrize("sample", [report(), report(hostile=False), report(size=HostSize.L), report(ready=True)])
def test_reasons_and_what_is_behind_them_add_up_to_the_counts(sample):
    story, counts = view(sample), sample.verdict.counts
    behind = sum(m.values.get("n", 1) for m in story.besides if "blocked by these" in m.text)
    undetermined = sum(m.values.get("n", 1) for m in story.besides if m.text.endswith("undetermined."))
    assert len(story.reasons) + behind == max(counts.must_unmet, 1)
    assert undetermined == counts.must_unknown


def test_one_must_behind_the_reasons_is_said_in_the_singular():
    sample = report(hostile=False)
    findings = tuple(f for f in sample.findings if f.id not in ("EGR-002", "EGR-003", "EGR-004"))
    counts = sample.verdict.counts.model_copy(update={"must_unmet": sample.verdict.counts.must_unmet - 3})
    verdict = sample.verdict.model_copy(update={"counts": counts})
    besides = view(sample.model_copy(update={"findings": findings, "verdict": verdict})).besides
    assert str(besides[0]) == "1 more must is blocked by these."


def test_a_ready_report_says_so_and_still_counts_confirmations():
    sample = report(ready=True)
    assert sample.verdict.outcome is VerdictOutcome.READY
    story = view(sample)
    assert [str(r) for r in story.reasons] == ["Every technical must that applies here is met."]
    assert [str(r) for r in story.besides] == ["3 points are still to be confirmed by people."]


def test_an_interrupted_run_is_called_partial():
    assert "SIGINT" in str(view(interrupted()).reasons[0])


def test_subjects_keep_the_profiles_order_and_lose_nothing():
    sample = report()
    groups = subjects(sample)
    assert sum(len(g.findings) for g in groups) == len(sample.findings)
    assert [g.name for g in groups][:3] == ["memory", "cpu", "storage"]
    assert len({g.name for g in groups}) == len(groups)


def test_counts_that_are_nought_are_left_out_but_what_is_met_is_always_said():
    counts = report(ready=True).verdict.counts
    nothing = counts.model_copy(update={"met": 0, "should_unmet": 0, "confirmations_outstanding": 1})
    assert [str(m) for m in headline(nothing)] == ["0 met", "1 confirmation outstanding"]


def test_a_root_that_names_findings_which_are_not_there_does_not_break_the_page():
    sample = report()
    ghost = Root(cause=PROXY, team=Team.PROXY, finding="GONE-1", blocks=("GONE-2",))
    assert view(sample.model_copy(update={"roots": (ghost,)})).to_do


def test_an_unmet_must_that_no_root_covers_makes_its_own_entry():
    lone = finding("X-1", "os", Outcome.UNMET, "Lone", "Einzeln", because=msg("Lone fault."))
    sample = report(hostile=False)
    listed = entries(view(sample.model_copy(update={"findings": (*sample.findings, lone)})).to_do)
    assert listed["X-1"].says.en == "Lone fault."


def test_what_people_answer_comes_after_what_was_looked_at():
    sample = report()
    turned = sample.model_copy(update={"findings": tuple(reversed(sample.findings))})
    assert subjects(turned)[-1].name == "confirmation" == turned.findings[0].subject


def unanswered(number, reason="not_asked", team=Team.OS):
    question = msg("What about {n}?", n=number)
    says = msg("Could not look: {reason}. The question was: {question}", reason=msg("not asked"), question=question)
    return finding(
        f"U-{number}", "os", Outcome.UNKNOWN, f"U {number}", f"U {number}", team=team, because=says,
        fix=msg("Run again, so that this is asked too (same operating model, longer --deadline)."),
        cause=cause(f"unseen.{reason}", str(question), says), reason=f"unseen.{reason}",
    )  # fmt: skip


def with_more(*found):
    sample = report(hostile=False)
    return sample.model_copy(update={"findings": (*sample.findings, *found)})


def test_questions_of_one_team_without_an_answer_for_one_reason_share_an_entry():
    others = (unanswered(90, "timeout"), unanswered(91, team=Team.PKI))
    listed = entries(view(with_more(*(unanswered(n) for n in range(25)), *others)).could_not_look)
    entry = listed["unseen-os-virtualisation-not_asked"]
    assert entry.says.en == "25 questions were not asked: What about 0?; What about 1?; What about 2?; and 22 more"
    assert [f.id for f in entry.blocks] == [f"U-{n}" for n in range(25)]
    assert [str(q) for q in entry.questions] == [f"What about {n}?" for n in range(25)]
    assert "Run again" in entry.fix.en and technical(entry)
    assert {"U-90", "U-91"} <= listed.keys() and not {f"U-{n}" for n in range(25)} & listed.keys()


def test_a_reason_that_this_version_does_not_know_is_left_as_it_is():
    listed = entries(view(with_more(unanswered(1, "newer"), unanswered(2, "newer"))).could_not_look)
    assert {"U-1", "U-2"} <= listed.keys()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_sentence(reason):
    listed = entries(view(with_more(unanswered(1, reason), unanswered(2, reason))).could_not_look)
    says = listed[f"unseen-os-virtualisation-{reason}"].says.en
    assert says.startswith("2 questions ") and says.endswith(": What about 1?; What about 2?")


ADVICE = {"en": "Enable chrony, with the internal time servers.", "de": "chrony mit internen Zeitservern aktivieren."}


@pytest.mark.parametrize(
    ("outcome", "fix", "shown"),
    [
        (Outcome.UNMET, "Do something else.", True),
        (Outcome.UNMET, "enable chrony with the internal time servers", False),
        (Outcome.UNMET, "First: enable chrony with the internal time servers. Then wait.", False),
        (Outcome.UNMET, "Enable chrony.", False),
        (Outcome.UNKNOWN, "Do something else.", False),
    ],
)
def test_advice_stands_there_where_it_applies_and_says_more_than_the_fix(outcome, fix, shown):
    lone = finding("X-1", "clock", outcome, "X", "X", advice=LocalText(**ADVICE), fix=Message(fix))
    story = view(with_more(lone))
    entry = entries([*story.to_do, *story.could_not_look])["X-1"]
    assert (entry.advice is not None) is shown
