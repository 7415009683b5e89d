"""Real routes, rules and interfaces, in network namespaces made for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import header
from vorflug.areas.ipv6 import Ipv6Query, Ipv6Requirement
from vorflug.areas.routes import DefaultRouteRequirement, InterfaceNetworksQuery, NetworkOverlapRequirement
from vorflug.areas.uplink import UplinkMtuRequirement
from vorflug.engine import registry
from vorflug.host.live import Patience
from vorflug.host.live.routing import LiveRouting, _as_port
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.query import Observation, Seen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery
from vorflug.ports.routing import Link, RouteSeen, RuleSeen

LOOK = """
import json, os, sys
from vorflug.areas.ipv6 import Ipv6Query
from vorflug.areas.routes import InterfaceNetworksQuery
from vorflug.host.live import LiveHost
from vorflug.model.routes import RoutesQuery
host = LiveHost(20)
queries = [RoutesQuery(), InterfaceNetworksQuery(), Ipv6Query()]
if len(sys.argv) > 1:
    for query in queries: query.observe(host)  # imports all it needs, which may lie in root's home
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    host = LiveHost(20)
print(json.dumps([query.observe(host).model_dump(mode="json") for query in queries]))
"""
PAIR = (
    "ip link add name {0} type veth peer name p{0}; ip link set p{0} up; "
    "ip link set {0} up mtu {1}; ip addr add {2} dev {0}; "
)
ETH0 = PAIR.format("eth0", 1400, "192.0.2.2/24")


def look(script, *args):
    """What the questions answer in a namespace after *script*: the facts, by their query."""
    setup = f'mount -t sysfs none /sys; ip link set lo up; {script} exec "$0" -c "$@"'
    done = subprocess.run(
        ["unshare", "-nm", "sh", "-ec", setup, sys.executable, LOOK, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    queries = [RoutesQuery(), InterfaceNetworksQuery(), Ipv6Query()]
    return {
        query: registry.fact_of(type(query)).model_validate(fact)
        for query, fact in zip(queries, json.loads(done.stdout), strict=True)
    }


def judge(facts, cls, **fields):
    demand = cls.model_validate(header(**fields))
    return demand.judge(Evidence([Observation(query, Seen(fact)) for query, fact in facts.items()]))


def routes_of(facts, network):
    return [(r.table, r.kind, r.interfaces) for r in facts[RoutesQuery()].routes if r.network == network]


def link_of(facts, name):
    return next(link for link in facts[RoutesQuery()].links if link.name == name)


def test_this_machine():
    seen = LiveRouting(Patience(10)).network()
    loopback = next(link for link in seen.links if link.name == "lo")
    assert (loopback.hardware, loopback.kind) == (772, "") and loopback.mtu > 0
    assert seen.complete


def test_no_time_left_is_a_timeout():
    with pytest.raises(TimeoutError):
        LiveRouting(Patience(-1)).network()


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize("args", [[], ["nobody"]], ids=["root", "nobody"])
def test_a_plain_machine_whoever_asks(args):
    facts = look(ETH0 + "ip route add default via 192.0.2.1 metric 5;", *args)
    seen = facts[RoutesQuery()]
    assert RouteSeen("0.0.0.0/0", 254, "unicast", ("eth0",), "192.0.2.1", 5, None) in seen.routes
    assert RouteSeen("192.0.2.0/24", 254, "unicast", ("eth0",), None, 0, None) in seen.routes
    assert RuleSeen(4, 32766, 254, "") in seen.rules
    assert not any(route.table == 255 for route in seen.routes)
    assert Link("eth0", "veth", 1, True, 1400) in seen.links
    assert seen.complete and not seen.main_only
    verdict = judge(facts, DefaultRouteRequirement)
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.MET, "default route over eth0")
    verdict = judge(facts, UplinkMtuRequirement, at_least=1500)
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.UNMET, "1400 on eth0")


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    ("selector", "outcome", "seen"),
    [
        ("", Outcome.MET, "default route over eth1, table 100"),
        ("not fwmark 0xca6c", Outcome.MET, "default route over eth1, table 100"),
        ("from 198.51.100.2", Outcome.UNMET, "for packets from 198.51.100.2/32 only"),
        ("fwmark 0x1/0xff", Outcome.UNMET, "for packets fwmark 0x1/0xff only"),
        ("uidrange 1000-2000", Outcome.UNKNOWN, "for packets uidrange 1000-2000 only"),
        ("iif lo", Outcome.MET, "table 100"),
        ("oif eth1", Outcome.UNMET, "for packets oif eth1 only"),
        ("to 203.0.113.0/24", Outcome.UNMET, "no default route"),
        ("ipproto tcp dport 443", Outcome.UNKNOWN, "for packets dport 443-443 ipproto 6 only"),
        ("tos 0x10", Outcome.UNKNOWN, "for packets tos 0x10 only"),
    ],
)
def test_a_default_route_only_in_another_table(selector, outcome, seen):
    facts = look(
        ETH0
        + PAIR.format("eth1", 1500, "198.51.100.2/24")
        + "ip route add default via 198.51.100.1 table 100;"
        + f"ip rule add {selector} table 100 priority 1000;"
    )
    verdict = judge(facts, DefaultRouteRequirement)
    assert verdict.outcome is outcome
    assert seen in render(verdict.seen)


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize("selector", ["", "from 198.51.100.2", "not fwmark 0xca6c", "fwmark 0x1", "uidrange 5000-6000"])
def test_the_kernel_agrees(selector):
    """ip route get asks the kernel to decide about an ordinary packet; so does our reading of its tables."""
    script = (
        ETH0
        + PAIR.format("eth1", 1500, "198.51.100.2/24")
        + "ip route add default via 198.51.100.1 table 100;"
        + f"ip rule add {selector} table 100 priority 1000;"
    )
    asked = subprocess.run(
        ["unshare", "-n", "sh", "-ec", f"ip link set lo up; {script} ip route get 203.0.113.7"],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = judge(look(script), DefaultRouteRequirement)
    assert (asked.returncode == 0) == (verdict.outcome is Outcome.MET)


@pytest.mark.tier("namespaces")
def test_a_main_route_set_aside_as_wireguard_does_it():
    facts = look(
        ETH0
        + "ip route add default via 192.0.2.1;"
        + PAIR.format("vpn0", 1420, "10.9.0.2/24")
        + "ip route add default dev vpn0 table 51820;"
        + "ip rule add not fwmark 0xca6c table 51820 priority 32765;"
        + "ip rule add table main suppress_prefixlength 0 priority 32764;"
    )
    assert RuleSeen(4, 32764, 254, "", "lookup", 0) in facts[RoutesQuery()].rules
    assert RuleSeen(4, 32765, 51820, "not fwmark 0xca6c") in facts[RoutesQuery()].rules
    assert render(judge(facts, DefaultRouteRequirement).seen) == "default route over vpn0, table 51820"
    assert render(judge(facts, UplinkMtuRequirement, at_least=1420).seen) == "1420 on vpn0"


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_route_that_refuses_is_no_route(kind):
    facts = look(ETH0 + f"ip route add {kind} default; ip -6 route add {kind} default;")
    assert routes_of(facts, "0.0.0.0/0") == [(254, kind, ())]
    assert routes_of(facts, "::/0") == [(254, kind, ())]
    assert judge(facts, DefaultRouteRequirement).outcome is Outcome.UNMET


@pytest.mark.tier("namespaces")
def test_rules_that_refuse():
    facts = look(ETH0 + "ip route add default via 192.0.2.1; ip rule add prohibit from 10.0.0.0/8 priority 9;")
    assert RuleSeen(4, 9, 0, "from 10.0.0.0/8", "prohibit") in facts[RoutesQuery()].rules
    assert judge(facts, DefaultRouteRequirement).outcome is Outcome.MET
    facts = look(ETH0 + "ip route add default via 192.0.2.1; ip rule add unreachable priority 9;")
    assert judge(facts, DefaultRouteRequirement).outcome is Outcome.UNMET


@pytest.mark.tier("namespaces")
def test_several_ways_at_once():
    facts = look(
        ETH0
        + PAIR.format("eth1", 1500, "198.51.100.2/24")
        + "ip route add default nexthop via 192.0.2.1 dev eth0 nexthop via 198.51.100.1 dev eth1;"
    )
    assert routes_of(facts, "0.0.0.0/0") == [(254, "unicast", ("eth0", "eth1"))]
    facts = look(
        ETH0
        + PAIR.format("eth1", 1500, "198.51.100.2/24")
        + "ip route add default nexthop via 192.0.2.1 dev eth0 nexthop via 198.51.100.1 dev eth1; ip link set eth1 down;"
    )
    assert routes_of(facts, "0.0.0.0/0") == [(254, "unicast", ("eth0",))]


@pytest.mark.tier("namespaces")
def test_the_mtu_of_a_route_and_a_gateway_of_the_other_family():
    facts = look(ETH0 + "ip -4 route add default via inet6 fe80::1 dev eth0 mtu 1300 metric 7;")
    assert RouteSeen("0.0.0.0/0", 254, "unicast", ("eth0",), "fe80::1", 7, 1300) in facts[RoutesQuery()].routes
    assert render(judge(facts, UplinkMtuRequirement, at_least=1300).seen) == "1300 on eth0"


@pytest.mark.tier("namespaces")
def test_a_vpn_whose_route_collides_is_named():
    facts = look(
        ETH0 + "ip tuntap add vpn0 mode tun; ip link set vpn0 up; ip route add 172.16.0.0/12 dev vpn0 table 7;"
        "ip rule add table 7 priority 9;"
    )
    assert (link_of(facts, "vpn0").kind, link_of(facts, "vpn0").hardware) == ("tun", 65534)
    verdict = judge(facts, NetworkOverlapRequirement, networks=["172.17.0.0/16"])
    assert verdict.outcome is Outcome.UNMET
    words = "172.17.0.0/16 with 172.16.0.0/12 (vpn0, a tunnel (tun) as VPNs have it, table 7)"
    assert words in render(verdict.because)


@pytest.mark.tier("namespaces")
def test_an_interface_without_link():
    facts = look(ETH0 + "ip route add default via 192.0.2.1; ip link set peth0 down;")
    assert not link_of(facts, "eth0").up
    verdict = judge(facts, DefaultRouteRequirement)
    assert verdict.outcome is Outcome.UNMET and "no link" in render(verdict.seen)


@pytest.mark.tier("namespaces")
@pytest.mark.tier("ipv6")
@pytest.mark.parametrize(
    ("script", "outcome", "seen"),
    [
        ("", Outcome.MET, "no address of IPv6 beyond this link"),
        ("sysctl -qw net.ipv6.conf.all.disable_ipv6=1;", Outcome.MET, "no address of IPv6 (switched off)"),
        ("ip addr add 2001:db8::2/64 dev eth0 nodad;", Outcome.UNMET, "2001:db8::2, no default route"),
        (
            "ip addr add 2001:db8::2/64 dev eth0 nodad; ip -6 route add default via 2001:db8::1;",
            Outcome.MET,
            "2001:db8::2, default route over eth0",
        ),
        ("ip -6 route add default via fe80::1 dev eth0;", Outcome.UNMET, "default route over eth0, no address"),
        ("ip addr add fd00::2/64 dev eth0 nodad;", Outcome.MET, "fd00::2, no default route"),
    ],
)
def test_ipv6(script, outcome, seen):
    verdict = judge(look(ETH0 + script), Ipv6Requirement)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)


@pytest.mark.tier("namespaces")
def test_a_large_table_is_cut_and_says_so(tmp_path):
    batch = tmp_path / "routes"
    batch.write_text("".join(f"route add blackhole 10.{n >> 8}.{n & 255}.0/24\n" for n in range(20_050)))
    facts = look(ETH0 + f"ip -batch {batch};")
    assert not facts[RoutesQuery()].complete and len(facts[RoutesQuery()].routes) == 20_000


def test_what_the_kernel_refuses_is_no_empty_table():
    """A sandbox without rtnetlink: seccomp answers EAFNOSUPPORT or EPERM for the socket."""
    assert isinstance(_as_port(OSError(97, "no such family")), NotImplementedError)
    assert isinstance(_as_port(PermissionError(1, "no")), PermissionError)
