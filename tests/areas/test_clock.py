"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.clock import (
    ClockKeepersFact,
    ClockKeepersQuery,
    ClockSynchronisedRequirement,
    Discipline,
    Keeper,
    Syncing,
)
from vorflug.host.live import LiveHost
from vorflug.model.clock_sources import (
    SILENT,
    ChronyQuery,
    KernelClockFact,
    KernelClockQuery,
    NtpqQuery,
    ReferenceFact,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.clock import KernelClock
from vorflug.ports.commands import Completed
from vorflug.ports.processes import Process, Running

IN_STEP = ReferenceFact(answered=True, synchronised=True, offset_s=0.00001)
ASTRAY = ReferenceFact(answered=True, synchronised=False)
GONE = FileNotFoundError(2, "No such file")
FIRST = "pid:[4026531836]"

DISCIPLINES = {
    "chronyd": Discipline.CHRONY,
    "systemd-timesyncd": Discipline.TIMESYNCD,
    "ntpd": Discipline.NTPD,
    "ptp4l": Discipline.PTP,
    "phc2sys": Discipline.PTP,
    "timemaster": Discipline.PTP,
    "ptpd": Discipline.PTP,
    "ptpd2": Discipline.PTP,
    "sfptpd": Discipline.PTP,
    "vmtoolsd": Discipline.HYPERVISOR,
    "VBoxService": Discipline.HYPERVISOR,
    "prltoolsd": Discipline.HYPERVISOR,
    "hv_utils": Discipline.HYPERVISOR,
    "Xen": Discipline.HYPERVISOR,
}


def keepers(*names, hidden=False, container=False, vmware=Syncing.NOT_SAID):
    return ClockKeepersFact(
        keepers=tuple(Keeper(discipline=DISCIPLINES[name], program=name) for name in sorted(names)),
        hidden=hidden,
        container=container,
        vmware=vmware,
    )


def process(name, program=None):
    return Process(pid=1, name=name, program=program, uid=0, cgroup="")


def host(*processes, hidden=False, modules=(), xen=GONE, namespace=FIRST, vmware=GONE):
    return fake_host(
        processes=FakePort(named=Running(tuple(processes), hidden)),
        files=FakePort(exists=lambda path: path in modules, read_text=xen, read_link=namespace),
        commands=FakePort(run=vmware),
    )


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (host(), keepers()),
        (host(hidden=True), keepers(hidden=True)),
        (host(process("chronyd", "/usr/sbin/chronyd")), keepers("chronyd")),
        # another user's program is not visible without root: its name must do
        (host(process("chronyd")), keepers("chronyd")),
        # the kernel keeps 15 characters of a name
        (host(process("systemd-timesyn")), keepers("systemd-timesyncd")),
        (host(process("systemd-timesyn", "/usr/lib/systemd/systemd-timesyncd")), keepers("systemd-timesyncd")),
        (
            host(process("ptp4l", "/usr/sbin/ptp4l"), process("phc2sys", "/usr/sbin/phc2sys")),
            keepers("phc2sys", "ptp4l"),
        ),
        (host(process("ntpd", "/bin/busybox")), keepers("ntpd")),
        (host(process("ntpd", "/usr/bin/toybox")), keepers("ntpd")),
        (host(process("sh", "/bin/busybox")), keepers()),
        (host(process("VBoxService", "/opt/VBoxGuestAdditions-7.0/sbin/VBoxService")), keepers("VBoxService")),
        (host(process("chronyd", "/nix/store/x-chrony/bin/chronyd")), keepers("chronyd")),
        # a program that renames itself is found by its file
        (host(process("something", "/usr/sbin/chronyd")), keepers("chronyd")),
        (host(modules={"/sys/module/hv_utils"}), keepers("hv_utils")),
        (host(xen="0\n"), keepers("Xen")),
        (host(xen="1\n"), keepers()),
        (host(namespace="pid:[4026532198]"), keepers(hidden=True, container=True)),
        (host(namespace=GONE), keepers()),
    ],
)
def test_what_keeps_the_clock(asked, seen):
    assert ClockKeepersQuery().observe(asked) == seen


@pytest.mark.parametrize(
    "pretender",
    [
        process("chronyd", "/tmp/chronyd"),
        process("chronyd", "/home/user/bin/chronyd"),
        process("chronyd", "/usr/bin/python3.11"),
        process("sleep", "/tmp/chronyd"),
    ],
)
def test_a_program_that_is_only_called_like_a_keeper_is_none(pretender):
    assert ClockKeepersQuery().observe(host(pretender)).keepers == ()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (Completed(1, "Disabled\n", ""), Syncing.DISABLED),
        (Completed(0, "Enabled\n", ""), Syncing.ENABLED),
        (Completed(70, "", "must be run inside a virtual machine"), Syncing.NOT_SAID),
        (GONE, Syncing.NOT_SAID),
    ],
)
def test_the_vmware_agent_says_whether_it_keeps_the_clock(status, says):
    timesyncd = process("systemd-timesyn", "/usr/lib/systemd/systemd-timesyncd")
    fact = ClockKeepersQuery().observe(host(process("vmtoolsd", "/usr/bin/vmtoolsd"), timesyncd, vmware=status))
    assert fact.vmware is says
    assert [keeper.program for keeper in fact.working] == [
        "systemd-timesyncd",
        *(["vmtoolsd"] if says is not Syncing.DISABLED else []),
    ]


def test_without_the_vmware_agent_its_program_is_not_run():
    assert ClockKeepersQuery().observe(host(vmware=AssertionError("not to be run"))).vmware is Syncing.NOT_SAID


def kernel(*, unsynchronised=False, bound=0.01):
    return KernelClockFact(
        clock=KernelClock(unsynchronised=unsynchronised, offset_s=0.0, max_error_s=bound, estimated_error_s=0.0)
    )


UNSET = kernel(unsynchronised=True)


def judge(kernel_clock, found=None, chrony=SILENT, ntpq=SILENT):
    demand = ClockSynchronisedRequirement.model_validate(header())
    questions = demand.queries(Evidence())
    assert questions == [KernelClockQuery(), ClockKeepersQuery(), ChronyQuery(), NtpqQuery()]
    facts = (kernel_clock, keepers() if found is None else found, chrony, ntpq)
    return demand.judge(
        Evidence(Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in zip(questions, facts, strict=True))
    )


def test_chrony_without_rtcsync_leaves_the_flag_and_is_in_step():
    """Field report: chrony judged unsynchronised."""
    verdict = judge(UNSET, keepers("chronyd"), IN_STEP)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.because) == "chrony keeps the clock and is in step with its source."


@pytest.mark.parametrize("programs", [("ptp4l", "phc2sys"), ("timemaster",), ("ptpd2",), ("sfptpd",)])
def test_ptp_without_any_ntp_service_is_no_fault(programs):
    """Field report: missing NTP service with PTP."""
    assert judge(kernel(), keepers(*programs)).outcome is Outcome.MET
    # an implementation that leaves the flag alone: not seen, but no fault
    assert judge(UNSET, keepers(*programs)).outcome is Outcome.UNKNOWN


def test_chrony_and_ptp_do_not_fail_because_timesyncd_is_off():
    assert judge(kernel(), keepers("chronyd")).outcome is Outcome.MET
    assert judge(kernel(), keepers("ptp4l", "phc2sys")).outcome is Outcome.MET


@pytest.mark.parametrize("program", ["VBoxService", "prltoolsd", "hv_utils", "Xen", "vmtoolsd"])
def test_a_machine_that_is_kept_by_its_hypervisor_does_not_fail(program):
    verdict = judge(UNSET, keepers(program))
    assert verdict.outcome is Outcome.UNKNOWN
    assert program in render(verdict.because) and program in render(verdict.fix)


def test_vmware_tools_that_say_so_keep_the_clock():
    verdict = judge(UNSET, keepers("vmtoolsd", "chronyd", vmware=Syncing.ENABLED), ASTRAY)
    assert verdict.outcome is Outcome.MET
    assert "the host's own is not visible" in render(verdict.because)
    # the common case: the time servers are blocked, and the hypervisor does not help
    idle = keepers("vmtoolsd", "systemd-timesyncd", vmware=Syncing.DISABLED)
    assert judge(UNSET, idle).outcome is Outcome.UNMET
    assert "vmtoolsd" not in render(judge(UNSET, idle).seen)


def test_a_clear_flag_without_a_keeper_is_said():
    verdict = judge(kernel(bound=3.0))
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "the kernel says: synchronised; no program that keeps the clock runs"
    assert "off by 3 s at most" in render(verdict.because)
    for found in (
        keepers("chronyd"),
        keepers(hidden=True),
        keepers(hidden=True, container=True),
        Unseen(Reason.UNSUPPORTED),
    ):
        verdict = judge(kernel(), found)
        assert verdict.outcome is Outcome.MET
        assert render(verdict.seen) == "the kernel says: synchronised"


def test_in_a_container_the_keeper_is_invisible():
    verdict = judge(UNSET, keepers(hidden=True, container=True))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "container" in render(verdict.because)
    assert judge(kernel(), keepers(hidden=True, container=True)).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("kernel_clock", "found", "chrony", "ntpq", "outcome", "because"),
    [
        (kernel(), keepers("systemd-timesyncd"), SILENT, SILENT, Outcome.MET, "The kernel considers its clock"),
        (UNSET, keepers("ntpd"), SILENT, IN_STEP, Outcome.MET, "ntpd keeps the clock"),
        (UNSET, keepers("chronyd"), ASTRAY, SILENT, Outcome.UNMET, "chrony runs but is in step with no source."),
        (UNSET, keepers("chronyd"), SILENT, SILENT, Outcome.UNKNOWN, "chrony runs but could not be asked"),
        # chrony without a source beside something else that may keep the clock
        (UNSET, keepers("chronyd", "ptp4l"), ASTRAY, SILENT, Outcome.UNKNOWN, "ptp4l may keep the clock"),
        (UNSET, keepers("systemd-timesyncd", "hv_utils"), SILENT, SILENT, Outcome.UNKNOWN, "hv_utils may keep"),
        (UNSET, keepers("systemd-timesyncd"), SILENT, SILENT, Outcome.UNMET, "systemd-timesyncd runs, but"),
        (UNSET, keepers("ntpd"), SILENT, SILENT, Outcome.UNMET, "ntpd runs, but the clock is not"),
        (UNSET, keepers("ntpd"), SILENT, ASTRAY, Outcome.UNMET, "ntpd runs, but the clock is not"),
        (UNSET, keepers(), SILENT, SILENT, Outcome.UNMET, "no program that keeps it was found"),
        (UNSET, keepers(hidden=True), SILENT, SILENT, Outcome.UNKNOWN, "are hidden."),
        (UNSET, keepers("systemd-timesyncd", hidden=True), SILENT, SILENT, Outcome.UNMET, "systemd-timesyncd runs"),
        (UNSET, keepers(), Unseen(Reason.TIMEOUT), Unseen(Reason.TIMEOUT), Outcome.UNMET, "no program"),
        # a sandbox forbids adjtimex, but chrony answers
        (Unseen(Reason.DENIED), Unseen(Reason.DENIED), IN_STEP, SILENT, Outcome.MET, "chrony keeps the clock"),
    ],
)
def test_synchronised(kernel_clock, found, chrony, ntpq, outcome, because):
    verdict = judge(kernel_clock, found, chrony, ntpq)
    assert verdict.outcome is outcome
    assert because in render(verdict.because)
    assert render(verdict.wanted) == "system clock synchronised"
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_runs_is_named():
    verdict = judge(UNSET, keepers("systemd-timesyncd"))
    assert render(verdict.seen) == "the kernel says: not synchronised; running: systemd-timesyncd"
    assert "systemd-timesyncd" in render(verdict.fix)
    assert render(judge(UNSET).seen) == "the kernel says: not synchronised"
    assert "systemd-timesyncd" not in render(judge(UNSET, keepers("systemd-timesyncd", "hv_utils")).because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))
    with pytest.raises(NotSeen):
        judge(UNSET, Unseen(reason))


def test_this_machine_is_asked():
    fact = ClockKeepersQuery().observe(LiveHost(10))
    assert isinstance(fact.container, bool)
    assert render(ClockKeepersQuery().asks()) == "Which program keeps the clock?"


def test_time_servers_must_be_reached():
    (flow,) = ClockSynchronisedRequirement.model_validate(header()).flows()
    assert (flow.kind.value, flow.port) == ("time_server", 123)
