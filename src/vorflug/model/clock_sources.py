"""The questions that the clock's areas put: what do the kernel and the programs that keep the clock say?

Sources: adjtimex(2); chronyc(1) for ``tracking`` (its ``-c`` fields in the order of the printed lines), ntpq(8) for the
system variables (RFC 5905), timedatectl(1) for ``timesync-status``.  None of them needs root or sets anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query, Seen
from vorflug.ports import Host
from vorflug.ports.clock import KernelClock


class KernelClockFact(Fact):
    """The kernel's own view of the clock."""

    clock: KernelClock


@dataclass(frozen=True, kw_only=True)
class KernelClockQuery(Query[KernelClockFact]):
    """Does the kernel consider its clock synchronised?"""

    kind = "kernel_clock"
    touches = ("@clock.kernel",)

    def asks(self) -> Message:
        return msg("Does the kernel consider its clock synchronised?")

    def observe(self, host: Host) -> KernelClockFact:
        return KernelClockFact(clock=host.clock.kernel())


class ReferenceFact(Fact):
    """What a program that keeps the clock says about itself."""

    answered: bool
    """Whether it could be asked; the other fields mean nothing otherwise."""
    synchronised: bool = False
    """In step with a source other than this machine's own clock."""
    offset_s: float = 0.0
    """How far the system clock is from its source, whichever way."""


SILENT = ReferenceFact(answered=False)
"""Nothing to be learnt from it."""


def _ask(host: Host, *argv: str) -> str:
    """What it printed; empty where it is not there or failed."""
    try:
        done = host.commands.run(argv)
    except FileNotFoundError:
        return ""
    return done.out if done.code == 0 else ""


@dataclass(frozen=True, kw_only=True)
class ChronyQuery(Query[ReferenceFact]):
    """What does chrony say about the clock?"""

    kind = "chrony"
    touches = ("chronyc",)

    def asks(self) -> Message:
        return msg("What does chrony say about the clock?")

    def observe(self, host: Host) -> ReferenceFact:
        # reference id, source, stratum, time, offset, …, leap status
        fields = _ask(host, "chronyc", "-n", "-c", "tracking").strip().split(",")
        if len(fields) != 14:  # noqa: PLR2004 - as many as "tracking" prints lines
            return SILENT
        return ReferenceFact(
            answered=True,
            # stratum 0 is "no source"; 7F7F0101 is its own clock (``local`` of chrony.conf(5))
            synchronised=fields[2] != "0" and fields[0] != "7F7F0101" and fields[13] != "Not synchronised",
            offset_s=abs(float(fields[4])),
        )


@dataclass(frozen=True, kw_only=True)
class NtpqQuery(Query[ReferenceFact]):
    """What does ntpd say about the clock?"""

    kind = "ntpq"
    touches = ("ntpq",)
    deadline = 15.0

    def asks(self) -> Message:
        return msg("What does ntpd say about the clock?")

    def observe(self, host: Host) -> ReferenceFact:
        out = _ask(host, "ntpq", "-n", "-c", "rv 0 leap,stratum,refid,offset")
        values = dict(re.findall(r"(\w+)=([^,\s]+)", out))
        if not {"leap", "stratum", "offset"} <= values.keys():
            return SILENT
        return ReferenceFact(
            answered=True,
            # leap 11 (binary) is "alarm", stratum 16 "no source" (RFC 5905, 7.3); 127.127.1.x is the local clock driver
            synchronised=values["leap"] not in {"11", "3"}
            and 0 < int(values["stratum"]) < 16  # noqa: PLR2004 - RFC 5905, MAXSTRAT
            and not values.get("refid", "").startswith(("127.127.1.", "LOCAL")),
            offset_s=abs(float(values["offset"])) / 1000,
        )


@dataclass(frozen=True, kw_only=True)
class TimesyncQuery(Query[ReferenceFact]):
    """What did timesyncd measure last?"""

    kind = "timesyncd"
    touches = ("timedatectl",)

    def asks(self) -> Message:
        return msg("What does systemd-timesyncd say about the clock?")

    def observe(self, host: Host) -> ReferenceFact:
        out = _ask(host, "timedatectl", "timesync-status", "--no-pager")
        values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in out.splitlines())}
        offset = _span(values.get("Offset", ""))
        if offset is None:
            return SILENT
        # it steps or slews by what it measures: the offset is that of the last exchange
        return ReferenceFact(answered=True, synchronised=values.get("Leap") != "not synchronized", offset_s=offset)


def _span(text: str) -> float | None:
    """``+1.234ms`` → 0.001234; ``-1min 2.5s`` → 62.5 (systemd.time(7)); None for anything else."""
    units = {"us": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    parts = re.findall(r"([0-9.]+)(us|μs|ms|s|min|h|d)\b", text)
    return sum(float(number) * units[unit] for number, unit in parts) if parts else None


def said(evidence: Evidence, query: Query[ReferenceFact]) -> ReferenceFact:
    """What a program said.  That it could not be asked says no more than that it did not answer."""
    match evidence.result(query):
        case Seen(ReferenceFact() as fact):
            return fact
        case _:
            return SILENT
