"""The real kernel, and real processes with the names of clock disciplines."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import pytest

from vorflug.host.live import Patience
from vorflug.host.live.clock import LiveClock
from vorflug.ports.clock import Discipline, Keeper

AS_NOBODY = """
import ctypes, os, psutil
from vorflug.host.live import Patience
from vorflug.host.live.clock import LiveClock
os.setgroups([]); os.setgid(65534); os.setuid(65534)  # after the imports, which may lie in root's home
clock = LiveClock(Patience(10))
print(clock.kernel().max_error_s, clock.keepers().hidden)
"""


def test_the_kernel_answers_within_its_own_bounds():
    before = time.time()
    seen = LiveClock(Patience(10)).kernel()
    # the kernel caps both errors at 16 s and calls the clock unsynchronised from there on (NTP_PHASE_LIMIT)
    assert 0 <= seen.max_error_s <= 16
    assert 0 <= seen.estimated_error_s <= 16
    assert abs(seen.offset_s) <= 0.5 + 1e-9
    assert seen.unsynchronised or seen.max_error_s < 16
    assert abs(time.time() - before) < 5, "asking must not set the clock"


@pytest.mark.parametrize(
    ("name", "discipline"),
    [("chronyd", Discipline.CHRONY), ("systemd-timesyncd", Discipline.TIMESYNCD), ("ptp4l", Discipline.PTP)],
)
def test_a_running_discipline_is_found_by_name(tmp_path, name, discipline):
    program = tmp_path / name
    shutil.copy(shutil.which("sleep"), program)
    process = subprocess.Popen([program, "60"])
    try:
        keepers = LiveClock(Patience(10)).keepers()
    finally:
        process.kill()
        process.wait()
    assert Keeper(discipline, name) in keepers.running


@pytest.mark.tier("root")
def test_no_root_is_needed():
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    assert float(done.stdout.split()[0]) >= 0


def test_no_time_left_is_a_timeout():
    with pytest.raises(TimeoutError):
        LiveClock(Patience(-1)).kernel()
