"""One diagnosis for a terminal: the path layer by layer, then what it means, who acts, and what to ask for."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from vorflug.model.cause import TEAM_NAMES
from vorflug.model.message import Message, msg
from vorflug.ports.net import Check
from vorflug.render.columns import Columns, spelled
from vorflug.render.path import STAGES, Mark, answer, layers, way
from vorflug.render.request import Request
from vorflug.render.words import Speaker

if TYPE_CHECKING:
    from vorflug.model.diagnosis import Diagnosis, Said
    from vorflug.ports.net import Trace
    from vorflug.render.path import Hop, Layer

_WIDEST = 110
"""Columns: the times at the right edge belong to the lines that they stand in."""
_LEFT = 16
"""Two spaces, the mark, a space, the longest layer's name and a gap (columns)."""

SIGNS: dict[Mark, str] = {Mark.PASSED: "✓", Mark.WARNED: "!", Mark.BROKE: "✗", Mark.UNREACHED: "·"}
_STYLES: dict[Mark, str] = {
    Mark.PASSED: "green",
    Mark.WARNED: "yellow",
    Mark.BROKE: "bold red",
    Mark.UNREACHED: "dim",
}


def render_diagnosis(
    found: Diagnosis,
    trace: Trace,
    *,
    lang: str,
    width: int = 80,
    color: bool = False,
    encoding: str = "utf-8",
    zone: tzinfo = UTC,
) -> str:
    """The page in *lang*, wrapped at *width* columns, ending with a newline; times are those of *zone*.

    Where *encoding* cannot write a mark, one of ASCII stands for it.  Without *color* there is no escape sequence.
    """
    columns = Columns(min(width, _WIDEST), color=color)
    return _Page(found, trace, Speaker(lang), columns, encoding=encoding, zone=zone).write()


class _Page:
    def __init__(
        self, found: Diagnosis, trace: Trace, speaker: Speaker, columns: Columns, *, encoding: str, zone: tzinfo
    ) -> None:
        self._found = found
        self._trace = trace
        self._speaker = speaker
        self._encoding = encoding
        self._columns = columns
        self._request = Request(found, trace, zone)

    def write(self) -> str:
        self._head()
        self._columns.blank()
        path = layers(self._trace, self._found.url, self._found.mode)
        for number, layer in enumerate(path):
            self._layer(layer, last=number == len(path) - 1)
        self._columns.blank()
        self._meaning()
        self._besides()
        self._controls()
        return self._columns.write()

    def _head(self) -> None:
        found = self._found
        style = _STYLES[Mark.BROKE] if found.means else (_STYLES[Mark.WARNED] if found.notes else "bold green")
        self._columns.put(found.code, self._plain(found.url), left=len(found.code) + 5, style=style)
        took = self._say(msg("{took:duration}", took=found.took_s))
        self._columns.put("", f"{self._say(way(self._trace))}{self._plain(' · ')}{took}", left=2)
        if any(c.check is Check.PROGRAMS and c.outcome == "differs" for c in found.checks):
            self._columns.put(
                "",
                self._say(msg("by curl's and Go's rules, other programs differ: see below; --proxy URL forces one")),
                left=2,
            )
        if (checked := self._request.checked()) is not None:
            self._columns.put("", self._say(checked), left=2)

    def _layer(self, layer: Layer, *, last: bool) -> None:
        rail = "" if last else self._plain("│")
        label = f"{self._plain(SIGNS[layer.mark])} {self._say(STAGES[layer.stage])}"
        says = self._say(layer.says)
        if layer.mark is Mark.WARNED:
            says = f"{says}{self._plain(' · ')}{', '.join(layer.codes)}"
        self._columns.put(
            label,
            says,
            left=_LEFT,
            style=_STYLES[layer.mark],
            text_style={Mark.BROKE: "bold red", Mark.UNREACHED: "dim"}.get(layer.mark, ""),
            right=self._took(layer),
            rail=rail,
        )
        for hop in layer.hops:
            sign = self._plain(SIGNS[hop.mark])
            self._columns.put(
                "", f"{sign} {self._say(hop.says)}", left=_LEFT, text_style="dim", right=self._took(hop), rail=rail
            )

    def _took(self, step: Layer | Hop) -> str:
        return "" if step.took_s is None else self._say(msg("{took:duration}", took=step.took_s))

    def _meaning(self) -> None:
        found = self._found
        self._put(msg("Seen"), found.says)
        if (detail := self._request.evidence()) is not None:
            self._columns.put(self._say(msg("Evidence")), self._say(detail), left=_LEFT, style="bold")
        self._put(msg("Means"), found.means)
        self._put(msg("Not proved"), found.does_not_mean)
        self._put(msg("Fix"), found.fix)
        self._put(msg("Who acts"), found.who)
        if found.who is not None:
            first = msg("open, see Who acts") if found.team is None else TEAM_NAMES[found.team]
            self._columns.put(self._say(msg("Ask first")), self._say(first), left=_LEFT, style="bold")
        self._put(msg("Ask for"), found.ask)
        if found.ask is not None:
            self._columns.put(self._say(msg("For")), self._listed(self._request.about()), left=_LEFT, style="bold")

    def _listed(self, parts: list[Message]) -> str:
        return self._plain(" · ").join(self._say(part) for part in parts)

    def _besides(self) -> None:
        if not self._found.notes:
            return
        self._columns.heading(self._say(msg("Seen besides")))
        for note in self._found.notes:
            self._columns.put(f"{self._plain(SIGNS[Mark.WARNED])} {note.code}", "", style=_STYLES[Mark.WARNED])
            self._put(None, note.says)
            self._put(None, note.fix, dim=True)
            self._put(None, note.ask, dim=True)
            about = self._listed(self._request.about(note.code.value))
            self._columns.put("", f"{self._say(msg('For'))}: {about}", left=4, text_style="dim")

    def _controls(self) -> None:
        if not self._found.checks:
            return
        self._columns.heading(self._say(msg("Controls made")))
        for check in self._found.checks:
            took = self._say(msg("{took:duration}", took=check.took_s)) if check.took_s else ""
            self._columns.put("", self._say(answer(check)), left=2, right=took)
            if check.detail:
                self._columns.put("", self._say(msg("{detail}", detail=check.detail)), left=4, text_style="dim")

    def _put(self, label: Message | None, said: Said | None, *, dim: bool = False) -> None:
        if said is None:
            return
        text = said.de if self._speaker.language == "de" else said.en
        shown = "" if label is None else self._say(label)
        left = _LEFT if label is not None else 4
        self._columns.put(shown, self._plain(text), left=left, style="bold", text_style="dim" if dim else "")

    def _say(self, message: Message) -> str:
        return self._plain(self._speaker(message))

    def _plain(self, text: str) -> str:
        return spelled(text, self._encoding)
