"""Virtualisation: on which hypervisor, in which container, and does the hypervisor take processor time away?

Names are those of systemd-detect-virt(1).  Steal is the time in which a virtual CPU wanted to run and the hypervisor
ran something else (proc_stat(5)).  guest and guest_nice are left out of the sum because user and nice hold them already
(account_guest_time() of the kernel).  idle and iowait may run backwards (proc_stat(5) on iowait; idle on kernels
without ticks) and then count as nothing; any other counter that does so was reset, and is refused.  In a container
/proc/stat is the machine's, which is what is wanted.
Linux learns of steal from KVM, Xen, z/VM and PowerVM, and from VMware where stealclock is on; Hyper-V, VirtualBox and
others say nothing, so that 0 since boot means nothing there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Duration, Percent
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Virtualisation")

_NAMES = {
    "amazon": "AWS Nitro",
    "apple": "Apple Virtualization",
    "bhyve": "bhyve",
    "google": "Google Compute Engine",
    "kvm": "KVM",
    "microsoft": "Hyper-V",
    "oracle": "VirtualBox",
    "parallels": "Parallels",
    "powervm": "PowerVM",
    "qemu": "QEMU",
    "vmware": "VMware",
    "xen": "Xen",
    "zvm": "z/VM",
}
_SAY_NOTHING = {"apple", "bhyve", "bochs", "microsoft", "oracle", "parallels", "vmware", "vm-other"}
"""Hypervisors of which Linux need not learn about steal."""
_WSL = "wsl"

_COUNTERS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""The first fields of /proc/stat; guest and guest_nice follow."""
_MAY_RUN_BACKWARDS = {"idle", "iowait"}


def hypervisor_name(kind: str) -> Message:
    """The hypervisor as people call it."""
    match kind:
        case "":
            return msg("no hypervisor found")
        case "vm-other":
            return msg("a hypervisor that does not say its name")
        case _:
            return msg("{name}", name=_NAMES.get(kind, kind))


class VirtualisationFact(Fact):
    """What this runs in."""

    hypervisor: str
    """As systemd-detect-virt(1) calls it; empty where none was found."""
    container: str
    """Likewise."""
    rootless: bool
    """Whether root in here is not root of the machine."""
    hypervisor_by: tuple[str, ...] = ()
    """What pointed to the hypervisor."""
    container_by: tuple[str, ...] = ()
    """What pointed to the container and to the user namespace."""


@dataclass(frozen=True, kw_only=True)
class VirtualisationQuery(Query[VirtualisationFact]):
    """Does this run on the machine itself?"""

    kind = "virtualisation"
    touches = ("@system.virtualisation",)

    def asks(self) -> Message:
        return msg("On which hypervisor, and in which container, does this run?")

    def observe(self, host: Host) -> VirtualisationFact:
        seen = host.system.virtualisation()
        return VirtualisationFact(
            hypervisor=seen.hypervisor,
            container=seen.container,
            rootless=seen.rootless,
            hypervisor_by=seen.hypervisor_by,
            container_by=seen.container_by,
        )


class OnTheMachineRequirement(Requirement):
    """The program runs on the machine itself, and not in a container that hides most of it."""

    kind = "on_the_machine"

    def wanted(self) -> Message:
        return msg("run on the machine itself, in no container")

    def queries(self, known: Evidence) -> Sequence[VirtualisationQuery]:  # noqa: ARG002 - one question, whatever is known
        return [VirtualisationQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[VirtualisationQuery()]
        if not found.container:
            seen = msg("no container; {hypervisor}", hypervisor=hypervisor_name(found.hypervisor))
            return met(wanted=self.wanted(), seen=seen, because=msg("Nothing here points to a container."))
        if found.container == _WSL:
            return unmet(
                wanted=self.wanted(),
                seen=msg("Windows Subsystem for Linux"),
                because=msg(
                    "This is a Linux inside Windows: memory, disks, network and firewall are those that Windows "
                    "lends it, and end when the Windows user signs out."
                ),
                fix=msg("Provide a Linux machine, and run this there."),
            )
        seen = msg("container ({kind}): {evidence:list}", kind=found.container, evidence=found.container_by)
        if found.rootless:
            seen = msg(
                "container ({kind}) in which root is not root of the machine: {evidence:list}",
                kind=found.container,
                evidence=found.container_by,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "A container hides the machine: its other processes, its files and packages, listeners and routes "
                "outside this network namespace, and limits above this container. What this report says about them "
                "holds for the container."
            ),
            fix=msg("Run this on the machine itself; the program is one file and needs no container."),
        )


class CpuStealFact(Fact):
    """How much processor time the hypervisor took away."""

    stolen: float
    """Share of all processor time in the interval, 0 to 1."""
    since_boot: float
    """The same since the machine was started."""
    seconds: float
    """The interval."""
    hypervisor: str
    """As systemd-detect-virt(1) calls it; empty where none was found."""


@dataclass(frozen=True, kw_only=True)
class CpuStealQuery(Query[CpuStealFact]):
    """How much processor time does the hypervisor take away?"""

    kind = "cpu_steal"
    touches = ("@system.virtualisation", "@machine.wait")
    deadline = 30.0
    seconds: float
    """How long to watch."""

    def asks(self) -> Message:
        return msg("How much processor time does the hypervisor take away within {time:duration}?", time=self.seconds)

    def observe(self, host: Host) -> CpuStealFact:
        hypervisor = host.system.virtualisation().hypervisor
        before = _counters(host)
        host.machine.wait(self.seconds)
        after = _counters(host)
        return CpuStealFact(
            stolen=_share(before, after),
            since_boot=_share(dict.fromkeys(_COUNTERS, 0), after),
            seconds=self.seconds,
            hypervisor=hypervisor,
        )


def _counters(host: Host) -> dict[str, int]:
    try:
        lines = host.files.lines_with("/proc/stat", ("cpu ",))
    except FileNotFoundError:
        raise NotImplementedError("/proc/stat is not there: /proc is not mounted") from None
    fields = next((line.split()[1:] for line in lines if line.startswith("cpu ")), [])
    if len(fields) < len(_COUNTERS):
        raise NotImplementedError("/proc/stat does not count stolen time")
    return {name: int(field) for name, field in zip(_COUNTERS, fields, strict=False)}


def _share(before: dict[str, int], after: dict[str, int]) -> float:
    """Raises ValueError for counters that were reset, NotImplementedError for counters that stand still."""
    passed = {name: after[name] - before[name] for name in _COUNTERS}
    reset = [name for name, ticks in passed.items() if ticks < 0 and name not in _MAY_RUN_BACKWARDS]
    if reset:
        raise ValueError(f"wanted counters of /proc/stat that grow, saw {', '.join(reset)} run backwards")
    total = sum(max(0, ticks) for ticks in passed.values())
    if total == 0:
        raise NotImplementedError("the counters of /proc/stat stand still")
    return passed["steal"] / total


class CpuStealRequirement(Requirement):
    """The hypervisor takes away less than this share of the processor time."""

    kind = "cpu_steal"
    below: Annotated[Percent, Field(gt=0)]
    over: Annotated[Duration, Field(ge=0.5, le=20)]
    """How long to watch.  The kernel counts in hundredths of a second, for each CPU."""

    def wanted(self) -> Message:
        return msg(
            "less than {limit:percent} of the processor time taken away by the hypervisor, over {time:duration}",
            limit=self.below,
            time=self.over,
        )

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - one question, whatever is known
        return [CpuStealQuery(seconds=self.over)]

    def judge(self, evidence: Evidence) -> Verdict:
        steal = evidence[CpuStealQuery(seconds=self.over)]
        seen = msg(
            "{stolen:percent} over {time:duration}, {average:percent} since boot ({hypervisor})",
            stolen=steal.stolen,
            time=steal.seconds,
            average=steal.since_boot,
            hypervisor=hypervisor_name(steal.hypervisor),
        )
        if steal.stolen >= self.below:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The hypervisor gave {stolen:percent} of the processor time to others while this machine wanted "
                    "to run.",
                    stolen=steal.stolen,
                ),
                fix=msg("Move this machine to a host with less load, or reserve processor time for it."),
            )
        if steal.since_boot == 0 and steal.hypervisor in _SAY_NOTHING:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "Nothing has been counted since boot, and this hypervisor need not tell a machine what it takes "
                    "away."
                ),
                fix=msg("Look at the hypervisor: CPU Ready (VMware), CPU Wait Time Per Dispatch (Hyper-V)."),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{stolen:percent} of the processor time was taken away while it was watched.", stolen=steal.stolen
            )
            if steal.hypervisor
            else msg("There is no hypervisor that could take processor time away."),
        )
