"""Cases that mostly wait, run at the same time: a file of them takes as long as its longest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class SideBySide:
    """Runs *run(case)* for each of *cases* (a mapping) at once, and gives what each came to."""

    def __init__(self, run, cases):
        with ThreadPoolExecutor(len(cases)) as pool:
            self._results = {name: pool.submit(run, case) for name, case in cases.items()}

    def __getitem__(self, name):
        return self._results[name].result(0)
