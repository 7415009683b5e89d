"""Swap: does the machine have swap, and how readily does it use it?

Sources: proc(5) for /proc/swaps; the kernel's document admin-guide/sysctl/vm for swappiness; zram for swap that is
kept, compressed, in memory itself.  Swap never counts as memory (see the area *Memory*).  /proc/swaps and vm.swappiness
are the machine's in a container too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Swap")

_COLUMNS = 5
_ZRAM = "/dev/zram"


class SwapArea(Frozen):
    """One line of /proc/swaps."""

    path: str
    kind: str
    """``file`` or ``partition``, as the kernel calls it."""
    size_bytes: int
    used_bytes: int

    @property
    def in_memory(self) -> bool:
        """Whether it is kept in memory itself."""
        return self.path.startswith(_ZRAM)


class SwapFact(Fact):
    """Where the machine swaps to."""

    areas: tuple[SwapArea, ...]
    swappiness: int | None
    """vm.swappiness, 0 to 200; None where this kernel cannot swap or hides the setting."""


@dataclass(frozen=True, kw_only=True)
class SwapQuery(Query[SwapFact]):
    """Does this machine swap?"""

    kind = "swap"
    touches = ("/proc/",)

    def asks(self) -> Message:
        return msg("Is there swap, and how readily is it used?")

    def observe(self, host: Host) -> SwapFact:
        try:
            lines = host.files.read_text("/proc/swaps").splitlines()
        except FileNotFoundError:
            if not host.files.exists("/proc/self"):
                raise NotImplementedError("/proc is not mounted") from None
            return SwapFact(areas=(), swappiness=None)  # a kernel that cannot swap
        areas = tuple(_area(line) for line in lines[1:] if line.strip())
        try:
            swappiness: int | None = int(host.files.read_text("/proc/sys/vm/swappiness"))
        except (FileNotFoundError, PermissionError):
            swappiness = None
        return SwapFact(areas=areas, swappiness=swappiness)


def _area(line: str) -> SwapArea:
    """``/swap.img  file  4194300  0  -2``: sizes in KiB; a space in a name is written as ``040`` after a backslash."""
    fields = line.split()
    if len(fields) != _COLUMNS:
        raise ValueError(f"wanted {_COLUMNS} columns in /proc/swaps, saw {line[:200]!r}")
    path, kind, size, used, _ = fields
    return SwapArea(path=path, kind=kind, size_bytes=int(size) * 1024, used_bytes=int(used) * 1024)


class SwapRequirement(Requirement):
    """No swap, or one that is used reluctantly."""

    kind = "swap"
    swappiness_at_most: Annotated[int, Field(ge=0, le=200)]

    def wanted(self) -> Message:
        return msg("no swap, or vm.swappiness at most {most}", most=self.swappiness_at_most)

    def queries(self, known: Evidence) -> Sequence[SwapQuery]:  # noqa: ARG002 - one question, whatever is known
        return [SwapQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        swap = evidence[SwapQuery()]
        if not swap.areas:
            return met(wanted=self.wanted(), seen=msg("no swap"), because=msg("Nothing is swapped out here."))
        areas = listed(_described(area) for area in swap.areas)
        if swap.swappiness is None:
            return unknown(
                wanted=self.wanted(),
                seen=areas,
                because=msg("There is swap, and vm.swappiness is not visible."),
                fix=msg("Run this as root on the machine itself."),
            )
        seen = msg("{areas}; vm.swappiness = {value}", areas=areas, value=swap.swappiness)
        if swap.swappiness <= self.swappiness_at_most:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("There is swap, but the kernel uses it reluctantly."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "With vm.swappiness = {value} the kernel moves memory of running services to swap, and they become "
                "slow.",
                value=swap.swappiness,
            ),
            fix=msg(
                "Set vm.swappiness = {most} in /etc/sysctl.d and load it with sysctl --system; or turn swap off "
                "(swapoff -a, and its lines in /etc/fstab).",
                most=self.swappiness_at_most,
            ),
        )


def _described(area: SwapArea) -> Message:
    if area.in_memory:
        return msg(
            "{path}: {size:size}, which lies compressed in memory itself ({used:size} used)",
            path=area.path,
            size=area.size_bytes,
            used=area.used_bytes,
        )
    if area.kind == "file":
        return msg(
            "swap file {path}: {size:size} ({used:size} used)",
            path=area.path,
            size=area.size_bytes,
            used=area.used_bytes,
        )
    return msg(
        "swap partition {path}: {size:size} ({used:size} used)",
        path=area.path,
        size=area.size_bytes,
        used=area.used_bytes,
    )
