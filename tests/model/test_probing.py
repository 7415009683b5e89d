"""The shared question: asked once when equal, and read back from a facts file as it was."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from conftest import FakePort, fake_host
from vorflug.engine import registry
from vorflug.model.fingerprint import Fingerprint, HeaderMark
from vorflug.model.message import render
from vorflug.model.probing import HostName, ProxyUrl, RequestQuery, RouteQuery, TraceFact, Url
from vorflug.ports.net import Code, HttpSeen, ProxySeen, Route, Stage, StageSeen, TlsSeen, Trace

TRACE = Trace(
    "a.test",
    443,
    Route("p:1", "https_proxy"),
    (),
    "p:1",
    (StageSeen(Stage.PROXY, 0.1, Code.PROXY_DENIED, "HTTP 403"),),
    TlsSeen("TLSv1.3", "x", (), "", False, False, "", (Code.TLS_EXPIRED,)),
    HttpSeen(200, ("a",), (("a", "b"),), "json", (), 1),
    (Code.TLS_INTERCEPTED,),
    ProxySeen(403),
    ("10.0.0.1",),
)


def test_a_trace_survives_json():
    fact = TraceFact(trace=TRACE)
    again = TraceFact.model_validate(json.loads(fact.model_dump_json()))
    assert again == fact and again.trace.code is Code.PROXY_DENIED


def test_a_question_survives_json_and_is_found_by_the_registry():
    query = RequestQuery.expecting(
        Fingerprint(headers=(HeaderMark(name="x-a", contains="b"),), body=("c",)), url="https://a.test/", method="POST"
    )
    adapter = TypeAdapter(RequestQuery)
    again = adapter.validate_python(json.loads(adapter.dump_json(query)))
    assert again == query and hash(again) == hash(query)
    assert (query.look_for, query.keep_headers) == (("c",), ("x-a",))
    assert registry.queries()["request"] is RequestQuery and registry.fact_of(RequestQuery) is TraceFact


def test_what_is_asked_reaches_the_port():
    asked = []
    host = fake_host(
        net=FakePort(probe=lambda ask: asked.append(ask) or TRACE, route=lambda url, proxy: Route(None, url))
    )
    query = RequestQuery(url="https://a.test/", proxy="http://p:1", ca_file="/ca.pem", public_ca=True, proxied=False)
    assert query.observe(host).trace == TRACE
    assert asked[0].proxy == "http://p:1" and asked[0].ca_file == "/ca.pem" and asked[0].public_ca
    assert RouteQuery(url="https://a.test/").observe(host).route.why == "https://a.test/"


def test_the_plan_says_where_it_goes():
    assert "https://a.test/" in render(RequestQuery(url="https://a.test/").asks())
    assert "p:1" in render(RequestQuery(url="https://a.test/", proxy="http://p:1").asks())
    assert "without" in render(RequestQuery(url="https://a.test/", proxied=False).asks())


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (Url, "https://a.test/v2/?a=b", True),
        (Url, "http://[::1]:80/", True),
        (Url, "https://user:pw@a.test/", False),
        (Url, "ftp://a.test/", False),
        (Url, "https://a.test/ x", False),
        (ProxyUrl, "http://p:3128", True),
        (ProxyUrl, "http://u:p@p:3128", False),
        (HostName, "a-b.test", True),
        (HostName, "xn--mnchen-3ya.de", True),
        (HostName, "https://a", False),
        (HostName, "-a", False),
        (HostName, "a..b", False),
    ],
)
def test_addresses(kind, value, fits):
    adapter = TypeAdapter(kind)
    if fits:
        assert adapter.validate_python(value) == value
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
