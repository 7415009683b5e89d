"""The firewall request as CSV, as Markdown and as a page to print and sign.

CSV: RFC 4180 (commas, CRLF, quotes doubled); column names in the reader's language, as it is a form that people fill in
further.  A cell that a spreadsheet would take for a formula starts with an apostrophe (`vorflug.render.csv.guarded`).
The page is self-contained, without a script, under a policy that allows its one style sheet by hash (W3C CSP Level 3).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vorflug.engine.firewall import FirewallRequest
from vorflug.model.message import Message, msg
from vorflug.render.csv import guarded
from vorflug.render.flows import (
    AT_FIREWALL,
    AT_PROXY,
    OPEN,
    OPEN_LEAD,
    SIGNATURES,
    SIGNED,
    Line,
    about,
    lines,
    moment,
    notes,
    open_points,
)
from vorflug.render.markdown import escape
from vorflug.render.page import page_environment
from vorflug.render.words import Speaker

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
    msg("To be allowed at"),
)
"""The header row of the CSV; new columns are added at the end."""


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
        "; ".join(line.notes),
        line.at,
    )


def _halves(every: tuple[Line, ...]) -> tuple[tuple[Message, tuple[Line, ...]], ...]:
    """What the firewall, then what the proxy has to let through; a half without a row is left out."""
    halves = (
        (AT_FIREWALL, tuple(line for line in every if not line.at_proxy)),
        (AT_PROXY, tuple(line for line in every if line.at_proxy)),
    )
    return tuple(half for half in halves if half[1])


def render_markdown(request: FirewallRequest, *, lang: str) -> str:
    """Tables for a ticket or a wiki; everything in a cell is escaped."""
    say = Speaker(lang)
    out = [f"# {escape(say(TITLE))}", ""]
    out += [f"- **{escape(name)}**: {escape(value)}" for name, value in about(request, say)]
    out += ["", *(f"> {escape(note)}\n>" for note in notes(request, say))]
    out[-1] = out[-1].removesuffix("\n>")
    for where, every in _halves(lines(request, say)):
        out += ["", f"## {escape(say(where))}", "", *_table([say(head) for head in _NARROW], map(_narrow, every))]
    if points := open_points(request, say):
        heads = [say(msg("Missing value")), say(msg("Requirements")), say(msg("What may be needed"))]
        rows = [(p.missing, " ".join(p.ids), "; ".join((*p.titles, *((p.own,) if p.own else ())))) for p in points]
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
        "; ".join(line.notes),
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
            halves=[(say(where), half) for where, half in _halves(every)],
            marks={reason: chr(ord("a") + at) for at, reason in enumerate(reasons)},
            points=open_points(request, say),
            tested="" if request.tested is None else moment(request.tested),
        )
    )


def _environment(lang: str, say: Speaker) -> Environment:
    def said(text: str, /, **values: Any) -> str:
        return say(Message(text, values))

    environment = page_environment("firewall.css")
    environment.globals.update(_=said, lang=lang)
    return environment
