"""Docker's own networks: do their ranges collide with the customer's, and does their MTU fit?

Sources: dockerd(8) (``bip``, ``default-address-pools``, ``mtu``); docs.docker.com, "Bridge network driver";
proc(5) for /proc/net/route.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from vorflug.model.container_engine import daemon_file_cause, engine_gap
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.containers import EngineState

TITLE = msg("Docker networks")

_DOCKER_MTU = 1500
"""What a Docker bridge has while neither daemon.json nor the network sets one (dockerd(8), ``--mtu``)."""


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"wanted a network such as '10.0.0.0/8', saw {text!r}: {error}") from None


Cidr = Annotated[str, AfterValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.20.0.0/16"]})]
"""A network, IPv4 or IPv6, in CIDR form without host bits."""


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
    uplink: str | None = None
    """The interface of the default route; None where there is none."""
    uplink_mtu: int | None = None


@dataclass(frozen=True, kw_only=True)
class DockerNetworksQuery(Query[DockerNetworksFact]):
    """Which networks and address pools does Docker have, and which MTU?"""

    kind = "docker_networks"

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
        uplink = _uplink(host)
        pools = engine.address_pools or file.address_pools
        return DockerNetworksFact(
            state=engine.state,
            socket=engine.socket,
            networks=tuple(
                DockerNetworksFact.Network(name=n.name, subnets=n.subnets, mtu=n.mtu)
                for n in host.containers.networks()
                if n.driver == "bridge"
            ),
            pools=tuple(pool.base for pool in pools) or None,
            bip=str(ipaddress.ip_network(file.bip, strict=False)) if file.bip else None,
            daemon_mtu=file.mtu,
            daemon_file=file.path,
            uplink=uplink,
            uplink_mtu=int(host.files.read_text(f"/sys/class/net/{uplink}/mtu")) if uplink is not None else None,
        )


def _uplink(host: Host) -> str | None:
    """The interface of the default route: of several the one with the least metric."""
    routes: list[tuple[int, str]] = []
    for line in host.files.read_text("/proc/net/route").splitlines()[1:]:
        fields = line.split()
        # Iface Destination Gateway Flags RefCnt Use Metric Mask …, numbers in hex but for the metric
        if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000":  # noqa: PLR2004
            routes.append((int(fields[6]), fields[0]))
    return min(routes)[1] if routes else None


class AddressPoolsRequirement(Requirement):
    """No range that Docker uses, or may use for the next network, lies in the customer's networks."""

    kind = "docker_address_pools"
    avoid: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """The customer's networks: offices, VPN, servers, proxy, DNS and LLM addresses."""
    default_pools: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """What Docker cuts networks from while nothing else is set."""

    def wanted(self) -> Message:
        return msg("no overlap of Docker's networks with {avoid:list}", avoid=self.avoid)

    def queries(self, known: Evidence) -> Sequence[DockerNetworksQuery]:  # noqa: ARG002 - one question, always
        return [DockerNetworksQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        docker = evidence[DockerNetworksQuery()]
        if (gap := _gap(self.wanted(), docker)) is not None:
            return gap
        pools = docker.pools or self.default_pools
        existing = [subnet for network in docker.networks for subnet in network.subnets]
        ranges = tuple(dict.fromkeys((*existing, *([docker.bip] if docker.bip else []), *pools)))
        clashes = [(mine, theirs) for mine in ranges for theirs in self.avoid if _overlap(mine, theirs)]
        seen = msg("Docker uses {ranges:list}", ranges=ranges)
        if not clashes:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("None of Docker's ranges lies in a network of the customer."),
            )
        mine, theirs = tuple(dict.fromkeys(m for m, _ in clashes)), tuple(dict.fromkeys(t for _, t in clashes))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "Docker's {mine:list} overlaps {theirs:list}: addresses there cannot be reached from containers.",
                mine=mine,
                theirs=theirs,
            ),
            fix=(
                msg('Set "bip" and "default-address-pools" in daemon.json to a range kept for Docker; restart.')
                if set(mine).isdisjoint(existing)
                else msg(
                    'Set "bip" and "default-address-pools" in daemon.json to a range kept for Docker, restart it '
                    "and create the networks concerned anew."
                )
            ),
        )


class MtuRequirement(Requirement):
    """No container network sends larger packets than the uplink takes."""

    kind = "docker_mtu"

    def wanted(self) -> Message:
        return msg("MTU of container networks at most that of the uplink")

    def queries(self, known: Evidence) -> Sequence[DockerNetworksQuery]:  # noqa: ARG002 - one question, always
        return [DockerNetworksQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        docker = evidence[DockerNetworksQuery()]
        if (gap := _gap(self.wanted(), docker)) is not None:
            return gap
        if docker.uplink is None or docker.uplink_mtu is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("There is no default IPv4 route, so it is not known which interface is the uplink."),
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
            uplink=docker.uplink,
            mtu=docker.uplink_mtu,
            networks=_pairs(mtus.items()),
        )
        large = {name: mtu for name, mtu in mtus.items() if mtu > docker.uplink_mtu}
        if not large:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("No container network has a larger MTU than {uplink}.", uplink=docker.uplink),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{networks:list} have a larger MTU than {uplink} ({mtu}): large packets may be lost.",
                networks=_pairs(large.items()),
                uplink=docker.uplink,
                mtu=docker.uplink_mtu,
            ),
            fix=msg(
                'Set "mtu": {mtu} in daemon.json and com.docker.network.driver.mtu: {mtu} for the networks in the '
                "compose file; restart Docker and create the networks anew.",
                mtu=docker.uplink_mtu,
            ),
        )


def _gap(wanted: Message, docker: DockerNetworksFact) -> Verdict | None:
    if docker.broken:
        cause = daemon_file_cause(docker.daemon_file, docker.broken)
        return unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)
    return engine_gap(wanted, docker.state, docker.socket)


def _pairs(mtus: Iterable[tuple[str, int]]) -> tuple[Message, ...]:
    return tuple(msg("{name} {mtu}", name=name, mtu=mtu) for name, mtu in mtus)


def _overlap(mine: str, theirs: str) -> bool:
    a, b = ipaddress.ip_network(mine), ipaddress.ip_network(theirs)
    return a.version == b.version and a.overlaps(b)
