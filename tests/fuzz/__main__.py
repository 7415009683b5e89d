"""``python -m fuzz [TARGET…] [--seconds N]``: each target for N seconds by libFuzzer (atheris), one after the other.

Ends with 1 where one broke; the input that did it is kept in corpus/, and every later run of the tests tries it.
"""

from __future__ import annotations

import argparse
import faulthandler
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SLOW_S = 5
"""No input may take longer: the deadline of a probe cannot interrupt a parser."""
_BYTES_AT_MOST = 20_000


def one(name, seconds):
    """Run one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["vorflug", "h11", "wsproto", "dns", "idna"]):
        from fuzz.targets import CORPUS, TARGETS, seeds

    faulthandler.enable()
    target = TARGETS[name]
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vorflug-fuzz-") as found:
        for number, seed in enumerate(seeds(name)):
            (Path(found) / f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-timeout={_SLOW_S}", f"-max_len={_BYTES_AT_MOST}", "-rss_limit_mb=700",
                   f"-artifact_prefix={kept}/", "-print_final_stats=1", found]  # fmt: skip
        atheris.Setup([sys.argv[0], *options], target)
        atheris.Fuzz()


def main():
    ask = argparse.ArgumentParser(prog="fuzz")
    ask.add_argument("targets", nargs="*")
    ask.add_argument("--seconds", type=int, default=60)
    ask.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = ask.parse_args()
    if asked.here:
        one(asked.targets[0], asked.seconds)
        return 0
    from fuzz.targets import CORPUS, TARGETS

    broken = []
    for name in asked.targets or TARGETS:
        began = time.monotonic()
        command = [sys.executable, "-m", "fuzz", name, "--here", "--seconds", str(asked.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        runs = re.search(r"number_of_executed_units: *(\d+)", done.stderr)
        print(
            f"{name:14} {runs[1] if runs else '?':>9} inputs in {time.monotonic() - began:3.0f} s: {'sound' if done.returncode == 0 else 'BROKEN'}",
            flush=True,
        )
        if done.returncode != 0:
            broken.append(name)
            print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), flush=True)
        if not any((CORPUS / name).glob("*")):
            (CORPUS / name).rmdir()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
