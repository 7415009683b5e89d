"""The summary for a terminal: verdict, what to do, what could not be looked at, where the report lies."""

from __future__ import annotations

from vorflug.model.message import Message, msg, visible
from vorflug.model.report import Report, VerdictOutcome
from vorflug.model.requirement import Level
from vorflug.render.columns import Columns
from vorflug.render.sizes import compare
from vorflug.render.view import Entry, TeamList, headline, technical, view
from vorflug.render.words import LEVELS, MODELS, SHORT_TEAMS, VERDICTS, Speaker, inside

_ENTRIES = 6
"""What is no must is shown only up to this many entries of a team; the page has them all."""
_FOLDED = 3
"""From this many missing parameters on, they share one entry."""
_STYLES = {
    VerdictOutcome.READY: "bold green",
    VerdictOutcome.NOT_READY: "bold red",
    VerdictOutcome.UNDETERMINED: "bold yellow",
}


def render_terminal(
    report: Report,
    *,
    lang: str,
    width: int = 80,
    color: bool = False,
    folder: str | None = None,
    fingerprint: str | None = None,
    key_note: Message | None = None,
) -> str:
    """The summary in *lang*, wrapped at *width* columns, ending with a newline.

    *folder*: where the four files lie; *fingerprint*: of the key that signed; *key_note*: one sentence about that key.
    Without *color* there is no escape sequence in it, whatever the report holds.
    """
    return _Summary(report, lang, width, color).write(folder, fingerprint, key_note)


class _Summary:
    def __init__(self, report: Report, lang: str, width: int, color: bool) -> None:
        self._report = report
        self._say = Speaker(lang)
        self._page = Columns(width, color=color)
        self._put = self._page.put

    def write(self, folder: str | None, fingerprint: str | None, key_note: Message | None) -> str:
        story = view(self._report)
        self._verdict()
        self._teams(msg("What to do"), story.to_do)
        self._teams(msg("Undetermined"), story.could_not_look)
        self._ending(folder, fingerprint, key_note)
        return self._page.write()

    def _verdict(self) -> None:
        report, say = self._report, self._say
        word = say(VERDICTS[report.verdict.outcome]).upper()
        counts = " · ".join(say(c) for c in headline(report.verdict.counts))
        self._put(word, counts, left=len(word) + 5, style=_STYLES[report.verdict.outcome])
        about = (
            f"{say(report.profile.title)} {say(report.profile.version)}",
            MODELS[report.profile.model],
            say(msg("size {size}", size=report.profile.size.value)),
            visible(report.host.name, at_most=64),
            f"{report.times.started:%Y-%m-%d %H:%M} UTC",
        )
        self._put("", " · ".join(about), left=2)
        if report.host.container:
            self._put("", say(inside(visible(report.host.container, at_most=32))), left=2, text_style="yellow")
        if report.times.interrupted is not None:
            early = msg("The run ended early ({why}): this report is partial.", why=report.times.interrupted)
            self._put("", say(early), left=2, text_style="yellow")

    def _teams(self, heading: Message, lists: tuple[TeamList, ...]) -> None:
        if not lists:
            return
        self._page.heading(self._say(heading))
        for team in lists:
            name = self._say(SHORT_TEAMS[team.team])
            missing = [e for e in team.entries if e.cause is not None and e.cause.kind == "parameter.missing"]
            if len(missing) >= _FOLDED:
                self._parameters(name, missing)
                name = ""
            else:
                missing = []
            entries = [e for e in team.entries if e not in missing]
            shown = [e for n, e in enumerate(entries) if n < _ENTRIES or e.level is Level.MUST]
            # two requirements, one thing to do: said once, with both ids
            alike: dict[tuple[str, str], list[Entry]] = {}
            for entry in shown:
                alike.setdefault((self._say(entry.says), self._follow(entry)), []).append(entry)
            for (_, follow), same in alike.items():
                ids = ", ".join(visible(e.finding.id, at_most=64) for e in same if e.finding is not None)
                line = self._line(same[0])
                self._put(name, line.removesuffix(".") if ids else line, style="bold", after=ids)
                name = ""
                if follow:
                    self._put("", follow, text_style="dim")
            if len(shown) < len(entries):
                self._put("", self._say(msg("and {n} more in the report", n=len(entries) - len(shown))))

    def _parameters(self, name: str, entries: list[Entry]) -> None:
        """Missing parameters all have the same remedy: one sentence for all of them."""
        names = tuple(e.cause.subject for e in entries if e.cause is not None)
        self._put(
            name, self._say(msg("{n} parameters are not given: {names:list}", n=len(names), names=names)), style="bold"
        )
        follow = msg(
            "blocks {n} · Add them to the site file; vorflug site init writes one that explains each.",
            n=sum(max(1, len(e.blocks)) for e in entries),
        )
        self._put("", self._say(follow), text_style="dim")

    def _line(self, entry: Entry) -> str:
        said = [self._say(entry.says)]
        if entry.fits:
            said.append(self._say(msg("fits {sizes:list}", sizes=tuple(s.value for s in entry.fits))))
        if entry.level is not Level.MUST:
            said.append(self._say(LEVELS[entry.level]))
        elif not technical(entry):
            said.append(self._say(msg("confirmation")))
        if len(said) > 1:
            said[0] = said[0].removesuffix(".")
        return " · ".join(said)

    def _follow(self, entry: Entry) -> str:
        said = [self._say(msg("blocks {n}", n=len(entry.blocks)))] if entry.blocks else []
        said += [self._say(entry.fix)] if entry.fix else []
        return " · ".join(said)

    def _ending(self, folder: str | None, fingerprint: str | None, key_note: Message | None) -> None:
        say = self._say
        self._page.blank()
        sizes = compare(self._report).short
        if sizes is not None:
            self._put(say(msg("Sizes")), say(sizes), style="bold")
        if folder is not None:
            self._put(say(msg("Report")), visible(f"{folder.rstrip('/')}/report.html"), style="bold")
        if fingerprint is not None:
            self._put(
                say(msg("Key")),
                say(msg("{fingerprint}   read it out when you hand the report over", fingerprint=fingerprint)),
                style="bold",
            )
        if key_note is not None:
            self._put("" if fingerprint else say(msg("Key")), say(key_note), style="bold")
        if folder is not None:
            self._put(say(msg("Next")), say(self._next(folder)), style="bold")

    def _next(self, folder: str) -> Message:
        if self._report.verdict.outcome is VerdictOutcome.READY:
            return msg("vorflug verify {folder} --trust KEY checks the report, anywhere", folder=folder)
        return msg("pass each team its list, then run vorflug again")
