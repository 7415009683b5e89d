"""Every finding as a row, for a spreadsheet: RFC 4180 (commas, CRLF, quotes doubled), UTF-8 with a byte order mark.

The mark is there because Excel reads a file without it in the local 8-bit code page; everything else skips it or has a
name for it (``utf-8-sig``).  A cell that a spreadsheet would take for a formula starts with an apostrophe (OWASP, "CSV
Injection"); so does what stands behind a character that some spreadsheets split at.  Column names are stable and
English in every language, so that scripts can rely on them.
"""

from __future__ import annotations

import csv
import io
import re

from vorflug.model.report import FindingInfo, Report
from vorflug.render.words import BASES, LEVELS, OUTCOMES, Speaker

COLUMNS = (
    "id", "subject", "outcome", "level", "nature", "team", "title", "wanted", "seen", "because", "fix", "advice",
    "blocked_by", "cause_kind", "cause_subject", "basis", "sources",
)  # fmt: skip
"""The header row; new columns are added at the end."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


_SPLIT = re.compile(r"([;|\t\r\n][\s\"']*)(?=[=+\-@＝＋－＠])")
"""A list separator of some locale, and a formula behind it."""


def render_csv(report: Report, *, lang: str) -> str:
    """The findings in the profile's order.  Write it without newline translation."""
    say = Speaker(lang)
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(COLUMNS)
    for finding in report.findings:
        writer.writerow([guarded(cell) for cell in _row(finding, say)])
    return out.getvalue()


def guarded(cell: str) -> str:
    """*cell* as text, whatever it starts with, and wherever a spreadsheet splits it.

    Leading blanks do not hide a formula from a spreadsheet.
    """
    cell = _SPLIT.sub(r"\1'", cell)
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_FORMULA) else cell


def _row(finding: FindingInfo, say: Speaker) -> tuple[str, ...]:
    return (
        say(finding.id),
        say.subject(finding.subject),
        say(OUTCOMES[finding.outcome]),
        say(LEVELS[finding.level]),
        finding.nature.value,
        say.team(finding.team),
        say(finding.title),
        say(finding.wanted),
        say(finding.seen),
        say(finding.because),
        say(finding.fix),
        say(finding.advice),
        say(finding.blocked_by),
        say(finding.cause.kind) if finding.cause else "",
        say(finding.cause.subject) if finding.cause else "",
        say(BASES[finding.basis]),
        " ".join(say(source.id) for source in finding.sources),
    )
