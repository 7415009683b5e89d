"""Clock: is the system time kept right, and how far off is it?

Sources: adjtimex(2); chronyc(1) for ``tracking`` (its ``-c`` fields in the order of the printed lines).  chrony clears
the kernel's STA_UNSYNC only with ``rtcsync`` (chrony.conf(5)), PTP tools and hypervisor agents need not clear it at
all: the flag proves "in step" when it is clear, "not in step" only where timesyncd, ntpd or nothing keeps the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Duration
from vorflug.model.query import Fact, Query, Seen
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.clock import Discipline, Keeper, Keepers, KernelClock

TITLE = msg("Clock")

_TRACKING_FIELDS = 14
_RUN_CHRONY = msg("Keep the clock with chrony, which knows how far it is off, then run again.")
_VMWARE = "vmtoolsd"
_SETS_THE_FLAG = {Discipline.TIMESYNCD, Discipline.NTPD}
"""Disciplines that clear STA_UNSYNC whenever they are in step."""


class KernelClockFact(Fact):
    """The kernel's own view of the clock."""

    clock: KernelClock


@dataclass(frozen=True, kw_only=True)
class KernelClockQuery(Query[KernelClockFact]):
    """Does the kernel hold its clock for synchronised?"""

    kind = "kernel_clock"

    def asks(self) -> Message:
        return msg("Does the kernel hold its clock for synchronised?")

    def observe(self, host: Host) -> KernelClockFact:
        return KernelClockFact(clock=host.clock.kernel())


class ClockKeepersFact(Fact):
    """Programs that may keep the clock."""

    keepers: Keepers
    idle: tuple[str, ...] = ()
    """Which of them say that they leave the clock alone."""

    @property
    def working(self) -> tuple[Keeper, ...]:
        """Those that may keep the clock."""
        return tuple(keeper for keeper in self.keepers.running if keeper.program not in self.idle)


@dataclass(frozen=True, kw_only=True)
class ClockKeepersQuery(Query[ClockKeepersFact]):
    """Which program keeps the clock?"""

    kind = "clock_keepers"

    def asks(self) -> Message:
        return msg("Which program keeps the clock?")

    def observe(self, host: Host) -> ClockKeepersFact:
        keepers = host.clock.keepers()
        idle: tuple[str, ...] = ()
        if any(keeper.program == _VMWARE for keeper in keepers.running) and _vmware_leaves_the_clock_alone(host):
            idle = (_VMWARE,)
        return ClockKeepersFact(keepers=keepers, idle=idle)


def _vmware_leaves_the_clock_alone(host: Host) -> bool:
    """Ask the agent, which runs on every VMware guest and by default does not synchronise the clock."""
    try:
        return host.commands.run(("vmware-toolbox-cmd", "timesync", "status")).out.strip() == "Disabled"
    except FileNotFoundError:
        return False


class ChronyFact(Fact):
    """What chronyd says about itself."""

    answered: bool
    """Whether chronyc is there and its daemon answered; the other fields mean nothing otherwise."""
    synchronised: bool = False
    offset_s: float = 0.0
    """How far the system clock is from NTP time at this moment, whichever way."""


@dataclass(frozen=True, kw_only=True)
class ChronyQuery(Query[ChronyFact]):
    """What does chrony say about the clock?"""

    kind = "chrony"

    def asks(self) -> Message:
        return msg("What does chrony say about the clock?")

    def observe(self, host: Host) -> ChronyFact:
        try:
            done = host.commands.run(("chronyc", "-n", "-c", "tracking"))
        except FileNotFoundError:
            return ChronyFact(answered=False)
        fields = done.out.strip().split(",")
        if done.code != 0 or len(fields) != _TRACKING_FIELDS:
            return ChronyFact(answered=False)
        # reference id, source, stratum, time, offset, …, leap status; stratum 0 is "no source"
        return ChronyFact(
            answered=True,
            synchronised=fields[2] != "0" and fields[13] != "Not synchronised",
            offset_s=abs(float(fields[4])),
        )


def _clock_queries() -> Sequence[Query[Any]]:
    return [KernelClockQuery(), ClockKeepersQuery(), ChronyQuery()]


def _chrony(evidence: Evidence) -> ChronyFact:
    """Answer of chrony; that it could not be asked says no more than that it did not answer."""
    match evidence.result(ChronyQuery()):
        case Seen(ChronyFact() as fact):
            return fact
        case _:
            return ChronyFact(answered=False)


class ClockSynchronisedRequirement(Requirement):
    """The clock is kept in step, by whichever discipline."""

    kind = "clock_synchronised"

    def wanted(self) -> Message:
        return msg("system clock synchronised")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return _clock_queries()

    def judge(self, evidence: Evidence) -> Verdict:
        wanted = self.wanted()
        chrony = _chrony(evidence)
        if chrony.answered and chrony.synchronised:
            return met(
                wanted=wanted,
                seen=msg("chrony is synchronised"),
                because=msg("chrony keeps the clock and is in step with its source."),
            )
        kernel = evidence[KernelClockQuery()].clock
        if not kernel.unsynchronised:
            return met(
                wanted=wanted,
                seen=msg("the kernel says: synchronised"),
                because=msg("The kernel holds its clock for synchronised."),
            )
        found = evidence[ClockKeepersQuery()]
        seen = msg("the kernel says: not synchronised")
        names = tuple(keeper.program for keeper in found.working)
        if names:
            seen = msg("the kernel says: not synchronised; running: {programs:list}", programs=names)
        if chrony.answered:
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg("chrony runs but is in step with no source."),
                fix=msg("Give chrony a reachable time server (chronyc sources shows which answer)."),
            )
        others = tuple(keeper.program for keeper in found.working if keeper.discipline not in _SETS_THE_FLAG)
        if others:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "{programs:list} may keep the clock without telling the kernel: whether it is in step is not seen.",
                    programs=others,
                ),
                fix=msg("Keep the clock with chrony or systemd-timesyncd, which can be asked, then run again."),
            )
        if found.keepers.hidden and not names:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("The kernel's flag is not set, and the programs that could keep the clock are hidden."),
                fix=msg("Run again as root, who sees all processes."),
            )
        if names:
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg("{programs:list} runs, but the clock is not synchronised.", programs=names),
                fix=msg("Give {programs:list} a reachable time server.", programs=names),
            )
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("The clock is not synchronised, and no program that keeps it was found."),
            fix=msg("Enable chrony with the internal time servers."),
        )


class ClockOffsetRequirement(Requirement):
    """The clock is off by no more than this."""

    kind = "clock_offset"
    at_most: Duration

    def wanted(self) -> Message:
        return msg("clock off by at most {limit:duration}", limit=self.at_most)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [KernelClockQuery(), ChronyQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        wanted = self.wanted()
        chrony = _chrony(evidence)
        if chrony.answered and chrony.synchronised:
            return self._judge_offset(chrony.offset_s)
        kernel = evidence[KernelClockQuery()].clock
        if kernel.unsynchronised:
            return unknown(
                wanted=wanted,
                seen=msg("no reference time"),
                because=msg("Nothing on this machine that can be asked knows how far the clock is off."),
                fix=_RUN_CHRONY,
            )
        bound = abs(kernel.offset_s) + kernel.max_error_s
        if bound > self.at_most:
            return unknown(
                wanted=wanted,
                seen=msg("off by {bound:duration} at most, as far as the kernel knows", bound=bound),
                because=msg(
                    "The kernel only knows that the clock is off by no more than {bound:duration}; "
                    "that does not show whether it is within {limit:duration}.",
                    bound=bound,
                    limit=self.at_most,
                ),
                fix=_RUN_CHRONY,
            )
        return met(
            wanted=wanted,
            seen=msg("off by {bound:duration} at most, as far as the kernel knows", bound=bound),
            because=msg("The clock is off by no more than {bound:duration}.", bound=bound),
            gauge=Gauge(bound, self.at_most, "s"),
        )

    def _judge_offset(self, offset: float) -> Verdict:
        gauge = Gauge(offset, self.at_most, "s")
        seen = msg("off by {offset:duration} (chrony)", offset=offset)
        if offset <= self.at_most:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The clock is off by {offset:duration}.", offset=offset),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "The clock is off by {offset:duration}, {limit:duration} allowed.", offset=offset, limit=self.at_most
            ),
            fix=msg("Set the clock right once (chronyc makestep), before anything is installed."),
            gauge=gauge,
        )
