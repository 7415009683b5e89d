"""Every area file is covered by its own mirror test alone: what another test happens to run does not count."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vorflug.engine import registry

ROOT = Path(__file__).resolve().parent.parent.parent
MEASURE = Path(__file__).with_name("measure.py")
LEAST = 95.0
"""Percent of an area's statements.  What is left are branches for machines that the tests do not have."""
PROCESSES = 2


def _measure(areas: tuple[str, ...], out: Path) -> dict[str, tuple[float, list[int], str]]:
    done = subprocess.run(
        [sys.executable, str(MEASURE), str(out), *areas], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(out.read_text(encoding="utf-8"))
    return {area: (one["percent"], one["missing"], done.stdout[-2000:]) for area, one in found.items()}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    shares = [registry.names()[start::PROCESSES] for start in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(_measure, shares, [folder / f"{n}.json" for n in range(PROCESSES)]))
    return {area: one for share in found for area, one in share.items()}


@pytest.mark.parametrize("area", registry.names())
def test_area_is_covered_by_its_own_test(area, measured):
    percent, missing, output = measured[area]
    assert percent >= LEAST, f"{area}: {percent:.0f} % covered, lines {missing} are not\n{output}"


def test_what_another_test_runs_does_not_count(tmp_path):
    """The measurement itself: without its own test, an area is covered by nothing but its import."""
    script = (
        f"import sys; sys.path.insert(0, {str(MEASURE.parent)!r}); import measure\n"
        "real = measure.mirror\n"
        "measure.mirror = lambda area: real(area if area != 'sysctl' else 'memory')\n"
        "found = measure.measure(['memory', 'sysctl'])\n"
        "assert found['memory']['percent'] > 90, found\n"
        "assert 0 < found['sysctl']['percent'] < 90, found\n"
        "assert found['sysctl']['missing'], found\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
