"""Routes of all tables, the rules that choose a table, and the links: what ip(8) shows, asked of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RouteSeen:
    """One route (ip-route(8))."""

    network: str
    """``0.0.0.0/0`` and ``::/0`` are default routes."""
    table: int
    """254 is main, 255 local, 253 default."""
    kind: str
    """``unicast``, ``unreachable``, ``blackhole``, ``prohibit``, ``throw``; local and broadcast ones are left out."""
    interfaces: tuple[str, ...]
    """More than one for a multipath route; empty where it leads to none."""
    gateway: str | None
    metric: int
    mtu: int | None
    """The route's own MTU (``mtu`` of ip-route(8)); None where it has none."""


@dataclass(frozen=True)
class RuleSeen:
    """One rule of policy routing (ip-rule(8))."""

    family: int
    """4 or 6."""
    priority: int
    table: int
    """0 where the action looks into no table, or into that of the packet's VRF (``l3mdev``)."""
    selects: str
    """What it matches besides everything, in ip-rule(8)'s own words: ``from 10.0.0.0/8``, ``not fwmark 0xca6c``,
    ``iif lo``; several are separated by one space, empty for all packets."""
    action: str = "lookup"
    """``lookup``, ``goto``, ``nop``, ``blackhole``, ``unreachable``, ``prohibit``."""
    suppress: int | None = None
    """``suppress_prefixlength``: what the table says with this prefix length or a shorter one does not count; 0 sets
    default routes aside, as wg-quick(8) does."""


@dataclass(frozen=True)
class Link:
    """One network interface."""

    name: str
    kind: str
    """The kernel's word for a virtual one: ``tun``, ``wireguard``, ``bridge``, ``veth``, ``vlan``; empty for others."""
    hardware: int
    """ARPHRD_*: 1 Ethernet, 772 loopback, 512 PPP, 65534 none."""
    up: bool
    """Switched on, and with a carrier (``LOWER_UP`` of ip-link(8))."""
    mtu: int


@dataclass(frozen=True)
class Network:
    """Routes, rules and links of this network namespace."""

    routes: tuple[RouteSeen, ...]
    rules: tuple[RuleSeen, ...]
    """Ordered by priority; none where the kernel has no policy routing and knows the main table alone."""
    links: tuple[Link, ...]
    complete: bool
    """False where there were more than is kept."""


class Routing(Protocol):
    """Asked of the kernel by rtnetlink(7); nothing is changed."""

    def network(self) -> Network:
        """Everything at once.  Raises PermissionError or NotImplementedError where the kernel does not say."""
        ...
