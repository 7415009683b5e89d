"""Signals, each in a process of its own: the handlers end it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

START = """
import os, signal, sys, time
from pathlib import Path
from vorflug.cli import interrupts
interrupts.arm()
interrupts.say("ended early")
me = os.getpid()
def hit(number=signal.SIGINT):
    os.kill(me, number)
    time.sleep(0.01)
"""


def _run(code, **settings):
    return subprocess.run(
        [sys.executable, "-c", START + code], capture_output=True, text=True, timeout=20, check=False, **settings
    )


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_ends_the_process_with_130_after_undoing(tmp_path, number):
    code = f"""
half = Path({str(tmp_path / "half")!r})
half.write_text("x")
with interrupts.undoing(half.unlink):
    hit(signal.{number})
print("not reached")
"""
    done = _run(code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "ended early\n")
    assert not (tmp_path / "half").exists()


def test_what_is_over_is_not_undone(tmp_path):
    code = f"""
whole = Path({str(tmp_path / "whole")!r})
whole.write_text("x")
with interrupts.undoing(whole.unlink):
    pass
hit()
"""
    assert _run(code).returncode == 130
    assert (tmp_path / "whole").exists()


def test_the_first_is_noted_and_the_second_ends_it():
    done = _run("""
with interrupts.noted(lambda name: print("noted", name, flush=True)):
    hit(signal.SIGTERM)
    print("going on", flush=True)
    hit()
print("not reached")
""")
    assert (done.returncode, done.stdout) == (130, "noted SIGTERM\ngoing on\n")


def test_afterwards_one_ends_it_again():
    done = _run("""
with interrupts.noted(print):
    pass
hit()
print("not reached")
""")
    assert (done.returncode, done.stdout) == (130, "")


def test_a_file_that_is_being_written_is_finished_first():
    done = _run("""
with interrupts.held():
    hit()
    hit(signal.SIGTERM)
    print("finished", flush=True)
print("not reached")
""")
    assert (done.returncode, done.stdout, done.stderr) == (130, "finished\n", "ended early\n")


def test_what_nohup_has_ignored_stays_ignored():
    done = _run(
        "hit(signal.SIGHUP)\nprint('alive', flush=True)\nhit()",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert (done.returncode, done.stdout) == (130, "alive\n")
