"""How often a login is sent: as often as needed once it is proved good, twice at most until then.

Many probes of one host must not lock an account, and services tell a locked one from a wrong password in no agreed way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline

AT_MOST = 2
"""So often a login is sent that nothing has shown to be good."""


class Came(StrEnum):
    """What came of a login."""

    ACCEPTED = "accepted"
    """The answer is one that nobody gets without a good login."""
    REJECTED = "rejected"
    OPEN = "open"
    """It was sent, and the answer does not tell whether it is good."""
    REJECTED_BEFORE = "rejected_before"
    """It was not sent, because it had been rejected."""
    SPENT = "spent"
    """It was not sent: it had been sent `AT_MOST` times, and nothing showed that it is good."""


@dataclass
class _Known:
    """Of one login."""

    turn: Lock = field(default_factory=Lock)
    sent: int = 0
    good: bool = False
    rejected: set[str] = field(default_factory=set)
    """For which targets."""


class Logins:
    """What came of each login.  Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[object, _Known] = {}

    def is_good(self, login: object) -> bool:
        """Whether an answer has proved *login* good."""
        with self._lock:
            known = self._known.get(login)
            return known is not None and known.good

    def attempt(
        self, login: object, deadline: Deadline, put: Callable[[Callable[[], bool]], Came], target: str = ""
    ) -> Came:
        """What comes of *login*, which *put* sends unless too much speaks against it.

        *put* is given a function that it calls right before each request with the login: False where no further one
        may be sent.  It returns ACCEPTED, REJECTED or OPEN.
        *target*: whom a rejection is about where the service knows the target before it judges the login; some ask for
        another login where a target is denied, so that one more target is tried then.  Empty where the login alone is
        judged: the first rejection is the last.

        While nothing is known of a login, one caller tries and the others wait.  Raises Silent where that takes too
        long, and whatever *put* raises; a login that was sent counts as sent then, too.
        """
        with self._lock:
            known = self._known.setdefault(login, _Known())
        if not known.good:
            if not known.turn.acquire(timeout=max(0.0, deadline.left())):
                raise Silent
            try:
                if not known.good:
                    return self._held_back(known, target) or self._put(known, put, target)
            finally:
                known.turn.release()
        # the login is good: a rejection is this target's own affair
        return Came.REJECTED_BEFORE if target and target in known.rejected else self._put(known, put, target)

    def _held_back(self, known: _Known, target: str) -> Came | None:
        if target in known.rejected or (known.rejected and not target):
            return Came.REJECTED_BEFORE
        if known.sent >= AT_MOST:
            return Came.REJECTED_BEFORE if known.rejected else Came.SPENT
        return None

    def _put(self, known: _Known, put: Callable[[Callable[[], bool]], Came], target: str) -> Came:
        def may_send() -> bool:
            with self._lock:
                if not known.good and known.sent >= AT_MOST:
                    return False
                known.sent += 1
                return True

        came = put(may_send)
        with self._lock:
            if came is Came.ACCEPTED:
                known.good = True
            elif came is Came.REJECTED:
                known.rejected.add(target)
        return came
