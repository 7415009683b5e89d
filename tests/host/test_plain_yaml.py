"""Plain values survive as they are, in a text that people can read, and nothing else is read."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vorflug.host import plain_yaml
from vorflug.host.plain_yaml import Unreadable, read, write

LINES = st.lists(
    st.text(st.sampled_from(" \t#:-|>\"'\\aä\U0001f600\x00\x1b\r\x85\u2028\ufeff"), max_size=6), max_size=5
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | LINES.map("\n".join)
ODD = st.text(st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF) | st.sampled_from("ab\n :"), max_size=6)
KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda key: key != "=json")
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)


def nested(texts):
    values = st.recursive(
        PLAIN | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    )
    return st.dictionaries(KEYS, values, max_size=3) | st.lists(values, max_size=3) | values


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nested(TEXTS))
def test_every_value_comes_back_and_other_readers_read_the_same(value):
    text = write(value)
    assert read(text, "x") == value
    assert read(text.encode(), "x") == value
    if "e" not in text.replace("true", "").replace("false", ""):  # YAML 1.1 wants a dot and a sign in 1.0e+16
        assert yaml.safe_load(text) == value


@settings(max_examples=200, deadline=None)
@given(nested(TEXTS | ODD))
def test_names_that_are_no_utf8_come_back(value):
    assert read(write(value), "x") == value


def test_what_people_see():
    value = {
        "path": "/proc/cpuinfo",
        "text": "processor\t: 0\nbugs\t\t: \n\nend\n",
        "cut": "a\nb",
        "indented": "  a\n b\n",
        "none": None,
        "no": "no",
        "number": "12",
        "crlf": "a\r\n  b\r\n",
        "list": [{"a": 1, "b": []}, [1.5, True], "x y"],
        "name": "caf\udce9",
    }
    assert write(value) == (
        "path: /proc/cpuinfo\n"
        "text: |\n  processor\t: 0\n  bugs\t\t: \n\n  end\n"
        "cut: |-\n  a\n  b\n"
        "indented: |2\n    a\n   b\n"
        "none: null\n"
        '"no": "no"\n'
        'number: "12"\n'
        'crlf: "a\\r\\n\\\n  \\  b\\r\\n"\n'
        "list:\n  - a: 1\n    b: []\n  - - 1.5\n    - true\n"
        '  - "x y"\n'
        'name:\n  =json: "\\"caf\\\\udce9\\""\n'
    )


def test_what_is_no_plain_value_is_not_written():
    with pytest.raises(TypeError, match="bytes"):
        write({"a": b"x"})


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "aliases"),
        ("a: 1\nb: !!int 3\n", 2, "tags"),
        ("a: !secret 3\n", 1, "tags"),
        ("%YAML 1.2\n---\na: 1\n", 1, "directives"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("a: 1\nb: 1\na: 2\n", 3, "once"),
        ("? [a]\n: 1\n", 1, "once"),
        ("1: a\n", 1, "as a text"),
        ("a: yes\n", 1, "quotes"),
        ("a: \n", 1, "quotes"),
        ("a: 1\nb: [1\n", 3, "YAML"),
        ("a: 1\nb:\n\t- 1\n", 3, "YAML"),
        ("a:\n  =json: '[1]'\n", 2, "JSON"),
        ("a:\n  =json: 'x'\n", 2, "JSON"),
        ("a:\n  =json: 3\n", 2, "JSON"),
        (f"a: {'[' * 40}{']' * 40}\n", 1, "levels"),
    ],
)
def test_what_is_refused_and_where(text, line, why):
    with pytest.raises(Unreadable, match=rf"^some\.yaml:{line}: .*{why}"):
        read(text, "some.yaml")


@pytest.mark.parametrize(
    ("data", "why"), [("", "nothing"), (b"a: \xff\n", "UTF-8"), ("a: \x01\n", "control"), ("# only\n", "nothing")]
)
def test_what_is_no_text_is_refused(data, why):
    with pytest.raises(Unreadable, match=rf"^some\.yaml: .*{why}"):
        read(data, "some.yaml")


def test_what_is_too_large_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(plain_yaml, "MOST_BYTES", 8)
    assert read("a: 12345", "x") == {"a": 12345}
    with pytest.raises(Unreadable, match="at most 8 bytes, saw 9"):
        read("a: 123456", "x")


def test_too_many_values_are_refused(monkeypatch):
    monkeypatch.setattr(plain_yaml, "_MOST_VALUES", 4)
    assert read("[1, 2, 3]", "x") == [1, 2, 3]
    with pytest.raises(Unreadable, match="4 values"):
        read("[1, 2, 3, 4]", "x")


def test_a_mapping_knows_its_line():
    document = read("a: 1\nb:\n  - c: 2\n  - d: 3\n", "x")
    assert (document.line, document["b"][0].line, document["b"][1].line) == (1, 3, 4)
