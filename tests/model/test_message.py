"""Messages are data; what comes from outside is shown, never interpreted."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.model.message import Message, Text, listed, msg, render, sentences, visible
from vorflug.model.report import Sentence


@pytest.mark.parametrize(
    ("value", "form", "en", "de"),
    [
        (32_000_000_000, "size", "32 GB", "32 GB"),
        (32 * 2**30, "size", "32 GiB", "32 GiB"),
        (16_750_000_128, "size", "15.6 GiB", "15,6 GiB"),
        (1000, "size", "1000 B", "1000 B"),
        (16_750_000_128, "sizes", "15.6 GiB (16.8 GB)", "15,6 GiB (16,8 GB)"),
        (32_000_000_000, "sizes", "32 GB", "32 GB"),
        (10**9, "sizes", "1 GB", "1 GB"),
        (10**9 + 1, "sizes", "953.7 MiB (1 GB)", "953,7 MiB (1 GB)"),
        (10**9 - 1, "sizes", "953.7 MiB", "953,7 MiB"),
        (2**41, "sizes", "2 TiB (2.2 TB)", "2 TiB (2,2 TB)"),
        (10**12 + 1, "sizes", "931.3 GiB (1 TB)", "931,3 GiB (1 TB)"),
        (10**12, "sizes", "1 TB", "1 TB"),
        (0, "size", "0 B", "0 B"),
        (250_000_000_000, "size", "250 GB", "250 GB"),
        (0.07, "percent", "7 %", "7 %"),
        (0.125, "percent", "12.5 %", "12,5 %"),
        (86400 * 30, "duration", "30 d", "30 d"),
        (0.0035, "duration", "3.5 ms", "3,5 ms"),
        (90, "duration", "90 s", "90 s"),
        (0, "duration", "0 s", "0 s"),
        (10_000_000, "rate", "10 Mbit/s", "10 Mbit/s"),
        (("a", "b", "c"), "list", "a, b and c", "a, b und c"),
        (("a",), "or", "a", "a"),
        ((), "list", "", ""),
        (1.5, "", "1.5", "1,5"),
    ],
)
def test_formats(value, form, en, de):
    template = Message(f"{{x:{form}}}" if form else "{x}", {"x": value})
    german = {"{rest} and {last}": "{rest} und {last}", "{rest} or {last}": "{rest} oder {last}"}
    assert render(template) == en
    assert render(template, lambda t: german.get(t, t), "de") == de


def test_messages_nest_and_translate_all_the_way_down():
    inner = msg("met")
    outer = Message("it is {what}", {"what": inner})
    german = {"met": "erfüllt", "it is {what}": "es ist {what}"}
    assert render(outer, lambda t: german[t], "de") == "es ist erfüllt"


def test_profile_texts_carry_both_languages():
    assert render(Text("Memory", "Arbeitsspeicher"), language="de") == "Arbeitsspeicher"
    assert render(Text("Memory", "Arbeitsspeicher")) == "Memory"


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\u202e", "\x00", "\u200b", "\x9b", "\u2028", "\x7f", "\ufeff"])
def test_hostile_characters_are_written_out(hostile):
    shown = render(Message("saw {x}", {"x": f"a{hostile}b"}))
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in shown)
    assert f"\\u{ord(hostile[0]):04x}" in shown


def test_values_are_never_templates_and_never_walked_into():
    assert render(Message("{x}", {"x": "{y} {x.__class__}"})) == "{y} {x.__class__}"
    with pytest.raises(KeyError):
        render(Message("{x.__class__}", {"x": "a"}))


def test_long_values_are_cut():
    assert len(render(Message("{x}", {"x": "a" * 10_000}))) < 500


@given(st.text())
def test_visible_text_has_no_control_characters(text):
    shown = visible(text, at_most=10_000)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)


VALUES = st.recursive(
    st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.builds(Text, st.text(), st.text()),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.builds(lambda v: Message("{v}", {"v": v}), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, max_size=4))
def test_sentences_round_trip(values):
    message = Message(" ".join(f"{{{name}}}" for name in values), values)
    sentence = Sentence.of(message)
    assert sentence.message() == message
    assert sentence.en == render(message)
    assert Sentence.model_validate_json(sentence.model_dump_json()) == sentence


def test_sentences_and_things_stand_side_by_side():
    parts = [msg("One."), msg("Two."), msg("One."), msg("Three.")]
    assert render(sentences(parts)) == "One. Two. Three."
    assert render(listed(parts[:2])) == "One.; Two."
    assert sentences(parts[:1]) is parts[0]
    for join in (sentences, listed):
        with pytest.raises(ValueError):
            join([])


@pytest.mark.parametrize(
    ("join", "end"), [(sentences, "{n:9}. There are 190 more of this kind."), (listed, "{n:9}.; and 190 more")]
)
def test_two_hundred_sentences_are_one_flat_message(join, end):
    whole = join(msg("{n}.", n=n) for n in range(200))
    assert render(whole).endswith(end.replace("{n:9}", "9"))
    written = Sentence.of(whole)
    again = Sentence.model_validate_json(written.model_dump_json())
    assert again == written and again.message() == whole


def test_sentences_too_deep_in_one_another_are_refused():
    deep = msg("end")
    for _ in range(3000):
        deep = Message("{x}", {"x": deep})
    with pytest.raises(ValueError, match="at most 20"):
        Sentence.of(deep)
