"""The machine itself: processor, memory, kernel, control groups, disks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Memory:
    """Memory as the kernel counts it, before any cgroup limit."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    huge_pages_bytes: int = 0
    """Set aside as huge pages of all sizes (the kernel's document hugetlbpage)."""


@dataclass(frozen=True)
class Kernel:
    """What uname(2) says."""

    release: str
    """``6.1.0-18-amd64``."""
    machine: str
    """``x86_64``, ``aarch64``, ``ppc64le``, ``s390x``."""


@dataclass(frozen=True)
class Processor:
    """The CPUs that the kernel schedules on, before any cgroup quota."""

    online: int
    """CPUs that are switched on."""
    affinity: int
    """How many of those this process may run on: sched_setaffinity(2) and cpusets (cpuset(7)) taken together."""
    flags: tuple[str, ...]
    """What every CPU can do, sorted: ``flags`` of /proc/cpuinfo on x86, ``Features`` on ARM, ``features`` on s390x."""
    model: str
    """Empty where the architecture names none."""


@dataclass(frozen=True)
class Disk:
    """A disk as the kernel presents it; what stands behind a hypervisor's disk is not visible."""

    name: str
    """``sda``, ``nvme0n1``, ``vda``."""
    rotational: bool
    """queue/rotational of sysfs (the kernel's document sysfs-block)."""
    virtual: bool
    """A hypervisor's or storage array's disk, for which *rotational* may be a default that nobody set."""


@dataclass(frozen=True)
class Topology:
    """How the CPUs are arranged, as far as the kernel and the hypervisor show it."""

    present: int | None
    """CPUs that are there, switched on or not; None where /sys does not show it."""
    sockets: int | None
    """None where the architecture does not number them."""
    nodes: int | None
    """NUMA nodes; None where the kernel knows none."""
    smt: str
    """``active`` where hardware threads share cores; else the word of /sys/devices/system/cpu/smt/control (``on``,
    ``off``, ``forceoff``, ``notsupported``, ``notimplemented``); empty where the kernel shows neither."""


class GivenBy(StrEnum):
    """How it is known what memory the machine was given."""

    BLOCKS = "blocks"
    """The kernel's memory blocks that are online."""
    FIRMWARE = "firmware"
    """The firmware's list of memory modules."""


@dataclass(frozen=True)
class GivenMemory:
    """The memory that the machine was given, of which the kernel and the firmware keep a part."""

    size_bytes: int
    by: GivenBy


@dataclass(frozen=True)
class Virtualisation:
    """What this runs in, in the words that systemd-detect-virt(1) prints."""

    hypervisor: str
    """``kvm``, ``qemu``, ``vmware``, ``microsoft``, ``xen``, ``amazon``, …; ``vm-other`` for one that does not say its
    name; empty where nothing points to a hypervisor."""
    container: str
    """``docker``, ``podman``, ``lxc``, ``wsl``, …; ``container-other`` for one that does not say its name; empty where
    nothing points to a container.  ``kubernetes`` is a pod, for which systemd has no word."""
    rootless: bool
    """Whether this is a user namespace of its own (user_namespaces(7)), where root is not root of the machine."""
    hypervisor_by: tuple[str, ...]
    """What pointed to the hypervisor: ``/sys/class/dmi/id/sys_vendor: QEMU``."""
    container_by: tuple[str, ...]
    """What pointed to the container and to the user namespace."""


class LayerKind(StrEnum):
    """What a block device is made of."""

    DISK = "disk"
    PARTITION = "partition"
    ENCRYPTION = "encryption"
    """dm-crypt: LUKS, plain, BitLocker, VeraCrypt."""
    LVM = "lvm"
    RAID = "raid"
    """md."""
    MULTIPATH = "multipath"
    CACHE = "cache"
    """bcache."""
    LOOP = "loop"
    """A file that stands for a disk."""
    MAPPER = "mapper"
    """Any other device-mapper target, among them dm-verity and dm-integrity, which encrypt nothing."""


@dataclass(frozen=True)
class Layer:
    """One block device on the way from a file system down to its disks."""

    name: str
    """As the kernel calls it: ``dm-0``, ``sda2``."""
    kind: LayerKind
    below: tuple[str, ...]
    """The names of the devices directly below; none for a disk and for a file that stands for one."""
    backing_file: str = ""
    """Of a loop device: the file that stands for the disk."""


class System(Protocol):
    """Facts about the machine."""

    def memory(self) -> Memory:
        """MemTotal, MemAvailable and SwapTotal of proc(5)."""
        ...

    def cgroup_limits(self, name: str) -> tuple[tuple[str, str], ...]:
        """The file *name* (``memory.max``, ``cpu.max``) of this process's cgroup and of every ancestor.

        ``(folder, content)`` from the process's own group up to the visible root, cgroup v2 and v1.  A v1 limit is
        given under its v2 name and in its v2 form (``"150000 100000"`` for cpu.max, ``max`` for none there).  A group
        without that file (the root) is left out.  Raises NotImplementedError where the groups are there but hidden.
        """
        ...

    def cgroup_top_hidden(self, name: str) -> bool:
        """Whether `cgroup_limits` may end below a group that limits *name* as well.

        So inside a container: a cgroup namespace (cgroup_namespaces(7)) or a bind mount shows a part of the tree.  In a
        namespace of cgroup v1 the top looks like the root, which gives False.
        """
        ...

    def uname(self) -> Kernel:
        """Kernel release and machine."""
        ...

    def processor(self) -> Processor:
        """The CPUs and what they can do."""
        ...

    def topology(self) -> Topology:
        """How the CPUs are arranged."""
        ...

    def memory_given(self) -> GivenMemory | None:
        """What memory the machine was given; None where neither the kernel nor the firmware says so here."""
        ...

    def virtualisation(self) -> Virtualisation:
        """Which hypervisor and which container this runs in, worked out from files alone and without root."""
        ...

    def disks(self, device: str, source: str) -> tuple[Disk, ...]:
        """The disks at the bottom of a block device, sorted by name.

        Partitions, device-mapper (LVM, encryption) and md RAIDs are followed down.  *device* is ``major:minor``,
        *source* the mount's source, which leads on where the number is of no block device (btrfs).
        Raises NotImplementedError where there is no block device.
        """
        ...

    def layers(self, device: str, source: str) -> tuple[Layer, ...]:
        """Every block device below a file system, from the top down, each once; arguments and errors as for `disks`.

        What encrypts inside a hypervisor or a storage array is not visible here.
        """
        ...
