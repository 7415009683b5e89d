"""Storage speed: how fast does the storage answer where the product will write?

One file in spite of its length: writes and reads share what is measured, where, and why it may not be.

Measuring writes to the machine, so these questions are *active*.  They are put at the nearest folder above the path
that exists, and the verdict goes by the slowest part of the measurement: storage that lends speed for a while (burst
credits) or shares it with others shows as a spread between the parts, never as one number.

Sources: fdatasync(2) and open(2); the test whether storage is fast enough for etcd (etcd documentation, "Hardware
recommendations" and FAQ: the 99th percentile of fdatasync under 10 ms), as done with fio in blocks of 2300 bytes;
the kernel's fs/btrfs/tree-log.c and OpenZFS's zfs_log.c, which leave files without a name out of their logs.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import IN_MEMORY, OVERLAYS
from vorflug.model.message import Message, listed, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Duration, Size
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.storage_speed import LEAST_FREE, Latencies

TITLE = msg("Storage speed")

_TRUE_WRITES = ("ext2", "ext3", "ext4", "nfs", "nfs4", "overlay", "xfs")
"""File systems on which fdatasync of a file without a name does what it does for any other.

btrfs and ZFS do not log such files, because nobody will look for them after a crash: they would seem too fast.
"""
_TRUE_READS = (*_TRUE_WRITES, "btrfs")
"""File systems on which O_DIRECT is known to go past the cache.  ZFS took the flag and ignored it until 2.3."""


# ---- what is measured


class NotMeasured(StrEnum):
    """Why nothing was measured, though it could have been."""

    TOO_FULL = "too_full"
    """`LEAST_FREE` would not stay free, or a quota was reached."""
    IN_MEMORY = "in_memory"
    """The folder lies in memory."""
    NOT_TRUE = "not_true"
    """On this kind of file system the figures would not be true."""


class Speed(Frozen):
    """How long single operations took, in seconds; the warm-up is left out."""

    count: int
    p50_s: float
    p99_s: float
    p999_s: float
    least_s: float
    most_s: float
    seconds: float
    windows_p99_s: Annotated[tuple[float, ...], Field(min_length=1)]
    """Of parts with equally many operations, in their order."""
    windows_per_s: Annotated[tuple[float, ...], Field(min_length=1)]
    span_bytes: int
    """The size of the file that was written, or read from."""
    cut: bool
    """Whether the time was over before all that was wanted was done."""


class SpeedFact(Fact):
    """What was measured, and where."""

    folder: str
    """The nearest folder above the path that is there, symlinks resolved."""
    mount_point: str
    file_system: str
    """As the kernel names it: ``ext4``, ``overlay``."""
    source: str
    measured: Speed | NotMeasured


def _measure(
    host: Host, path: str, more_bytes: int, true_on: Sequence[str], measure: Callable[[str], Latencies]
) -> SpeedFact:
    where = host.files.file_system(path)

    def fact(measured: Speed | NotMeasured) -> SpeedFact:
        return SpeedFact(
            folder=where.asked,
            mount_point=where.mount_point,
            file_system=where.kind,
            source=where.source,
            measured=measured,
        )

    if where.kind in IN_MEMORY:
        return fact(NotMeasured.IN_MEMORY)
    if where.kind not in true_on:
        return fact(NotMeasured.NOT_TRUE)
    if not host.files.writable(where.asked):
        raise PermissionError(f"{where.asked} cannot be written by this user")
    if where.free_bytes - more_bytes < LEAST_FREE:
        return fact(NotMeasured.TOO_FULL)
    try:
        took = measure(where.asked)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return fact(NotMeasured.TOO_FULL)
        raise
    return fact(Speed.model_validate(asdict(took)))


@dataclass(frozen=True, kw_only=True)
class _SpeedQuery(Query[SpeedFact]):
    """What both questions have in common."""

    deadline = 60.0
    exclusive = True
    active = True
    path: str
    block_bytes: int
    total_bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class WriteLatencyQuery(_SpeedQuery):
    """How long do synchronous writes take?"""

    kind = "storage_write_latency"
    touches = ("@storage_speed.synchronous_writes", "@files.file_system")

    def asks(self) -> Message:
        return msg("How long do synchronous writes take at {path}?", path=self.path)

    def writes(self) -> Message:
        return msg(
            "At most {total:size} at {path} (or the nearest folder above it that is there), {block:size} at a time, "
            "for at most {seconds:duration}, into a file without a name, which is gone when the measurement ends.",
            total=self.total_bytes,
            path=self.path,
            block=self.block_bytes,
            seconds=self.seconds,
        )

    def observe(self, host: Host) -> SpeedFact:
        return _measure(
            host,
            self.path,
            self.total_bytes,
            _TRUE_WRITES,
            lambda folder: host.storage_speed.synchronous_writes(
                folder, block_bytes=self.block_bytes, total_bytes=self.total_bytes, seconds=self.seconds
            ),
        )


@dataclass(frozen=True, kw_only=True)
class RandomReadsQuery(_SpeedQuery):
    """How many random reads does the storage answer?"""

    kind = "storage_random_reads"
    touches = ("@storage_speed.random_reads", "@files.file_system")
    at_once: int

    def asks(self) -> Message:
        return msg("How many random reads per second does the storage at {path} answer?", path=self.path)

    def writes(self) -> Message:
        return msg(
            "At most {total:size} at {path} (or the nearest folder above it that is there) to read from, in at most "
            "{seconds:duration}, into a file without a name, which is gone when the measurement ends.",
            total=self.total_bytes,
            path=self.path,
            seconds=self.seconds,
        )

    def observe(self, host: Host) -> SpeedFact:
        return _measure(
            host,
            self.path,
            self.total_bytes,
            _TRUE_READS,
            lambda folder: host.storage_speed.random_reads(
                folder,
                block_bytes=self.block_bytes,
                total_bytes=self.total_bytes,
                at_once=self.at_once,
                seconds=self.seconds,
            ),
        )


# ---- demands


Total = Annotated[Size, Field(ge=1 << 20, le=1 << 30)]
"""At most 1 GiB: a check is no load test."""
Within = Annotated[Duration, Field(gt=0, le=45)]
"""Well within the deadline of the question, so that what was measured until then is told."""


class StorageWriteLatencyRequirement(Requirement):
    """Of the synchronous writes, 99 % take at most this long, in every part of the measurement."""

    kind = "storage_write_latency"
    path: AbsolutePath
    at_most: Annotated[Duration, Field(gt=0)]
    block: Annotated[Size, Field(ge=1, le=1 << 20)]
    """Written at a time, each followed by fdatasync."""
    total: Total
    """Written in all."""
    within: Within
    """Given up after this long; what was measured until then counts."""

    def wanted(self) -> Message:
        return msg("99 % of the synchronous writes within {most:duration}", most=self.at_most)

    def _query(self) -> WriteLatencyQuery:
        return WriteLatencyQuery(path=self.path, block_bytes=self.block, total_bytes=self.total, seconds=self.within)

    def queries(self, known: Evidence) -> Sequence[WriteLatencyQuery]:  # noqa: ARG002 - one question, always
        return [self._query()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self._query()]
        if isinstance(fact.measured, NotMeasured):
            by_hand = f"fio --rw=write --ioengine=sync --fdatasync=1 --bs={self.block} --size={self.total} --name=test"
            return _not_measured(self.wanted(), fact, fact.measured, _TRUE_WRITES, by_hand)
        took = fact.measured
        best, worst = min(took.windows_p99_s), max(took.windows_p99_s)
        figures = msg(
            "99 % within {worst:duration} in the slowest part, {best:duration} in the fastest; over all 50 % within "
            "{p50:duration}, 99 % within {p99:duration}, 99.9 % within {p999:duration}",
            worst=worst,
            best=best,
            p50=took.p50_s,
            p99=took.p99_s,
            p999=took.p999_s,
        )
        done = msg(
            "{count} writes of {block:size} in {seconds:duration}",
            count=took.count,
            block=self.block,
            seconds=took.seconds,
        )
        early = [msg("the time was over before {total:size} were written", total=self.total)] if took.cut else []
        seen = listed([figures, done, *early, _where(fact)])
        if worst <= self.at_most:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "Even in the slowest part 99 % of the writes were done within {worst:duration}; {most:duration} "
                    "are allowed.",
                    worst=worst,
                    most=self.at_most,
                ),
            )
        because = msg(
            "99 % of the writes were done only within {worst:duration} in the slowest part; {most:duration} are "
            "allowed.",
            worst=worst,
            most=self.at_most,
        )
        if took.p99_s <= self.at_most:
            because = msg(
                "The storage does not keep its speed: over all 99 % of the writes were done within {p99:duration}, but "
                "in the slowest part only within {worst:duration}; {most:duration} are allowed.",
                p99=took.p99_s,
                worst=worst,
                most=self.at_most,
            )
        return unmet(wanted=self.wanted(), seen=seen, because=because, fix=_faster(self.path))


class StorageRandomReadsRequirement(Requirement):
    """So many random reads per second at least, in every part of the measurement."""

    kind = "storage_random_reads"
    path: AbsolutePath
    at_least: Annotated[int, Field(ge=1)]
    """Reads per second."""
    block: Annotated[Size, Field(ge=512, le=1 << 20, multiple_of=512)]
    """Read at a time."""
    total: Total
    """The size of the file that is read from, which is written first."""
    at_once: Annotated[int, Field(ge=1, le=64)]
    """Reads under way at a time: network storage reaches what it promises only with several."""
    within: Within
    """For writing the file and reading from it, half each."""

    def wanted(self) -> Message:
        return msg("at least {n} random reads per second", n=self.at_least)

    def _query(self) -> RandomReadsQuery:
        return RandomReadsQuery(
            path=self.path,
            block_bytes=self.block,
            total_bytes=self.total,
            at_once=self.at_once,
            seconds=self.within,
        )

    def queries(self, known: Evidence) -> Sequence[RandomReadsQuery]:  # noqa: ARG002 - one question, always
        return [self._query()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self._query()]
        if isinstance(fact.measured, NotMeasured):
            by_hand = (
                f"fio --rw=randread --ioengine=psync --direct=1 --bs={self.block} --size={self.total} "
                f"--numjobs={self.at_once} --group_reporting --time_based --runtime={self.within:g} --name=test"
            )
            return _not_measured(self.wanted(), fact, fact.measured, _TRUE_READS, by_hand)
        took = fact.measured
        worst, best = int(min(took.windows_per_s)), int(max(took.windows_per_s))
        figures = msg(
            "{worst} reads per second in the slowest part, {best} in the fastest; 99 % within {p99:duration}",
            worst=worst,
            best=best,
            p99=took.p99_s,
        )
        done = msg(
            "{count} reads of {block:size}, {at_once} at a time, from {span:size} in {seconds:duration}",
            count=took.count,
            block=self.block,
            at_once=self.at_once,
            span=took.span_bytes,
            seconds=took.seconds,
        )
        early = [msg("the time was over before {total:size} were written", total=self.total)] if took.cut else []
        seen = listed([figures, done, *early, _where(fact)])
        gauge = Gauge(worst, self.at_least, "1")
        because = msg(
            "{worst} random reads per second in the slowest part, {need} are wanted.", worst=worst, need=self.at_least
        )
        if worst >= self.at_least:
            return met(wanted=self.wanted(), seen=seen, because=because, gauge=gauge)
        return unmet(wanted=self.wanted(), seen=seen, because=because, fix=_faster(self.path), gauge=gauge)


# ---- words that both share


def _faster(path: str) -> Message:
    return msg(
        "Put {path} on faster storage (SSD or NVMe) or check the cache policy of hypervisor and storage, then measure "
        "again with --active.",
        path=path,
    )


def _where(fact: SpeedFact) -> Message:
    if fact.file_system in OVERLAYS:
        return msg(
            "measured in {folder} on an overlay: that is the container's own layer, not a volume of the host",
            folder=fact.folder,
        )
    return msg(
        "measured in {folder} ({kind} on {source}, mounted at {mount})",
        folder=fact.folder,
        kind=fact.file_system,
        source=fact.source,
        mount=fact.mount_point,
    )


def _not_measured(wanted: Message, fact: SpeedFact, why: NotMeasured, true_on: Sequence[str], by_hand: str) -> Verdict:
    """*by_hand*: the command that measures the same."""
    match why:
        case NotMeasured.TOO_FULL:
            because = msg(
                "Not measured: in {folder} less than {least:size} would stay free, or a quota is reached.",
                folder=fact.folder,
                least=LEAST_FREE,
            )
            fix = msg(
                "Free space or raise the quota in {folder}, then measure again with --active.", folder=fact.folder
            )
        case NotMeasured.IN_MEMORY:
            because = msg(
                "Not measured: {folder} lies in memory ({kind}), which says nothing about a disk.",
                folder=fact.folder,
                kind=fact.file_system,
            )
            fix = msg(
                "Mount the disk that will hold the data, or run this on the host itself, then measure again with "
                "--active."
            )
        case NotMeasured.NOT_TRUE:
            because = msg(
                "Not measured: what is measured here is known to be true on {kinds:list}, but {folder} lies on {kind}.",
                kinds=tuple(true_on),
                folder=fact.folder,
                kind=fact.file_system,
            )
            fix = msg(
                "Measure by hand in {folder} and delete the file afterwards: {command}",
                folder=fact.folder,
                command=by_hand,
            )
        case _:
            assert_never(why)
    return unknown(
        wanted=wanted, seen=msg("{kind} at {mount}", kind=fact.file_system, mount=fact.mount_point), because=because,
        fix=fix,
    )  # fmt: skip
