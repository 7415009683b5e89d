"""Memory: is there enough of it for the size that is wanted?

What a program started here can have at most is worked out of four numbers:

* MemTotal of proc_meminfo(5): "total usable RAM (i.e., physical RAM minus a few reserved bits and the kernel binary
  code)".  A machine that was given 8 GiB shows some 7.6; that is what the profile's tolerance is for.
* less the pool of huge pages: "pages in the pool are reserved inside the kernel and cannot be used for other purposes"
  (the kernel's document hugetlbpage).  A program that does not ask for huge pages, as the profile's, cannot have them.
* at most the least ``memory.max`` over this process's cgroup and all its ancestors (the kernel's document cgroup-v2;
  memory.limit_in_bytes in cgroup v1, where no limit is a number of about 2^63).
* Swap is not memory and is not counted; swap on zram is kept in memory itself (the kernel's document zram).

What the machine was given is counted in the kernel's memory blocks as lsmem(1) does, else in the firmware's list, and
is shown beside it; it decides nothing.  A balloon driver (virtio, VMware, Hyper-V, Xen) lets the hypervisor take memory
away from a running machine.  That it is there is shown; whether it does so can be known only outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.quantity import Percent, Size
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.system import GivenBy

TITLE = msg("Memory")

_BALLOONS = (
    ("/sys/bus/virtio/drivers/virtio_balloon", "virtio_balloon", "virtio"),
    ("/sys/bus/vmbus/drivers/hv_balloon", "hv_balloon", ""),
    ("/sys/devices/system/xen_memory", "xen", "xen_memory"),
    ("/sys/module/vmw_balloon", "vmw_balloon", "initstate"),
)
"""Where a balloon shows itself, what it is called, and with what the entries of a device begin."""
_NO_DEVICE = {"bind", "module", "new_id", "remove_id", "uevent", "unbind"}
"""What stands in a bus driver's folder beside the devices that it drives (driver-model/driver of the kernel)."""


class MemoryFact(Fact):
    """Memory of the machine and what is left of it for a program."""

    total_bytes: int
    available_bytes: int
    """What could be used now without swapping, as the kernel estimates it (MemAvailable)."""
    limit_bytes: int | None
    """The least limit over this process's cgroup and all its ancestors; None where no group limits it."""
    limited_by: str | None
    """The cgroup that sets the least limit."""
    above_hidden: bool = False
    """Whether there may be cgroups above those that are visible, with limits of their own."""
    huge_pages_bytes: int = 0
    """Set aside as huge pages of all sizes."""
    given_bytes: int | None = None
    """What the machine was given; None where neither the kernel nor the firmware says so here."""
    given_by: GivenBy | None = None
    balloon: str | None = None
    """The balloon driver that is in place; empty for none, None where that is not visible."""

    @property
    def ordinary_bytes(self) -> int:
        """What the kernel can give to programs that ask for no huge pages."""
        return self.total_bytes - self.huge_pages_bytes

    @property
    def usable_bytes(self) -> int:
        """What a program started here can have at most."""
        return self.ordinary_bytes if self.limit_bytes is None else min(self.ordinary_bytes, self.limit_bytes)


@dataclass(frozen=True, kw_only=True)
class MemoryQuery(Query[MemoryFact]):
    """How much memory is there, and does a cgroup limit it?"""

    kind = "memory"
    touches = ("@system.memory", "@system.memory_given")

    def asks(self) -> Message:
        return msg("How much memory is there, and does a cgroup limit it?")

    def observe(self, host: Host) -> MemoryFact:
        memory = host.system.memory()
        given = host.system.memory_given()
        # cgroup v1 writes "no limit" as a number of about 2^63, so anything beyond the machine's own memory is none
        limits = [
            (int(content), folder)
            for folder, content in host.system.cgroup_limits("memory.max")
            if content.strip() != "max" and int(content) < memory.total_bytes
        ]
        limit, folder = min(limits, default=(None, None))
        return MemoryFact(
            total_bytes=memory.total_bytes,
            available_bytes=memory.available_bytes,
            limit_bytes=limit,
            limited_by=folder,
            above_hidden=host.system.cgroup_top_hidden("memory.max"),
            huge_pages_bytes=memory.huge_pages_bytes,
            given_bytes=None if given is None else given.size_bytes,
            given_by=None if given is None else given.by,
            balloon=_balloon(host),
        )


def _balloon(host: Host) -> str | None:
    """None where /sys is not there or closed, as in some containers: that is no "none"."""
    try:
        if not host.files.exists("/sys/devices/system"):
            return None
        return next((name for folder, name, start in _BALLOONS if _drives(host, folder, start)), "")
    except PermissionError:
        return None


def _drives(host: Host, folder: str, start: str) -> bool:
    try:
        entries = set(host.files.list_folder(folder)) - _NO_DEVICE
    except FileNotFoundError:
        return False
    return any(entry.startswith(start) for entry in entries)


class MemoryRequirement(Requirement):
    """At least this much memory, less a tolerance for what firmware and kernel keep."""

    kind = "memory"
    at_least: Size
    tolerance: Percent = 0.0

    @property
    def _enough(self) -> float:
        return self.at_least * (1 - self.tolerance)

    def wanted(self) -> Message:
        if self.tolerance:
            return msg(
                "at least {need:size} (tolerance {tolerance:percent})", need=self.at_least, tolerance=self.tolerance
            )
        return msg("at least {need:size}", need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[MemoryQuery]:  # noqa: ARG002 - one question, whatever is known
        return [MemoryQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        memory = evidence[MemoryQuery()]
        have = memory.usable_bytes
        gauge = Gauge(have, self.at_least, "B")
        if have < self._enough:
            return unmet(
                wanted=self.wanted(),
                seen=_seen(memory),
                because=msg("{have:sizes} of memory, {need:size} wanted.", have=have, need=self.at_least),
                fix=self._fix(memory),
                gauge=gauge,
            )
        because = msg("{have:sizes} of memory are enough, {need:size} are wanted.", have=have, need=self.at_least)
        if have < self.at_least:
            because = msg(
                "{have:sizes} of memory lie within {tolerance:percent} of {need:size}.",
                have=have,
                tolerance=self.tolerance,
                need=self.at_least,
            )
        return met(wanted=self.wanted(), seen=_seen(memory), because=because, gauge=gauge)

    def _fix(self, memory: MemoryFact) -> Message:
        """What stands nearest to the program comes first, for as long as all below it would do."""
        if memory.ordinary_bytes >= self._enough:
            return msg(
                "Raise the cgroup's memory limit ({folder}) to {need:size}.",
                folder=memory.limited_by,
                need=self.at_least,
            )
        if memory.total_bytes >= self._enough:
            return msg(
                "Set fewer huge pages aside (now {huge:size}; vm.nr_hugepages, hugepages= on the kernel's command "
                "line), or give this machine more memory.",
                huge=memory.huge_pages_bytes,
            )
        if memory.given_bytes is not None and memory.given_bytes >= self.at_least:
            return msg(
                "Find out what keeps {kept:size} of the {given:size} from Linux (crashkernel= or mem= on the kernel's "
                "command line, firmware, a balloon), or give this machine more memory.",
                kept=memory.given_bytes - memory.total_bytes,
                given=memory.given_bytes,
            )
        return msg("Give this machine {need:size} of memory.", need=self.at_least)


def _seen(memory: MemoryFact) -> Message:
    things = [_size(memory)]
    if memory.balloon:
        things.append(msg("the hypervisor can take memory away (balloon: {driver})", driver=memory.balloon))
    seen = listed(things)
    if memory.above_hidden:
        seen = msg("{seen}; limits above this cgroup namespace are not visible", seen=seen)
    return seen


def _size(memory: MemoryFact) -> Message:
    have = memory.usable_bytes
    if have < memory.ordinary_bytes:
        return msg(
            "{have:size} (limited by cgroup {folder}; the machine has {total:size})",
            have=have,
            folder=memory.limited_by,
            total=memory.total_bytes,
        )
    if memory.huge_pages_bytes:
        return msg(
            "{have:size} (of {total:size}; {huge:size} are set aside as huge pages)",
            have=have,
            total=memory.total_bytes,
            huge=memory.huge_pages_bytes,
        )
    if memory.given_bytes is None or memory.given_bytes <= memory.total_bytes:
        return msg("{have:size}", have=have)
    if memory.balloon:
        return msg(
            "{have:size} (of {given:size}; the kernel, the firmware and perhaps the balloon keep the rest)",
            have=have,
            given=memory.given_bytes,
        )
    return msg(
        "{have:size} (of {given:size}; the kernel and the firmware keep the rest)",
        have=have,
        given=memory.given_bytes,
    )
