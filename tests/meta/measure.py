"""Runs mirror tests and tells, for each area, what its own test covers.  ``python measure.py OUT.json AREA...``.

One process for many areas, because starting Python and pytest costs more than most of the tests.  Coverage notes for
which file each line ran; what runs when an area is imported counts for it, what another area's test runs does not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
_IMPORT = "import"


def area_file(area: str) -> Path:
    """The file that is measured."""
    return ROOT / "src" / "vorflug" / "areas" / f"{area}.py"


def mirror(area: str) -> Path:
    """The test that must cover it."""
    return ROOT / "tests" / "areas" / f"test_{area}.py"


class _Contexts:
    """A pytest plugin: says whose test runs, also while a test file is imported."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self._current = ""

    def _switch(self, path: Path) -> None:
        if path.name != self._current:
            self._current = path.name
            self._measured.switch_context(path.name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> None:
        if isinstance(collector, pytest.Module):
            self._switch(collector.path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self._switch(item.path)


def measure(areas: list[str]) -> dict[str, dict[str, object]]:
    """Percent of statements and the missing lines, for each area."""
    measured = coverage.Coverage(
        data_file=None, config_file=False, include=[str(area_file(a)) for a in areas], messages=False
    )
    measured.start()
    measured.switch_context(_IMPORT)
    from vorflug.engine import registry

    registry.load()
    tests = [str(mirror(a)) for a in areas if mirror(a).exists()]
    pytest.main(["-q", "-p", "no:cacheprovider", *tests], plugins=[_Contexts(measured)])
    measured.stop()
    data = measured.get_data()
    found: dict[str, dict[str, object]] = {}
    for area in areas:
        _, statements, _, _, _ = measured.analysis2(str(area_file(area)))
        ran = {
            line
            for line, contexts in data.contexts_by_lineno(str(area_file(area))).items()
            if {_IMPORT, mirror(area).name} & set(contexts)
        }
        missing = sorted(set(statements) - ran)
        found[area] = {"percent": 100 * (1 - len(missing) / len(statements)), "missing": missing}
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(measure(sys.argv[2:])), encoding="utf-8")
