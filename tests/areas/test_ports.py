"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.ports import ListenersFact, ListenersQuery, PortFreeRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.sockets import Listener, Transport


def listener(address="0.0.0.0", port=443, *, v6only=None, pid=812, process="nginx"):
    return Listener(address=address, port=port, v6only=v6only, pid=pid, process=process)


def requirement(**fields):
    return PortFreeRequirement.model_validate(header(**{"ports": [80, 443], **fields}))


def evidence(demand, *listeners):
    query = demand.queries(Evidence())[0]
    result = (
        listeners[0] if listeners and isinstance(listeners[0], Unseen) else Seen(ListenersFact(listeners=listeners))
    )
    return Evidence([Observation(query, result)])


def judge(*listeners, **fields):
    demand = requirement(**fields)
    return demand.judge(evidence(demand, *listeners))


def test_only_the_asked_ports_are_kept():
    asked = []

    def listeners(transport):
        asked.append(transport)
        return (listener(port=22), listener(port=443), listener(port=8443))

    host = fake_host(sockets=FakePort(listeners=listeners))
    fact = ListenersQuery(protocol=Transport.UDP, ports=(80, 443)).observe(host)
    assert fact.listeners == (listener(port=443),)
    assert asked == [Transport.UDP]


@pytest.mark.parametrize("error", [PermissionError(13, "closed"), NotImplementedError("no table")])
def test_a_failed_listing_is_no_free_port(error):
    with pytest.raises(type(error)):
        ListenersQuery(protocol=Transport.TCP, ports=(443,)).observe(fake_host(sockets=FakePort(listeners=error)))


@pytest.mark.parametrize(
    ("seen", "families"),
    [
        (listener("0.0.0.0"), "IPv4 only"),
        (listener("127.0.0.1"), "IPv4 only"),
        (listener("::ffff:10.0.0.1", v6only=False), "IPv4 only"),
        (listener("::", v6only=False), "IPv4 and IPv6"),
        (listener("::", v6only=True), "IPv6 only"),
        (listener("::", v6only=None), "IPv6, perhaps IPv4 too"),
        (listener("::1", v6only=False), "IPv6 only"),
        (listener("fe80::1%eth0", v6only=False), "IPv6 only"),
    ],
)
def test_taken_on_one_family_is_taken_and_the_text_says_which(seen, families):
    verdict = judge(seen)
    assert verdict.outcome is Outcome.UNMET
    assert families in render(verdict.seen) and families in render(verdict.because)
    assert "nginx, pid 812" in render(verdict.because)
    assert "nginx" in render(verdict.fix) and "443" in render(verdict.fix) and "80 " not in render(verdict.fix)


def test_free_says_what_it_cannot_see():
    verdict = judge()
    assert verdict.outcome is Outcome.MET
    assert "DNAT" in render(verdict.because)


def test_a_hidden_owner_is_still_taken():
    verdict = judge(listener(pid=None, process=None))
    assert verdict.outcome is Outcome.UNMET
    assert "owner not visible" in render(verdict.seen)
    assert "ss -lnp" in render(verdict.fix)


@pytest.mark.parametrize(
    ("listeners", "outcome"),
    [
        ([], Outcome.MET),
        ([listener(process="caddy")], Outcome.MET),
        ([listener(process="caddy", port=80), listener(process="caddy")], Outcome.MET),
        ([listener(process="caddy", port=80), listener(process="nginx")], Outcome.UNMET),
        ([listener(process="nginx"), listener(process=None, pid=None, port=80)], Outcome.UNMET),
        ([listener(process=None, pid=None)], Outcome.UNKNOWN),
        ([listener(process="caddy", port=80), listener(process=None, pid=None)], Outcome.UNKNOWN),
    ],
)
def test_the_product_itself_may_hold_its_ports(listeners, outcome):
    assert judge(*listeners, owner=["caddy", "docker-proxy"]).outcome is outcome


def test_a_process_name_is_data():
    verdict = judge(listener(process="\x1b[31mnginx\u202e"))
    assert "\x1b" not in render(verdict.because) and "\\u001b" in render(verdict.because)


@pytest.mark.parametrize("ports", [[], [0], [65536], ["https"]])
def test_impossible_ports_are_refused(ports):
    with pytest.raises(ValidationError):
        requirement(ports=ports)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


@given(
    held=st.lists(st.integers(1, 9), max_size=4),
    asked=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    more=st.lists(st.integers(1, 9), max_size=4),
)
def test_asking_for_more_ports_never_turns_unmet_into_met(held, asked, more):
    host = fake_host(sockets=FakePort(listeners=tuple(listener(port=port) for port in held)))

    def outcome(ports):
        demand = requirement(ports=ports)
        query = demand.queries(Evidence())[0]
        return demand.judge(Evidence([Observation(query, Seen(query.observe(host)))])).outcome

    assert outcome(asked) is (Outcome.UNMET if set(held) & set(asked) else Outcome.MET)
    if outcome(asked) is Outcome.UNMET:
        assert outcome(asked + more) is Outcome.UNMET
