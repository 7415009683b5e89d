"""Memory: is there enough of it for the size that is wanted?

Sources: proc(5) for MemTotal; the kernel's cgroup-v2 document for ``memory.max``; the tolerance for what firmware and
kernel keep for themselves comes from the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Percent, Size
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("Memory")


class MemoryFact(Fact):
    """Memory of the machine and what a cgroup leaves of it."""

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None
    """The least limit over this process's cgroup and all its ancestors; None where no group limits it."""
    limited_by: str | None
    """The cgroup that sets the least limit."""
    above_hidden: bool = False
    """Whether there may be cgroups above those that are visible, with limits of their own."""

    @property
    def usable_bytes(self) -> int:
        """What a program started here can have at most."""
        return self.total_bytes if self.limit_bytes is None else min(self.total_bytes, self.limit_bytes)


@dataclass(frozen=True, kw_only=True)
class MemoryQuery(Query[MemoryFact]):
    """How much memory is there, and does a cgroup limit it?"""

    kind = "memory"

    def asks(self) -> Message:
        return msg("How much memory is there, and does a cgroup limit it?")

    def observe(self, host: Host) -> MemoryFact:
        memory = host.system.memory()
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
        )


class MemoryRequirement(Requirement):
    """At least this much memory, less a tolerance for what firmware and kernel keep."""

    kind = "memory"
    at_least: Size
    tolerance: Percent = 0.0

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
        seen = msg("{have:size}", have=have)
        if memory.limit_bytes is not None:
            seen = msg(
                "{have:size} (limited by cgroup {folder}; the machine has {total:size})",
                have=have,
                folder=memory.limited_by,
                total=memory.total_bytes,
            )
        if memory.above_hidden:
            seen = msg("{seen}; limits above this cgroup namespace are not visible", seen=seen)
        if have >= self.at_least * (1 - self.tolerance):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{have:size} of memory are enough for {need:size}.", have=have, need=self.at_least),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{have:size} of memory, {need:size} wanted.", have=have, need=self.at_least),
            fix=(
                msg(
                    "Raise the cgroup's memory limit ({folder}) to {need:size}.",
                    folder=memory.limited_by,
                    need=self.at_least,
                )
                if memory.limit_bytes is not None and memory.total_bytes >= self.at_least * (1 - self.tolerance)
                else msg("Give this machine {need:size} of memory.", need=self.at_least)
            ),
            gauge=gauge,
        )
