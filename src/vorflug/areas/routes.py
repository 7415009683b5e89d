"""Routes: is there a way out, and do container networks collide with networks that are in use?

Sources: ip-route(8) and ip-rule(8); how the kernel decides is written down in `vorflug.model.routes`.  A network behind
the default gateway has no route of its own here and cannot be seen, nor can that of a VPN that is not connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.network import Network
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.routes import (
    Applies,
    DefaultRoute,
    RoutesFact,
    RoutesQuery,
    default_route,
    networks_in_use,
    overlaps,
    through,
    ways_to,
)
from vorflug.ports import Host

TITLE = msg("Routes")


class InterfaceNetwork(Fact):
    """A network that this machine has an address in."""

    network: str
    interface: str


class InterfaceNetworksFact(Fact):
    """The networks that this machine has addresses in."""

    addresses: tuple[InterfaceNetwork, ...]


@dataclass(frozen=True, kw_only=True)
class InterfaceNetworksQuery(Query[InterfaceNetworksFact]):
    """Which networks does this machine have addresses in?"""

    kind = "interface_networks"
    touches = ("@sockets.addresses",)

    def asks(self) -> Message:
        return msg("Which networks does this machine have addresses in?")

    def observe(self, host: Host) -> InterfaceNetworksFact:
        return InterfaceNetworksFact(
            addresses=tuple(
                InterfaceNetwork(network=seen.network, interface=seen.interface) for seen in host.sockets.addresses()
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
    """Networks that must be reachable where there is no default route, and that no route may refuse."""

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

    def _versions(self) -> tuple[int, ...]:
        match self.family:
            case Family.IPV4:
                return (4,)
            case Family.IPV6:
                return (6,)
            case Family.ANY:
                return (4, 6)

    def queries(self, known: Evidence) -> Sequence[RoutesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[RoutesQuery()]
        defaults = [default_route(fact, version) for version in self._versions()]
        sure = {network: _sure(fact, network) for network in self.networks}
        refused = tuple(network for network, leads in sure.items() if leads is False)
        if refused:
            return unmet(
                wanted=self.wanted(),
                seen=msg("routes that refuse packets to {networks:list}", networks=refused),
                because=msg(
                    "Routes of kind unreachable, blackhole or prohibit refuse packets to {networks:list}.",
                    networks=refused,
                ),
                fix=msg("Find out who sets these routes (ip route show table all), and have them removed."),
            )
        leading = [default for default in defaults if default.leads]
        if leading:
            return self._over(fact, leading)
        missing = tuple(network for network, leads in sure.items() if not leads)
        if self.networks and not missing:
            return met(
                wanted=self.wanted(),
                seen=msg("routes to {networks:list}", networks=self.networks),
                because=msg(
                    "There is no default route, but a route to each of {networks:list}.", networks=self.networks
                ),
            )
        return self._no_way(fact, defaults, missing)

    def _over(self, fact: RoutesFact, leading: Sequence[DefaultRoute]) -> Verdict:
        ways = listed(through(fact, way.interfaces, way.table) for default in leading for way in default.ways)
        seen = msg("default route over {ways}", ways=ways)
        down = {link.name for link in fact.links if not link.up}
        if all(down.issuperset(default.interfaces) and default.interfaces for default in leading):
            return unmet(
                wanted=self.wanted(),
                seen=msg("default route over {ways}, which has no link", ways=ways),
                because=msg("The default route leads over {ways}, which is off or has no link.", ways=ways),
                fix=msg("Switch the interface on and connect it (ip link shows the state)."),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "There is a default route over {ways}. What lies behind its gateway is not visible from here.",
                ways=ways,
            ),
        )

    def _no_way(self, fact: RoutesFact, defaults: Sequence[DefaultRoute], missing: tuple[str, ...]) -> Verdict:
        wanted = self.wanted()
        if not fact.complete:
            return unknown(
                wanted=wanted,
                seen=msg("a routing table too long to be read whole"),
                because=msg("No such route is in the part of the routing table that was read."),
                fix=msg("Look with ip route get, and note the result at the sign-off."),
            )
        if fact.main_only:
            return unknown(
                wanted=wanted,
                seen=msg("no default route in the main table"),
                because=msg(
                    "The main table has no such route, and other tables (policy routing) are not visible here."
                ),
                fix=msg("Look with ip route get, and note the result at the sign-off."),
            )
        some = tuple(way for default in defaults for way in default.conditional)
        if some:
            ways = listed(
                msg(
                    "{interfaces} for packets {selects}",
                    interfaces=through(fact, way.interfaces, way.table),
                    selects=way.selects,
                )
                for way in some
            )
            seen = msg("default route over {ways} only", ways=ways)
            if any(way.applies is Applies.SOMETIMES for way in some):
                return unknown(
                    wanted=wanted,
                    seen=seen,
                    because=msg("Policy routing gives a default route to some packets only: {ways}.", ways=ways),
                    fix=msg("Look with ip route get as the user that the product runs as, or set a default route."),
                )
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "Policy routing gives a default route to some packets only: {ways}. "
                    "Programs that ask for nothing special have none.",
                    ways=ways,
                ),
                fix=msg("Set a default route in the main table as well (ip route add default)."),
            )
        refusing = any(default.ways for default in defaults)
        if missing:
            return unmet(
                wanted=wanted,
                seen=msg("no default route, and none to {networks:list}", networks=missing),
                because=msg(
                    "No table has a default route ({family}) for all targets, nor a route to {networks:list}.",
                    family=self._label(),
                    networks=missing,
                ),
                fix=msg("Add a default route or routes to {networks:list}.", networks=missing),
            )
        return unmet(
            wanted=wanted,
            seen=msg("a default route that refuses packets") if refusing else msg("no default route"),
            because=(
                msg("The default route ({family}) is of kind unreachable, blackhole or prohibit.", family=self._label())
                if refusing
                else msg("No table has a default route ({family}) for all targets.", family=self._label())
            ),
            fix=msg("Add a default route."),
        )


def _sure(fact: RoutesFact, network: str) -> bool | None:
    """Whether ordinary packets have a way to all of *network*; None where no route says so or forbids it."""
    ways = [way for way in ways_to(fact, network) if way.applies is Applies.ALWAYS]
    return ways[0].leads if ways else None


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
        used: dict[tuple[str, Message], None] = {
            (route.network, through(routes, route.interfaces, route.table)): None
            for route in networks_in_use(routes)
            if not all(self._own(interface) for interface in route.interfaces)
        }
        routed = {network for network, _ in used}
        for seen in addresses:
            if seen.network not in routed and not self._own(seen.interface):
                used[seen.network, through(routes, (seen.interface,))] = None
        collisions = [
            msg("{pool} with {network} ({interface})", pool=pool, network=network, interface=where)
            for pool in self.networks
            for network, where in used
            if overlaps(pool, network)
        ]
        collisions += [
            msg("{pool} with {network} (reserved)", pool=pool, network=network)
            for pool in self.networks
            for network in self.reserved
            if overlaps(pool, network)
        ]
        if collisions:
            return unmet(
                wanted=wanted,
                seen=msg("collision: {collisions}", collisions=listed(collisions)),
                because=msg("Address ranges collide: {collisions}.", collisions=listed(collisions)),
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
        because = msg(
            "No address, visible route or listed network lies in {networks:list}. Networks behind the default gateway "
            "and those of a VPN that is not connected now are only known where they are listed.",
            networks=self.networks,
        )
        if routes.main_only:
            because = msg("{because} Other routing tables than the main one are not visible here.", because=because)
        return met(wanted=wanted, seen=msg("no collision"), because=because)

    def _own(self, interface: str) -> bool:
        return any(fnmatchcase(interface, own) for own in self.own_interfaces)


class NetworkPlanRequirement(Requirement):
    """The container networks keep clear of the customer's networks, as both are planned: nothing is looked at."""

    kind = "network_plan"
    networks: Annotated[tuple[Network, ...], Field(min_length=1)]
    """Address ranges that container networks are taken from."""
    avoid: Annotated[tuple[Network, ...], Field(min_length=1)]
    """Networks and addresses of the customer that containers must be able to reach."""

    def wanted(self) -> Message:
        return msg("{networks:list} apart from {avoid:list}", networks=self.networks, avoid=self.avoid)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - both lists stand in the documents
        return []

    def judge(self, evidence: Evidence) -> Verdict:  # noqa: ARG002 - both lists stand in the documents
        collisions = [
            msg("{pool} with {network}", pool=pool, network=network)
            for pool in self.networks
            for network in self.avoid
            if overlaps(pool, network)
        ]
        if not collisions:
            return met(
                wanted=self.wanted(),
                seen=msg("no collision"),
                because=msg("None of the container networks lies in a network of the customer."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("collision: {collisions}", collisions=listed(collisions)),
            because=msg("Address ranges collide: {collisions}.", collisions=listed(collisions)),
            fix=msg(
                "Choose ranges for containers that the customer does not use, set them in daemon.json (bip, "
                "default-address-pools), and name them in the site file."
            ),
        )
