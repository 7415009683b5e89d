"""The question that several areas put: which routes does this machine have, and where do its packets go?

Sources: ip-route(8), ip-rule(8); the kernel's fib_rules (the rules in their order; a table without a matching route, or
with a ``throw`` one, leaves the decision to the next rule; ``unreachable``, ``blackhole`` and ``prohibit`` end it) and
its choice within a table: the longest prefix, then the least metric.  Where the kernel does not answer on rtnetlink(7)
(sandboxes), ``/proc/net/route`` and ``/proc/net/ipv6_route`` tell the main table alone (flags of
include/uapi/linux/route.h and ipv6_route.h).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.ports import Host
from vorflug.ports.routing import Link, RouteSeen, RuleSeen

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAIN = 254
_UNICAST, _THROW = "unicast", "throw"
_LIMIT = 1 << 22
"""Bytes of a table in /proc that are read: some 30,000 routes."""
_UP, _REJECT = 0x0001, 0x0200
_V6_LOCAL_OR_CACHED = 0x80000000 | 0x01000000
_HALVES = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}
"""A way to both halves is a way to everything: VPN clients lay two such routes over the default route (OpenVPN
``redirect-gateway def1``)."""
_WIDEST = 1
_TUNNELS = frozenset(
    ["tun", "wireguard", "ppp", "ipip", "ip6tnl", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "vti", "vti6", "xfrm"]
)
"""The kernel's words for interfaces that VPNs are made of."""
_PPP_HARDWARE = 512
_DOWN = {"down", "lowerlayerdown", "notpresent"}


class RoutesFact(Fact):
    """Routes of all tables, the rules that choose a table, and the interfaces."""

    routes: tuple[RouteSeen, ...]
    rules: tuple[RuleSeen, ...] = ()
    """None where the kernel has no policy routing, or does not show it (*main_only*)."""
    links: tuple[Link, ...] = ()
    complete: bool = True
    """Whether all routes were read; False where there are more than is kept."""
    main_only: bool = False
    """Whether only the main table could be seen, and no rule."""


@dataclass(frozen=True, kw_only=True)
class RoutesQuery(Query[RoutesFact]):
    """Which routes are there, in all tables?"""

    kind = "routes"
    touches = ("@routing.network",)

    def asks(self) -> Message:
        return msg("Which routes are there?")

    def observe(self, host: Host) -> RoutesFact:
        try:
            seen = host.routing.network()
        except (NotImplementedError, PermissionError):
            return _from_files(host)
        return RoutesFact(routes=seen.routes, rules=seen.rules, links=seen.links, complete=seen.complete)


# ---- the main table as /proc shows it


def _from_files(host: Host) -> RoutesFact:
    try:
        four = host.files.read_text("/proc/net/route", limit=_LIMIT)
    except FileNotFoundError as error:
        raise NotImplementedError("there is no /proc/net/route, and no answer on rtnetlink") from error
    if not four.startswith("Iface"):
        raise NotImplementedError("/proc/net/route has no heading")  # an empty file is no empty table
    try:
        six = host.files.read_text("/proc/net/ipv6_route", limit=_LIMIT)
    except FileNotFoundError:
        six = ""  # a kernel without IPv6 has no such file
    routes = tuple(dict.fromkeys([*_ipv4_routes(four), *_ipv6_routes(six)]))
    return RoutesFact(
        routes=routes,
        links=tuple(_links(host, {name: None for route in routes for name in route.interfaces})),
        complete=len(four.encode()) < _LIMIT and len(six.encode()) < _LIMIT,
        main_only=True,
    )


def _ipv4_routes(table: str) -> Iterator[RouteSeen]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        # Iface Destination Gateway Flags RefCnt Use Metric Mask …, numbers in hex but for the metric
        if len(fields) < 8 or not int(fields[3], 16) & _UP or int(fields[3], 16) & _REJECT:  # noqa: PLR2004 - up to Mask
            continue
        network = f"{_little_endian(fields[1])}/{int(fields[7], 16).bit_count()}"
        gateway = None if fields[2] == "00000000" else _little_endian(fields[2])
        yield _main_route(network, fields[0], gateway, int(fields[6]))


def _little_endian(text: str) -> str:
    """The kernel prints addresses in its own byte order, which is little-endian on all machines that we support."""
    return str(ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(text), "little")))


def _ipv6_routes(table: str) -> Iterator[RouteSeen]:
    for line in table.splitlines():
        fields = line.split()
        if len(fields) != 10:  # noqa: PLR2004 - the columns of that file
            continue
        flags = int(fields[8], 16)
        network = ipaddress.IPv6Network((bytes.fromhex(fields[0]), int(fields[1], 16)))
        if flags & _UP and not flags & (_REJECT | _V6_LOCAL_OR_CACHED) and not network.is_multicast:
            gateway = ipaddress.IPv6Address(bytes.fromhex(fields[4]))
            yield _main_route(
                str(network), fields[9], None if gateway.is_unspecified else str(gateway), int(fields[5], 16)
            )


def _main_route(network: str, interface: str, gateway: str | None, metric: int) -> RouteSeen:
    return RouteSeen(network, _MAIN, _UNICAST, (interface,), gateway, metric, None)


def _links(host: Host, names: Iterable[str]) -> Iterator[Link]:
    """What sysfs tells of the interfaces called *names*; nothing of one that is not there."""
    for name in names:
        try:
            mtu = int(host.files.read_text(f"/sys/class/net/{name}/mtu"))
            hardware = int(host.files.read_text(f"/sys/class/net/{name}/type"))
            state = host.files.read_text(f"/sys/class/net/{name}/operstate").strip()
        except FileNotFoundError:
            continue
        yield Link(name, "", hardware, state not in _DOWN, mtu)


# ---- where packets go


class Applies(StrEnum):
    """Whether a rule holds for an ordinary packet: one of this machine's own, without mark, from no chosen address."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    """It depends on the target, the user, the protocol or the port."""
    NEVER = "never"
    """Only for packets that ask for it: of a chosen source address, a mark, an interface or a VRF; or passing through.

    A program that chooses no address has none when its route is looked up first (ip(7), connect(2)).
    """


@dataclass(frozen=True)
class Way:
    """How the kernel decides about packets to some network."""

    route: RouteSeen | None
    """None where a rule itself refuses them."""
    rule: RuleSeen | None
    """None where there is no policy routing, or where it cannot be seen."""
    applies: Applies

    @property
    def leads(self) -> bool:
        """Whether packets leave that way; unreachable, blackhole and prohibit are no routes."""
        return self.route is not None and self.route.kind == _UNICAST

    @property
    def interfaces(self) -> tuple[str, ...]:
        """What they leave through."""
        return () if self.route is None else self.route.interfaces

    @property
    def table(self) -> int | None:
        """The table that the route stands in."""
        return None if self.route is None else self.route.table

    @property
    def selects(self) -> str:
        """What the rule matches; empty for all packets."""
        return "" if self.rule is None else self.rule.selects


def ways_to(fact: RoutesFact, network: str) -> tuple[Way, ...]:
    """What decides about packets to the whole of *network*, in the order in which the kernel asks.

    The last one that applies always, if there is one, is where ordinary packets go; those before it are for some.
    """
    wanted = ipaddress.ip_network(network)
    found: list[Way] = []
    for rule in _rules(fact, wanted.version):
        applies = Applies.ALWAYS if rule is None else _applies(rule.selects, wanted)
        if rule is None or rule.action == "lookup":
            route = _best(fact, wanted, rule)
            if route is None or route.kind == _THROW:
                continue
            found.append(Way(route, rule, applies))
        elif rule.action in {"blackhole", "unreachable", "prohibit"}:
            found.append(Way(None, rule, applies))
        else:
            continue
        if applies is Applies.ALWAYS:
            break
    return tuple(found)


def _rules(fact: RoutesFact, version: int) -> list[RuleSeen | None]:
    rules = sorted((r for r in fact.rules if r.family == version), key=lambda rule: rule.priority)
    return [*rules] or [None]


def _best(fact: RoutesFact, wanted: IpNetwork, rule: RuleSeen | None) -> RouteSeen | None:
    """The route that a table has for all of *wanted*: the longest prefix, then the least metric."""
    table, suppress = (_MAIN, None) if rule is None else (rule.table, rule.suppress)
    fitting = [
        (-network.prefixlen, route.metric, route)
        for route in fact.routes
        if route.table == table and _within(wanted, network := ipaddress.ip_network(route.network))
    ]
    if not fitting:
        return None
    length, _, route = min(fitting, key=lambda entry: entry[:2])
    return None if suppress is not None and -length <= suppress else route


def _within(inner: IpNetwork, outer: IpNetwork) -> bool:
    return inner.version == outer.version and outer.supernet_of(inner)  # type: ignore[arg-type]


def _applies(selects: str, wanted: IpNetwork) -> Applies:
    words = selects.split()
    negated = words[:1] == ["not"]
    if negated:
        words = words[1:]
    parts = {_part_applies(word, value, wanted) for word, value in zip(words[::2], words[1::2], strict=False)}
    if Applies.NEVER in parts:
        return Applies.ALWAYS if negated else Applies.NEVER
    if Applies.SOMETIMES in parts:
        return Applies.SOMETIMES
    return Applies.NEVER if negated else Applies.ALWAYS


def _part_applies(word: str, value: str, wanted: IpNetwork) -> Applies:
    match word:
        case "fwmark":
            return Applies.ALWAYS if int(value.partition("/")[0], 16) == 0 else Applies.NEVER
        case "from":
            return Applies.ALWAYS if value.endswith("/0") else Applies.NEVER
        case "iif":
            return Applies.ALWAYS if value == "lo" else Applies.NEVER  # what this machine sends comes in by lo
        case "oif" | "l3mdev" | "tun_id":
            return Applies.NEVER
        case "to":
            target = ipaddress.ip_network(value)
            if _within(wanted, target):
                return Applies.ALWAYS
            return Applies.SOMETIMES if overlaps(str(wanted), value) else Applies.NEVER
        case _:
            return Applies.SOMETIMES


def overlaps(one: str, other: str) -> bool:
    """Whether two networks have an address in common."""
    left, right = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return left.version == right.version and left.overlaps(right)


@dataclass(frozen=True)
class DefaultRoute:
    """Where packets to everywhere go, for one of the two protocols."""

    ways: tuple[Way, ...]
    """What decides about ordinary packets: one way, two where a VPN took the halves; empty where none does."""
    conditional: tuple[Way, ...]
    """Ways to everywhere for some packets only."""

    @property
    def leads(self) -> bool:
        """Whether ordinary packets have a way to everywhere."""
        return bool(self.ways) and all(way.leads for way in self.ways)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """What they leave through, sorted."""
        return tuple(sorted({name for way in self.ways for name in way.interfaces}))

    @property
    def mtu(self) -> int | None:
        """The least MTU that a route itself sets; None where none does."""
        return min((way.route.mtu for way in self.ways if way.route and way.route.mtu), default=None)


def default_route(fact: RoutesFact, version: int) -> DefaultRoute:
    """The default route of IPv4 or IPv6 (*version* 4 or 6), by whichever table."""
    halves = [ways_to(fact, half) for half in _HALVES[version]]
    sure = [next((way for way in ways if way.applies is Applies.ALWAYS), None) for ways in halves]
    others = [{way: None for way in ways if way.applies is not Applies.ALWAYS and way.leads} for ways in halves]
    return DefaultRoute(
        ways=() if None in sure else tuple(dict.fromkeys(way for way in sure if way is not None)),
        conditional=tuple(way for way in others[0] if way in others[1]),
    )


@dataclass(frozen=True)
class Uplink:
    """The interface that ordinary packets leave through."""

    interface: str
    mtu: int


def uplink(fact: RoutesFact) -> Uplink | None:
    """Where the default route leads, of IPv4 or else of IPv6; of several interfaces the one with the least MTU.

    None where there is no default route, or where nothing is known of its interface.
    """
    for version in (4, 6):
        default = default_route(fact, version)
        links = [link for link in fact.links if default.leads and link.name in default.interfaces]
        if links:
            least = min(links, key=lambda link: link.mtu)
            return Uplink(least.name, min(least.mtu, default.mtu or least.mtu))
    return None


# ---- networks in use


def networks_in_use(fact: RoutesFact) -> tuple[RouteSeen, ...]:
    """The routes to particular networks in all tables that some rule looks into, without default routes and halves."""
    tables = {rule.table for rule in fact.rules if rule.action == "lookup"} or {_MAIN}
    vrf = any("l3mdev" in rule.selects for rule in fact.rules)  # a VRF's table stands in no rule
    return tuple(
        route
        for route in fact.routes
        if route.kind == _UNICAST
        and (vrf or route.table in tables)
        and ipaddress.ip_network(route.network).prefixlen > _WIDEST
    )


def through(fact: RoutesFact, interfaces: tuple[str, ...], table: int | None = None) -> Message:
    """Interfaces in words, with what is special about them: a tunnel, or a table that is not the main one."""
    kind = next((kind for link in fact.links if link.name in interfaces and (kind := _tunnel_kind(link))), None)
    words = (
        msg("{interfaces:list}", interfaces=interfaces)
        if kind is None
        else msg("{interfaces:list}, a tunnel ({kind}) as VPNs have it", interfaces=interfaces, kind=kind)
    )
    return words if table in {None, _MAIN} else msg("{interfaces}, table {table}", interfaces=words, table=table)


def _tunnel_kind(link: Link) -> str | None:
    if link.kind in _TUNNELS:
        return link.kind
    return "ppp" if link.hardware == _PPP_HARDWARE else None
