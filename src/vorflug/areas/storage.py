"""Storage: is there room where the product will write?

A path that does not exist yet is judged by its nearest existing ancestor.  Paths that share their space are counted
once and their demands add up.  Free means free for this user, without the blocks reserved for root (statvfs(3)), and
the used share is counted as df(1) does, without them too.

Sources: statvfs(3) and proc_pid_mountinfo(5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Percent, Size
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet

TITLE = msg("Storage")

_IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}


# ---- space that is shared


@dataclass(frozen=True)
class _Space:
    """File systems that share their space, and the paths that were asked on them."""

    facts: tuple[tuple[str, FileSystemFact], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.facts)

    @property
    def mount_points(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fact.mount_point for _, fact in self.facts))

    @property
    def total(self) -> int:
        return max(fact.total_bytes for _, fact in self.facts)

    @property
    def free(self) -> int:
        return min(fact.free_bytes for _, fact in self.facts)

    @property
    def used(self) -> int:
        return max(fact.used_bytes for _, fact in self.facts)

    @property
    def in_memory(self) -> bool:
        return all(fact.file_system in _IN_MEMORY for _, fact in self.facts)


def _spaces(paths: Sequence[str], evidence: Evidence) -> list[_Space]:
    """The distinct spaces behind *paths*, in their order."""
    facts = [(path, evidence[FileSystemQuery(path=path)]) for path in dict.fromkeys(paths)]
    groups: dict[object, list[tuple[str, FileSystemFact]]] = {}
    sizes = {fact.total_bytes: fact.device for _, fact in facts if fact.file_system != "overlay"}
    for path, fact in facts:
        match fact.file_system:
            case "overlay":
                # an overlay reports the space of the file system below it under a number of its own
                key: object = sizes.get(fact.total_bytes, ("overlay", fact.total_bytes))
            case "zfs":
                key = ("zfs", fact.source.partition("/")[0])  # the file systems of a pool share its space
            case _:
                key = fact.device
        groups.setdefault(key, []).append((path, fact))
    return [_Space(tuple(group)) for group in groups.values()]


# ---- demands


class _OnPaths(Requirement):
    """A demand on the file systems that hold some paths."""

    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]
    """Counted once where they share their space."""

    def queries(self, known: Evidence) -> Sequence[FileSystemQuery]:  # noqa: ARG002 - the same, whatever is known
        return [FileSystemQuery(path=path) for path in dict.fromkeys(self.paths)]


class StorageCapacityRequirement(_OnPaths):
    """Together at least this much space, full or free; file systems in memory do not count."""

    kind = "storage_capacity"
    at_least: Size
    tolerance: Percent = 0.0
    """What a file system may keep of its disk for itself."""

    def wanted(self) -> Message:
        if self.tolerance:
            return msg(
                "at least {need:size} (tolerance {tolerance:percent})", need=self.at_least, tolerance=self.tolerance
            )
        return msg("at least {need:size}", need=self.at_least)

    def judge(self, evidence: Evidence) -> Verdict:
        spaces = _spaces(self.paths, evidence)
        have = sum(space.total for space in spaces if not space.in_memory)
        gauge = Gauge(have, self.at_least, "B")
        parts = tuple(
            msg("{mounts:list} in memory, not counted", mounts=space.mount_points)
            if space.in_memory
            else msg("{size:size} at {mounts:list}", size=space.total, mounts=space.mount_points)
            for space in spaces
        )
        seen = msg("{have:size} ({parts:list})", have=have, parts=parts)
        if have >= self.at_least * (1 - self.tolerance):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{have:size} of storage are enough for {need:size}.", have=have, need=self.at_least),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{have:size} of storage, {need:size} wanted.", have=have, need=self.at_least),
            fix=msg(
                "Enlarge the storage that holds {paths:list} to {need:size} in all.",
                paths=self.paths,
                need=self.at_least,
            ),
            gauge=gauge,
        )


class Need(Frozen):
    """Free space that is wanted at one path."""

    path: AbsolutePath
    at_least: Size


class StorageFreeRequirement(Requirement):
    """So much free space at these paths; where they share their space, the demands add up."""

    kind = "storage_free"
    needs: Annotated[tuple[Need, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        parts = tuple(msg("{need:size} free at {path}", need=n.at_least, path=n.path) for n in self.needs)
        return msg("{parts:list}", parts=parts)

    def queries(self, known: Evidence) -> Sequence[FileSystemQuery]:  # noqa: ARG002 - the same, whatever is known
        return [FileSystemQuery(path=path) for path in dict.fromkeys(need.path for need in self.needs)]

    def judge(self, evidence: Evidence) -> Verdict:
        spaces = _spaces([need.path for need in self.needs], evidence)
        wants = [sum(need.at_least for need in self.needs if need.path in space.paths) for space in spaces]
        short = [(space, want) for space, want in zip(spaces, wants, strict=True) if space.free < want]
        # the bar shows the space that fits worst
        tightest, mark = min(zip(spaces, wants, strict=True), key=lambda pair: pair[0].free / max(pair[1], 1))
        gauge = Gauge(tightest.free, mark, "B")
        # each part is written by itself: the extractor of texts does not see a msg() within another
        all_free = tuple(
            msg("{free:size} free at {mounts:list}", free=space.free, mounts=space.mount_points) for space in spaces
        )
        seen = msg("{parts:list}", parts=all_free)
        if not short:
            return met(
                wanted=self.wanted(), seen=seen, because=msg("There is enough free space at every path."), gauge=gauge
            )
        why = tuple(
            msg("{paths:list}: {free:size} free, {need:size} wanted", paths=space.paths, free=space.free, need=want)
            for space, want in short
        )
        missing = tuple(
            msg("{missing:size} at {mounts:list}", missing=want - space.free, mounts=space.mount_points)
            for space, want in short
        )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{parts:list}.", parts=why),
            fix=msg("Free or add {parts:list}.", parts=missing),
            gauge=gauge,
        )


class StorageFillRequirement(_OnPaths):
    """No file system is fuller than this."""

    kind = "storage_fill"
    at_most: Percent
    """Used share of what this user could have, as df(1) shows it."""

    def wanted(self) -> Message:
        return msg("at most {most:percent} used", most=self.at_most)

    def judge(self, evidence: Evidence) -> Verdict:
        spaces = _spaces(self.paths, evidence)
        empty = next((space for space in spaces if space.used + space.free <= 0), None)
        if empty is not None:
            return unknown(
                wanted=self.wanted(),
                because=msg("The file system at {mounts:list} gives no size.", mounts=empty.mount_points),
                fix=msg("Ask whoever runs this storage for the fill level, and note it at the sign-off."),
            )
        shares = [(space.used / (space.used + space.free), space) for space in spaces]
        fullest, space = max(shares, key=lambda pair: pair[0])
        parts = tuple(msg("{share:percent} at {mounts:list}", share=s, mounts=p.mount_points) for s, p in shares)
        seen = msg("{parts:list}", parts=parts)
        gauge = Gauge(space.free, (1 - self.at_most) * (space.used + space.free), "B")
        if fullest <= self.at_most:
            return met(
                wanted=self.wanted(), seen=seen, because=msg("No file system is fuller than allowed."), gauge=gauge
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{mounts:list} is {share:percent} full, at most {most:percent} are allowed.",
                mounts=space.mount_points,
                share=fullest,
                most=self.at_most,
            ),
            fix=msg("Remove what is not needed at {mounts:list}, or enlarge it.", mounts=space.mount_points),
            gauge=gauge,
        )
