"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from hosts.built import tree
from vorflug.areas.cpu import (
    LEVEL_FLAGS,
    CpuCoresRequirement,
    CpuFact,
    CpuFeaturesFact,
    CpuFeaturesQuery,
    CpuFeaturesRequirement,
    CpuQuery,
    Microarchitecture,
)
from vorflug.host.live import LiveHost
from vorflug.host.live.files import LiveFiles
from vorflug.host.system import ComputedSystem
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Kernel, Processor, Topology


def evidence(query, fact):
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


PLAIN = Topology(present=8, sockets=1, nodes=1, smt="notsupported")


def cpu(online=8, affinity=None, quota=None, by=None, **shown):
    allowed = online if affinity is None else affinity
    return CpuFact(online=online, affinity=allowed, quota=quota, quota_by=by, **shown)


def can(*flags, machine="x86_64", model="Some CPU"):
    return CpuFeaturesFact(machine=machine, model=model, flags=tuple(sorted(flags)))


@pytest.mark.parametrize(
    ("limits", "quota", "by"),
    [
        ((), None, None),
        ((("/a", "max 100000"), ("/", "max 100000")), None, None),
        ((("/a", "150000 100000"),), 1.5, "/a"),
        ((("/a/b/c", "max 100000"), ("/a/b", "400000 100000"), ("/a", "250000 100000")), 2.5, "/a"),
        ((("/a/b", "100000 50000"), ("/a", "300000 100000")), 2.0, "/a/b"),
    ],
)
def test_the_least_quota_of_all_ancestors_counts_and_stays_a_fraction(limits, quota, by):
    asked: list[str] = []
    system = FakePort(
        processor=Processor(8, 4, ("avx",), "Some CPU"),
        topology=Topology(present=12, sockets=2, nodes=3, smt="active"),
        cgroup_limits=lambda name: asked.append(name) or limits,
        cgroup_top_hidden=lambda name: asked.append(name) or True,
    )
    fact = CpuQuery().observe(fake_host(system=system))
    assert (fact.quota, fact.quota_by, fact.online, fact.affinity) == (quota, by, 8, 4)
    assert fact.above_hidden
    assert fact.usable == min(4, quota or 4)
    assert asked == ["cpu.max", "cpu.max"]
    assert (fact.present, fact.sockets, fact.nodes, fact.smt) == (12, 2, 3, "active")


@pytest.mark.parametrize("content", ["", "max", "x 100000", "1 0", "1 2 3"])
def test_a_quota_that_makes_no_sense_is_no_missing_quota(content):
    system = FakePort(processor=Processor(8, 8, (), ""), topology=PLAIN, cgroup_limits=(("/a", content),))
    with pytest.raises((ValueError, ZeroDivisionError)):
        CpuQuery().observe(fake_host(system=system))


@pytest.mark.parametrize(
    ("host", "usable"),
    [
        ("cgroup-v1-container", 1.5),
        ("cgroup-v1-nested", 2.5),
        ("cgroup-v2-nested", 1.5),
        ("cgroup-v2-container", 0.5),
        ("cgroup-hybrid", 4.0),
        ("arm64-no-memory-controller", 4.0),
    ],
)
def test_recorded_hosts(host, usable):
    one = fake_host(system=ComputedSystem(LiveFiles(str(tree(host))), FakePort()))
    assert CpuQuery().observe(one).usable == usable


def cores(fact, at_least):
    return CpuCoresRequirement.model_validate(header(at_least=at_least)).judge(evidence(CpuQuery(), fact))


@pytest.mark.parametrize(
    ("fact", "at_least", "outcome", "seen", "fix"),
    [
        (cpu(8), 8, Outcome.MET, "8 CPUs", None),
        (cpu(7), 8, Outcome.UNMET, "7 CPUs", "Give this machine 8"),
        (cpu(16, affinity=4), 8, Outcome.UNMET, "4 CPUs (limited by affinity or cpuset; the machine has 16)", "Allow"),
        (cpu(16, affinity=8), 8, Outcome.MET, "8 CPUs (limited by", None),
        (
            cpu(2, quota=1.5, by="/a"),
            2,
            Outcome.UNMET,
            "1.5 CPUs (quota of cgroup /a; the machine has 2)",
            "cgroup /a to 2",
        ),
        (cpu(8, quota=8.0, by="/a"), 8, Outcome.MET, "8 CPUs", None),
        (cpu(8, quota=7.99, by="/a"), 8, Outcome.UNMET, "7.9 CPUs (quota of cgroup /a", "cgroup /a to 8"),
        (cpu(8, quota=64.0, by="/a"), 8, Outcome.MET, "8 CPUs", None),
        (
            cpu(4, quota=2.0, by="/a"),
            8,
            Outcome.UNMET,
            "2 CPUs",
            "Give this machine 8 CPUs, and raise the CPU quota of cgroup /a to as many",
        ),
        (cpu(4, quota=8.0, by="/a"), 8, Outcome.UNMET, "4 CPUs", "Give this machine 8 CPUs."),
        (cpu(4, present=8), 8, Outcome.UNMET, "4 CPUs; switched off: 4", "Switch on the CPUs that are off (4"),
        (cpu(4, present=7), 8, Outcome.UNMET, "4 CPUs; switched off: 3", "Give this machine 8"),
        (cpu(8, affinity=4, present=16), 8, Outcome.UNMET, "4 CPUs (limited by affinity", "Allow this process 8"),
        (
            cpu(16, 4, 2.0, "/box"),
            8,
            Outcome.UNMET,
            "2 CPUs (quota of cgroup /box",
            "raise the CPU quota of cgroup /box",
        ),
        (cpu(16, 4, 8.0, "/box"), 8, Outcome.UNMET, "4 CPUs (limited by affinity", "its control group)."),
        (cpu(16, 8, 2.0, "/box"), 8, Outcome.UNMET, "2 CPUs (quota of cgroup /box", "Raise the CPU quota of cgroup"),
    ],
)
def test_cores_verdict(fact, at_least, outcome, seen, fix, no_io):
    with no_io():
        verdict = cores(fact, at_least)
    assert verdict.outcome is outcome
    assert render(verdict.seen).startswith(seen)
    assert verdict.gauge is not None
    assert (verdict.gauge.have, verdict.gauge.want, verdict.gauge.unit) == (fact.usable, at_least, "1")
    assert (verdict.fix is None) == (fix is None)
    if fix:
        assert fix in render(verdict.fix)


@pytest.mark.parametrize("fact", [cpu(8), cpu(8, quota=8.0, by="/a"), cpu(8, quota=64.0, by="/a")])
def test_what_does_not_limit_is_not_mentioned(fact):
    assert render(cores(fact, 8).seen) == "8 CPUs"


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        ({"present": 8, "sockets": 1, "nodes": 1, "smt": "on"}, "8 CPUs"),
        ({"present": 7}, "8 CPUs"),
        ({"present": 9}, "8 CPUs; switched off: 1"),
        ({"smt": "active"}, "8 CPUs; hardware threads share cores (SMT)"),
        ({"sockets": 2, "nodes": 4}, "8 CPUs; sockets: 2; NUMA nodes: 4"),
    ],
)
def test_how_the_cpus_are_arranged_is_shown_and_counts_nothing(shown, says):
    verdict = cores(cpu(8, **shown), 8)
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.MET, says)


def tree_host(root, **texts):
    """A machine of these files, with /proc/self and a cgroup v2 at its root."""
    files = {
        "proc/cpuinfo": "".join(f"processor\t: {n}\nflags\t\t: fpu\n\n" for n in range(16)),
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 28 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
        "proc/self/status": "Cpus_allowed_list:\t0-127\n",
        "sys/devices/system/cpu/online": "0-15\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        **texts,
    }
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return fake_host(system=ComputedSystem(LiveFiles(str(root)), FakePort()))


def test_nproc_in_a_cpuset_of_two_of_sixteen_cpus(tmp_path):
    """`nproc` says 2 there, other tools count 16 lines of /proc/cpuinfo."""
    fact = CpuQuery().observe(tree_host(tmp_path, **{"proc/self/status": "Cpus_allowed_list:\t3,7\n"}))
    assert (fact.online, fact.usable) == (16, 2)
    assert cores(fact, 2).outcome is Outcome.MET
    verdict = cores(fact, 3)
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.seen) == "2 CPUs (limited by affinity or cpuset; the machine has 16)"


def test_a_quota_of_1_5_cpus_is_never_rounded_up_to_2(tmp_path):
    """`docker run --cpus 1.5` on a machine with 16: rounded up, it would be enough for 2."""
    files = {
        "proc/self/cgroup": "0::/docker/a\n",
        "sys/fs/cgroup/docker/cpu.max": "max 100000\n",
        "sys/fs/cgroup/docker/a/cpu.max": "150000 100000\n",
    }
    fact = CpuQuery().observe(tree_host(tmp_path, **files))
    assert fact.usable == 1.5
    assert cores(fact, 1).outcome is Outcome.MET
    verdict = cores(fact, 2)
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == "1.5 CPUs may be used here, 2 are wanted."


@pytest.mark.parametrize(
    ("quota", "shown"),
    [
        (0.5, "0.5"),
        (0.25, "0.2"),
        (0.96, "0.9"),
        (0.1, "0.1"),
        (0.04, "0.04"),
        (1.0, "1"),
        (1.99, "1.9"),
        (1.95, "1.9"),
        (15.96, "15.9"),
    ],
)
def test_a_quota_is_shown_rounded_down_and_never_as_nothing(quota, shown):
    assert render(cores(cpu(32, quota=quota, by="/a"), 16).seen).startswith(f"{shown} CPUs (quota")


def test_cpus_that_are_off_count_as_off_and_those_that_could_be_added_do_not(tmp_path):
    """A VMware machine with room for 128 CPUs lists 2-127 as offline, although only 2 and 3 are there."""
    cpus = "sys/devices/system/cpu/"
    files = {f"{cpus}online": "0-1\n", f"{cpus}present": "0-3\n", f"{cpus}offline": "2-127\n"}
    fact = CpuQuery().observe(tree_host(tmp_path, **files))
    assert (fact.online, fact.affinity, fact.present, fact.switched_off) == (2, 2, 4, 2)


@pytest.mark.parametrize("at_least", [0, -1, "4 cores", 1.5])
def test_a_demand_that_is_no_count_is_refused(at_least):
    with pytest.raises(ValueError):
        CpuCoresRequirement.model_validate(header(at_least=at_least))


@given(
    online=st.integers(1, 512),
    quota=st.none() | st.floats(0.01, 512),
    low=st.integers(1, 512),
    more=st.integers(0, 512),
)
def test_raising_the_demand_never_turns_unmet_into_met(online, quota, low, more):
    fact = cpu(online, quota=quota, by="/a" if quota else None)
    if cores(fact, low).outcome is Outcome.UNMET:
        assert cores(fact, low + more).outcome is Outcome.UNMET


def test_features_are_known_where_no_cgroup_is_visible():
    system = FakePort(processor=Processor(8, 4, ("avx",), "Some CPU"), uname=Kernel("6.1.0", "x86_64"))
    assert CpuFeaturesQuery().observe(fake_host(system=system)) == can("avx")


def features(fact, **fields):
    return CpuFeaturesRequirement.model_validate(header(**fields)).judge(evidence(CpuFeaturesQuery(), fact))


V1, V2, V3, V4 = (LEVEL_FLAGS[level] for level in Microarchitecture)


@pytest.mark.parametrize(
    ("fact", "fields", "outcome", "says"),
    [
        (can(*V2), {"microarchitecture": "x86-64-v2"}, Outcome.MET, "15 wanted"),
        (can(*V1), {"microarchitecture": "x86-64-v1"}, Outcome.MET, "8 wanted"),
        (can(*V1), {"microarchitecture": "x86-64-v2"}, Outcome.UNMET, "sse4_1"),
        (can(*V3), {"microarchitecture": "x86-64-v2"}, Outcome.MET, "15 wanted"),
        (can(*V2), {"microarchitecture": "x86-64-v3"}, Outcome.UNMET, "avx2"),
        (can(*V3), {"microarchitecture": "x86-64-v4"}, Outcome.UNMET, "avx512f"),
        (can(*V4), {"microarchitecture": "x86-64-v4"}, Outcome.MET, "wanted"),
        (can(*set(V2) - {"pni"}), {"microarchitecture": "x86-64-v2"}, Outcome.UNMET, "no pni"),
        (can(*set(V3) - {"avx2"}), {"microarchitecture": "x86-64-v3"}, Outcome.UNMET, "no avx2"),
        (can("avx", "avx2"), {"flags": ["avx", "avx2"]}, Outcome.MET, "2 wanted"),
        (can("avx"), {"flags": ["avx", "avx2"]}, Outcome.UNMET, "no avx2"),
        (can(*V2), {"microarchitecture": "x86-64-v2", "flags": ["aes"]}, Outcome.UNMET, "no aes"),
        (can(), {"microarchitecture": "x86-64-v2"}, Outcome.UNMET, "sse4_1"),
        (can("asimd", machine="aarch64"), {"flags": ["avx"]}, Outcome.NOT_APPLICABLE, "aarch64"),
    ],
)
def test_features_verdict(fact, fields, outcome, says):
    verdict = features(fact, **fields)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"microarchitecture": "x86-64-v2"}, "x86-64-v2"),
        ({"flags": ["avx", "avx2"]}, "avx and avx2"),
        ({"microarchitecture": "x86-64-v2", "flags": ["aes"]}, "x86-64-v2 with aes"),
    ],
)
def test_the_demand_in_words(fields, wanted):
    assert render(features(can(), **fields).wanted) == wanted


def test_the_levels_contain_one_another():
    assert set(V1) < set(V2) < set(V3) < set(V4)


@pytest.mark.parametrize(
    ("fact", "level"),
    [
        (can(*V4, "aes"), Microarchitecture.V4),
        (can(*set(V4) - {"avx512vl"}), Microarchitecture.V3),
        (can(*set(V3) - {"movbe"}), Microarchitecture.V2),
        (can(*V4, machine="i686"), None),
        (can(*set(V4) - {"cx16"}), Microarchitecture.V1),
        (can(*set(V1) - {"sse2"}), None),
        (can("asimd", machine="aarch64"), None),
    ],
)
def test_the_level_is_the_highest_that_is_complete(fact, level):
    assert fact.level == level


def test_the_level_is_shown():
    assert render(features(can(*V3), microarchitecture="x86-64-v2").seen) == "Some CPU (x86-64-v3)"
    seen = render(features(can(*V2), flags=["avx", "avx2"]).seen)
    assert seen == "Some CPU (x86-64-v2) without avx and avx2"


def test_a_processor_without_a_name_is_still_judged():
    assert (
        render(features(can(*V2, model=""), microarchitecture="x86-64-v2").seen)
        == "a processor without a name (x86-64-v2)"
    )


@pytest.mark.parametrize("fields", [{}, {"microarchitecture": "x86-64-v9"}, {"flags": []}, {"flags": ["AVX 2"]}])
def test_a_demand_for_nothing_is_refused(fields):
    with pytest.raises(ValueError):
        CpuFeaturesRequirement.model_validate(header(**fields))


@given(st.sets(st.sampled_from(sorted(V4))), st.sampled_from(sorted(V4)))
def test_wanting_more_never_turns_unmet_into_met(has, also):
    fact = can(*has)
    if features(fact, flags=["avx"]).outcome is Outcome.UNMET:
        assert features(fact, flags=["avx", also]).outcome is Outcome.UNMET


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        cores(Unseen(reason), 1)
    with pytest.raises(NotSeen):
        features(Unseen(reason), flags=["avx"])


def test_this_machine_has_a_processor():
    fact = CpuQuery().observe(LiveHost(10))
    assert 0 < fact.usable <= fact.online
    assert CpuFeaturesQuery().observe(LiveHost(10)).flags


def test_quotas_that_may_stand_above_a_namespace_are_named():
    fact = CpuFact(online=8, affinity=8, quota=None, quota_by=None, above_hidden=True)
    demand = CpuCoresRequirement.model_validate(header(at_least=8))
    verdict = demand.judge(Evidence([Observation(CpuQuery(), Seen(fact))]))
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "8 CPUs; limits above this cgroup namespace are not visible"
