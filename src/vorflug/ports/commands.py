"""Programs of the host, run read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Completed:
    """How a program ended and what it printed."""

    code: int
    """Exit status; negative is the signal that ended it."""
    out: str
    err: str
    cut: bool = False
    """Whether more was printed than is kept."""


class Commands(Protocol):
    """Runs programs by absolute path from trusted folders, with a clean environment and no inherited descriptors."""

    def which(self, name: str) -> str | None:
        """The absolute path of a program in the trusted folders; None where there is none."""
        ...

    def run(self, argv: tuple[str, ...], *, limit: int = 1 << 18) -> Completed:
        """Run ``argv`` (its first word a bare name looked up by `which`), keeping *limit* bytes of each stream.

        Raises FileNotFoundError where there is no such program, TimeoutError when it was still running at the deadline.
        """
        ...
