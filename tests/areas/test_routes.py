"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.routes import (
    DefaultRouteRequirement,
    InterfaceNetworksFact,
    InterfaceNetworksQuery,
    NetworkOverlapRequirement,
    NetworkSeen,
    RoutesFact,
    RoutesQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.sockets import InterfaceAddress

HEADING = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
V4 = (
    HEADING
    + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    + "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    + "*\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0\n"
    + "eth9\t000010AC\t00000000\t0000\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
)
ZERO = "0" * 32
V6 = (
    f"fd000000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     eth0\n"
    f"{ZERO} 00 {ZERO} 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n"
    f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo\n"
    f"fd000000000000000000000000000002 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 80200001     eth0\n"
    f"ff000000000000000000000000000000 08 {ZERO} 00 {ZERO} 00000100 00000003 00000000 00000001     eth0\n"
)
REJECT_ONLY = f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo\n"


def seen(*pairs, complete=True):
    networks = tuple(NetworkSeen(network=network, interface=interface) for network, interface in pairs)
    return RoutesFact(routes=networks, complete=complete)


def observe(four, six):
    def read_text(path, **_limit):
        text = {"/proc/net/route": four, "/proc/net/ipv6_route": six}[path]
        if isinstance(text, Exception):
            raise text
        return text

    return RoutesQuery().observe(fake_host(files=FakePort(read_text=read_text)))


def default_route(fact, **fields):
    result = fact if isinstance(fact, Unseen) else Seen(fact)
    demand = DefaultRouteRequirement.model_validate(header(**fields))
    return demand.judge(Evidence([Observation(RoutesQuery(), result)]))


def overlap(routes, addresses=(), **fields):
    found = InterfaceNetworksFact(
        addresses=tuple(NetworkSeen(network=network, interface=interface) for network, interface in addresses)
    )
    demand = NetworkOverlapRequirement.model_validate(header(**fields))
    return demand.judge(
        Evidence(
            [
                Observation(RoutesQuery(), routes if isinstance(routes, Unseen) else Seen(routes)),
                Observation(InterfaceNetworksQuery(), Seen(found)),
            ]
        )
    )


# ---- what is read


def test_both_tables_without_reject_local_and_multicast_routes():
    fact = observe(V4, V6)
    assert fact == seen(("0.0.0.0/0", "eth0"), ("192.0.2.0/24", "eth0"), ("fd00::/64", "eth0"), ("::/0", "eth0"))


def test_a_kernel_without_ipv6():
    assert observe(V4, FileNotFoundError(2, "no")) == seen(("0.0.0.0/0", "eth0"), ("192.0.2.0/24", "eth0"))


def test_an_empty_table_has_a_heading():
    assert observe(HEADING, "") == seen()


@pytest.mark.parametrize("four", ["", FileNotFoundError(2, "no")])
def test_an_empty_file_is_no_table(four):
    with pytest.raises(NotImplementedError):
        observe(four, "")


def test_a_table_that_is_too_long_is_not_complete():
    line = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    assert not observe(HEADING + line * 100_000, "").complete


def test_the_interfaces_are_asked():
    host = fake_host(sockets=FakePort(addresses=(InterfaceAddress("eth0", "192.0.2.2", "192.0.2.0/24"),)))
    assert InterfaceNetworksQuery().observe(host).addresses == (NetworkSeen(network="192.0.2.0/24", interface="eth0"),)


# ---- default route

DIRECT = ("192.0.2.0/24", "eth0")


@pytest.mark.parametrize(
    ("fact", "fields", "outcome"),
    [
        (seen(DIRECT, ("0.0.0.0/0", "eth0")), {}, Outcome.MET),
        (seen(DIRECT, ("::/0", "eth0")), {}, Outcome.MET),
        (seen(DIRECT, ("::/0", "eth0")), {"family": "ipv4"}, Outcome.UNMET),
        (seen(DIRECT, ("::/0", "eth0")), {"family": "ipv6"}, Outcome.MET),
        (seen(DIRECT, ("0.0.0.0/0", "eth0")), {"family": "ipv6"}, Outcome.UNMET),
        (seen(DIRECT), {}, Outcome.UNMET),
        (seen(), {}, Outcome.UNMET),
        (observe(HEADING, REJECT_ONLY), {}, Outcome.UNMET),
        # a VPN lays two halves over everything
        (seen(("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0")), {}, Outcome.MET),
        (seen(("0.0.0.0/1", "tun0")), {}, Outcome.UNMET),
        (seen(("10.0.0.0/8", "eth0")), {"networks": ["10.20.0.0/16", "10.1.2.3/32"]}, Outcome.MET),
        (seen(("10.0.0.0/8", "eth0")), {"networks": ["10.20.0.0/16", "172.16.0.0/12"]}, Outcome.UNMET),
        (seen(("10.20.0.0/16", "eth0")), {"networks": ["10.0.0.0/8"]}, Outcome.UNMET),
        (seen(("fd00::/16", "eth0")), {"networks": ["fd00:1::/64"]}, Outcome.MET),
        (seen(DIRECT, complete=False), {}, Outcome.UNKNOWN),
        (seen(DIRECT, complete=False), {"networks": ["10.0.0.0/8"]}, Outcome.UNKNOWN),
        (seen(("0.0.0.0/0", "eth0"), complete=False), {}, Outcome.MET),
    ],
)
def test_default_route(fact, fields, outcome):
    verdict = default_route(fact, **fields)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    if outcome is Outcome.UNMET:
        assert "policy routing" in render(verdict.because)


def test_missing_networks_are_named():
    verdict = default_route(seen(("10.0.0.0/8", "eth0")), networks=["10.20.0.0/16", "172.16.0.0/12"])
    assert "172.16.0.0/12" in render(verdict.fix) and "10.20" not in render(verdict.fix)


# ---- overlap

POOLS = {"networks": ["172.17.0.0/16", "192.168.0.0/16"]}


@pytest.mark.parametrize(
    ("routes", "addresses", "fields", "outcome", "says"),
    [
        (seen(("0.0.0.0/0", "eth0"), ("::/0", "eth0"), DIRECT), [], POOLS, Outcome.MET, "behind the default gateway"),
        (seen(("192.168.7.0/24", "eth0")), [], POOLS, Outcome.UNMET, "192.168.0.0/16 with 192.168.7.0/24 (eth0)"),
        (seen(("172.16.0.0/12", "tun0")), [], POOLS, Outcome.UNMET, "tun0"),
        (seen(), [("192.168.1.0/24", "wlan0")], POOLS, Outcome.UNMET, "wlan0"),
        (seen(("172.17.0.0/16", "docker0")), [("172.17.0.0/16", "docker0")], POOLS, Outcome.UNMET, "docker0"),
        (
            seen(("172.17.0.0/16", "docker0")),
            [("172.17.0.0/16", "docker0")],
            {**POOLS, "own_interfaces": ["docker*", "br-*"]},
            Outcome.MET,
            "",
        ),
        (seen(), [], {**POOLS, "reserved": ["192.168.5.9/32"]}, Outcome.UNMET, "(reserved)"),
        (seen(), [], {**POOLS, "reserved": ["10.0.0.0/8", "fd00::/8"]}, Outcome.MET, ""),
        # a tunnel that takes everything collides with nothing in particular
        (seen(("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0")), [], POOLS, Outcome.MET, ""),
        (seen(complete=False), [], POOLS, Outcome.UNKNOWN, "part of the routing table"),
        (seen(("192.168.7.0/24", "eth0"), complete=False), [], POOLS, Outcome.UNMET, ""),
        (seen(("fd00::/64", "eth0")), [], {"networks": ["fd00::/56"]}, Outcome.UNMET, "fd00::/64"),
    ],
)
def test_overlap(routes, addresses, fields, outcome, says):
    verdict = overlap(routes, addresses, **fields)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize(
    ("network", "hint"),
    [("10.0.0.1/8", "did you mean '10.0.0.0/8'"), ("corp", "wanted a network"), ("10.0.0.0/33", "wanted a network")],
)
def test_what_is_no_network_is_refused(network, hint):
    with pytest.raises(ValidationError, match=hint):
        NetworkOverlapRequirement.model_validate(header(networks=[network]))


def test_no_network_at_all_is_refused():
    with pytest.raises(ValidationError):
        NetworkOverlapRequirement.model_validate(header(networks=[]))


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        default_route(Unseen(reason))
    with pytest.raises(NotSeen):
        overlap(Unseen(reason), **POOLS)


NETWORK = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(2, 32),
)


@given(
    routes=st.lists(NETWORK, max_size=4),
    pools=st.lists(NETWORK, min_size=1, max_size=3),
    reserved=st.lists(NETWORK, max_size=3),
)
def test_reserving_more_never_turns_unmet_into_met(routes, pools, reserved):
    fact = seen(*((network, "eth0") for network in routes))
    if overlap(fact, networks=pools).outcome is Outcome.UNMET:
        assert overlap(fact, networks=pools, reserved=reserved).outcome is Outcome.UNMET


@given(network=NETWORK, inner=st.integers(0, 32))
def test_a_route_to_a_network_leads_to_all_of_it(network, inner):
    whole = ipaddress.ip_network(network)
    part = ipaddress.ip_network((whole.broadcast_address, max(inner, whole.prefixlen)), strict=False)
    assert default_route(seen((network, "eth0")), networks=[str(part)]).outcome is Outcome.MET
