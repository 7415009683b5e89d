"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.port_settings import (
    EphemeralPortsRequirement,
    PortSettingsFact,
    PortSettingsQuery,
    UnprivilegedPortsRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

FOLDER = "/proc/sys/net/ipv4/"
USUAL = {
    "ip_local_port_range": "32768\t60999\n",
    "ip_unprivileged_port_start": "1024\n",
    "ip_local_reserved_ports": "\n",
}


def observe(**files):
    texts = {FOLDER + name: text for name, text in {**USUAL, **files}.items()}

    def read_text(path):
        return FileNotFoundError(2, path) if texts[path] is None else texts[path]

    return PortSettingsQuery().observe(fake_host(files=FakePort(read_text=read_text)))


def seen(start=1024, first=32768, last=60999, reserved=()):
    return PortSettingsFact(unprivileged_from=start, ephemeral_from=first, ephemeral_to=last, reserved=reserved)


def make(cls, **fields):
    return cls.model_validate(header(**{"ports": [80, 443], **fields}))


def judge(cls, fact, **fields):
    result = fact if isinstance(fact, Unseen) else Seen(fact)
    return make(cls, **fields).judge(Evidence([Observation(PortSettingsQuery(), result)]))


def test_what_a_plain_machine_says():
    assert observe() == seen()


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("\n", ()),
        ("8080\n", ((8080, 8080),)),
        ("8080,9148-9150\n", ((8080, 8080), (9148, 9150))),
    ],
)
def test_reserved_ports(text, ranges):
    assert observe(ip_local_reserved_ports=text).reserved == ranges


def test_an_older_kernel_has_fewer_settings():
    fact = observe(ip_local_reserved_ports=None, ip_unprivileged_port_start=None)
    assert fact == seen(start=None)


def test_without_the_range_nothing_is_known():
    with pytest.raises(NotImplementedError, match="ip_local_port_range"):
        observe(ip_local_port_range=None)


@pytest.mark.parametrize(
    ("start", "ports", "outcome"),
    [
        (1024, [80, 443], Outcome.UNMET),
        (80, [80, 443], Outcome.MET),
        (81, [80, 443], Outcome.UNMET),
        (0, [80], Outcome.MET),
        (None, [1023], Outcome.UNMET),
        (None, [1024], Outcome.MET),
    ],
)
def test_unprivileged_ports(start, ports, outcome):
    verdict = judge(UnprivilegedPortsRequirement, seen(start), ports=ports)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == f"from port {1024 if start is None else start}"
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_least_closed_port_is_where_the_limit_must_go():
    verdict = judge(UnprivilegedPortsRequirement, seen(443), ports=[443, 80])
    assert "ip_unprivileged_port_start=80 " in render(verdict.fix)
    assert "cannot publish 80." in render(verdict.because)


@pytest.mark.parametrize(
    ("fact", "ports", "outcome"),
    [
        (seen(), [80, 443], Outcome.MET),
        (seen(), [32767], Outcome.MET),
        (seen(), [32768], Outcome.UNMET),
        (seen(), [60999], Outcome.UNMET),
        (seen(), [61000], Outcome.MET),
        (seen(first=1024), [80, 8000], Outcome.UNMET),
        (seen(first=1024, reserved=((8000, 8000),)), [80, 8000], Outcome.MET),
        (seen(first=1024, reserved=((7999, 8001),)), [7999, 8000, 8001], Outcome.MET),
        (seen(first=1024, reserved=((7999, 8001),)), [7998], Outcome.UNMET),
        (seen(first=1024, reserved=((7999, 8001),)), [8002], Outcome.UNMET),
    ],
)
def test_a_port_that_an_outgoing_connection_may_take(fact, ports, outcome):
    verdict = judge(EphemeralPortsRequirement, fact, ports=ports)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    if outcome is Outcome.UNMET:
        assert str(ports[-1]) in render(verdict.fix)


def test_reserved_ports_are_shown():
    assert render(judge(EphemeralPortsRequirement, seen()).seen) == "32768 to 60999"
    fact = seen(reserved=((8080, 8080), (9148, 9150)))
    words = "32768 to 60999, without 8080 and 9148 to 9150"
    assert render(judge(EphemeralPortsRequirement, fact).seen) == words


@pytest.mark.parametrize("ports", [[], [0], [65536]])
@pytest.mark.parametrize("cls", [EphemeralPortsRequirement, UnprivilegedPortsRequirement])
def test_impossible_ports_are_refused(cls, ports):
    with pytest.raises(ValidationError):
        make(cls, ports=ports)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("cls", [EphemeralPortsRequirement, UnprivilegedPortsRequirement])
def test_not_seen_is_never_a_verdict(cls, reason):
    with pytest.raises(NotSeen):
        judge(cls, Unseen(reason))


def test_words():
    assert render(PortSettingsQuery().asks()).endswith("?")
    for cls in (EphemeralPortsRequirement, UnprivilegedPortsRequirement):
        assert "80 and 443" in render(make(cls).wanted())
        assert make(cls).queries(Evidence()) == [PortSettingsQuery()]
