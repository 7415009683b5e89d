"""File systems that share their space, and links that lead elsewhere."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import (
    FileSystemFact,
    FileSystemQuery,
    QuotaLimit,
    QuotaOwner,
    QuotaQuery,
    hidden_below,
    leads_elsewhere,
    look,
    place,
    quota_name,
    spaces,
)
from vorflug.model.message import msg, render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileSystem, Quota


def fact(
    device="8:2", kind="ext4", *, total=100, used=40, free=50, source="/dev/sda2", mount="/", asked="/", exists=False
):
    return FileSystemFact(
        asked=asked, exists=exists, mount_point=mount, file_system=kind, source=source, device=device, options=("rw",),
        total_bytes=total, used_bytes=used, free_bytes=free, total_inodes=10, free_inodes=9,
    )  # fmt: skip


def grouped(*facts):
    """The numbers of the facts that share a space."""
    return [tuple(int(path) for path in space.paths) for space in spaces([(str(i), f) for i, f in enumerate(facts)])]


# ---- facts


def test_facts_are_what_the_port_said():
    seen = FileSystem("/srv", False, "/srv", "xfs", "/dev/sdb1", "8:17", ("rw", "noexec"), 100, 40, 50, 10, 9)
    assert FileSystemQuery(path="/srv/new").observe(fake_host(files=FakePort(file_system=seen))) == FileSystemFact(
        asked="/srv", exists=False, mount_point="/srv", file_system="xfs", source="/dev/sdb1", device="8:17",
        options=("rw", "noexec"), total_bytes=100, used_bytes=40, free_bytes=50, total_inodes=10, free_inodes=9,
    )  # fmt: skip
    quota = Quota("group", 7, None, 9, 1, 2, 3)
    assert QuotaQuery(path="/srv").observe(fake_host(files=FakePort(quotas=(quota,)))).limits == (
        QuotaLimit(owner=QuotaOwner.GROUP, used_bytes=7, soft_bytes=None, hard_bytes=9),
    )


@pytest.mark.parametrize("error", [TimeoutError(), PermissionError(), NotImplementedError()])
def test_what_a_port_could_not_say_is_no_fact(error):
    host = fake_host(files=FakePort(quotas=error, file_system=error))
    for query in (FileSystemQuery(path="/srv"), QuotaQuery(path="/srv")):
        with pytest.raises(type(error)):
            query.observe(host)


@pytest.mark.parametrize(
    ("kind", "reserved"), [("ext4", 10), ("ext3", 10), ("ext2", 10), ("xfs", 0), ("btrfs", 0), ("zfs", 0)]
)
def test_only_ext_keeps_blocks_for_root(kind, reserved):
    assert fact(kind=kind).reserved_bytes == reserved


def test_numbers_that_do_not_add_up_reserve_nothing():
    assert fact(total=100, used=60, free=50).reserved_bytes == 0


@pytest.mark.parametrize(
    ("used", "soft", "hard", "left"),
    [(3, None, None, None), (3, 10, None, 7), (3, None, 10, 7), (3, 5, 10, 2), (3, 10, 5, 2), (30, 10, 20, 0)],
)
def test_what_a_quota_leaves(used, soft, hard, left):
    quota = QuotaLimit(owner=QuotaOwner.USER, used_bytes=used, soft_bytes=soft, hard_bytes=hard)
    assert quota.left_bytes == left


def test_every_owner_has_words():
    names = {
        render(quota_name(QuotaLimit(owner=owner, used_bytes=0, soft_bytes=None, hard_bytes=1))) for owner in QuotaOwner
    }
    assert names == {"quota of the user", "quota of the group", "quota of the project"}


# ---- shared space


@pytest.mark.parametrize(
    ("facts", "groups"),
    [
        # a bind mount: the same device twice counts once
        ((fact(mount="/"), fact(mount="/opt/bound")), [(0, 1)]),
        ((fact("8:2"), fact("8:3")), [(0,), (1,)]),
        # equal sizes are no reason to take two disks for one
        ((fact("8:2", total=100), fact("8:3", total=100)), [(0,), (1,)]),
        # subvolumes of a btrfs: numbers of their own, one source
        (
            (fact("0:40", "btrfs", source="/dev/sda2"), fact("0:41", "btrfs", source="/dev/sda2")),
            [(0, 1)],
        ),
        # two btrfs, and one of several devices that is mounted by different names
        ((fact("0:40", "btrfs", source="/dev/sda2"), fact("0:41", "btrfs", source="/dev/sdb")), [(0,), (1,)]),
        ((fact("0:40", "btrfs", source="/dev/sda2"), fact("0:40", "btrfs", source="/dev/sdb")), [(0, 1)]),
        # a third ties two together that had nothing in common
        (
            (
                fact("0:40", "btrfs", source="/dev/sda"),
                fact("0:41", "btrfs", source="/dev/sdb"),
                fact("0:40", "btrfs", source="/dev/sdb"),
            ),
            [(0, 1, 2)],
        ),
        # only btrfs is known by its source
        ((fact("0:40", "tmpfs", source="tmpfs"), fact("0:41", "tmpfs", source="tmpfs")), [(0,), (1,)]),
        # the file systems of a ZFS pool share its space, those of two pools do not
        ((fact("0:40", "zfs", source="tank/a"), fact("0:41", "zfs", source="tank")), [(0, 1)]),
        ((fact("0:40", "zfs", source="tank/a"), fact("0:41", "zfs", source="tanks/a")), [(0,), (1,)]),
        # an overlay shows the space of what lies below it
        ((fact("8:2", total=100), fact("0:50", "overlay", total=100, source="overlay")), [(0, 1)]),
        ((fact("0:50", "overlay", total=100), fact("8:2", total=100)), [(0, 1)]),
        ((fact("8:2", total=100), fact("0:50", "overlay", total=90)), [(0,), (1,)]),
        ((fact("0:51", "overlay", total=90), fact("0:50", "overlay", total=90)), [(0, 1)]),
        # exports of one server with the same numbers are one disk of it
        ((fact("0:50", "nfs4", source="nas:/a"), fact("0:51", "nfs4", source="nas:/b")), [(0, 1)]),
        ((fact("0:50", "nfs", source="nas:/a"), fact("0:51", "nfs", source="nas:/b", free=49)), [(0,), (1,)]),
        ((fact("0:50", "nfs", source="nas:/a"), fact("0:51", "nfs", source="nas:/b", total=99)), [(0,), (1,)]),
        ((fact("0:50", "nfs", source="nas:/a"), fact("0:51", "nfs", source="san:/a")), [(0,), (1,)]),
        ((fact("0:50", "cifs", source="//nas/a"), fact("0:51", "smb3", source="//nas/b")), [(0, 1)]),
        ((fact("0:50", "cifs", source="//nas/a"), fact("0:51", "cifs", source="//san/a")), [(0,), (1,)]),
        # the order is that of the paths
        ((fact("8:2"), fact("8:3"), fact("8:2")), [(0, 2), (1,)]),
    ],
)
def test_spaces(facts, groups):
    assert grouped(*facts) == groups


def test_a_space_shows_the_most_of_what_is_taken_and_the_least_of_what_is_free():
    one, two = fact(total=100, used=60, free=20, mount="/a"), fact(total=90, used=50, free=30, mount="/b")
    (space,) = spaces([("/a", one), ("/b", two), ("/c", one)])
    assert (space.total, space.used, space.free, space.reserved) == (100, 60, 20, 20)
    assert space.mount_points == ("/a", "/b")
    assert space.paths == ("/a", "/b", "/c")
    assert not space.in_memory


@pytest.mark.parametrize(("kind", "in_memory"), [("tmpfs", True), ("ramfs", True), ("devtmpfs", True), ("ext4", False)])
def test_file_systems_in_memory(kind, in_memory):
    assert fact(kind=kind).in_memory is in_memory
    assert spaces([("/a", fact(kind=kind))])[0].in_memory is in_memory


# ---- links


@pytest.mark.parametrize(
    ("path", "asked", "exists", "elsewhere"),
    [
        ("/a", "/a", True, False),
        ("/a/", "/a", True, False),
        ("//a/./b", "/a/b", True, False),
        ("/", "/", True, False),
        ("/a/b", "/a", False, False),
        ("/a/b", "/", False, False),
        ("/a", "/data/a", True, True),
        ("/a/b", "/data", False, True),
        ("/a/b", "/a", True, True),  # a link to its own parent
        ("/a", "/ab", True, True),
        ("/ab/c", "/a", False, True),
        ("/a/../b", "/b", True, False),  # written in a way that does not tell
    ],
)
def test_a_link_is_known_by_where_it_leads(path, asked, exists, elsewhere):
    found = fact(asked=asked, exists=exists)
    assert leads_elsewhere(path, found) is elsewhere
    assert render(place(path, found)) == (f"{path} (a link to {asked})" if elsewhere else path)


# ---- what could not be looked at


def test_the_first_path_that_could_not_be_looked_at_is_named_and_the_others_are_there():
    evidence = Evidence(
        [
            Observation(FileSystemQuery(path="/a"), Seen(fact())),
            Observation(FileSystemQuery(path="/b"), Unseen(Reason.TIMEOUT)),
            Observation(FileSystemQuery(path="/c"), Unseen(Reason.DENIED)),
        ]
    )
    found, gap = look(["/a", "/b", "/c", "/a"], evidence)
    assert [path for path, _ in found] == ["/a"]
    assert gap is not None and gap.query == FileSystemQuery(path="/b")
    assert look(["/a"], evidence)[1] is None


def test_an_overlay_hides_what_is_below():
    verdict = hidden_below(msg("x"), "/a")
    assert verdict.outcome is Outcome.UNKNOWN
    assert "/a lies on an overlay" in render(verdict.because)
