"""One thread per question, nearest deadline first; hung, crashing and late ones are values."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import dataclass

import pytest
from pydantic import ConfigDict

from conftest import header
from vorflug.engine.collect import Started, Stop, collect
from vorflug.model.message import msg
from vorflug.model.query import Fact, Observation, Query, Reach, Reason, Seen, Unseen
from vorflug.model.requirement import Requirement, met


class Answer(Fact):
    n: int


@dataclass(frozen=True, kw_only=True)
class Ask(Query[Answer]):
    kind = "test-ask"
    n: int = 0

    def asks(self):
        return msg("test")

    def observe(self, host):
        return Answer(n=self.n)


@dataclass(frozen=True, kw_only=True)
class Hang(Ask):
    kind = "test-hang"
    deadline = 0.3

    def observe(self, host):
        time.sleep(30)


@dataclass(frozen=True, kw_only=True)
class Longer(Hang):
    kind = "test-longer"
    deadline = 20.0


@dataclass(frozen=True, kw_only=True)
class Raises(Ask):
    kind = "test-raises"
    error: type[BaseException] = KeyError

    def observe(self, host):
        raise self.error("boom")


@dataclass(frozen=True, kw_only=True)
class Far(Ask):
    kind = "test-far"
    reach = Reach.NETWORK


@dataclass(frozen=True, kw_only=True)
class Alone(Ask):
    kind = "test-alone"
    exclusive = True

    def observe(self, host):
        others = [
            t.name
            for t in threading.enumerate()
            if t.name in ("test-ask", "test-alone") and t is not threading.current_thread()
        ]
        assert not others, others
        return Answer(n=self.n)


class Demand(Requirement):
    kind = "test"
    ask: tuple[Query, ...] = ()
    follow: tuple[Query, ...] = ()

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def wanted(self):
        return msg("test")

    def queries(self, known):
        chain = list(self.follow)
        out = list(self.ask)
        for before, after in zip([*self.ask[:1], *chain], chain, strict=False):
            if before in known:
                out.append(after)
        return out

    def judge(self, evidence):
        return met(wanted=msg("test"), seen=msg("test"), because=msg("test"))


def demand(*ask, follow=()):
    return Demand(**header(), ask=ask, follow=tuple(follow))


def gather(items, **options):
    return {o.query: o for o in collect(items, lambda _seconds: None, **options)}


def test_where_only_this_machine_is_to_be_asked_no_other_one_is():
    seen = gather([demand(Far(n=1)), demand(Ask(n=2), follow=[Far(n=3)])], network=False)
    assert seen[Far(n=1)].result == seen[Far(n=3)].result == Unseen(Reason.NOT_ASKED, "--network")
    assert seen[Ask(n=2)].result == Seen(Answer(n=2))
    assert gather([demand(Far(n=1))], network=True)[Far(n=1)].result == Seen(Answer(n=1))


def test_equal_questions_are_asked_once():
    seen = list(collect([demand(Ask(n=1), Ask(n=2)), demand(Ask(n=1))], lambda _s: None))
    assert sorted(o.query.n for o in seen) == [1, 2]


def test_hung_questions_do_not_wait_for_each_other():
    @dataclass(frozen=True, kw_only=True)
    class HangN(Hang):
        i: int

    began = time.monotonic()
    seen = gather([demand(*(HangN(i=i) for i in range(100)), Ask(n=1))])
    assert len(seen) == 101
    assert time.monotonic() - began < 1.3
    assert seen[HangN(i=99)].result == Unseen(Reason.TIMEOUT, "0.3 s")
    assert seen[Ask(n=1)].result == Seen(Answer(n=1))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError, Reason.DENIED),
        (NotImplementedError, Reason.UNSUPPORTED),
        (TimeoutError, Reason.TIMEOUT),
        (KeyError, Reason.CRASHED),
        (SystemExit, Reason.CRASHED),
        (RecursionError, Reason.CRASHED),
        (MemoryError, Reason.CRASHED),
    ],
)
def test_what_is_raised_becomes_a_reason(error, reason):
    seen = gather([demand(Raises(error=error), Ask(n=3))])
    assert seen[Raises(error=error)].result.reason is reason
    assert seen[Ask(n=3)].result == Seen(Answer(n=3))


class TooManyFiles(OSError):
    def __init__(self, _text):
        super().__init__(errno.EMFILE, "Too many open files")


class NoMemory(OSError):
    def __init__(self, _text):
        super().__init__(errno.ENOMEM, "Cannot allocate memory")


LIMIT = "a limit of this process, of its control group or of the machine was reached: "


class Broken(OSError):
    def __init__(self, _text):
        super().__init__(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (TooManyFiles, Reason.UNSUPPORTED, LIMIT + "[Errno 24] Too many open files"),
        (NoMemory, Reason.UNSUPPORTED, LIMIT + "[Errno 12] Cannot allocate memory"),
        (Broken, Reason.CRASHED, "Broken: [Errno 5] Input/output error"),
    ],
)
def test_a_limit_of_the_process_is_no_crash(error, reason, words):
    told: list[BaseException] = []
    seen = gather([demand(Raises(error=error))], on_crash=told.append)
    assert seen[Raises(error=error)].result == Unseen(reason, words)
    assert len(told) == (reason is Reason.CRASHED)


def test_what_nobody_foresaw_is_told_for_the_log():
    told: list[BaseException] = []
    gather([demand(Raises(error=KeyError), Raises(error=PermissionError), Ask(n=1))], on_crash=told.append)
    assert [type(error) for error in told] == [KeyError]


def test_follow_ups_start_with_the_answer_and_not_with_the_wave():
    began = time.monotonic()
    # two hung questions of 0.3 s: one at the start, one as a follow-up of an answer that comes at once
    seen = gather([demand(Hang(n=1)), demand(Ask(n=1), follow=[Hang(n=2)])])
    assert seen[Hang(n=2)].result == Unseen(Reason.TIMEOUT, "0.3 s")
    assert time.monotonic() - began < 0.55


def test_at_most_three_rounds():
    chain = [Ask(n=i) for i in range(2, 7)]
    seen = gather([demand(Ask(n=1), follow=chain)])
    assert [seen[Ask(n=i)].result for i in (1, 2, 3)] == [Seen(Answer(n=i)) for i in (1, 2, 3)]
    assert seen[Ask(n=4)].result == Unseen(Reason.NOT_ASKED, "more than 3 rounds")
    assert Ask(n=5) not in seen


def test_exclusive_questions_run_alone():
    seen = gather([demand(Alone(n=1), Alone(n=2), *(Ask(n=i) for i in range(20)))])
    assert seen[Alone(n=1)].result == Seen(Answer(n=1))
    assert seen[Alone(n=2)].result == Seen(Answer(n=2))


def test_of_other_models_only_the_local_questions_are_put():
    seen = gather([demand(Ask(n=1))], also=[demand(Far(n=2), Ask(n=3), Alone(n=4))])
    assert set(seen) == {Ask(n=1), Ask(n=3)}


def test_the_deadline_of_the_whole_run():
    began = time.monotonic()
    seen = gather([demand(Longer(), Alone(n=1), Ask(n=1))], deadline=0.4)
    assert 0.3 < time.monotonic() - began < 0.8
    assert seen[Longer()].result == Unseen(Reason.TIMEOUT, "--deadline 0.4")
    assert seen[Alone(n=1)].result == Unseen(Reason.NOT_ASKED, "--deadline 0.4")
    assert seen[Ask(n=1)].result == Seen(Answer(n=1))


def test_a_stop_keeps_what_was_answered():
    stop = Stop()
    threading.Timer(0.2, stop.set, ["SIGINT"]).start()
    began = time.monotonic()
    seen = gather([demand(Longer(), Alone(n=1), Ask(n=1))], stop=stop)
    assert time.monotonic() - began < 0.7
    assert seen[Longer()].result == Unseen(Reason.CANCELLED, "SIGINT")
    assert seen[Alone(n=1)].result == Unseen(Reason.CANCELLED, "SIGINT")
    assert seen[Ask(n=1)].result == Seen(Answer(n=1))


def test_a_requirement_that_cannot_ask_does_not_stop_the_others():
    class Broken(Demand):
        kind = "broken"

        def queries(self, known):
            raise KeyError("x")

    assert set(gather([Broken(**header()), demand(Ask(n=1))])) == {Ask(n=1)}


def test_progress_is_told_before_each_question():
    started: list[Started] = []
    answers: list[Observation] = list(collect([demand(Ask(n=1), Ask(n=2))], lambda _s: None, on_start=started.append))
    assert {s.query for s in started} == {a.query for a in answers}
    assert all(a.took_s >= 0 for a in answers)


# ---- questions that write


@dataclass(frozen=True, kw_only=True)
class Writing(Ask):
    kind = "test-writing"
    active = True

    def writes(self):
        return msg("test")


@dataclass(frozen=True, kw_only=True)
class WritingSlowly(Hang):
    kind = "test-writing-slowly"
    deadline = 20.0
    exclusive = True
    active = True


def test_what_writes_is_put_only_where_that_was_allowed():
    seen = gather([demand(Writing(n=1), Ask(n=1))])
    assert seen[Writing(n=1)].result == Unseen(Reason.NOT_ASKED, "--active")
    assert seen[Ask(n=1)].result == Seen(Answer(n=1))
    assert gather([demand(Writing(n=1))], active=True)[Writing(n=1)].result == Seen(Answer(n=1))


def test_what_follows_from_a_question_that_was_not_allowed_is_not_asked():
    assert set(gather([demand(Writing(n=1), follow=[Ask(n=2)])])) == {Writing(n=1)}


def test_what_writes_is_not_started_either():
    started: list[Started] = []
    gather([demand(Writing(n=1))], on_start=started.append)
    assert started == []


@pytest.mark.parametrize("active", [False, True])
def test_what_writes_is_never_put_for_another_operating_model(active):
    assert set(gather([demand(Ask(n=1))], also=[demand(Writing(n=2), Ask(n=3))], active=active)) == {
        Ask(n=1),
        Ask(n=3),
    }


def test_the_deadline_of_the_run_ends_what_writes():
    began = time.monotonic()
    seen = gather([demand(WritingSlowly(), Ask(n=1))], active=True, deadline=0.4)
    assert time.monotonic() - began < 0.8
    assert seen[WritingSlowly()].result == Unseen(Reason.TIMEOUT, "--deadline 0.4")
    assert seen[Ask(n=1)].result == Seen(Answer(n=1))
