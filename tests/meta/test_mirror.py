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
LEAST = 95.0
"""Percent of an area's statements.  What is left are branches for machines that the tests do not have."""


def _measure(area: str, folder: Path) -> tuple[float, list[int], str]:
    data, report = folder / f"{area}.data", folder / f"{area}.json"
    file = ROOT / "src" / "vorflug" / "areas" / f"{area}.py"
    done = subprocess.run(
        [
            sys.executable, "-m", "coverage", "run", f"--data-file={data}", f"--include={file}",
            "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "areas" / f"test_{area}.py"),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", f"--data-file={data}", "-q", "-o", str(report)], cwd=ROOT, check=True
    )
    found = next(iter(json.loads(report.read_text())["files"].values()))
    return found["summary"]["percent_statements_covered"], found["missing_lines"], done.stdout[-2000:]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    with ThreadPoolExecutor(2) as pool:
        areas = registry.names()
        return dict(zip(areas, pool.map(lambda a: _measure(a, folder), areas), strict=True))


@pytest.mark.parametrize("area", registry.names())
def test_area_is_covered_by_its_own_test(area, measured):
    percent, missing, output = measured[area]
    assert percent >= LEAST, f"{area}: {percent:.0f} % covered, lines {missing} are not\n{output}"
