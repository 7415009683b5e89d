"""``make lab REPEAT=20``: every case of the lab many times, and a table of the answers that were wrong or differed.

python -m lab.repeat TIMES [PATTERN]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from lab.conftest import AT_ONCE
from lab.station import station
from lab.table import ROWS
from lab.verdict import Outcome, cases, examine


def main(times: int, pattern: str = "*") -> int:
    """Run everything; return the exit code."""
    chosen = [case for case in cases(ROWS) if fnmatch(case.id, pattern)]
    if not chosen:
        print(f"no case fits {pattern!r}: wanted the beginning of an id, for example 'tls-*'")
        return 2
    rows = tuple({case.row.id: case.row for case in chosen}.values())
    seen: dict[str, list[Outcome]] = {case.id: [] for case in chosen}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vorflug-lab-") as folder, station(Path(folder), rows) as lab:
        print(f"{len(chosen)} cases of {len(rows)} rows, {times} times; started after {time.monotonic() - began:.1f} s")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            order = sorted(chosen, key=lambda case: -case.row.deadline)
            try:
                for number in range(times):
                    started = time.monotonic()
                    runs = [
                        (case, pool.submit(examine, lab, case, prove=not number, page=not number, thorough=True))
                        for case in order
                    ]
                    for case, run in runs:
                        seen[case.id].append(run.result())
                    print(f"round {number + 1}: {time.monotonic() - started:.1f} s", flush=True)
            finally:
                pool.shutdown(cancel_futures=True)  # after Ctrl-C nobody wants the rest
    return _table(seen, times)


def _table(seen: dict[str, list[Outcome]], times: int) -> int:
    bad = 0
    for case, outcomes in seen.items():
        answers = Counter(outcome.answer for outcome in outcomes)
        wrong = Counter(text for outcome in outcomes for text in outcome.wrong)
        if len(answers) == 1 and not wrong:
            continue
        bad += 1
        print(f"\n{case}: " + ", ".join(f"{count} × {answer or '(none)'}" for answer, count in answers.most_common()))
        for text, count in wrong.most_common(4):
            print(f"    {count} × {' '.join(text.split())[:500]}")
    slowest = max(outcome.took_s for outcomes in seen.values() for outcome in outcomes)
    print(
        f"\n{len(seen) * times} answers; {bad} of {len(seen)} cases wrong or not always the same; slowest {slowest:.1f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:3]))
