"""File systems: do the paths lie on the right kind of file system and disk?

A path that does not exist yet is judged by its nearest existing ancestor.

Sources: proc_pid_mountinfo(5); the kernel's document ABI/stable/sysfs-block for ``queue/rotational``;
ioctl_xfs_fsgeometry(2) and the kernel's document overlayfs for ``ftype`` ("d_type").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import OVERLAYS, FileSystemFact, FileSystemQuery, hidden_below
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host

TITLE = msg("File systems")


class DiskSeen(Frozen):
    """One disk, as the kernel presents it."""

    name: str
    rotational: bool
    virtual: bool
    """A hypervisor's disk, whose *rotational* may be a default that nobody set."""


class DisksFact(Fact):
    """The disks below a file system."""

    disks: tuple[DiskSeen, ...]


@dataclass(frozen=True, kw_only=True)
class DisksQuery(Query[DisksFact]):
    """Which disks are below this device, and do they rotate?"""

    kind = "disks"
    touches = ("@system.disks",)
    device: str
    """``major:minor`` of the file system."""
    source: str
    """What is mounted, which leads on where the number is of no block device."""

    def asks(self) -> Message:
        return msg("Which disks lie below {source}, and do they rotate?", source=self.source)

    def observe(self, host: Host) -> DisksFact:
        disks = host.system.disks(self.device, self.source)
        return DisksFact(disks=tuple(DiskSeen(name=d.name, rotational=d.rotational, virtual=d.virtual) for d in disks))


class XfsFact(Fact):
    """How an XFS was made."""

    ftype: bool
    """Whether its folders keep the type of each entry."""


@dataclass(frozen=True, kw_only=True)
class XfsQuery(Query[XfsFact]):
    """Was this XFS made with ftype=1?"""

    kind = "xfs"
    touches = ("@files.xfs_ftype",)
    path: str
    """An existing folder on it."""

    def asks(self) -> Message:
        return msg("Was the XFS at {path} made with ftype=1?", path=self.path)

    def observe(self, host: Host) -> XfsFact:
        return XfsFact(ftype=host.files.xfs_ftype(self.path))


class StorageRotationalRequirement(Requirement):
    """No rotating disk below these paths."""

    kind = "storage_rotational"
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("no rotating disk below {paths:list}", paths=self.paths)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked = self._asked()
        # an overlay has no disk of its own, so there is nothing more to ask
        found = [known[q] for q in asked if q in known and known[q].file_system not in OVERLAYS]
        return [*asked, *dict.fromkeys(_disks_below(fact) for fact in found)]

    def _asked(self) -> list[FileSystemQuery]:
        return [FileSystemQuery(path=path) for path in dict.fromkeys(self.paths)]

    def then(self) -> Message:
        return msg("which disks lie below the file systems that hold these paths")

    def judge(self, evidence: Evidence) -> Verdict:
        systems = [(query.path, evidence[query]) for query in self._asked()]
        for path, fact in systems:
            if fact.file_system in OVERLAYS:
                return hidden_below(self.wanted(), path)
        disks = tuple(dict.fromkeys(disk for _, fact in systems for disk in evidence[_disks_below(fact)].disks))
        rotating = tuple(disk.name for disk in disks if disk.rotational and not disk.virtual)
        doubtful = tuple(disk.name for disk in disks if disk.rotational)  # where none is certain to rotate
        seen = msg("{disks:list}", disks=tuple(disk.name for disk in disks))
        if rotating:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The kernel reports {disks:list} as rotating.", disks=rotating),
                fix=msg("Move {paths:list} to SSD or NVMe storage.", paths=self.paths),
            )
        if doubtful:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The hypervisor reports as rotating, as it often does for SSDs too: {disks:list}.",
                    disks=doubtful,
                ),
                # QEMU: scsi-hd,rotation_rate=1; VMware: scsi0:0.virtualSSD = 1
                fix=msg(
                    "Ask whoever runs the hypervisor which storage lies behind {disks:list}. If it is SSD, have the "
                    "virtual disk say so (QEMU: rotation_rate=1, VMware: virtualSSD = 1), then run again.",
                    disks=doubtful,
                ),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("The kernel reports no rotating disk."))


def _disks_below(fact: FileSystemFact) -> DisksQuery:
    return DisksQuery(device=fact.device, source=fact.source)


FileSystemName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]


class StorageFilesystemRequirement(Requirement):
    """The path lies on one of these file systems.

    A kind that is in neither list was not tested by anybody: with a list of forbidden ones it is *unknown* and has to
    be agreed; without one the accepted ones are all there are, and it is *unmet*.
    """

    kind = "storage_filesystem"
    path: AbsolutePath
    accepted: Annotated[tuple[FileSystemName, ...], Field(min_length=1)]
    forbidden: tuple[FileSystemName, ...] = ()
    """``nfs`` stands for ``nfs4`` too, ``fuse`` for ``fuseblk`` and everything that begins with ``fuse.``."""

    def wanted(self) -> Message:
        return msg("{path} on {kinds:or}", path=self.path, kinds=self.accepted)

    def queries(self, known: Evidence) -> Sequence[FileSystemQuery]:  # noqa: ARG002 - one question, always
        return [FileSystemQuery(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[FileSystemQuery(path=self.path)]
        kind = fact.file_system
        seen = msg("{kind} at {mount}", kind=kind, mount=fact.mount_point)
        fix = msg("Put {path} on a file system of the kind {kinds:or}.", path=self.path, kinds=self.accepted)
        # what lies below a container's overlay is not seen, so a ban of the whole family does not decide about it
        names = {kind} if kind in OVERLAYS else {kind, _family(kind)}
        if names & set(self.forbidden):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} lies on {kind}, which is not allowed here.", path=self.path, kind=kind),
                fix=fix,
            )
        if names & set(self.accepted):
            return met(
                wanted=self.wanted(), seen=seen, because=msg("{path} lies on {kind}.", path=self.path, kind=kind)
            )
        if kind in OVERLAYS:
            return hidden_below(self.wanted(), self.path)
        if self.forbidden:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{path} lies on {kind}, which is neither accepted nor forbidden.", path=self.path, kind=kind
                ),
                fix=msg("Have {kind} agreed with the vendor, or use {kinds:or}.", kind=kind, kinds=self.accepted),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{path} lies on {kind}, which is not among the accepted ones.", path=self.path, kind=kind),
            fix=fix,
        )


def _family(kind: str) -> str:
    """``nfs4`` → ``nfs``, ``fuse.sshfs`` and ``fuseblk`` → ``fuse``."""
    if kind == "fuseblk":
        return "fuse"
    return "nfs" if kind == "nfs4" else kind.partition(".")[0]


def _xfs(fact: FileSystemFact) -> XfsQuery:
    # the mount point answers as well, and others may look into it more often than into /var/lib/docker (mode 0710)
    return XfsQuery(path=fact.mount_point)


class StorageXfsFtypeRequirement(Requirement):
    """An XFS at this path keeps file types in its folders, which overlay mounts need; pointless on other kinds."""

    kind = "storage_xfs_ftype"
    path: AbsolutePath

    def wanted(self) -> Message:
        return msg("XFS at {path} with ftype=1", path=self.path)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        first = FileSystemQuery(path=self.path)
        if first in known and known[first].file_system == "xfs":
            return [first, _xfs(known[first])]
        return [first]

    def then(self) -> Message:
        return msg("on XFS, whether it was made with ftype=1")

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[FileSystemQuery(path=self.path)]
        if fact.file_system in OVERLAYS:
            return hidden_below(self.wanted(), self.path)
        if fact.file_system != "xfs":
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("{kind} at {mount}", kind=fact.file_system, mount=fact.mount_point),
                because=msg("{path} lies on {kind}, not on XFS.", path=self.path, kind=fact.file_system),
            )
        if evidence[_xfs(fact)].ftype:
            return met(
                wanted=self.wanted(),
                seen=msg("ftype=1 at {mount}", mount=fact.mount_point),
                because=msg("The XFS at {mount} was made with ftype=1.", mount=fact.mount_point),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("ftype=0 at {mount}", mount=fact.mount_point),
            because=msg("The XFS at {mount} was made with ftype=0.", mount=fact.mount_point),
            fix=msg(
                "Make the file system at {mount} anew with mkfs.xfs -n ftype=1 (this deletes what is on it), "
                "or use another one.",
                mount=fact.mount_point,
            ),
        )
