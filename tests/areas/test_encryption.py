"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.encryption import LayerSeen, LayersFact, LayersQuery, StorageEncryptionRequirement, encrypted
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Layer, LayerKind


def on(kind="ext4", device="253:1", source="/dev/mapper/vg-data", mount="/"):
    return FileSystemFact(
        asked="/", exists=False, mount_point=mount, file_system=kind, source=source, device=device, options=("rw",),
        total_bytes=100, used_bytes=40, free_bytes=50, total_inodes=10, free_inodes=9,
    )  # fmt: skip


def layers(*chain):
    """(name, kind, names below)"""
    return LayersFact(layers=tuple(LayerSeen(name=n, kind=k, below=b, backing_file="") for n, k, b in chain))


DISK = ("sda", "disk", ())
PART = ("sda2", "partition", ("sda",))
LUKS = ("dm-0", "encryption", ("sda2",))
LVM_ON_LUKS_ON_PARTITION = layers(("dm-1", "lvm", ("dm-0",)), LUKS, PART, DISK)


def at(path="/a"):
    return FileSystemQuery(path=path)


def below(device="253:1", source="/dev/mapper/vg-data"):
    return LayersQuery(device=device, source=source)


def judge(*pairs, paths=("/a",)):
    demand = StorageEncryptionRequirement.model_validate(header(paths=paths))
    return demand.judge(Evidence(Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in pairs))


def test_the_fact_is_what_the_port_said():
    host = fake_host(
        system=FakePort(
            layers=lambda device, source: (
                Layer(device, LayerKind.LOOP, ("x",), source),
                Layer("x", LayerKind.DISK, ()),
            )
        )
    )
    assert below("7:0", "/img").observe(host) == LayersFact(
        layers=(
            LayerSeen(name="7:0", kind=LayerKind.LOOP, below=("x",), backing_file="/img"),
            LayerSeen(name="x", kind=LayerKind.DISK, below=(), backing_file=""),
        )
    )


@pytest.mark.parametrize(
    ("stack", "is_encrypted"),
    [
        (LVM_ON_LUKS_ON_PARTITION, True),
        (layers(PART, DISK), False),
        (layers(DISK), False),
        (layers(("dm-1", "lvm", ("sda2",)), PART, DISK), False),
        # LUKS inside a logical volume
        (layers(("dm-2", "encryption", ("dm-1",)), ("dm-1", "lvm", ("sda2",)), PART, DISK), True),
        # a RAID of which one half is not encrypted
        (layers(("md0", "raid", ("dm-0", "sdb")), LUKS, PART, DISK, ("sdb", "disk", ())), False),
        (layers(("md0", "raid", ("dm-0", "dm-5")), LUKS, PART, DISK, ("dm-5", "encryption", ("sdb",)), ("sdb", "disk", ())), True),
        # a btrfs of two devices has two tops
        (layers(LUKS, PART, DISK, ("sdb", "disk", ())), False),
        # dm-verity and dm-integrity encrypt nothing
        (layers(("dm-9", "mapper", ("sda2",)), PART, DISK), False),
    ],
)  # fmt: skip
def test_every_way_down_must_lead_through_encryption(stack, is_encrypted):
    assert encrypted(stack.layers) is is_encrypted
    verdict = judge((at(), on()), (below(), stack))
    assert verdict.outcome is (Outcome.MET if is_encrypted else Outcome.UNKNOWN)
    assert (verdict.fix is None) is is_encrypted


def test_what_is_seen_names_the_encrypted_device():
    verdict = judge((at(), on()), (below(), LVM_ON_LUKS_ON_PARTITION))
    assert render(verdict.seen) == "/a: dm-1, dm-0 (encrypted), sda2 and sda"


def test_no_encryption_in_sight_is_no_proof_that_there_is_none(no_io):
    pairs = [(at(), on()), (below(), layers(PART, DISK))]
    with no_io():
        verdict = judge(*pairs)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "not visible from here" in render(verdict.because)
    assert "confirmation" in render(verdict.fix)


def test_only_the_paths_without_encryption_are_named():
    pairs = [
        (at("/a"), on()),
        (below(), LVM_ON_LUKS_ON_PARTITION),
        (at("/b"), on(device="8:16", source="/dev/sdb")),
        (below("8:16", "/dev/sdb"), layers(("sdb", "disk", ()))),
    ]
    verdict = judge(*pairs, paths=("/a", "/b"))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "visible below /b." in render(verdict.because)


def test_a_file_that_stands_for_a_disk_is_named():
    loop = LayerSeen(name="loop0", kind=LayerKind.LOOP, below=(), backing_file="/srv/image")
    verdict = judge((at(), on()), (below(), LayersFact(layers=(loop,))))
    assert verdict.outcome is Outcome.UNKNOWN
    assert render(verdict.seen) == "/a: loop0 (the file /srv/image)"


def test_below_an_overlay_nothing_is_visible():
    verdict = judge((at(), on("overlay", "0:50", "overlay")))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "lies on an overlay" in render(verdict.because)


def test_memory_needs_no_encryption_at_rest():
    verdict = judge((at(), on("tmpfs", "0:40", "tmpfs")))
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert render(verdict.seen) == "/a in memory"
    # beside a disk, the disk decides
    pairs = [(at("/a"), on("tmpfs", "0:40", "tmpfs")), (at("/b"), on()), (below(), layers(DISK))]
    assert judge(*pairs, paths=("/a", "/b")).outcome is Outcome.UNKNOWN


def test_devices_are_asked_for_once_the_file_system_is_known():
    demand = StorageEncryptionRequirement.model_validate(header(paths=["/a", "/b", "/c", "/d", "/a"]))
    first = [at("/a"), at("/b"), at("/c"), at("/d")]
    assert demand.queries(Evidence()) == first
    known = Evidence(
        Observation(at(path), Seen(fact))
        for path, fact in {"/a": on(), "/b": on(), "/c": on("overlay", "0:50"), "/d": on("tmpfs", "0:40")}.items()
    )
    assert demand.queries(known) == [*first, below()]
    assert demand.then() is not None


@pytest.mark.parametrize("reason", list(Reason))
def test_what_is_not_seen_is_no_verdict(reason):
    with pytest.raises(NotSeen):
        judge((at(), Unseen(reason)))
    with pytest.raises(NotSeen):
        judge((at(), on("nfs4", "0:51", "nas:/x")), (below("0:51", "nas:/x"), Unseen(reason)))
