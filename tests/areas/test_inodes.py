"""(demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import header
from vorflug.areas.inodes import StorageInodesRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome


def inodes(total, free, *, kind="ext4", device="8:2", mount="/", source="/dev/sda2"):
    return FileSystemFact(
        asked="/", exists=False, mount_point=mount, file_system=kind, source=source, device=device, options=("rw",),
        total_bytes=100, used_bytes=40, free_bytes=50, total_inodes=total, free_inodes=free,
    )  # fmt: skip


def judge(at_least="20 %", **facts):
    paths = [f"/{name}" for name in facts]
    demand = StorageInodesRequirement.model_validate(header(paths=paths, at_least=at_least))
    return demand.judge(
        Evidence(
            Observation(FileSystemQuery(path=f"/{name}"), fact if isinstance(fact, Unseen) else Seen(fact))
            for name, fact in facts.items()
        )
    )


@pytest.mark.parametrize(
    ("free", "outcome"), [(201, Outcome.MET), (200, Outcome.MET), (199, Outcome.UNMET), (0, Outcome.UNMET)]
)
def test_share_of_the_inodes(free, outcome, no_io):
    fact = inodes(1000, free)
    with no_io():
        verdict = judge(a=fact)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert verdict.gauge is not None and (verdict.gauge.have, verdict.gauge.want, verdict.gauge.unit) == (
        free,
        200,
        "1",
    )


def test_full_inodes_are_said_with_share_and_what_is_wanted():
    verdict = judge(a=inodes(1000, 5, mount="/var"))
    assert render(verdict.seen) == "5 of 1000 free at /var (0.5 %)"
    assert render(verdict.because) == "At /var, 0.5 % of the inodes are free, at least 20 % are wanted."


@pytest.mark.parametrize("kind", ["btrfs", "vfat"])
def test_a_kind_without_a_fixed_number_is_not_judged_and_not_short(kind):
    verdict = judge(a=inodes(0, 0, kind=kind))
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert verdict.gauge is None
    assert render(verdict.seen) == f"no fixed number at / ({kind})"


def test_beside_btrfs_the_others_are_judged():
    btrfs = inodes(0, 0, kind="btrfs", device="0:40", mount="/b")
    assert judge(a=inodes(100, 20), b=btrfs).outcome is Outcome.MET
    verdict = judge(a=btrfs, b=inodes(100, 19))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.seen) == "no fixed number at /b (btrfs); 19 of 100 free at / (19 %)"
    assert len(verdict.gauges) == 1


def test_one_inode_in_all_is_a_fixed_number():
    assert judge(a=inodes(1, 0)).outcome is Outcome.UNMET
    assert judge(a=inodes(1, 1)).outcome is Outcome.MET


def test_the_bar_shows_the_file_system_that_has_least():
    verdict = judge(a=inodes(100, 90), b=inodes(100, 30, device="8:3", mount="/b"), c=inodes(10, 9, device="8:4"))
    assert verdict.outcome is Outcome.MET
    assert verdict.gauge is not None and render(verdict.gauge.of) == "/b"
    assert [gauge.have for gauge in verdict.gauges] == [90, 30, 9]


def test_a_bind_mount_is_counted_once_and_where_they_differ_the_least_counts():
    verdict = judge(a=inodes(100, 10), b=inodes(100, 9, mount="/bound"))
    assert render(verdict.because) == "At /bound, 9 % of the inodes are free, at least 20 % are wanted."


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("ext4", "mkfs -N"),
        ("ext3", "mkfs -N"),
        ("ext2", "mkfs -N"),
        ("xfs", "xfs_growfs -m"),
        ("tmpfs", "nr_inodes"),
        ("f2fs", "Remove small files at / (du --inodes -x / finds them)."),
    ],
)
def test_the_fix_is_one_that_the_kind_of_file_system_has(kind, says):
    fix = render(judge(a=inodes(100, 1, kind=kind)).fix)
    assert says in fix
    assert ("mkfs" in fix) == kind.startswith("ext")


@pytest.mark.parametrize("reason", list(Reason))
def test_what_is_not_seen_is_no_verdict(reason):
    with pytest.raises(NotSeen) as gap:
        judge(a=inodes(100, 100), b=Unseen(reason))
    assert gap.value.query == FileSystemQuery(path="/b")
    # what is short stays so, whatever hangs beside it
    assert judge(a=Unseen(reason), b=inodes(100, 19)).outcome is Outcome.UNMET


def test_each_path_is_asked_once():
    demand = StorageInodesRequirement.model_validate(header(paths=["/a", "/b", "/a"], at_least="20 %"))
    assert [q.path for q in demand.queries(Evidence())] == ["/a", "/b"]
    assert render(demand.wanted()) == "at least 20 % of the inodes free"
