"""WebSockets, sound and broken, from real servers; time is compressed by `Rules`."""

from __future__ import annotations

import socket
import time

import pytest

from lab.servers import answer, close, head, respond, silent, tcp
from lab.sidebyside import SideBySide
from lab.streams import websocket
from vorflug.netprobe.channel import Plain
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.request import Line
from vorflug.netprobe.websocket import Rules, talk
from vorflug.ports.net import Code

QUICK = Rules(answer_s=0.3, echo_s=0.1, pong_s=0.3, silence_s=0.2)
PATIENT = Rules(answer_s=5.0, echo_s=0.1, pong_s=5.0, silence_s=0.2)
"""For whatever answers: a busy machine is no fault."""


def say(handler, *, seconds=3.0, idle_s=0.0, rules=PATIENT):
    with tcp(handler) as port:
        channel = Plain(socket.create_connection(("127.0.0.1", port), 5))
        began = time.monotonic()
        try:
            talked = talk(
                channel, Line("GET", "/ws", f"127.0.0.1:{port}"), Deadline(seconds), idle_s=idle_s, rules=rules
            )
        finally:
            channel.close()
        assert time.monotonic() - began < seconds + 0.8
        return talked


@pytest.mark.parametrize(
    ("handler", "frames"),
    [
        (websocket(), (2, 3)),
        (websocket(echo=False), (1,)),
        (websocket(pong=False), (2,)),
        (websocket(pieces=True), (2, 3)),
        (websocket(ping=True, greeting="welcome"), (2, 3)),
        (websocket(upgrade="WebSocket"), (2, 3)),
    ],
)
def test_sound(handler, frames):
    talked = say(handler)
    assert (talked.status, talked.code, talked.stream.ended) == (101, None, "enough"), talked
    assert talked.stream.events in frames and len(talked.stream.arrived_s) == talked.stream.events


@pytest.mark.parametrize(
    ("handler", "detail"),
    [
        (respond("200 OK", b"<html>"), "HTTP 200"),
        (respond("400 Bad Request"), "HTTP 400"),
        (respond("401 Unauthorized"), "HTTP 401"),
        (respond("403 Forbidden"), "HTTP 403"),
        (respond("404 Not Found"), "HTTP 404"),
        (respond("426 Upgrade Required", Upgrade="websocket"), "HTTP 426"),
        (respond("502 Bad Gateway"), "HTTP 502"),
        (websocket(token="AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "HTTP 101 with a wrong Sec-WebSocket-Accept"),
        (websocket(upgrade=""), "HTTP 101 without Upgrade"),
        (websocket(upgrade="h2c"), "HTTP 101 without Upgrade"),
        (websocket(extra="Sec-WebSocket-Extensions: permessage-deflate"), "HTTP 101 with sec-websocket-extensions"),
        (websocket(extra="Sec-WebSocket-Protocol: chat"), "HTTP 101 with sec-websocket-protocol"),
    ],
)
def test_the_upgrade_is_refused(handler, detail):
    talked = say(handler)
    assert talked.code is Code.WS_UPGRADE_REFUSED and talked.detail.startswith(detail), talked
    assert talked.status == int(detail.split()[1]) and talked.stream.events == 0


def test_what_answers_instead_of_the_upgrade_is_kept_for_who_judges_it():
    talked = say(respond("403 Forbidden", b"<html>blocked</html>", Server="filter"))
    assert talked.answer.body == b"<html>blocked</html>" and ("server", "filter") in talked.headers


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (answer(b"SSH-2.0-OpenSSH_9\r\n"), Code.HTTP_NOT_HTTP),
        (answer(b"\x00\xff garbage"), Code.HTTP_NOT_HTTP),
        (close, Code.HTTP_NO_RESPONSE),
        (silent, Code.HTTP_NO_RESPONSE),
        (answer(b"HTTP/1.1 101 Sw"), Code.HTTP_TRUNCATED),
        (answer(b"HTTP/1.1 101 S\r\nX: " + b"x" * 300_000), Code.HTTP_HEADER_TOO_LARGE),
    ],
)
def test_no_answer_to_the_upgrade(handler, code):
    talked = say(handler, seconds=0.3)
    assert (talked.code, talked.status) == (code, 0), talked


MASKED = b"\x81\x85\x01\x02\x03\x04" + b"hello"
HUGE = b"\x82\x7f\x00\x00\x01\x00\x00\x00\x00\x00" + b"x" * 100_000
COMPRESSED = b"\xc1\x05hello"
RESERVED = b"\x83\x00"


@pytest.mark.parametrize(
    ("handler", "ended", "detail"),
    [
        (websocket(echo=False, pong=False), "timeout", "no frame was answered"),
        (websocket(raw=MASKED), "eof", ""),
        (websocket(raw=COMPRESSED), "eof", ""),
        (websocket(raw=RESERVED), "eof", ""),
        (websocket(raw=HUGE), "timeout", "no frame was answered"),
        (websocket(raw=HUGE * 11), "eof", "more than 1048576 bytes"),
        (websocket(raw=b"\x81\x00" * 1100), "eof", "more than 1000 frames"),
        (websocket(raw=b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), "eof", ""),
        (websocket(close=1000), "complete", "close 1000 before a frame was answered"),
        (websocket(close=1002), "complete", "close 1002"),
        (websocket(close=1011), "complete", "close 1011"),
    ],
)
def test_frames_do_not_pass(handler, ended, detail):
    talked = say(handler, rules=QUICK, seconds=2.0)
    assert (talked.code, talked.stream.ended) == (Code.WS_FRAMES_BLOCKED, ended), talked
    assert talked.detail.startswith(detail) and talked.detail and talked.status == 101


def test_a_cut_right_after_the_upgrade():
    def handler(sock):
        websocket(raw=b"")(_Deaf(sock))

    talked = say(handler)
    assert talked.code is Code.WS_FRAMES_BLOCKED and talked.stream.ended in ("eof", "reset"), talked


class _Deaf:
    """A socket that hangs up after the first answer."""

    def __init__(self, sock):
        self._sock = sock
        self._done = False

    def recv(self, size):
        return b"" if self._done else self._sock.recv(size)

    def sendall(self, data):
        self._done = True
        self._sock.sendall(data)


@pytest.mark.parametrize("number", [1003, 1008, 3000, 4401])
def test_a_service_that_refuses_in_its_own_words_says_nothing_against_the_way(number):
    talked = say(websocket(close=number))
    assert (talked.code, talked.stream.events) == (None, 0)
    assert f"close {number}" in talked.detail


def test_a_silence_is_survived():
    talked = say(websocket(), idle_s=0.4)
    assert (talked.code, talked.stream.ended) == (None, "enough")
    assert 0.35 <= talked.stream.idle_s < 1


BREAKS = {
    "eof": websocket(cut_after=0.3),
    "reset": websocket(cut_after=0.3, dies=True),
    "timeout": websocket(mute_after=0.3),
}


@pytest.fixture(scope="module")
def broken():
    return SideBySide(lambda handler: say(handler, idle_s=0.5, rules=QUICK), BREAKS)


@pytest.mark.parametrize("ended", BREAKS)
def test_a_silence_is_not_survived(broken, ended):
    talked = broken[ended]
    assert (talked.code, talked.stream.ended) == (Code.STREAM_IDLE_CUT, ended), talked
    assert 0.25 <= talked.stream.idle_s < 0.8 and "s of silence" in talked.detail


def test_a_silence_is_no_longer_than_the_deadline_allows():
    talked = say(websocket(), idle_s=30, seconds=0.8)
    assert (talked.code, talked.stream.ended) == (None, "timeout")
    assert 0.4 < talked.stream.idle_s < 0.8


def test_a_cut_without_a_silence_is_no_idle_cut():
    talked = say(websocket(cut_after=0.05), idle_s=0.5)
    assert talked.code is Code.HTTP_TRUNCATED, talked


def test_nothing_is_offered_and_no_credentials_are_sent():
    heads = []

    def handler(sock):
        heads.append(head(sock).decode().lower())

    say(handler)
    (sent,) = heads
    assert "sec-websocket-version: 13" in sent
    assert not any(word in sent for word in ("extensions", "sec-websocket-protocol", "authorization", "cookie"))
