"""The same facts give the same bytes: no order of a set reaches a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = ROOT / "tests" / "tools" / "small_profile.yaml"


def vorflug(*arguments, seed="0"):
    done = subprocess.run(
        [sys.executable, "-m", "vorflug.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed},
    )  # fmt: skip
    assert done.returncode in (0, 3, 5), done.stderr
    return done.stdout


@pytest.mark.parametrize("profile", [SMALL, "ai-audit-assist"], ids=["small", "shipped"])
def test_hash_seeds_change_nothing(tmp_path, profile):
    facts = tmp_path / "facts.json"
    vorflug("collect", "--profile", SMALL, "--out", facts)
    said = []
    for seed in ("1", "2", "3", "4"):
        report = json.loads(vorflug("evaluate", facts, "--profile", profile, "--format", "json", seed=seed))
        report["times"].pop("evaluated")
        said.append(json.dumps(report))
    assert said[0] == said[1] == said[2] == said[3]


def test_the_plan_too():
    said = {vorflug("plan", "--profile", "ai-audit-assist", "--format", "json", seed=seed) for seed in "123"}
    assert len(said) == 1
