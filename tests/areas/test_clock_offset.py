"""(demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import header
from vorflug.areas.clock_offset import ClockOffsetRequirement
from vorflug.model.clock_sources import (
    SILENT,
    ChronyQuery,
    KernelClockFact,
    KernelClockQuery,
    NtpqQuery,
    ReferenceFact,
    TimesyncQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.clock import KernelClock


def kernel(*, unsynchronised=False, offset=0.0, bound=0.01):
    return KernelClockFact(
        clock=KernelClock(unsynchronised=unsynchronised, offset_s=offset, max_error_s=bound, estimated_error_s=0.0)
    )


def off(offset, *, synchronised=True):
    return ReferenceFact(answered=True, synchronised=synchronised, offset_s=offset)


ASTRAY = off(0.0, synchronised=False)


def judge(kernel_clock, chrony=SILENT, ntpq=SILENT, timesyncd=SILENT, at_most="2 s"):
    demand = ClockOffsetRequirement.model_validate(header(at_most=at_most))
    questions = demand.queries(Evidence())
    assert questions == [KernelClockQuery(), ChronyQuery(), NtpqQuery(), TimesyncQuery()]
    facts = (kernel_clock, chrony, ntpq, timesyncd)
    return demand.judge(
        Evidence(Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in zip(questions, facts, strict=True))
    )


UNSET = kernel(unsynchronised=True)


@pytest.mark.parametrize(
    ("facts", "outcome", "seen"),
    [
        ((kernel(), off(2.0)), Outcome.MET, "off by 2 s (chrony)"),
        ((kernel(), off(2.1)), Outcome.UNMET, "off by 2.1 s (chrony)"),
        ((kernel(), SILENT, off(2.0)), Outcome.MET, "off by 2 s (ntpd)"),
        ((kernel(), SILENT, off(2.1)), Outcome.UNMET, "off by 2.1 s (ntpd)"),
        ((kernel(bound=8.0), ASTRAY, off(1.0)), Outcome.MET, "off by 1 s (ntpd)"),
        # what timesyncd measured it has corrected since: a large offset is none of today's
        ((kernel(bound=8.0), SILENT, SILENT, off(2.0)), Outcome.MET, "off by 2 s (systemd-timesyncd)"),
        (
            (kernel(bound=8.0), SILENT, SILENT, off(2.1)),
            Outcome.UNKNOWN,
            "off by 8 s at most, as far as the kernel knows",
        ),
        (
            (kernel(bound=1.0), SILENT, SILENT, off(86400.0)),
            Outcome.MET,
            "off by 1 s at most, as far as the kernel knows",
        ),
        ((UNSET, SILENT, SILENT, off(0.1)), Outcome.UNKNOWN, "no reference time"),
        (
            (kernel(bound=8.0), SILENT, SILENT, ASTRAY),
            Outcome.UNKNOWN,
            "off by 8 s at most, as far as the kernel knows",
        ),
        ((kernel(bound=2.0),), Outcome.MET, "off by 2 s at most, as far as the kernel knows"),
        ((kernel(offset=-0.5, bound=1.4),), Outcome.MET, "off by 1.9 s at most, as far as the kernel knows"),
        ((kernel(offset=-0.5, bound=1.6),), Outcome.UNKNOWN, "off by 2.1 s at most, as far as the kernel knows"),
        ((UNSET,), Outcome.UNKNOWN, "no reference time"),
        ((UNSET, ASTRAY), Outcome.UNKNOWN, "no reference time"),
        ((UNSET, off(0.5)), Outcome.MET, "off by 500 ms (chrony)"),
        ((UNSET, Unseen(Reason.TIMEOUT), off(0.5)), Outcome.MET, "off by 500 ms (ntpd)"),
        ((Unseen(Reason.DENIED), off(0.5)), Outcome.MET, "off by 500 ms (chrony)"),
    ],
)
def test_offset(facts, outcome, seen):
    verdict = judge(*facts)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == seen
    assert render(verdict.wanted) == "clock off by at most 2 s"
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert (verdict.gauge is None) == (outcome is Outcome.UNKNOWN)
    if outcome is Outcome.UNKNOWN:
        # what the program can see next time, not a confirmation that nobody can give
        assert render(verdict.fix).startswith("Keep the machine's clock with chrony, which knows how far it is off")


def test_the_gauge_shows_what_is_there_and_what_is_wanted():
    for verdict, have in ((judge(kernel(), off(1.5)), 1.5), (judge(kernel(bound=1.25)), 1.25)):
        assert (verdict.gauge.have, verdict.gauge.want, verdict.gauge.unit) == (have, 2.0, "s")


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


@given(
    seen=st.floats(0, 100),
    bound=st.floats(0, 100),
    answered=st.booleans(),
    limit=st.floats(0, 50),
    less=st.floats(0, 50),
)
def test_a_stricter_limit_never_turns_a_failure_into_a_pass(seen, bound, answered, limit, less):
    chrony = ReferenceFact(answered=answered, synchronised=answered, offset_s=seen)
    if judge(kernel(bound=bound), chrony, at_most=limit).outcome is not Outcome.MET:
        assert judge(kernel(bound=bound), chrony, at_most=max(0.0, limit - less)).outcome is not Outcome.MET


def test_time_servers_must_be_reached():
    (flow,) = ClockOffsetRequirement.model_validate(header(at_most="2 s")).flows()
    assert (flow.kind.value, flow.port) == ("time_server", 123)
