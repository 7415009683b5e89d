"""What is being asked right now, on stderr.

On a terminal: one bar and the questions that have waited longest, redrawn in place and gone at the end.  Elsewhere (a
log, a pipe, ``TERM=dumb``): one plain line per answer.  ``NO_COLOR`` (https://no-color.org) keeps the bar and drops the
colours.
"""

from __future__ import annotations

import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from vorflug.engine.evaluate import REASONS
from vorflug.host.secrets import redact
from vorflug.model.message import Message, msg, visible
from vorflug.model.query import Reason
from vorflug.texts import say

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

SEEN = "seen"
"""The outcome of a question that was answered; any other is a `Reason`'s value."""

_SHOWN = 4
"""How many waiting questions are named at once."""
_PATIENCE = 0.8
"""Seconds before a question is worth naming: most are answered before anybody could read them."""


class Progress:
    """A context manager; `started` and `answered` are called from the thread that collects.

    *total*: how many questions the plan names; follow-ups may make them more.
    """

    def __init__(self, total: int, lang: str, stream: TextIO | None = None) -> None:
        self._total = total
        self._lang = lang
        self._stream = sys.stderr if stream is None else stream
        self._begun = monotonic()
        self._waiting: dict[str, list[float]] = {}
        self._lock = Lock()
        """The display draws in a thread of its own, while the one that collects writes."""
        self._answered = 0
        self._unseen = 0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
            if console.is_terminal and not console.is_dumb_terminal:
                self._live = Live(
                    _Display(self), console=console, refresh_per_second=8, transient=True, redirect_stdout=False,
                    redirect_stderr=False,
                )  # fmt: skip
                self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, question: Message) -> None:
        """*question* is being asked from now on."""
        name = redact(say(question, self._lang))
        with self._lock:
            self._waiting.setdefault(name, []).append(monotonic())

    def answered(self, question: Message, outcome: str, took_s: float) -> None:
        """*question* has an end: `SEEN`, or why there is no answer; *took_s* in seconds."""
        name = redact(say(question, self._lang))
        with self._lock:
            since = self._waiting.get(name)
            if since:
                since.pop(0)
            if not since:
                self._waiting.pop(name, None)
            self._answered += 1
            self._total = max(self._total, self._answered + sum(len(s) for s in self._waiting.values()))
            self._unseen += outcome != SEEN
        if self._live is None:
            self._line(name, outcome, took_s)

    def _line(self, name: str, outcome: str, took_s: float) -> None:
        count = f"[{self._answered:>{len(str(self._total))}}/{self._total}]"
        ending = (
            msg("answered in {took:duration}", took=took_s)
            if outcome == SEEN
            else msg("could not look: {why}, after {took:duration}", why=self.why(outcome), took=took_s)
        )
        # a log on a full disk or a closed pipe must not end the run
        try:
            print(count, name, "-", say(ending, self._lang), file=self._stream, flush=True)
        except OSError:
            return

    def why(self, outcome: str) -> Message | str:
        """The reason in words; the bare value where this version does not know it."""
        return REASONS[Reason(outcome)] if outcome in set(Reason) else outcome

    def head(self) -> str:
        """The line above the bar's questions."""
        took = monotonic() - self._begun
        counted = {"n": self._answered, "total": self._total, "took": took}
        if self._unseen:
            return say(
                msg(
                    "{n} of {total} answered, {unseen} could not be looked at, {took:duration}",
                    unseen=self._unseen,
                    **counted,
                ),
                self._lang,
            )
        return say(msg("{n} of {total} answered, {took:duration}", **counted), self._lang)

    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return self._answered / self._total if self._total else 1.0

    def slowest(self) -> list[tuple[str, float]]:
        """The questions that have waited longest, with their waiting times in seconds."""
        now = monotonic()
        with self._lock:
            waiting = [(name, now - min(since)) for name, since in self._waiting.items()]
        return sorted((w for w in waiting if w[1] >= _PATIENCE), key=lambda w: -w[1])[:_SHOWN]

    def waited(self, seconds: float) -> str:
        """A waiting time in words."""
        return say(msg("{took:duration}", took=float(round(seconds))), self._lang)


class _Display:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        top = Table.grid(padding=(0, 1))
        top.add_row(
            Text(" "),
            ProgressBar(
                total=1.0, completed=self._progress.share(), width=24, complete_style="cyan", finished_style="green"
            ),
            Text(self._progress.head(), no_wrap=True, overflow="ellipsis"),
        )
        yield top
        for name, seconds in self._progress.slowest():
            line = Text(f"  {visible(name)}", style="dim", no_wrap=True)
            line.truncate(max(10, options.max_width - 12), overflow="ellipsis")
            line.append(f"  {self._progress.waited(seconds)}")
            yield line
