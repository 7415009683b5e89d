"""What Ctrl-C, a service manager and a lost session do: SIGINT, SIGTERM and SIGHUP.

No exception is thrown into whatever happens to run: an import or a finaliser would lose it, or print a trace.  Before
and beside a collection the process ends at once, after tidying up.  During one the first signal is noted, so that what
was answered is judged and written; the second ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"
"""DECTCEM of ECMA-48's private modes: a progress display may have hidden it."""

_ECHO_S = 0.5 if getattr(sys, "frozen", False) else 0.0
"""Seconds in which the same signal is not a second one: the one-file program is two processes, and the first hands on
to the second what a terminal has sent to both (PyInstaller manual, option --bootloader-ignore-signals)."""

_undo: list[Callable[[], None]] = []
_last_words = ""
# a mask would not do: another thread takes the signal, and Python still runs the handler in the main one
_holding = False
_wanted = False


def arm() -> None:
    """Let every one of the signals end the process with 130."""
    for number in _numbers():
        signal.signal(number, end_now)


def say(last_words: str) -> None:
    """What stderr gets to read when the process is ended."""
    global _last_words  # noqa: PLW0603 - signal handlers belong to the process
    _last_words = last_words


def end_now(_number: int, _frame: FrameType | None) -> None:
    """The handler that ends the process: what was half done is undone."""
    global _wanted  # noqa: PLW0603 - as above
    if _holding:
        _wanted = True
        return
    for undo in reversed(_undo):
        with suppress(Exception):
            undo()
    said = f"{_last_words}\n".encode() if _last_words else b""
    with suppress(OSError):
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + said)
    os._exit(INTERRUPTED)


@contextmanager
def undoing(undo: Callable[[], None]) -> Iterator[None]:
    """*undo* is called where the process is ended within this."""
    _undo.append(undo)
    try:
        yield
    finally:
        _undo.remove(undo)


@contextmanager
def noted(note: Callable[[str], None]) -> Iterator[None]:
    """The first signal within this only calls *note* with its name; the second ends the process."""
    named = None

    def handle(number: int, frame: FrameType | None) -> None:
        # a flag, not another handler: signal.signal() itself runs the handlers of what is pending
        nonlocal named
        now = time.monotonic()
        if named is None:
            named = (number, now)
            note(signal.Signals(number).name)
        elif named[0] != number or now - named[1] >= _ECHO_S:
            end_now(number, frame)

    before = {number: signal.getsignal(number) for number in _numbers()}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def held() -> Iterator[None]:
    """The end waits until this is over: for the few milliseconds in which a file is written and renamed."""
    global _holding  # noqa: PLW0603 - as above
    _holding = True
    try:
        yield
    finally:
        _holding = False
        if _wanted:
            end_now(signal.SIGINT, None)


def _numbers() -> list[signal.Signals]:
    # nohup(1) has SIGHUP ignored, and a background job of a shell SIGINT: that stays
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
