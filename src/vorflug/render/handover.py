"""What one team is asked for, as plain text that can go into a mail or a ticket as it is.

Lines are at most 78 characters where their words allow it (RFC 5322, 2.1.1).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from vorflug.model.codes import PAGES
from vorflug.model.message import Message, msg, visible
from vorflug.model.report import FindingInfo, Report
from vorflug.ports.net import Code
from vorflug.render.view import Entry, TeamList
from vorflug.render.words import Said, Speaker

_WIDTH = 78
_EVIDENCE = 40
"""Lines of evidence below one point; the report has them all."""


def handover(team: TeamList, report: Report, say: Speaker) -> str:
    """The text for *team* in the language of *say*, ending with a newline: subject, points, evidence."""
    return "\n".join(_lines(team, report, say)) + "\n"


def _lines(team: TeamList, report: Report, say: Speaker) -> Iterator[str]:
    about = {
        "team": say.team(team.team),
        "product": f"{say(report.profile.title)} {say(report.profile.version)}",
        "host": visible(report.host.name, at_most=64),
        "n": len(team.entries),
    }
    # a subject line is one line, however long
    yield say(
        msg("Subject: {product} on {host}: 1 point for {team}", **about)
        if len(team.entries) == 1
        else msg("Subject: {product} on {host}: {n} points for {team}", **about)
    )
    yield ""
    yield from _wrapped(
        say(
            msg(
                "A pre-flight check before the installation of {product} looked at {host} on {when}. What follows can "
                "be mended or answered by your team ({team}). Please confirm once it is done: the check is then "
                "repeated.",
                **about,
                when=_when(report),
            )
        )
    )
    for number, entry in enumerate(team.entries, start=1):
        yield ""
        yield from _wrapped(say(entry.says), first=f"{number}. ")
        for label, said in _asked(entry):
            yield from _wrapped(f"{say(label)}: {say(said)}", first="   ")
        yield f"   {say(msg('Evidence'))}:"
        yield from _evidence(entry, report, say)


def _asked(entry: Entry) -> Iterator[tuple[Message, Said]]:
    if entry.cause is not None and entry.cause.kind in set(Code):
        yield msg("What we ask for"), PAGES[Code(entry.cause.kind)].ask
    if entry.fix is not None:
        yield msg("Fix"), entry.fix
    elif entry.advice is not None:
        yield msg("Advice"), entry.advice


def _evidence(entry: Entry, report: Report, say: Speaker) -> Iterator[str]:
    """One point for each sentence, with all the findings of which it is true."""
    findings = (*((entry.finding,) if entry.finding else ()), *entry.blocks)
    alike: dict[tuple[tuple[str, ...], str], list[FindingInfo]] = {}
    for finding in findings:
        alike.setdefault((_code(finding), say(finding.seen or finding.because)), []).append(finding)
    for (code, said), same in list(alike.items())[:_EVIDENCE]:
        parts = ", ".join(visible(part, at_most=120) for part in (same[0].id, *code, _when(report)) if part)
        yield from _wrapped(f"{parts}: {said}", first="   - ")
        if others := tuple(visible(finding.id, at_most=120) for finding in same[1:]):
            yield from _wrapped(say(msg("also: {ids}", ids=others)), first="     ")
    left = sum(len(same) for same in list(alike.values())[_EVIDENCE:])
    if left:
        yield f"   - {say(msg('and {n} more in the report', n=left))}"


def _code(finding: FindingInfo) -> tuple[str, ...]:
    cause = finding.cause
    return (cause.kind, cause.subject) if cause is not None and cause.kind in set(Code) else ()


def _when(report: Report) -> str:
    return f"{report.times.started:%Y-%m-%d %H:%M} UTC"


def _wrapped(text: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
