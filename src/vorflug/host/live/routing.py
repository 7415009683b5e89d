"""Routes, rules and links of this network namespace, asked by rtnetlink(7).

Numbers are those of include/uapi/linux/rtnetlink.h, fib_rules.h, if_link.h and if.h.  Nothing is changed; every user
may ask.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vorflug.host.live import netlink
from vorflug.ports.routing import Link, Network, RouteSeen, RuleSeen

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_NETLINK_ROUTE = 0
_GET_LINK, _GET_ROUTE, _GET_RULE = 18, 26, 34
_NEW_LINK, _NEW_ROUTE, _NEW_RULE = 16, 24, 32

_MOST_ROUTES = 20_000
"""A router of the Internet has a million: none of them says anything here that the first ones do not."""

# ---- routes: struct rtmsg, RTA_*, RTAX_MTU, struct rtnexthop
_ROUTE = struct.Struct("=BBBBBBBBI")
_ROUTE_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
_DST, _OIF, _GATEWAY, _PRIORITY, _METRICS, _MULTIPATH, _TABLE, _VIA = 1, 4, 5, 6, 8, 9, 15, 18
_METRIC_MTU = 2
_CLONED = 0x200
_DEAD = 1
_NEXT_HOP = struct.Struct("=HBBi")

# ---- rules: struct fib_rule_hdr, FRA_*
_RULE = struct.Struct("=BBBBBBBBI")
_ACTIONS = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_INVERT = 2
_RULE_DST, _RULE_SRC, _IIF, _RULE_PRIORITY, _FWMARK, _SUPPRESS, _FWMASK, _OIF_NAME = 1, 2, 3, 6, 10, 14, 16, 17
_L3MDEV, _UIDS, _PROTOCOL, _SPORTS, _DPORTS = 19, 20, 22, 23, 24
_TUNNEL_ID = 12
_NO_SUPPRESSION = 0xFFFFFFFF
_NO_POLICY_ROUTING = {errno.EOPNOTSUPP, errno.EAFNOSUPPORT}

# ---- links: struct ifinfomsg, IFLA_*
_LINK = struct.Struct("=BxHiII")
_NAME, _MTU, _LINK_INFO = 3, 4, 18
_INFO_KIND = 1
_UP, _LOWER_UP = 0x1, 0x10000

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


class LiveRouting:
    """Asks the kernel for its tables."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def network(self) -> Network:
        try:
            links = dict(_links(self._ask(_GET_LINK, _LINK.pack(0, 0, 0, 0, 0))))
            names = {index: link.name for index, link in links.items()}
            routes = [
                route
                for version, family in _FAMILIES.items()
                for route in _routes(self._ask(_GET_ROUTE, _ROUTE.pack(family, *[0] * 8)), version, names)
            ]
        except TimeoutError:
            raise
        except OSError as error:
            raise _as_port(error) from error
        routes.sort(key=lambda route: (route.table, ":" in route.network, route.network, route.metric))
        return Network(
            routes=tuple(routes[:_MOST_ROUTES]),
            rules=tuple(self._rules()),
            links=tuple(sorted(links.values(), key=lambda link: link.name)),
            complete=len(routes) <= _MOST_ROUTES,
        )

    def _ask(self, kind: int, body: bytes) -> list[tuple[int, bytes]]:
        return netlink.dump(_NETLINK_ROUTE, kind, body, self._patience)

    def _rules(self) -> list[RuleSeen]:
        """Empty where the kernel was built without policy routing: then there is the main table alone."""
        found: list[RuleSeen] = []
        for version, family in _FAMILIES.items():
            try:
                found += _rules(self._ask(_GET_RULE, _RULE.pack(family, *[0] * 8)), version)
            except TimeoutError:
                raise
            except OSError as error:
                if error.errno not in _NO_POLICY_ROUTING:
                    raise _as_port(error) from error
        return sorted(found, key=lambda rule: (rule.family, rule.priority))


def _as_port(error: OSError) -> Exception:
    """A refusal stays one; anything else says that this machine cannot answer."""
    return error if isinstance(error, PermissionError) else NotImplementedError(f"the kernel's rtnetlink: {error}")


def _links(messages: list[tuple[int, bytes]]) -> Iterator[tuple[int, Link]]:
    for kind, body in messages:
        if kind != _NEW_LINK:
            continue
        _, hardware, index, flags, _ = _LINK.unpack_from(body)
        rest = netlink.attributes(body[_LINK.size :])
        info = netlink.attributes(rest.get(_LINK_INFO, b""))
        yield (
            index,
            Link(
                name=_text(rest.get(_NAME, b"")),
                kind=_text(info.get(_INFO_KIND, b"")),
                hardware=hardware,
                up=bool(flags & _UP and flags & _LOWER_UP),
                mtu=_number(rest.get(_MTU, b"")),
            ),
        )


def _routes(messages: list[tuple[int, bytes]], version: int, names: Mapping[int, str]) -> Iterator[RouteSeen]:
    for kind, body in messages:
        if kind != _NEW_ROUTE:
            continue
        family, length, _, _, table, _, _, type_, flags = _ROUTE.unpack_from(body)
        if family != _FAMILIES[version] or type_ not in _ROUTE_KINDS or flags & _CLONED:
            continue  # a kernel without IPv6 answers for what it has
        rest = netlink.attributes(body[_ROUTE.size :])
        network = f"{_address(rest.get(_DST, b''), version)}/{length}"
        hops = list(_hops(rest, flags))
        if not hops and type_ == 1 and (_OIF in rest or _MULTIPATH in rest):
            continue  # every way out is dead: the kernel does not use it
        if ipaddress.ip_network(network).is_multicast:
            continue
        # an unreachable route of IPv6 names the loopback interface, and leads to none all the same
        out = tuple(dict.fromkeys(names.get(index, f"if{index}") for index, _ in hops)) if type_ == 1 else ()
        yield RouteSeen(
            network=network,
            table=_number(rest[_TABLE]) if _TABLE in rest else table,
            kind=_ROUTE_KINDS[type_],
            interfaces=out,
            gateway=next((gateway for _, gateway in hops if gateway is not None), None),
            metric=_number(rest.get(_PRIORITY, b"")),
            mtu=_number(netlink.attributes(rest.get(_METRICS, b"")).get(_METRIC_MTU, b"")) or None,
        )


def _hops(rest: Mapping[int, bytes], flags: int) -> Iterator[tuple[int, str | None]]:
    """(interface's index, gateway) of every next hop that is alive."""
    if _OIF in rest and not flags & _DEAD:
        yield _number(rest[_OIF]), _gateway(rest)
    data = rest.get(_MULTIPATH, b"")
    while len(data) >= _NEXT_HOP.size:
        length, hop_flags, _, index = _NEXT_HOP.unpack_from(data)
        if length < _NEXT_HOP.size:
            return
        if not hop_flags & _DEAD:
            yield index, _gateway(netlink.attributes(data[_NEXT_HOP.size : length]))
        data = data[(length + 3) & ~3 :]


def _gateway(rest: Mapping[int, bytes]) -> str | None:
    """RTA_GATEWAY, or RTA_VIA for a gateway of the other family (RFC 5549)."""
    raw = rest.get(_GATEWAY) or rest.get(_VIA, b"")[2:]
    return str(ipaddress.ip_address(raw)) if len(raw) in {4, 16} else None


def _rules(messages: list[tuple[int, bytes]], version: int) -> Iterator[RuleSeen]:
    for kind, body in messages:
        if kind != _NEW_RULE:
            continue
        family, dst, src, tos, table, _, _, action, flags = _RULE.unpack_from(body)
        if family != _FAMILIES[version]:
            continue
        rest = netlink.attributes(body[_RULE.size :])
        suppress = _number(rest[_SUPPRESS]) if _SUPPRESS in rest else _NO_SUPPRESSION
        words = " ".join(_selectors(rest, version, src, dst, tos))
        yield RuleSeen(
            family=version,
            priority=_number(rest.get(_RULE_PRIORITY, b"")),
            table=_number(rest[_TABLE]) if _TABLE in rest else table,
            selects=f"not {words}".strip() if flags & _INVERT else words,
            action=_ACTIONS.get(action, f"action {action}"),
            suppress=None if suppress == _NO_SUPPRESSION else suppress,
        )


def _selectors(rest: Mapping[int, bytes], version: int, src: int, dst: int, tos: int) -> Iterator[str]:
    """What a rule matches, in the words of ip-rule(8)."""
    if _RULE_SRC in rest:
        yield f"from {_address(rest[_RULE_SRC], version)}/{src}"
    if _RULE_DST in rest:
        yield f"to {_address(rest[_RULE_DST], version)}/{dst}"
    if tos:
        yield f"tos {tos:#x}"
    mark, mask = _number(rest.get(_FWMARK, b"")), _number(rest.get(_FWMASK, b""))
    if mark or mask:
        yield f"fwmark {mark:#x}" if mask in {0, 0xFFFFFFFF} else f"fwmark {mark:#x}/{mask:#x}"
    for attribute, word in ((_IIF, "iif"), (_OIF_NAME, "oif")):
        if attribute in rest:
            yield f"{word} {_text(rest[attribute])}"
    if any(rest.get(_L3MDEV, b"")):
        yield "l3mdev all"
    for attribute, word, half in ((_UIDS, "uidrange", 4), (_SPORTS, "sport", 2), (_DPORTS, "dport", 2)):
        if attribute in rest:
            yield f"{word} {_number(rest[attribute][:half])}-{_number(rest[attribute][half:])}"
    if rest.get(_PROTOCOL):
        yield f"ipproto {_number(rest[_PROTOCOL])}"
    if _TUNNEL_ID in rest:
        yield f"tun_id {int.from_bytes(rest[_TUNNEL_ID], 'big')}"


def _address(raw: bytes, version: int) -> str:
    """An empty attribute is the unspecified address."""
    return socket.inet_ntop(_FAMILIES[version], raw or bytes(4 if version == 4 else 16))  # noqa: PLR2004


def _number(raw: bytes) -> int:
    """Netlink's numbers have the machine's own byte order."""
    return int.from_bytes(raw, sys.byteorder)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", errors="replace")[:64]
