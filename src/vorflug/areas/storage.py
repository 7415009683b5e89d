"""Storage: is there room where the product will write?

A path that does not exist yet is judged by its nearest existing ancestor.  Paths that share their space are counted
once and their demands add up.  Free means free for this user, without the blocks reserved for root (statvfs(3)), and
the used share is counted as df(1) does, without them too.

Blocks that are reserved for root are named where they would be enough (mke2fs(8), ``-m``).

Sources: statvfs(3), proc_pid_mountinfo(5), quotactl(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import (
    FileSystemFact,
    FileSystemQuery,
    QuotaLimit,
    QuotaQuery,
    Space,
    look,
    place,
    quota_name,
    spaces,
)
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Percent, Size
from vorflug.model.query import Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet

TITLE = msg("Storage")

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
        parted = spaces([(path, evidence[FileSystemQuery(path=path)]) for path in dict.fromkeys(self.paths)])
        have = sum(space.total for space in parted if not space.in_memory)
        gauge = Gauge(have, self.at_least, "B")
        parts = tuple(
            msg("{mounts:list} in memory, not counted", mounts=space.mount_points)
            if space.in_memory
            else msg("{size:size} at {mounts:list}", size=space.total, mounts=space.mount_points)
            for space in parted
        )
        seen = msg("{have:size} ({parts:list})", have=have, parts=parts)
        if len(parted) == 1 and not parted[0].in_memory:
            seen = parts[0]
        if have >= self.at_least * (1 - self.tolerance):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{have:sizes} of storage are enough, {need:size} are wanted.", have=have, need=self.at_least
                ),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{have:sizes} of storage, {need:size} wanted.", have=have, need=self.at_least),
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


@dataclass(frozen=True)
class _Share:
    """What is wanted of one space, and what this user can have there."""

    space: Space
    needs: tuple[Need, ...]
    free: int
    quota: QuotaLimit | None = None
    """The quota that leaves no more than *free*."""

    @property
    def want(self) -> int:
        return sum(need.at_least for need in self.needs)

    @property
    def shown(self) -> tuple[Message, ...]:
        """The paths, with where a symlink leads."""
        paths = {need.path for need in self.needs}
        return tuple(place(path, fact) for path, fact in self.space.facts if path in paths)

    def gauge(self) -> Gauge:
        return Gauge(
            self.free,
            self.want,
            "B",
            msg("{mounts:list}: {paths:list}", mounts=self.space.mount_points, paths=self.shown),
        )

    def seen(self, *, system: bool) -> Message:
        """*system*: whether the machine's own files lie there too."""
        values = {"free": self.free, "mounts": self.space.mount_points, "paths": self.shown, "need": self.want}
        part = (
            msg("{free:size} free at {mounts:list} for {paths:list}, {need:size} wanted", **values)
            if self.quota is None
            else msg(
                "{free:size} left of the {quota} at {mounts:list} for {paths:list}, {need:size} wanted",
                quota=quota_name(self.quota),
                **values,
            )
        )
        return msg("{part} (the system itself lies there too)", part=part) if system else part

    def why(self) -> Message:
        if self.quota is None:
            return msg(
                "{paths:list}: {free:size} free, {need:size} wanted", paths=self.shown, free=self.free, need=self.want
            )
        return msg(
            "{paths:list}: {free:size} left of the {quota}, {need:size} wanted",
            paths=self.shown,
            free=self.free,
            quota=quota_name(self.quota),
            need=self.want,
        )

    def reserved(self) -> Message | None:
        """Said where less than is wanted is free, and root could have it all the same."""
        if self.quota is not None or self.want > self.free + self.space.reserved:
            return None
        return msg(
            "At {mounts:list}, {reserved:size} more are reserved for root.",
            mounts=self.space.mount_points,
            reserved=self.space.reserved,
        )

    def fix(self) -> Message:
        missing, mounts = self.want - self.free, self.space.mount_points
        if self.quota is None:
            return msg("Free or add {missing:size} at {mounts:list}.", missing=missing, mounts=mounts)
        return msg(
            "Raise the {quota} at {mounts:list} by {missing:size}.",
            quota=quota_name(self.quota),
            mounts=mounts,
            missing=missing,
        )


class StorageFreeRequirement(Requirement):
    """So much free space at these paths; where they share their space, the demands add up.

    Where a quota leaves less to this user than the file system has, the quota counts.
    """

    kind = "storage_free"
    needs: Annotated[tuple[Need, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        parts = tuple(msg("{need:size} free at {path}", need=n.at_least, path=n.path) for n in self.needs)
        return msg("{parts:list}", parts=parts)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same, whatever is known
        paths = list(dict.fromkeys(need.path for need in self.needs))
        systems = [FileSystemQuery(path=path) for path in dict.fromkeys([*paths, "/"])]
        return [*systems, *(QuotaQuery(path=path) for path in paths)]

    def judge(self, evidence: Evidence) -> Verdict:
        found, gap = look([need.path for need in self.needs], evidence)
        shares = [self._share(space, evidence) for space in spaces(found)]
        short = [share for share in shares if share.free < share.want]
        if gap is not None and not short:
            raise gap  # what was seen is enough, but not all was seen
        tightest = min(shares, key=lambda share: share.free / max(share.want, 1))
        gauges = tuple(share.gauge() for share in shares)
        seen = self._seen(shares, found, evidence)
        if not short:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("There is enough free space at every path."),
                gauge=tightest.gauge(),
                gauges=gauges,
            )
        reserved = [hint for share in short if (hint := share.reserved()) is not None]
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences([msg("{parts}.", parts=listed(share.why() for share in short)), *reserved]),
            fix=sentences([share.fix() for share in short]),
            gauge=tightest.gauge(),
            gauges=gauges,
        )

    def _share(self, space: Space, evidence: Evidence) -> _Share:
        """What decides there: the space itself, or a quota that leaves less than is wanted of it."""
        needs = tuple(need for need in self.needs if need.path in space.paths)
        limited: dict[QuotaLimit, list[Need]] = {}
        for need in needs:
            query = QuotaQuery(path=need.path)
            for limit in evidence[query].limits if query in evidence else ():
                limited.setdefault(limit, []).append(need)
        shares = [_Share(space, needs, space.free)]
        for limit, its in limited.items():
            if limit.left_bytes is not None:
                shares.append(_Share(space, tuple(its), min(space.free, limit.left_bytes), limit))
        return min(shares, key=lambda share: share.free - share.want)

    def _seen(self, shares: list[_Share], found: list[tuple[str, FileSystemFact]], evidence: Evidence) -> Message:
        root = FileSystemQuery(path="/")
        system = [("/", evidence[root])] if root in evidence else []
        own = {path for space in spaces([*found, *system]) if "/" in space.paths for path in space.paths}
        parts = [share.seen(system=not own.isdisjoint(share.space.paths)) for share in shares]
        looked = {path for path, _ in found}
        parts += [
            msg("{path} could not be looked at", path=path)
            for path in dict.fromkeys(need.path for need in self.needs)
            if path not in looked
        ]
        if any(QuotaQuery(path=path) not in evidence for path in looked):
            parts.append(msg("whether a quota limits this user could not be seen"))
        return listed(parts)


class StorageFillRequirement(_OnPaths):
    """No file system is fuller than this."""

    kind = "storage_fill"
    at_most: Percent
    """Used share of what this user could have, as df(1) shows it."""

    def wanted(self) -> Message:
        return msg("at most {most:percent} used", most=self.at_most)

    def judge(self, evidence: Evidence) -> Verdict:
        found, gap = look(self.paths, evidence)
        parted = spaces(found)
        empty = next((space for space in parted if space.used + space.free <= 0), None)
        if empty is not None:
            return unknown(
                wanted=self.wanted(),
                because=msg("The file system at {mounts:list} gives no size.", mounts=empty.mount_points),
                fix=msg("Ask whoever runs this storage for the fill level, and note it at the sign-off."),
            )
        shares = [(space.used / (space.used + space.free), space) for space in parted]
        if gap is not None and all(share <= self.at_most for share, _ in shares):
            raise gap  # what was seen is not too full, but not all was seen
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
