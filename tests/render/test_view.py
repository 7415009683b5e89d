from __future__ import annotations

from render.parts import PROXY, finding
from render.sample import interrupted, report
from vorflug.model.cause import Team
from vorflug.model.message import msg
from vorflug.model.report import Root, VerdictOutcome
from vorflug.model.requirement import HostSize, Level, Nature, Outcome
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
    assert said[-2:] == ["6 more musts could not be decided.", "3 points are still to be confirmed by people."]
    assert len(said) == 5


def test_a_ready_report_says_so_and_still_counts_confirmations():
    sample = report(ready=True)
    assert sample.verdict.outcome is VerdictOutcome.READY
    said = [str(r) for r in view(sample).reasons]
    assert said == ["Every technical must that applies here is met.", "3 points are still to be confirmed by people."]


def test_an_interrupted_run_is_called_partial():
    assert "SIGINT" in str(view(interrupted()).reasons[-1])


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
