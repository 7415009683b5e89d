"""Growth: will the vectors that are expected fit beside what is there?

A vector of d dimensions takes d numbers; the index multiplies that in memory, and on disk the store keeps a multiple of
it.  All factors come from the profile.

Sources: Qdrant's page on capacity planning (memory = vectors x dimensions x 4 bytes x 1.5) and Chroma's on resources
(disk 2 to 4 times the memory); du(1) for what a folder takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.file_system import FileSystemQuery
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("Growth")


class TreeFact(Fact):
    """What lies below a folder now."""

    there: bool
    """Whether the folder exists."""
    used_bytes: int
    """Blocks in use, each file once."""
    entries: int
    complete: bool
    """False where some of it was closed to this user, or there was more than was counted."""


@dataclass(frozen=True, kw_only=True)
class TreeQuery(Query[TreeFact]):
    """How much lies below this folder?"""

    kind = "tree"
    path: str

    def asks(self) -> Message:
        return msg("How much lies below {path} now?", path=self.path)

    def observe(self, host: Host) -> TreeFact:
        try:
            seen = host.files.tree_size(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return TreeFact(there=False, used_bytes=0, entries=0, complete=True)
        return TreeFact(there=True, used_bytes=seen.used_bytes, entries=seen.entries, complete=seen.complete)


class StorageGrowthRequirement(Requirement):
    """The free space at a path holds what the vectors will take there."""

    kind = "storage_growth"
    path: AbsolutePath
    vectors: Annotated[int, Field(ge=0)]
    dimensions: Annotated[int, Field(ge=1, le=1_000_000)]
    bytes_per_number: Annotated[int, Field(ge=1, le=16)]
    """Of one dimension of one vector."""
    memory_factor: Annotated[float, Field(gt=0)]
    """What the index needs in memory for each byte of vectors."""
    disk_factor: Annotated[float, Field(gt=0)]
    """What the store needs on disk for each byte in memory."""

    @property
    def memory_bytes(self) -> int:
        """What the vectors will take in memory."""
        return round(self.vectors * self.dimensions * self.bytes_per_number * self.memory_factor)

    @property
    def disk_bytes(self) -> int:
        """What they will take on disk."""
        return round(self.memory_bytes * self.disk_factor)

    def wanted(self) -> Message:
        return msg(
            "{need:size} free at {path} for {vectors} vectors of {dimensions} dimensions",
            need=self.disk_bytes,
            path=self.path,
            vectors=self.vectors,
            dimensions=self.dimensions,
        )

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same, whatever is known
        return [FileSystemQuery(path=self.path), TreeQuery(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[FileSystemQuery(path=self.path)]
        free, need = fact.free_bytes, self.disk_bytes
        seen = self._seen(free, evidence)
        gauge = Gauge(free, need, "B")
        says = msg(
            "The vectors will take about {memory:size} of memory and up to {need:size} on disk; {free:size} are free.",
            memory=self.memory_bytes,
            need=need,
            free=free,
        )
        if free >= need:
            return met(wanted=self.wanted(), seen=seen, because=says, gauge=gauge)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=says,
            fix=msg(
                "Plan {missing:size} more at {mount} for the coming year.", missing=need - free, mount=fact.mount_point
            ),
            gauge=gauge,
        )

    def _seen(self, free: int, evidence: Evidence) -> Message:
        query = TreeQuery(path=self.path)
        if query not in evidence:
            return msg("{free:size} free; what {path} takes now could not be looked at", free=free, path=self.path)
        tree = evidence[query]
        if not tree.there:
            return msg("{free:size} free; {path} does not exist yet", free=free, path=self.path)
        if not tree.complete:
            return msg(
                "{free:size} free; {path} takes at least {used:size} now",
                free=free,
                path=self.path,
                used=tree.used_bytes,
            )
        return msg("{free:size} free; {path} takes {used:size} now", free=free, path=self.path, used=tree.used_bytes)
