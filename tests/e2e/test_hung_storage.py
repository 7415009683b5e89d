"""A file system that never answers, as behind a dead NFS server: its paths are unknown, all others are decided."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.program import HERE, Running, profile, sound, wait_for

pytestmark = pytest.mark.tier("fuse")

PER_QUESTION_S = 10
"""What a question about a file system may take."""


@pytest.fixture
def hung(tmp_path):
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder


@pytest.fixture
def rows(tmp_path, hung):
    """Rows about a folder on it, and about one beside it."""
    fine = tmp_path / "fine"
    fine.mkdir()
    on_it = str(hung / "share")
    options = ["noexec", "ro"]
    return profile(
        tmp_path,
        ("storage_inodes", {"paths": [on_it], "at_least": "1 %"}),
        ("storage_inodes", {"paths": [str(fine)], "at_least": "0 %"}),
        ("storage_mount_options", {"paths": [on_it], "forbidden": options}),
        ("storage_mount_options", {"paths": [str(fine)], "forbidden": ["a_word_that_is_no_option"]}),
        ("folder_writable", {"path": on_it, "uid": 1000, "gid": 1000}),
        ("folder_writable", {"path": str(fine), "uid": 0, "gid": 0}),
        # one row about both: what is short elsewhere is short, whatever hangs beside it
        ("storage_free", {"needs": [{"path": on_it, "at_least": "1 B"}, {"path": str(fine), "at_least": "900 TB"}]}),
        ("storage_free", {"needs": [{"path": on_it, "at_least": "1 B"}, {"path": str(fine), "at_least": "1 B"}]}),
        ("memory", {"at_least": "1 B"}),
    )


HANGS = {"E2E-1", "E2E-3", "E2E-5", "E2E-8"}


def wrapper(hung: Path) -> tuple[str, ...]:
    return ("unshare", "-m", sys.executable, str(HERE / "hung_fuse.py"), str(hung))


def holders(folder: Path) -> list[str]:
    """Processes in whose mount namespace *folder* is mounted."""
    held = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if f" {folder} " in (process / "mountinfo").read_text(encoding="utf-8"):
                held.append(process.name)
    return held


def test_a_run_ends_on_time_and_names_the_path_that_hangs(tmp_path, hung, rows):
    arguments = ["run", "--profile", rows]
    running = Running(arguments, out=tmp_path / "out", home=tmp_path, wrapper=wrapper(hung))
    wait_for(lambda: holders(hung) != [])
    ended = running.wait(45)
    assert holders(hung) == [], "the mount outlived the run"
    assert PER_QUESTION_S <= ended.took_s < PER_QUESTION_S + 8, "the file system did not hang, or the run did"
    assert ended.code == 3, ended.err
    findings = {f["id"]: f for f in ended.report["findings"]}
    assert {f["reason"] for f in findings.values() if f["id"] in HANGS} == {"unseen.timeout"}
    for id_, finding in findings.items():
        if id_ in HANGS:
            assert finding["outcome"] == "unknown"
            assert f"{hung}/share" in finding["because"]["en"]
        else:
            assert finding["outcome"] == ("unmet" if id_ == "E2E-7" else "met"), finding
    assert f"{hung}/share could not be looked at" in findings["E2E-7"]["seen"]["en"]
    assert set(ended.unseen()) == {"timeout"}
    sound(ended)


def test_collecting_ends_at_its_deadline(tmp_path, hung, rows):
    facts = tmp_path / "facts.json"
    arguments = ["collect", "--profile", rows, "--deadline", "3", "--out", facts]
    began = time.monotonic()
    ended = Running(arguments, home=tmp_path, wrapper=wrapper(hung)).wait(30)
    assert 3 <= time.monotonic() - began < 10
    assert ended.code == 0, ended.err
    seen = {json.dumps(row["query"]): row for row in json.loads(facts.read_bytes())["facts"]}
    hanging = [row for query, row in seen.items() if f"{hung}/" in query]
    assert hanging and all(row["unseen"]["reason"] == "timeout" for row in hanging)
    assert all(row["unseen"] is None for query, row in seen.items() if f"{hung}/" not in query), seen
