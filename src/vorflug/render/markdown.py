"""The report as GitHub-flavoured Markdown, for an issue, a merge request or a wiki.

Everything from outside is escaped (CommonMark, section 2.4), so that it can neither mark up, link nor embed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vorflug.model.message import Message, listed, msg
from vorflug.model.report import Report
from vorflug.render.network import Request, groups
from vorflug.render.path import MARKS, STAGES, Mark
from vorflug.render.sizes import compare, model_sentence, model_state
from vorflug.render.view import Entry, TeamList, blocks, headline, view
from vorflug.render.words import LEVELS, MODELS, OUTCOMES, PHASES, VERDICTS, Said, Speaker, inside

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&$]")
_OPENING = re.compile(r"^(\s*)([-+](?=\s|$)|[-=](?=[-=\s]*$)|\d{1,9}(?=[.)](?:\s|$)))")
"""What makes a list or a heading, but only where a line begins (CommonMark, sections 4.3 and 5.2)."""
_AUTOLINK = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)


def escape(text: str) -> str:
    """*text* as plain text in Markdown, also inside a table cell."""
    inert = _OPENING.sub(_open, _SPECIAL.sub(r"\\\g<0>", text))
    # an escaped colon still makes a bare address a link in GitHub's dialect; as an entity it does not
    return _AUTOLINK.sub(lambda found: f"&#{ord(found[0])};", inert)


def _open(found: re.Match[str]) -> str:
    # it is the character after the number that makes a list of it
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def render_markdown(report: Report, *, lang: str, fingerprint: str | None = None) -> str:
    """The page in *lang*."""
    return _Page(report, lang).write(fingerprint)


class _Page:
    def __init__(self, report: Report, lang: str) -> None:
        self._report = report
        self._speak = Speaker(lang)
        self._lines: list[str] = []

    def write(self, fingerprint: str | None) -> str:
        story = view(self._report)
        self._top()
        self._list([self._say(reason) for reason in (*story.reasons, *story.besides)])
        self._teams(msg("What to do"), story.to_do)
        self._teams(msg("Undetermined"), story.could_not_look)
        if story.to_confirm:
            self._head(2, msg("To be confirmed by people"))
            self._list(f"[ ] {self._say(f.title)} ({self._say(f.id)})" for f in story.to_confirm)
        self._sizes()
        self._network()
        self._head(2, msg("Wanted and seen"))
        for subject in story.subjects:
            self._put(f"### {escape(self._speak.subject(subject.name))}", "")
            self._table(
                (msg("Result"), msg("Requirement"), msg("Wanted"), msg("Seen")),
                (
                    (
                        self._say(OUTCOMES[f.outcome]),
                        f"{self._say(f.title)} ({self._say(f.id)}, {self._say(LEVELS[f.level])})",
                        self._say(f.wanted),
                        self._say(f.seen or f.because),
                    )
                    for f in subject.findings
                ),
            )
        if fingerprint is not None:
            self._put(f"{self._say(msg('Fingerprint of the report key'))}: {self._say(fingerprint)}", "")
        return "\n".join(self._lines).rstrip("\n") + "\n"

    def _top(self) -> None:
        report, say = self._report, self._say
        verdict = say(VERDICTS[report.verdict.outcome]).upper()
        title = f"{say(report.profile.title)} {say(report.profile.version)}"
        self._put(f"# {title}: {verdict}", "")
        self._put(" · ".join(say(c) for c in headline(report.verdict.counts)), "")
        about = (
            say(report.host.name),
            MODELS[report.profile.model],
            say(msg("size {size}", size=report.profile.size.value)),
            say(PHASES[report.profile.phase]),
            escape(f"{report.times.started:%Y-%m-%d %H:%M} UTC"),
        )
        self._put(" · ".join(about), "")
        if report.host.container:
            self._put(f"**{say(inside(report.host.container))}**", "")

    def _teams(self, heading: Message, lists: Iterable[TeamList]) -> None:
        if not lists:
            return
        self._head(2, heading)
        for team in lists:
            self._put(f"### {escape(self._speak.team(team.team))}", "")
            self._list(self._entry(e) for e in team.entries)

    def _entry(self, entry: Entry) -> str:
        marks = [self._say(LEVELS[entry.level])]
        marks += [self._say(blocks(len(entry.blocks)))] if entry.blocks else []
        rows: tuple[tuple[Message, Said], ...] = (
            (msg("Fix"), entry.fix),
            (msg("Advice"), entry.advice),
            (msg("Wanted"), entry.wanted),
            (msg("Seen"), entry.seen),
            (msg("Questions"), listed(entry.questions) if entry.questions else None),
        )
        inner = [f"  - {self._say(label)}: {self._say(said)}" for label, said in rows if said]
        if entry.blocks:
            inner.append(f"  - {self._say(msg('Affects'))}: {', '.join(self._say(f.id) for f in entry.blocks)}")
        return "\n".join([f"**{self._say(entry.says)}** ({', '.join(marks)})", *inner])

    def _sizes(self) -> None:
        comparison = compare(self._report)
        self._head(2, msg("Sizes and operating models"))
        if comparison.fit is not None:
            self._put(self._say(comparison.fit), "")
        self._list(
            f"{o.size.value}: {' '.join(self._say(because) for because in o.because)}" for o in comparison.obstacles
        )
        for sentence in comparison.besides:
            self._put(self._say(sentence), "")
        if comparison.rows:
            self._table(
                (msg("Requirement"), *(s.size.value for s in comparison.sizes)),
                (
                    (
                        self._say(row.title),
                        *(f"{self._say(OUTCOMES[c.outcome])}: {self._say(c.wanted)}" if c else "–" for c in row.cells),
                    )
                    for row in comparison.rows
                ),
            )
        if self._report.models:
            self._table(
                (msg("Operating model"), msg("Verdict"), msg("Because")),
                (
                    (
                        MODELS[m.model],
                        self._say(model_state(m) or VERDICTS[m.verdict.outcome]),
                        self._say(model_sentence(m)),
                    )
                    for m in self._report.models
                ),
            )

    def _network(self) -> None:
        found = groups(self._report)
        if not found:
            return
        self._head(2, msg("Network paths"))
        self._table(
            (msg("Request"), msg("Path"), msg("Result")),
            (
                (self._say(request.url), self._path(request), self._say(group.heading))
                for group in found
                for request in group.requests
            ),
        )

    def _path(self, request: Request) -> str:
        """The layers as far as it came, each with its time."""
        said = [
            f"{self._say(STAGES[layer.stage])} {self._say(msg('{took:duration}', took=layer.took_s))}"
            + (f" ({self._say(MARKS[layer.mark])})" if layer.mark is Mark.BROKE else "")
            for layer in request.path
            if layer.took_s is not None
        ]
        return " → ".join(said) or "–"

    def _say(self, said: Said) -> str:
        return escape(self._speak(said))

    def _put(self, *lines: str) -> None:
        self._lines += lines

    def _head(self, depth: int, heading: Message) -> None:
        self._put(f"{'#' * depth} {self._say(heading)}", "")

    def _list(self, items: Iterable[str]) -> None:
        lines = [f"- {item}" for item in items]
        if lines:
            self._put(*lines, "")

    def _table(self, heads: Iterable[Said], rows: Iterable[Iterable[str]]) -> None:
        names = [self._say(head) for head in heads]
        self._put(f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}")
        self._put(*(f"| {' | '.join(row)} |" for row in rows), "")
