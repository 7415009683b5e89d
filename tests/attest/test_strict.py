from __future__ import annotations

import pytest

from vorflug.attest import strict
from vorflug.attest.strict import Malformed


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a":1,"a":1}', "saw a twice"),
        (b'{"a":{"b":1,"c":2,"b":3}}', "saw b twice"),
        (b'{"a":NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[" * 200_000, "nested brackets"),
        (b'{"a":' * 100_000, "nested brackets"),
        (b'"\xff"', "offset 1"),
        (b"", "line 1 column 1"),
        (b"{} {}", "line 1 column 4"),
        (b"[" + b"9" * 5000 + b"]", "thousands of digits"),
        (b"\xef\xbb\xbf{}", "wanted JSON"),
    ],
)
def test_json_with_two_readings_or_none_is_refused(data, says):
    with pytest.raises(Malformed, match=says):
        strict.parse(data, most=1 << 20)


def test_too_much_is_refused_before_it_is_parsed():
    with pytest.raises(Malformed, match="at most 10 B"):
        strict.parse(b"[" * 11, most=10)


def test_a_boolean_is_no_integer():
    with pytest.raises(Malformed):
        strict.integer({"a": True}, "a", "x", among=(0, 1))
