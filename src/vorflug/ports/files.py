"""Files, folders and the file systems that they lie on, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class FileKind(StrEnum):
    """What a path is (inode(7))."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    SOCKET = "socket"
    BLOCK = "block"
    CHARACTER = "character"
    FIFO = "fifo"


@dataclass(frozen=True)
class FileStatus:
    """What stat(2) says."""

    kind: FileKind
    mode: int
    """Permission bits, 0o0000 to 0o7777."""
    uid: int
    gid: int
    size_bytes: int


@dataclass(frozen=True)
class FileSystem:
    """The file system that holds a path, or would hold it: asked at the nearest existing ancestor."""

    asked: str
    """The nearest existing ancestor of the path, symlinks resolved."""
    exists: bool
    """Whether the path itself exists."""
    mount_point: str
    kind: str
    """As /proc/self/mountinfo names it: ``ext4``, ``xfs``, ``overlay``, ``nfs4``."""
    source: str
    device: str
    """``major:minor`` as mountinfo has it; equal for paths that share their space."""
    options: tuple[str, ...]
    """Mount and super block options, without duplicates."""
    total_bytes: int
    used_bytes: int
    """Taken by files; with *free_bytes* less than the total where blocks are reserved for root (as df(1) counts)."""
    free_bytes: int
    """Free for this user: reserved root blocks are not counted (statvfs f_bavail)."""
    total_inodes: int
    """0 on file systems that have no fixed number (btrfs)."""
    free_inodes: int


class Files(Protocol):
    """Read-only access to files."""

    def read_text(self, path: str, *, limit: int = 1 << 20) -> str:
        """At most *limit* bytes of a file as text; bytes that are no UTF-8 are replaced.

        Raises ValueError where *path* is a FIFO, socket or device: those are never opened.
        """
        ...

    def exists(self, path: str) -> bool:
        """Whether there is something at *path* (following symlinks).  Raises PermissionError where that is hidden."""
        ...

    def status(self, path: str, *, follow: bool = True) -> FileStatus:
        """stat(2), or lstat(2) without *follow*."""
        ...

    def list_folder(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        ...

    def file_system(self, path: str) -> FileSystem:
        """The file system that holds or would hold *path*."""
        ...

    def writable(self, path: str) -> bool:
        """Whether this process could write there, by access(2); nothing is written."""
        ...

    def has_acl(self, path: str) -> bool:
        """Whether a POSIX access control list (acl(5)) says more than the permission bits do."""
        ...

    def xfs_ftype(self, path: str) -> bool:
        """Whether the XFS that holds *path*, which must exist, keeps file types in its folders (``ftype=1``).

        Raises NotImplementedError where that is no XFS.
        """
        ...
