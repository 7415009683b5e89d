"""Each way an answer fails after the connection stands, from real servers."""

from __future__ import annotations

import threading
import time

import pytest

from lab.prober import SHORT
from lab.servers import answer, head, reset, respond, silent, tcp
from vorflug.ports.net import Code, Stage


def get(ask, handler, path="/", **fields):
    with tcp(handler) as port:
        return ask(f"http://127.0.0.1:{port}{path}", **fields)


def test_an_answer_is_described_and_not_kept(ask):
    handler = respond(
        "401 Unauthorized",
        b'{"errors": "log in"}',
        WWW_Authenticate='Bearer realm="https://auth.lab.test/token"',
        Set_Cookie="session=hidden-value",
        X_Odd="odd \x1b[2J",
        Content_Type="application/json",
    )
    trace = get(ask, handler, look_for=("log in", "absent"), keep_headers=("x-odd", "set-cookie"))
    assert trace.code is None
    http = trace.http
    assert (http.status, http.body_kind, http.found, http.body_bytes) == (401, "json", ("log in",), 20)
    assert dict(http.headers)["www-authenticate"].startswith("Bearer realm")
    assert dict(http.headers)["x-odd"] == "odd \\u001b[2J"
    assert "set-cookie" in http.header_names and "hidden-value" not in repr(trace)


def test_a_redirect_is_seen_without_its_ticket_and_not_followed(ask):
    hits = []

    def other(sock):
        hits.append(head(sock))

    with tcp(other) as port:
        location = f"http://user:pw@127.0.0.1:{port}/login?ticket=hidden#x"
        trace = get(ask, respond("302 Found", b"", Location=location))
    assert trace.code is None and trace.http.status == 302 and hits == []
    assert dict(trace.http.headers)["location"] == f"http://127.0.0.1:{port}/login"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b'{"a": 1}', "json"),
        (b"[1, 2]", "json"),
        (b"{not json", "text"),
        (b"[" * 60000, "text"),
        (b"<!DOCTYPE html><p>", "html"),
        (b"\xef\xbb\xbf<html>", "html"),
        (b'<?xml version="1.0"?><a/>', "xml"),
        (b"hello", "text"),
        (b"\x00\x01\xff\xfe", "binary"),
    ],
)
def test_what_a_body_is_by_its_content(ask, body, kind):
    assert get(ask, respond(body=body)).http.body_kind == kind


def drip(first, every=0.05):
    def handler(sock):
        head(sock)
        sock.sendall(first)
        while True:
            sock.sendall(b"x")
            time.sleep(every)

    return handler


def after_head(act):
    def handler(sock):
        head(sock)
        act(sock)

    return handler


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (silent, Code.HTTP_NO_RESPONSE),
        (after_head(lambda sock: None), Code.HTTP_NO_RESPONSE),
        (after_head(reset), Code.HTTP_NO_RESPONSE),
        (drip(b"HTTP/1.1 200 OK\r\nX: "), Code.HTTP_SLOW_HEADERS),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"), Code.HTTP_SLOW_BODY),
        (answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), Code.HTTP_TRUNCATED),
        (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), Code.HTTP_TRUNCATED),
        (answer(b"HTTP/1.1 200 OK\r\nX-Half: "), Code.HTTP_TRUNCATED),
        (answer(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n"), Code.HTTP_HEADER_TOO_LARGE),
        (answer(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"), Code.HTTP_HEADER_TOO_LARGE),
        (answer(b"HTTP/1.1 200 OK\r\n" + b"X: aaaaaaaaa\r\n" * 30_000 + b"\r\n"), Code.HTTP_HEADER_TOO_LARGE),
        (answer(b"SSH-2.0-OpenSSH_9.2\r\n", until_head=False), Code.HTTP_NOT_HTTP),
        (answer(b"\xff\xfe\x1b[2J garbage \xc3\x28\r\n\r\n"), Code.HTTP_NOT_HTTP),
        (answer(b"HTTP/1.1 abc What\r\n\r\n"), Code.HTTP_NOT_HTTP),
        (answer(b"\x15\x03\x01\x00\x02\x02\x46"), Code.HTTP_NOT_HTTP),
    ],
)
def test_a_broken_answer(ask, handler, code):
    began = time.monotonic()
    trace = get(ask, handler, limits=SHORT)
    assert (trace.stages[-1].stage, trace.code) == (Stage.HTTP, code)
    assert "\x1b" not in trace.stopped_at.detail
    assert time.monotonic() - began < 3


def test_an_endless_body_is_cut_and_no_fault(ask):
    def endless(sock):
        head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"a" * 65536)

    trace = get(ask, endless)
    assert trace.code is None and 65536 <= trace.http.body_bytes < 2 * 65536


def test_interim_answers_are_passed_over(ask):
    assert get(ask, answer(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")).http.status == 204
    assert get(ask, answer(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)).code is Code.HTTP_NOT_HTTP


def test_what_is_sent(ask):
    heads = []

    def handler(sock):
        heads.append(head(sock))
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with tcp(handler) as port:
        assert ask(f"http://127.0.0.1:{port}/v1/models?a=b", method="POST").code is None
    text = heads[0].decode()
    assert text.startswith("POST /v1/models?a=b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n" in text and "Accept-Encoding: identity\r\n" in text
    assert "Content-Length: 0\r\n" in text and "Authorization" not in text


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http://", "http://u:p@a/", "http://a b/", "http://a/ü", "http://a:99999/"]
)
def test_a_url_that_cannot_be_asked(ask, url):
    with pytest.raises(ValueError) as error:
        ask(url)
    assert "u:p" not in str(error.value)


def test_many_at_once_are_all_healthy(ask):
    codes = []
    with tcp(respond(), backlog=64) as port:
        threads = [
            threading.Thread(target=lambda: codes.append(ask(f"http://127.0.0.1:{port}/", seconds=9).code))
            for _ in range(24)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert codes == [None] * 24
