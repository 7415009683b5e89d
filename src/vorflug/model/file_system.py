"""The questions that several areas put: which file system holds this path, and does a quota limit it?

Equal questions are asked once.  Paths that share their space are found here too, because demands on it add up.

Sources: proc_pid_mountinfo(5), statvfs(3), quotactl(2); the kernel's documents btrfs (one file system with many
subvolumes) and overlayfs; zpoolconcepts(7) (the file systems of a pool share its space).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Verdict, unknown
from vorflug.ports import Host

OVERLAYS = frozenset({"overlay", "fuse.fuse-overlayfs"})
"""What a container's own files lie on; the second in containers of an ordinary user (fuse-overlayfs(1))."""
IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
"""File systems that are gone with the machine's power."""
_OF_A_SERVER = {"nfs", "nfs4", "cifs", "smb3"}


class FileSystemFact(Fact):
    """The file system that holds a path, or would hold it."""

    asked: str
    """The nearest existing ancestor, symlinks resolved."""
    exists: bool
    """Whether the path itself exists."""
    mount_point: str
    file_system: str
    """``ext4``, ``xfs``, ``nfs4``: as the kernel names it."""
    source: str
    device: str
    """``major:minor``."""
    options: tuple[str, ...]
    """Of the mount and of the file system, as mountinfo has them: ``ro`` of either makes it read-only."""
    total_bytes: int
    used_bytes: int
    free_bytes: int
    """For this user."""
    total_inodes: int
    """0 where there is no fixed number, as on btrfs."""
    free_inodes: int
    """For this user."""

    @property
    def in_memory(self) -> bool:
        """Whether it is gone with the machine's power."""
        return self.file_system in IN_MEMORY

    @property
    def reserved_bytes(self) -> int:
        """Free, but for root alone (mke2fs(8) ``-m``); 0 on kinds whose sums leave out other things too."""
        if self.file_system not in {"ext2", "ext3", "ext4"}:
            return 0
        return max(0, self.total_bytes - self.used_bytes - self.free_bytes)


@dataclass(frozen=True, kw_only=True)
class FileSystemQuery(Query[FileSystemFact]):
    """Which file system holds this path, and how much of it is free?"""

    kind = "file_system"
    touches = ("@files.file_system",)
    path: str

    def asks(self) -> Message:
        return msg("Which file system holds {path}, and how much of it is free?", path=self.path)

    def observe(self, host: Host) -> FileSystemFact:
        seen = host.files.file_system(self.path)
        return FileSystemFact(
            asked=seen.asked,
            exists=seen.exists,
            mount_point=seen.mount_point,
            file_system=seen.kind,
            source=seen.source,
            device=seen.device,
            options=seen.options,
            total_bytes=seen.total_bytes,
            used_bytes=seen.used_bytes,
            free_bytes=seen.free_bytes,
            total_inodes=seen.total_inodes,
            free_inodes=seen.free_inodes,
        )


class QuotaOwner(StrEnum):
    """Whose use is counted (quotactl(2))."""

    USER = "user"
    GROUP = "group"
    PROJECT = "project"


class QuotaLimit(Frozen):
    """A limit on what one owner may use of a file system, and what of it is used."""

    owner: QuotaOwner
    used_bytes: int
    soft_bytes: int | None
    """May be passed for some days only."""
    hard_bytes: int | None

    @property
    def left_bytes(self) -> int | None:
        """What may still be written for good; None without a limit on bytes."""
        limits = [limit for limit in (self.soft_bytes, self.hard_bytes) if limit is not None]
        return max(0, min(limits) - self.used_bytes) if limits else None


def quota_name(limit: QuotaLimit) -> Message:
    """Whose quota it is, in words."""
    match limit.owner:
        case QuotaOwner.USER:
            return msg("quota of the user")
        case QuotaOwner.GROUP:
            return msg("quota of the group")
        case QuotaOwner.PROJECT:
            return msg("quota of the project")
        case _:
            assert_never(limit.owner)


class QuotaFact(Fact):
    """The quotas that limit this user at a path; none is an answer too."""

    limits: tuple[QuotaLimit, ...]


@dataclass(frozen=True, kw_only=True)
class QuotaQuery(Query[QuotaFact]):
    """Does a quota limit this user there?"""

    kind = "quota"
    touches = ("@files.quotas",)
    path: str

    def asks(self) -> Message:
        return msg("Does a quota limit this user at {path}?", path=self.path)

    def observe(self, host: Host) -> QuotaFact:
        return QuotaFact(
            limits=tuple(
                QuotaLimit(
                    owner=QuotaOwner(q.owner), used_bytes=q.used_bytes, soft_bytes=q.soft_bytes, hard_bytes=q.hard_bytes
                )
                for q in host.files.quotas(self.path)
            )
        )


# ---- space that is shared


@dataclass(frozen=True)
class Space:
    """File systems that share their space, and the paths that were asked on them."""

    facts: tuple[tuple[str, FileSystemFact], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """In the order in which they were asked."""
        return tuple(path for path, _ in self.facts)

    @property
    def shown(self) -> tuple[Message, ...]:
        """The paths, with where a symlink leads."""
        return tuple(place(path, fact) for path, fact in self.facts)

    @property
    def mount_points(self) -> tuple[str, ...]:
        """Each once: bind mounts and subvolumes have several."""
        return tuple(dict.fromkeys(fact.mount_point for _, fact in self.facts))

    @property
    def total(self) -> int:
        """Bytes; the most that one of them reports."""
        return max(fact.total_bytes for _, fact in self.facts)

    @property
    def free(self) -> int:
        """Bytes for this user; the least that one of them reports."""
        return min(fact.free_bytes for _, fact in self.facts)

    @property
    def used(self) -> int:
        """Bytes; the most that one of them reports."""
        return max(fact.used_bytes for _, fact in self.facts)

    @property
    def reserved(self) -> int:
        """Bytes that are free for root alone."""
        return max(fact.reserved_bytes for _, fact in self.facts)

    @property
    def in_memory(self) -> bool:
        """Whether none of it lasts."""
        return all(fact.in_memory for _, fact in self.facts)


def place(path: str, fact: FileSystemFact) -> Message:
    """*path* as it is shown: with where it leads, if a symlink leads elsewhere."""
    if leads_elsewhere(path, fact):
        return msg("{path} (a link to {target})", path=path, target=fact.asked)
    return msg("{path}", path=path)


def leads_elsewhere(path: str, fact: FileSystemFact) -> bool:
    """Whether a symlink on the way leads away from where *path* is written."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts:
        return False  # where it leads cannot be told from how it is written
    there = [part for part in fact.asked.split("/") if part]
    return there != (parts if fact.exists else parts[: len(there)])


def spaces(found: Sequence[tuple[str, FileSystemFact]]) -> list[Space]:
    """The distinct spaces behind paths and their facts, in their order."""
    groups: list[tuple[set[object], list[tuple[str, FileSystemFact]]]] = []
    below = {fact.total_bytes: fact.device for _, fact in found if fact.file_system not in OVERLAYS}
    for path, fact in found:
        keys, members = _keys(fact, below), [(path, fact)]
        apart = []
        for group in groups:
            if group[0] & keys:
                keys, members = keys | group[0], [*group[1], *members]
            else:
                apart.append(group)
        groups = [*apart, (keys, members)]
    order = [path for path, _ in found]
    made = [Space(tuple(sorted(members, key=lambda one: order.index(one[0])))) for _, members in groups]
    return sorted(made, key=lambda space: order.index(space.paths[0]))


def _keys(fact: FileSystemFact, below: Mapping[int, str]) -> set[object]:
    """What two file systems of one space have in common, one of these at least."""
    match fact.file_system:
        case kind if kind in OVERLAYS:
            # it reports the space of the file system below it, under a number of its own
            device = below.get(fact.total_bytes)
            return {("size", fact.total_bytes) if device is None else ("number", device)}
        case "zfs":
            return {("pool", fact.source.partition("/")[0])}
        case "btrfs":
            # subvolumes may have numbers of their own
            return {("number", fact.device), ("source", fact.source)}
        case kind if kind in _OF_A_SERVER:
            # exports of one server that show the same numbers lie on one disk of it
            server = fact.source.rpartition(":")[0] or fact.source.removeprefix("//").partition("/")[0]
            return {("number", fact.device), ("server", server, fact.total_bytes, fact.free_bytes)}
        case _:
            return {("number", fact.device)}


def hidden_below(wanted: Message, path: str) -> Verdict:
    """What is decided about a path on an overlay, as a container's own files lie on one."""
    return unknown(
        wanted=wanted,
        seen=msg("overlay"),
        because=msg("{path} lies on an overlay, as in a container: what is below it is not visible here.", path=path),
        fix=msg("Run this on the host itself, not in a container."),
    )


def look(paths: Sequence[str], evidence: Evidence) -> tuple[list[tuple[str, FileSystemFact]], NotSeen | None]:
    """The facts of *paths*, each once, as far as there are any, and the first that there is none of."""
    found, gap = [], None
    for path in dict.fromkeys(paths):
        try:
            found.append((path, evidence[FileSystemQuery(path=path)]))
        except NotSeen as unseen:
            gap = gap or unseen
    return found, gap
