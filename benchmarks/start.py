"""How long the program takes to start, against a bare interpreter in the same run; and the binary's size.

Prints one row per command: the median of several whole processes, and its ratio to ``python -c pass``.
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
BINARY = ROOT / "dist" / "vorflug"
RUNS = int(os.environ.get("RUNS", "9"))
GIT = Path(shutil.which("git") or sys.executable).resolve()
"""Something of known size to set the binary against."""


def median(command: list[str]) -> float:
    """Wall seconds of a whole process; one warm-up, then RUNS."""
    times = []
    for run in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if run:
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    base = median([sys.executable, "-c", "pass"])
    print(f"python -c pass               {base:6.3f} s   1.0")
    programs = {"source": [sys.executable, "-m", "vorflug.cli"]}
    if BINARY.exists():
        programs["binary"] = [str(BINARY)]
    for name, program in programs.items():
        for arguments in (["--version"], ["--help"], ["profile", "show"], ["plan"]):
            took = median([*program, *arguments])
            print(f"{name} {' '.join(arguments):21} {took:6.3f} s   {took / base:.1f}")
    if BINARY.exists():
        size = BINARY.stat().st_size
        print(
            f"binary size                  {size / 1e6:6.1f} MB  {size / Path(shutil.which('git') or sys.executable).resolve().stat().st_size:.1f} x git"
        )


if __name__ == "__main__":
    main()
