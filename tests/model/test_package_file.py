"""One cause for every finding on a file that cannot be used."""

from __future__ import annotations

import pytest

from vorflug.model.cause import Team
from vorflug.model.message import msg, render
from vorflug.model.package_file import FileFact, file_cause, file_gap, problem_text, values_gap
from vorflug.model.requirement import Outcome
from vorflug.ports.package import FileRead, Problem, Reading
from vorflug.texts import translator


@pytest.mark.parametrize("line", [None, 7])
@pytest.mark.parametrize("reading", list(Reading))
def test_every_reading_has_words_or_is_no_cause(reading, line):
    file = FileFact.of(FileRead("/srv/.env", reading, line, Problem.KEY_VALUE, "", 3))
    cause, gap = file_cause(file), file_gap(msg("x"), file)
    if reading is Reading.GOOD:
        assert cause is None and gap is None
        return
    assert (cause.kind, cause.subject) == (f"file.{reading}", "/srv/.env")
    assert "/srv/.env" in render(cause.says) and "/srv/.env" in render(cause.fix)
    assert gap.outcome is (Outcome.UNKNOWN if reading is Reading.DENIED else Outcome.UNMET)
    if reading is Reading.BROKEN:
        assert "wanted KEY=value" in render(cause.says)
        assert ("7" in render(cause.fix)) == (line is not None)


@pytest.mark.parametrize("reading", [r for r in Reading if r is not Reading.GOOD])
def test_the_cause_of_a_file_has_a_team_of_its_own_whichever_demand_met_it(reading):
    assert file_cause(FileFact(path="/srv/.env", reading=reading)).team is Team.PLATFORM


@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_is_said_in_german_too(problem):
    english, german = (render(problem_text(problem, "x7"), translator(language), language) for language in ("en", "de"))
    assert english != german
    with_detail = (Problem.JSON, Problem.YAML, Problem.SIZE, Problem.SERVICE)
    assert ("x7" in english) == ("x7" in german) == (problem in with_detail)


def test_a_foreign_parser_s_words_are_framed():
    file = FileFact(
        path="/c.yaml", reading=Reading.BROKEN, line=3, problem=Problem.YAML, detail="found a tab character"
    )
    german = render(file_cause(file).says, translator("de"), "de")
    assert german == "/c.yaml, Zeile 3: kein gültiges YAML (found a tab character)"


def test_a_broken_file_without_a_problem_is_still_broken():
    assert render(file_cause(FileFact(path="/c", reading=Reading.BROKEN)).says) == "/c: not well formed"


@pytest.mark.parametrize("missed", [False, True])
@pytest.mark.parametrize("reading", list(Reading))
def test_an_env_file_that_is_not_there_is_a_gap_only_where_a_variable_is_missed(reading, missed):
    file = FileFact(path="/srv/.env", reading=reading)
    gap = values_gap(msg("x"), file, missed=missed)
    without = reading in (Reading.ABSENT, Reading.EMPTY)
    assert gap == (None if without and not missed else file_gap(msg("x"), file))
