"""A rejected login is tried once in a run, an accepted one as often as it is needed."""

from __future__ import annotations

import threading
import time

import pytest

from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.login import Logins


def many(logins, accepted, count=10):
    tried, answers = [], []

    def put():
        tried.append(1)
        time.sleep(0.02)
        return accepted

    threads = [
        threading.Thread(target=lambda: answers.append(logins.attempt("x", Deadline(5), put))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return len(tried), set(answers)


def test_rejected():
    assert many(Logins(), accepted=False) == (1, {False})


def test_accepted():
    assert many(Logins(), accepted=True) == (10, {True})


def test_each_login_has_its_own_turn():
    logins = Logins()
    assert not logins.attempt("a", Deadline(1), lambda: False)
    assert logins.attempt("b", Deadline(1), lambda: True)


def test_waiting_ends_with_the_deadline():
    logins, entered, go = Logins(), threading.Event(), threading.Event()

    def slow():
        entered.set()
        return go.wait(5)

    first = threading.Thread(target=logins.attempt, args=("x", Deadline(9), slow))
    first.start()
    assert entered.wait(5)
    with pytest.raises(Silent):
        logins.attempt("x", Deadline(0.1), lambda: True)
    go.set()
    first.join(5)


def test_a_try_that_fails_otherwise_says_nothing_about_the_login():
    logins = Logins()
    with pytest.raises(OSError):
        logins.attempt("x", Deadline(1), lambda: (_ for _ in ()).throw(OSError()))
    assert logins.attempt("x", Deadline(1), lambda: True)
