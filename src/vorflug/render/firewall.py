"""The firewall request as CSV, as Markdown and as a page to print and sign.

CSV: RFC 4180 (commas, CRLF, quotes doubled); column names in the reader's language, as it is a form that people fill in
further.  A cell that a spreadsheet would take for a formula starts with an apostrophe (`vorflug.render.csv.guarded`).
The page is self-contained, without a script, under a policy that allows its one style sheet by hash (W3C CSP Level 3).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vorflug.engine.firewall import FirewallRequest, Proof, Row
from vorflug.model.contact import ContactKind, Direction
from vorflug.model.message import Message, msg
from vorflug.model.names import ANSWERS
from vorflug.ports.net import Route
from vorflug.render.contacts import transport, via
from vorflug.render.csv import guarded
from vorflug.render.markdown import escape
from vorflug.render.page import page_environment
from vorflug.render.words import OUTCOMES, Speaker

if TYPE_CHECKING:
    from jinja2 import Environment

BOM = "\ufeff"
"""Excel reads a file without it in the local 8-bit code page."""

TITLE = msg("Firewall request")
HEADS: tuple[Message, ...] = (
    msg("No."),
    msg("Direction"),
    msg("Source"),
    msg("Source addresses"),
    msg("Target"),
    msg("Target addresses"),
    msg("Port"),
    msg("Transport"),
    msg("Protocol"),
    msg("Way"),
    msg("Exempt from TLS inspection"),
    msg("Reason for the exemption"),
    msg("Purpose"),
    msg("Requirements"),
    msg("Valid from"),
    msg("Valid until"),
    msg("Test evidence"),
    msg("Notes"),
)
"""The header row of the CSV; new columns are added at the end."""

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


def render_csv(request: FirewallRequest, *, lang: str, bom: bool = False) -> str:
    """One line for each flow, then one for each open point.  Write it without newline translation."""
    say = Speaker(lang)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([say(head) for head in HEADS])
    for line in lines(request, say):
        writer.writerow([guarded(cell) for cell in _cells(line)])
    for point in open_points(request, say):
        cells = [""] * len(HEADS)
        cells[12], cells[13], cells[17] = point.titles[0], " ".join(point.ids), point.says
        writer.writerow([guarded(cell) for cell in cells])
    return (BOM if bom else "") + out.getvalue()


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.number,
        line.direction,
        line.source,
        " ".join(line.source_addresses),
        line.target,
        " ".join(line.addresses),
        line.port,
        line.transport,
        line.protocol,
        line.way,
        line.exempt,
        line.reason,
        "; ".join(line.purposes),
        " ".join(line.ids),
        line.since,
        line.until,
        line.proof,
        " ".join(line.notes),
    )


def render_markdown(request: FirewallRequest, *, lang: str) -> str:
    """Tables for a ticket or a wiki; everything in a cell is escaped."""
    say = Speaker(lang)
    out = [f"# {escape(say(TITLE))}", ""]
    out += [f"- **{escape(name)}**: {escape(value)}" for name, value in about(request, say)]
    out += ["", *(f"> {escape(note)}\n>" for note in notes(request, say))]
    out[-1] = out[-1].removesuffix("\n>")
    out += ["", *_table([say(head) for head in _NARROW], map(_narrow, lines(request, say)))]
    if points := open_points(request, say):
        heads = [say(msg("Missing value")), say(msg("Requirements")), say(msg("What may be needed"))]
        rows = [(p.missing, " ".join(p.ids), "; ".join(p.titles)) for p in points]
        out += ["", f"## {escape(say(OPEN))}", "", escape(say(OPEN_LEAD)), "", *_table(heads, rows)]
    out += [
        "",
        f"## {escape(say(SIGNATURES))}",
        "",
        *_table([say(h) for h in SIGNED], [("", "", "", ""), ("", "", "", "")]),
    ]
    return "\n".join(out) + "\n"


_NARROW: tuple[Message, ...] = (
    msg("No."),
    msg("Direction"),
    msg("Source"),
    msg("Target"),
    msg("Target addresses"),
    msg("Port and protocol"),
    msg("Way"),
    msg("Exempt from TLS inspection"),
    msg("Purpose"),
    msg("Valid from"),
    msg("Valid until"),
    msg("Test evidence"),
    msg("Notes"),
)


def _narrow(line: Line) -> tuple[str, ...]:
    """As many columns as a ticket can show."""
    return (
        line.number,
        line.direction,
        line.source,
        line.target,
        " ".join(line.addresses),
        f"{line.port} {line.transport} {line.protocol}".strip(),
        line.way,
        f"{line.exempt}: {line.reason}" if line.reason else line.exempt,
        f"{'; '.join(line.purposes)} ({', '.join(line.ids)})",
        line.since,
        line.until,
        line.proof,
        " ".join(line.notes),
    )


def _table(heads: list[str], rows: Iterable[Iterable[str]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(escape(cell) for cell in cells) + " |"

    return [line(heads), "|" + " --- |" * len(heads), *(line(row) for row in rows)]


def render_html(request: FirewallRequest, *, lang: str) -> str:
    """The page in *lang*; the same request gives the same bytes."""
    say = Speaker(lang)
    every = lines(request, say)
    reasons = tuple(dict.fromkeys(line.reason for line in every if line.reason))
    return (
        _environment(lang, say)
        .get_template("firewall.html.j2")
        .render(
            title=say(TITLE),
            product=say(request.title),
            about=about(request, say),
            notes=notes(request, say),
            lines=every,
            marks={reason: chr(ord("a") + at) for at, reason in enumerate(reasons)},
            points=open_points(request, say),
            tested="" if request.tested is None else _moment(request.tested),
        )
    )


def _environment(lang: str, say: Speaker) -> Environment:
    def said(text: str, /, **values: Any) -> str:
        return say(Message(text, values))

    environment = page_environment("firewall.css")
    environment.globals.update(_=said, lang=lang)
    return environment


# ---- what is shown, said ---------------------------------------------------------------------------------------------

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
        (msg("Made on"), _moment(request.made)),
        (msg("Valid"), _valid(request, say)),
        (msg("Tested on"), say(msg("not tested yet")) if request.tested is None else _moment(request.tested)),
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
                when=_moment(request.made),
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
        return f"{shown} ({_moment(proofs[0].when)})"

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


def _moment(when: datetime) -> str:
    """ISO 8601 to the minute (UTC), as in the report."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _day(day: Any, say: Speaker) -> str:
    """As the language writes a day in a form (DIN 5008 for German)."""
    return f"{day:%d.%m.%Y}" if say.language == "de" else f"{day:%Y-%m-%d}"
