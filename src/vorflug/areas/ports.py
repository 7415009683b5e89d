"""Ports: are the ones that the product will listen on still free?

Sources: tcp(7), udp(7) and the kernel's socket tables; ipv6(7) for IPV6_V6ONLY: a socket on ``::`` without it takes the
IPv4 port as well.  Nothing is bound.  A port that packet-filter rules forward (DNAT) has no listener and is not visible
in these tables.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.sockets import Listener, Transport

TITLE = msg("Ports")

Port = Annotated[int, Field(ge=1, le=65535)]


class ListenersFact(Fact):
    """The sockets that hold the asked ports."""

    listeners: tuple[Listener, ...]


@dataclass(frozen=True, kw_only=True)
class ListenersQuery(Query[ListenersFact]):
    """Who holds these ports?"""

    kind = "port_listeners"
    protocol: Transport
    ports: tuple[int, ...]
    """Sorted, so that equal questions are equal."""

    def asks(self) -> Message:
        return msg(
            "Who listens on the ports {ports:list} ({protocol})?", ports=self.ports, protocol=self.protocol.value
        )

    def observe(self, host: Host) -> ListenersFact:
        return ListenersFact(
            listeners=tuple(seen for seen in host.sockets.listeners(self.protocol) if seen.port in self.ports)
        )


class PortFreeRequirement(Requirement):
    """These ports are free on IPv4 and IPv6, or held by the product itself."""

    kind = "port_free"
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]
    protocol: Transport = Transport.TCP
    owner: tuple[str, ...] = ()
    """Names of processes that may hold the ports, such as the product's own after its installation."""

    def wanted(self) -> Message:
        if self.owner:
            return msg(
                "{ports:list} ({protocol}) free, or held by {owner:or}",
                ports=self.ports,
                protocol=self.protocol.value,
                owner=self.owner,
            )
        return msg("{ports:list} ({protocol}) free on IPv4 and IPv6", ports=self.ports, protocol=self.protocol.value)

    def queries(self, known: Evidence) -> Sequence[ListenersQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ListenersQuery(protocol=self.protocol, ports=tuple(sorted(set(self.ports))))]

    def judge(self, evidence: Evidence) -> Verdict:
        held = evidence[self.queries(evidence)[0]].listeners
        foreign = [seen for seen in held if seen.process is None or seen.process not in self.owner]
        wanted = self.wanted()
        if not foreign:
            return met(
                wanted=wanted,
                seen=msg("held by {owner:list}", owner=_names(held)) if held else msg("no listener"),
                because=msg(
                    "Nobody else listens on {ports:list} ({protocol}), neither on IPv4 nor on IPv6. "
                    "Ports forwarded by packet-filter rules (DNAT) are not visible here.",
                    ports=self.ports,
                    protocol=self.protocol.value,
                ),
            )
        seen = msg("taken: {listeners:list}", listeners=tuple(_describe(listener) for listener in foreign))
        if self.owner and all(listener.process is None for listener in foreign):
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("The ports are taken, but it is not visible by whom."),
                fix=msg("Run again as root: only root sees the owner of other users' sockets."),
            )
        ports = tuple(sorted({listener.port for listener in foreign}))
        names = _names(foreign)
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("Taken: {listeners:list}.", listeners=tuple(_describe(listener) for listener in foreign)),
            fix=(
                msg(
                    "Stop {names:list} or move it to another port, so that {ports:list} ({protocol}) become free.",
                    names=names,
                    ports=ports,
                    protocol=self.protocol.value,
                )
                if names
                else msg(
                    "Find the owner of {ports:list} ({protocol}) as root (ss -lnp), stop it or move it elsewhere.",
                    ports=ports,
                    protocol=self.protocol.value,
                )
            ),
        )


def _names(listeners: Sequence[Listener]) -> tuple[str, ...]:
    return tuple(sorted({seen.process for seen in listeners if seen.process is not None}))


def _describe(listener: Listener) -> Message:
    owner = (
        msg("owner not visible")
        if listener.pid is None or listener.process is None
        else msg("{process}, pid {pid}", process=listener.process, pid=listener.pid)
    )
    return msg(
        "port {port} at {address}, {families} ({owner})",
        port=listener.port,
        address=listener.address,
        families=_families(listener),
        owner=owner,
    )


def _families(listener: Listener) -> Message:
    """Which of the two families the socket takes the port on (ipv6(7))."""
    address = ipaddress.ip_address(listener.address.partition("%")[0])
    if address.version == 4 or address.ipv4_mapped is not None:  # noqa: PLR2004 - the family's own number
        return msg("IPv4 only")
    if not address.is_unspecified or listener.v6only:
        return msg("IPv6 only")
    return msg("IPv4 and IPv6") if listener.v6only is False else msg("IPv6, perhaps IPv4 too")
