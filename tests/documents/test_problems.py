"""Mistakes in the order of the file, and the word that was probably meant."""

from __future__ import annotations

import pytest

from vorflug.documents.problems import MOST_PROBLEMS, DocumentError, Place, Problem, Problems, near
from vorflug.model.message import msg


@pytest.mark.parametrize(
    ("seen", "known", "meant"),
    [
        ("at_leest", ["at_least", "tolerance"], "at_least"),
        ("preinstall", ["pre-install", "go-live"], "pre-install"),
        ("Must", ["must", "should"], "must"),
        ("llm_provider", ["llm.provider"], "llm.provider"),
        ("ORG-O1", ["ORG-01", "NET-01"], "ORG-01"),
        ("banana", ["must", "should"], None),
        ("must" * 100, ["must"], None),
        (7, ["7"], None),
        ("x", [], None),
    ],
)
def test_did_you_mean(seen, known, meant):
    assert near(seen, known) == meant


def test_one_line_for_each_in_the_order_of_the_file():
    problems = Problems()
    for line, column in ((9, 1), (2, 5), (2, 3), (9, 1)):
        problems.add(Place("f", line, column), msg("bad"))
    with pytest.raises(DocumentError) as refused:
        problems.refuse()
    assert str(refused.value).splitlines() == ["f:2:3: bad", "f:2:5: bad", "f:9:1: bad"]


def test_a_whole_file_has_no_line():
    problems = Problems()
    problems.add(Place("f"), msg("not there"))
    with pytest.raises(DocumentError, match=r"^f: not there$"):
        problems.refuse()


def test_nothing_wrong_refuses_nothing():
    Problems().refuse()


def test_enough_is_enough():
    problems = Problems()
    many = [Problem(Place("f", line, 1), msg("bad")) for line in range(1, 1000)]
    with pytest.raises(DocumentError) as refused:
        problems.extend(many)
    assert len(refused.value.problems) == MOST_PROBLEMS + 1


def test_hostile_names_are_shown_not_interpreted():
    problems = Problems()
    problems.add(Place("f\x1b[31m", 1, 1), msg("saw {seen}", seen="\u202e"))
    with pytest.raises(DocumentError) as refused:
        problems.refuse()
    assert str(refused.value) == "f\\u001b[31m:1:1: saw \\u202e"
