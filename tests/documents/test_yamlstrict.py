"""Bytes -> one mapping with places; everything that could mean two things, or grow, is refused by its line."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vorflug.documents import yamlstrict
from vorflug.documents.problems import DocumentError
from vorflug.documents.yamlstrict import MOST_BYTES, MOST_DEPTH, Map, Seq, find


def load(text):
    return yamlstrict.load(text if isinstance(text, bytes) else text.encode(), "f.yaml")


def refusals(text):
    with pytest.raises(DocumentError) as refused:
        load(text)
    return [(p.place.line, str(p.says)) for p in refused.value.problems]


REFUSED = {
    "empty": ("", 1, "empty file"),
    "only a comment": ("# nothing\n", 1, "empty file"),
    "a list": ("- a\n", 1, "a list or a single value"),
    "a word": ("word\n", 1, "a list or a single value"),
    "anchor": ("a: 1\nb: &x 2\n", 2, "anchors (&x) are not allowed"),
    "anchor on a mapping": ("a: 1\nb: &x\n  c: 1\n", 2, "anchors (&x) are not allowed"),
    "alias": ("a: 1\nb: *x\n", 2, "aliases"),
    "tag": ("a: 1\nb: !!str 2\n", 2, "tags (tag:yaml.org,2002:str) are not allowed"),
    "python tag": ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "tags"),
    "local tag": ("a: 1\nb: !x 2\n", 2, "tags (!x) are not allowed"),
    "undefined tag": ("a: 1\nb: !x!y 2\n", 2, "tags are not allowed"),
    "bare tag": ("a: 1\nb: ! 2\n", 2, "tags (!) are not allowed"),
    "merge key": ("a: 1\nb:\n  <<: {c: 1}\n", 3, "merge keys (<<) are not allowed"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "a stands here a second time; the first is on line 1"),
    "duplicate key in braces": ("a: 1\nb: {c: 1, c: 2}\n", 2, "c stands here a second time"),
    "second document": ("a: 1\n---\nb: 1\n", 2, "a second one after '---'"),
    "directive": ("%YAML 1.1\n---\na: 1\n", 1, "directives"),
    "tag directive": ("%TAG ! tag:x,2000:\n---\na: 1\n", 1, "directives"),
    "list as key": ("a: 1\n? [b]\n: c\n", 2, "wanted a name before ':'"),
    "no key": ("a: {'': 1}\n", 1, "wanted a name before ':', saw nothing"),
    "octal": ("a: 1\nb: 0777\n", 2, "saw 0777"),
    "octal 1.2": ("a: 0o17\n", 1, "saw 0o17"),
    "hex": ("a: 0x1F\n", 1, "saw 0x1F"),
    "binary": ("a: 0b11\n", 1, "saw 0b11"),
    "underscores": ("a: 1_000\n", 1, "saw 1_000"),
    "sexagesimal": ("a: 1:30\n", 1, "saw 1:30"),
    "sexagesimal float": ("a: 1:30.5\n", 1, "saw 1:30.5"),
    "infinity": ("a: .inf\n", 1, "saw .inf"),
    "not a number": ("a: .NaN\n", 1, "saw .NaN"),
    "too large": ("a: 1e999\n", 1, "too large a number"),
    "too many digits": ("a: " + "9" * 19 + "\n", 1, "write a plain decimal number"),
    "a number of a kilobyte": ("a: " + "9" * 1000 + "\n", 1, "write a plain decimal number"),
    "NUL": ("a: 1\nb: x\0\n", 2, "U+0000"),
    "escape": ("a: 1\nb: x\x1b[31m\n", 2, "U+001B"),
    "escaped escape": ('a: 1\nb: "\\e[31m"\n', 2, "U+001B"),
    "escaped escape in a name": ('a: 1\n"\\e": 1\n', 2, "U+001B"),
    "bidi override": ("a: 1\nb: x\u202ey\n", 2, "U+202E"),
    "line separator": ("a: x\u2028y\n", 1, "U+2028"),
    "not UTF-8": (b"a: 1\nb: \xff\n", 2, "wanted UTF-8, saw the byte 0xff"),
    "UTF-16": ("a: 1\n".encode("utf-16"), 1, "wanted UTF-8"),
    "UTF-16 without mark": ("a: 1\n".encode("utf-16-le"), 1, "U+0000"),
    "tab": ("a:\n\t- b\n", 2, "indent with spaces"),
    "two colons": ("a: 1\nb: c: d\n", 2, "a second ': '"),
    "bad indentation": ("a:\n  b: 1\n c: 2\n", 3, "check the indentation"),
    "open bracket": ("a: 1\nb: [1, 2\n", 2, "list in brackets that begins here"),
    "open brace": ("a: 1\nb: {c: 1\n", 2, "fields in braces that begin here"),
    "open quote": ("a: 1\nb: 'x\n", 2, "lacks its closing quote"),
    "5,000 brackets": ("a: 1\nb: " + "[" * 5000, 2, f"at most {MOST_DEPTH} levels"),
    "5,000 braces": ("a: 1\nb: " + "{a: " * 5000, 2, f"at most {MOST_DEPTH} levels"),
    "5,000 levels of indentation": ("".join(" " * n + "a:\n" for n in range(700)), 33, f"at most {MOST_DEPTH} levels"),
    "5,000 closed brackets": ("a: " + "[" * 5000 + "]" * 5000, 1, f"at most {MOST_DEPTH} levels"),
    "2 MiB": ("a: 1\n" * (2 << 20), 1, "at most 1 MiB"),
    "many values": ("a: [" + "[]," * 200_000 + "]", 1, "at most 50000 values"),
    "a mebibyte of brackets": ("[" * MOST_BYTES, 1, "levels"),
    "a mebibyte of dashes": ("- " * (MOST_BYTES // 2), 1, "levels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_line_and_at_once(name):
    text, line, part = REFUSED[name]
    began = time.process_time()
    found = refusals(text)
    assert time.process_time() - began < 0.5
    assert any(at == line and part in says for at, says in found), found


@pytest.mark.parametrize(
    "word", [w for b in ("y", "yes", "n", "no", "on", "off") for w in (b, b.capitalize(), b.upper())]
)
def test_words_that_yaml_1_1_takes_for_booleans_want_quotes(word):
    (line, says), *more = refusals(f"a: 1\nb: {word}\n")
    assert (line, more) == (2, []) and f"saw {word}," in says
    assert load(f"b: '{word}'") == {"b": word}
    assert load(f"{word}: 1") == {word: 1}  # a name is text in any reading of ours


@pytest.mark.parametrize(
    "long", ["1" + "_" * 900_000 + "x", "0" * 900_000 + "x", "1:" * 450_000 + "x", "." * 900_000, "-" * 900_000 + "1"]
)
def test_no_pattern_takes_its_time(long):
    began = time.process_time()
    with suppress(DocumentError):
        load(f"a: {long}")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("0", 0), ("-1", -1), ("+7", 7),
        ("8443", 8443), ("1.5", 1.5), ("1e3", 1000.0), ("24.04", 24.04), ("2026-11-25", "2026-11-25"), ("32 GB", "32 GB"),
        ("10.20.0.0/16", "10.20.0.0/16"), ("10.1.0.53:53", "10.1.0.53:53"), ("yesterday", "yesterday"), ("Norway", "Norway"),
        ("'1'", "1"), ('"true"', "true"), ("1.2.3", "1.2.3"), ("7 %", "7 %"), ("-x", "-x"), ("https://a.b/c", "https://a.b/c"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(written, value):
    loaded = load(f"a: {written}")["a"]
    assert loaded == value and type(loaded) is type(value)


def test_every_value_knows_its_place():
    root = load("a: 1\nb:\n  - x\n  - {c: 24.10, d: [2]}\n")
    assert isinstance(root, Map) and isinstance(root["b"], Seq)
    assert find(root, ("b", 1, "c"), root.at) == (24.1, ("f.yaml", 4, 9, "24.10"), 3)
    assert find(root, ("b", 1, "d", 0), root.at)[1][1:3] == (4, 20)
    assert root["b"][1].keys_at["d"][1:3] == (4, 16)
    # a path that leads nowhere ends at the last thing that is there
    assert find(root, ("b", 9, "c"), root.at)[2] == 1


def test_all_mistakes_are_named_not_only_the_first():
    found = refusals("a: yes\nb: &x 1\nc: 0777\na: 1\n")
    assert [line for line, _ in found] == [1, 2, 3, 4]


def test_after_fifty_mistakes_it_is_enough():
    found = refusals("".join(f"a{n}: yes\n" for n in range(90)))
    assert len(found) == 51 and "the rest was not read" in found[-1][1]


def test_a_byte_order_mark_is_no_mistake():
    assert load(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**17), 10**17)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
)


@settings(deadline=None, max_examples=150)
@given(DOCUMENTS)
def test_what_loads_reads_back_as_itself(document):
    """JSON is YAML: whatever it says must load as itself, or be refused; never as something else."""
    try:
        once = load(json.dumps(document, ensure_ascii=False))
    except DocumentError:
        return
    assert _same(once, document)
    assert _same(load(json.dumps(once, ensure_ascii=False)), once)


def _same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b) or a == b
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return a == b and type(a) is type(b)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}'\"#&*!|>%@`?,\n\t 019.<=~yes", max_size=60).map(str.encode))
@example(b'a: "\\ud800"')
@example(b"a: |\n  \xf0\x9f\x98\x80\n")
def test_anything_loads_or_is_refused_with_a_line(data):
    try:
        loaded = yamlstrict.load(data, "f.yaml")
    except DocumentError as refused:
        found = refused.problems
        assert found and all(p.place.line >= 1 for p in found)
    else:
        assert isinstance(loaded, Map)
        assert _same(load(json.dumps(loaded, ensure_ascii=False)), loaded)
