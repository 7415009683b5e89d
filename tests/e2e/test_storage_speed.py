"""Measuring with the real program: only where it was allowed, and nothing stays behind however it ends."""

from __future__ import annotations

import os
import signal
import time

import pytest

from e2e.program import Running, leftovers, profile, sound, vorflug, wait_for
from vorflug.host.live import LiveHost
from vorflug.ports.storage_speed import LEAST_FREE

SLOW = {"at_most": "50 ms", "block": "2300 B", "total": "1 GiB", "within": "45 s"}
QUICK = {"at_most": "60 s", "block": "2300 B", "total": "1 MiB", "within": "10 s"}


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def data(tmp_path):
    """A folder to measure in, with room for all that is asked."""
    folder = tmp_path / "data"
    folder.mkdir()
    space = os.statvfs(folder)
    if space.f_bavail * space.f_frsize < LEAST_FREE + (2 << 30):
        pytest.skip("too little free where tests write")
    if LiveHost(10).files.file_system(str(folder)).kind not in {"ext4", "xfs", "overlay"}:
        pytest.skip("tests write to a file system that is not measured (memory, for example)")
    return folder


def measuring(tmp_path, data, fields=SLOW):
    memory = ("memory", {"at_least": "1 B"})
    return profile(tmp_path, memory, ("storage_write_latency", {"path": str(data / "not" / "there"), **fields}))


def test_without_the_option_nothing_is_written(tmp_path, home, data):
    before = data.stat()
    ended = vorflug("run", "--profile", measuring(tmp_path, data), out=tmp_path / "out", home=home)
    assert ended.code == 5, ended.err
    row = next(r for r in ended.report["facts"] if r["query"]["kind"] == "storage_write_latency")
    assert row["unseen"] == {"reason": "not_asked", "detail": "--active"} and row["took_s"] == 0
    finding = next(f for f in ended.report["findings"] if f["id"] == "E2E-2")
    assert "because it writes to this machine" in finding["because"]["en"] and "--active" in finding["fix"]["en"]
    assert "--active" in ended.out
    assert data.stat().st_mtime_ns == before.st_mtime_ns


def test_with_it_the_nearest_folder_that_is_there_is_measured(tmp_path, home, data):
    file = measuring(tmp_path, data, QUICK)
    ended = vorflug("run", "--active", "--profile", file, out=tmp_path / "out", home=home)
    (row,) = (r for r in ended.report["facts"] if r["query"]["kind"] == "storage_write_latency")
    assert row["fact"] is not None, row
    if isinstance(row["fact"]["measured"], dict):
        assert ended.code == 0, ended.err
        assert f"measured in {data}" in next(f for f in ended.report["findings"] if f["id"] == "E2E-2")["seen"]["en"]
    assert row["fact"]["folder"] == str(data)
    assert leftovers(data) == []
    facts = tmp_path / "facts.json"
    assert vorflug("collect", "--active", "--profile", file, "--out", facts, home=home).code == 0
    assert vorflug("evaluate", facts, "--profile", file, home=home).code == ended.code


def used(folder) -> int:
    space = os.statvfs(folder)
    return (space.f_blocks - space.f_bfree) * space.f_frsize


def has_nameless_file(pid: int, folder) -> bool:
    """Whether the process holds a file of *folder* that has no name (proc_pid_fd(5): "(deleted)")."""
    held = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            held.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
    return any(path.startswith(str(folder)) and path.endswith("(deleted)") for path in held)


def interrupted(tmp_path, home, data, *more):
    out = tmp_path / "out"
    running = Running(["run", "--active", "--profile", measuring(tmp_path, data), *more], out=out, home=home)
    wait_for(lambda: has_nameless_file(running.process.pid, data), 30)
    time.sleep(0.3)  # in the midst of it
    return running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_measurement_leaves_a_partial_report_and_no_file(tmp_path, home, data, number):
    before = used(data)
    running = interrupted(tmp_path, home, data)
    assert leftovers(data) == [], "it has no name while it is there either"
    assert used(data) - before > 500 << 20, "the space is set aside"
    running.process.send_signal(number)
    ended = running.wait()
    assert ended.code == 130, ended.err
    assert ended.report["times"]["interrupted"] == number.name
    reasons = {r["query"]["kind"]: r["unseen"] and r["unseen"]["reason"] for r in ended.report["facts"]}
    assert reasons == {"memory": None, "storage_write_latency": "cancelled"}
    sound(ended)
    assert leftovers(data) == []
    wait_for(lambda: used(data) - before < 500 << 20)  # the file system gives it back in its own time


def test_a_killed_measurement_leaves_no_file(tmp_path, home, data):
    before = used(data)
    running = interrupted(tmp_path, home, data)
    running.process.send_signal(signal.SIGKILL)
    assert running.wait().code == -signal.SIGKILL
    assert leftovers(data) == []
    wait_for(lambda: used(data) - before < 500 << 20)


def test_the_deadline_of_the_run_cuts_it_and_leaves_a_valid_report(tmp_path, home, data):
    file = measuring(tmp_path, data)
    ended = vorflug("run", "--active", "--profile", file, "--deadline", "3", out=tmp_path / "out", home=home)
    assert ended.took_s < 8
    (row,) = (r for r in ended.report["facts"] if r["query"]["kind"] == "storage_write_latency")
    # what was measured until then is told, and said to be cut
    assert row["fact"]["measured"]["cut"] is True, row
    assert (
        "the time was over before 1 GiB were written"
        in next(f for f in ended.report["findings"] if f["id"] == "E2E-2")["seen"]["en"]
    )
    sound(ended)
    assert leftovers(data) == []
