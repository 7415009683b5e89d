"""The firewall request: which flows the product needs, by whom, with what proof.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from vorflug.engine import registry
from vorflug.engine.contacts import PROXY, Surroundings, Touch, flows
from vorflug.engine.reached import Connection, Reached, connections, other_ways, reached
from vorflug.model.contact import Contact, ContactKind, Direction
from vorflug.model.hosts import address
from vorflug.model.message import Message, Text, msg
from vorflug.model.report import Report
from vorflug.model.requirement import Item, LocalText, Outcome, Pending, Requirement
from vorflug.ports.net import Resolved

ADDRESSES_AT_MOST = 16
"""Shown of one name; services with many change them by the minute."""

_NO_TIME_SERVER = msg("Open: no time server is configured on this host; its name is to be given.")
_WORST_FIRST = (Outcome.UNMET, Outcome.UNKNOWN, Outcome.MET)


@dataclass(frozen=True)
class Proof:
    """What the last report says about a requirement."""

    id: str
    outcome: Outcome
    when: datetime
    """When the machine was looked at (UTC)."""


@dataclass(frozen=True)
class Row:
    """One flow."""

    number: int
    """From 1."""
    touch: Touch
    resolved: Resolved | None
    """What the name resolves to on this host now; None where nobody asked."""
    purposes: tuple[Message | LocalText, ...]
    ids: tuple[str, ...]
    """Of the requirements that name it; where none does, of those that come by it."""
    proofs: tuple[Proof, ...]
    """Worst first; empty where it is not tested yet, or *reached* says it."""
    reached: Reached | None = None
    """What the report's requests show about this very connection; it wins over findings, which may mean more."""
    other_ways: tuple[str | None, ...] = ()
    """Where no request took today's way: the proxies by which it was tried then (None: directly)."""

    @property
    def contact(self) -> Contact:
        """What is connected to."""
        return self.touch.contact

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of the target; of a literal address itself."""
        if address(self.contact.target) is not None:
            return (self.contact.target,)
        return () if self.resolved is None else self.resolved.addresses[:ADDRESSES_AT_MOST]

    @property
    def at_the_proxy(self) -> bool:
        """Whether a proxy has to let it through, and no firewall."""
        return self.touch.via is not None and self.touch.via.proxy is not None


@dataclass(frozen=True)
class OpenPoint:
    """A requirement that may need a flow, which nobody can name before the site file has a value."""

    id: str
    title: LocalText
    missing: str
    """The parameter; empty where this host lacks a setting."""
    says: Message | None = None
    """What is open; None where the parameter has no value."""


@dataclass(frozen=True)
class Source:
    """Who the flows start from."""

    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class FirewallRequest:
    """Everything that the form shows."""

    title: Text
    version: str
    """Its version."""
    customer: str
    """Empty where the site file names none."""
    model: str
    source: Source
    made: datetime
    """When names were resolved and the request was written (UTC)."""
    since: date
    until: date | None
    """None: without an end."""
    rows: tuple[Row, ...]
    open_points: tuple[OpenPoint, ...]
    tested: datetime | None
    """When the machine was looked at for the report that proves; None without a report."""
    elsewhere: str = ""
    """The host that the report is about, where that is another than the source."""

    @property
    def has_patterns(self) -> bool:
        """Whether a filter by addresses cannot hold every row."""
        return any(row.contact.is_pattern for row in self.rows)


def rows(
    items: Iterable[Item],
    here: Surroundings,
    resolved: Mapping[str, Resolved],
    report: Report | None,
    *,
    own: tuple[str, ...] = (),
) -> tuple[Row, ...]:
    """The flows of all requirements that apply, numbered; without those to a name of this host, by its *own* addresses.

    *resolved*: by name, what was asked for (`names`).
    """

    def is_this_host(touch: Touch) -> bool:
        found = resolved.get(touch.contact.target)
        return found is not None and bool(found.addresses) and set(found.addresses) <= set(own)

    every = flows((i for i in items if isinstance(i, Requirement)), here)
    needed = [touch for touch in every if not is_this_host(touch)]
    proved = _Proved(report)
    # what the firewall has to let through comes first, then what the proxy has to
    needed.sort(key=lambda touch: touch.via is not None and touch.via.proxy is not None)
    made = (
        Row(
            number=number,
            touch=touch,
            resolved=resolved.get(touch.contact.target),
            purposes=_purposes(touch),
            ids=_ids(touch),
            proofs=(),
        )
        for number, touch in enumerate(needed, start=1)
    )
    return tuple(map(proved.row, made))


def names(items: Iterable[Item], here: Surroundings) -> tuple[str, ...]:
    """The names that can be resolved, each once."""
    needed = flows((i for i in items if isinstance(i, Requirement)), here)
    every = (t.contact.target for t in needed if t.contact.target and not t.contact.is_pattern)
    return tuple(dict.fromkeys(name for name in every if address(name) is None))


def chosen_points(chosen: Mapping[str, tuple[LocalText, tuple[str, ...]]]) -> tuple[OpenPoint, ...]:
    """What was *chosen* from lists in the site file, by parameter: title and values.

    Of such a choice (mail, directory, document store) no server is known.
    """
    return tuple(
        OpenPoint(
            "", title, name, msg("Open: servers and ports of {values:list} are to be given by hand.", values=values)
        )
        for name, (title, values) in chosen.items()
    )


def open_points(items: Iterable[Item], found: Iterable[Row] = ()) -> tuple[OpenPoint, ...]:
    """Rows of the profile that may need a flow and wait for a value; then time servers *found* to have no name."""
    waiting = (
        OpenPoint(item.header.id, item.header.title, item.cause.subject)
        for item in items
        if isinstance(item, Pending) and _may_need_a_flow(item.kind)
    )
    unnamed = (
        OpenPoint(requirement.id, requirement.title, "", _NO_TIME_SERVER)
        for row in found
        if row.contact.kind is ContactKind.TIME_SERVER and not row.contact.target
        for requirement in row.touch.named_by
    )
    return (*waiting, *unnamed)


def _may_need_a_flow(kind: str) -> bool:
    type_ = registry.requirement(kind)
    return type_ is not None and type_.networked


def _purposes(touch: Touch) -> tuple[Message | LocalText, ...]:
    if touch.contact.purpose is not None:
        return (touch.contact.purpose,)
    # a requirement that merely looks at the way says little about what it is for
    serving = [r for r in touch.needed_by if r.networked] or touch.needed_by
    texts = (r.why or r.title for r in serving)
    return tuple({text.en: text for text in texts}.values())


def _ids(touch: Touch) -> tuple[str, ...]:
    return tuple(sorted({r.id for r in touch.named_by or touch.needed_by}))


class _Proved:
    """What a report, if there is one, proves about rows."""

    def __init__(self, report: Report | None) -> None:
        self._outcomes = {} if report is None else {f.id: f.outcome for f in report.findings}
        self._when = None if report is None else report.times.finished
        self._connections: tuple[Connection, ...] = () if report is None else connections(report)
        # the proxies by which the report's requests went (None: directly); a connection to a proxy is not the whole way
        between = {c.proxy for c in self._connections if c.proxy is not None}
        whole = (c for c in self._connections if c.proxy or f"{c.host}:{c.port}" not in between)
        self._ways: tuple[str | None, ...] = tuple(dict.fromkeys(c.proxy for c in whole))

    def row(self, row: Row) -> Row:
        """*row* with its evidence: of the connection itself, else of the findings about it."""
        contact, via = row.contact, row.touch.via
        if self._when is None:
            return row
        proxy = None if via is None else via.proxy
        where = (contact.target, contact.port, proxy)
        if contact.direction is Direction.OUTBOUND:
            if (seen := reached(self._connections, *where)) is not None:
                return replace(row, reached=seen)
            if others := other_ways(self._connections, *where):
                return replace(row, other_ways=others)
            if via is not None and self._ways and proxy not in self._ways:
                return replace(row, other_ways=self._ways)
        if contact.purpose is PROXY or not row.touch.named_by:
            return row  # findings of others say nothing about it
        return replace(row, proofs=_proofs(row.ids, self._outcomes, self._when))


def _proofs(ids: tuple[str, ...], outcomes: Mapping[str, Outcome], when: datetime) -> tuple[Proof, ...]:
    found = [Proof(id_, outcomes[id_], when) for id_ in ids if outcomes.get(id_) in _WORST_FIRST]
    return tuple(sorted(found, key=lambda proof: _WORST_FIRST.index(proof.outcome)))
