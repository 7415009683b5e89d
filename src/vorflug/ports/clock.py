"""The system clock: what the kernel knows about it, and who keeps it right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Discipline(StrEnum):
    """The ways a clock is kept right."""

    CHRONY = "chrony"
    TIMESYNCD = "timesyncd"
    NTPD = "ntpd"
    PTP = "ptp"
    HYPERVISOR = "hypervisor"


@dataclass(frozen=True)
class Keeper:
    """A running program (or kernel module) whose name is that of a clock discipline."""

    discipline: Discipline
    program: str
    """Its name: data, no proof of what it is."""


@dataclass(frozen=True)
class Keepers:
    """What was found running."""

    running: tuple[Keeper, ...]
    hidden: bool
    """Whether other users' processes cannot be seen (hidepid of proc(5)), so that nothing found is no "none"."""


@dataclass(frozen=True)
class KernelClock:
    """What adjtimex(2) says, read-only."""

    unsynchronised: bool
    """STA_UNSYNC is set, or the call gave TIME_ERROR.  chrony without ``rtcsync`` leaves it set even when in step."""
    offset_s: float
    """What is still to be corrected."""
    max_error_s: float
    """Upper bound of the error; grows by 500 ppm until the discipline sets it anew."""
    estimated_error_s: float


class Clock(Protocol):
    """Asked without rights and without setting anything."""

    def kernel(self) -> KernelClock:
        """The kernel's view.  Raises PermissionError where a sandbox forbids the call."""
        ...

    def keepers(self) -> Keepers:
        """Which clock disciplines are running in this process namespace."""
        ...
