"""recorded host -> fact, and where its packets go."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host
from vorflug.model.message import render
from vorflug.model.routes import (
    Applies,
    RoutesFact,
    RoutesQuery,
    Uplink,
    default_route,
    networks_in_use,
    overlaps,
    through,
    uplink,
    ways_to,
)
from vorflug.ports.routing import Link, Network, RouteSeen, RuleSeen

HEADING = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
V4 = (
    HEADING
    + "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    + "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    + "*\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0\n"
    + "eth9\t000010AC\t00000000\t0000\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
    + "short\t000010AC\t00000000\t0001\t0\t0\t0\n"
)
ZERO = "0" * 32
V6 = (
    f"fd000000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     eth0\n"
    f"{ZERO} 00 {ZERO} 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n"
    f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo\n"
    f"fd000000000000000000000000000002 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 80200001     eth0\n"
    f"fd000000000000000000000000000003 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 01000001     eth0\n"
    f"fd000000000000000000000000000004 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 00000000     eth0\n"
    f"ff000000000000000000000000000000 08 {ZERO} 00 {ZERO} 00000100 00000003 00000000 00000001     eth0\n"
    f"{ZERO} 00 {ZERO} 00\n"
)
SYSFS = {"mtu": "1400\n", "type": "1\n", "operstate": "up\n"}


def route(network, interface="eth0", *, table=254, kind="unicast", gateway=None, metric=0, mtu=None):
    out = (interface,) if isinstance(interface, str) else interface
    return RouteSeen(network, table, kind, out if kind == "unicast" else (), gateway, metric, mtu)


def rule(priority, table, selects="", *, family=4, action="lookup", suppress=None):
    return RuleSeen(family, priority, table, selects, action, suppress)


def link(name, kind="", *, hardware=1, up=True, mtu=1500):
    return Link(name, kind, hardware, up, mtu)


NO_NETLINK = NotImplementedError("no netlink")
USUAL = (rule(0, 255), rule(32766, 254), rule(32767, 253))


def fact(*routes, rules=USUAL, links=(), **fields):
    return RoutesFact(routes=routes, rules=rules, links=links, **fields)


def observe(four=V4, six=V6, sysfs=SYSFS, network=NO_NETLINK):
    def read_text(path, **_limit):
        text = {"/proc/net/route": four, "/proc/net/ipv6_route": six}.get(path)
        if path.startswith("/sys/class/net/eth0/"):
            text = sysfs[path.rpartition("/")[2]] if sysfs else FileNotFoundError(2, path)
        if isinstance(text, Exception):
            raise text
        assert text is not None, path
        return text

    return RoutesQuery().observe(fake_host(routing=FakePort(network=network), files=FakePort(read_text=read_text)))


# ---- what is read


def test_the_kernel_is_asked_by_netlink():
    asked = Network((route("10.0.0.0/8"),), USUAL, (link("eth0"),), complete=False)
    assert observe(network=asked) == fact(route("10.0.0.0/8"), links=(link("eth0"),), complete=False)


@pytest.mark.parametrize("refusal", [NotImplementedError("sandbox"), PermissionError(13, "seccomp")])
def test_where_netlink_is_forbidden_the_main_table_is_read_from_proc(refusal):
    seen = observe(network=refusal)
    assert seen == RoutesFact(
        routes=(
            route("0.0.0.0/0", gateway="192.0.2.1", metric=100),
            route("192.0.2.0/24"),
            route("fd00::/64", metric=256),
            route("::/0", gateway="fd00::1", metric=1024),
        ),
        links=(link("eth0", mtu=1400),),
        main_only=True,
    )


def test_no_time_left_is_no_reason_to_look_elsewhere():
    with pytest.raises(TimeoutError):
        observe(network=TimeoutError("over"))


def test_a_kernel_without_ipv6():
    seen = observe(six=FileNotFoundError(2, "no"))
    assert [r.network for r in seen.routes] == ["0.0.0.0/0", "192.0.2.0/24"]


def test_an_empty_table_has_a_heading():
    assert observe(HEADING, "") == RoutesFact(routes=(), main_only=True)


@pytest.mark.parametrize("four", ["", FileNotFoundError(2, "no")])
def test_an_empty_file_is_no_table(four):
    with pytest.raises(NotImplementedError):
        observe(four, "")


def test_a_table_that_is_too_long_is_not_complete():
    line = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    assert not observe(HEADING + line * 100_000, "").complete
    line = f"fd000000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     eth0\n"
    assert not observe(HEADING, line * 40_000).complete


@pytest.mark.parametrize(
    ("state", "up"),
    [("up", True), ("unknown", True), ("down", False), ("lowerlayerdown", False), ("notpresent", False)],
)
def test_links_by_sysfs(state, up):
    assert observe(sysfs={**SYSFS, "operstate": f"{state}\n"}).links == (link("eth0", up=up, mtu=1400),)


def test_without_sysfs_nothing_is_known_of_the_links():
    assert observe(sysfs=None).links == ()


# ---- where packets go


def way(seen, network="10.1.0.0/16"):
    """(interfaces, table) of what decides about ordinary packets; None where nothing does."""
    found = [w for w in ways_to(seen, network) if w.applies is Applies.ALWAYS]
    assert len(found) <= 1
    return (found[0].interfaces, found[0].route and found[0].route.table) if found else None


def test_the_longest_prefix_then_the_least_metric():
    routes = (
        route("0.0.0.0/0", "a"),
        route("10.0.0.0/8", "b", metric=5),
        route("10.0.0.0/8", "c", metric=4),
        route("10.1.2.0/24", "d"),
    )
    assert way(fact(*routes)) == (("c",), 254)
    assert way(fact(*routes), "10.1.2.3/32") == (("d",), 254)
    assert way(fact(*routes), "11.0.0.0/8") == (("a",), 254)


def test_a_table_without_such_a_route_leaves_it_to_the_next_rule():
    seen = fact(route("10.0.0.0/8", "a", table=100), rules=(rule(5, 100), *USUAL))
    assert way(seen) == (("a",), 100)
    assert way(seen, "11.0.0.0/8") is None


def test_the_rules_count_in_their_order():
    routes = (route("10.0.0.0/8", "a", table=100), route("10.0.0.0/8", "b"))
    assert way(fact(*routes, rules=(*USUAL, rule(40000, 100)))) == (("b",), 254)
    assert way(fact(*routes, rules=(*USUAL, rule(5, 100)))) == (("a",), 100)


def test_a_throw_route_leaves_it_to_the_next_rule_and_other_refusals_end_it():
    def seen(kind):
        return fact(route("10.0.0.0/8", table=100, kind=kind), route("0.0.0.0/0", "b"), rules=(rule(5, 100), *USUAL))

    assert way(seen("throw")) == (("b",), 254)
    for kind in ("unreachable", "blackhole", "prohibit"):
        (only,) = ways_to(seen(kind), "10.1.0.0/16")
        assert not only.leads and only.interfaces == ()


@pytest.mark.parametrize("action", ["unreachable", "blackhole", "prohibit"])
def test_a_rule_itself_may_refuse(action):
    (only,) = ways_to(fact(route("0.0.0.0/0"), rules=(rule(5, 0, action=action), *USUAL)), "10.0.0.0/8")
    assert not only.leads and only.route is None and only.interfaces == ()


def test_other_actions_decide_nothing():
    seen = fact(route("0.0.0.0/0"), rules=(rule(5, 0, action="nop"), rule(6, 0, action="goto"), *USUAL))
    assert way(seen) == (("eth0",), 254)


def test_rules_of_the_other_family_do_not_count():
    seen = fact(route("::/0", "a", table=100), rules=(rule(5, 100), rule(32766, 254, family=6)))
    assert ways_to(seen, "fd00::/64") == ()


def test_without_rules_there_is_the_main_table():
    seen = fact(route("0.0.0.0/0", "a"), route("0.0.0.0/0", "b", table=100), rules=())
    assert way(seen) == (("a",), 254)


@pytest.mark.parametrize(
    ("selects", "applies"),
    [
        ("", Applies.ALWAYS),
        ("not", Applies.NEVER),
        ("from 0.0.0.0/0", Applies.ALWAYS),
        ("from 192.0.2.5/32", Applies.NEVER),
        ("not from 192.0.2.5/32", Applies.ALWAYS),
        ("fwmark 0xca6c", Applies.NEVER),
        ("not fwmark 0xca6c", Applies.ALWAYS),
        ("fwmark 0x0/0xff", Applies.ALWAYS),
        ("fwmark 0x1/0xff", Applies.NEVER),
        ("iif lo", Applies.ALWAYS),
        ("iif eth1", Applies.NEVER),
        ("oif eth1", Applies.NEVER),
        ("l3mdev all", Applies.NEVER),
        ("tun_id 5", Applies.NEVER),
        ("uidrange 1000-1000", Applies.SOMETIMES),
        ("not uidrange 1000-1000", Applies.SOMETIMES),
        ("ipproto 6", Applies.SOMETIMES),
        ("uidrange 1000-1000 oif eth1", Applies.NEVER),
        ("iif lo uidrange 1000-1000", Applies.SOMETIMES),
        ("to 10.0.0.0/8", Applies.ALWAYS),
        ("to 10.1.0.0/16", Applies.ALWAYS),
        ("to 10.1.2.0/24", Applies.SOMETIMES),
        ("to 11.0.0.0/8", Applies.NEVER),
    ],
)
def test_for_which_packets_a_rule_holds(selects, applies):
    seen = fact(route("0.0.0.0/0", table=100), rules=(rule(5, 100, selects),))
    (only,) = ways_to(seen, "10.1.0.0/16")
    assert only.applies is applies


# ---- default route


@pytest.mark.parametrize(
    ("seen", "interfaces"),
    [
        (fact(route("0.0.0.0/0", "eth0")), ("eth0",)),
        (fact(route("0.0.0.0/0", ("eth0", "eth1"))), ("eth0", "eth1")),
        (fact(), None),
        (fact(route("10.0.0.0/8")), None),
        (fact(route("0.0.0.0/0", kind="blackhole")), None),
        # a last resort that refuses does no harm while there is a better one
        (fact(route("0.0.0.0/0", metric=1), route("0.0.0.0/0", kind="unreachable", metric=2)), ("eth0",)),
        (fact(route("0.0.0.0/0", metric=2), route("0.0.0.0/0", kind="unreachable", metric=1)), None),
        # a VPN lays two halves over everything
        (fact(route("0.0.0.0/1", "tun0"), route("128.0.0.0/1", "tun0"), route("0.0.0.0/0", "eth0")), ("tun0",)),
        (fact(route("0.0.0.0/1", "tun0"), route("0.0.0.0/0", "eth0")), ("eth0", "tun0")),
        (fact(route("0.0.0.0/1", "tun0")), None),
        (fact(route("128.0.0.0/1", "tun0")), None),
        (fact(route("0.0.0.0/1", "tun0"), route("128.0.0.0/1", kind="blackhole")), None),
    ],
)
def test_default_route(seen, interfaces):
    found = default_route(seen, 4)
    assert found.leads == (interfaces is not None)
    if found.leads:
        assert found.interfaces == interfaces
    assert not default_route(seen, 6).ways


WG_QUICK = (
    rule(0, 255),
    rule(32764, 254, suppress=0),
    rule(32765, 51820, "not fwmark 0xca6c"),
    rule(32766, 254),
    rule(32767, 253),
)


def test_wireguard_sets_the_main_default_route_aside():
    """wg-quick(8): the main table without its default route, then a table of its own for all but its own packets."""
    routes = (route("0.0.0.0/0", "eth0"), route("192.0.2.0/24", "eth0"), route("0.0.0.0/0", "wg0", table=51820))
    found = default_route(fact(*routes, rules=WG_QUICK), 4)
    assert found.interfaces == ("wg0",)
    assert way(fact(*routes, rules=WG_QUICK), "192.0.2.0/24") == (("eth0",), 254)


@pytest.mark.parametrize(("suppress", "interface"), [(None, "a"), (0, "a"), (7, "a"), (8, "b"), (9, "b")])
def test_suppressed_prefixes(suppress, interface):
    routes = (route("10.0.0.0/8", "a"), route("0.0.0.0/0", "b", table=100))
    assert way(fact(*routes, rules=(rule(1, 254, suppress=suppress), rule(2, 100)))) == (
        (interface,),
        254 if interface == "a" else 100,
    )


def test_a_default_route_for_some_packets_only():
    seen = fact(route("0.0.0.0/0", "eth1", table=100), rules=(rule(5, 100, "from 192.0.2.5/32"), *USUAL))
    found = default_route(seen, 4)
    assert not found.leads and not found.ways and found.mtu is None
    assert [(w.interfaces, w.applies) for w in found.conditional] == [(("eth1",), Applies.NEVER)]


def test_what_refuses_some_packets_is_no_way_for_them():
    seen = fact(
        route("0.0.0.0/0", table=100, kind="blackhole"), rules=(rule(5, 100, "fwmark 0x1"), rule(6, 0, "fwmark 0x2"))
    )
    assert default_route(seen, 4).conditional == ()


def test_half_a_way_for_some_packets_is_none():
    seen = fact(route("0.0.0.0/1", table=100), rules=(rule(5, 100, "fwmark 0x1"),))
    assert default_route(seen, 4).conditional == ()
    seen = fact(route("128.0.0.0/1", table=100), rules=(rule(5, 100, "fwmark 0x1"),))
    assert default_route(seen, 4).conditional == ()


# ---- uplink


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (fact(route("0.0.0.0/0"), links=(link("eth0", mtu=1400), link("eth1", mtu=576))), Uplink("eth0", 1400)),
        (fact(route("0.0.0.0/0", mtu=1300), links=(link("eth0", mtu=1400),)), Uplink("eth0", 1300)),
        (fact(route("0.0.0.0/0", mtu=9000), links=(link("eth0", mtu=1400),)), Uplink("eth0", 1400)),
        (
            fact(route("0.0.0.0/0", ("eth0", "eth1")), links=(link("eth0"), link("eth1", mtu=1450))),
            Uplink("eth1", 1450),
        ),
        (fact(route("::/0"), rules=(), links=(link("eth0", mtu=1280),)), Uplink("eth0", 1280)),
        (
            fact(route("::/0", "eth6"), route("0.0.0.0/0"), rules=(), links=(link("eth0"), link("eth6", mtu=1280))),
            Uplink("eth0", 1500),
        ),
        (fact(route("0.0.0.0/0")), None),
        (fact(route("0.0.0.0/0", kind="blackhole"), links=(link("eth0"),)), None),
        (fact(route("0.0.0.0/1", "eth0"), links=(link("eth0"),)), None),
        (fact(links=(link("eth0"),)), None),
    ],
)
def test_uplink(seen, expected):
    assert uplink(seen) == expected


def test_the_least_mtu_of_the_routes_counts():
    seen = fact(route("0.0.0.0/1", mtu=1300), route("128.0.0.0/1", mtu=1200), links=(link("eth0"),))
    assert uplink(seen) == Uplink("eth0", 1200)


# ---- networks in use


def test_networks_in_use_are_those_of_tables_that_a_rule_looks_into():
    routes = (
        route("10.0.0.0/8"),
        route("11.0.0.0/8", table=100),
        route("12.0.0.0/8", table=200),
        route("13.0.0.0/8", kind="blackhole"),
        route("0.0.0.0/0"),
        route("0.0.0.0/1"),
        route("128.0.0.0/2"),
    )

    def networks(*rules):
        return [r.network for r in networks_in_use(fact(*routes, rules=rules))]

    assert networks(*USUAL, rule(5, 100, "fwmark 0x1")) == ["10.0.0.0/8", "11.0.0.0/8", "128.0.0.0/2"]
    assert networks() == ["10.0.0.0/8", "128.0.0.0/2"]
    assert networks(*USUAL, rule(5, 200, action="goto")) == ["10.0.0.0/8", "128.0.0.0/2"]
    # a VRF's table stands in no rule
    assert "12.0.0.0/8" in networks(*USUAL, rule(1000, 0, "l3mdev all"))


@pytest.mark.parametrize(
    ("seen", "table", "words"),
    [
        (link("eth0"), None, "eth0"),
        (link("eth0"), 254, "eth0"),
        (link("eth0"), 100, "eth0, table 100"),
        (link("eth0", "vlan"), None, "eth0"),
        (link("eth0", "tun"), None, "eth0, a tunnel (tun) as VPNs have it"),
        (link("eth0", "wireguard"), 51820, "eth0, a tunnel (wireguard) as VPNs have it, table 51820"),
        (link("eth0", hardware=512), None, "eth0, a tunnel (ppp) as VPNs have it"),
        (link("eth1", "tun"), None, "eth0"),
    ],
)
def test_what_is_special_about_an_interface_is_said(seen, table, words):
    assert render(through(fact(links=(seen,)), ("eth0",), table)) == words


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("10.0.0.0/8", "10.1.0.0/16", True), ("10.0.0.0/8", "11.0.0.0/8", False), ("::/0", "10.0.0.0/8", False)],
)
def test_overlaps(one, other, expected):
    assert overlaps(one, other) is expected


def test_words():
    assert render(RoutesQuery().asks()).endswith("?")


NETWORK = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(2, 32),
)


@given(network=NETWORK, inner=st.integers(0, 32))
def test_a_route_to_a_network_leads_to_all_of_it(network, inner):
    whole = ipaddress.ip_network(network)
    part = ipaddress.ip_network((whole.broadcast_address, max(inner, whole.prefixlen)), strict=False)
    assert way(fact(route(network)), str(part)) == (("eth0",), 254)
