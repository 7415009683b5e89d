from __future__ import annotations

import io
import os
import pty
import re
import select
from time import monotonic, sleep

import pytest

from vorflug.cli.progress import SEEN, Progress
from vorflug.model.message import Message, msg
from vorflug.model.query import Reason

MEMORY = msg("How much memory is there, and does a cgroup limit it?")
HOSTILE = msg("Does {name} resolve?", name="\x1b[31m\u202e<script>")


def test_where_there_is_no_terminal_each_answer_is_one_plain_line():
    log = io.StringIO()
    with Progress(2, "en", log) as progress:
        progress.started(MEMORY)
        progress.started(HOSTILE)
        progress.answered(MEMORY, SEEN, 0.25)
        progress.answered(HOSTILE, Reason.TIMEOUT, 5.0)
    assert log.getvalue().splitlines() == [
        "[1/2] How much memory is there, and does a cgroup limit it? - answered in 250 ms",
        "[2/2] Does \\u001b[31m\\u202e<script> resolve? - could not look: no answer in time, after 5 s",
    ]


def test_in_german():
    log = io.StringIO()
    with Progress(1, "de", log) as progress:
        progress.answered(MEMORY, Reason.DENIED, 1.5)
    assert "nicht feststellbar" in log.getvalue() and "1,5 s" in log.getvalue()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason):
    assert isinstance(Progress(1, "en", io.StringIO()).why(reason.value), Message)


def test_follow_up_questions_raise_the_total():
    log = io.StringIO()
    with Progress(1, "en", log) as progress:
        for _ in range(3):
            progress.started(MEMORY)
        for _ in range(3):
            progress.answered(MEMORY, SEEN, 0.1)
    assert [line.split()[0] for line in log.getvalue().splitlines()] == ["[1/3]", "[2/3]", "[3/3]"]


class _Full(io.StringIO):
    def write(self, _text):
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_does_not_end_the_run():
    with Progress(1, "en", _Full()) as progress:
        progress.answered(MEMORY, SEEN, 0.1)


def _on_a_terminal(monkeypatch, **environment) -> str:
    """What a real terminal gets to see while one question hangs."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        with Progress(2, "en", stream) as progress:
            progress.started(MEMORY)
            progress.started(HOSTILE)
            progress.answered(MEMORY, SEEN, 0.1)
            ends = monotonic() + 5
            seen = b""
            while b"resolve?" not in seen and b"resolve" not in seen and monotonic() < ends:
                if select.select([ours], [], [], 0.1)[0]:
                    seen += os.read(ours, 65536)
                sleep(0.01)
        stream.flush()
        while select.select([ours], [], [], 0.1)[0]:
            seen += os.read(ours, 65536)
    os.close(ours)
    return seen.decode()


def test_on_a_terminal_a_hanging_question_is_named_and_all_is_wiped_at_the_end(monkeypatch):
    text = _on_a_terminal(monkeypatch)
    assert "1 of 2 answered" in text and "resolve" in text
    assert "\u202e" not in text and "\x1b[31m\\u202e" not in text and "\\u001b[31m\\u202e<script>" in text
    assert "How much memory" not in text
    # the cursor is shown again, and the line that named the question is erased
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0
    assert "\x1b[2K" in text[text.rfind("resolve") :]


def test_no_color_leaves_the_bar_and_takes_the_colours(monkeypatch):
    text = _on_a_terminal(monkeypatch, NO_COLOR="1")
    assert "1 of 2 answered" in text
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;[0-9;]+)m", text)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    log = io.StringIO()
    log.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setenv("TERM", "dumb")
    with Progress(1, "en", log) as progress:
        progress.answered(MEMORY, SEEN, 0.1)
    assert "\x1b" not in log.getvalue() and log.getvalue().startswith("[1/1]")
