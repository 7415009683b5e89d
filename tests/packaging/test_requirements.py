"""The pinned requirements cover what pyproject.toml names, with hashes, and name no place to get them from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
SETS = {"run": [], "dev": EXTRAS["dev"], "binary": EXTRAS["binary"]}


def pinned(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)\s*(?:;[^-]*)?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", line)
        assert match, f"wanted NAME==VERSION with hashes, saw {line[:120]}"
        found[canonicalize_name(match[1])] = match[2]
    return found


@pytest.mark.parametrize("name", SETS)
def test_every_dependency_is_pinned_within_its_bounds(name):
    pins = pinned(name)
    for text in [*PROJECT["dependencies"], *SETS[name]]:
        wanted = Requirement(text)
        assert canonicalize_name(wanted.name) in pins, f"requirements/{name}.txt lacks {wanted}: run `make pins`"
        version = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{wanted} is pinned to {version}: run `make pins`"


def test_one_version_in_all_sets():
    versions = {}
    for name in SETS:
        for package, version in pinned(name).items():
            assert versions.setdefault(package, version) == version, f"{package} differs in requirements/{name}.txt"


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda p: p.name)
def test_no_place_is_named(path):
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", path.read_text(encoding="utf-8"))
