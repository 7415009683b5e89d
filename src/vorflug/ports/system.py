"""The machine itself: processor, memory, kernel, control groups, disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Memory:
    """Memory as the kernel counts it, before any cgroup limit."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int


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

    def disks(self, device: str, source: str) -> tuple[Disk, ...]:
        """The disks at the bottom of a block device, sorted by name.

        Partitions, device-mapper (LVM, encryption) and md RAIDs are followed down.  *device* is ``major:minor``,
        *source* the mount's source, which leads on where the number is of no block device (btrfs).
        Raises NotImplementedError where there is no block device.
        """
        ...
