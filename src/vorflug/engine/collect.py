"""Puts every query to the host, each in a thread of its own, and never waits for a hung one.

Threads are daemons because a thread stuck in the kernel (a dead NFS mount, a resolver that swallows packets) cannot be
cancelled; it can only be abandoned.  There is no cap on their number: with one, hung questions would wait for each
other.  Follow-up questions start the moment the answer that leads to them is there, so that the whole takes no longer
than the longest chain.  Exclusive questions run alone, after the others.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, cast

from pydantic import BaseModel

from vorflug.model.evidence import Evidence
from vorflug.model.query import LOCAL_ONLY, NOT_ALLOWED, Fact, Observation, Query, Reach, Reason, Seen, Unseen
from vorflug.model.requirement import Item, Requirement
from vorflug.ports import Host

OpenHost = Callable[[float], Host]
"""Gives a host whose every call ends before the given number of seconds have passed."""

MOST_TEXT = 1 << 20
"""Characters of one answer.  Ports cap what they read by far less; this bounds the report where one does not."""

_LOOK_S = 0.2
"""Longest wait at a time: a signal that comes just before a wait does not end it, its handler runs after it."""

_LIMITED = (errno.EMFILE, errno.ENOMEM)
"""Open files and memory: what setrlimit(2) limits."""
_SCARCE = "a limit of this process, of its control group or of the machine was reached"

ROUNDS = 3
"""How often answers may lead to further questions, the first asking included."""


class Stop:
    """Set from a signal handler to end the collection; what has been answered is kept."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._wake: SimpleQueue[Observation | None] | None = None

    def set(self, reason: str) -> None:
        """Ask for the end.  Safe in a signal handler: `SimpleQueue.put` is reentrant."""
        self.reason = reason
        if self._wake is not None:
            self._wake.put(None)

    def attach(self, wake: SimpleQueue[Observation | None]) -> None:
        """Name the queue that `set` wakes."""
        self._wake = wake


@dataclass(frozen=True)
class Started:
    """A question is being asked from now on (for the progress display)."""

    query: Query[Any]


@dataclass(frozen=True)
class _Asked:
    began: float
    expires: float


def collect(
    items: Iterable[Item],
    open_host: OpenHost,
    *,
    also: Iterable[Item] = (),
    active: bool = False,
    network: bool = True,
    deadline: float = 120.0,
    stop: Stop | None = None,
    on_start: Callable[[Started], None] = lambda _started: None,
    on_crash: Callable[[BaseException], None] = lambda _error: None,
) -> Iterator[Observation]:
    """Yield one observation per distinct query, in the order they finish.

    *also*: requirements of which only the local questions are put, so that the same facts can be judged against them.
    *active*: whether questions that write may be put; without it they are ``Unseen(NOT_ASKED, NOT_ALLOWED)``.
    *network*: whether other machines may be contacted; without it those are ``Unseen(NOT_ASKED, LOCAL_ONLY)``.
    *deadline*: seconds for the whole.  What is still running then is ``Unseen(TIMEOUT)``; what was not yet asked is
    ``Unseen(NOT_ASKED)``.  After *stop* both are ``Unseen(CANCELLED)``.
    *on_crash* is told, in the question's own thread, what nobody foresaw (for a debug log).
    """
    return _Collection(
        items,
        also,
        open_host,
        active=active,
        network=network,
        deadline=deadline,
        stop=stop or Stop(),
        on_start=on_start,
        on_crash=on_crash,
    ).run()


class _Collection:
    def __init__(
        self,
        items: Iterable[Item],
        also: Iterable[Item],
        open_host: OpenHost,
        *,
        active: bool,
        network: bool,
        deadline: float,
        stop: Stop,
        on_start: Callable[[Started], None],
        on_crash: Callable[[BaseException], None],
    ) -> None:
        self._requirements = [i for i in items if isinstance(i, Requirement)]
        self._local_only = {id(i): i for i in also if isinstance(i, Requirement)}
        self._open_host = open_host
        self._active = active
        self._network = network
        self._deadline = deadline
        self._ends = monotonic() + deadline
        self._stop = stop
        self._on_start = on_start
        self._on_crash = on_crash
        self._known = Evidence()
        self._round: dict[Query[Any], int] = {}
        self._askers: dict[Query[Any], dict[int, Requirement]] = {}
        self._waiting: list[Query[Any]] = []
        self._running: dict[Query[Any], _Asked] = {}
        self._answers: SimpleQueue[Observation | None] = SimpleQueue()
        stop.attach(self._answers)

    def run(self) -> Iterator[Observation]:
        for requirement in (*self._requirements, *self._local_only.values()):
            yield from self._name(requirement, 1)
        while self._waiting or self._running:
            if self._stop.reason is not None or monotonic() >= self._ends:
                yield from self._give_up()
                return
            self._start_what_may()
            answer = self._next_answer()
            if answer is None:
                yield from self._expire()
                continue
            if self._running.pop(answer.query, None) is not None:
                yield from self._note(answer)

    def _name(self, requirement: Requirement, round_: int) -> Iterator[Observation]:
        """Put the requirement's questions on the list; a requirement that cannot even ask does not stop the others."""
        try:
            queries = list(requirement.queries(self._known))
        except Exception:  # noqa: BLE001 - evaluate runs the same code again and reports the crash as its verdict
            return
        for query in queries:
            if id(requirement) in self._local_only and (
                query.reach is not Reach.LOCAL or query.exclusive or query.active
            ):
                continue
            self._askers.setdefault(query, {})[id(requirement)] = requirement
            if query not in self._round:
                self._round[query] = round_
                if query.active and not self._active:
                    yield from self._note(Observation(query, Unseen(Reason.NOT_ASKED, NOT_ALLOWED)))
                elif query.reach is not Reach.LOCAL and not self._network:
                    yield from self._note(Observation(query, Unseen(Reason.NOT_ASKED, LOCAL_ONLY)))
                elif round_ > ROUNDS:
                    yield from self._note(Observation(query, Unseen(Reason.NOT_ASKED, f"more than {ROUNDS} rounds")))
                else:
                    self._waiting.append(query)

    def _note(self, answer: Observation) -> Iterator[Observation]:
        self._known.add(answer)
        yield answer
        if isinstance(answer.result, Seen):
            for requirement in tuple(self._askers[answer.query].values()):
                yield from self._name(requirement, self._round[answer.query] + 1)

    def _start_what_may(self) -> None:
        self._waiting.sort(key=lambda q: (q.exclusive, q.deadline))
        while self._waiting:
            query = self._waiting[0]
            if query.exclusive and self._running:
                return
            self._waiting.pop(0)
            now = monotonic()
            # the host ends its calls by itself; this is for what cannot be ended
            self._running[query] = _Asked(now, min(now + query.deadline, self._ends))
            self._on_start(Started(query))
            seconds = max(0.0, self._running[query].expires - now)
            _start(query, self._open_host, seconds, self._answers, self._on_crash)
            if query.exclusive:
                return

    def _next_answer(self) -> Observation | None:
        nearest = min(asked.expires for asked in self._running.values())
        try:
            return self._answers.get(timeout=min(_LOOK_S, max(0.0, nearest - monotonic())))
        except Empty:
            return None

    def _expire(self) -> Iterator[Observation]:
        now = monotonic()
        if now >= self._ends:
            return  # the loop gives up on all of them, with the right reason
        for query in [q for q, asked in self._running.items() if asked.expires <= now]:
            began = self._running.pop(query).began
            yield from self._note(Observation(query, Unseen(Reason.TIMEOUT, f"{query.deadline:g} s"), now - began))

    def _give_up(self) -> Iterator[Observation]:
        now = monotonic()
        stopped = self._stop.reason
        for query, asked in self._running.items():
            late = (
                Unseen(Reason.CANCELLED, stopped)
                if stopped
                else Unseen(Reason.TIMEOUT, f"--deadline {self._deadline:g}")
            )
            yield Observation(query, late, now - asked.began)
        for query in self._waiting:
            late = (
                Unseen(Reason.CANCELLED, stopped)
                if stopped
                else Unseen(Reason.NOT_ASKED, f"--deadline {self._deadline:g}")
            )
            yield Observation(query, late)


_Answers = SimpleQueue[Observation | None]
_OnCrash = Callable[[BaseException], None]


def _start(query: Query[Fact], open_host: OpenHost, seconds: float, answers: _Answers, on_crash: _OnCrash) -> None:
    try:
        Thread(target=_ask, args=(query, open_host, seconds, answers, on_crash), name=query.kind, daemon=True).start()
    except RuntimeError as error:
        # a limit on processes (RLIMIT_NPROC of setrlimit(2), pids.max of a cgroup) counts threads as well
        answers.put(Observation(query, Unseen(Reason.UNSUPPORTED, f"{_SCARCE}: {_brief(error)}")))


def _ask(query: Query[Fact], open_host: OpenHost, seconds: float, answers: _Answers, on_crash: _OnCrash) -> None:
    began = monotonic()
    try:
        fact = query.observe(open_host(seconds))
        result: Seen | Unseen = (
            Seen(fact) if _fits(fact) else Unseen(Reason.CRASHED, f"more than {MOST_TEXT} characters")
        )
    except PermissionError as error:
        result = Unseen(Reason.DENIED, _brief(error))
    except NotImplementedError as error:
        result = Unseen(Reason.UNSUPPORTED, _brief(error))
    except TimeoutError as error:
        result = Unseen(Reason.TIMEOUT, _brief(error))
    except OSError as error:
        if error.errno in _LIMITED:
            result = Unseen(Reason.UNSUPPORTED, f"{_SCARCE}: {_brief(error)}")
        else:
            result = _crashed(error, on_crash)
    except BaseException as error:  # noqa: BLE001 - one broken probe must not take the others with it
        result = _crashed(error, on_crash)
    answers.put(Observation(query, result, monotonic() - began))


def _crashed(error: BaseException, on_crash: _OnCrash) -> Unseen:
    on_crash(error)
    return Unseen(Reason.CRASHED, f"{type(error).__name__}: {_brief(error)}")


def _fits(fact: Fact) -> bool:
    """Whether the fact's texts are of a size that can be shown; a list's entries count as well."""
    left, todo = MOST_TEXT, [cast(object, fact)]
    while todo and left >= 0:
        value = todo.pop()
        left -= 1
        match value:
            case str() | bytes():
                left -= len(value)
            case tuple() | list() | set() | frozenset():
                left -= len(value)
                todo += value if left >= 0 else ()
            case Mapping():
                left -= len(value)
                todo += (*value.keys(), *value.values()) if left >= 0 else ()
            case BaseModel():
                todo += vars(value).values()
            case _ if is_dataclass(value):
                todo += (getattr(value, field.name) for field in fields(value))
            case _:
                pass
    return left >= 0


def _brief(error: BaseException) -> str:
    return str(error)[:500]
