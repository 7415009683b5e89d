"""The system clock: what the kernel knows about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
