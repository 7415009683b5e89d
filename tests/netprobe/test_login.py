"""A login is sent as often as it is needed once it is proved good, and twice at most until then."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.login import AT_MOST, Came, Logins

ACCEPTED, REJECTED, OPEN, BEFORE, SPENT = Came


def trying(logins, came, target="", login="x", seconds=5):
    """What comes of one attempt, and whether the login was sent."""
    sent = []

    def put(may_send):
        assert may_send()
        sent.append(1)
        return came

    return logins.attempt(login, Deadline(seconds), put, target), len(sent)


def many(came, targets, count=10):
    logins, sent, answers = Logins(), [], []

    def put(may_send):
        assert may_send()
        sent.append(1)
        time.sleep(0.01)
        return came

    threads = [
        threading.Thread(target=lambda t=target: answers.append(logins.attempt("x", Deadline(5), put, t)))
        for target in targets(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return len(sent), Counter(answers)


def one(count):
    return ["t"] * count


def none(count):
    return [""] * count


def each(count):
    return [f"t{n}" for n in range(count)]


@pytest.mark.parametrize(
    ("came", "targets", "sent", "answers"),
    [
        (ACCEPTED, none, 10, {ACCEPTED: 10}),
        (ACCEPTED, each, 10, {ACCEPTED: 10}),
        (REJECTED, none, 1, {REJECTED: 1, BEFORE: 9}),
        (REJECTED, one, 1, {REJECTED: 1, BEFORE: 9}),
        (REJECTED, each, 2, {REJECTED: 2, BEFORE: 8}),
        (OPEN, none, 2, {OPEN: 2, SPENT: 8}),
        (OPEN, each, 2, {OPEN: 2, SPENT: 8}),
    ],
)
def test_many_at_the_same_time(came, targets, sent, answers):
    assert many(came, targets) == (sent, answers)


def test_each_login_has_its_own_count():
    logins = Logins()
    assert trying(logins, REJECTED, login="a") == (REJECTED, 1)
    assert trying(logins, ACCEPTED, login="b") == (ACCEPTED, 1)
    assert (logins.is_good("a"), logins.is_good("b"), logins.is_good("c")) == (False, True, False)


def test_a_rejection_of_a_login_that_was_accepted_is_about_its_target_alone():
    logins = Logins()
    assert trying(logins, ACCEPTED, "ok") == (ACCEPTED, 1)
    assert trying(logins, REJECTED, "denied") == (REJECTED, 1)
    assert trying(logins, REJECTED, "denied") == (BEFORE, 0)
    assert trying(logins, REJECTED, "denied too") == (REJECTED, 1)
    assert trying(logins, ACCEPTED, "ok too") == (ACCEPTED, 1)


@pytest.mark.parametrize(("second", "third"), [(ACCEPTED, (ACCEPTED, 1)), (REJECTED, (BEFORE, 0)), (OPEN, (BEFORE, 0))])
def test_after_a_rejection_one_more_target_is_tried(second, third):
    logins = Logins()
    assert trying(logins, REJECTED, "denied") == (REJECTED, 1)
    assert trying(logins, ACCEPTED, "denied") == (BEFORE, 0)
    assert trying(logins, second, "other") == (second, 1)
    assert trying(logins, ACCEPTED, "third") == third


def test_within_one_turn_the_requests_are_counted_too():
    allowed = []

    def put(may_send):
        allowed.extend(may_send() for _ in range(4))
        return OPEN

    logins = Logins()
    assert logins.attempt("x", Deadline(1), put) is OPEN
    assert allowed == [True] * AT_MOST + [False] * (4 - AT_MOST)
    assert trying(logins, ACCEPTED) == (SPENT, 0)


def test_waiting_ends_with_the_deadline():
    logins, entered, go = Logins(), threading.Event(), threading.Event()

    def slow(may_send):
        entered.set()
        return ACCEPTED if may_send() and go.wait(5) else OPEN

    first = threading.Thread(target=logins.attempt, args=("x", Deadline(9), slow))
    first.start()
    assert entered.wait(5)
    with pytest.raises(Silent):
        trying(logins, ACCEPTED, seconds=0.1)
    go.set()
    first.join(5)


@pytest.mark.parametrize(("sends", "then"), [(False, (ACCEPTED, 1)), (True, (SPENT, 0))])
def test_a_try_that_fails_counts_where_the_login_was_sent(sends, then):
    logins = Logins()

    def put(may_send):
        assert not sends or may_send()
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            logins.attempt("x", Deadline(1), put)
    assert trying(logins, ACCEPTED) == then
