"""Docker's own networks: do their ranges collide with networks that are in use, and does their MTU fit?

Sources: dockerd(8) (``bip``, ``default-address-pools``, ``mtu``); docs.docker.com, "Bridge network driver"; moby's
libnetwork: when it makes a network it skips what a route of the machine overlaps, so that only ranges in use collide
with routes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.container_engine import daemon_file_cause, engine_cause, engine_gap
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.network import Network
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.model.routes import RoutesFact, RoutesQuery, networks_in_use, overlaps, through, uplink
from vorflug.ports import Host
from vorflug.ports.containers import EngineState

TITLE = msg("Docker networks")

_DOCKER_MTU = 1500
"""What a Docker bridge has while neither daemon.json nor the network sets one (dockerd(8), ``--mtu``)."""


class DockerNetworksFact(Fact):
    """The engine's networks and what daemon.json says about new ones."""

    class Network(Fact):
        """One network."""

        name: str
        subnets: tuple[str, ...]
        mtu: int | None
        """None where the network does not set one."""

    state: EngineState
    socket: str
    product: str = ""
    networks: tuple[Network, ...] = ()
    """Bridge networks: overlay, macvlan and host networks have ranges and MTUs of their own kind."""
    pools: tuple[str, ...] | None = None
    """CIDR, from the engine or daemon.json; None where neither sets any (then Docker's built-in ones count)."""
    bip: str | None = None
    """The default bridge's range, CIDR."""
    daemon_mtu: int | None = None
    daemon_file: str = ""
    broken: str = ""
    """Why daemon.json cannot be parsed, with the line; then nothing else is known."""


@dataclass(frozen=True, kw_only=True)
class DockerNetworksQuery(Query[DockerNetworksFact]):
    """Which networks and address pools does Docker have, and which MTU?"""

    kind = "docker_networks"
    touches = ("@containers.engine", "@containers.daemon_file", "@containers.networks")

    def asks(self) -> Message:
        return msg("Which networks, address pools and MTU does Docker use?")

    def observe(self, host: Host) -> DockerNetworksFact:
        engine = host.containers.engine()
        if engine.state is not EngineState.ANSWERING:
            return DockerNetworksFact(state=engine.state, socket=engine.socket)
        try:
            file = host.containers.daemon_file()
        except ValueError as error:
            path = str(error).partition(":")[0]
            return DockerNetworksFact(state=engine.state, socket=engine.socket, daemon_file=path, broken=str(error))
        pools = engine.address_pools or file.address_pools
        return DockerNetworksFact(
            state=engine.state,
            socket=engine.socket,
            product=engine.product,
            networks=tuple(
                DockerNetworksFact.Network(name=n.name, subnets=n.subnets, mtu=n.mtu)
                for n in host.containers.networks()
                if n.driver == "bridge"
            ),
            pools=tuple(pool.base for pool in pools) or None,
            bip=str(ipaddress.ip_network(file.bip, strict=False)) if file.bip else None,
            daemon_mtu=file.mtu,
            daemon_file=file.path,
        )


class AddressPoolsRequirement(Requirement):
    """No range that Docker uses, or may use, lies in the customer's networks; none in use where a route leads."""

    kind = "docker_address_pools"
    avoid: Annotated[tuple[Network, ...], Field(min_length=1)]
    """The customer's networks: offices, VPN, servers, proxy, DNS and LLM addresses."""
    default_pools: Annotated[tuple[Network, ...], Field(min_length=1)]
    """What Docker cuts networks from while nothing else is set."""
    own_interfaces: tuple[str, ...] = ()
    """Docker's own interfaces, as glob patterns (``docker0``, ``br-*``), whose routes are its own."""

    def wanted(self) -> Message:
        return msg(
            "no overlap of Docker's networks with {avoid:list}, nor with routes of this machine", avoid=self.avoid
        )

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [DockerNetworksQuery(), RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        docker = evidence[DockerNetworksQuery()]
        if (gap := _gap(self.wanted(), docker)) is not None:
            return gap
        existing = tuple(subnet for network in docker.networks for subnet in network.subnets)
        in_use = tuple(dict.fromkeys((*existing, *([docker.bip] if docker.bip else []))))
        ranges = tuple(dict.fromkeys((*in_use, *(docker.pools or self.default_pools))))
        seen = msg("Docker uses {ranges:list}", ranges=ranges)
        clashes = [
            (mine, msg("{mine} with {network} (listed)", mine=mine, network=theirs))
            for mine in ranges
            for theirs in self.avoid
            if overlaps(mine, theirs)
        ]
        # a collision with a listed network is one, whether routes can be seen or not
        if not clashes or RoutesQuery() in evidence:
            routes = evidence[RoutesQuery()]
            clashes += self._with_routes(in_use, routes)
            if not clashes:
                return self._no_clash(seen, routes)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "Docker's networks overlap others, whose addresses cannot be reached from containers: {clashes}.",
                clashes=listed(words for _, words in clashes),
            ),
            fix=(
                msg('Set "bip" and "default-address-pools" in daemon.json to a range kept for Docker; restart.')
                if {mine for mine, _ in clashes}.isdisjoint(existing)
                else msg(
                    'Set "bip" and "default-address-pools" in daemon.json to a range kept for Docker, restart it '
                    "and create the networks concerned anew."
                )
            ),
        )

    def _no_clash(self, seen: Message, routes: RoutesFact) -> Verdict:
        if not routes.complete:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("No collision is in the part of the routing table that was read."),
                fix=msg("Compare the container networks with the routing plan, and note the result at the sign-off."),
            )
        because = msg(
            "None of Docker's ranges lies in a network of the customer, nor where a route of this machine leads."
        )
        if routes.main_only:
            because = msg("{because} Other routing tables than the main one are not visible here.", because=because)
        return met(wanted=self.wanted(), seen=seen, because=because)

    def _with_routes(self, in_use: Sequence[str], fact: RoutesFact) -> list[tuple[str, Message]]:
        return [
            (
                mine,
                msg(
                    "{mine} with the route to {network} ({interface})",
                    mine=mine,
                    network=route.network,
                    interface=through(fact, route.interfaces, route.table),
                ),
            )
            for mine in in_use
            for route in networks_in_use(fact)
            if overlaps(mine, route.network) and not all(self._own(name) for name in route.interfaces)
        ]

    def _own(self, interface: str) -> bool:
        return any(fnmatchcase(interface, own) for own in self.own_interfaces)


class MtuRequirement(Requirement):
    """No container network sends larger packets than the uplink takes."""

    kind = "docker_mtu"

    def wanted(self) -> Message:
        return msg("MTU of container networks at most that of the uplink")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [DockerNetworksQuery(), RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        docker = evidence[DockerNetworksQuery()]
        if (gap := _gap(self.wanted(), docker)) is not None:
            return gap
        out = uplink(evidence[RoutesQuery()])
        if out is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("There is no default route, so it is not known which interface is the uplink."),
                fix=msg("Set a default route, or settle the MTU with the network team."),
            )
        if not docker.networks:
            return not_applicable(wanted=self.wanted(), because=msg("Docker has no bridge network."))
        # "mtu" of daemon.json holds for the default bridge alone: networks made by compose keep Docker's default
        mtus = {
            n.name: n.mtu or (docker.daemon_mtu if n.name == "bridge" else None) or _DOCKER_MTU for n in docker.networks
        }
        seen = msg(
            "{uplink} has {mtu}; {networks:list}",
            uplink=out.interface,
            mtu=out.mtu,
            networks=_pairs(mtus.items()),
        )
        large = {name: mtu for name, mtu in mtus.items() if mtu > out.mtu}
        if not large:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("No container network has a larger MTU than {uplink}.", uplink=out.interface),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{networks:list} have a larger MTU than {uplink} ({mtu}): large packets may be lost.",
                networks=_pairs(large.items()),
                uplink=out.interface,
                mtu=out.mtu,
            ),
            fix=msg(
                'Set "mtu": {mtu} in daemon.json and com.docker.network.driver.mtu: {mtu} for the networks in the '
                "compose file; restart Docker and create the networks anew.",
                mtu=out.mtu,
            ),
        )


def _gap(wanted: Message, docker: DockerNetworksFact) -> Verdict | None:
    if docker.broken:
        cause = daemon_file_cause(docker.daemon_file, docker.broken)
        return unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)
    return engine_gap(wanted, engine_cause(docker.state, docker.socket, product=docker.product))


def _pairs(mtus: Iterable[tuple[str, int]]) -> tuple[Message, ...]:
    return tuple(msg("{name} {mtu}", name=name, mtu=mtu) for name, mtu in mtus)
