"""Trees of /sys as other machines show them: what lies below a file system, down to the disks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from conftest import FakePort
from vorflug.host.block_devices import BlockDevices, mapper_kind
from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.files import LiveFiles
from vorflug.host.system import ComputedSystem
from vorflug.ports.system import Disk, Layer, LayerKind


class Tree:
    """A /sys that is written device by device, with the links that the kernel makes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def disk(self, path: str, number: str, rotational: int = 0, **words: str) -> Path:
        """A whole device with a queue; *words* are files of its ``device`` folder."""
        folder = self.root / "sys/devices" / path
        (folder / "queue").mkdir(parents=True)
        (folder / "queue/rotational").write_text(f"{rotational}\n")
        (folder / "slaves").mkdir()
        for name, word in words.items():
            (folder / "device").mkdir(exist_ok=True)
            (folder / "device" / name).write_text(f"{word}\n")
        return self._known(folder, number)

    def part(self, parent: Path, name: str, number: str) -> Path:
        (parent / name).mkdir()
        (parent / name / "partition").write_text("1\n")
        return self._known(parent / name, number)

    def mapper(self, name: str, number: str, uuid: str, *below: Path) -> Path:
        """A device-mapper device: its folder ``dm`` holds name and UUID."""
        folder = self.disk(f"virtual/block/{name}", number)
        (folder / "dm").mkdir()
        (folder / "dm/uuid").write_text(f"{uuid}\n")
        return self.over(folder, *below)

    def over(self, folder: Path, *below: Path) -> Path:
        for one in below:
            (folder / "slaves" / one.name).symlink_to(one)
        return folder

    def devices(self) -> BlockDevices:
        return BlockDevices(LiveFiles(str(self.root)))

    def _known(self, folder: Path, number: str) -> Path:
        for place, name in (("sys/dev/block", number), ("sys/class/block", folder.name)):
            (self.root / place).mkdir(parents=True, exist_ok=True)
            (self.root / place / name).symlink_to(folder)
        return folder


LUKS = "CRYPT-LUKS2-3b1c2a0f9d8e4b7c8a6f5e4d3c2b1a09-data"


@pytest.fixture
def tree(tmp_path):
    """LVM on encryption on a partition of sda, a RAID of two NVMe partitions, a virtio disk, a VMware disk and others."""
    tree = Tree(tmp_path)
    sda = tree.disk("pci0000:00/ata1/block/sda", "8:0", 1, vendor="ATA", model="WDC WD40EFRX")
    crypt = tree.mapper("dm-0", "253:0", LUKS, tree.part(sda, "sda2", "8:2"))
    tree.mapper("dm-1", "253:1", "LVM-XYZabc", crypt)
    nvmes = [tree.disk(f"pci0000:00/nvme/nvme{i}n1", f"259:{i}", model="SAMSUNG MZVL2512") for i in (0, 1)]
    md = tree.disk("virtual/block/md0", "9:0")
    (md / "md").mkdir()
    tree.over(md, *(tree.part(n, f"{n.name}p1", f"259:{9 + i}") for i, n in enumerate(nvmes)))
    tree.part(md, "md0p1", "259:20")
    tree.disk("pci0000:00/virtio1/block/vda", "254:0", 1)
    tree.disk("pci0000:00/host2/block/sdb", "8:16", 1, vendor="VMware  ", model="Virtual disk")
    tree.disk("pci0000:00/nvme/nvme2n1", "259:30", model="Amazon Elastic Block Store")
    loop = tree.disk("virtual/block/loop0", "7:0", 1)
    (loop / "loop").mkdir()
    (loop / "loop/backing_file").write_text("/srv/images/data.img\n")
    tree.over(tree.disk("virtual/block/bcache0", "252:0", 1), sda)
    (tmp_path / "dev/mapper").mkdir(parents=True)
    (tmp_path / "dev/dm-1").touch()
    (tmp_path / "dev/mapper/vg-data").symlink_to("../dm-1")
    return tree


# ---- disks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "source", "disks"),
    [
        ("253:1", "/dev/mapper/vg-data", [("sda", True, False)]),
        ("8:2", "/dev/sda2", [("sda", True, False)]),
        ("9:0", "/dev/md0", [("nvme0n1", False, False), ("nvme1n1", False, False)]),
        ("259:20", "/dev/md0p1", [("nvme0n1", False, False), ("nvme1n1", False, False)]),
        ("254:0", "/dev/vda", [("vda", True, True)]),
        ("8:16", "/dev/sdb", [("sdb", True, True)]),
        ("259:30", "/dev/nvme2n1", [("nvme2n1", False, True)]),
        ("252:0", "/dev/bcache0", [("sda", True, False)]),
        ("7:0", "/dev/loop0", [("loop0", True, True)]),
        # btrfs has a number of its own, that of no block device
        ("0:45", "/dev/mapper/vg-data", [("sda", True, False)]),
        # the number leads where the name is only the boot loader's
        ("8:2", "/dev/root", [("sda", True, False)]),
    ],
)
def test_disks_at_the_bottom(tree, device, source, disks):
    assert tree.devices().disks(device, source) == tuple(Disk(*disk) for disk in disks)


@pytest.mark.parametrize(
    ("device", "source"), [("0:26", "tmpfs"), ("0:50", "nas:/export"), ("0:51", "overlay"), ("0:52", "/dev/gone")]
)
def test_no_block_device_is_said_so(tree, device, source):
    for asked in (tree.devices().disks, tree.devices().layers):
        with pytest.raises(NotImplementedError, match="no block device"):
            asked(device, source)


def test_without_sys_no_disk_is_visible(tmp_path):
    with pytest.raises(NotImplementedError, match="/sys"):
        Tree(tmp_path).devices().disks("8:0", "/dev/sda")


def test_devices_that_lie_below_each_other_in_a_circle_end(tmp_path):
    tree = Tree(tmp_path)
    loop = tree.mapper("dm-0", "253:0", "LVM-x")
    tree.over(loop, loop)
    with pytest.raises(ValueError, match="below each other"):
        tree.devices().disks("253:0", "x")


def test_a_disk_that_does_not_say_whether_it_rotates_is_no_ssd(tree, tmp_path):
    (tmp_path / "sys/devices/pci0000:00/virtio1/block/vda/queue/rotational").write_text("\n")
    with pytest.raises(ValueError, match="wanted 0 or 1"):
        tree.devices().disks("254:0", "/dev/vda")


# ---- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "source", "layers"),
    [
        (
            "253:1",
            "/dev/mapper/vg-data",
            [
                ("dm-1", LayerKind.LVM, ("dm-0",)),
                ("dm-0", LayerKind.ENCRYPTION, ("sda2",)),
                ("sda2", LayerKind.PARTITION, ("sda",)),
                ("sda", LayerKind.DISK, ()),
            ],
        ),
        (
            "259:20",
            "/dev/md0p1",
            [
                ("md0p1", LayerKind.PARTITION, ("md0",)),
                ("md0", LayerKind.RAID, ("nvme0n1p1", "nvme1n1p1")),
                ("nvme0n1p1", LayerKind.PARTITION, ("nvme0n1",)),
                ("nvme0n1", LayerKind.DISK, ()),
                ("nvme1n1p1", LayerKind.PARTITION, ("nvme1n1",)),
                ("nvme1n1", LayerKind.DISK, ()),
            ],
        ),
        ("252:0", "/dev/bcache0", [("bcache0", LayerKind.CACHE, ("sda",)), ("sda", LayerKind.DISK, ())]),
        ("7:0", "/dev/loop0", [("loop0", LayerKind.LOOP, (), "/srv/images/data.img")]),
        ("254:0", "/dev/vda", [("vda", LayerKind.DISK, ())]),
    ],
)
def test_layers_from_the_top_down(tree, device, source, layers):
    assert tree.devices().layers(device, source) == tuple(Layer(*layer) for layer in layers)


def test_a_device_that_two_lie_on_is_told_once(tmp_path):
    tree = Tree(tmp_path)
    sda = tree.disk("block/sda", "8:0")
    parts = [tree.part(sda, f"sda{i}", f"8:{i}") for i in (1, 2)]
    tree.mapper("dm-0", "253:0", "LVM-x", *parts)
    assert [layer.name for layer in tree.devices().layers("253:0", "x")] == ["dm-0", "sda1", "sda", "sda2"]


def test_a_btrfs_of_several_devices_lies_on_all_of_them(tree, tmp_path):
    for uuid, names in (("11111111", ("vda",)), ("22222222", ("sdb", "dm-1"))):
        for name in names:
            folder = tmp_path / "sys/fs/btrfs" / uuid / "devices"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to((tmp_path / "sys/class/block" / name).readlink())
    (tmp_path / "sys/fs/btrfs/features").mkdir()
    assert [disk.name for disk in tree.devices().disks("0:45", "/dev/mapper/vg-data")] == ["sda", "sdb"]
    assert [disk.name for disk in tree.devices().disks("0:46", "/dev/sdb")] == ["sda", "sdb"]
    # a device that is in no btrfs stands for itself
    assert [disk.name for disk in tree.devices().disks("0:47", "/dev/nvme2n1")] == ["nvme2n1"]


@pytest.mark.parametrize(
    ("uuid", "kind"),
    [
        (LUKS, LayerKind.ENCRYPTION),
        ("CRYPT-LUKS1-0123-swap", LayerKind.ENCRYPTION),
        ("CRYPT-PLAIN-swap", LayerKind.ENCRYPTION),
        ("CRYPT-BITLK-0123-x", LayerKind.ENCRYPTION),
        ("CRYPT-TCRYPT-x", LayerKind.ENCRYPTION),
        # the same tool makes these, and they encrypt nothing
        ("CRYPT-VERITY-0123-root", LayerKind.MAPPER),
        ("CRYPT-INTEGRITY-0123-x", LayerKind.MAPPER),
        ("CRYPT-SUBDEV-0123-x", LayerKind.MAPPER),
        ("LVM-XYZabc-tpool", LayerKind.LVM),
        ("mpath-3600a0b80", LayerKind.MULTIPATH),
        ("part2-mpath-3600a0b80", LayerKind.PARTITION),
        ("stratis-1-private-0123", LayerKind.MAPPER),
        ("", LayerKind.MAPPER),
    ],
)
def test_device_mapper_devices_are_known_by_their_uuid(uuid, kind):
    assert mapper_kind(uuid) is kind


def test_a_mapper_device_without_a_uuid_is_told_as_such(tmp_path):
    tree = Tree(tmp_path)
    folder = tree.mapper("dm-3", "253:3", "x", tree.disk("block/sda", "8:0"))
    (folder / "dm/uuid").unlink()
    assert tree.devices().layers("253:3", "x")[0] == Layer("dm-3", LayerKind.MAPPER, ("sda",))


# ---- both ------------------------------------------------------------------------------------------------------------


def test_the_system_port_answers_with_these(tree, tmp_path):
    system = ComputedSystem(LiveFiles(str(tmp_path)), FakePort())
    assert system.disks("8:2", "/dev/sda2") == tree.devices().disks("8:2", "/dev/sda2")
    assert system.layers("8:2", "/dev/sda2") == tree.devices().layers("8:2", "/dev/sda2")


def test_the_time_of_a_question_ends(tmp_path, tree):
    over = Patience(-1)
    with pytest.raises(TimeoutError):
        BlockDevices(LiveFiles(str(tmp_path)), over.left).layers("8:2", "/dev/sda2")


def test_this_machine_shows_disks_or_says_why_not():
    here = LiveHost(10)
    fact = here.files.file_system("/")
    # in a container there may be no disk to see, which is said so and not guessed
    with suppress(NotImplementedError):
        layers = here.system.layers(fact.device, fact.source)
        bottom = {layer.name for layer in layers if not layer.below}
        assert bottom == {disk.name for disk in here.system.disks(fact.device, fact.source)}
