"""Everything that a plan touches, and every flow that the product needs.  Pure: what this host is set up with is given.

Both views come from the same declarations: `Query.contacts` and `Requirement.flows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from vorflug.model.contact import Contact, ContactKind, Direction, nameserver, written
from vorflug.model.hosts import address
from vorflug.model.message import Message, msg
from vorflug.model.query import Query
from vorflug.model.requirement import Requirement
from vorflug.ports.net import Check, Route


@dataclass(frozen=True)
class Surroundings:
    """How this host is set up, read from its own files and environment; nobody is asked for it."""

    route: Callable[[str, str | None], Route]
    """Which way a request to a URL takes, given the site file's proxy (`Net.route`)."""
    nameservers: tuple[str, ...] = ()
    """Empty where none is configured or the file cannot be read."""
    time_servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Touch:
    """One contact with its way and those who need it."""

    contact: Contact
    via: Route | None = None
    """Which way it takes; None where no proxy can be the way."""
    needed_by: tuple[Requirement, ...] = field(default=())
    named_by: tuple[Requirement, ...] = field(default=())
    """Those of them that name it themselves; the others come by it on their way (a nameserver, a proxy)."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the requirements, each once."""
        return tuple(sorted({r.id for r in self.needed_by}))


OF_EVERY_RUN = ("/etc/machine-id", "/var/lib/dbus/machine-id", "@system.virtualisation")
"""What a run reads for the report itself: which machine it was (a keyed hash, machine-id(5)), in which container."""

PROXY = msg("The proxy that leads to other targets")

CONTROLS: Mapping[Check, Message | None] = {
    Check.RANDOM_NAME: msg("each nameserver about two names that cannot exist"),
    Check.NAMESERVERS: msg("each nameserver of this host about the same name"),
    Check.CLOCK: None,
    Check.WITHOUT_SNI: msg("the same address and port once more, without the server's name"),
    Check.SMALL_HELLO: msg("the same address and port once more, with a small first message"),
    Check.OLD_TLS: msg("the same address and port once more, with TLS 1.0 or 1.1"),
    Check.SECOND_CONNECTION: msg("the same address and port once more"),
    Check.DIRECT: msg("the target itself, past the proxy (only vorflug diagnose)"),
    Check.PROXY_HONESTY: msg("the proxy about a host that cannot exist"),
    Check.PROGRAMS: msg("the same target by the way that another program of this host would take"),
    Check.MADE_UP: msg("the same address and port once more, under a name that cannot exist"),
    Check.PAST_THE_PROXY: msg("the same target by the proxy from which it is exempted"),
    Check.SAME_FOR_NOBODY: msg("the proxy about a host that cannot exist, and each nameserver about the target"),
    Check.PROXY_ALIVE: msg("the proxy about a host that cannot exist"),
    Check.NOBODY_THERE: msg("198.51.100.199, an address that no host has (RFC 5737), at the port of the target"),
    Check.SAME_BY_PROXY: msg("the proxy about a host that cannot exist"),
    Check.OTHER_HOST_NAME: msg("the same address and port once more, under a name that cannot exist"),
}
"""Whom each control asks; None: nobody, as answers that came anyway are compared.

It is made only where a diagnosis needs it.
"""


def controls() -> tuple[Message, ...]:
    """Whom a diagnosis may ask besides, each once."""
    return tuple(dict.fromkeys(asked for asked in CONTROLS.values() if asked is not None))


def touched(asked: Mapping[Query[Any], Sequence[Requirement]], here: Surroundings) -> list[Touch]:
    """Everything that the questions touch: what goes over the network first.  Paths below ``~`` stay as they are."""
    found = [(contact, requirements) for query, requirements in asked.items() for contact in query.contacts()]
    found += [(contact, ()) for contact in written(OF_EVERY_RUN)]
    seen: dict[str, Requirement] = {r.id: r for rs in asked.values() for r in rs}
    for requirement in seen.values():
        # what only an answer names: token services, data hosts
        found += [(c, [requirement]) for c in requirement.flows() if _by_the_run(c)]
    return sorted(_gathered(found, here), key=lambda touch: not touch.contact.over_the_network)


def flows(requirements: Iterable[Requirement], here: Surroundings) -> list[Touch]:
    """The rows of a firewall request, in the requirements' order; what is inbound comes last."""
    found = [(contact, [requirement]) for requirement in requirements for contact in requirement.flows()]
    gathered = [t for t in _gathered(found, here) if not _stays_here(t.contact)]
    return sorted(gathered, key=lambda touch: touch.contact.direction is Direction.INBOUND)


def _by_the_run(contact: Contact) -> bool:
    return contact.direction is Direction.OUTBOUND and contact.kind is not ContactKind.TIME_SERVER


def _stays_here(contact: Contact) -> bool:
    """Loopback needs no firewall (RFC 1122, 3.2.1.3)."""
    where = address(contact.target)
    return (where is not None and where.is_loopback) or contact.target == "localhost"


def _gathered(found: Iterable[tuple[Contact, Sequence[Requirement]]], here: Surroundings) -> list[Touch]:
    """Equal contacts as one, those that follow from others included."""
    every: dict[object, Touch] = {}
    for one, requirements in found:
        for contact, via in _expanded(one, here):
            named = tuple(requirements) if contact.kind is one.kind and contact.purpose is not PROXY else ()
            key = _key(contact, via)
            known = every.get(key)
            if known is None:
                every[key] = Touch(contact, via, tuple(requirements), named)
                continue
            both = replace(
                known.contact,
                certain=known.contact.certain or contact.certain,
                purpose=known.contact.purpose or contact.purpose,
                exempt=known.contact.exempt or contact.exempt,
            )
            every[key] = Touch(
                both,
                via,
                _once((*known.needed_by, *requirements), lambda r: r.id),
                _once((*known.named_by, *named), lambda r: r.id),
            )
    return list(every.values())


T = TypeVar("T")


def _once(things: Iterable[T], by: Callable[[T], str]) -> tuple[T, ...]:
    return tuple({by(thing): thing for thing in things}.values())


def _key(contact: Contact, via: Route | None) -> tuple[object, ...]:
    folder = contact.kind in (ContactKind.FILE, ContactKind.FOLDER)
    kind = "path" if folder else contact.kind
    proxy = via.proxy if via is not None else None
    return (kind, contact.target.rstrip("/") or contact.target, contact.port, contact.direction, proxy)


def _expanded(contact: Contact, here: Surroundings) -> Iterator[tuple[Contact, Route | None]]:
    """The contact with its way; the proxy on it; whoever must resolve a name."""
    configured = _CONFIGURED.get(contact.kind)
    if configured is not None and not contact.target:
        for server in configured(here) or ("",):
            yield replace(contact, target=server), None
        return
    if not contact.url:
        yield contact, None
        return
    # a pattern stands for names that all go the same way
    route = here.route(contact.url.replace("//*.", "//any.", 1), contact.proxy) if contact.proxied else Route(None, "")
    yield contact, route
    asked = contact.target
    if route.proxy is not None:
        host, _, port = route.proxy.rpartition(":")
        asked = host.strip("[]")
        yield Contact(kind=ContactKind.TCP, target=asked, port=int(port), purpose=PROXY, certain=contact.certain), None
    if address(asked) is None:
        yield from _expanded(nameserver(certain=contact.certain), here)


_CONFIGURED: Mapping[ContactKind, Callable[[Surroundings], tuple[str, ...]]] = {
    ContactKind.NAMESERVER: lambda here: here.nameservers,
    ContactKind.TIME_SERVER: lambda here: here.time_servers,
}
"""Who is asked where a contact names nobody."""
