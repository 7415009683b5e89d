"""Which names a certificate covers (RFC 9525), and words for every content."""

from __future__ import annotations

import pytest

from vorflug.model.certificates import CONTENTS, covers, not_usable, shown_names
from vorflug.model.message import msg, render
from vorflug.ports.certificates import Content
from vorflug.ports.net import CertificateSeen


def seen(names=(), addresses=()):
    dates = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    return CertificateSeen("CN=a", "CN=b", names, *dates, "RSA 2048", "sha256", "00", addresses)


@pytest.mark.parametrize(
    ("names", "host", "yes"),
    [
        (("a.example",), "a.example", True),
        (("A.Example",), "a.EXAMPLE", True),
        (("a.example.",), "a.example", False),
        (("*.corp.example",), "a.corp.example", True),
        (("*.corp.example",), "corp.example", False),
        (("*.corp.example",), "b.a.corp.example", False),
        (("a*.corp.example",), "ab.corp.example", False),
        (("*.*.example",), "a.b.example", False),
        (("*.example",), "a.example", False),
        (("*",), "localhost", False),
        (("*.corp.example",), "*.corp.example", True),
        (("192.0.2.1",), "192.0.2.1", False),
        (("*.0.2.1",), "192.0.2.1", False),
        ((), "a.example", False),
    ],
)
def test_covers(names, host, yes):
    assert covers(seen(names=names), host) is yes


@pytest.mark.parametrize(
    ("addresses", "host", "yes"),
    [
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.2",), "192.0.2.1", False),
        (("2001:db8::1",), "2001:DB8:0::1", True),
        (("192.0.2.0/24",), "192.0.2.1", False),
        (("192.0.2.1",), "a.example", False),
    ],
)
def test_an_address_wants_an_address(addresses, host, yes):
    assert covers(seen(addresses=addresses), host) is yes


def test_of_many_names_the_first_are_shown():
    many = shown_names(seen(names=tuple(f"h{n}.example" for n in range(119)), addresses=("192.0.2.1",)))
    assert render(msg("{names:list}", names=many)).endswith("h9.example and 110 more")
    assert shown_names(seen(names=("a",), addresses=("192.0.2.1",))) == ("a", "192.0.2.1")


def test_every_content_has_words_and_a_fix():
    assert set(CONTENTS) == set(Content)
    for content in (*Content, None):
        fault = not_usable("/x.pem", content)
        assert "/x.pem" in render(fault.says) and "/x.pem" in render(fault.fix)
