"""The report as one self-contained page: no script, nothing loaded, a policy that forbids both.

The Content-Security-Policy allows exactly the one style sheet that stands in the page, by its hash (W3C CSP Level 3,
section 6.7.2.3); there are no ``style`` attributes, so bars are drawn as inline SVG with plain geometry attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from vorflug.model.message import Message, msg
from vorflug.model.report import FactInfo, Report
from vorflug.render import bars, network, sizes, words
from vorflug.render.handover import handover
from vorflug.render.page import page_environment
from vorflug.render.path import MARKS, STAGES
from vorflug.render.view import Entry, View, blocks, headline, view
from vorflug.render.words import Said, Speaker

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_UNIT = re.compile(r"(?<=\d) (?=(?:%|[KMGT]?i?B|k?B|[kMG]?bit/s|ms|s|min|h|d)\b|%)")

_SPACES = re.compile(r"(\s+)")
_HYPHENED = re.compile(r"(?=.*-)\S{2,40}")

_MOST_LINES = 40
"""Lines of one fact on the page; the whole fact stands in ``report.json``."""


def render_html(report: Report, *, lang: str, fingerprint: str | None = None) -> str:
    """The page in *lang*.  *fingerprint*: of the key that signs the report, for the sign-off block.

    The same report gives the same bytes.
    """
    story = view(report)
    return (
        _environment(lang)
        .get_template("page.html.j2")
        .render(
            report=report,
            view=story,
            sizes=sizes.compare(report),
            held=_held(story),
            network=network.groups(report),
            counts=headline(report.verdict.counts),
            fingerprint=fingerprint,
        )
    )


def _held(story: View) -> Mapping[str, Entry]:
    """For each finding that waits for something else: the entry that it waits for."""
    return {
        f.id: e for teams in (story.to_do, story.could_not_look) for t in teams for e in t.entries for f in e.blocks
    }


@cache
def _environment(lang: str) -> Environment:
    speak = _Typeset(lang)

    def say(text: str, /, **values: Any) -> str:
        return speak(Message(text, values))

    environment = page_environment("page.css")
    environment.globals.update(
        _=say,
        lang=lang,
        words=words,
        blocks=blocks,
        bars=bars.parts,
        across=bars.across,
        stages=STAGES,
        marks=MARKS,
        requests=network.requests,
        handover=lambda team, report: handover(team, report, Speaker(lang)),
        model_state=sizes.model_state,
        model_sentence=sizes.model_sentence,
        lines=lambda fact: _lines(fact, speak),
    )
    environment.filters.update(
        say=speak,
        whole=_whole(speak),
        team=speak.team,
        subject=speak.subject,
        anchor=_anchor,
        moment=_moment,
        seconds=_seconds(speak),
    )
    return environment


class _Typeset(Speaker):
    """Keeps a number and its unit on one line, as a page should."""

    def __call__(self, said: Said) -> str:
        return _UNIT.sub("\u00a0", super().__call__(said))


def _whole(speak: Speaker) -> Callable[[Said], Markup]:
    """Says it with words like ``--now`` or ``registry-1.docker.io`` kept on one line: browsers break after a hyphen.

    Not with non-breaking hyphens: what is copied from the page must still be a command.
    """
    from markupsafe import Markup, escape

    def whole(said: Said) -> Markup:
        text = speak(said)
        return Markup().join(  # every part is escaped
            Markup('<span class="unbroken">{}</span>').format(part) if _HYPHENED.fullmatch(part) else escape(part)
            for part in (_SPACES.split(text) if "-" in text else [text])
        )

    return whole


def _anchor(text: str) -> str:
    """*text* as part of an element's id."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:80]


def _moment(when: datetime) -> str:
    """ISO 8601 to the minute, in UTC as the report has it."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _seconds(speak: Speaker) -> Any:
    return lambda seconds: speak(Message("{took:duration}", {"took": seconds}))


def _lines(fact: FactInfo, speak: Speaker) -> list[tuple[str, str]]:
    """A fact's fields, one line each, nested names with dots; what is too much is counted in the last line."""
    every = list(_flat("", fact.fact or {}))
    found = [(name, value) for name, value in every if value]
    shown = [(speak(name), speak(value)) for name, value in found[:_MOST_LINES]]
    if len(found) > len(shown):
        shown.append(("…", f"+ {len(found) - len(shown)}"))
    empty = tuple(name for name, value in every if not value)
    return [*shown, (speak(msg("without a value:")), speak(msg("{names}", names=empty)))] if empty else shown


def _flat(name: str, value: Any) -> Any:
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from _flat(f"{name}.{key}" if name else str(key), inner)
        case list() if any(isinstance(v, dict | list) for v in value):
            for number, inner in enumerate(value):
                yield from _flat(f"{name}[{number}]", inner)
        case list():
            yield name, ", ".join(str(v) for v in value)
        case None | {}:
            yield name, ""
        case bool():
            yield name, str(value).lower()
        case _:
            yield name, str(value)
