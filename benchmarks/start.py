"""How long the program takes to start, from source and as one file, against a bare interpreter; and the file's size.

One row per command: the median of several whole processes (RUNS, 9 by default), and its ratio to ``python -c pass`` in
the same run.  A ratio outlives the machine it was measured on; seconds do not.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("VORFLUG_BINARY") or ROOT / "dist" / "vorflug")
RUNS = int(os.environ.get("RUNS", "9"))
COMMANDS = (("--version",), ("--help",), ("verify", "--help"), ("profile", "show"), ("plan",))


def median(command: list[str]) -> float:
    """Wall seconds of a whole process: one to warm up, then RUNS.  Raises CalledProcessError."""
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def main() -> None:
    base = median([sys.executable, "-c", "pass"])
    rows = [("python -c pass", base)]
    programs = {"source": [sys.executable, "-m", "vorflug.cli"]}
    if BINARY.exists():
        programs["binary"] = [str(BINARY)]
    for name, program in programs.items():
        rows += [(f"{name} {' '.join(arguments)}", median([*program, *arguments])) for arguments in COMMANDS]
    for name, seconds in rows:
        print(f"{name:24} {seconds:7.3f} s {seconds / base:7.1f} x")
    if BINARY.exists():
        size = BINARY.stat().st_size
        # something whose size everybody can look up on the same machine
        known = Path(shutil.which("git") or sys.executable).resolve()
        print(f"{'binary size':24} {size / 1e6:7.1f} MB {size / known.stat().st_size:6.1f} x {known.name}")
    else:
        print(f"no binary at {BINARY}: make binary")


if __name__ == "__main__":
    main()
