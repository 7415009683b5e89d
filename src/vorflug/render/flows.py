"""The rows and notes of a firewall request, said in one language: what each of its renderings shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from vorflug.engine.contacts import PROXY
from vorflug.engine.firewall import FirewallRequest, OpenPoint, Row
from vorflug.engine.reached import Reached
from vorflug.model.contact import Contact, ContactKind, Direction
from vorflug.model.message import Message, msg
from vorflug.model.names import ANSWERS
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Route
from vorflug.render.contacts import transport, via
from vorflug.render.words import OUTCOMES, Speaker

_DIRECTIONS: dict[Direction, Message] = {
    Direction.OUTBOUND: msg("outbound"),
    Direction.INBOUND: msg("inbound"),
}
AT_FIREWALL = msg("Firewall")
AT_PROXY = msg("Proxy")
_BY_PORT = {80: "http", 443: "https"}
"""The protocol of a port that users open (RFC 9110, 4.2)."""
_ENCRYPTED = ("https", "wss")
_PROOFS_AT_MOST = 3


@dataclass(frozen=True)
class Line:
    """One flow, every cell said."""

    number: str
    inbound: bool
    direction: str
    source: str
    source_addresses: tuple[str, ...]
    target: str
    addresses: tuple[str, ...]
    port: str
    transport: str
    protocol: str
    way: str
    exempt: str
    """Yes, no, or a dash where nothing is encrypted."""
    reason: str
    purposes: tuple[str, ...]
    ids: tuple[str, ...]
    since: str
    until: str
    proofs: tuple[tuple[str, str, str], ...]
    """Id, the outcome's name for the style, and the outcome; worst first, of many the first.

    Of the connection itself: an empty id, and what was met.
    """
    proof: str
    """The same in one sentence with its time, or that there is none yet."""
    notes: tuple[str, ...]
    at: str
    """Who has to let it through: the firewall or the proxy."""
    at_proxy: bool


OPEN = msg("Open points")
OPEN_LEAD = msg(
    "These requirements may need further flows. Which ones is known once the values stand in the site file; then make "
    "the request again."
)
SIGNATURES = msg("Approval")
SIGNED: tuple[Message, ...] = (msg("Role"), msg("Name"), msg("Date"), msg("Signature"))


@dataclass(frozen=True)
class Point:
    """One missing value and the requirements that wait for it, said."""

    missing: str
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    says: str
    own: str
    """The same where it is more than that a value is missing; else empty."""


def open_points(request: FirewallRequest, say: Speaker) -> tuple[Point, ...]:
    """By missing value, in the profile's order."""
    by_value: dict[tuple[str, Message], list[OpenPoint]] = {}
    for point in request.open_points:
        says = point.says or msg("Open: the site file has no value for {name}.", name=point.missing)
        by_value.setdefault((point.missing, says), []).append(point)
    return tuple(
        Point(
            say(missing) or "–",
            tuple(point.id for point in waiting if point.id),
            tuple(dict.fromkeys(say(point.title) for point in waiting)),
            say(says),
            "" if missing and not any(point.says for point in waiting) else say(says),
        )
        for (missing, says), waiting in by_value.items()
    )


def about(request: FirewallRequest, say: Speaker) -> tuple[tuple[str, str], ...]:
    """The head of the form: names and values."""
    source = request.source
    addresses = f" ({', '.join(source.addresses)})" if source.addresses else ""
    head: list[tuple[Message, str]] = [
        (msg("Product"), f"{say(request.title)} {say(request.version)} · {request.model}"),
        (msg("Source host"), say(source.name) + say(addresses)),
        (msg("Made on"), moment(request.made)),
        (msg("Valid"), _valid(request, say)),
        (msg("Tested on"), say(msg("not tested yet")) if request.tested is None else moment(request.tested)),
    ]
    if request.customer:
        head.insert(0, (msg("Customer"), say(request.customer)))
    return tuple((say(name), value) for name, value in head)


def _valid(request: FirewallRequest, say: Speaker) -> str:
    if request.until is None:
        return say(msg("from {day}, without an end date", day=_day(request.since, say)))
    return say(msg("from {day} until {end}", day=_day(request.since, say), end=_day(request.until, say)))


def notes(request: FirewallRequest, say: Speaker) -> tuple[str, ...]:
    """What whoever sets it up has to know."""
    every: list[Message] = []
    if any(row.resolved is not None and row.addresses for row in request.rows):
        every.append(
            msg(
                "Addresses are those that names resolved to on {when}. They change without notice: allow names where "
                "the firewall can.",
                when=moment(request.made),
            )
        )
    if any(_by_proxy(row.touch.via) for row in request.rows):
        every.append(
            msg(
                "Rows that go by a proxy have to be allowed at the proxy; at the firewall the row to the proxy itself "
                "is enough."
            )
        )
    if request.has_patterns:
        every.append(
            msg(
                "Targets with an asterisk stand for names that are chosen from day to day. A filter by addresses "
                "cannot hold them: allow them by name, or let these connections go by a proxy."
            )
        )
    if any(row.contact.exempt is not None for row in request.rows):
        every.append(
            msg(
                "Where TLS inspection is not lifted, its root has to be added to the container engine and to every "
                "container."
            )
        )
    if any(row.other_ways for row in request.rows):
        every.append(
            msg(
                "Some rows were tested by another way than the one that leads there today: by another proxy, or by "
                "none. Their evidence does not hold for today's way: repeat the run (vorflug run)."
            )
        )
    if request.elsewhere:
        every.append(msg("The test evidence comes from another host: {host}.", host=request.elsewhere))
    return tuple(say(note) for note in every)


def lines(request: FirewallRequest, say: Speaker) -> tuple[Line, ...]:
    """Every flow with its cells said."""
    return tuple(_Writer(request, say).line(row) for row in request.rows)


class _Writer:
    def __init__(self, request: FirewallRequest, say: Speaker) -> None:
        self._request = request
        self._say = say

    def line(self, row: Row) -> Line:
        say, contact = self._say, row.contact
        inbound = contact.direction is Direction.INBOUND
        here = self._request.source
        others = say(msg("users' machines"))
        return Line(
            number=str(row.number),
            inbound=inbound,
            direction=say(_DIRECTIONS[contact.direction]),
            source=others if inbound else say(here.name),
            source_addresses=() if inbound else tuple(map(say, here.addresses)),
            target=say(here.name) if inbound else self._target(row),
            addresses=tuple(map(say, here.addresses if inbound else row.addresses)),
            port="" if contact.port is None else str(contact.port),
            transport=transport(contact.kind, contact.protocol),
            protocol=_protocol(contact),
            way="–" if inbound else say(via(row.touch.via)),
            exempt=self._exempt(row),
            reason=say(contact.exempt),
            purposes=tuple(map(say, row.purposes)),
            ids=row.ids,
            since=_day(self._request.since, say),
            until="" if self._request.until is None else _day(self._request.until, say),
            proofs=self._proofs(row),
            proof=self._proved(row),
            notes=tuple(map(say, self._notes(row))),
            at=say(AT_PROXY if row.at_the_proxy else AT_FIREWALL),
            at_proxy=row.at_the_proxy,
        )

    def _target(self, row: Row) -> str:
        contact = row.contact
        if contact.target:
            return self._say(contact.target)
        if contact.kind is ContactKind.TIME_SERVER:
            return self._say(msg("time server (none is configured on this host: to be named)"))
        if contact.kind is ContactKind.NAMESERVER:
            return self._say(msg("nameserver (none is configured on this host: to be named)"))
        return self._say(msg("to be named"))

    def _exempt(self, row: Row) -> str:
        if row.contact.exempt is not None:
            return self._say(msg("yes"))
        return self._say(msg("no")) if row.contact.protocol in _ENCRYPTED else "–"

    def _proofs(self, row: Row) -> tuple[tuple[str, str, str], ...]:
        if row.reached is not None:
            outcome = Outcome.MET if row.reached.worst.stopped is None else Outcome.UNMET
            return (("", outcome.value, self._say(_met(row.reached))),)
        return tuple(
            (self._say(proof.id), proof.outcome.value, self._say(OUTCOMES[proof.outcome]))
            for proof in row.proofs[:_PROOFS_AT_MOST]
        )

    def _proved(self, row: Row) -> str:
        proofs = self._proofs(row)
        if not proofs or self._request.tested is None:
            return self._say(_tried_otherwise(row.other_ways) if row.other_ways else msg("not tested yet"))
        shown = "; ".join(f"{id_}: {said}" if id_ else said for id_, _, said in proofs)
        return f"{shown} ({moment(self._request.tested)})"

    def _notes(self, row: Row) -> Iterable[Message]:
        contact, resolved = row.contact, row.resolved
        if contact.is_pattern:
            yield msg("a pattern: names change from day to day")
        elif resolved is not None and not resolved.addresses:
            answer = ANSWERS.get(resolved.code) if resolved.code is not None else None
            if _by_proxy(row.touch.via):
                yield msg("does not resolve on this host; the proxy resolves it")
            elif answer is not None:
                yield msg("does not resolve on this host: {answer}", answer=answer)
            else:
                yield msg("does not resolve on this host")
        if not contact.certain:
            yield msg("used only where an answer leads there")


def _protocol(contact: Contact) -> str:
    """The contact's own, else what the flow is known to carry, else the transport."""
    if contact.protocol:
        return contact.protocol
    if contact.purpose is PROXY:
        return "http"
    if contact.direction is Direction.INBOUND and contact.kind is ContactKind.TCP and contact.port in _BY_PORT:
        return _BY_PORT[contact.port]
    return transport(contact.kind, "").lower()


_TCP: dict[Code, Message] = {
    Code.TCP_REFUSED: msg("TCP refused"),
    Code.TCP_TIMEOUT: msg("no answer over TCP"),
    Code.TCP_NO_ROUTE: msg("no route there"),
    Code.TCP_PROHIBITED: msg("TCP prohibited (ICMP)"),
    Code.TCP_RESET: msg("TCP reset"),
}


def _met(seen: Reached) -> Message:
    """What the connection came to."""
    worst = seen.worst
    if worst.stopped is None:
        if worst.after is not None:
            code = worst.after.value
            if worst.proxy is not None:
                return msg("the proxy opens the way; later {code}", code=code)
            return msg("TCP open; later {code}", code=code)
        return msg("the proxy opens the way") if worst.proxy is not None else msg("TCP open")
    code = worst.stopped.value
    if worst.at_proxy:
        said = msg("the proxy is not reached ({code})", code=code)
    elif worst.proxy is not None:
        said = msg("the proxy does not open the way ({code})", code=code)
    elif (known := _TCP.get(worst.stopped)) is not None:
        said = known
    else:
        said = msg("not reached ({code})", code=code)
    if seen.opened:
        return msg("{said}; {n} of {all} requests came through", said=said, n=seen.opened, all=seen.tried)
    return said


def _tried_otherwise(ways: tuple[str | None, ...]) -> Message:
    """How the report's requests went there."""
    proxies = tuple(way for way in ways if way is not None)
    if proxies:
        return msg("not tested by this way; tested by another proxy: {proxies:list}", proxies=proxies)
    return msg("not tested by this way; tested without a proxy")


def _by_proxy(route: Route | None) -> bool:
    return route is not None and route.proxy is not None


def moment(when: datetime) -> str:
    """ISO 8601 to the minute (UTC), as in the report."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _day(day: date, say: Speaker) -> str:
    """As the language writes a day in a form (DIN 5008 for German)."""
    return f"{day:%d.%m.%Y}" if say.language == "de" else f"{day:%Y-%m-%d}"
