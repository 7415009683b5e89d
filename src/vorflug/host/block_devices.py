"""Block devices of Linux, worked out from the files of /sys: what lies below a file system, down to the disks.

Sources: the kernel's documents ABI/stable/sysfs-block (``partition``, ``slaves``, ``queue/rotational``) and
ABI/testing/sysfs-block-dm (``dm/uuid``); the prefixes of device-mapper UUIDs are those that the tools write:
libcryptsetup (``CRYPT-<type>-``, lib/libdevmapper.c), LVM (``LVM-``, lib/activate/dev_manager.c), multipath-tools and
kpartx (``mpath-``, ``part1-``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vorflug import ports
from vorflug.ports.system import Disk, Layer, LayerKind

_HYPERVISOR_VENDORS = {"QEMU", "VMware", "Msft", "VBOX", "XENSRC", "Google", "NUTANIX", "RHEV", "OVIRT", "ORACLE"}
"""SCSI INQUIRY vendors (device/vendor of sysfs) of disks that a hypervisor makes."""
_CLOUD_MODELS = ("Amazon Elastic Block Store", "nvme_card-pd", "MSFT NVMe", "VMware Virtual NVMe", "QEMU NVMe")
"""Starts of NVMe models (device/model of sysfs) of disks that a cloud's network storage or a hypervisor presents."""
_PARAVIRTUAL = ("vd", "xvd", "nbd", "rbd", "dasd", "loop")
"""Drivers' name prefixes: virtio-blk, Xen, network block devices, z/VM's, and files that stand for a disk."""

_UNENCRYPTED = ("CRYPT-VERITY-", "CRYPT-INTEGRITY-", "CRYPT-SUBDEV-")
"""What libcryptsetup makes besides encryption: dm-verity and dm-integrity hold their data in the clear."""

_DEPTH = 16
"""Partitions on md on LVM on encryption on multipath stay far below; a loop would not."""


@dataclass(frozen=True)
class _Device:
    """A block device, its folder in sysfs and the folders of what lies directly below it."""

    layer: Layer
    folder: str
    below: tuple[str, ...]


class BlockDevices:
    """The block devices that the sysfs of *files* shows."""

    def __init__(self, files: ports.Files, go_on: Callable[[], object] = lambda: None) -> None:
        """*go_on* is called again and again, and raises TimeoutError when the time is over."""
        self._files = files
        self._go_on = go_on

    def disks(self, device: str, source: str) -> tuple[Disk, ...]:
        """See `ports.System.disks`."""
        found = {d.layer.name: d.folder for d in self._all(device, source) if not d.below}
        return tuple(self._disk(name, folder) for name, folder in sorted(found.items()))

    def layers(self, device: str, source: str) -> tuple[Layer, ...]:
        """See `ports.System.layers`."""
        return tuple(dict.fromkeys(d.layer for d in self._all(device, source)))

    # ---- walking down

    def _all(self, device: str, source: str) -> Iterator[_Device]:
        for folder in self._top(device, source):
            yield from self._down(folder, _DEPTH)

    def _top(self, device: str, source: str) -> tuple[str, ...]:
        """The sysfs folders of the block devices that hold the file system."""
        if not self._files.exists("/sys/dev/block"):
            raise NotImplementedError("/sys is not mounted here, so no disk is visible")
        if self._files.exists(known := f"/sys/dev/block/{device}"):
            return (self._files.resolve(known),)
        if source.startswith("/dev/"):
            # /dev/mapper/vg-lv is a link to ../dm-0
            name = self._files.resolve(source).rpartition("/")[2]
            if self._files.exists(f"/sys/class/block/{name}"):
                return self._members(name) or (self._files.resolve(f"/sys/class/block/{name}"),)
        raise NotImplementedError(f"no block device is visible below {source} ({device})")

    def _members(self, name: str) -> tuple[str, ...]:
        """All devices of the btrfs that device *name* belongs to: its mount names only one (sysfs of btrfs)."""
        top = "/sys/fs/btrfs"
        for uuid in self._files.list_folder(top) if self._files.exists(top) else ():
            if self._files.exists(f"{top}/{uuid}/devices/{name}"):
                members = self._files.list_folder(f"{top}/{uuid}/devices")
                return tuple(self._files.resolve(f"{top}/{uuid}/devices/{member}") for member in members)
        return ()

    def _down(self, folder: str, depth: int) -> Iterator[_Device]:
        self._go_on()
        if depth == 0:
            raise ValueError(f"more than {_DEPTH} devices below each other at {folder}")
        device = self._device(folder)
        yield device
        for below in device.below:
            yield from self._down(below, depth - 1)

    def _device(self, folder: str) -> _Device:
        below: tuple[str, ...] = ()
        if partition := self._files.exists(f"{folder}/partition"):
            below = (folder.rpartition("/")[0],)
        elif self._files.exists(slaves := f"{folder}/slaves"):
            below = tuple(self._files.resolve(f"{slaves}/{name}") for name in self._files.list_folder(slaves))
        kind = LayerKind.PARTITION if partition else self._kind(folder)
        names = tuple(one.rpartition("/")[2] for one in below)
        backing = self._word(f"{folder}/loop/backing_file", limit=4096) if kind is LayerKind.LOOP else ""
        return _Device(Layer(folder.rpartition("/")[2], kind, names, backing), folder, below)

    def _kind(self, folder: str) -> LayerKind:
        name = folder.rpartition("/")[2]
        if self._files.exists(f"{folder}/dm"):
            return mapper_kind(self._word(f"{folder}/dm/uuid"))
        if self._files.exists(f"{folder}/md"):
            return LayerKind.RAID
        if name.startswith("loop"):
            return LayerKind.LOOP
        return LayerKind.CACHE if name.startswith("bcache") else LayerKind.DISK

    # ---- disks

    def _disk(self, name: str, folder: str) -> Disk:
        rotational = self._files.read_text(f"{folder}/queue/rotational", limit=16).strip()
        if rotational not in {"0", "1"}:
            raise ValueError(f"{folder}/queue/rotational: wanted 0 or 1, saw {rotational!r}")
        vendor, model = (self._word(f"{folder}/device/{what}") for what in ("vendor", "model"))
        return Disk(
            name=name,
            rotational=rotational == "1",
            virtual=name.startswith(_PARAVIRTUAL) or vendor in _HYPERVISOR_VENDORS or model.startswith(_CLOUD_MODELS),
        )

    def _word(self, path: str, *, limit: int = 256) -> str:
        try:
            return self._files.read_text(path, limit=limit).strip()
        except FileNotFoundError:
            return ""  # virtio and NVMe disks have no vendor, md and loop devices no model


def mapper_kind(uuid: str) -> LayerKind:
    """What a device-mapper device is, by the UUID that its tool gave it; empty where it gave none."""
    if uuid.startswith(_UNENCRYPTED):
        return LayerKind.MAPPER
    known = (("CRYPT-", LayerKind.ENCRYPTION), ("LVM-", LayerKind.LVM), ("mpath-", LayerKind.MULTIPATH))
    for prefix, kind in known:
        if uuid.startswith(prefix):
            return kind
    # kpartx names the partition before the device that it lies on
    return LayerKind.PARTITION if uuid.startswith("part") else LayerKind.MAPPER
