"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.virtualisation import (
    CpuStealFact,
    CpuStealQuery,
    CpuStealRequirement,
    OnTheMachineRequirement,
    VirtualisationFact,
    VirtualisationQuery,
    hypervisor_name,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Virtualisation

# ---- container or machine --------------------------------------------------------------------------------------------


def test_what_was_found_is_noted():
    found = Virtualisation("kvm", "docker", True, ("a",), ("b", "c"))
    fact = VirtualisationQuery().observe(fake_host(system=FakePort(virtualisation=found)))
    assert fact == VirtualisationFact(
        hypervisor="kvm", container="docker", rootless=True, hypervisor_by=("a",), container_by=("b", "c")
    )


def on_machine(fact):
    demand = OnTheMachineRequirement.model_validate(header())
    observation = Observation(VirtualisationQuery(), fact if isinstance(fact, Unseen) else Seen(fact))
    return demand.judge(Evidence([observation]))


def found(hypervisor="", container="", rootless=False):
    return VirtualisationFact(
        hypervisor=hypervisor,
        container=container,
        rootless=rootless,
        container_by=("/.dockerenv", "/proc/self/uid_map"),
    )


@pytest.mark.parametrize(
    ("fact", "outcome", "seen"),
    [
        (found(), Outcome.MET, "no container; no hypervisor found"),
        (found("vmware"), Outcome.MET, "no container; VMware"),
        # a user namespace of its own is no container yet
        (found(rootless=True), Outcome.MET, "no container; no hypervisor found"),
        (found(container="wsl"), Outcome.UNMET, "Windows Subsystem for Linux"),
        (found("kvm", "docker"), Outcome.UNMET, "container (docker): /.dockerenv and /proc/self/uid_map"),
        (
            found("kvm", "podman", rootless=True),
            Outcome.UNMET,
            "container (podman) in which root is not root of the machine: /.dockerenv and /proc/self/uid_map",
        ),
    ],
)
def test_a_container_is_not_the_machine(fact, outcome, seen):
    verdict = on_machine(fact)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


def test_what_a_container_hides_is_said():
    because = render(on_machine(found(container="lxc")).because)
    for hidden in ("processes", "files", "listeners", "routes", "limits above"):
        assert hidden in because
    assert "inside Windows" in render(on_machine(found(container="wsl")).because)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("", "no hypervisor found"),
        ("vm-other", "a hypervisor that does not say its name"),
        ("microsoft", "Hyper-V"),
        ("something", "something"),
    ],
)
def test_names(kind, name):
    assert render(hypervisor_name(kind)) == name


# ---- steal -----------------------------------------------------------------------------------------------------------

#        user nice system idle iowait irq softirq steal guest guest_nice
BOOT = (1000, 10, 100, 8000, 50, 5, 15, 20, 500, 7)


class Stat:
    """/proc/stat before and after the wait."""

    def __init__(self, *readings, head="cpu  "):
        self._readings, self._head = iter(readings), head

    def lines_with(self, path, words, *, limit=0):
        assert (path, words) == ("/proc/stat", ("cpu ",))
        reading = next(self._readings)
        if isinstance(reading, Exception):
            raise reading
        return ("cpu0 of something", self._head + " ".join(map(str, reading)))


def observed(*readings, hypervisor="kvm", **stat):
    waited = []
    host = fake_host(
        files=Stat(*readings, **stat),
        machine=FakePort(wait=waited.append),
        system=FakePort(virtualisation=Virtualisation(hypervisor, "", False, (), ())),
    )
    fact = CpuStealQuery(seconds=2.0).observe(host)
    assert waited == [2.0]
    return fact


def later(**ticks):
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
    return tuple(before + ticks.get(name, 0) for name, before in zip(names, BOOT, strict=True))


@pytest.mark.parametrize(
    ("ticks", "stolen"),
    [
        ({"user": 95, "steal": 5}, 0.05),
        ({"idle": 100}, 0.0),
        ({"steal": 100}, 1.0),
        ({"nice": 10, "system": 10, "idle": 10, "iowait": 10, "irq": 10, "softirq": 40, "steal": 10}, 0.1),
        # what ran in a guest of this machine stands under user and nice already
        ({"user": 95, "steal": 5, "guest": 95, "guest_nice": 95}, 0.05),
        # proc_stat(5): iowait may decrease, and so may idle
        ({"user": 95, "steal": 5, "iowait": -40}, 0.05),
        ({"user": 95, "steal": 5, "idle": -1}, 0.05),
    ],
)
def test_steal_is_a_share_of_all_time_and_guests_are_not_counted_twice(ticks, stolen):
    fact = observed(BOOT, later(**ticks))
    assert fact.stolen == pytest.approx(stolen)
    after = later(**ticks)
    assert fact.since_boot == pytest.approx(after[7] / sum(after[:8]))
    assert (fact.seconds, fact.hypervisor) == (2.0, "kvm")


@pytest.mark.parametrize("name", ["user", "nice", "system", "irq", "softirq", "steal"])
def test_a_counter_that_runs_backwards_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} run backwards"):
        observed(BOOT, later(idle=100, **{name: -1}))


def test_counters_that_stand_still_are_no_steal_of_nothing():
    with pytest.raises(NotImplementedError, match="stand still"):
        observed(BOOT, BOOT)
    assert observed(BOOT, later(idle=1)).stolen == 0


def test_a_kernel_that_does_not_count_steal():
    with pytest.raises(NotImplementedError, match="does not count"):
        observed(BOOT[:7], BOOT[:7])
    assert observed(BOOT[:8], later(idle=1)[:8]).stolen == 0
    with pytest.raises(NotImplementedError, match="does not count"):
        observed(BOOT, BOOT, head="cpux ")


def test_without_proc_nothing_is_known():
    with pytest.raises(NotImplementedError, match="not mounted"):
        observed(FileNotFoundError("/proc/stat"))


def judged(fact, below="5 %"):
    demand = CpuStealRequirement.model_validate(header(below=below, over="2 s"))
    observation = Observation(CpuStealQuery(seconds=2.0), fact if isinstance(fact, Unseen) else Seen(fact))
    return demand.judge(Evidence([observation]))


def steal(stolen=0.0, since_boot=0.001, hypervisor="kvm"):
    return CpuStealFact(stolen=stolen, since_boot=since_boot, seconds=2.0, hypervisor=hypervisor)


@pytest.mark.parametrize(
    ("fact", "outcome", "because"),
    [
        (steal(0.0499), Outcome.MET, "5 % of the processor time was taken away"),
        (steal(0.05), Outcome.UNMET, "The hypervisor gave 5 %"),
        (steal(0.3), Outcome.UNMET, "The hypervisor gave 30 %"),
        (steal(0.0), Outcome.MET, "0 % of the processor time was taken away"),
        (steal(0.0, 0.0), Outcome.MET, "0 % of the processor time was taken away"),
        (steal(0.0, 0.0, ""), Outcome.MET, "There is no hypervisor"),
        (steal(0.0, 0.0, "vmware"), Outcome.UNKNOWN, "Nothing has been counted since boot"),
        (steal(0.0, 0.0, "microsoft"), Outcome.UNKNOWN, "Nothing has been counted since boot"),
        (steal(0.0, 0.0, "vm-other"), Outcome.UNKNOWN, "Nothing has been counted since boot"),
        (steal(0.0, 0.001, "vmware"), Outcome.MET, "0 % of the processor time was taken away"),
        (steal(0.05, 0.001, "vmware"), Outcome.UNMET, "The hypervisor gave 5 %"),
    ],
)
def test_steal_verdict(fact, outcome, because, no_io):
    with no_io():
        verdict = judged(fact)
    assert verdict.outcome is outcome
    assert render(verdict.because).startswith(because)
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)


def test_the_hypervisor_and_the_time_since_boot_are_shown():
    verdict = judged(steal(0.02, 0.01, "xen"))
    assert render(verdict.seen) == "2 % over 2 s, 1 % since boot (Xen)"
    assert render(verdict.wanted) == "less than 5 % of the processor time taken away by the hypervisor, over 2 s"


@pytest.mark.parametrize(
    "fields", [{"below": "0 %"}, {"below": "5"}, {"over": "400 ms"}, {"over": "21 s"}, {"over": "0 s"}]
)
def test_a_demand_that_cannot_be_measured_is_refused(fields):
    with pytest.raises(ValueError):
        CpuStealRequirement.model_validate(header(**{"below": "5 %", "over": "2 s", **fields}))


@pytest.mark.parametrize("over", ["500 ms", "20 s"])
def test_how_long_may_be_watched(over):
    CpuStealRequirement.model_validate(header(below="5 %", over=over))


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judged(Unseen(reason))
    with pytest.raises(NotSeen):
        on_machine(Unseen(reason))


def test_this_machine_answers():
    fact = CpuStealQuery(seconds=0.5).observe(LiveHost(10))
    assert 0 <= fact.stolen <= 1
    assert 0 <= fact.since_boot < 1
