"""The real kernel."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from vorflug.host.live import Patience
from vorflug.host.live.clock import LiveClock

AS_NOBODY = """
import ctypes, os
from vorflug.host.live import Patience
from vorflug.host.live.clock import LiveClock
os.setgroups([]); os.setgid(65534); os.setuid(65534)  # after the imports, which may lie in root's home
print(LiveClock(Patience(10)).kernel().max_error_s)
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


@pytest.mark.tier("root")
def test_no_root_is_needed():
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 0


def test_no_time_left_is_a_timeout():
    with pytest.raises(TimeoutError):
        LiveClock(Patience(-1)).kernel()
