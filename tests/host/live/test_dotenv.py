"""``.env`` files as people write them, read as Compose reads them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.host.live.dotenv import parse_env
from vorflug.host.live.structured import Unparsable

COMPOSE = json.loads((Path(__file__).parent / "dotenv_compose.json").read_text(encoding="utf-8"))
"""What compose-go made of each text (it says in which version)."""
AT_LEAST = 40


def read(text):
    try:
        return parse_env(text, "f")
    except Unparsable:
        return None


@pytest.mark.parametrize("case", COMPOSE["cases"], ids=lambda case: case["about"])
def test_it_reads_what_compose_reads(case):
    said = case["values"]
    # compose-go gives "=1", and a last line without "=" and line end, to a variable without a name: no variable at all
    assert read(case["text"]) == (None if said is None else {key: value for key, value in said.items() if key})


def test_the_table_is_not_empty():
    assert len(COMPOSE["cases"]) >= AT_LEAST
    assert "compose-go/v2 v2." in COMPOSE["made_with"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\r\nB = 2 # comment\n#C=3\n\n", {"A": "1", "B": "2"}),
        ("export A='x # y'\nB=\"a\\nb\"\n", {"A": "x # y", "B": "a\nb"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("URL=https://h/p?a=b&c=d#e\n", {"URL": "https://h/p?a=b&c=d#e"}),
    ],
)
def test_good(text, values):
    assert parse_env(text, "f") == values


def test_a_key_without_an_equals_sign_is_not_set():
    """Compose takes it from its own environment, which nobody knows here."""
    assert parse_env("A\nB=\nC", "f") == {"B": ""}


def test_a_dollar_sign_in_a_password_takes_the_rest_of_it_away():
    assert parse_env("A=$ecret\nB=Tr0ub$adour\nC='Tr0ub$adour'\nD=Tr0ub$$adour\n", "f") == {
        "A": "",
        "B": "Tr0ub",
        "C": "Tr0ub$adour",
        "D": "Tr0ub$adour",
    }


def test_only_a_space_makes_a_comment():
    assert parse_env("A=1 #c\nB=1#c\nC=1\t#c\nD= #c\n", "f") == {"A": "1", "B": "1#c", "C": "1\t#c", "D": "#c"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nB C=geheim\n", 2),
        ("'geheim\n", 1),
        ("\n\nA='geheim\n", 3),
        ("A=1\n# c\n\nB=${geheim\n", 4),
        ('A="1\n2"\nB="geheim\nC=3\n', 3),
    ],
)
def test_a_broken_line_is_named_and_not_quoted(text, line):
    with pytest.raises(Unparsable) as refused:
        parse_env(text, ".env")
    assert refused.value.line == line
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named_as_such(encoding):
    """As the files port gives it: bytes that are no UTF-8 are replaced."""
    text = "A=geheim\n".encode(encoding).decode("utf-8", "replace")
    with pytest.raises(Unparsable, match="UTF-16"):
        parse_env(text, ".env")


def test_variables_made_of_variables_do_not_grow_without_bound():
    doubling = "A0=xxxxxxxx\n" + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(40))
    for text in (doubling, f"A={'x' * 100_000}\n" + "B=$A\n" * 100):
        with pytest.raises(Unparsable, match="shorter value"):
            parse_env(text, ".env")


@pytest.mark.parametrize(
    "text", ["A=" + "${A:-" * 50_000, "A=" + "${A:-" * 50_000 + "}" * 50_000, "A=" + "${A}" * 250_000, "A" * (1 << 20)]
)
def test_a_hostile_file_comes_back_soon(text):
    read(text + "\n")


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    with suppress(Unparsable):
        assert all(isinstance(v, str) for v in parse_env(text, "f").values())
