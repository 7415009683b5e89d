"""Event streams as WHATWG HTML, 9.2.6 has them, its own examples included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.netprobe.events import Event, EventParser


def parse(data):
    return [(e.name, e.data) for e in EventParser().feed(data)]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10")]),
        (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", [("message", "first event"), ("message", "second event"), ("message", " third event")]),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "\n")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test"), ("message", "test")]),
        (b"event: add\rdata: 1\r\revent: del\r\ndata: 2\r\n\r\n", [("add", "1"), ("del", "2")]),
        (b"\xef\xbb\xbfdata: bom\n\n", [("message", "bom")]),
        (b"data: \xff\n\n", [("message", "\ufffd")]),
        (b"event: lost\n\ndata: x\n\n", [("message", "x")]),
        (b"data: unfinished\n", []),
        (b"<html>\n\n", []),
    ],
)  # fmt: skip
def test_examples(data, events):
    assert parse(data) == events


@given(st.binary(max_size=60), st.integers(0, 60))
def test_it_does_not_matter_where_a_stream_is_cut(noise, at):
    data = noise + b"\r\n\r\ndata: a\r\ndata: \xc3\xa4\r\n\r\n" + noise
    parser = EventParser()
    assert parser.feed(data[:at]) + parser.feed(data[at:]) == EventParser().feed(data)


@pytest.mark.parametrize(
    "data", [b"data: " + b"x" * 300_000 + b"\n\n", b"data: xxxxxxxxxxxxxxxxxxx\n" * 20_000 + b"\n"]
)
def test_what_is_kept_has_a_limit(data):
    parser = EventParser()
    events = [e for at in range(0, len(data), 1000) for e in parser.feed(data[at : at + 1000])]
    assert len(events) == 1 and 60_000 < len(events[0].data) < 200_000
    assert parser.feed(b"data: next\n\n") == [Event("message", "next")]
