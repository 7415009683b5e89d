"""Disk quotas as the kernel keeps them, read through system calls: no helper program, nothing is changed.

Sources: quotactl(2) and quotactl_fd(2) (``Q_GETQUOTA``, ``struct if_dqblk``); ioctl_xfs_fsgetxattr(2) (``struct
fsxattr``); who may ask is check_quotactl_permission() of the kernel's fs/quota/quota.c: for oneself and one's groups
anybody, for projects root alone.  Q_GETQUOTA answers for XFS too (quota_getquota() of the same file).  That statvfs(2)
shows a project's limit is xfs_fill_statvfs_from_dquot() and ext4_statfs_project().
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from dataclasses import dataclass
from enum import IntEnum

from vorflug.host.live.descriptors import opened
from vorflug.host.mounts import Mount
from vorflug.ports.files import Quota


class Owner(IntEnum):
    """Whose quota (linux/quota.h)."""

    USER = 0
    GROUP = 1
    PROJECT = 2


_GET_QUOTA = 0x800007
"""Q_GETQUOTA of linux/quota.h."""
_SYS_QUOTACTL_FD = 443
"""The same number on every architecture: system calls after 423 share their table (since Linux 5.14)."""
_LIMITS = struct.Struct("=8QI4x")
"""``struct if_dqblk``: hard and soft blocks, used bytes, hard and soft inodes, used inodes, two times, valid bits."""
_BLOCK = 1024
"""QIF_DQBLKSIZE: limits are counted in blocks of this many bytes, use in bytes."""

_FS_IOC_FSGETXATTR = 0x801C581F
"""``_IOR('X', 31, struct fsxattr)``."""
_ATTRIBUTES = struct.Struct("=5I8s")
"""``struct fsxattr``: flags, extent size, extents, project id, extent size for copies on write, padding."""

_INHERITED = 0x200
"""FS_XFLAG_PROJINHERIT."""

_KEEP_QUOTAS = {"ext2", "ext3", "ext4", "xfs", "f2fs", "jfs", "gfs2", "ocfs2", "reiserfs", "tmpfs"}
"""Kinds whose quotas are these; a server's, a pool's or a subvolume's quota is not asked for in this way."""
_PROJECTS = {"prjquota", "pquota"}
"""Mount options by which ext4 and xfs say that projects have limits."""
_NONE = {errno.ESRCH, errno.EINVAL, errno.ENOSYS}
"""Quotas are off, or there is none for this owner; none for such owners; none in this kernel or file system."""


def limiting(path: str, mount: Mount) -> tuple[Quota, ...]:
    """The quotas with a limit that bind this process at *path*, a folder that exists and lies on *mount*.

    Raises PermissionError where only root may ask, NotImplementedError where the kernel does not know.
    """
    if mount.kind not in _KEEP_QUOTAS:
        raise NotImplementedError(f"{path} lies on {mount.kind}, whose quotas the kernel does not tell")
    # the call takes a place in the tree, for which no permission to read is needed
    with opened(path, os.O_PATH) as fd:
        owners = [(Owner.USER, os.geteuid())]
        owners += [(Owner.GROUP, gid) for gid in sorted({os.getegid(), *os.getgroups()})]
        answers = [(owner, _ask(fd, mount, owner, id_)) for owner, id_ in owners]
        if _PROJECTS & set(mount.options):
            answers.append((Owner.PROJECT, _of_project(fd, path, mount)))
    found = [parse(owner, raw) for owner, raw in answers if raw is not None]
    return tuple(q for q in found if any((q.soft_bytes, q.hard_bytes, q.soft_inodes, q.hard_inodes)))


def parse(owner: Owner, raw: bytes) -> Quota:
    """A ``struct if_dqblk``; a limit of 0 is none."""
    hard, soft, used, hard_inodes, soft_inodes, used_inodes, *_ = _LIMITS.unpack(raw)
    return Quota(
        owner=owner.name.lower(),
        used_bytes=used,
        soft_bytes=soft * _BLOCK or None,
        hard_bytes=hard * _BLOCK or None,
        used_inodes=used_inodes,
        soft_inodes=soft_inodes or None,
        hard_inodes=hard_inodes or None,
    )


@dataclass(frozen=True)
class Project:
    """The project that a folder belongs to."""

    id: int
    """0 stands for none."""
    inherited: bool
    """Whether what is made in the folder belongs to it too; statvfs(2) shows the project's limit as size there."""

    @classmethod
    def read(cls, attributes: bytes) -> Project:
        """From a ``struct fsxattr``."""
        flags, _, _, id_, *_ = _ATTRIBUTES.unpack(attributes)
        return cls(id_, bool(flags & _INHERITED))


def _of_project(place: int, path: str, mount: Mount) -> bytes | None:
    with opened(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY) as fd:
        project = Project.read(fcntl.ioctl(fd, _FS_IOC_FSGETXATTR, bytes(_ATTRIBUTES.size)))
    if project.id == 0:
        return None
    try:
        return _ask(place, mount, Owner.PROJECT, project.id)
    except PermissionError:
        if project.inherited:
            return None  # the free space holds the limit already
        raise


def _ask(fd: int, mount: Mount, owner: Owner, id_: int) -> bytes | None:
    """The answer of the kernel; None where no quota of that owner is kept."""
    command = (_GET_QUOTA << 8) | owner
    limits = ctypes.create_string_buffer(_LIMITS.size)
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.syscall(_SYS_QUOTACTL_FD, fd, ctypes.c_uint(command), ctypes.c_uint(id_), limits)
    if number != 0 and ctypes.get_errno() == errno.ENOSYS and mount.source.startswith("/"):
        # a kernel before 5.14, or one that keeps no quotas here, which the older call tells apart
        number = libc.quotactl(ctypes.c_int(command), mount.source.encode(), ctypes.c_uint(id_), limits)
    if number == 0:
        return limits.raw
    if (code := ctypes.get_errno()) in _NONE:
        return None
    raise _refused(code, mount, owner)


def _refused(code: int, mount: Mount, owner: Owner) -> Exception:
    """What says that it is not known whether there is a quota."""
    if code in {errno.EPERM, errno.EACCES}:
        return PermissionError(code, f"only root may ask for the quota of a {owner.name.lower()}", mount.point)
    return NotImplementedError(f"the quotas of {mount.point} cannot be asked for: {os.strerror(code)}")
