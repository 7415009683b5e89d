from __future__ import annotations

import json

import pytest

from vorflug.documents.plain import encode, struck_out


def test_the_bytes_are_json_and_nothing_in_them_acts_on_a_terminal():
    text = "\x1b[31m\u202e\u009b\ufeffä"
    data = encode({"a": [text]})
    assert json.loads(data) == {"a": [text]} and data.endswith(b"}\n")
    assert "ä" in data.decode() and not any(c in data.decode() for c in "\x1b\u202e\u009b\ufeff")


def test_a_number_that_json_has_not_is_refused():
    with pytest.raises(ValueError):
        encode({"a": float("nan")})


def test_every_string_at_any_depth_is_struck_out_keys_included():
    def redact(text: str) -> str:
        return text.replace("geheim", "[redacted]")

    assert struck_out({"geheim": ["a geheim", {"x": "geheim", "n": 1, "z": None}]}, redact) == {
        "[redacted]": ["a [redacted]", {"x": "[redacted]", "n": 1, "z": None}]
    }


def test_half_a_character_is_written_out():
    assert struck_out("\udc80", str) == "\\udc80"
