"""Event streams, healthy and held back, whole and cut, from real servers; time is compressed by `Rules`."""

from __future__ import annotations

import gzip
import socket
import time

import pytest

from lab.servers import answer, close, head, reset, respond, silent, tcp
from lab.sidebyside import SideBySide
from lab.streams import SSE_HEAD, sse
from vorflug.netprobe.channel import Plain
from vorflug.netprobe.events import Event
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.request import Line
from vorflug.netprobe.stream import Rules, bursts, groups, held_back, in_blocks, in_bursts, sent_at, watch
from vorflug.ports.net import Code

QUICK = Rules(spread_s=0.3, wait_s=0.3, silence_s=0.25)
ONLY_SILENCES = Rules(spread_s=60, wait_s=60, silence_s=0.25)
"""On a busy machine events that are close together come in bursts; that is not what is tried there."""
GAP = 0.1


def look(handler, *, seconds=3.0, idle_s=0.0, rules=QUICK):
    with tcp(handler) as port:
        channel = Plain(socket.create_connection(("127.0.0.1", port), 5))
        began = time.monotonic()
        try:
            watched = watch(
                channel, Line("GET", "/events", f"127.0.0.1:{port}"), Deadline(seconds), idle_s=idle_s, rules=rules
            )
        finally:
            channel.close()
        assert time.monotonic() - began < seconds + 0.8
        return watched


CASES = {
    # stamped: what they were sent with decides
    "stamped": (sse(gap=GAP, then="silent"), None, "enough"),
    "stamped in milliseconds": (sse(gap=GAP, milliseconds=True, then="silent"), None, "enough"),
    "stamped, held": (sse(gap=GAP, held=True), Code.STREAM_BUFFERED, "complete"),
    "stamped in milliseconds, held": (sse(gap=GAP, held=True, milliseconds=True), Code.STREAM_BUFFERED, "complete"),
    "stamped, held, without a length": (sse(gap=GAP, held=True, chunked=False), Code.STREAM_BUFFERED, "complete"),
    "stamped, held, then cut": (sse(gap=GAP, held=True, then="cut"), Code.STREAM_BUFFERED, "eof"),
    # unstamped: only a long wait and then everything at once
    "unstamped": (sse(gap=GAP, stamp=False, then="silent"), None, "enough"),
    "unstamped, held": (sse(gap=GAP, stamp=False, held=True), Code.STREAM_BUFFERED, "complete"),
    "held, goes on": (sse(gap=GAP, stamp=False, held=True, then="silent"), Code.STREAM_BUFFERED, "enough"),
    "thinks, then word by word": (sse(think=0.5, gap=0.03, stamp=False, events=8), None, "enough"),
    "all at once": (sse(gap=0, stamp=False, held=True, then="silent"), None, "enough"),
    "all at once, stamped": (sse(gap=0, stamp=True, events=8), None, "complete"),
    # too few to judge
    "three events": (sse(events=3, think=0.4, gap=0.0, stamp=False), None, "complete"),
    "no event": (sse(events=0), None, "complete"),
}
SILENCES = {
    "cut": (sse(gap=0.02, quiet=0.4, then="cut"), Code.STREAM_IDLE_CUT, "eof"),
    "reset": (sse(gap=0.02, quiet=0.4, then="reset"), Code.STREAM_IDLE_CUT, "reset"),
    "cut, without a length": (sse(gap=0.02, quiet=0.4, chunked=False), Code.STREAM_IDLE_CUT, "eof"),
    "ends": (sse(gap=0.02, quiet=0.4), None, "complete"),
    "ends by its own word": (sse(gap=0.02, quiet=0.4, after=("[DONE]",), chunked=False), None, "complete"),
    "cut behind the last word": (sse(gap=0.02, after=("[DONE]",), then="cut"), None, "eof"),
    "cut without a silence": (sse(gap=0.02, then="cut"), Code.HTTP_TRUNCATED, "eof"),
    "reset without a silence": (sse(gap=0.02, then="reset"), Code.HTTP_TRUNCATED, "reset"),
    "survived": (sse(gap=0.02, then="silent"), None, "enough"),
    "comments break it": (sse(gap=0.02, quiet=0.5, comments=True, then="silent"), None, "enough"),
    "cut before the first event": (sse(events=0, quiet=0.4, then="cut"), Code.STREAM_IDLE_CUT, "eof"),
    "survived before the first event": (sse(events=0, then="silent"), None, "enough"),
}
IDLE_S = 0.6


@pytest.fixture(scope="module")
def looked():
    return SideBySide(lambda case: look(case[0]), CASES)


@pytest.fixture(scope="module")
def silences():
    return SideBySide(lambda case: look(case[0], idle_s=IDLE_S, rules=ONLY_SILENCES), SILENCES)


@pytest.mark.parametrize("name", CASES)
def test_held_back_or_not(looked, name):
    watched, (_, code, ended) = looked[name], CASES[name]
    assert (watched.code, watched.stream.ended) == (code, ended), watched
    assert watched.is_stream and watched.answer.status == 200
    assert len(watched.stream.arrived_s) == watched.stream.events


@pytest.mark.parametrize("name", SILENCES)
def test_a_silence(silences, name):
    watched, (_, code, ended) = silences[name], SILENCES[name]
    assert (watched.code, watched.stream.ended) == (code, ended), watched
    if code is Code.STREAM_IDLE_CUT:
        assert 0.35 < watched.stream.idle_s < IDLE_S and "s of silence" in watched.detail
    elif ended == "enough":
        assert IDLE_S <= watched.stream.idle_s < IDLE_S + 0.4


def test_the_default_numbers_are_those_of_five_events_a_second_apart():
    assert groups([0, 1, 2, 3, 4]) == [(0, 4)]
    assert held_back([4.1] * 5, [0, 1, 2, 3, 4])
    assert held_back([4.1, 4.1, 4.1, 4.1, 6.0], [0, 1, 2, 3, 4])
    assert not held_back([4.0, 4.1, 4.1, 4.1, 6.0], [0, 1, 2, 3, 4])
    assert not held_back([0.1, 1.1, 2.1, 3.1, 4.1], [0, 1, 2, 3, 4])


def test_old_events_told_again_are_no_proof():
    assert not held_back([0.01] * 5, [0, 1, 2, 3, 4])


def test_blocks_of_a_buffer_that_gives_on_when_it_is_full():
    sent = [0.25 * n for n in range(12)]
    blocks = [1.25] * 6 + [2.75] * 6
    assert in_blocks(blocks, sent) and held_back(blocks, sent)
    assert not in_blocks(sent, sent)
    assert not in_blocks([when + (when == 1.0) for when in sent], sent), "one hiccup"
    pairs = [sent[n | 1] for n in range(12)]
    assert not in_blocks(pairs, sent), "two at a time are no block"
    assert not in_blocks([0.1] * 6 + [0.2] * 6, sent), "old events that are told again"


def test_a_stream_that_something_on_the_way_packs():
    def handler(sock):
        head(sock)
        packed = gzip.compress(b"data: one\n\ndata: two\n\n", mtime=0)
        sock.sendall((SSE_HEAD + "Content-Encoding: gzip\r\n\r\n").encode() + packed)

    assert look(handler).stream.events == 2


def test_one_hiccup_of_the_network_is_no_proof():
    sent = [float(n) for n in range(15)]
    late = [4.0] * 5 + sent[5:]
    assert not held_back(late, sent)
    assert held_back([4.0] * 5 + [9.0] * 5 + sent[10:], sent)


def test_events_too_close_in_time_form_one_group():
    assert groups([n / 10 for n in range(11)]) == [(0, 10)]
    assert groups([0.0] * 20) == []


@pytest.mark.parametrize(
    ("arrived", "together"),
    [
        ([2.0] * 5, True),
        ([1.99] * 5, False),
        ([2.0] * 4, False),
        ([3, 3, 3, 5, 5], True),
        ([3, 3, 3, 6, 6], False),
        ([3, 3, 4, 4, 5], False),
        ([10 + n * 0.02 for n in range(20)], False),
    ],
)
def test_bursts(arrived, together):
    assert in_bursts(arrived) is together


def test_a_burst_is_measured_from_its_first_event():
    assert [bursts(a) for a in ([], [1.0], [1.0, 1.015], [1.0, 1.016], [1.0, 1.01, 1.02])] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ('{"sent": 1764000000.5}', 1764000000.5),
        ('{"sent": 1764000000500}', 1764000000.5),
        ('{"sent": true}', None),
        ('{"sent": "1"}', None),
        ('{"sent": NaN}', None),
        ('{"sent": 1e999}', None),
        ("[1]", None),
        ('{"a": 1}', None),
        ("{", None),
        ('{"a":' * 900, None),
        ('{"sent": 1, "x": "' + "x" * 5000 + '"}', None),
        ('{"sent": ' + "9" * 400 + "}", None),
    ],
)
def test_when_an_event_says_that_it_was_sent(data, sent):
    assert sent_at(Event("message", data)) == sent


def test_without_a_length_the_end_of_the_connection_is_the_end_where_no_silence_was_to_be_tried():
    assert look(sse(events=2, gap=0.02, quiet=0.4, chunked=False)).code is None


def test_the_deadline_ends_a_stream_that_still_flows():
    watched = look(sse(gap=0.1, events=50, then="silent"), seconds=0.8, idle_s=0.5)
    assert (watched.code, watched.stream.ended) == (None, "timeout")


def test_a_stream_that_never_says_a_word_is_not_called_sound():
    watched = look(sse(events=0, then="silent"), seconds=0.3)
    assert (watched.code, watched.stream.ended, watched.stream.events) == (Code.HTTP_SLOW_BODY, "timeout", 0)


@pytest.mark.parametrize(
    ("handler", "code", "detail"),
    [
        (respond("404 Not Found", b"{}", Content_Type="application/json"), None, "HTTP 404 application/json"),
        (respond("200 OK", b"<html>", Content_Type="text/html\x1b"), None, "HTTP 200 text/html\\u001b"),
        (respond("200 OK", b"data: 1\n\n"), None, "HTTP 200"),
        (answer(b"SSH-2.0-OpenSSH\r\n"), Code.HTTP_NOT_HTTP, "SSH-2.0"),
        (close, Code.HTTP_NO_RESPONSE, "E"),
        (answer(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), Code.HTTP_HEADER_TOO_LARGE, ""),
        (answer(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf"), Code.HTTP_TRUNCATED, "HTTP 500"),
    ],
)
def test_what_is_no_stream(handler, code, detail):
    watched = look(handler)
    assert watched.code is code and watched.detail.startswith(detail), watched
    assert not watched.is_stream and watched.stream.events == 0


def test_a_page_instead_of_the_stream_is_kept_for_who_judges_it():
    watched = look(respond("403 Forbidden", b"<html>blocked</html>", Content_Type="text/html"))
    assert (watched.answer.status, watched.answer.body) == (403, b"<html>blocked</html>")


def test_silence_instead_of_an_answer():
    assert look(silent, seconds=0.2).code is Code.HTTP_NO_RESPONSE


def test_chunks_that_are_none():
    raw = (SSE_HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"9\r\ndata: 1\n\n\r\nzz\r\n"
    watched = look(answer(raw))
    assert watched.code is Code.HTTP_TRUNCATED and watched.stream.events == 1


@pytest.mark.parametrize(("line", "code"), [(b"x" * 63 + b"\n", Code.HTTP_BODY_TOO_LARGE), (b"data: x\n\n", None)])
def test_a_flood_has_an_end(line, code):
    def flood(sock):
        head(sock)
        sock.sendall(SSE_HEAD.encode() + b"\r\n")
        while True:
            sock.sendall(line * 500)

    watched = look(flood, idle_s=0.5)
    assert (watched.code, watched.stream.ended) == (code, "enough")
    assert len(watched.stream.arrived_s) <= 100


def test_a_reset_before_the_answer():
    def handler(sock):
        head(sock)
        reset(sock)

    assert look(handler).code is Code.HTTP_NO_RESPONSE


def test_the_deadline_holds_where_there_is_always_something_to_read():
    def flood(sock):
        head(sock)
        sock.sendall(SSE_HEAD.encode() + b"\r\n")
        while True:
            sock.sendall(b": nothing to say\n" * 4)
            time.sleep(0.001)

    watched = look(flood, seconds=0.4, idle_s=0.2)
    assert (watched.code, watched.stream.ended) == (None, "timeout")
