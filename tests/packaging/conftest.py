"""What the tests of built programs share."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {"report.json": 0o600, "report.html": 0o600, "attestation.dsse.json": 0o600, "report-key.pub": 0o644}
VERDICTS = (0, 3, 5)


@pytest.fixture(scope="session")
def small_profile() -> Path:
    """A profile that asks only this machine."""
    return ROOT / "tests" / "tools" / "small_profile.yaml"


@pytest.fixture(scope="session")
def source() -> tuple[str, ...]:
    """The command line from source."""
    return (sys.executable, "-m", "vorflug.cli")


@pytest.fixture(scope="session")
def binary() -> Path:
    """The built program; a test that asks for it belongs to the tier "binary"."""
    path = Path(os.environ.get("VORFLUG_BINARY") or "dist/vorflug").resolve()
    assert path.is_file(), f"wanted a built binary, saw none at {path}: make binary, then VORFLUG_BINARY=dist/vorflug"
    return path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose keys and temporary files lie in the test's own folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("XDG_", "VORFLUG_", "PYTHON"))}
    return {**kept, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "LANG": "C.UTF-8"}


@pytest.fixture(scope="session")
def report_of() -> Callable[[Path], dict]:
    """Reads the one report below a folder, after looking at its four files."""

    def read(folder: Path) -> dict:
        (made,) = folder.iterdir()
        assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in made.iterdir()} == FILES
        report = json.loads((made / "report.json").read_text(encoding="utf-8"))
        assert report["findings"]
        return report

    return read
