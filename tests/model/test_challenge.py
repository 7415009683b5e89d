"""The forms that real servers send, and the ones that nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.model.challenge import challenges

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'


def read(*values):
    return [(c.scheme, dict(c.parameters)) for c in challenges(values)]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (HUB, [("bearer", {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"})]),
        ('basic realm="a, b\\"c", Bearer realm=x', [("basic", {"realm": 'a, b"c'}), ("bearer", {"realm": "x"})]),
        ("Negotiate, NTLM", [("negotiate", {}), ("ntlm", {})]),
        ("Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8=, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Bearer realm = "x" , scope="a:b:pull,push"', [("bearer", {"realm": "x", "scope": "a:b:pull,push"})]),
        (", ,Basic", [("basic", {})]),
        ('BEARER Realm="x",REALM="y"', [("bearer", {"realm": "x"})]),
        ("", []),
        ('Bearer realm="never closed', [("bearer", {})]),
        ('"', []),
    ],
)
def test_one_value(value, wanted):
    assert read(value) == wanted


def test_several_values_are_one_list():
    assert [scheme for scheme, _ in read('Basic realm="x"', HUB)] == ["basic", "bearer"]


@given(st.lists(st.text(alphabet='aB= ,"\\\t/:~', max_size=80), max_size=4))
def test_anything_ends_and_is_a_list(values):
    for challenge in challenges(values):
        assert challenge.scheme == challenge.scheme.lower() != ""


def test_a_long_value_costs_nothing():
    assert read('Bearer realm="' + "\\" * 5_000_000) == [("bearer", {})]
