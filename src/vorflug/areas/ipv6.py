"""IPv6: is it whole, or is there none?

An address without a route, or a route without an address, is half of it: programs that try IPv6 first fail there
before they use IPv4, and some wait for it.
Sources: RFC 4291 (kinds of addresses) and RFC 6724 (which address is tried first); the kernel's document ip-sysctl for
``net.ipv6.conf.*.disable_ipv6``; without ``/proc/sys/net/ipv6`` the kernel has no IPv6 (``ipv6.disable=1``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.routes import RoutesQuery, default_route, through
from vorflug.ports import Host

TITLE = msg("IPv6")

_GLOBAL = ipaddress.IPv6Network("2000::/3")
_PRIVATE = ipaddress.IPv6Network("fc00::/7")
_SWITCH = "/proc/sys/net/ipv6/conf/all/disable_ipv6"


class Ipv6Fact(Fact):
    """What this machine has of IPv6."""

    in_kernel: bool
    """Whether the kernel has IPv6 at all."""
    switched_off: bool
    """``net.ipv6.conf.all.disable_ipv6``: off for all interfaces that do not say otherwise themselves."""
    global_addresses: tuple[str, ...]
    """In 2000::/3, reachable from the Internet as far as routers let them."""
    private_addresses: tuple[str, ...]
    """In fc00::/7 (RFC 4193), for use within a company."""


@dataclass(frozen=True, kw_only=True)
class Ipv6Query(Query[Ipv6Fact]):
    """Is IPv6 on, and which addresses are there?"""

    kind = "ipv6"
    touches = ("@sockets.addresses", "/proc/sys/net/ipv6/")

    def asks(self) -> Message:
        return msg("Is IPv6 on, and which addresses are there?")

    def observe(self, host: Host) -> Ipv6Fact:
        try:
            switch = host.files.read_text(_SWITCH).strip()
        except FileNotFoundError:
            return Ipv6Fact(in_kernel=False, switched_off=False, global_addresses=(), private_addresses=())
        addresses = [ipaddress.ip_address(seen.address) for seen in host.sockets.addresses()]
        return Ipv6Fact(
            in_kernel=True,
            switched_off=switch != "0",
            global_addresses=tuple(str(address) for address in addresses if address in _GLOBAL),
            private_addresses=tuple(str(address) for address in addresses if address in _PRIVATE),
        )


class Ipv6Requirement(Requirement):
    """IPv6 has addresses and a default route, or neither."""

    kind = "ipv6_whole"

    def wanted(self) -> Message:
        return msg("IPv6 with address and default route, or none")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [Ipv6Query(), RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[Ipv6Query()]
        wanted = self.wanted()
        addresses = (*fact.global_addresses, *fact.private_addresses)
        if not fact.in_kernel:
            return met(
                wanted=wanted,
                seen=msg("no IPv6 in the kernel"),
                because=msg("The kernel has no IPv6: programs that listen on [::] must be told to use IPv4."),
            )
        routes = evidence[RoutesQuery()]
        default = default_route(routes, 6)
        if default.leads and not addresses:
            ways = through(routes, default.interfaces)
            return unmet(
                wanted=wanted,
                seen=msg("default route over {ways}, no address", ways=ways),
                because=msg(
                    "There is an IPv6 default route over {ways} but no address that other networks answer to: "
                    "connections over IPv6 wait in vain.",
                    ways=ways,
                ),
                fix=msg("Give this machine an IPv6 address, or take the IPv6 default route away."),
            )
        if default.leads:
            return met(
                wanted=wanted,
                seen=msg(
                    "{addresses:list}, default route over {ways}",
                    addresses=addresses,
                    ways=through(routes, default.interfaces),
                ),
                because=msg("IPv6 has an address and a default route. How far it reaches is not visible from here."),
            )
        if not fact.global_addresses:
            return met(
                wanted=wanted,
                seen=(
                    msg("{addresses:list}, no default route", addresses=addresses)
                    if addresses
                    else msg("no address of IPv6 (switched off)")
                    if fact.switched_off
                    else msg("no address of IPv6 beyond this link")
                ),
                because=msg("IPv6 is not used towards the Internet: connections go over IPv4."),
            )
        seen = msg("{addresses:list}, no default route", addresses=addresses)
        if not routes.complete or routes.main_only or default.conditional:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "No IPv6 default route for all packets was seen; there may be one for some of them, or "
                    "one that is not visible."
                ),
                fix=msg("Look with ip -6 route get 2000::1, and note the result at the sign-off."),
            )
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg(
                "There are global IPv6 addresses but no IPv6 default route: programs that try IPv6 first fail there "
                "before they use IPv4."
            ),
            fix=msg("Set an IPv6 default route, or switch IPv6 off on that interface."),
        )
