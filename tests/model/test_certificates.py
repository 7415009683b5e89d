"""Which names a certificate covers (RFC 9525), and words for every content."""

from __future__ import annotations

import pytest

from vorflug.model.certificates import CONTENTS, covers, in_turn, not_usable
from vorflug.model.message import msg, render
from vorflug.ports.certificates import Content


@pytest.mark.parametrize(
    ("names", "host", "yes"),
    [
        (("a.example",), "a.example", True),
        (("A.Example",), "a.EXAMPLE", True),
        (("a.example.",), "a.example", True),
        (("*.corp.example",), "a.corp.example", True),
        (("*.corp.example",), "corp.example", False),
        (("*.corp.example",), "b.a.corp.example", False),
        (("a*.corp.example",), "ab.corp.example", False),
        (("*.*.example",), "a.b.example", False),
        (("*.example",), "a.example", False),
        (("*",), "localhost", False),
        (("*.corp.example",), "*.corp.example", True),
        (("192.0.2.1",), "192.0.2.1", True),
        (("*.0.2.1",), "192.0.2.1", False),
        (("2001:db8::1",), "2001:DB8:0::1", True),
        ((), "a.example", False),
    ],
)
def test_covers(names, host, yes):
    assert covers(names, host) is yes


def test_every_content_has_words_and_a_fix():
    assert set(CONTENTS) == set(Content)
    for content in (*Content, None):
        fault = not_usable("/x.pem", content)
        assert "/x.pem" in render(fault.says) and "/x.pem" in render(fault.fix)


def test_sentences_follow_one_another_and_are_said_once():
    said = in_turn([msg("It expired."), msg("It is weak."), msg("It expired.")])
    assert render(said) == "It expired. It is weak."
