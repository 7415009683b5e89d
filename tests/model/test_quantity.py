"""Quantities are parsed at the edge, never guessed; versions compare number by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vorflug.model.quantity import Duration, Percent, Rate, Size, Version


def read(type_, value):
    return TypeAdapter(type_).validate_python(value)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("32 GB", 32_000_000_000),
        ("32GB", 32_000_000_000),
        ("32 GiB", 32 * 2**30),
        ("1 TB", 10**12),
        ("1.5 GiB", 3 * 2**29),
        ("512 B", 512),
        ("4 kB", 4000),
        (7, 7),
    ],
)
def test_sizes(text, count):
    assert read(Size, text) == count


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("32 Gb", "did you mean '32 GB'"),
        ("32 gb", "did you mean '32 GB'"),
        ("32g", "did you mean '32 GB'"),
        ("32", "wanted one of the units"),
        ("32 GB RAM", "wanted a number with its unit"),
        ("-1 GB", "wanted a number with its unit"),
        ("1e9 B", "wanted"),
        ("٣ GB", "wanted a number with its unit"),
        ("", "wanted a number with its unit"),
        (True, "wanted a number with its unit"),
        (1.5, "wanted a number with its unit"),
        (None, "wanted a number with its unit"),
    ],
)
def test_unit_mistakes_are_refused_with_what_was_meant(text, hint):
    with pytest.raises(ValidationError) as refused:
        read(Size, text)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10 ms", 0.01), ("2 s", 2), ("5 min", 300), ("36 h", 129600), ("7 d", 604800)]
)
def test_durations(text, seconds):
    assert read(Duration, text) == seconds


@pytest.mark.parametrize(("text", "share"), [("7 %", 0.07), ("0 %", 0), ("100 %", 1), ("12.5%", 0.125)])
def test_percents(text, share):
    assert read(Percent, text) == share


@pytest.mark.parametrize("text", ["101 %", "7", "7 percent", "-3 %", 7])
def test_wrong_percents(text):
    with pytest.raises(ValidationError):
        read(Percent, text)


def test_rates():
    assert read(Rate, "10 Mbit/s") == 10_000_000
    with pytest.raises(ValidationError, match="Mbit/s"):
        read(Rate, "10 MB/s")


@pytest.mark.parametrize(
    ("newer", "older"),
    [("9.10", "9.4"), ("24.04", "22.10"), ("5.15.0-91-generic", "5.4"), ("v1.35.0", "1.34.9"), ("29.0.1-rc.1", "28.9")],
)
def test_versions_compare_as_versions(newer, older):
    assert Version(newer) > Version(older)
    assert not Version(older) > Version(newer)


@pytest.mark.parametrize(("one", "other"), [("5.15", "5.15.0"), ("24.04", "24.4"), ("12", "12.0.0"), ("v1.2", "1.2")])
def test_equal_versions(one, other):
    assert Version(one) == Version(other)
    assert hash(Version(one)) == hash(Version(other))


@pytest.mark.parametrize(
    ("version", "series", "within"),
    [
        ("12.11", "12", True),
        ("9.10", "9.1", False),
        ("9.1", "9.1", True),
        ("13", "12", False),
        ("24.04", "24.04", True),
    ],
)
def test_within_a_series(version, series, within):
    assert Version(version).within(Version(series)) is within


@pytest.mark.parametrize("value", ["", "rolling", "unstable", 24.04, 12, None])
def test_what_is_no_version_is_refused(value):
    with pytest.raises((ValidationError, ValueError)):
        read(Version, value)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=5), st.lists(st.integers(0, 999), min_size=1, max_size=5))
def test_versions_are_totally_ordered(one, other):
    a, b = Version(".".join(map(str, one))), Version(".".join(map(str, other)))
    assert (a < b) + (b < a) + (a == b) == 1
