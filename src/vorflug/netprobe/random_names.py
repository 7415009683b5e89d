"""Does a nameserver give an address for a name that cannot exist?  Asked once a minute, however many names need it."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic

from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.nameserver import At, exchange
from vorflug.netprobe.resolve import questions_for

KEPT_S = 60.0
_LABEL_CHARS = 12
_ZONES = ("invalid", "com")
"""RFC 6761, 6.4: ``.invalid`` never exists, and resolvers may know that.  ``.com`` is for those that do, and yet send
unknown names of the public internet to a page of their own."""


@dataclass(frozen=True)
class Nowhere:
    """What a nameserver says about names that cannot exist."""

    names: tuple[str, ...]
    addresses: frozenset[str] = frozenset()
    """Not empty where it makes addresses up."""
    answered: bool = False
    """It answered at least once."""


class _Question:
    """One control, under way or done."""

    def __init__(self) -> None:
        self.began = monotonic()
        self._done = Event()
        self._found: Nowhere | None = None

    def put(self, found: Nowhere) -> None:
        self._found = found
        self._done.set()

    def result(self, seconds: float) -> Nowhere | None:
        """None where nothing is known after *seconds*."""
        self._done.wait(seconds)
        return self._found


class RandomNames:
    """The controls of a process, one for each nameserver.  Safe to be used by many threads."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._lock = Lock()
        self._asked: dict[At, _Question] = {}

    def start(self, at: At, limits: Limits) -> _Question:
        """Ask *at*, unless that was done lately."""
        with self._lock:
            known = self._asked.get(at)
            if known is not None and monotonic() - known.began < self._kept_s:
                return known
            question = self._asked[at] = _Question()
        Thread(target=_ask, args=(question, at, limits), name="random name", daemon=True).start()
        return question


def _ask(question: _Question, at: At, limits: Limits) -> None:
    from dns.rdatatype import AAAA, A

    names = tuple(f"{_label()}.{zone}" for zone in _ZONES)
    found = Nowhere(names)
    try:
        # both families, as one of them alone may be made up
        questions = list({q.id: q for name in names for q in questions_for(name, (A, AAAA))}.values())
        replies = exchange(questions, at, limits.nameserver, Deadline(2 * limits.nameserver))
        messages = [r.message for r in replies if r.message is not None]
        rows = [row for m in messages for rrset in m.answer if rrset.rdtype in (A, AAAA) for row in rrset]
        found = Nowhere(names, frozenset(str(row.address) for row in rows), bool(messages))
    except OSError:  # out of means: nothing was asked
        pass
    finally:
        question.put(found)


def _label() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(_LABEL_CHARS))
