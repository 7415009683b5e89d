"""``.env`` files as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.host.live.dotenv import parse_env
from vorflug.host.live.structured import Unparsable


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\r\nB = 2 # comment\n#C=3\n\n", {"A": "1", "B": "2"}),
        ("export A='x # y'\nB=\"a\\nb\"\n", {"A": "x # y", "B": "a\nb"}),
        ("A=${B:-c}$D\n", {"A": "${B:-c}$D"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("A\nB=\n", {"A": "", "B": ""}),
        ("URL=https://h/p?a=b&c=d#e\n", {"URL": "https://h/p?a=b&c=d#e"}),
        ("\ufeffA=1", {"A": "1"}),
    ],
)
def test_good(text, values):
    assert parse_env(text, "f") == values


@pytest.mark.parametrize(("text", "line"), [("A=1\n=geheim\n", 2), ("'geheim\n", 1), ("\n\nA='geheim\n", 3)])
def test_a_broken_line_is_named_and_not_quoted(text, line):
    with pytest.raises(Unparsable) as refused:
        parse_env(text, ".env")
    assert refused.value.line == line
    assert "geheim" not in str(refused.value)


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    with suppress(Unparsable):
        assert all(isinstance(v, str) for v in parse_env(text, "f").values())
