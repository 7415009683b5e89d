"""How fast a file system answers.  The one port that writes: into a nameless file of its own that vanishes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Latencies:
    """How long single operations took, the first ones (warm-up) left out."""

    count: int
    """Operations that were measured; never 0."""
    p50_s: float
    p99_s: float
    p999_s: float
    least_s: float
    most_s: float
    seconds: float
    """How long was measured, without the warm-up."""
    windows_p99_s: tuple[float, ...]
    """The 99th percentile of parts with equally many operations, in their order: burst storage shows as spread."""
    windows_per_s: tuple[float, ...]
    """Operations per second in each of these parts."""
    span_bytes: int
    """The size of the file that was written, or read from."""
    cut: bool
    """Whether the time was over before all that was wanted was done."""


class StorageSpeed(Protocol):
    """Measures.  Asked only where writing was allowed.

    The file has no name (O_TMPFILE of open(2); elsewhere its name is removed before the first byte is written), so that
    nothing stays behind however the program ends.  `LEAST_FREE` bytes stay free at every moment.

    Raises PermissionError where the folder is closed to this user, OSError with ENOSPC or EDQUOT where `LEAST_FREE`
    would not stay free or a quota is reached, TimeoutError where not one operation ended in time.
    """

    def synchronous_writes(self, folder: str, *, block_bytes: int, total_bytes: int, seconds: float) -> Latencies:
        """Append blocks, each followed by fdatasync(2), until *total_bytes* are written or *seconds* are over."""
        ...

    def random_reads(
        self, folder: str, *, block_bytes: int, total_bytes: int, at_once: int, seconds: float
    ) -> Latencies:
        """Read blocks at random places of a file, past the page cache (O_DIRECT of open(2)), *at_once* at a time.

        The file is written first: *total_bytes*, or what half of *seconds* is enough for.  The other half is measured.
        Raises NotImplementedError where the file system has no way past its cache, or takes none.
        """
        ...


LEAST_FREE = 2 << 30
"""Bytes that stay free whatever is measured: a full file system would stop what runs there."""
