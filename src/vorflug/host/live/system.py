"""The machine itself, from /proc and /sys.

Everything but uname(2) is read below a folder *root*, so that trees of other machines answer as this one does.
Sources: proc(5), cgroups(7), the kernel's documents cgroup-v2, cgroup-v1/memory and ABI sysfs-block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from vorflug.host.live import Patience
from vorflug.host.live.files import LiveFiles, Mount, mounts
from vorflug.ports.system import Disk, Kernel, Memory, Processor

_V1_NAMES = {"memory.max": ("memory.limit_in_bytes",), "cpu.max": ("cpu.cfs_quota_us", "cpu.cfs_period_us")}
"""The files of cgroup v1 that say what a v2 file says."""

_HYPERVISOR_VENDORS = {"QEMU", "VMware", "Msft", "VBOX", "XENSRC", "Google", "NUTANIX", "RHEV", "OVIRT", "ORACLE"}
"""SCSI INQUIRY vendors (device/vendor of sysfs) of disks that a hypervisor makes."""
_CLOUD_MODELS = ("Amazon Elastic Block Store", "nvme_card-pd", "MSFT NVMe", "VMware Virtual NVMe", "QEMU NVMe")
"""Starts of NVMe models (device/model of sysfs) of disks that a cloud's network storage or a hypervisor presents."""
_PARAVIRTUAL = ("vd", "xvd", "nbd", "rbd", "dasd", "loop")
"""Drivers' name prefixes: virtio-blk, Xen, network block devices, z/VM's, and files that stand for a disk."""

_DEPTH = 16
"""Partitions on md on LVM on encryption on multipath stay far below; a loop would not."""


@dataclass(frozen=True)
class _Hierarchy:
    """Where this process's group lies in the hierarchy that holds a controller."""

    top: str
    """The folder where the hierarchy is mounted."""
    group: PurePosixPath
    """This process's group, seen from *top*."""
    shown: PurePosixPath
    """The name of *top* itself in the kernel's words: not ``/`` where only a part is mounted."""
    v1: bool


class LiveSystem:
    """Facts about the machine whose /proc and /sys lie below *root*."""

    def __init__(self, patience: Patience, root: str = "/") -> None:
        self._patience = patience
        self._root = root.rstrip("/")
        self._files = LiveFiles()

    def memory(self) -> Memory:
        lines = dict(line.split(":", 1) for line in self._read("/proc/meminfo").splitlines() if ":" in line)
        # proc_meminfo(5): kibibytes, although it says kB; MemAvailable is there since Linux 3.14
        values = {name: int(rest.split()[0]) * 1024 for name, rest in lines.items()}
        try:
            return Memory(values["MemTotal"], values["MemAvailable"], values["SwapTotal"])
        except KeyError as missing:
            raise NotImplementedError(f"/proc/meminfo has no {missing.args[0]}") from None

    def cgroup_limits(self, name: str) -> tuple[tuple[str, str], ...]:
        hierarchy = self._hierarchy(name.partition(".")[0])
        if hierarchy is None:
            return ()
        found: list[tuple[str, str]] = []
        for group in (hierarchy.group, *hierarchy.group.parents):
            self._patience.left()
            content = self._limit(f"{hierarchy.top}/{group.relative_to('/')}", name, v1=hierarchy.v1)
            if content is not None:
                found.append((str(hierarchy.shown / group.relative_to("/")), content))
        return tuple(found)

    def cgroup_top_hidden(self, name: str) -> bool:
        hierarchy = self._hierarchy(name.partition(".")[0])
        if hierarchy is None:
            return False
        # cgroup-v2, "Core Interface Files": these exist on every group but the root
        files = () if hierarchy.v1 else (name, "cgroup.events", "cgroup.type")
        return hierarchy.shown != PurePosixPath("/") or any(
            self._files.exists(f"{hierarchy.top}/{file}") for file in files
        )

    def uname(self) -> Kernel:
        seen = os.uname()
        return Kernel(seen.release, seen.machine)

    def processor(self) -> Processor:
        blocks = [
            {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
            for block in self._read("/proc/cpuinfo").split("\n\n")
            if block.strip()
        ]
        features = [
            set(flags.split()) for b in blocks if (flags := b.get("flags") or b.get("Features") or b.get("features"))
        ]
        online = self._online(blocks)
        return Processor(
            online=len(online),
            # cpusets name CPUs that are off or not there too: Cpus_allowed_list often reads 0-127 on a machine with two
            affinity=len(online & _numbers(self._status("Cpus_allowed_list"))),
            flags=tuple(sorted(set.intersection(*features))) if features else (),
            model=next((m for b in blocks if (m := b.get("model name") or b.get("cpu"))), ""),
        )

    def disks(self, device: str, source: str) -> tuple[Disk, ...]:
        names = {disk.rpartition("/")[2]: disk for disk in self._bottom(self._block(device, source), _DEPTH)}
        return tuple(self._disk(name, folder) for name, folder in sorted(names.items()))

    # ---- control groups

    def _hierarchy(self, controller: str) -> _Hierarchy | None:
        """None where this kernel limits nothing by *controller*."""
        try:
            lines = [line.split(":", 2) for line in self._read("/proc/self/cgroup").splitlines()]
        except FileNotFoundError:
            if not self._files.exists(f"{self._root}/proc/self/status"):
                raise NotImplementedError("/proc is not mounted") from None
            return None  # a kernel without control groups
        own = {name: path for _, names, path in lines for name in names.split(",")}
        v1 = controller in own
        if not v1 and ("" not in own or self._disabled(controller)):
            return None
        for mount in reversed(mounts(f"{self._root}/proc/self/mountinfo")):
            if (mount.kind == "cgroup" and v1 and controller in mount.options) or (mount.kind == "cgroup2" and not v1):
                return self._placed(mount, own[controller if v1 else ""], v1=v1)
        raise NotImplementedError(f"the cgroup hierarchy of {controller!r} is not mounted here")

    def _placed(self, mount: Mount, path: str, *, v1: bool) -> _Hierarchy:
        """Inside a container the mount shows a part of the tree, or a cgroup namespace renames its top to ``/``."""
        below, top = PurePosixPath(path), PurePosixPath(mount.root)
        if ".." in below.parts or ".." in top.parts or not below.is_relative_to(top):
            raise NotImplementedError(f"{mount.point} does not show the cgroup {path} of this process")
        return _Hierarchy(self._root + mount.point, PurePosixPath("/") / below.relative_to(top), top, v1)

    def _disabled(self, controller: str) -> bool:
        """Whether the kernel was booted without it (/proc/cgroups, fourth column; cgroups(7))."""
        try:
            rows = [line.split() for line in self._read("/proc/cgroups").splitlines()]
        except FileNotFoundError:
            return False
        return any(row[0] == controller and row[3:4] == ["0"] for row in rows if row)

    def _limit(self, folder: str, name: str, *, v1: bool) -> str | None:
        names = _V1_NAMES.get(name, (name,)) if v1 else (name,)
        try:
            contents = [self._files.read_text(f"{folder}/{n}", limit=4096).strip() for n in names]
        except FileNotFoundError:
            if not self._files.exists(folder):
                raise NotImplementedError(f"the cgroup folder {folder} is not visible") from None
            return None  # the root of the tree, or a group without this controller
        # cgroup v1: a quota of -1 is none (the kernel's document sched-bwc)
        return " ".join("max" if c == "-1" else c for c in contents)

    # ---- processors

    def _online(self, blocks: list[dict[str, str]]) -> set[int]:
        try:
            return _numbers(self._read("/sys/devices/system/cpu/online"))
        except FileNotFoundError:  # no /sys here: /proc/cpuinfo lists the CPUs that are on
            found = {int(block["processor"]) for block in blocks if block.get("processor", "").isdigit()}
            if not found:
                raise NotImplementedError("neither /sys nor /proc/cpuinfo lists the CPUs") from None
            return found

    def _status(self, key: str) -> str:
        lines = (line.partition(":") for line in self._read("/proc/self/status").splitlines())
        value = next((value.strip() for name, _, value in lines if name == key), None)
        if value is None:
            raise NotImplementedError(f"/proc/self/status has no {key}")
        return value

    # ---- disks

    def _block(self, device: str, source: str) -> str:
        """The sysfs folder of the block device."""
        folders = [f"{self._root}/sys/dev/block/{device}"]
        if source.startswith("/dev/"):
            # /dev/mapper/vg-lv is a link to ../dm-0
            name = os.path.realpath(self._root + source).rpartition("/")[2]
            folders.append(f"{self._root}/sys/class/block/{name}")
        if not self._files.exists(f"{self._root}/sys/dev/block"):
            raise NotImplementedError("/sys is not mounted here, so no disk is visible")
        for folder in folders:
            if self._files.exists(folder):
                return os.path.realpath(folder)
        raise NotImplementedError(f"no block device is visible below {source} ({device})")

    def _bottom(self, folder: str, depth: int) -> Iterator[str]:
        self._patience.left()
        if depth == 0:
            raise ValueError(f"more than {_DEPTH} devices below each other at {folder}")
        if self._files.exists(f"{folder}/partition"):
            folder = folder.rpartition("/")[0]
        slaves = self._files.list_folder(f"{folder}/slaves") if self._files.exists(f"{folder}/slaves") else ()
        if not slaves:
            yield folder
        for slave in slaves:
            yield from self._bottom(os.path.realpath(f"{folder}/slaves/{slave}"), depth - 1)

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

    def _word(self, path: str) -> str:
        try:
            return self._files.read_text(path, limit=256).strip()
        except FileNotFoundError:
            return ""  # virtio and NVMe disks have no vendor, md and loop devices no model

    def _read(self, path: str) -> str:
        self._patience.left()
        return self._files.read_text(self._root + path, limit=1 << 23)


def _numbers(text: str) -> set[int]:
    """``0-3,8`` → {0, 1, 2, 3, 8} (cpuset(7), "List format").  Raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not 0 <= low <= high < 1 << 16:
            raise ValueError(f"wanted a list of CPUs such as 0-3,8, saw {text[:80]!r}")
        found.update(range(low, high + 1))
    return found
