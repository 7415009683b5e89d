"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from areas.routing_tables import link, route, routes, rule
from conftest import FakePort, fake_host, header
from vorflug.areas.routes import (
    DefaultRouteRequirement,
    Family,
    InterfaceNetwork,
    InterfaceNetworksFact,
    InterfaceNetworksQuery,
    NetworkOverlapRequirement,
    NetworkPlanRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery
from vorflug.ports.routing import RuleSeen
from vorflug.ports.sockets import InterfaceAddress

MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN


def result(fact):
    return fact if isinstance(fact, Unseen) else Seen(fact)


def default_route(fact, **fields):
    demand = DefaultRouteRequirement.model_validate(header(**fields))
    return demand.judge(Evidence([Observation(RoutesQuery(), result(fact))]))


def overlap(fact, addresses=(), **fields):
    found = InterfaceNetworksFact(
        addresses=tuple(InterfaceNetwork(network=network, interface=interface) for network, interface in addresses)
    )
    demand = NetworkOverlapRequirement.model_validate(header(**fields))
    return demand.judge(
        Evidence([Observation(RoutesQuery(), result(fact)), Observation(InterfaceNetworksQuery(), Seen(found))])
    )


def plan(**fields):
    return NetworkPlanRequirement.model_validate(header(**fields))


def test_the_interfaces_are_asked():
    host = fake_host(sockets=FakePort(addresses=(InterfaceAddress("eth0", "192.0.2.2", "192.0.2.0/24"),)))
    seen = InterfaceNetworksQuery().observe(host).addresses
    assert seen == (InterfaceNetwork(network="192.0.2.0/24", interface="eth0"),)


# ---- default route

DIRECT = ("192.0.2.0/24", "eth0")
DEFAULT = ("0.0.0.0/0", "eth0")


@pytest.mark.parametrize(
    ("fact", "fields", "outcome"),
    [
        (routes(DIRECT, DEFAULT), {}, MET),
        (routes(DIRECT, ("::/0", "eth0")), {}, MET),
        (routes(DIRECT, ("::/0", "eth0")), {"family": "ipv4"}, UNMET),
        (routes(DIRECT, ("::/0", "eth0")), {"family": "ipv6"}, MET),
        (routes(DIRECT, DEFAULT), {"family": "ipv6"}, UNMET),
        (routes(DIRECT), {}, UNMET),
        (routes(), {}, UNMET),
        (routes(("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0")), {}, MET),
        (routes(("0.0.0.0/1", "tun0")), {}, UNMET),
        (routes(("10.0.0.0/8", "eth0")), {"networks": ["10.20.0.0/16", "10.1.2.3/32"]}, MET),
        (routes(("10.0.0.0/8", "eth0")), {"networks": ["10.20.0.0/16", "172.16.0.0/12"]}, UNMET),
        (routes(("10.20.0.0/16", "eth0")), {"networks": ["10.0.0.0/8"]}, UNMET),
        (routes(("fd00::/16", "eth0")), {"networks": ["fd00:1::/64"]}, MET),
        (routes(DIRECT, complete=False), {}, UNKNOWN),
        (routes(DIRECT, complete=False), {"networks": ["10.0.0.0/8"]}, UNKNOWN),
        (routes(DEFAULT, complete=False), {}, MET),
        (routes(DEFAULT), {"networks": ["10.0.0.0/8"]}, MET),
        (routes(DIRECT, main_only=True), {}, UNKNOWN),
        (routes(DEFAULT, main_only=True), {}, MET),
    ],
)
def test_default_route(fact, fields, outcome):
    verdict = default_route(fact, **fields)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is MET)


def test_what_lies_behind_the_gateway_is_invisible_and_the_text_says_so():
    verdict = default_route(routes(DEFAULT))
    assert render(verdict.seen) == "default route over eth0"
    assert "not visible from here" in render(verdict.because)


def test_a_default_route_only_in_another_table_is_found_and_said():
    fact = routes(DIRECT, route("0.0.0.0/0", "eth1", table=100), rules=[rule(1000, 100)])
    verdict = default_route(fact)
    assert verdict.outcome is MET
    assert render(verdict.seen) == "default route over eth1, table 100"


def test_a_vpn_that_took_the_default_route_is_named():
    fact = routes(
        DEFAULT, route("0.0.0.0/0", "wg0", table=51820), rules=[rule(9, 51820)], links=[link("wg0", "wireguard")]
    )
    assert (
        render(default_route(fact).seen) == "default route over wg0, a tunnel (wireguard) as VPNs have it, table 51820"
    )


@pytest.mark.parametrize(
    ("selects", "outcome", "words"),
    [
        ("from 192.0.2.5/32", UNMET, "ask for nothing special"),
        ("fwmark 0x1", UNMET, "ask for nothing special"),
        ("uidrange 1000-1000", UNKNOWN, "some packets only"),
    ],
)
def test_a_default_route_for_some_packets_only_is_not_one_for_all(selects, outcome, words):
    fact = routes(DIRECT, route("0.0.0.0/0", "eth1", table=100), rules=[rule(1000, 100, selects)])
    verdict = default_route(fact)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == f"default route over eth1, table 100 for packets {selects} only"
    assert words in render(verdict.because) and render(verdict.fix)


@pytest.mark.parametrize("kind", ["unreachable", "blackhole", "prohibit"])
def test_a_route_that_refuses_is_no_route(kind):
    verdict = default_route(routes(DIRECT, route("0.0.0.0/0", kind=kind)))
    assert verdict.outcome is UNMET
    assert render(verdict.seen) == "a default route that refuses packets"
    assert "is of kind unreachable, blackhole or prohibit" in render(verdict.because)


def test_no_default_route_is_said_plainly():
    verdict = default_route(routes(DIRECT), family="ipv4")
    assert (render(verdict.seen), render(verdict.because)) == (
        "no default route",
        "No table has a default route (IPv4) for all targets.",
    )


@pytest.mark.parametrize("more", [[DEFAULT], [("10.0.0.0/8", "eth0")]])
def test_a_needed_network_that_a_route_refuses_is_missing_whatever_else_there_is(more):
    fact = routes(*more, route("10.20.0.0/16", kind="blackhole"))
    verdict = default_route(fact, networks=["10.20.0.0/16", "10.30.0.0/16"])
    assert verdict.outcome is UNMET
    assert "10.20.0.0/16" in render(verdict.because) and "10.30" not in render(verdict.because)


@pytest.mark.parametrize(
    ("links", "outcome"),
    [
        ([link("eth0", up=False), link("eth1")], MET),
        ([link("eth0", up=False), link("eth1", up=False)], UNMET),
        ([link("eth0"), link("eth1")], MET),
        ([link("eth0", up=False)], MET),
        ([link("eth2", up=False)], MET),
    ],
)
def test_an_interface_without_link_leads_nowhere(links, outcome):
    verdict = default_route(routes(route("0.0.0.0/0", ("eth0", "eth1")), links=links))
    assert verdict.outcome is outcome
    assert ("no link" in render(verdict.seen)) == (outcome is UNMET)


def test_one_family_with_a_link_is_enough():
    fact = routes(("0.0.0.0/0", "eth0"), ("::/0", "eth1"), links=[link("eth0", up=False), link("eth1")])
    assert default_route(fact).outcome is MET
    assert default_route(fact, family="ipv4").outcome is UNMET


def test_a_default_route_whose_interface_is_not_told_is_one():
    """Next hops that are objects of their own (ip-nexthop(8)) may come without an interface."""
    assert default_route(routes(route("0.0.0.0/0", ())), family="ipv4").outcome is MET


def test_a_network_reached_only_by_some_packets_is_missing():
    fact = routes(route("10.0.0.0/8", table=100), rules=[rule(5, 100, "fwmark 0x1")])
    assert default_route(fact, networks=["10.0.0.0/8"]).outcome is UNMET
    fact = routes(route("10.0.0.0/8", table=100), ("10.0.0.0/8", "eth0"), rules=[rule(5, 100, "fwmark 0x1")])
    assert default_route(fact, networks=["10.0.0.0/8"]).outcome is MET
    fact = routes(
        route("10.0.0.0/8", table=100, kind="blackhole"), ("10.0.0.0/8", "eth0"), rules=[rule(5, 100, "fwmark 0x1")]
    )
    assert default_route(fact, networks=["10.0.0.0/8"]).outcome is MET


def test_a_rule_that_refuses_is_no_way():
    fact = routes(DEFAULT, rules=[RuleSeen(4, 9, 0, "", "prohibit")])
    assert default_route(fact, family="ipv4").outcome is UNMET
    mixed = routes(route("0.0.0.0/1"), rules=[RuleSeen(4, 9, 0, "to 128.0.0.0/1", "prohibit")])
    assert default_route(mixed, family="ipv4").outcome is UNMET


def test_missing_networks_are_named():
    verdict = default_route(routes(("10.0.0.0/8", "eth0")), networks=["10.20.0.0/16", "172.16.0.0/12"])
    assert "172.16.0.0/12" in render(verdict.fix) and "10.20" not in render(verdict.fix)
    assert "172.16.0.0/12" in render(verdict.seen)


def test_hidden_tables_are_named():
    assert "not visible here" in render(default_route(routes(DIRECT, main_only=True)).because)
    assert "part of the routing table" in render(default_route(routes(DIRECT, complete=False)).because)


@pytest.mark.parametrize(
    ("family", "label"), [("ipv4", "IPv4"), ("ipv6", "IPv6"), ("any", "IPv4 or IPv6")], ids=list(Family)
)
def test_wanted(family, label):
    demand = DefaultRouteRequirement.model_validate(header(family=family))
    assert render(demand.wanted()) == f"a default route ({label})"
    demand = DefaultRouteRequirement.model_validate(header(family=family, networks=["10.0.0.0/8"]))
    assert render(demand.wanted()) == f"a default route ({label}), or routes to 10.0.0.0/8"


# ---- overlap

POOLS = {"networks": ["172.17.0.0/16", "192.168.0.0/16"]}
OWN = {"own_interfaces": ["docker*", "br-*"]}


@pytest.mark.parametrize(
    ("fact", "addresses", "fields", "outcome", "says"),
    [
        (routes(DEFAULT, ("::/0", "eth0"), DIRECT), [], POOLS, MET, "behind the default gateway"),
        (routes(DEFAULT), [], POOLS, MET, "VPN that is not connected"),
        (routes(("192.168.7.0/24", "eth0")), [], POOLS, UNMET, "192.168.0.0/16 with 192.168.7.0/24 (eth0)"),
        (routes(("172.16.0.0/12", "tun0")), [], POOLS, UNMET, "tun0"),
        (routes(), [("192.168.1.0/24", "wlan0")], POOLS, UNMET, "wlan0"),
        (routes(), [("10.1.0.0/24", "wlan0")], POOLS, MET, ""),
        (routes(("172.17.0.0/16", "docker0")), [("172.17.0.0/16", "docker0")], POOLS, UNMET, "docker0"),
        (routes(("172.17.0.0/16", "docker0")), [("172.17.0.0/16", "docker0")], {**POOLS, **OWN}, MET, ""),
        (routes(), [("172.17.0.0/16", "docker0")], {**POOLS, **OWN}, MET, ""),
        (routes(route("172.17.0.0/16", ("docker0", "eth0"))), [], {**POOLS, **OWN}, UNMET, "docker0 and eth0"),
        (routes(("192.168.7.0/24", "br-1")), [], {**POOLS, **OWN}, MET, ""),
        (routes(), [], {**POOLS, "reserved": ["192.168.5.9/32"]}, UNMET, "(reserved)"),
        (routes(), [], {**POOLS, "reserved": ["10.0.0.0/8", "fd00::/8"]}, MET, ""),
        # a tunnel that takes everything collides with nothing in particular
        (routes(("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0")), [], POOLS, MET, ""),
        (routes(complete=False), [], POOLS, UNKNOWN, "part of the routing table"),
        (routes(("192.168.7.0/24", "eth0"), complete=False), [], POOLS, UNMET, ""),
        (routes(main_only=True), [], POOLS, MET, "than the main one are not visible"),
        (routes(("fd00::/64", "eth0")), [], {"networks": ["fd00::/56"]}, UNMET, "fd00::/64"),
        # what refuses packets leads nowhere that could be missed
        (routes(route("172.16.0.0/12", kind="blackhole")), [], POOLS, MET, ""),
    ],
)
def test_overlap(fact, addresses, fields, outcome, says):
    verdict = overlap(fact, addresses, **fields)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is MET)
    assert ("main one" in render(verdict.because)) == fact.main_only


def test_a_vpn_route_in_a_table_of_its_own_is_found_and_named():
    fact = routes(
        route("172.16.0.0/12", "wg0", table=51820), rules=[rule(9, 51820, "not fwmark 0x1")], links=[link("wg0", "tun")]
    )
    words = "172.17.0.0/16 with 172.16.0.0/12 (wg0, a tunnel (tun) as VPNs have it, table 51820)"
    assert words in render(overlap(fact, **POOLS).because)


def test_a_network_with_route_and_address_is_named_once():
    fact = routes(route("192.168.7.0/24", "eth0", table=100), rules=[rule(5, 100)])
    verdict = overlap(fact, [("192.168.7.0/24", "eth0")], **POOLS)
    assert render(verdict.because).count("192.168.7.0/24") == 1


def test_no_network_at_all_is_refused():
    with pytest.raises(ValidationError):
        NetworkOverlapRequirement.model_validate(header(networks=[]))


# ---- plan


@pytest.mark.parametrize(
    ("networks", "avoid", "outcome"),
    [
        (["172.17.0.0/16"], ["10.0.0.0/8"], MET),
        (["172.17.0.0/16"], ["10.0.0.0/8", "172.16.0.0/12"], UNMET),
        (["10.1.0.0/16", "172.17.0.0/16"], ["172.17.255.255/32"], UNMET),
        (["172.17.0.0/16"], ["fd00::/8"], MET),
    ],
)
def test_the_plan_needs_no_look_at_the_machine(networks, avoid, outcome):
    demand = plan(networks=networks, avoid=avoid)
    assert demand.queries(Evidence()) == []
    verdict = demand.judge(Evidence())
    assert verdict.outcome is outcome
    assert ("172.17.0.0/16 with" in render(verdict.because)) == (outcome is UNMET)
    assert (verdict.fix is None) == (outcome is MET)


# ---- all


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        default_route(Unseen(reason))
    with pytest.raises(NotSeen):
        overlap(Unseen(reason), **POOLS)


def test_words():
    assert render(InterfaceNetworksQuery().asks()).endswith("?")
    assert render(NetworkOverlapRequirement.model_validate(header(**POOLS)).wanted()).endswith("not in use elsewhere")
    assert "apart from" in render(plan(networks=["10.0.0.0/8"], avoid=["11.0.0.0/8"]).wanted())
    demand = NetworkOverlapRequirement.model_validate(header(**POOLS))
    assert demand.queries(Evidence()) == [RoutesQuery(), InterfaceNetworksQuery()]
    assert DefaultRouteRequirement.model_validate(header()).queries(Evidence()) == [RoutesQuery()]


NETWORK = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(2, 32),
)


@given(
    seen=st.lists(NETWORK, max_size=4),
    pools=st.lists(NETWORK, min_size=1, max_size=3),
    reserved=st.lists(NETWORK, max_size=3),
)
def test_reserving_more_never_turns_unmet_into_met(seen, pools, reserved):
    fact = routes(*((network, "eth0") for network in seen))
    if overlap(fact, networks=pools).outcome is UNMET:
        assert overlap(fact, networks=pools, reserved=reserved).outcome is UNMET
