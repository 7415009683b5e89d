"""Streams through the whole probe: what was proved, what was not, and what says so."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from areas.asking import ask, judge
from conftest import header
from lab.servers import head, respond, tcp
from lab.streams import SSE_HEAD, sse, websocket
from vorflug.areas.streams import EventStreamRequirement, StreamQuery, WebSocketRequirement
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, HttpSeen, Mode, Route, Stage, StageSeen, StreamSeen, Trace

MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN
KINDS = {"sse": EventStreamRequirement, "ws": WebSocketRequirement}
URL = "https://stream.lab.test/events"


def demand(kind="sse", **fields):
    return KINDS[kind].model_validate(header(**{"url": URL} | fields))


def trace(status=200, stream=None, code=None, stage=Stage.STREAM, looks_like=None, http=True):
    stages = [StageSeen(s, 0.01) for s in Stage if s is not stage]
    seen = HttpSeen(status, (), (), "text", (), 0, looks_like=looks_like) if http else None
    return Trace(
        "stream.lab.test", 443, Route(None, ""), ("192.0.2.1",), "192.0.2.1:443",
        (*stages, StageSeen(stage, 0.1, code, "detail")), http=seen, stream=stream,
    )  # fmt: skip


def stream(events=5, *, spread=4.0, idle=1.0, ended="enough", flowing=True, detail=""):
    arrived = tuple(n * spread / max(1, events - 1) for n in range(events))
    return StreamSeen(events, arrived, idle, ended, detail=detail, flowing=flowing)


def verdict_on(wanted, seen):
    (query,) = wanted.queries(Evidence())
    return wanted.judge(Evidence([Observation(query, Seen(TraceFact(trace=seen)))]))


@pytest.mark.parametrize(
    ("kind", "fields", "seen", "outcome", "says"),
    [
        ("sse", {}, trace(stream=stream()), MET, "5 events came one after the other within 4 s"),
        ("ws", {}, trace(101, stream(3)), MET, "3 frames came back"),
        ("sse", {}, trace(stream=stream(flowing=False)), UNKNOWN, "too few or too close together"),
        ("sse", {}, trace(stream=stream(0, flowing=False)), UNKNOWN, "no event came"),
        ("ws", {}, trace(101, stream(0, ended="complete", flowing=False, detail="close 1008")), UNKNOWN, "close 1008"),
        ("sse", {}, trace(stream=stream(), code=Code.STREAM_BUFFERED), UNMET, "in bursts"),
        ("ws", {}, trace(101, code=Code.WS_FRAMES_BLOCKED), UNMET, "frames do not come through"),
        ("ws", {}, trace(200, code=Code.WS_UPGRADE_REFUSED), UNMET, "does not grant the upgrade"),
        ("sse", {}, trace(code=Code.TCP_REFUSED, stage=Stage.CONNECT, http=False), UNMET, "refuse"),
        ("sse", {}, trace(looks_like=Code.HTTP_BLOCK_PAGE, stream=stream(0, ended="")), UNMET, "page of a filter"),
        ("sse", {}, trace(401, stream(0, ended="")), UNKNOWN, "wants a key"),
        ("ws", {}, trace(403, stream(0, ended="")), UNKNOWN, "wants a key"),
        ("sse", {}, trace(404, stream(0, ended="")), UNKNOWN, "not with a stream (HTTP 404)"),
        ("sse", {}, trace(200, stream(0, ended="")), UNKNOWN, "not with a stream (HTTP 200)"),
        ("sse", {}, trace(204, stream()), UNKNOWN, "not with a stream (HTTP 204)"),
        ("sse", {}, trace(), UNKNOWN, "not recorded"),
        ("sse", {}, trace(http=False, stream=stream()), UNKNOWN, "not recorded"),
        ("sse", {"idle": "40 s"}, trace(stream=stream(idle=40.0)), MET, "survived a silence of 40 s"),
        ("sse", {"idle": "40 s"}, trace(stream=stream(idle=40.0, flowing=False)), MET, "survived a silence of 40 s"),
        ("sse", {"idle": "40 s"}, trace(404, stream(0, idle=40.0, ended="")), UNKNOWN, "HTTP 404"),
        ("sse", {"idle": "40 s"}, trace(stream=stream(idle=39.9)), UNKNOWN, "longest silence"),
        ("sse", {"idle": "40 s"}, trace(stream=stream(idle=39.9, flowing=False)), UNKNOWN, "too close"),
        ("sse", {"idle": "40 s"}, trace(stream=stream(idle=20.0), code=Code.STREAM_IDLE_CUT), UNMET, "20 s"),
        ("ws", {"idle": "40 s"}, trace(101, stream(3, idle=40.0)), MET, "survived"),
        ("ws", {"idle": "40 s"}, trace(101, stream(3, idle=39.9)), UNKNOWN, "longest silence"),
    ],
)  # fmt: skip
def test_judged(no_io, kind, fields, seen, outcome, says):
    with no_io():
        verdict = verdict_on(demand(kind, **fields), seen)
    assert verdict.outcome is outcome, render(verdict.because)
    assert says in render(verdict.because), render(verdict.because)
    assert (verdict.fix is None) == (outcome is MET)
    assert (verdict.cause is not None) == (outcome is UNMET)


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_address_nothing_is_asked_and_nothing_decided(kind):
    wanted = demand(kind, url=None)
    assert wanted.queries(Evidence()) == []
    verdict = wanted.judge(Evidence())
    assert verdict.outcome is UNKNOWN and "without a key" in render(verdict.because)
    assert "None" not in render(wanted.wanted())


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    wanted = demand()
    (query,) = wanted.queries(Evidence())
    with pytest.raises(NotSeen):
        wanted.judge(Evidence([Observation(query, Unseen(reason))]))


def test_every_question_can_be_read():
    asked = {
        render(StreamQuery(url=URL, mode=mode, idle_s=idle, chat_model=model).asks())
        for mode, idle, model in [(Mode.SSE, 0, None), (Mode.SSE, 40, None), (Mode.WS, 0, None), (Mode.WS, 40, None), (Mode.SSE, 0, "qwen3")]
    }  # fmt: skip
    assert len(asked) == 5 and all(URL in sentence for sentence in asked)
    assert sum("silence of 40 s" in sentence for sentence in asked) == 2
    assert not any("0 s" in sentence.replace("40 s", "") for sentence in asked)
    wanted = {render(demand(kind, idle=idle).wanted()) for kind in KINDS for idle in (None, "40 s")}
    assert len(wanted) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_thorough_run_asks_for_the_longer_silence_and_is_judged_by_it(kind):
    usual = demand(kind, idle="40 s", idle_thorough="300 s")
    thorough = usual.thorough()
    (query,) = thorough.queries(Evidence())
    assert query.idle_s == 300 and "5 min" in render(thorough.wanted()) and "40 s" in render(usual.wanted())
    status = 101 if kind == "ws" else 200
    assert verdict_on(thorough, trace(status, stream(idle=299.9))).outcome is UNKNOWN
    assert verdict_on(thorough, trace(status, stream(idle=300.0))).outcome is MET
    assert [q.idle_s for q in usual.queries(Evidence())] == [40]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_longer_silence_a_thorough_run_asks_the_same(kind):
    for wanted in (demand(kind), demand(kind, idle="40 s")):
        assert wanted.thorough() is wanted


@pytest.mark.parametrize("field", ["idle", "idle_thorough"])
def test_no_question_lasts_longer_than_it_is_waited_for(field):
    assert getattr(demand(**{field: "300 s"}), field) == 300
    with pytest.raises(ValidationError):
        demand(**{field: "301 s"})


@pytest.mark.parametrize("kind", KINDS)
def test_the_silence_is_asked_for(kind):
    assert [q.idle_s for q in demand(kind, idle="40 s").queries(Evidence())] == [40]
    assert [q.idle_s for q in demand(kind).queries(Evidence())] == [0]


def test_what_stopped_the_connection_says_more_than_a_page():
    seen = trace(code=Code.HTTP_TRUNCATED, stage=Stage.HTTP, looks_like=Code.HTTP_BLOCK_PAGE)
    assert verdict_on(demand(), seen).cause.kind == "http.truncated"


def test_the_address_is_put_together():
    assert demand(url="https://x.lab.test/", path="/v1/a").target == "https://x.lab.test/v1/a"


# ---- through the whole probe -----------------------------------------------------------------------------------------


@pytest.fixture
def host():
    return SimpleNamespace(net=LiveNet(Patience(8), environ={}))


def on(kind, handler, host, **fields):
    with tcp(handler) as port:
        return judge(demand(kind, url=f"http://127.0.0.1:{port}/s", **fields), host)


def test_a_stream_passes(host):
    assert on("sse", sse(gap=0.3), host).outcome is MET


def test_a_stream_is_held_back(host):
    verdict = on("sse", sse(gap=0.3, held=True), host)
    assert verdict.outcome is UNMET and verdict.cause.kind == "stream.buffered"


def test_a_websocket_passes(host):
    assert on("ws", websocket(echo=False), host, idle="0.2 s").outcome is MET


def test_a_websocket_does_not(host):
    verdict = on("ws", respond("404 Not Found"), host)
    assert verdict.outcome is UNMET and verdict.cause.kind == "ws.upgrade_refused"


def test_a_local_model_is_asked_for_a_few_words(host):
    asked = []

    def handler(sock):
        got = head(sock).decode()
        length = int(re.search(r"(?i)content-length: (\d+)", got)[1])
        body = got.partition("\r\n\r\n")[2]
        while len(body) < length:
            body += sock.recv(4096).decode()
        asked.append((got.split()[:2], json.loads(body)))
        sock.sendall(SSE_HEAD.encode() + b"\r\ndata: {}\n\ndata: [DONE]\n\n")

    with tcp(handler) as port:
        wanted = demand(url=f"http://127.0.0.1:{port}", path="/v1/chat/completions", chat_model="qwen3")
        evidence = ask(wanted, host)
    assert wanted.judge(evidence).outcome is UNKNOWN
    ((request, body),) = asked
    assert request == ["POST", "/v1/chat/completions"]
    assert body["model"] == "qwen3" and body["stream"] is True and body["max_tokens"] <= 64


def test_an_address_is_asked_for_its_stream_without_a_body(host):
    asked = []

    def handler(sock):
        asked.append(head(sock).decode())
        sock.sendall(SSE_HEAD.encode() + b"\r\n")

    on("sse", handler, host)
    (sent,) = asked
    assert sent.startswith("GET /s ") and "text/event-stream" in sent and "content-length" not in sent.lower()
