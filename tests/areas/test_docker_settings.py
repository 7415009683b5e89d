"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.docker_settings import (
    DaemonProxyRequirement,
    LogRotationRequirement,
    NofileRequirement,
    PacketFilterRequirement,
    SettingsFact,
    SettingsQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.containers import DaemonFile, Engine, EngineState

FILE = "/etc/docker/daemon.json"


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def settings(**fields):
    return SettingsFact(**{"state": "answering", "socket": "/s", "version": "29.0.1", "daemon_file": FILE, **fields})


def evidence(fact):
    return Evidence([Observation(SettingsQuery(), fact if isinstance(fact, Unseen) else Seen(fact))])


DEMANDS = [
    make(PacketFilterRequirement),
    make(DaemonProxyRequirement, proxy="http://proxy.corp:3128", no_proxy=["localhost"]),
    make(LogRotationRequirement, drivers=["local", "journald"], options=["max-size", "max-file"]),
    make(NofileRequirement, at_least=65536, low_since="29"),
]
FILTER, PROXY, LOGS, NOFILE = DEMANDS


def test_engine_and_file_together_are_the_fact():
    engine = Engine(EngineState.ANSWERING, "/s", version="27", https_proxy="http://p:1", no_proxy="localhost, ,.corp")
    file = DaemonFile(FILE, exists=True, log_options=("max-size",), nofile_soft=5, iptables=False)
    fact = SettingsQuery().observe(fake_host(containers=FakePort(engine=engine, daemon_file=file)))
    assert fact.no_proxy == ("localhost", ".corp")
    assert (fact.log_options, fact.nofile_soft, fact.iptables, fact.broken) == (("max-size",), 5, False, "")


def test_a_broken_file_is_a_fact():
    port = FakePort(engine=Engine(EngineState.ABSENT, "/s"), daemon_file=ValueError(f"{FILE}:3: wanted JSON"))
    fact = SettingsQuery().observe(fake_host(containers=port))
    assert (fact.daemon_file, fact.broken) == (FILE, f"{FILE}:3: wanted JSON")


def test_a_file_that_cannot_be_read_is_no_broken_one():
    """iptables: false could stand in it."""
    port = FakePort(engine=Engine(EngineState.ANSWERING, "/s"), daemon_file=NotImplementedError(f"{FILE} is no file"))
    with pytest.raises(NotImplementedError, match=FILE):
        SettingsQuery().observe(fake_host(containers=port))


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_a_broken_file_is_one_cause_for_all(demand):
    verdict = demand.judge(evidence(settings(broken=f"{FILE}:3: wanted JSON")))
    assert (verdict.outcome, verdict.cause.kind, verdict.cause.subject) == (Outcome.UNMET, "docker.daemon_file", FILE)
    assert ":3:" in render(verdict.because)
    assert render(verdict.seen) == f"{FILE}:3: wanted JSON"


@pytest.mark.parametrize("state", [s for s in EngineState if s is not EngineState.ANSWERING])
@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_a_silent_engine_leaves_it_open(demand, state):
    verdict = demand.judge(evidence(settings(state=state)))
    assert (verdict.outcome, verdict.cause.kind, verdict.cause.subject) == (Outcome.UNKNOWN, f"docker.{state}", "/s")


@pytest.mark.parametrize(
    ("demand", "fields", "outcome", "words"),
    [
        (FILTER, {}, Outcome.MET, "not forbidden"),
        (FILTER, {"iptables": True, "firewall": "nftables"}, Outcome.MET, "nftables"),
        (FILTER, {"iptables": False}, Outcome.UNMET, "forbids"),
        (PROXY, {}, Outcome.UNMET, "no proxy"),
        (PROXY, {"http_proxy": "http://proxy.corp:3128"}, Outcome.UNMET, "for http alone"),
        (PROXY, {"https_proxy": "http://other:3128", "no_proxy": ("localhost",)}, Outcome.UNMET, "other:3128"),
        (
            PROXY,
            {"https_proxy": "http://[redacted]@PROXY.corp:3128/", "no_proxy": ("localhost",)},
            Outcome.MET,
            "localhost",
        ),
        (PROXY, {"https_proxy": "http://proxy.corp:3128"}, Outcome.UNMET, "lacks localhost"),
        (make(DaemonProxyRequirement), {"https_proxy": "http://any:1"}, Outcome.MET, "any:1"),
        (LOGS, {"logging_driver": "local"}, Outcome.MET, "local"),
        (LOGS, {"logging_driver": "json-file", "log_options": ("max-size", "max-file")}, Outcome.MET, "rotates"),
        (LOGS, {"logging_driver": "json-file", "log_options": ("max-size",)}, Outcome.UNMET, "no max-file"),
        (LOGS, {"logging_driver": "none"}, Outcome.UNMET, "logging driver none"),
        # options of another driver are not those of json-file
        (LOGS, {"logging_driver": "gelf", "log_options": ("max-size", "max-file")}, Outcome.UNMET, "driver gelf"),
        (LOGS, {"logging_driver": ""}, Outcome.UNKNOWN, "does not say"),
        (NOFILE, {"nofile_soft": 65536}, Outcome.MET, "65536"),
        (NOFILE, {"nofile_soft": -1}, Outcome.MET, "unlimited"),
        (NOFILE, {"nofile_soft": 65535}, Outcome.UNMET, "65535"),
        (NOFILE, {}, Outcome.UNMET, "29.0.1"),
        (NOFILE, {"version": "28.5"}, Outcome.UNKNOWN, "containerd"),
        (NOFILE, {"version": "29"}, Outcome.UNMET, "default of Docker 29 is lower"),
        (NOFILE, {"version": "dev"}, Outcome.UNKNOWN, "containerd"),
        (make(NofileRequirement, at_least=1), {}, Outcome.UNKNOWN, "containerd"),
    ],
)
def test_verdict(demand, fields, outcome, words):
    verdict = demand.judge(evidence(settings(**fields)))
    assert verdict.outcome is outcome
    assert words in (render(verdict.seen) if verdict.seen else "") + render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize(
    ("demand", "fields", "seen"),
    [
        (FILTER, {}, "not forbidden"),
        (FILTER, {"firewall": "nftables"}, "not forbidden; the engine filters with nftables"),
        (PROXY, {}, "no proxy"),
        (PROXY, {"http_proxy": "http://p:1"}, "a proxy for http alone: http://p:1"),
        (PROXY, {"https_proxy": "http://p:1"}, "proxy http://p:1, without exceptions"),
        (PROXY, {"https_proxy": "http://p:1", "no_proxy": ("a", "b")}, "proxy http://p:1, not for a and b"),
    ],
)
def test_what_was_seen(demand, fields, seen):
    assert render(demand.judge(evidence(settings(**fields))).seen) == seen


@pytest.mark.parametrize(
    ("proxy", "wanted"),
    [
        ("http://proxy.corp:3128", "the Docker daemon uses the proxy proxy.corp:3128"),
        (None, "the Docker daemon uses a proxy"),
    ],
)
def test_a_proxy_of_one_s_own_is_named_without_its_scheme(proxy, wanted):
    assert render(make(DaemonProxyRequirement, proxy=proxy).wanted()) == wanted


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_what_podman_answers_is_not_the_docker_daemon_s_settings(demand):
    verdict = demand.judge(evidence(settings(product="Podman Engine", https_proxy="http://proxy.corp:3128")))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.other_product")


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(Unseen(reason)))


def test_words():
    assert render(SettingsQuery().asks()).endswith("?")
    for demand in (*DEMANDS, make(DaemonProxyRequirement)):
        assert render(demand.wanted())
        assert demand.queries(Evidence()) == [SettingsQuery()]
