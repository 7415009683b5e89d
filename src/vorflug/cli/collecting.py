"""Asks this machine, with live progress and signals; shared by ``run`` and ``collect``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vorflug.engine.collect import Started, Stop
from vorflug.model.query import Seen

DEADLINE = "deadline"
"""What ``times.interrupted`` says where the run's own deadline ended it."""

if TYPE_CHECKING:
    from types import FrameType

    from vorflug.model.query import Observation
    from vorflug.model.report import HostInfo, Times
    from vorflug.pipeline import Case


@dataclass(frozen=True)
class Collected:
    """What was seen, where and when; *signalled* names the signal that ended it early."""

    observations: tuple[Observation, ...]
    host: HostInfo
    times: Times
    signalled: str | None


def collect_here(case: Case, deadline: float) -> Collected:
    """Put every question of *case* to this machine.

    The first SIGINT or SIGTERM ends the collection and keeps what was answered; a second one ends the process.
    """
    from vorflug.cli.language import current
    from vorflug.cli.progress import Progress
    from vorflug.engine.plan import plan
    from vorflug.host.live import LiveHost, identity
    from vorflug.model.report import HostInfo, Times
    from vorflug.pipeline import observe

    started = datetime.now(UTC)
    stop = Stop()
    seen: list[Observation] = []
    with _signals(stop), Progress(len(plan(case.asked())), current()) as progress:

        def begin(start: Started) -> None:
            progress.started(start.query.asks())

        for answer in observe(case, LiveHost, deadline=deadline, stop=stop, on_start=begin):
            seen.append(answer)
            outcome = "seen" if isinstance(answer.result, Seen) else answer.result.reason.value
            progress.answered(answer.query.asks(), outcome, answer.took_s)
    finished = datetime.now(UTC)
    interrupted = stop.reason or (DEADLINE if (finished - started).total_seconds() >= deadline else None)
    return Collected(
        observations=tuple(seen),
        host=HostInfo(
            name=identity.name(), identity=identity.identity(), user=identity.user(), elevated=identity.elevated()
        ),
        times=Times(started=started, finished=finished, evaluated=finished, interrupted=interrupted),
        signalled=stop.reason,
    )


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """A signal handler that ends the command as Ctrl-C does: everything half-done is cleaned up on the way out."""
    raise KeyboardInterrupt


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set(signal.Signals(number).name)
        # a second one ends it here and now
        signal.signal(number, interrupt)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
