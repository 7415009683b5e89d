from __future__ import annotations

import pytest

from render.parts import ESCAPE, RIGHT_TO_LEFT
from vorflug.engine import registry
from vorflug.model.cause import Team
from vorflug.model.message import msg
from vorflug.model.report import GaugeInfo, Sentence, VerdictOutcome
from vorflug.model.requirement import Basis, Level, LocalText, OperatingModel, Outcome, Phase
from vorflug.render import words
from vorflug.render.words import Speaker, amounts


@pytest.mark.parametrize(
    ("table", "closed"),
    [
        (words.VERDICTS, VerdictOutcome),
        (words.OUTCOMES, Outcome),
        (words.LEVELS, Level),
        (words.PHASES, Phase),
        (words.BASES, Basis),
        (words.MODELS, OperatingModel),
        (words.SHORT_TEAMS, Team),
    ],
)
def test_every_value_of_a_closed_set_has_a_word_in_both_languages(table, closed):
    assert set(table) == set(closed)
    for said in table.values():
        assert Speaker("en")(said) and Speaker("de")(said)


@pytest.mark.parametrize("language", ["en", "de"])
def test_short_team_names_fit_the_terminals_left_column(language):
    assert max(len(Speaker(language)(name)) for name in words.SHORT_TEAMS.values()) <= 10


def test_a_sentence_whose_values_do_not_fit_its_template_is_said_in_its_own_english():
    for text in ("{gone}", "{n:size}", "{n:bogus}", "{", "{n.__class__}", "{0}"):
        broken = Sentence(text=text, values={"n": "x"}, en="What it said.")
        assert Speaker("de")(broken) == "What it said."


def test_no_value_of_a_report_from_anywhere_ends_the_reading():
    deep = {"text": "{a}", "en": "x", "values": {"a": 1}}
    for _ in range(400):
        deep = {"text": "{a}", "en": "x", "values": {"a": deep}}
    values = (10**400, -(10**400), float("nan"), float("inf"), "z", None, [[]], deep, {"text": 5, "en": 5})
    for value in values:
        for format_ in ("", ":size", ":duration", ":percent", ":rate", ":list", ":or", ":date"):
            said = Sentence(text=f"{{a{format_}}}", values={"a": value}, en="What it said.")
            assert isinstance(Speaker("de")(said), str)
    assert Speaker("de")(Sentence(text="{a:size}", values={"a": 10**400}, en="What it said.")) == "What it said."
    assert Speaker("de")(Sentence(text="{a}", values={"a": deep}, en="What it said.")) == "What it said."


def test_nothing_hostile_gets_through_whichever_part_of_a_sentence_holds_it():
    hostile = ESCAPE + RIGHT_TO_LEFT
    for said in (
        hostile,
        LocalText(en=hostile, de=hostile),
        Sentence(text=hostile, en=hostile),
        Sentence(text="{x}", values={"x": hostile}, en=hostile),
        Sentence(text="{x", en=hostile),
        Sentence(text="t", en=hostile, de=hostile),
    ):
        for language in ("en", "de"):
            shown = Speaker(language)(said)
            assert "\x1b" not in shown and "\u202e" not in shown
            assert "\\u001b" in shown and "\\u202e" in shown


def test_no_sentence_is_endless():
    assert len(Speaker("en")("x" * 100_000)) < 1000
    assert len(Speaker("en")(Sentence(text="x" * 100_000, en="x"))) < 5000


def test_subjects_are_named_by_their_area_and_unknown_ones_by_themselves():
    assert Speaker("en").subject("memory") == str(registry.title("memory"))
    assert Speaker("en").subject("../etc") == "../etc"


@pytest.mark.parametrize(
    ("unit", "said"),
    [("B", "2 KiB there, 4 KiB wanted"), ("1", "2048 there, 4096 wanted"), ("s", "34.1 min measured, 68.3 min wanted"),
     ("bit/s", "2 kbit/s measured, 4.1 kbit/s wanted")],
)  # fmt: skip
def test_a_capacity_is_said_in_its_unit(unit, said):
    assert str(amounts(GaugeInfo(have=2048, want=4096, unit=unit))) == said


def test_the_page_says_numbers_as_its_readers_write_them():
    assert Speaker("de")(msg("{have:size}", have=1.5 * 2**30)) == "1,5 GiB"
