"""One login with a proxy at a time, and none after a rejected one: many probes must not lock an account."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline


class Logins:
    """What came of each login.  Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: dict[object, Lock] = {}
        self._accepted: dict[object, bool] = {}

    def attempt(self, login: object, deadline: Deadline, put: Callable[[], bool]) -> bool:
        """Whether *login* is accepted; *put* tries it, unless it was rejected before.

        While nothing is known of a login, one caller tries and the others wait.  Raises Silent where that takes too
        long, and whatever *put* raises.
        """
        with self._lock:
            turn = self._turns.setdefault(login, Lock())
        known = self._accepted.get(login)
        if known is None:
            if not turn.acquire(timeout=deadline.left()):
                raise Silent
            try:
                known = self._accepted.get(login)
                if known is None:
                    known = self._accepted[login] = put()
                    return known
            finally:
                turn.release()
        return known and put()
