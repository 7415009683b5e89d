"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.routing_tables import link, route, routes, rule
from conftest import FakePort, fake_host, header
from vorflug.areas.ipv6 import Ipv6Fact, Ipv6Query, Ipv6Requirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery
from vorflug.ports.sockets import InterfaceAddress

DEMAND = Ipv6Requirement.model_validate(header())
MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN


def observe(switch, *addresses):
    made = tuple(InterfaceAddress("eth0", address, "") for address in addresses)
    return Ipv6Query().observe(
        fake_host(files=FakePort(read_text=switch), sockets=FakePort(addresses=made) if made else FakePort())
    )


def seen(public=(), private=(), *, kernel=True, off=False):
    return Ipv6Fact(in_kernel=kernel, switched_off=off, global_addresses=public, private_addresses=private)


def result(fact):
    return fact if isinstance(fact, Unseen) else Seen(fact)


def judge(fact, found):
    return DEMAND.judge(Evidence([Observation(Ipv6Query(), result(fact)), Observation(RoutesQuery(), result(found))]))


def test_addresses_are_told_apart():
    fact = observe("0\n", "192.0.2.1", "::1", "fe80::1", "fd00::2", "2001:db8::3", "3fff::1", "4000::1")
    assert fact == seen(("2001:db8::3", "3fff::1"), ("fd00::2",))


def test_switched_off():
    assert observe("1\n", "127.0.0.1") == seen(off=True)


def test_a_kernel_without_ipv6():
    assert observe(FileNotFoundError(2, "no")) == seen(kernel=False)


PUBLIC, PRIVATE = ("2001:db8::3",), ("fd00::2",)
DEFAULT, NONE = routes(("::/0", "eth0")), routes(("fd00::/64", "eth0"))


@pytest.mark.parametrize(
    ("fact", "found", "outcome", "says"),
    [
        (seen(kernel=False), Unseen(Reason.DENIED), MET, "no IPv6 in the kernel"),
        (seen(PUBLIC), DEFAULT, MET, "2001:db8::3, default route over eth0"),
        (seen((), PRIVATE), DEFAULT, MET, "fd00::2, default route over eth0"),
        (seen(), DEFAULT, UNMET, "default route over eth0, no address"),
        (seen(PUBLIC), NONE, UNMET, "2001:db8::3, no default route"),
        (seen(PUBLIC, PRIVATE), NONE, UNMET, "2001:db8::3 and fd00::2, no default route"),
        # a network within the company needs no way out
        (seen((), PRIVATE), NONE, MET, "fd00::2, no default route"),
        (seen(), NONE, MET, "no address of IPv6 beyond this link"),
        (seen(off=True), NONE, MET, "no address of IPv6 (switched off)"),
        (seen(PUBLIC), routes(route("::/0", kind="unreachable")), UNMET, "no default route"),
        (seen(PUBLIC), routes(complete=False), UNKNOWN, "no default route"),
        (seen(PUBLIC), routes(main_only=True), UNKNOWN, "no default route"),
        (
            seen(PUBLIC),
            routes(route("::/0", table=100), rules=[rule(5, 100, "fwmark 0x1", family=6)]),
            UNKNOWN,
            "no default route",
        ),
        (
            seen(PUBLIC),
            routes(route("::/0", "wg0"), links=[link("wg0", "wireguard")]),
            MET,
            "wg0, a tunnel (wireguard)",
        ),
    ],
)
def test_half_of_ipv6_is_worse_than_none(fact, found, outcome, says):
    verdict = judge(fact, found)
    assert verdict.outcome is outcome
    assert says in render(verdict.seen)
    assert (verdict.fix is None) == (outcome is MET)
    assert render(verdict.because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    for fact, found in ((Unseen(reason), DEFAULT), (seen(PUBLIC), Unseen(reason))):
        with pytest.raises(NotSeen):
            judge(fact, found)


def test_words():
    assert render(Ipv6Query().asks()).endswith("?")
    assert render(DEMAND.wanted())
    assert DEMAND.queries(Evidence()) == [Ipv6Query(), RoutesQuery()]
