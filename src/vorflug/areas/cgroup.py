"""Cgroups: which version is in use, and with which controllers?

Sources: proc(5) for ``/proc/self/mountinfo``; the kernel's cgroup-v2 document for ``cgroup.controllers``; cgroups(7)
for the names of v1 controllers; systemd for the parameter ``systemd.unified_cgroup_hierarchy``.  A unified hierarchy
beside v1 controllers ("hybrid") is v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Cgroups")

_LIMIT = 1 << 23
"""Bytes of mountinfo that are read: a machine full of containers has thousands of mounts."""
_V1_CONTROLLERS = {
    *("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb"),
    *("memory", "misc", "net_cls", "net_prio", "perf_event", "pids", "rdma"),
}
"""In mountinfo they stand among mount options (``rw,seclabel,cpu``)."""


class CgroupVersionFact(Fact):
    """Which cgroup hierarchy is mounted, with which controllers."""

    version: int | None
    """2 (unified) or 1 (also where a unified hierarchy stands beside it); None where none is mounted here."""
    controllers: tuple[str, ...] | None
    """None where they cannot be read."""


@dataclass(frozen=True, kw_only=True)
class CgroupVersionQuery(Query[CgroupVersionFact]):
    """Which cgroup version is in use, and with which controllers?"""

    kind = "cgroup"
    touches = ("/proc/self/mountinfo", "/sys/fs/cgroup/")

    def asks(self) -> Message:
        return msg("Which cgroup version is in use, and with which controllers?")

    def observe(self, host: Host) -> CgroupVersionFact:
        try:
            mounts = host.files.read_text("/proc/self/mountinfo", limit=_LIMIT)
        except FileNotFoundError as error:
            raise NotImplementedError("there is no /proc/self/mountinfo") from error
        unified: str | None = None
        old: set[str] = set()
        for line in mounts.splitlines():
            left, _, right = line.partition(" - ")
            match left.split(), right.split():
                case [_, _, _, _, point, *_], ["cgroup2", *_]:
                    unified = unified or point
                case [*_], ["cgroup", _, options]:
                    old |= _V1_CONTROLLERS.intersection(options.split(","))
        if old:
            return CgroupVersionFact(version=1, controllers=tuple(sorted(old)))
        if unified is None:
            return CgroupVersionFact(version=None, controllers=None)
        try:
            text = host.files.read_text(f"{unified}/cgroup.controllers")
        except (FileNotFoundError, PermissionError):
            return CgroupVersionFact(version=2, controllers=None)
        return CgroupVersionFact(version=2, controllers=tuple(sorted(text.split())))


class CgroupVersionRequirement(Requirement):
    """At least this cgroup version, with these controllers."""

    kind = "cgroup_version"
    at_least: Annotated[int, Field(ge=1, le=2)]
    controllers: tuple[str, ...] = ()
    """By their names in cgroup v2; v1's ``blkio`` counts as ``io``."""

    def wanted(self) -> Message:
        # v2 is the newest there is
        if self.at_least == 1 and self.controllers:
            return msg("cgroup v1 or newer with {controllers:list}", controllers=self.controllers)
        if self.at_least == 1:
            return msg("cgroup v1 or newer")
        if self.controllers:
            return msg("cgroup v{version} with {controllers:list}", version=self.at_least, controllers=self.controllers)
        return msg("cgroup v{version}", version=self.at_least)

    def queries(self, known: Evidence) -> Sequence[CgroupVersionQuery]:  # noqa: ARG002 - one question, whatever is known
        return [CgroupVersionQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[CgroupVersionQuery()]
        wanted = self.wanted()
        if fact.version is None:
            return unknown(
                wanted=wanted,
                seen=msg("no cgroup file system"),
                because=msg("No cgroup file system is mounted here, so its version is not visible."),
                fix=msg("Run this on the machine itself instead of in a container."),
            )
        if fact.version < self.at_least:
            return unmet(
                wanted=wanted,
                seen=msg("cgroup v{version}", version=fact.version),
                because=msg(
                    "cgroup v{version} is in use, v{wanted} is wanted.", version=fact.version, wanted=self.at_least
                ),
                fix=msg("Boot with the kernel parameter systemd.unified_cgroup_hierarchy=1."),
            )
        if not self.controllers:
            return met(
                wanted=wanted,
                seen=msg("cgroup v{version}", version=fact.version),
                because=msg("cgroup v{version} is in use.", version=fact.version),
            )
        if fact.controllers is None:
            return unknown(
                wanted=wanted,
                seen=msg("cgroup v{version}", version=fact.version),
                because=msg("cgroup v{version} is in use, but its controllers cannot be read.", version=fact.version),
                fix=msg("Run again as root on the machine itself."),
            )
        have = {"io" if name == "blkio" else name for name in fact.controllers}
        missing = tuple(name for name in self.controllers if name not in have)
        seen = msg("cgroup v{version} with {controllers:list}", version=fact.version, controllers=fact.controllers)
        if missing:
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "cgroup v{version} lacks controllers: {missing:list}.", version=fact.version, missing=missing
                ),
                fix=msg(
                    "Switch on {missing:list} (kernel parameter cgroup_enable, or Delegate= in the systemd unit).",
                    missing=missing,
                ),
            )
        return met(
            wanted=wanted,
            seen=seen,
            because=msg("cgroup v{version} has all controllers that are wanted.", version=fact.version),
        )
