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


@dataclass(frozen=True)
class Quota:
    """A limit on what one owner may use of a file system, with what is used (quotactl(2))."""

    owner: str
    """``user``, ``group`` or ``project``."""
    used_bytes: int
    soft_bytes: int | None
    """None for no limit."""
    hard_bytes: int | None
    used_inodes: int
    soft_inodes: int | None
    hard_inodes: int | None


@dataclass(frozen=True)
class TreeSize:
    """What the files below a folder take, as du(1) counts: blocks in use, each file once."""

    used_bytes: int
    entries: int
    complete: bool
    """False where some folder was closed to this user, or there was more than was counted."""


class Files(Protocol):
    """Read-only access to files."""

    def read_text(self, path: str, *, limit: int = 1 << 20) -> str:
        """At most *limit* bytes of a file as text; bytes that are no UTF-8 are replaced.

        Raises ValueError where *path* is a FIFO, socket or device: those are never opened.
        """
        ...

    def lines_with(self, path: str, words: tuple[str, ...], *, limit: int = 1 << 23) -> tuple[str, ...]:
        """The lines of a file that contain any of *words*, in order: for long files of which little is wanted.

        A gzip file (RFC 1952), as /proc/config.gz is, is unpacked; OSError where it is cut or damaged.
        Reads *limit* bytes at most, packed and unpacked; otherwise like `read_text`.
        """
        ...

    def lines_below(self, folder: str, file: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """``(name, line)`` for each line with any of *words* in ``folder/name/file``, sorted by name.

        For folders of sysfs with many devices of which few are wanted.  What has no such *file* is left out; of each,
        4096 bytes are read.
        """
        ...

    def resolve(self, path: str) -> str:
        """*path* with every symlink followed (realpath(3)); what does not exist stays as it is written."""
        ...

    def read_link(self, path: str) -> str:
        """Where a symlink points, as it is written (readlink(2)).  Raises OSError where *path* is no symlink."""
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

    def quotas(self, path: str) -> tuple[Quota, ...]:
        """The quotas that limit this user (user, groups, project) on the file system that holds *path*.

        Empty where none applies.  Raises PermissionError or NotImplementedError where the kernel does not say whether
        quotas apply.
        """
        ...

    def tree_size(self, path: str, *, most_entries: int = 200_000) -> TreeSize:
        """What lies below the folder *path*, not crossing into other file systems, symlinks not followed."""
        ...
