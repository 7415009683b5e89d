"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.filesystem import (
    DiskSeen,
    DisksFact,
    DisksQuery,
    StorageFilesystemRequirement,
    StorageRotationalRequirement,
    StorageXfsFtypeRequirement,
    XfsFact,
    XfsQuery,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileSystem
from vorflug.ports.system import Disk


def on(kind, device="8:2", mount="/", source="/dev/sda2"):
    return FileSystemFact(
        asked=mount, exists=True, mount_point=mount, file_system=kind, source=source, device=device, options=("rw",),
        total_bytes=100, used_bytes=40, free_bytes=50, total_inodes=10, free_inodes=9,
    )  # fmt: skip


def evidence(*pairs):
    return Evidence(Observation(q, fact if isinstance(fact, Unseen) else Seen(fact)) for q, fact in pairs)


def at(path):
    return FileSystemQuery(path=path)


def below(device="8:2", source="/dev/sda2"):
    return DisksQuery(device=device, source=source)


def disks(*names_and_flags):
    return DisksFact(disks=tuple(DiskSeen(name=n, rotational=r, virtual=v) for n, r, v in names_and_flags))


def test_facts_are_what_the_ports_said():
    seen = FileSystem("/srv", False, "/srv", "xfs", "/dev/sdb1", "8:17", ("rw",), 100, 40, 50, 10, 9)
    host = fake_host(
        files=FakePort(file_system=seen, xfs_ftype=lambda path: path == "/srv"),
        system=FakePort(disks=lambda device, source: (Disk("sdb", device == "8:17", source == "/dev/sdb1"),)),
    )
    assert at("/srv/new").observe(host) == FileSystemFact(
        asked="/srv",
        exists=False,
        mount_point="/srv",
        file_system="xfs",
        source="/dev/sdb1",
        device="8:17",
        options=("rw",),
        total_bytes=100,
        used_bytes=40,
        free_bytes=50,
        total_inodes=10,
        free_inodes=9,
    )
    assert below("8:17", "/dev/sdb1").observe(host) == disks(("sdb", True, True))
    assert XfsQuery(path="/srv").observe(host) == XfsFact(ftype=True)


# ---- rotating disks


def rotational(*pairs, paths=("/a",)):
    return StorageRotationalRequirement.model_validate(header(paths=paths)).judge(evidence(*pairs))


@pytest.mark.parametrize(
    ("found", "outcome", "says"),
    [
        (disks(("nvme0n1", False, False)), Outcome.MET, "no rotating"),
        (disks(("nvme0n1", False, True)), Outcome.MET, "no rotating"),
        (disks(("sda", True, False)), Outcome.UNMET, "sda as rotating"),
        (disks(("nvme0n1", False, False), ("sda", True, False)), Outcome.UNMET, "sda as rotating"),
        # a hypervisor's disk says "rotating" unless somebody told it otherwise
        (disks(("vda", True, True)), Outcome.UNKNOWN, "vda"),
        (disks(("vda", True, True), ("sda", True, False)), Outcome.UNMET, "sda as rotating"),
        (disks(("vda", True, True), ("vdb", False, True)), Outcome.UNKNOWN, "SSDs too: vda."),
    ],
)
def test_rotational_verdict(found, outcome, says, no_io):
    with no_io():
        verdict = rotational((at("/a"), on("ext4")), (below(), found))
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_every_path_counts():
    pairs = [
        (at("/a"), on("ext4")),
        (at("/b"), on("ext4", "8:17", "/b", "/dev/sdb1")),
        (below(), disks(("nvme0n1", False, False))),
        (below("8:17", "/dev/sdb1"), disks(("sdb", True, False))),
    ]
    assert rotational(*pairs, paths=["/a"]).outcome is Outcome.MET
    assert rotational(*pairs, paths=["/a", "/b"]).outcome is Outcome.UNMET


def test_disks_are_asked_for_once_the_device_is_known():
    demand = StorageRotationalRequirement.model_validate(header(paths=["/a", "/b", "/c"]))
    first = [at("/a"), at("/b"), at("/c")]
    assert demand.queries(Evidence()) == first
    known = evidence((at("/a"), on("ext4")), (at("/b"), on("ext4")), (at("/c"), on("overlay", "0:52")))
    assert demand.queries(known) == [*first, below()]
    assert demand.then() is not None


def test_below_an_overlay_nothing_is_visible():
    verdict = rotational((at("/a"), on("overlay", "0:52")))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "container" in render(verdict.because) and "host itself" in render(verdict.fix)


def test_no_block_device_is_not_seen():
    with pytest.raises(NotSeen):
        rotational(
            (at("/a"), on("nfs4", "0:50", "/a", "nas:/x")), (below("0:50", "nas:/x"), Unseen(Reason.UNSUPPORTED))
        )


# ---- kinds

FORBIDDEN = ["nfs", "cifs", "smb3", "fuse", "9p"]


def kind_of(fact, accepted=("ext4", "xfs"), forbidden=FORBIDDEN):
    demand = StorageFilesystemRequirement.model_validate(header(path="/a", accepted=accepted, forbidden=forbidden))
    return demand.judge(evidence((at("/a"), fact)))


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("ext4", Outcome.MET),
        ("xfs", Outcome.MET),
        ("ext3", Outcome.UNKNOWN),
        ("nfs", Outcome.UNMET),
        ("nfs4", Outcome.UNMET),
        ("cifs", Outcome.UNMET),
        ("fuse", Outcome.UNMET),
        ("fuse.sshfs", Outcome.UNMET),
        ("fuseblk", Outcome.UNMET),
        ("9p", Outcome.UNMET),
        ("btrfs", Outcome.UNKNOWN),
        ("zfs", Outcome.UNKNOWN),
        ("tmpfs", Outcome.UNKNOWN),
        ("overlay", Outcome.UNKNOWN),
    ],
)
def test_kind_verdict(kind, outcome):
    verdict = kind_of(on(kind, mount="/a"))
    assert verdict.outcome is outcome
    assert kind in render(verdict.seen)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_without_forbidden_ones_the_accepted_are_all_there_are():
    assert kind_of(on("btrfs"), forbidden=[]).outcome is Outcome.UNMET
    assert kind_of(on("nfs4"), forbidden=[]).outcome is Outcome.UNMET
    # in a container nothing can be said of what lies below
    assert kind_of(on("overlay"), forbidden=[]).outcome is Outcome.UNKNOWN


def test_forbidden_wins_and_an_overlay_can_be_either():
    assert kind_of(on("nfs4"), accepted=["nfs4"], forbidden=["nfs"]).outcome is Outcome.UNMET
    assert kind_of(on("overlay"), accepted=["overlay"]).outcome is Outcome.MET
    assert kind_of(on("overlay"), forbidden=["overlay"]).outcome is Outcome.UNMET


def test_the_overlay_of_a_rootless_container_hides_what_is_below_too():
    verdict = kind_of(on("fuse.fuse-overlayfs"), forbidden=["fuse"])
    assert verdict.outcome is Outcome.UNKNOWN
    assert "lies on an overlay" in render(verdict.because)
    assert kind_of(on("fuse.sshfs"), forbidden=["fuse"]).outcome is Outcome.UNMET


@given(
    kind=st.sampled_from(["ext4", "nfs4", "btrfs", "overlay", "fuse.x"]),
    few=st.lists(st.sampled_from(FORBIDDEN), unique=True),
    more=st.sampled_from(FORBIDDEN),
)
def test_forbidding_more_never_turns_unmet_into_met(kind, few, more):
    if kind_of(on(kind), forbidden=few).outcome is not Outcome.MET:
        assert kind_of(on(kind), forbidden=[*few, more]).outcome is not Outcome.MET


# ---- ftype


def ftype(*pairs):
    return StorageXfsFtypeRequirement.model_validate(header(path="/a")).judge(evidence(*pairs))


@pytest.mark.parametrize(
    ("pairs", "outcome", "says"),
    [
        ([(at("/a"), on("xfs", mount="/a")), (XfsQuery(path="/a"), XfsFact(ftype=True))], Outcome.MET, "ftype=1"),
        ([(at("/a"), on("xfs", mount="/a")), (XfsQuery(path="/a"), XfsFact(ftype=False))], Outcome.UNMET, "ftype=0"),
        ([(at("/a"), on("ext4"))], Outcome.NOT_APPLICABLE, "ext4"),
        ([(at("/a"), on("overlay"))], Outcome.UNKNOWN, "overlay"),
    ],
)
def test_ftype_verdict(pairs, outcome, says):
    verdict = ftype(*pairs)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome in {Outcome.MET, Outcome.NOT_APPLICABLE})


def test_only_an_xfs_is_asked_for_its_ftype():
    demand = StorageXfsFtypeRequirement.model_validate(header(path="/a/b"))
    assert demand.queries(Evidence()) == [at("/a/b")]
    assert demand.queries(evidence((at("/a/b"), on("ext4")))) == [at("/a/b")]
    assert demand.queries(evidence((at("/a/b"), on("xfs", mount="/a")))) == [at("/a/b"), XfsQuery(path="/a")]
    assert demand.then() is not None


def test_the_mount_point_is_asked_because_the_folder_itself_is_often_closed_to_others():
    demand = StorageXfsFtypeRequirement.model_validate(header(path="/a/closed"))
    fact = on("xfs", mount="/a").model_copy(update={"asked": "/a/closed"})
    assert demand.queries(evidence((at("/a/closed"), fact)))[1:] == [XfsQuery(path="/a")]
    verdict = demand.judge(evidence((at("/a/closed"), fact), (XfsQuery(path="/a"), XfsFact(ftype=True))))
    assert verdict.outcome is Outcome.MET


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    unseen = Unseen(reason)
    for judge in (
        lambda: rotational((at("/a"), unseen)),
        lambda: rotational((at("/a"), on("ext4")), (below(), unseen)),
        lambda: kind_of(unseen),
        lambda: ftype((at("/a"), unseen)),
        lambda: ftype((at("/a"), on("xfs", mount="/a")), (XfsQuery(path="/a"), unseen)),
    ):
        with pytest.raises(NotSeen):
            judge()


def test_this_machine_has_a_file_system():
    here = LiveHost(10)
    fact = at("/").observe(here)
    assert fact.mount_point == "/" and fact.file_system
    # in a container there may be no disk to see, which is said so and not guessed
    with suppress(NotImplementedError):
        assert DisksQuery(device=fact.device, source=fact.source).observe(here).disks
