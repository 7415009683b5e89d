from __future__ import annotations

from dataclasses import replace

import pytest

from render import sample, traces
from vorflug.engine.reached import Connection, connections, other_ways, reached
from vorflug.ports.net import Code, Stage, StageSeen

PROXY = "proxy.corp:3128"


def of(*whole):
    facts = tuple(traces.fact(trace, f"https://{trace.host}/") for trace in whole)
    return connections(sample.report(hostile=False).model_copy(update={"facts": facts}))


def stopped(code, *stages, **more):
    passed = tuple(StageSeen(stage, 0.1) for stage in stages[:-1])
    return traces.passed(stages=(*passed, StageSeen(stages[-1], 0.1, code)), **more)


def test_directly_the_port_is_open_whatever_comes_later():
    assert of(traces.passed()) == (Connection("registry.corp", 443, None, None),)
    later = stopped(Code.TLS_INTERCEPTED, Stage.RESOLVE, Stage.CONNECT, Stage.TLS)
    assert of(later) == (Connection("registry.corp", 443, None, None, Code.TLS_INTERCEPTED),)


@pytest.mark.parametrize(
    ("code", "stages"),
    [(Code.DNS_TIMEOUT, (Stage.RESOLVE,)), (Code.TCP_REFUSED, (Stage.RESOLVE, Stage.CONNECT))],
)
def test_directly_it_is_not_reached(code, stages):
    assert of(stopped(code, *stages)) == (Connection("registry.corp", 443, None, code),)


def test_a_proxy_that_refuses_was_reached_itself():
    denied = stopped(Code.PROXY_DENIED, Stage.RESOLVE, Stage.CONNECT, Stage.PROXY, route=traces.PROXY)
    assert of(denied) == (
        Connection("proxy.corp", 3128, None, None),
        Connection("registry.corp", 443, PROXY, Code.PROXY_DENIED),
    )


def test_of_a_dead_proxy_nothing_is_known_about_the_target():
    dead = stopped(Code.TCP_REFUSED, Stage.RESOLVE, Stage.CONNECT, route=traces.PROXY)
    assert of(dead) == (
        Connection("proxy.corp", 3128, None, Code.TCP_REFUSED),
        Connection("registry.corp", 443, PROXY, Code.TCP_REFUSED, at_proxy=True),
    )


def test_a_report_without_traces_or_of_another_version_shows_nothing():
    assert of() == ()
    odd = traces.fact(traces.passed(), "https://a.example/").model_copy(update={"fact": {"trace": {"host": 1}}})
    assert connections(sample.report(hostile=False).model_copy(update={"facts": (odd,)})) == ()
    assert of(replace(traces.passed(), stages=())) == ()


def test_the_request_that_came_least_far_speaks_and_the_others_are_counted():
    every = of(traces.passed(), stopped(Code.TCP_RESET, Stage.RESOLVE, Stage.CONNECT))
    seen = reached(every, "Registry.corp.", 443, None)
    assert seen is not None and (seen.worst.stopped, seen.opened, seen.tried) == (Code.TCP_RESET, 1, 2)
    assert reached(every, "registry.corp", 8443, None) is None


def test_another_way_is_no_evidence_for_today_s():
    every = of(traces.intercepted())
    assert reached(every, "registry.corp", 443, None) is None
    assert other_ways(every, "registry.corp", 443, None) == (PROXY,)
    assert other_ways(every, "registry.corp", 443, PROXY) == ()
