"""Clock offset: how far off is the system time?

Sources: see `vorflug.model.clock_sources`.  chrony and ntpd know the offset of this moment; timesyncd corrects what it
measures, so a large one says nothing about now; the kernel knows a bound, which grows by 500 ppm after the last
correction (adjtimex(2), ``maxerror``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vorflug.model.clock_sources import ChronyQuery, KernelClockQuery, NtpqQuery, ReferenceFact, TimesyncQuery, said
from vorflug.model.contact import Contact, time_server
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Duration
from vorflug.model.query import Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet

TITLE = msg("Clock offset")

_EXACT: tuple[tuple[str, Query[ReferenceFact]], ...] = (("chrony", ChronyQuery()), ("ntpd", NtpqQuery()))
"""Who knows the offset of this moment."""


class ClockOffsetRequirement(Requirement):
    """The clock is off by no more than this."""

    kind = "clock_offset"
    at_most: Duration

    def wanted(self) -> Message:
        return msg("clock off by at most {limit:duration}", limit=self.at_most)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [KernelClockQuery(), ChronyQuery(), NtpqQuery(), TimesyncQuery()]

    def flows(self) -> tuple[Contact, ...]:
        return (time_server(),)

    def judge(self, evidence: Evidence) -> Verdict:
        for name, query in _EXACT:
            reference = said(evidence, query)
            if reference.synchronised:
                return self._judge_offset(name, reference.offset_s)
        reference = said(evidence, TimesyncQuery())
        kernel = evidence[KernelClockQuery()].clock
        # what timesyncd measured it has corrected since: only a small offset still says something
        if reference.synchronised and not kernel.unsynchronised and reference.offset_s <= self.at_most:
            return self._judge_offset("systemd-timesyncd", reference.offset_s)
        run_chrony = msg(
            "Keep the machine's clock with chrony, which knows how far it is off, then run again (where this runs in a "
            "container: on the machine itself)."
        )
        if kernel.unsynchronised:
            return unknown(
                wanted=self.wanted(),
                seen=msg("no reference time"),
                because=msg("Nothing on this machine that can be asked knows how far the clock is off."),
                fix=run_chrony,
            )
        bound = abs(kernel.offset_s) + kernel.max_error_s
        seen = msg("off by {bound:duration} at most, as far as the kernel knows", bound=bound)
        if bound > self.at_most:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The kernel only knows that the clock is off by no more than {bound:duration}; "
                    "that does not show whether it is within {limit:duration}.",
                    bound=bound,
                    limit=self.at_most,
                ),
                fix=run_chrony,
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The clock is off by no more than {bound:duration}.", bound=bound),
            gauge=Gauge(bound, self.at_most, "s"),
        )

    def _judge_offset(self, program: str, offset: float) -> Verdict:
        gauge = Gauge(offset, self.at_most, "s")
        seen = msg("off by {offset:duration} ({program})", offset=offset, program=program)
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
            fix=msg("Set the clock right once (chrony: chronyc makestep), before anything is installed."),
            gauge=gauge,
        )
