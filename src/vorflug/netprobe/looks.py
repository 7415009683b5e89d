"""What further looks have in common: their share of the deadline, and that they run side by side."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeVar

from vorflug.netprobe.channel import Alert, Silent
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.passage import Passage

_T = TypeVar("_T")
_TRIAL_S = 4.0
_OF_THE_REST = 0.8
PASSED, FAILED, SAME, DIFFERS, NOT_POSSIBLE = "passed", "failed", "same", "differs", "not_possible"

Again = Callable[..., Passage]
"""A further passage; the keywords are what differs: ``manner``, ``target``, ``choice``, ``known``, ``ask``."""


class Looks:
    """Looks at what a passage met."""

    def __init__(self, passage: Passage, again: Again, deadline: Deadline) -> None:
        self._passage = passage
        self._again = again
        self._deadline = deadline

    def _share(self) -> float:
        return min(_TRIAL_S, _OF_THE_REST * self._deadline.left())


def side_by_side(looks: Sequence[Callable[[], _T]], seconds: float) -> list[_T]:
    """What came of *looks* within *seconds*; one that is late or fails is left out."""
    came: SimpleQueue[_T | None] = SimpleQueue()

    def run(look: Callable[[], _T]) -> None:
        try:
            came.put(look())
        except (OSError, ValueError, Silent, Alert):  # out of means, or closed since: nothing was seen
            came.put(None)

    for look in looks:
        Thread(target=run, args=(look,), name="control", daemon=True).start()
    ends = Deadline(seconds)
    found: list[_T] = []
    for _ in looks:
        try:
            one = came.get(timeout=max(0.001, ends.left()))
        except Empty:
            break
        if one is not None:
            found.append(one)
    return found


def nowhere() -> str:
    """A name that cannot exist (RFC 6761, 6.4)."""
    return f"vorflug-{secrets.token_hex(6)}.invalid"


def since(began: float) -> float:
    """Seconds since *began* of the monotonic clock, as a trace has them."""
    return round(monotonic() - began, 4)
