"""Ports: are the ones that the product will listen on still free?

Sources: tcp(7), udp(7) and the kernel's socket tables; ipv6(7) for IPV6_V6ONLY: a socket on ``::`` without it takes the
IPv4 port as well; bind(2): EADDRINUSE also where only one of the addresses is taken.  Nothing is bound.  A port that
packet-filter rules forward (DNAT) has no listener and is not visible in these tables, which are those of this network
namespace alone (network_namespaces(7)).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.contact import Contact, ContactKind, inbound
from vorflug.model.control_group import group_owner
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.query import Fact, Query, Seen
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.routes import RoutesFact, RoutesQuery, uplink
from vorflug.ports import Host
from vorflug.ports.sockets import Listener, Transport

TITLE = msg("Ports")

USERS = msg("Users reach the product")

Port = Annotated[int, Field(ge=1, le=65535)]

_PUBLISHERS = {"docker-proxy", "rootlessport", "containers-rootlessport", "rootlesskit", "slirp4netns", "pasta"}
"""Programs of container engines that hold a published port on the container's behalf."""
_OF_APPLICATIONS = {"docker", "podman", "kubernetes", "containerd", "rkt", "container-other"}
"""Containers that hold one program, with a network of their own unless told otherwise."""
_OF_CONTAINERS = {"veth", "macvlan", "ipvlan", "tun"}
"""What the uplink of such a network is made of."""


class Holder(Fact):
    """A process that holds one of the ports."""

    pid: int
    program: str | None
    """The path of its executable; None where that is not visible."""
    unit: str
    """Its systemd service; empty for none."""
    engine: str
    """The engine of the container that it runs in; empty for none."""
    container: str


class ListenersFact(Fact):
    """The sockets that hold the asked ports."""

    listeners: tuple[Listener, ...]
    holders: tuple[Holder, ...] = ()
    """Those of their processes that could be looked at."""
    inside: str | None = ""
    """The kind of container that this was asked in; empty for none, None where that is not known."""


@dataclass(frozen=True, kw_only=True)
class ListenersQuery(Query[ListenersFact]):
    """Who holds these ports?"""

    kind = "port_listeners"
    touches = ("@sockets.listeners", "@processes.of", "@system.virtualisation")
    protocol: Transport
    ports: tuple[int, ...]
    """Sorted, so that equal questions are equal."""

    def asks(self) -> Message:
        return msg(
            "Who listens on the ports {ports:list} ({protocol})?", ports=self.ports, protocol=self.protocol.value
        )

    def observe(self, host: Host) -> ListenersFact:
        listeners = tuple(seen for seen in host.sockets.listeners(self.protocol) if seen.port in self.ports)
        pids = sorted({seen.pid for seen in listeners if seen.pid is not None})
        return ListenersFact(
            listeners=listeners,
            holders=tuple(holder for pid in pids if (holder := _holder(host, pid)) is not None),
            inside=_inside(host),
        )


def _holder(host: Host, pid: int) -> Holder | None:
    """None for a process that has ended or is hidden: the port is taken all the same."""
    try:
        process = host.processes.of(pid)
    except (ProcessLookupError, PermissionError, NotImplementedError):
        return None
    owner = group_owner(process.cgroup)
    return Holder(
        pid=pid, program=process.program, unit=owner.unit, engine=owner.engine, container=owner.container[:64]
    )


def _inside(host: Host) -> str | None:
    try:
        return host.system.virtualisation().container
    except (NotImplementedError, PermissionError):
        return None


class PortFreeRequirement(Requirement):
    """These ports are free on IPv4 and IPv6, or held by the product itself."""

    kind = "port_free"
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]
    protocol: Transport = Transport.TCP
    owner: tuple[str, ...] = ()
    """Programs that may hold the ports, such as the product's own after its installation: names of executables."""

    def wanted(self) -> Message:
        if self.owner:
            return msg(
                "{ports:list} ({protocol}) free, or held by {owner:or}",
                ports=self.ports,
                protocol=self.protocol.value,
                owner=self.owner,
            )
        return msg("{ports:list} ({protocol}) free on IPv4 and IPv6", ports=self.ports, protocol=self.protocol.value)

    def _asked(self) -> ListenersQuery:
        return ListenersQuery(protocol=self.protocol, ports=tuple(sorted(set(self.ports))))

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [self._asked(), RoutesQuery()]

    def flows(self) -> tuple[Contact, ...]:
        """The product will listen there: others must come in."""
        kind = ContactKind.TCP if self.protocol is Transport.TCP else ContactKind.UDP
        return tuple(inbound(port, kind, USERS) for port in self.ports)

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self._asked()]
        holders: Mapping[int | None, Holder] = {holder.pid: holder for holder in fact.holders}
        foreign = [seen for seen in fact.listeners if _program(seen, holders) not in self.owner]
        if not foreign:
            return self._free(fact, evidence, _names(fact.listeners, holders))
        wanted = self.wanted()
        described = listed(_describe(foreign, holders))
        seen = msg("taken: {listeners}", listeners=described)
        if self.owner and all(listener.process is None for listener in foreign):
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("The ports are taken, but it is not visible by whom."),
                fix=msg("Run again as root: only root sees the owner of other users' sockets."),
            )
        because = msg("Taken: {listeners}.", listeners=described)
        if any(not _is_wildcard(listener) for listener in foreign):
            because = msg(
                "Taken: {listeners}. Where one address is taken, nobody else can listen on all addresses.",
                listeners=described,
            )
        return unmet(wanted=wanted, seen=seen, because=because, fix=_fix(foreign, holders, self.protocol.value))

    def _free(self, fact: ListenersFact, evidence: Evidence, names: tuple[str, ...]) -> Verdict:
        seen = msg("held by {owner:list}", owner=names) if names else msg("no listener")
        free = msg(
            "Nobody else listens on {ports:list} ({protocol}), neither on IPv4 nor on IPv6. "
            "Ports forwarded by packet-filter rules (DNAT) are not visible here.",
            ports=self.ports,
            protocol=self.protocol.value,
        )
        if not fact.inside:
            return met(wanted=self.wanted(), seen=seen, because=free)
        if fact.inside in _OF_APPLICATIONS and _own_network(evidence):
            return unknown(
                wanted=self.wanted(),
                seen=msg("no listener within this container ({kind})", kind=fact.inside),
                because=msg(
                    "This runs in a container ({kind}) with a network of its own: who listens on the machine itself "
                    "is not visible.",
                    kind=fact.inside,
                ),
                fix=msg("Run it on the machine itself, or in a container with the host's network."),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{free} This runs in a container ({kind}): the network that it sees was looked at.",
                free=free,
                kind=fact.inside,
            ),
        )


def _own_network(evidence: Evidence) -> bool:
    """Whether a container has a network of its own, as its uplink shows; also where that cannot be told."""
    match evidence.result(RoutesQuery()):
        case Seen(RoutesFact() as routes):
            out = uplink(routes)
            kinds = {link.name: link.kind for link in routes.links}
            return out is None or routes.main_only or kinds[out.interface] in _OF_CONTAINERS
        case _:
            return True


def _program(listener: Listener, holders: Mapping[int | None, Holder]) -> str | None:
    """The name of the executable, which a process cannot choose; what it calls itself where that is not visible."""
    holder = holders.get(listener.pid)
    if holder is not None and holder.program:
        return holder.program.rpartition("/")[2]
    return listener.process


def _names(listeners: Sequence[Listener], holders: Mapping[int | None, Holder]) -> tuple[str, ...]:
    return tuple(sorted({name for seen in listeners if (name := _program(seen, holders)) is not None}))


def _describe(listeners: Sequence[Listener], holders: Mapping[int | None, Holder]) -> list[Message]:
    """One line for each socket address; several processes may share one (SO_REUSEPORT)."""
    shared: dict[tuple[int, str, Message], dict[Message, list[int]]] = {}
    for seen in listeners:
        place = (seen.port, seen.address, _families(seen))
        shared.setdefault(place, {}).setdefault(_owner(seen, holders), []).append(seen.pid or 0)
    return [
        msg(
            "port {port} at {address}, {families} ({owner})",
            port=port,
            address=address,
            families=families,
            owner=listed(
                owner if pids == [0] else msg("{owner}, pid {pids:list}", owner=owner, pids=tuple(sorted(pids)))
                for owner, pids in owners.items()
            ),
        )
        for (port, address, families), owners in shared.items()
    ]


def _owner(seen: Listener, holders: Mapping[int | None, Holder]) -> Message:
    name = _program(seen, holders)
    if name is None:
        return msg("owner not visible")
    holder = holders.get(seen.pid)
    if seen.connected:
        return msg("{process}, as a connection's own port", process=name)
    if seen.pid == 1:
        return msg("{process}, for a socket unit perhaps", process=name)
    if name in _PUBLISHERS:
        return msg("{process}, publishes it for a container", process=name)
    if holder is not None and holder.container:
        return msg(
            "{process}, in container {container} ({engine})",
            process=name,
            container=holder.container[:12],
            engine=holder.engine,
        )
    if holder is not None and holder.unit:
        return msg("{process}, unit {unit}", process=name, unit=holder.unit)
    return msg("{process}", process=name)


def _fix(foreign: Sequence[Listener], holders: Mapping[int | None, Holder], protocol: str) -> Message:
    ports = tuple(sorted({listener.port for listener in foreign}))
    names = _names(foreign, holders)
    containers = {
        holder.container[:12] for seen in foreign if (holder := holders.get(seen.pid)) is not None and holder.container
    }
    if containers:
        return msg(
            "Stop the containers {containers:list} or give them other ports, so that {ports:list} ({protocol}) become "
            "free.",
            containers=tuple(sorted(containers)),
            ports=ports,
            protocol=protocol,
        )
    if any(name in _PUBLISHERS for name in names):
        return msg(
            "Find the container that publishes {ports:list} ({protocol}) (docker ps, podman ps), stop it or publish it "
            "on another port.",
            ports=ports,
            protocol=protocol,
        )
    if names:
        return msg(
            "Stop {names:list}, or move it to another port, to free {ports:list} ({protocol}).",
            names=tuple(sorted({_stoppable(seen, holders) or "" for seen in foreign} - {""})),
            ports=ports,
            protocol=protocol,
        )
    return msg(
        "Find the owner of {ports:list} ({protocol}) as root (ss -lnp), stop it or move it elsewhere. What has no "
        "owner there belongs to the kernel (WireGuard, NFS).",
        ports=ports,
        protocol=protocol,
    )


def _stoppable(listener: Listener, holders: Mapping[int | None, Holder]) -> str | None:
    """What systemctl can stop, else the program."""
    holder = holders.get(listener.pid)
    return holder.unit if holder is not None and holder.unit else _program(listener, holders)


def _address(listener: Listener) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The local address; one of IPv4 in IPv6 form (RFC 4291, 2.5.5.2) as what it is."""
    address = ipaddress.ip_address(listener.address.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _is_wildcard(listener: Listener) -> bool:
    return _address(listener).is_unspecified


def _families(listener: Listener) -> Message:
    """Which of the two families the socket takes the port on (ipv6(7)), and whether on one address only."""
    address = _address(listener)
    if address.version == 4:  # noqa: PLR2004 - the family's own number
        return msg("IPv4 only") if address.is_unspecified else msg("IPv4, this address only")
    if not address.is_unspecified:
        return msg("IPv6, this address only")
    if listener.v6only is None:
        return msg("IPv6, perhaps IPv4 too")
    return msg("IPv6 only") if listener.v6only else msg("IPv4 and IPv6")
