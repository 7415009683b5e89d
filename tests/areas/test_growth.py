"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.growth import StorageGrowthRequirement, TreeFact, TreeQuery
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import TreeSize


def room(free):
    return FileSystemFact(
        asked="/", exists=False, mount_point="/data", file_system="ext4", source="/dev/sda2", device="8:2",
        options=("rw",), total_bytes=free, used_bytes=0, free_bytes=free, total_inodes=10, free_inodes=9,
    )  # fmt: skip


def tree(used=7, *, there=True, complete=True):
    return TreeFact(there=there, used_bytes=used, entries=1, complete=complete)


def growth(**changes):
    fields = {
        "path": "/a",
        "vectors": 10,
        "dimensions": 5,
        "bytes_per_number": 4,
        "memory_factor": 1.5,
        "disk_factor": 4,
    }
    return StorageGrowthRequirement.model_validate(header(**{**fields, **changes}))


def judge(free, found=None, **changes):
    found = tree() if found is None else found
    facts = ((FileSystemQuery(path="/a"), room(free) if isinstance(free, int) else free), (TreeQuery(path="/a"), found))
    return growth(**changes).judge(
        Evidence(Observation(q, fact if isinstance(fact, Unseen) else Seen(fact)) for q, fact in facts)
    )


def test_memory_and_disk_are_worked_out_from_the_profiles_factors():
    demand = growth()
    assert (demand.memory_bytes, demand.disk_bytes) == (300, 1200)
    # the documented example: a million vectors of 1024 dimensions take about 5.72 GiB
    million = growth(vectors=1_000_000, dimensions=1024)
    assert round(million.memory_bytes / 2**30, 2) == 5.72
    assert render(demand.wanted()) == "1.2 KiB free at /a for 10 vectors of 5 dimensions"


@pytest.mark.parametrize(("free", "outcome"), [(1201, Outcome.MET), (1200, Outcome.MET), (1199, Outcome.UNMET)])
def test_verdict(free, outcome, no_io):
    demand = growth()
    facts = Evidence(
        [
            Observation(FileSystemQuery(path="/a"), Seen(room(free))),
            Observation(TreeQuery(path="/a"), Seen(tree())),
        ]
    )
    with no_io():
        verdict = demand.judge(facts)
    assert verdict.outcome is outcome
    assert verdict.gauge is not None and (verdict.gauge.have, verdict.gauge.want) == (free, 1200)
    assert "about 300 B of memory and up to 1.2 KiB on disk" in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_is_missing_is_said():
    assert render(judge(1000).fix) == "Plan 200 B more at /data for the coming year."


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (tree(7), "1 B free; /a takes 7 B now"),
        (tree(7, complete=False), "1 B free; /a takes at least 7 B now"),
        (tree(0, there=False), "1 B free; /a does not exist yet"),
        (Unseen(Reason.DENIED), "1 B free; what /a takes now could not be looked at"),
        (Unseen(Reason.TIMEOUT), "1 B free; what /a takes now could not be looked at"),
    ],
)
def test_what_the_folder_takes_now_is_shown_and_decides_nothing(found, says):
    verdict = judge(1, found)
    assert render(verdict.seen) == says
    assert verdict.outcome is Outcome.UNMET


@pytest.mark.parametrize("reason", list(Reason))
def test_free_space_that_is_not_seen_is_no_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_questions():
    assert growth().queries(Evidence()) == [FileSystemQuery(path="/a"), TreeQuery(path="/a")]


@pytest.mark.parametrize(
    "changes",
    [{"vectors": -1}, {"dimensions": 0}, {"bytes_per_number": 0}, {"memory_factor": 0}, {"disk_factor": 0}],
)
def test_factors_that_make_no_sense_are_refused(changes):
    with pytest.raises(ValueError):
        growth(**changes)


def test_the_fact_is_what_the_port_said():
    host = fake_host(files=FakePort(tree_size=TreeSize(4096, 3, complete=False)))
    assert TreeQuery(path="/a").observe(host) == TreeFact(there=True, used_bytes=4096, entries=3, complete=False)
    for error in (FileNotFoundError(), NotADirectoryError()):
        gone = fake_host(files=FakePort(tree_size=error))
        assert TreeQuery(path="/a").observe(gone) == TreeFact(there=False, used_bytes=0, entries=0, complete=True)
    with pytest.raises(PermissionError):
        TreeQuery(path="/a").observe(fake_host(files=FakePort(tree_size=PermissionError())))


def test_this_machine_has_folders(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 10_000)
    fact = TreeQuery(path=str(tmp_path)).observe(LiveHost(10))
    assert fact.there and fact.complete and fact.entries == 1 and fact.used_bytes >= 10_000
