"""The machine itself, worked out from the files of /proc and /sys.

It asks the host's ports ``files`` and ``machine`` and nothing else, so that a recorded host works through this code as
the live one does: a machine that is read wrongly can be recorded, and the recording still shows the mistake.
Sources: proc(5), cgroups(7), the kernel's documents cgroup-v2, cgroup-v1/memory, cputopology, memory-hotplug and ABI
sysfs-devices-system-cpu; lsmem(1) for counting memory blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from vorflug import ports
from vorflug.host import mounts
from vorflug.host.block_devices import BlockDevices
from vorflug.host.mounts import Mount
from vorflug.host.virtualisation import Detection
from vorflug.ports.system import (
    Disk,
    GivenBy,
    GivenMemory,
    Kernel,
    Layer,
    Memory,
    Processor,
    Topology,
    Virtualisation,
)

_V1_NAMES = {"memory.max": ("memory.limit_in_bytes",), "cpu.max": ("cpu.cfs_quota_us", "cpu.cfs_period_us")}
"""The files of cgroup v1 that say what a v2 file says."""

_CPUS = "/sys/devices/system/cpu"
_CPUINFO_ENOUGH = 16 << 10
"""Bytes of /proc/cpuinfo that hold the features of several CPUs: one block has 1 to 3 KiB."""


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


class ComputedSystem:
    """Facts about the machine whose files *files* reads."""

    def __init__(self, files: ports.Files, machine: ports.Machine, go_on: Callable[[], object] = lambda: None) -> None:
        """*go_on* is called again and again, and raises TimeoutError when the time is over."""
        self._files = files
        self._machine = machine
        self._go_on = go_on

    def memory(self) -> Memory:
        lines = dict(line.split(":", 1) for line in self._needed("/proc/meminfo").splitlines() if ":" in line)
        # proc_meminfo(5): kibibytes, although it says kB; MemAvailable is there since Linux 3.14
        values = {name: int(rest.split()[0]) * 1024 for name, rest in lines.items()}
        # Hugetlb (since Linux 4.15) counts the pages of all sizes; a kernel without huge pages has none of these lines
        huge = values.get("Hugetlb", _plain(lines, "HugePages_Total") * values.get("Hugepagesize", 0))
        try:
            return Memory(values["MemTotal"], values["MemAvailable"], values["SwapTotal"], huge)
        except KeyError as missing:
            raise NotImplementedError(f"/proc/meminfo has no {missing.args[0]}") from None

    def cgroup_limits(self, name: str) -> tuple[tuple[str, str], ...]:
        hierarchy = self._hierarchy(name.partition(".")[0])
        if hierarchy is None:
            return ()
        found: list[tuple[str, str]] = []
        for group in (hierarchy.group, *hierarchy.group.parents):
            self._go_on()
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
        return self._machine.uname()

    def processor(self) -> Processor:
        online, cpuinfo = self._online(), "/proc/cpuinfo"
        if online is not None:
            # Features are wanted from it and nothing else then, and Linux runs only where all CPUs share those that
            # programs see.  The whole file of a machine with 96 CPUs has 200 KiB and would bloat every recording.
            text = self._needed(cpuinfo, limit=_CPUINFO_ENOUGH)
            text = text[: text.rfind("\n") + 1]  # a line that was cut off would lack features
        else:
            text = self._needed(cpuinfo)
        blocks = [
            {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
            for block in text.split("\n\n")
            if block.strip()
        ]
        features = [
            set(flags.split()) for b in blocks if (flags := b.get("flags") or b.get("Features") or b.get("features"))
        ]
        if online is None:  # /proc/cpuinfo lists the CPUs that are on
            online = {int(block["processor"]) for block in blocks if block.get("processor", "").isdigit()}
            if not online:
                raise NotImplementedError("neither /sys nor /proc/cpuinfo lists the CPUs")
        return Processor(
            online=len(online),
            # cpusets name CPUs that are off or not there too: Cpus_allowed_list often reads 0-127 on a machine with two
            affinity=len(online & _numbers(self._status("Cpus_allowed_list"))),
            flags=tuple(sorted(set.intersection(*features))) if features else (),
            model=next((m for b in blocks if (m := b.get("model name") or b.get("cpu"))), ""),
        )

    def topology(self) -> Topology:
        ids = {line.partition(":")[2].strip() for line in self._files.lines_with("/proc/cpuinfo", ("physical id",))}
        active, control = (self._optional(f"{_CPUS}/smt/{name}") for name in ("active", "control"))
        return Topology(
            present=_count(self._optional(f"{_CPUS}/present")),
            sockets=len(ids) or None,
            nodes=_count(self._optional("/sys/devices/system/node/online")),
            smt="active" if active == "1" else control or "",
        )

    def memory_given(self) -> GivenMemory | None:
        if any(mount.point == "/proc/meminfo" for mount in mounts.read(self._files)):
            return None  # lxcfs mounts the container's own figures there, and /sys still tells of the whole machine
        size = self._blocks()
        if size is not None:
            return GivenMemory(size, GivenBy.BLOCKS)
        try:
            modules = self._machine.memory_modules()
        except (FileNotFoundError, PermissionError, NotImplementedError):
            return None
        return GivenMemory(sum(modules), GivenBy.FIRMWARE) if modules else None

    def virtualisation(self) -> Virtualisation:
        return Detection(self._files, self._machine, self._go_on).virtualisation(self.processor().flags)

    def disks(self, device: str, source: str) -> tuple[Disk, ...]:
        return BlockDevices(self._files, self._go_on).disks(device, source)

    def layers(self, device: str, source: str) -> tuple[Layer, ...]:
        return BlockDevices(self._files, self._go_on).layers(device, source)

    # ---- control groups

    def _hierarchy(self, controller: str) -> _Hierarchy | None:
        """None where this kernel limits nothing by *controller*."""
        try:
            lines = [line.split(":", 2) for line in self._read("/proc/self/cgroup").splitlines()]
        except FileNotFoundError:
            if not self._files.exists("/proc/self/status"):
                raise NotImplementedError("/proc is not mounted") from None
            return None  # a kernel without control groups
        own = {name: path for _, names, path in lines for name in names.split(",")}
        v1 = controller in own
        if not v1 and ("" not in own or self._disabled(controller)):
            return None
        for mount in reversed(mounts.read(self._files)):
            if (mount.kind == "cgroup" and v1 and controller in mount.options) or (mount.kind == "cgroup2" and not v1):
                return self._placed(mount, own[controller if v1 else ""], v1=v1)
        raise NotImplementedError(f"the cgroup hierarchy of {controller!r} is not mounted here")

    def _placed(self, mount: Mount, path: str, *, v1: bool) -> _Hierarchy:
        """Inside a container the mount shows a part of the tree, or a cgroup namespace renames its top to ``/``."""
        below, top = PurePosixPath(path), PurePosixPath(mount.root)
        if ".." in below.parts or ".." in top.parts or not below.is_relative_to(top):
            raise NotImplementedError(f"{mount.point} does not show the cgroup {path} of this process")
        return _Hierarchy(mount.point, PurePosixPath("/") / below.relative_to(top), top, v1)

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

    def _online(self) -> set[int] | None:
        """None where there is no /sys."""
        try:
            return _numbers(self._read(f"{_CPUS}/online"))
        except FileNotFoundError:
            return None

    def _blocks(self) -> int | None:
        """The kernel's document memory-hotplug: block_size_bytes is hexadecimal, and each block has a state."""
        blocks = "/sys/devices/system/memory"
        size = self._optional(f"{blocks}/block_size_bytes")
        if size is None:
            return None  # a kernel that cannot change its memory, as on many ARM boards, or no /sys
        there = [name for name in self._files.list_folder(blocks) if name.removeprefix("memory").isdigit()]
        off = {name for name, _ in self._files.lines_below(blocks, "state", ("offline",))}  # going-offline too
        return (len(there) - len(off)) * int(size, 16) or None

    def _optional(self, path: str) -> str | None:
        try:
            return self._read(path).strip()
        except (FileNotFoundError, PermissionError):
            return None  # a fact that is shown and that decides nothing

    def _status(self, key: str) -> str:
        lines = (line.partition(":") for line in self._needed("/proc/self/status").splitlines())
        value = next((value.strip() for name, _, value in lines if name == key), None)
        if value is None:
            raise NotImplementedError(f"/proc/self/status has no {key}")
        return value

    def _needed(self, path: str, *, limit: int = 1 << 23) -> str:
        """A file that is there wherever /proc is mounted."""
        try:
            return self._read(path, limit=limit)
        except FileNotFoundError:
            raise NotImplementedError(f"{path} is not there: /proc is not mounted") from None

    def _read(self, path: str, *, limit: int = 1 << 23) -> str:
        self._go_on()
        return self._files.read_text(path, limit=limit)


def _plain(lines: dict[str, str], name: str) -> int:
    """A line of /proc/meminfo that is a count and has no unit."""
    return int(lines.get(name, "0"))


def _count(text: str | None) -> int | None:
    return len(_numbers(text)) if text else None


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
