"""The contacts of a plan in words, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from vorflug.engine.contacts import Touch
from vorflug.model.contact import ContactKind
from vorflug.model.message import Message, msg
from vorflug.ports.net import LOOPBACK, SITE, Route

_FOLDER = ContactKind.FOLDER
_PATHS = (ContactKind.FILE, _FOLDER)


def via(route: Route | None) -> Message:
    """Which way, and what decides it."""
    if route is None:
        return msg("direct")
    if route.proxy is None:
        if route.why == LOOPBACK:
            return msg("direct, as it is this machine")
        return msg("direct, by {variable}", variable=route.why) if route.why else msg("direct")
    if route.why == SITE:
        return msg("proxy {proxy}, from the site file", proxy=route.proxy)
    return msg("proxy {proxy}, from {variable}", proxy=route.proxy, variable=route.why)


def target(touch: Touch) -> Message | str:
    """What is touched, with its port."""
    contact = touch.contact
    if contact.target:
        host = f"[{contact.target}]" if ":" in contact.target and contact.over_the_network else contact.target
        return host if contact.port is None else f"{host}:{contact.port}"
    match contact.kind:
        case ContactKind.NAMESERVER:
            return msg("the nameserver of this host (none is configured)")
        case ContactKind.TIME_SERVER:
            return msg("the time server of this host (none is configured)")
        case ContactKind.TCP | ContactKind.UDP | ContactKind.FILE | ContactKind.FOLDER:
            return contact.purpose or msg("what an answer names")
        case ContactKind.COMMAND | ContactKind.SOCKET:
            return msg("what an answer names")
        case _:
            assert_never(contact.kind)


def transport(kind: ContactKind, protocol: str) -> str:
    """``TCP``, ``UDP`` or both: DNS is asked over UDP, and over TCP where an answer is long (RFC 7766)."""
    if kind is ContactKind.NAMESERVER:
        return "UDP, TCP"
    return "UDP" if kind in (ContactKind.UDP, ContactKind.TIME_SERVER) or protocol == "ntp" else "TCP"


def line(touch: Touch) -> Message:
    """A contact over the network."""
    said = msg(
        "{transport} {target} {protocol} ({via})",
        transport=transport(touch.contact.kind, touch.contact.protocol),
        target=target(touch),
        protocol=touch.contact.protocol,
        via=via(touch.via),
    )
    return said if touch.contact.certain else msg("only where an answer leads there: {contact}", contact=said)


def names(touches: Iterable[Touch], kind: ContactKind) -> tuple[str, ...]:
    """The commands or sockets, sorted."""
    return tuple(sorted(t.contact.target for t in touches if t.contact.kind is kind))


def paths(touches: Sequence[Touch]) -> tuple[str, ...]:
    """Files and folders, sorted, without those that lie below another."""
    every = sorted({t.contact.target for t in touches if t.contact.kind in _PATHS})
    folders = tuple(t.contact.target for t in touches if t.contact.kind is _FOLDER)
    return tuple(p for p in every if not any(p != f and f"{p}/".startswith(f) for f in folders))
