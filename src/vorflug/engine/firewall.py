"""The firewall request: which flows the product needs, by whom, with what proof.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from vorflug.engine import registry
from vorflug.engine.contacts import Surroundings, Touch, flows
from vorflug.model.contact import Contact
from vorflug.model.hosts import address
from vorflug.model.message import Message, Text
from vorflug.model.report import Report
from vorflug.model.requirement import Item, LocalText, Outcome, Pending, Requirement
from vorflug.ports.net import Resolved

ADDRESSES_AT_MOST = 16
"""Shown of one name; services with many change them by the minute."""

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
    """Worst first; empty where it is not tested yet."""

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


@dataclass(frozen=True)
class OpenPoint:
    """A requirement that may need a flow, which nobody can name before the site file has a value."""

    id: str
    title: LocalText
    missing: str
    """The parameter."""


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
    outcomes = {} if report is None else {f.id: f.outcome for f in report.findings}
    when = None if report is None else report.times.finished
    return tuple(
        Row(
            number=number,
            touch=touch,
            resolved=resolved.get(touch.contact.target),
            purposes=_purposes(touch),
            ids=_ids(touch),
            proofs=() if when is None else _proofs(_ids(touch), outcomes, when),
        )
        for number, touch in enumerate(needed, start=1)
    )


def names(items: Iterable[Item], here: Surroundings) -> tuple[str, ...]:
    """The names that can be resolved, each once."""
    needed = flows((i for i in items if isinstance(i, Requirement)), here)
    every = (t.contact.target for t in needed if t.contact.target and not t.contact.is_pattern)
    return tuple(dict.fromkeys(name for name in every if address(name) is None))


def open_points(items: Iterable[Item]) -> tuple[OpenPoint, ...]:
    """Rows of the profile that may need a flow and wait for a value."""
    return tuple(
        OpenPoint(item.header.id, item.header.title, item.cause.subject)
        for item in items
        if isinstance(item, Pending) and _may_need_a_flow(item.kind)
    )


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


def _proofs(ids: tuple[str, ...], outcomes: Mapping[str, Outcome], when: datetime) -> tuple[Proof, ...]:
    found = [Proof(id_, outcomes[id_], when) for id_ in ids if outcomes.get(id_) in _WORST_FIRST]
    return tuple(sorted(found, key=lambda proof: _WORST_FIRST.index(proof.outcome)))
