"""Streams on their whole way: inside TLS, by a proxy in absolute form with a login, through a tunnel."""

from __future__ import annotations

import pytest

from lab import authority
from lab.authority import context
from lab.prober import Prober
from lab.proxies import proxy
from lab.servers import respond, tcp, tls
from lab.sidebyside import SideBySide
from lab.streams import sse, websocket
from vorflug.ports.net import Code, Mode, Stage

LOGIN = "user:canary-pass-word"
CASES = {
    (way, held): (way, held)
    for way in ("inside TLS", "by a proxy", "by a proxy with a login")
    for held in (False, True)
}


def _leaf():
    return authority.issue("localhost", authority.root(), hosts=("localhost",))


@pytest.fixture(scope="module")
def came(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streamed")
    ask = Prober(folder)
    inside = context(folder, _leaf())

    def run(case):
        way, held = case
        handler = sse(gap=0.3, held=held)
        if way == "inside TLS":
            with tcp(tls(inside, handler)) as port:
                return ask(f"https://localhost:{port}/s", mode=Mode.SSE), []
        login = LOGIN if way.endswith("login") else None
        with tcp(handler) as port, proxy(login=login) as (through, seen):
            named = f"http://{login + '@' if login else ''}127.0.0.1:{through}"
            url = f"http://sse.lab.test:{port}/s"
            return ask(url, mode=Mode.SSE, environ={"http_proxy": named}), seen.lines

    return SideBySide(run, CASES)


@pytest.mark.parametrize("case", CASES)
def test_an_event_stream(came, case):
    trace, lines = came[case]
    way, held = case
    assert trace.code is (Code.STREAM_BUFFERED if held else None), trace
    assert [s.stage for s in trace.stages][-2:] == [Stage.HTTP, Stage.STREAM]
    assert trace.stream.events == 5 and trace.stream.flowing is not held and trace.http.status == 200
    http, stream = trace.stages[-2:]
    # the headers are there at once, whatever becomes of the events, of which there are four gaps
    assert stream.took_s > 1.0 and http.took_s + stream.took_s < trace.took_s + 0.01, trace
    assert len(lines) == {"inside TLS": 0, "by a proxy": 1, "by a proxy with a login": 2}[way]
    assert all(line.startswith("GET http://sse.lab.test") for line in lines)


def test_a_websocket_inside_tls(ask, tmp_path):
    with tcp(tls(context(tmp_path, _leaf()), websocket())) as port:
        trace = ask(f"https://localhost:{port}/s", mode=Mode.WS)
    assert trace.code is None and trace.stream.events and trace.http.status == 101, trace
    assert [s.stage for s in trace.stages][-2:] == [Stage.HTTP, Stage.STREAM]


@pytest.mark.parametrize("mode", [Mode.SSE, Mode.WS])
def test_the_answer_ends_with_its_headers_and_the_rest_is_the_streams_time(ask, mode):
    # a ping is answered at once, and then an echo is waited for
    with tcp(sse(events=1, think=0.6) if mode is Mode.SSE else websocket(echo=False)) as port:
        trace = ask(f"http://127.0.0.1:{port}/s", mode=mode)
    http, stream = trace.stages[-2:]
    assert (http.stage, stream.stage) == (Stage.HTTP, Stage.STREAM)
    assert stream.took_s > 0.5 and http.took_s + stream.took_s < trace.took_s + 0.01, trace


def test_a_websocket_goes_through_a_tunnel(ask):
    with tcp(websocket()) as port, proxy() as (through, seen):
        url = f"http://ws.lab.test:{port}/s"
        trace = ask(url, mode=Mode.WS, environ={"http_proxy": f"http://127.0.0.1:{through}"})
    assert trace.code is None and trace.stream.events, trace
    assert [line.split()[0] for line in seen.lines] == ["CONNECT"]


@pytest.mark.parametrize("mode", [Mode.SSE, Mode.WS])
def test_what_answers_instead_is_seen(ask, mode):
    with tcp(respond("403 Forbidden", b"<html>", Content_Type="text/html")) as port:
        trace = ask(f"http://127.0.0.1:{port}/s", mode=mode)
    assert trace.http.status == 403
    assert trace.code is (Code.WS_UPGRADE_REFUSED if mode is Mode.WS else None)
