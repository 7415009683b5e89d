"""Bounds on what is parsed, and refusals that name the line and quote nothing."""

from __future__ import annotations

import pytest

from vorflug.host.live.structured import Malformed, Unparsable, dig, parse_json, parse_yaml, scalar
from vorflug.ports.package import Problem


def test_good_documents():
    assert parse_json('{"a": [1]}', "f") == {"a": [1]}
    assert parse_yaml("a: &x [1]\nb: *x\n", "f") == {"a": [1], "b": [1]}
    assert parse_yaml("a: 2026-11-25\n", "f")["a"].isoformat() == "2026-11-25"


@pytest.mark.parametrize(
    ("parse", "text", "line"),
    [
        (parse_json, '{"geheim": }', 1),
        (parse_json, "[" * 100_000, None),
        (parse_yaml, "a: 1\nb: [geheim\n", 3),
        (parse_yaml, "a: 1\n\tgeheim: 2\n", 2),
        (parse_yaml, "a: *geheim\n", 1),
        (parse_yaml, "a: 1\nb: !geheim x\n", 2),
        (parse_yaml, "a: " + "[" * 1_000_000, 1),
        (parse_yaml, "{" * 101, 1),
        (parse_yaml, "a: \x00geheim", None),
        (parse_yaml, "a: 2026-13-45\n", None),
        (parse_yaml, "? [a]\n: 1\n", 1),
        (parse_yaml, "a: 1\n---\nb: 2\n", 2),
    ],
)
def test_refusals(parse, text, line):
    with pytest.raises(Unparsable) as refused:
        parse(text, "/etc/x")
    assert refused.value.line == line
    assert str(refused.value).startswith("/etc/x")
    assert "geheim" not in str(refused.value)


def test_a_billion_laughs_are_refused():
    text = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu", strict=True)
    )
    with pytest.raises(Unparsable, match="nodes") as refused:
        parse_yaml(text, "f")
    assert refused.value.line == 15


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: &b [1, *a]}\n"])
def test_what_holds_itself_is_refused(text):
    with pytest.raises(Unparsable, match="within"):
        parse_yaml(text, "f")


def test_anchors_as_compose_files_have_them():
    text = "x-c: &c {restart: always}\nservices:\n" + "".join(f"  s{n}: {{<<: *c, image: i}}\n" for n in range(500))
    assert parse_yaml(text, "f")["services"]["s499"] == {"restart": "always", "image": "i"}


@pytest.mark.parametrize(("value", "text"), [(None, ""), ([["x"]], ""), ({"a": 1}, ""), ("x", "x"), (5, "5")])
def test_only_scalars_are_written_out(value, text):
    assert scalar(value) == text


@pytest.mark.parametrize(("dotted", "value"), [("a", {"b": [1, {"c": None}]}), ("a.b.0", 1), ("a.b.1.c", None)])
def test_dig(dotted, value):
    assert dig({"a": {"b": [1, {"c": None}]}}, dotted) == value


@pytest.mark.parametrize("dotted", ["x", "a.b.2", "a.b.x", "a.b.0.c", ""])
def test_dig_finds_nothing(dotted):
    with pytest.raises(KeyError):
        dig({"a": {"b": [1, {"c": None}]}}, dotted)


def test_an_integer_that_python_writes_out_no_more_is_no_text():
    assert scalar(1 << 20_000) == ""


def test_a_number_of_very_many_digits_is_refused_and_no_crash():
    with pytest.raises(Malformed) as refused:
        parse_json('{"users": ' + "9" * 5000 + "}", "licence.json")
    assert refused.value.kind is Problem.VALUE
