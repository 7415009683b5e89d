"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.clock import (
    ChronyFact,
    ChronyQuery,
    ClockKeepersFact,
    ClockKeepersQuery,
    ClockOffsetRequirement,
    ClockSynchronisedRequirement,
    KernelClockFact,
    KernelClockQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.clock import Discipline, Keeper, Keepers, KernelClock
from vorflug.ports.commands import Completed

# as printed by chronyc 4.3
TRACKING = "C0A80A01,192.168.10.1,3,1700000000.123456789,-0.000012345,0.000010000,0.000020000,-12.345,0.001,0.030,0.010000000,0.002000000,64.2,Normal\n"
LOST = "7F7F0101,,0,0.000000000,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
SILENT = ChronyFact(answered=False)
IN_STEP = ChronyFact(answered=True, synchronised=True, offset_s=0.00001)
ASTRAY = ChronyFact(answered=True, synchronised=False)


def kernel(*, unsynchronised=False, offset=0.0, bound=0.01):
    return KernelClockFact(
        clock=KernelClock(unsynchronised=unsynchronised, offset_s=offset, max_error_s=bound, estimated_error_s=0.0)
    )


def keepers(*running, hidden=False):
    return ClockKeepersFact(keepers=Keepers(tuple(Keeper(kind, name) for kind, name in running), hidden))


def evidence(kernel_clock, found, chrony):
    def result(fact):
        return fact if isinstance(fact, Unseen) else Seen(fact)

    return Evidence(
        [
            Observation(KernelClockQuery(), result(kernel_clock)),
            Observation(ClockKeepersQuery(), result(found)),
            Observation(ChronyQuery(), result(chrony)),
        ]
    )


def synchronised(kernel_clock, found=None, chrony=SILENT):
    demand = ClockSynchronisedRequirement.model_validate(header())
    return demand.judge(evidence(kernel_clock, keepers() if found is None else found, chrony))


def offset(kernel_clock, chrony=SILENT, at_most="2 s"):
    demand = ClockOffsetRequirement.model_validate(header(at_most=at_most))
    return demand.judge(evidence(kernel_clock, keepers(), chrony))


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (FileNotFoundError("no chronyc"), SILENT),
        (Completed(1, "506 Cannot talk to daemon\n", ""), SILENT),
        (Completed(0, "", ""), SILENT),
        (Completed(0, TRACKING, ""), ChronyFact(answered=True, synchronised=True, offset_s=0.000012345)),
        (Completed(0, LOST, ""), ASTRAY),
    ],
)
def test_what_chrony_says(answer, fact):
    assert ChronyQuery().observe(fake_host(commands=FakePort(run=answer))) == fact


def test_the_kernel_and_the_programs_are_asked():
    clock = KernelClock(unsynchronised=True, offset_s=0.0, max_error_s=16.0, estimated_error_s=16.0)
    running = Keepers((Keeper(Discipline.CHRONY, "chronyd"),), hidden=False)
    host = fake_host(clock=FakePort(kernel=clock, keepers=running))
    assert KernelClockQuery().observe(host).clock == clock
    assert ClockKeepersQuery().observe(host).working == running.running


@pytest.mark.parametrize(
    ("status", "idle"),
    [
        (Completed(1, "Disabled\n", ""), ("vmtoolsd",)),
        (Completed(0, "Enabled\n", ""), ()),
        (Completed(70, "", "must be run inside a virtual machine"), ()),
        (FileNotFoundError("no such program"), ()),
    ],
)
def test_the_vmware_agent_says_whether_it_keeps_the_clock(status, idle):
    running = Keepers(
        (Keeper(Discipline.TIMESYNCD, "timesyncd"), Keeper(Discipline.HYPERVISOR, "vmtoolsd")), hidden=False
    )
    host = fake_host(clock=FakePort(keepers=running), commands=FakePort(run=status))
    fact = ClockKeepersQuery().observe(host)
    assert fact.idle == idle
    # the common case: the time servers are blocked, and the hypervisor does not help
    assert synchronised(UNSET, fact).outcome is (Outcome.UNMET if idle else Outcome.UNKNOWN)


UNSET = kernel(unsynchronised=True)


@pytest.mark.parametrize(
    ("kernel_clock", "found", "chrony", "outcome"),
    [
        (kernel(), keepers(), SILENT, Outcome.MET),
        (kernel(), keepers((Discipline.TIMESYNCD, "systemd-timesyncd")), SILENT, Outcome.MET),
        # chrony without rtcsync leaves the kernel's flag set
        (UNSET, keepers((Discipline.CHRONY, "chronyd")), IN_STEP, Outcome.MET),
        (UNSET, keepers((Discipline.CHRONY, "chronyd")), ASTRAY, Outcome.UNMET),
        (UNSET, keepers((Discipline.CHRONY, "chronyd")), SILENT, Outcome.UNKNOWN),
        (UNSET, keepers((Discipline.PTP, "ptp4l"), (Discipline.PTP, "phc2sys")), SILENT, Outcome.UNKNOWN),
        (UNSET, keepers((Discipline.HYPERVISOR, "vmtoolsd")), SILENT, Outcome.UNKNOWN),
        (
            UNSET,
            keepers((Discipline.TIMESYNCD, "systemd-timesyncd"), (Discipline.HYPERVISOR, "vmtoolsd")),
            SILENT,
            Outcome.UNKNOWN,
        ),
        (UNSET, keepers((Discipline.TIMESYNCD, "systemd-timesyncd")), SILENT, Outcome.UNMET),
        (UNSET, keepers((Discipline.NTPD, "ntpd")), SILENT, Outcome.UNMET),
        (UNSET, keepers(), SILENT, Outcome.UNMET),
        (UNSET, keepers(hidden=True), SILENT, Outcome.UNKNOWN),
        (UNSET, keepers((Discipline.TIMESYNCD, "systemd-timesyncd"), hidden=True), SILENT, Outcome.UNMET),
        (UNSET, keepers(), Unseen(Reason.TIMEOUT), Outcome.UNMET),
        # a sandbox forbids adjtimex, but chrony answers
        (Unseen(Reason.DENIED), Unseen(Reason.DENIED), IN_STEP, Outcome.MET),
    ],
)
def test_synchronised(kernel_clock, found, chrony, outcome):
    verdict = synchronised(kernel_clock, found, chrony)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_runs_is_named():
    verdict = synchronised(UNSET, keepers((Discipline.TIMESYNCD, "systemd-timesyncd")))
    assert "systemd-timesyncd" in render(verdict.seen) and "systemd-timesyncd" in render(verdict.fix)
    assert "found" in render(synchronised(UNSET).because)
    verdict = synchronised(
        UNSET, keepers((Discipline.TIMESYNCD, "systemd-timesyncd"), (Discipline.HYPERVISOR, "hv_utils"))
    )
    assert "hv_utils" in render(verdict.because) and "timesyncd" not in render(verdict.because)


@pytest.mark.parametrize(
    ("kernel_clock", "chrony", "outcome"),
    [
        (kernel(), ChronyFact(answered=True, synchronised=True, offset_s=2.0), Outcome.MET),
        (kernel(), ChronyFact(answered=True, synchronised=True, offset_s=2.1), Outcome.UNMET),
        (kernel(bound=1.99), SILENT, Outcome.MET),
        (kernel(offset=-0.5, bound=1.4), SILENT, Outcome.MET),
        (kernel(offset=-0.5, bound=1.6), SILENT, Outcome.UNKNOWN),
        (kernel(bound=2.01), SILENT, Outcome.UNKNOWN),
        (kernel(unsynchronised=True), SILENT, Outcome.UNKNOWN),
        (kernel(unsynchronised=True), ASTRAY, Outcome.UNKNOWN),
        (kernel(unsynchronised=True), IN_STEP, Outcome.MET),
        (Unseen(Reason.DENIED), IN_STEP, Outcome.MET),
    ],
)
def test_offset(kernel_clock, chrony, outcome):
    verdict = offset(kernel_clock, chrony)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert (verdict.gauge is None) == (outcome is Outcome.UNKNOWN)
    if outcome is Outcome.UNKNOWN:
        # what the program can see next time, not a confirmation that nobody can give
        assert render(verdict.fix) == "Keep the clock with chrony, which knows how far it is off, then run again."


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    for call in (synchronised, offset):
        with pytest.raises(NotSeen):
            call(Unseen(reason))
    with pytest.raises(NotSeen):
        synchronised(UNSET, Unseen(reason))


@given(
    seen=st.floats(0, 100),
    bound=st.floats(0, 100),
    answered=st.booleans(),
    limit=st.floats(0, 50),
    less=st.floats(0, 50),
)
def test_a_stricter_limit_never_turns_a_failure_into_a_pass(seen, bound, answered, limit, less):
    chrony = ChronyFact(answered=answered, synchronised=answered, offset_s=seen)
    if offset(kernel(bound=bound), chrony, at_most=limit).outcome is not Outcome.MET:
        assert offset(kernel(bound=bound), chrony, at_most=max(0.0, limit - less)).outcome is not Outcome.MET
