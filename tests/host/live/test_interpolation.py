"""Variables as Compose fills them in; the table of ``test_dotenv.py`` holds what compose-go itself said."""

from __future__ import annotations

import pytest

from vorflug.host.live.interpolation import NotFilledIn, fill_in

VALUES = {"A": "1", "E": "", "a": "small"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("$A-${A}-$a", "1-1-small"),
        ("$NONE.${NONE}", "."),
        ("$$A $${A}", "$A ${A}"),
        ("5$ $1 $-", "5$ $1 $-"),
        ("${A:-x}${E:-x}${E-x}${N-x}", "1xx"),
        ("${A:+x}${E:+x}${E+x}${N+x}", "xx"),
        ("${A:?m}${E?m}", "1"),
        ("${N:-${M:-$A}}!", "1!"),
        # compose-go looks at nothing right behind an opening brace, so that this "}" closes nothing
        ("${N:-{}}!}", "{}}!"),
        ("${N:-a}\n}", "a\n}"),
    ],
)
def test_filled_in(text, filled):
    assert fill_in(text, VALUES) == filled


@pytest.mark.parametrize("text", ["${", "${}", "${A", "${1}", "${A B}", "${A:-x", "${A:}", "${A:-x\n}"])
def test_what_is_no_variable(text):
    with pytest.raises(NotFilledIn, match="wanted a variable"):
        fill_in(text, VALUES)


@pytest.mark.parametrize("text", ["${N:?geheim}", "${E:?geheim}", "${N?geheim}"])
def test_what_must_be_set(text):
    with pytest.raises(NotFilledIn, match="not set here") as refused:
        fill_in(text, VALUES)
    assert "geheim" not in str(refused.value)


def test_nesting_and_length_are_bounded():
    assert fill_in("${N:-" * 50 + "x" + "}" * 50, VALUES) == "x"
    with pytest.raises(NotFilledIn, match="deeply"):
        fill_in("${N:-" * 51 + "x" + "}" * 51, VALUES)
    with pytest.raises(NotFilledIn, match="shorter"):
        fill_in("$B$B", {"B": "x" * 600_000})
