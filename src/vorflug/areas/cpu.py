"""The processor: how many CPUs may a program use here, and what can they do?

What counts is the least of two things: the CPUs that affinity and cpusets allow (sched_setaffinity(2), cpuset(7)), and
the quota of this process's cgroup or any ancestor of it (``cpu.max`` in the kernel's cgroup-v2 document), which may be
a fraction: 150000 of 100000 microseconds are 1.5 CPUs and stay 1.5.  ``nproc`` is not asked: it knows cpusets and no
quotas (until coreutils 9.8).  Hardware threads that share a core (SMT), sockets and NUMA nodes are shown and change no
count: a vCPU of a vendor's sizing is a hardware thread.  CPUs that are off are those that the kernel calls present and
not online (cputopology); its list "offline" also holds CPUs that could only be added to the machine.
Microarchitecture levels are those of the x86-64 psABI, section 3.1.1, in the flag names of Linux.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, not_applicable, unmet
from vorflug.ports import Host

TITLE = msg("Processor")

_X86_64 = "x86_64"


class Microarchitecture(StrEnum):
    """Microarchitecture levels of x86-64."""

    V1 = "x86-64-v1"
    """The baseline: every x86-64 processor."""
    V2 = "x86-64-v2"
    V3 = "x86-64-v3"
    V4 = "x86-64-v4"


# Linux calls SSE3 "pni" and LZCNT "abm"; OSXSAVE is not listed, "xsave" is shown only where the system uses it
_V1 = ("cmov", "cx8", "fpu", "fxsr", "mmx", "sse", "sse2", "syscall")
_V2 = (*_V1, "cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3")
_V3 = (*_V2, "abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
LEVEL_FLAGS: dict[Microarchitecture, tuple[str, ...]] = {
    Microarchitecture.V1: _V1,
    Microarchitecture.V2: _V2,
    Microarchitecture.V3: _V3,
    Microarchitecture.V4: _V4,
}
"""The flags of /proc/cpuinfo that a level consists of, the lower levels' included."""


class CpuFact(Fact):
    """How many CPUs there are, and how many of them may be used here."""

    online: int
    """CPUs that are switched on."""
    affinity: int
    """How many of them affinity and cpusets allow."""
    quota: float | None
    """The least cgroup quota over all ancestors, in CPUs; None where no group sets one."""
    quota_by: str | None
    """The cgroup that sets the least quota."""
    above_hidden: bool = False
    """Whether there may be cgroups above those that are visible, with quotas of their own."""
    present: int | None = None
    """CPUs that are there, switched on or not; None where that is not visible."""
    sockets: int | None = None
    nodes: int | None = None
    """NUMA nodes."""
    smt: str = ""
    """``active`` where hardware threads share cores (see `vorflug.ports.system.Topology`)."""

    @property
    def switched_off(self) -> int:
        """CPUs that are there and not online."""
        return 0 if self.present is None else max(0, self.present - self.online)

    @property
    def usable(self) -> float:
        """How many CPUs a program started here can use at most."""
        return float(self.affinity) if self.quota is None else min(self.affinity, self.quota)


@dataclass(frozen=True, kw_only=True)
class CpuQuery(Query[CpuFact]):
    """How many CPUs may be used?"""

    kind = "cpu"
    touches = ("@system.cgroup_limits", "@system.processor")

    def asks(self) -> Message:
        return msg("How many CPUs may a program use here?")

    def observe(self, host: Host) -> CpuFact:
        processor, topology = host.system.processor(), host.system.topology()
        quotas = [
            (quota, folder)
            for folder, content in host.system.cgroup_limits("cpu.max")
            if (quota := _quota(content)) is not None
        ]
        quota, folder = min(quotas, default=(None, None))
        return CpuFact(
            online=processor.online,
            affinity=processor.affinity,
            quota=quota,
            quota_by=folder,
            above_hidden=host.system.cgroup_top_hidden("cpu.max"),
            present=topology.present,
            sockets=topology.sockets,
            nodes=topology.nodes,
            smt=topology.smt,
        )


class CpuFeaturesFact(Fact):
    """What the processor can do."""

    machine: str
    """As uname(2) names it."""
    model: str
    """Empty where it has no name."""
    flags: tuple[str, ...]
    """What every CPU can do, in the words of /proc/cpuinfo."""

    @property
    def level(self) -> Microarchitecture | None:
        """The highest level all of whose flags are there; None on other architectures."""
        there = set(self.flags)
        levels = [level for level, flags in LEVEL_FLAGS.items() if there.issuperset(flags)]
        return levels[-1] if levels and self.machine == _X86_64 else None


@dataclass(frozen=True, kw_only=True)
class CpuFeaturesQuery(Query[CpuFeaturesFact]):
    """What can the processor do?"""

    kind = "cpu_features"
    touches = ("@system.processor",)

    def asks(self) -> Message:
        return msg("What can the processor do?")

    def observe(self, host: Host) -> CpuFeaturesFact:
        processor = host.system.processor()
        return CpuFeaturesFact(machine=host.system.uname().machine, model=processor.model, flags=processor.flags)


def _quota(content: str) -> float | None:
    """``"150000 100000"`` → 1.5; ``"max 100000"`` → None.  Raises ValueError for anything else."""
    allowed, period = content.split()
    return None if allowed == "max" else int(allowed) / int(period)


def _shown(cpus: float) -> float:
    """Rounded down to a tenth, so that 7.99 CPUs are never shown as the 8 that they are not."""
    return floor(cpus * 10) / 10 or cpus


class CpuCoresRequirement(Requirement):
    """At least this many CPUs."""

    kind = "cpu_cores"
    at_least: Annotated[int, Field(ge=1)]

    def wanted(self) -> Message:
        return msg("at least {need} CPUs", need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[CpuQuery]:  # noqa: ARG002 - one question, whatever is known
        return [CpuQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        cpu = evidence[CpuQuery()]
        have = cpu.usable
        gauge = Gauge(have, self.at_least, "1")
        if have >= self.at_least:
            return met(
                wanted=self.wanted(),
                seen=self._seen(cpu),
                because=msg("{have} CPUs are enough, {need} are wanted.", have=_shown(have), need=self.at_least),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=self._seen(cpu),
            because=msg("{have} CPUs may be used here, {need} are wanted.", have=_shown(have), need=self.at_least),
            fix=self._fix(cpu),
            gauge=gauge,
        )

    def _seen(self, cpu: CpuFact) -> Message:
        seen = listed([self._visible(cpu), *self._arrangement(cpu)])
        if cpu.above_hidden:
            return msg("{seen}; limits above this cgroup namespace are not visible", seen=seen)
        return seen

    def _arrangement(self, cpu: CpuFact) -> Sequence[Message]:
        """What is no part of the judgement and may explain the machine to a reader."""
        seen: list[Message] = []
        if cpu.switched_off:
            seen.append(msg("switched off: {n}", n=cpu.switched_off))
        if cpu.smt == "active":
            seen.append(msg("hardware threads share cores (SMT)"))
        if cpu.sockets is not None and cpu.sockets > 1:
            seen.append(msg("sockets: {n}", n=cpu.sockets))
        if cpu.nodes is not None and cpu.nodes > 1:
            seen.append(msg("NUMA nodes: {n}", n=cpu.nodes))
        return seen

    def _visible(self, cpu: CpuFact) -> Message:
        if cpu.quota is not None and cpu.quota < cpu.affinity:
            return msg(
                "{have} CPUs (quota of cgroup {folder}; the machine has {online})",
                have=_shown(cpu.usable),
                folder=cpu.quota_by,
                online=cpu.online,
            )
        if cpu.affinity < cpu.online:
            return msg(
                "{have} CPUs (limited by affinity or cpuset; the machine has {online})",
                have=_shown(cpu.usable),
                online=cpu.online,
            )
        return msg("{have} CPUs", have=_shown(cpu.usable))

    def _fix(self, cpu: CpuFact) -> Message:
        if cpu.online < self.at_least <= cpu.online + cpu.switched_off:
            return msg(
                "Switch on the CPUs that are off ({n}; /sys/devices/system/cpu/cpu*/online), or find out who "
                "switched them off.",
                n=cpu.switched_off,
            )
        if cpu.online < self.at_least and cpu.quota is not None and cpu.quota < self.at_least:
            return msg(
                "Give this machine {need} CPUs, and raise the CPU quota of cgroup {folder} to as many.",
                need=self.at_least,
                folder=cpu.quota_by,
            )
        if cpu.online < self.at_least:
            return msg("Give this machine {need} CPUs.", need=self.at_least)
        if cpu.affinity < self.at_least and cpu.quota is not None and cpu.quota < self.at_least:
            return msg(
                "Allow this process {need} CPUs (affinity, cpuset of its control group), and raise the CPU quota of "
                "cgroup {folder} to as many.",
                need=self.at_least,
                folder=cpu.quota_by,
            )
        if cpu.affinity < self.at_least:
            return msg("Allow this process {need} CPUs (affinity, cpuset of its control group).", need=self.at_least)
        return msg("Raise the CPU quota of cgroup {folder} to {need} CPUs.", folder=cpu.quota_by, need=self.at_least)


class CpuFeaturesRequirement(Requirement):
    """An x86-64 processor that can do this; pointless on other architectures."""

    kind = "cpu_features"
    microarchitecture: Microarchitecture | None = None
    """A microarchitecture level stands for its flags."""
    flags: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=32)], ...] = ()
    """Further flags, as /proc/cpuinfo spells them."""

    @model_validator(mode="after")
    def _something_is_wanted(self) -> Self:
        if self.microarchitecture is None and not self.flags:
            raise ValueError(msg("wanted a microarchitecture such as 'x86-64-v2' or a list of flags, saw neither"))
        return self

    def wanted(self) -> Message:
        if self.microarchitecture is None:
            return msg("{flags:list}", flags=self.flags)
        if not self.flags:
            return msg("{level}", level=self.microarchitecture.value)
        return msg("{level} with {flags:list}", level=self.microarchitecture.value, flags=self.flags)

    def queries(self, known: Evidence) -> Sequence[CpuFeaturesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [CpuFeaturesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        cpu = evidence[CpuFeaturesQuery()]
        if cpu.machine != _X86_64:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("{machine}", machine=cpu.machine),
                because=msg("These features exist on x86-64 only; this machine is {machine}.", machine=cpu.machine),
            )
        need = {*(LEVEL_FLAGS[self.microarchitecture] if self.microarchitecture else ()), *self.flags}
        missing = tuple(sorted(need - set(cpu.flags)))
        name = cpu.model or msg("a processor without a name")
        model = msg("{model}", model=name)
        if cpu.level is not None:
            model = msg("{model} ({level})", model=name, level=cpu.level.value)
        if not missing:
            return met(
                wanted=self.wanted(),
                seen=model,
                because=msg("All {count} wanted processor features are there.", count=len(need)),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("{model} without {flags:list}", model=model, flags=missing),
            because=msg("The processor shows no {flags:or}.", flags=missing),
            fix=msg(
                "Have the hypervisor pass on {flags:list} (CPU mode host-passthrough, or a newer EVC level); "
                "without a hypervisor, provide a newer processor.",
                flags=missing,
            ),
        )
