"""Asks this machine, with live progress and signals; shared by ``run`` and ``collect``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.engine.collect import Started, Stop
from vorflug.model.query import Seen

DEADLINE = "deadline"
"""What ``times.interrupted`` says where the run's own deadline ended it."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from vorflug.model.query import Observation
    from vorflug.model.report import HostInfo, Times
    from vorflug.pipeline import Case
    from vorflug.ports import Host


@dataclass(frozen=True)
class Collected:
    """What was seen, where and when; *signalled* names the signal that ended it early."""

    observations: tuple[Observation, ...]
    host: HostInfo
    times: Times
    signalled: str | None


def collect_here(
    case: Case,
    deadline: float,
    stop: Stop,
    *,
    active: bool,
    network: bool = True,
    through: Callable[[Host], Host] = lambda host: host,
) -> Collected:
    """Put every question of *case* to this machine, until *stop* is set at the latest; what was answered is kept.

    *active*: whether what writes may be asked; *network*: whether other machines may be; *through*: what stands
    between the questions and this machine (a recorder).
    """
    from vorflug.cli import crash
    from vorflug.cli.language import current
    from vorflug.cli.output import note
    from vorflug.cli.progress import Progress
    from vorflug.engine.plan import plan
    from vorflug.host.live import LiveHost, identity, prepare
    from vorflug.model.report import HostInfo, Times
    from vorflug.pipeline import observe

    started, began = datetime.now(UTC), monotonic()
    prepare()
    seen: list[Observation] = []
    crashes: list[BaseException] = []
    with Progress(len(plan(case.asked())), current()) as progress:

        def begin(start: Started) -> None:
            progress.started(start.query.asks())

        for answer in observe(
            case,
            lambda seconds: through(LiveHost(seconds)),
            active=active,
            network=network,
            deadline=deadline,
            stop=stop,
            on_start=begin,
            on_crash=crashes.append,
        ):
            seen.append(answer)
            outcome = "seen" if isinstance(answer.result, Seen) else answer.result.reason.value
            progress.answered(answer.query.asks(), outcome, answer.took_s)
    if crashes:
        note(crash.questions(crashes))
    finished = started + timedelta(seconds=monotonic() - began)  # whatever happens to the clock meanwhile
    interrupted = stop.reason or (DEADLINE if (finished - started).total_seconds() >= deadline else None)
    return Collected(
        observations=tuple(seen),
        host=HostInfo(
            name=identity.name(),
            identity=identity.identity(),
            user=identity.user(),
            elevated=identity.elevated(),
            container=identity.container(),
        ),
        times=Times(started=started, finished=finished, evaluated=finished, interrupted=interrupted),
        signalled=stop.reason,
    )
