"""Who listens where, and which addresses this machine has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Transport(StrEnum):
    """What a port number belongs to: tcp(7) and udp(7) have tables of their own."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class Listener:
    """A socket that holds a local port: a listening one (TCP) or any bound one (UDP)."""

    address: str
    """The local address: ``0.0.0.0``, ``127.0.0.1``, ``::``, ``::ffff:127.0.0.1``."""
    port: int
    v6only: bool | None
    """IPV6_V6ONLY of ipv6(7): False on ``::`` takes the IPv4 port as well.  None for IPv4, or where not visible."""
    pid: int | None
    """The process that holds it; None where that is not visible (another user's, and not root)."""
    process: str | None
    """The name of that process, as it calls itself: data, no proof of what it is."""
    connected: bool = False
    """UDP: bound to one peer by connect(2), as clients do.  It holds the port all the same."""


@dataclass(frozen=True)
class InterfaceAddress:
    """One address of one network interface."""

    interface: str
    address: str
    network: str
    """The network that the address lies in, as ``192.0.2.0/24``."""


class Sockets(Protocol):
    """Tables of the kernel; nothing is bound, connected or sent to another machine."""

    def listeners(self, transport: Transport) -> tuple[Listener, ...]:
        """Every socket in this network namespace that holds a local port, IPv4 and IPv6, ordered by port.

        Raises NotImplementedError where the kernel's tables are not there, PermissionError where they are closed.
        """
        ...

    def addresses(self) -> tuple[InterfaceAddress, ...]:
        """The IPv4 and IPv6 addresses of all interfaces, loopback included."""
        ...
