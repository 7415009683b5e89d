from __future__ import annotations

from vorflug.model.message import render
from vorflug.model.running import Runs


def test_each_has_words_of_its_own():
    assert {one: render(one.said()) for one in Runs} == {
        Runs.YES: "runs",
        Runs.NO: "does not run",
        Runs.UNCLEAR: "not visible",
    }
