"""Routes: is there a way out, and do container networks collide with networks that are in use?

Sources: the kernel's ``/proc/net/route`` and ``/proc/net/ipv6_route`` (flags of include/uapi/linux/route.h and
ipv6_route.h).  The IPv4 table there is the main one only: other tables (policy routing, many VPNs) cannot be seen, nor
can any network that lies behind the default gateway.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Routes")

_AnyNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_LIMIT = 1 << 22
"""Bytes of a routing table that are read: some 30,000 routes."""
_UP, _REJECT = 0x0001, 0x0200
_V6_LOCAL_OR_CACHED = 0x80000000 | 0x01000000
_HALF = 1
"""VPN clients lay two routes of prefix length 1 over the default route (OpenVPN ``redirect-gateway def1``)."""


def _network(text: str) -> str:
    """Raises ValueError for what is no network or has host bits set."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        try:
            near = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"wanted a network such as '10.20.0.0/16', saw {text!r}") from error
        raise ValueError(f"wanted a network such as '10.20.0.0/16', saw {text!r}; did you mean '{near}'?") from error


Network = Annotated[str, AfterValidator(_network)]
"""An IPv4 or IPv6 network in prefix notation (RFC 4632), or a single address."""


class NetworkSeen(Fact):
    """A network and the interface that leads to it: of a route, or of an address of this machine."""

    network: str
    interface: str


class RoutesFact(Fact):
    """The routes in use, IPv4 and IPv6, without reject routes and the kernel's own local ones."""

    routes: tuple[NetworkSeen, ...]
    complete: bool
    """Whether the whole tables were read; False where they are longer than what is kept."""


@dataclass(frozen=True, kw_only=True)
class RoutesQuery(Query[RoutesFact]):
    """Which routes are there?"""

    kind = "routes"

    def asks(self) -> Message:
        return msg("Which routes are there?")

    def observe(self, host: Host) -> RoutesFact:
        try:
            four = host.files.read_text("/proc/net/route", limit=_LIMIT)
        except FileNotFoundError as error:
            raise NotImplementedError("there is no /proc/net/route") from error
        if not four.startswith("Iface"):
            raise NotImplementedError("/proc/net/route has no heading")  # an empty file is no empty table
        try:
            six = host.files.read_text("/proc/net/ipv6_route", limit=_LIMIT)
        except FileNotFoundError:
            six = ""  # a kernel without IPv6 has no such file
        routes = [*_ipv4_routes(four), *_ipv6_routes(six)]
        return RoutesFact(
            routes=tuple(dict.fromkeys(routes)),
            complete=len(four.encode()) < _LIMIT and len(six.encode()) < _LIMIT,
        )


def _ipv4_routes(table: str) -> Iterable[NetworkSeen]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or not int(fields[3], 16) & _UP or int(fields[3], 16) & _REJECT:  # noqa: PLR2004 - up to Mask
            continue
        # the kernel prints addresses in its own byte order, which is little-endian on all machines that we support
        address = ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(fields[1]), "little"))
        length = int(fields[7], 16).bit_count()
        yield NetworkSeen(network=f"{address}/{length}", interface=fields[0])


def _ipv6_routes(table: str) -> Iterable[NetworkSeen]:
    for line in table.splitlines():
        fields = line.split()
        if len(fields) != 10:  # noqa: PLR2004 - the columns of that file
            continue
        flags = int(fields[8], 16)
        network = ipaddress.IPv6Network((bytes.fromhex(fields[0]), int(fields[1], 16)))
        if flags & _UP and not flags & (_REJECT | _V6_LOCAL_OR_CACHED) and not network.is_multicast:
            yield NetworkSeen(network=str(network), interface=fields[9])


class InterfaceNetworksFact(Fact):
    """The networks that this machine has addresses in."""

    addresses: tuple[NetworkSeen, ...]


@dataclass(frozen=True, kw_only=True)
class InterfaceNetworksQuery(Query[InterfaceNetworksFact]):
    """Which networks does this machine have addresses in?"""

    kind = "interface_networks"

    def asks(self) -> Message:
        return msg("Which networks does this machine have addresses in?")

    def observe(self, host: Host) -> InterfaceNetworksFact:
        return InterfaceNetworksFact(
            addresses=tuple(
                NetworkSeen(network=seen.network, interface=seen.interface) for seen in host.sockets.addresses()
            )
        )


class Family(StrEnum):
    """Which of the two Internet protocols."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ANY = "any"


class DefaultRouteRequirement(Requirement):
    """A default route, or a route to each of the networks that are needed."""

    kind = "default_route"
    family: Family = Family.ANY
    networks: tuple[Network, ...] = ()
    """Networks that must be reachable where there is no default route."""

    def wanted(self) -> Message:
        if self.networks:
            return msg(
                "a default route ({family}), or routes to {networks:list}", family=self._label(), networks=self.networks
            )
        return msg("a default route ({family})", family=self._label())

    def _label(self) -> Message:
        match self.family:
            case Family.IPV4:
                return msg("IPv4")
            case Family.IPV6:
                return msg("IPv6")
            case Family.ANY:
                return msg("IPv4 or IPv6")

    def queries(self, known: Evidence) -> Sequence[RoutesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[RoutesQuery()]
        wanted = self.wanted()
        defaults = self._default_interfaces(fact)
        if defaults:
            return met(
                wanted=wanted,
                seen=msg("default route over {interfaces:list}", interfaces=defaults),
                because=msg("There is a default route over {interfaces:list}.", interfaces=defaults),
            )
        missing = tuple(network for network in self.networks if not _routed(network, fact))
        if self.networks and not missing:
            return met(
                wanted=wanted,
                seen=msg("routes to {networks:list}", networks=self.networks),
                because=msg(
                    "There is no default route, but a route to each of {networks:list}.", networks=self.networks
                ),
            )
        if not fact.complete:
            return unknown(
                wanted=wanted,
                seen=msg("a routing table too long to be read whole"),
                because=msg("No such route is in the part of the routing table that was read."),
                fix=msg("Look with ip route get, and note the result at the sign-off."),
            )
        if missing:
            return unmet(
                wanted=wanted,
                seen=msg("no default route, and none to {networks:list}", networks=missing),
                because=msg(
                    "There is no default route and none to {networks:list} in the main routing table. "
                    "Other tables (policy routing) are not visible here.",
                    networks=missing,
                ),
                fix=msg("Add a default route or routes to {networks:list}.", networks=missing),
            )
        return unmet(
            wanted=wanted,
            seen=msg("no default route"),
            because=msg(
                "There is no default route ({family}) in the main routing table. "
                "Other tables (policy routing) are not visible here.",
                family=self._label(),
            ),
            fix=msg("Add a default route, or name in the site file the networks that explicit routes lead to."),
        )

    def _default_interfaces(self, fact: RoutesFact) -> tuple[str, ...]:
        found: set[str] = set()
        for version, family in ((4, Family.IPV4), (6, Family.IPV6)):
            if self.family not in (family, Family.ANY):
                continue
            wide = [(net, route.interface) for route in fact.routes if (net := _parse(route)).version == version]
            wide = [(net, interface) for net, interface in wide if net.prefixlen <= _HALF]
            whole = ipaddress.collapse_addresses(net for net, _ in wide)  # type: ignore[type-var]
            if any(net.prefixlen == 0 for net in whole):
                found |= {interface for _, interface in wide}
        return tuple(sorted(found))


def _parse(seen: NetworkSeen) -> _AnyNetwork:
    return ipaddress.ip_network(seen.network)


def _routed(network: str, fact: RoutesFact) -> bool:
    wanted = ipaddress.ip_network(network)
    return any(_within(wanted, _parse(route)) for route in fact.routes)


def _within(inner: _AnyNetwork, outer: _AnyNetwork) -> bool:
    return inner.version == outer.version and outer.supernet_of(inner)  # type: ignore[arg-type]


class NetworkOverlapRequirement(Requirement):
    """The container networks collide neither with this machine's networks and routes nor with the listed ones."""

    kind = "network_overlap"
    networks: Annotated[tuple[Network, ...], Field(min_length=1)]
    """Address ranges that container networks are taken from."""
    reserved: tuple[Network, ...] = ()
    """Networks and addresses of the customer that containers must be able to reach."""
    own_interfaces: tuple[str, ...] = ()
    """Interfaces of the container engine itself, as glob patterns (``docker0``, ``br-*``), which lie there by right."""

    def wanted(self) -> Message:
        return msg("{networks:list} not in use elsewhere", networks=self.networks)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [RoutesQuery(), InterfaceNetworksQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        routes, addresses = evidence[RoutesQuery()], evidence[InterfaceNetworksQuery()].addresses
        wanted = self.wanted()
        used: dict[tuple[str, str], None] = dict.fromkeys(
            (seen.network, seen.interface)
            for seen in (*addresses, *routes.routes)
            if _parse(seen).prefixlen > _HALF
            and not any(fnmatchcase(seen.interface, own) for own in self.own_interfaces)
        )
        collisions = [
            msg("{pool} with {network} ({interface})", pool=pool, network=network, interface=interface)
            for pool in self.networks
            for network, interface in used
            if _overlap(pool, network)
        ]
        collisions += [
            msg("{pool} with {network} (reserved)", pool=pool, network=network)
            for pool in self.networks
            for network in self.reserved
            if _overlap(pool, network)
        ]
        if collisions:
            return unmet(
                wanted=wanted,
                seen=msg("collision: {collisions:list}", collisions=tuple(collisions)),
                because=msg("Address ranges collide: {collisions:list}.", collisions=tuple(collisions)),
                fix=msg(
                    "Give the engine ranges that nobody else uses (bip and default-address-pools in daemon.json), "
                    "and name them in the site file."
                ),
            )
        if not routes.complete:
            return unknown(
                wanted=wanted,
                seen=msg("a routing table too long to be read whole"),
                because=msg("No collision is in the part of the routing table that was read."),
                fix=msg("Compare the container networks with the routing plan, and note the result at the sign-off."),
            )
        return met(
            wanted=wanted,
            seen=msg("no collision"),
            because=msg(
                "No address, visible route or listed network lies in {networks:list}. "
                "Networks behind the default gateway are only known where they are listed.",
                networks=self.networks,
            ),
        )


def _overlap(one: str, other: str) -> bool:
    left, right = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return left.version == right.version and left.overlaps(right)
