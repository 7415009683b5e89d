"""The rows and notes of a firewall request, said in one language: what each of its renderings shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from vorflug.engine.firewall import FirewallRequest, Proof, Row
from vorflug.model.contact import ContactKind, Direction
from vorflug.model.message import Message, msg
from vorflug.model.names import ANSWERS
from vorflug.ports.net import Route
from vorflug.render.contacts import transport, via
from vorflug.render.words import OUTCOMES, Speaker

_DIRECTIONS: dict[Direction, Message] = {
    Direction.OUTBOUND: msg("outbound"),
    Direction.INBOUND: msg("inbound"),
}
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
    """Id, the outcome's name for the style, and the outcome; worst first, of many the first."""
    proof: str
    """The same in one sentence with its time, or that there is none yet."""
    notes: tuple[str, ...]


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


def open_points(request: FirewallRequest, say: Speaker) -> tuple[Point, ...]:
    """By missing value, in the profile's order."""
    by_value: dict[str, list[tuple[str, str]]] = {}
    for point in request.open_points:
        by_value.setdefault(point.missing, []).append((point.id, say(point.title)))
    return tuple(
        Point(
            say(missing),
            tuple(id_ for id_, _ in waiting),
            tuple(dict.fromkeys(title for _, title in waiting)),
            say(msg("Open: the site file has no value for {name}.", name=missing)),
        )
        for missing, waiting in by_value.items()
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
            protocol=say(contact.protocol),
            way="–" if inbound else say(via(row.touch.via)),
            exempt=self._exempt(row),
            reason=say(contact.exempt),
            purposes=tuple(map(say, row.purposes)),
            ids=row.ids,
            since=_day(self._request.since, say),
            until="" if self._request.until is None else _day(self._request.until, say),
            proofs=tuple(map(self._proof, row.proofs[:_PROOFS_AT_MOST])),
            proof=self._proved(row.proofs),
            notes=tuple(map(say, self._notes(row))),
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

    def _proof(self, proof: Proof) -> tuple[str, str, str]:
        return self._say(proof.id), proof.outcome.value, self._say(OUTCOMES[proof.outcome])

    def _proved(self, proofs: tuple[Proof, ...]) -> str:
        if not proofs:
            return self._say(msg("not tested yet"))
        shown = "; ".join(f"{id_}: {said}" for id_, _, said in map(self._proof, proofs[:_PROOFS_AT_MOST]))
        return f"{shown} ({moment(proofs[0].when)})"

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


def _by_proxy(route: Route | None) -> bool:
    return route is not None and route.proxy is not None


def moment(when: datetime) -> str:
    """ISO 8601 to the minute (UTC), as in the report."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _day(day: date, say: Speaker) -> str:
    """As the language writes a day in a form (DIN 5008 for German)."""
    return f"{day:%d.%m.%Y}" if say.language == "de" else f"{day:%Y-%m-%d}"
