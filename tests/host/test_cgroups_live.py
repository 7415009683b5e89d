"""A quota and a limit in an ancestor cgroup of this machine, in whichever version it has: really made, really asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.program import profile, vorflug
from vorflug.host import mounts
from vorflug.host.live.files import LiveFiles

OUTER = f"vorflug-test-{os.getpid()}"
LIMIT = 512 * 2**20


@dataclass(frozen=True)
class Hierarchy:
    """Where a controller's groups of this machine can be made."""

    top: Path
    below: str
    """The kernel's name of *top*."""
    v1: bool


def hierarchy(controller: str) -> Hierarchy:
    """The hierarchy that holds *controller*, or a skip with the reason."""
    for mount in mounts.read(LiveFiles()):
        root = "" if mount.root == "/" else mount.root
        if mount.kind == "cgroup" and controller in mount.options:
            return Hierarchy(Path(mount.point), root, v1=True)
        if mount.kind == "cgroup2" and controller in _words(Path(mount.point) / "cgroup.controllers"):
            if controller not in _words(Path(mount.point) / "cgroup.subtree_control"):
                pytest.skip(f"the root of the cgroup tree does not hand {controller} down")
            return Hierarchy(Path(mount.point), root, v1=False)
    pytest.skip(f"no cgroup hierarchy with {controller} is mounted here")


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


@contextmanager
def nested(where: Hierarchy, controller: str, settings: dict[str, str]) -> Iterator[Path]:
    """A group with *settings*, two more in it, the innermost given; all removed afterwards."""
    outer = where.top / OUTER
    inner = outer / "middle" / "inner"
    try:
        inner.mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error.strerror}")
    try:
        if not where.v1:
            for group in (outer, outer / "middle"):
                (group / "cgroup.subtree_control").write_text(f"+{controller}")
        for name, value in settings.items():
            (outer / name).write_text(value)
        yield inner
    finally:
        for group in (inner, inner.parent, outer):
            group.rmdir()


def seen_by_the_program(folder: Path, group: Path, kind: str, **demand: object) -> tuple[dict[str, Any], str, str]:
    """The fact, the outcome and what was seen, of a run by a member of *group*."""
    asked = profile(folder, (kind, demand))
    # the shell joins before anything of ours starts
    join = ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group))
    ended = vorflug("run", "--profile", asked, out=folder, home=folder, wrapper=join, timeout=120.0)
    assert ended.code in {0, 3}, ended
    (finding,) = ended.report["findings"]
    (fact,) = ended.report["facts"]
    return fact["fact"], finding["outcome"], finding["seen"]["en"]


@pytest.mark.tier("root")
def test_a_quota_three_groups_up_is_what_may_be_used(tmp_path):
    where = hierarchy("cpu")
    allowed, period = 75000, 100000
    settings = (
        {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(allowed)}
        if where.v1
        else {"cpu.max": f"{allowed} {period}"}
    )
    with nested(where, "cpu", settings) as inner:
        fact, outcome, seen = seen_by_the_program(tmp_path, inner, "cpu_cores", at_least=1)
    assert (fact["quota"], fact["quota_by"]) == (0.75, f"{where.below}/{OUTER}")
    assert fact["affinity"] == len(os.sched_getaffinity(0))
    assert outcome == "unmet"
    assert seen.startswith(f"0.7 CPUs (quota of cgroup {where.below}/{OUTER}; the machine has {fact['online']})")
    assert not (where.top / OUTER).exists()


@pytest.mark.tier("root")
def test_a_memory_limit_three_groups_up_is_what_may_be_used(tmp_path):
    where = hierarchy("memory")
    name = "memory.limit_in_bytes" if where.v1 else "memory.max"
    with nested(where, "memory", {name: str(LIMIT)}) as inner:
        fact, outcome, seen = seen_by_the_program(tmp_path, inner, "memory", at_least="1 GB")
    assert (fact["limit_bytes"], fact["limited_by"]) == (LIMIT, f"{where.below}/{OUTER}")
    assert outcome == "unmet"
    assert seen.startswith(f"512 MiB (limited by cgroup {where.below}/{OUTER}; the machine has ")
    assert not (where.top / OUTER).exists()
