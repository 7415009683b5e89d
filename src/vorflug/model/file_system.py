"""The question that several areas put: which file system holds this path?  Equal questions are asked once.

Sources: proc_pid_mountinfo(5), statvfs(3).
"""

from __future__ import annotations

from dataclasses import dataclass

from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.ports import Host


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
    total_bytes: int
    used_bytes: int
    free_bytes: int
    """For this user."""


@dataclass(frozen=True, kw_only=True)
class FileSystemQuery(Query[FileSystemFact]):
    """Which file system holds this path, and how much of it is free?"""

    kind = "file_system"
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
            total_bytes=seen.total_bytes,
            used_bytes=seen.used_bytes,
            free_bytes=seen.free_bytes,
        )
