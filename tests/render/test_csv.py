from __future__ import annotations

import csv
import io

import pytest

from render.sample import report
from vorflug.render.csv import COLUMNS, guarded, render_csv


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


@pytest.mark.parametrize("lang", ["en", "de"])
def test_one_row_for_every_finding_and_as_many_cells_as_columns(lang):
    sample = report()
    found = rows(render_csv(sample, lang=lang))
    assert found[0] == list(COLUMNS)
    assert [r[0] for r in found[1:]] == [f.id for f in sample.findings]
    assert {len(r) for r in found} == {len(COLUMNS)}


def test_lines_end_as_rfc_4180_says():
    text = render_csv(report(), lang="en")
    assert text.count("\r\n") == text.count("\n") == len(report().findings) + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\u00a0=", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(start):
    assert guarded(f"{start}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("between", [";", "\t", "|", "\n", "; ", '";"', "|\t ", ";'\"", ";\u00a0"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_no_cell_becomes_a_formula_where_another_separator_splits_it(between, start):
    assert guarded(f"a{between}{start}cmd|' /C calc'!A0") == f"a{between}'{start}cmd|' /C calc'!A0"
    assert guarded(f"a{between}{start}1{between}{start}2").count(f"{between}'{start}") == 2


def test_plain_text_stays_as_it_is():
    for text in ("at least 32 GB", "", "a; b - c", "x-y", "8 + 8 = 16"):
        assert guarded(text) == text


def test_hostile_names_are_visible_cells():
    sample = report(hostile=False)
    bad = sample.findings[0].model_copy(update={"id": '=HYPERLINK("http://x","y")\x1b'})
    found = rows(render_csv(sample.model_copy(update={"findings": (bad, *sample.findings[1:])}), lang="en"))
    assert found[1][0] == '\'=HYPERLINK("http://x","y")\\u001b'


def test_the_words_are_the_readers():
    assert rows(render_csv(report(), lang="de"))[1][2] == "nicht erfüllt"
