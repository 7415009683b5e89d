"""A long request, taken, refused, cut and stalled by real servers."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from areas.asking import judge
from conftest import header
from lab.servers import head, reset, silent, tcp
from vorflug.areas.llm_upload import UploadQuery, UploadRequirement
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, HttpSeen, Route, Stage, StageSeen, Trace

MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN
SIZE = 8 * 1024 * 1024


def demand(url="https://llm.lab.test", **fields):
    return UploadRequirement.model_validate(
        header(**{"url": url, "path": "/v1/chat/completions", "size": "8 MiB"} | fields)
    )


def taker(status=401, *, at_most=None, then=None, short_status=None):
    """Reads a request and answers; of a long one no more than *at_most* bytes, and *then* does the rest."""

    def handler(sock):
        got = head(sock)
        top, _, body = got.partition(b"\r\n\r\n")
        left = int(re.search(rb"(?i)content-length: (\d+)", top)[1]) - len(body)
        long = left > 0
        taken = 0
        while left > 0 and (at_most is None or taken < at_most):
            more = len(sock.recv(min(left, 1 << 16)))
            if not more:
                return
            left, taken = left - more, taken + more
        if long and then is not None:
            then(sock)
            return
        code = status if long or short_status is None else short_status
        sock.sendall(f"HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        while left > 0 and (more := len(sock.recv(1 << 16))):  # no reset behind the answer
            left -= more

    return handler


@pytest.mark.parametrize(
    ("handler", "outcome", "says"),
    [
        (taker(), MET, "came through (HTTP 401)"),
        (taker(413), UNMET, "too large (HTTP 413)"),
        (taker(413, at_most=65536), UNMET, "too large (HTTP 413)"),
        (taker(502, short_status=401), UNMET, "gets HTTP 401; one of 8 MiB gets HTTP 502"),
        (taker(at_most=65536), UNKNOWN, "before it had the whole request"),
        (taker(at_most=1 << 20, then=reset), UNMET, "A short request to"),
        (taker(at_most=1 << 20, then=lambda sock: None), UNMET, "A short request to"),
    ],
)
def test_real_servers(handler, outcome, says):
    host = SimpleNamespace(net=LiveNet(Patience(8), environ={}))
    with tcp(handler) as port:
        verdict = judge(demand(f"http://127.0.0.1:{port}"), host)
    assert verdict.outcome is outcome, render(verdict.because)
    assert says in render(verdict.because), render(verdict.because)
    if outcome is UNMET:
        assert verdict.cause.kind == "http.request_too_large" and "8 MiB" in render(verdict.fix)


def test_a_stall():
    host = SimpleNamespace(net=LiveNet(Patience(1.6), environ={}))
    with tcp(taker(at_most=1 << 16, then=silent_without_reading)) as port:
        verdict = judge(demand(f"http://127.0.0.1:{port}", size="64 MiB"), host)
    assert verdict.outcome is UNMET and "stalled after" in render(verdict.because), render(verdict.because)


def silent_without_reading(sock):
    import time

    time.sleep(1.7)


def test_who_does_not_answer_a_short_request_is_not_called_too_narrow():
    host = SimpleNamespace(net=LiveNet(Patience(1.0), environ={}))
    with tcp(silent) as port:
        verdict = judge(demand(f"http://127.0.0.1:{port}"), host)
    assert verdict.outcome is UNMET and verdict.cause.kind == "http.no_response"


# ---- judged ----------------------------------------------------------------------------------------------------------


def trace(status, sent=0, looks_like=None, code=None):
    http = HttpSeen(status, (), (), "json", (), 2, sent_bytes=sent, looks_like=looks_like) if status else None
    stages = (StageSeen(Stage.HTTP, 0.1, code, "detail"),)
    return Trace("llm.lab.test", 443, Route(None, ""), (), "192.0.2.1:443", stages, http=http)


@pytest.mark.parametrize(
    ("short", "long", "outcome"),
    [
        (trace(401), trace(401, SIZE), MET),
        (trace(401), trace(400, SIZE), MET),
        (trace(401), trace(401, SIZE - 1), UNKNOWN),
        (trace(401), trace(403, SIZE), UNMET),
        (trace(403), trace(403, SIZE), MET),
        (trace(401), trace(429, SIZE), UNMET),
        (trace(429), trace(429, SIZE), MET),
        (trace(401), trace(499, SIZE), MET),
        (trace(401), trace(500, SIZE), UNMET),
        (trace(500), trace(500, SIZE), MET),
        (trace(413), trace(413, SIZE), UNMET),
        (trace(401), trace(200, SIZE, Code.HTTP_BLOCK_PAGE), UNMET),
        (trace(200), trace(200, SIZE, Code.HTTP_BLOCK_PAGE), UNMET),
        (trace(0), trace(401, SIZE), UNKNOWN),
        (trace(401), trace(0), UNKNOWN),
        (trace(0, code=Code.TCP_REFUSED), trace(401, SIZE), UNMET),
        (trace(401), trace(0, code=Code.HTTP_NO_RESPONSE), UNMET),
    ],
)
def test_judged(no_io, short, long, outcome):
    wanted = demand()
    seen = [
        Observation(q, Seen(TraceFact(trace=t))) for q, t in zip(wanted.queries(Evidence()), (short, long), strict=True)
    ]
    with no_io():
        verdict = wanted.judge(Evidence(seen))
    assert verdict.outcome is outcome, render(verdict.because)
    assert (verdict.fix is None) == (outcome is MET) and (verdict.cause is not None) == (outcome is UNMET)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    wanted = demand()
    short, long = wanted.queries(Evidence())
    with pytest.raises(NotSeen):
        wanted.judge(Evidence([Observation(short, Unseen(reason))]))
    with pytest.raises(NotSeen):
        wanted.judge(
            Evidence([Observation(short, Seen(TraceFact(trace=trace(401)))), Observation(long, Unseen(reason))])
        )


@pytest.mark.parametrize("size", ["0 B", "65 MiB"])
def test_a_size_out_of_reason_is_refused(size):
    with pytest.raises(ValidationError):
        demand(size=size)


def test_both_questions_can_be_read():
    short, long = demand().queries(Evidence())
    assert short.method == "POST" and isinstance(long, UploadQuery)
    assert "8 MiB" in render(long.asks()) and "8 MiB" in render(demand().wanted())
    assert demand(path=None).target == "https://llm.lab.test"


def test_a_page_that_only_a_long_request_gets_is_a_matter_of_its_length():
    wanted = demand()
    short, long = wanted.queries(Evidence())
    for status, kind in ((200, "http.block_page"), (401, "http.request_too_large")):
        pages = {short: trace(status), long: trace(200, SIZE, Code.HTTP_BLOCK_PAGE)}
        seen = [Observation(q, Seen(TraceFact(trace=t))) for q, t in pages.items()]
        assert wanted.judge(Evidence(seen)).cause.kind == kind


def test_the_path_is_put_below_the_address():
    assert demand(url="https://llm.lab.test/").target == "https://llm.lab.test/v1/chat/completions"
