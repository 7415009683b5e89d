from __future__ import annotations

from dataclasses import replace

import pytest

from render import traces
from vorflug.ports.net import LOOPBACK, OPTION, SITE, AttemptSeen, Check, CheckSeen, Code, Mode, Route, Stage
from vorflug.render.path import ANSWERS, CHECKS, STAGES, Mark, answer, layer_of, layers, way

URL = "https://registry.corp/v2/"


def marks(trace, url=URL, mode=Mode.HTTP):
    return {layer.stage: layer.mark for layer in layers(trace, url, mode)}


def test_a_request_that_passed_has_every_layer_with_its_time():
    path = layers(traces.passed(), URL)
    assert [(str(p.stage), p.mark, p.took_s) for p in path] == [
        ("resolve", Mark.PASSED, 0.012), ("connect", Mark.PASSED, 0.003), ("tls", Mark.PASSED, 0.041), ("http", Mark.PASSED, 0.2),
    ]  # fmt: skip
    assert [str(p.says) for p in path] == [
        "registry.corp → 10.1.2.3, 10.1.2.4",
        "10.1.2.3:443",
        "TLSv1.3, certificate issued by CN=Corp Inspection CA",
        "status 200, json",
    ]


def test_what_lies_behind_the_break_is_not_reached_and_has_no_time():
    path = layers(traces.silent(), URL)
    assert [p.mark for p in path] == [Mark.BROKE, *[Mark.UNREACHED] * 3]
    assert path[0].codes == (Code.DNS_TIMEOUT,) and str(path[0].says) == "dns.timeout: EAI_AGAIN"
    assert [p.took_s for p in path[1:]] == [None] * 3


def test_a_proxy_is_a_layer_of_its_own_and_named_before_it():
    path = layers(traces.intercepted(), URL)
    assert [p.stage for p in path] == [Stage.RESOLVE, Stage.CONNECT, Stage.PROXY, Stage.TLS, Stage.HTTP]
    assert [p.mark for p in path] == [Mark.WARNED, Mark.WARNED, Mark.PASSED, Mark.BROKE, Mark.UNREACHED]
    assert str(path[0].says) == "proxy.corp, the proxy; it resolves registry.corp"
    assert str(path[1].says) == "10.1.9.9:3128, the proxy"
    assert str(path[2].says) == "proxy.corp:3128 opens the way (HTTP 200)"


def test_each_address_that_was_tried_is_a_hop():
    hops = layers(traces.intercepted(), URL)[1].hops
    assert [(h.mark, str(h.says), h.took_s) for h in hops] == [
        (Mark.BROKE, "2001:db8::9  tcp.no_route", 0.25),
        (Mark.PASSED, "10.1.9.9", 0.003),
    ]


def test_of_many_hops_the_first_are_drawn_and_the_others_counted():
    many = tuple(AttemptSeen(f"10.0.0.{n}", 0.1, Code.TCP_TIMEOUT) for n in range(50))
    hops = layers(traces.passed(attempts=many), URL)[1].hops
    assert len(hops) == 7 and str(hops[-1].says) == "and 44 more"


@pytest.mark.parametrize(
    ("url", "mode", "stages"),
    [
        ("http://a/", Mode.HTTP, ["resolve", "connect", "http"]),
        ("https://a/", Mode.SSE, ["resolve", "connect", "tls", "http", "stream"]),
        ("wss://a/", Mode.WS, ["resolve", "connect", "tls", "http", "stream"]),
        ("ws://a/", Mode.WS, ["resolve", "connect", "http", "stream"]),
    ],
)
def test_the_layers_are_those_that_the_url_has(url, mode, stages):
    trace = replace(traces.silent("a"))
    assert [str(layer.stage) for layer in layers(trace, url, mode)] == stages


def test_a_layer_that_was_noted_is_drawn_even_where_nobody_expects_it():
    """An upgrade from http to https on the same host has a handshake."""
    assert Stage.TLS in marks(traces.passed(), "http://registry.corp/")


def test_a_stream_says_how_many_events_and_which_silence():
    path = layers(traces.streamed(), URL, Mode.SSE)
    assert str(path[-1].says) == "events: 5; a silence of 40 s survived"
    frames = layers(traces.streamed(), URL, Mode.WS)
    assert str(frames[-1].says) == "frames echoed: 5; a silence of 40 s survived"


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_layer(code):
    assert layer_of(code) in Stage


@pytest.mark.parametrize(
    ("route", "says"),
    [
        (Route(None, ""), "directly"),
        (Route(None, "NO_PROXY"), "directly (NO_PROXY)"),
        (Route(None, LOOPBACK), "directly (loopback)"),
        (Route("p:1", "https_proxy"), "by the proxy p:1, from https_proxy"),
        (Route("p:1", SITE), "by the proxy p:1, named in the site file"),
        (Route("p:1", OPTION), "by the proxy p:1, named on the command line"),
        (Route("p:1", ""), "by the proxy p:1"),
    ],
)
def test_the_way_names_who_decided(route, says):
    assert str(way(traces.passed(route=route))) == says


def test_every_stage_and_every_control_has_words():
    assert set(STAGES) == set(Stage) and set(CHECKS) == set(Check)


def test_a_control_says_what_its_outcome_means():
    assert str(answer(CheckSeen(Check.WITHOUT_SNI, "passed"))) == "Without the server's name the handshake passes."
    assert str(answer(CheckSeen(Check.CLOCK, "not_possible"))) == (
        "Does this host's clock agree with those of others? That could not be tried in the time."
    )
    assert str(answer(CheckSeen(Check.CLOCK, "unheard-of"))).endswith("others? unheard-of")


def test_each_control_has_a_sentence_for_either_outcome_and_they_differ():
    for check in Check:
        said = [str(words) for (one, _), words in ANSWERS.items() if one is check]
        assert len(said) == len(set(said)) == 2, check
