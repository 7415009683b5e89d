"""answer -> verdict: nothing is asked of the host."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from conftest import header
from vorflug.areas.confirmation import ConfirmationRequirement
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.requirement import Nature, Outcome


def make(**fields):
    return ConfirmationRequirement.model_validate(header(**fields))


def answer(**fields):
    return {"confirmed": True, "by": "Ada Lovelace", "on": "2026-11-20", **fields}


@pytest.mark.parametrize(
    ("answered", "outcome", "seen"),
    [
        (None, Outcome.UNKNOWN, None),
        (answer(), Outcome.MET, "Ada Lovelace, 2026-11-20"),
        (answer(evidence="ticket 4711"), Outcome.MET, "Ada Lovelace, 2026-11-20: ticket 4711"),
        (answer(confirmed=False, evidence="\x1b[2J"), Outcome.UNMET, "Ada Lovelace, 2026-11-20: \\u001b[2J"),
    ],
)
def test_verdict(answered, outcome, seen):
    verdict = make(answer=answered).judge(Evidence())
    assert verdict.outcome is outcome
    assert (render(verdict.seen) if verdict.seen else None) == seen
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_outstanding_confirmations_share_one_cause_and_name_their_line():
    first, second = make(id="ORG-001").judge(Evidence()), make(id="ORG-002").judge(Evidence())
    assert first.cause == second.cause and first.cause.kind == "confirmation.outstanding"
    assert "ORG-001: {confirmed: true, by: NAME, on: YYYY-MM-DD}" in render(first.fix)


def test_what_is_wanted_is_the_profile_s_own_text_in_both_languages():
    asks = {"en": "channel and owner", "de": "Kanal und Verantwortliche"}
    assert render(make(asks=asks).wanted()) == "confirmed: channel and owner"
    assert render(make(asks=asks).wanted(), language="de").endswith("Kanal und Verantwortliche")
    assert render(make().wanted()) == "confirmed: Title"


def test_nothing_is_asked():
    assert make().queries(Evidence()) == []
    assert ConfirmationRequirement.nature is Nature.ORGANISATIONAL


def test_an_answer_without_a_name_is_refused():
    with pytest.raises(ValidationError):
        make(answer=answer(by=""))
