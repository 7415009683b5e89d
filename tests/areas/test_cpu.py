"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
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
from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.system import LiveSystem
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Kernel, Processor

HOSTS = Path(__file__).parent.parent / "hosts"


def evidence(query, fact):
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


def cpu(online=8, affinity=None, quota=None, by=None):
    return CpuFact(online=online, affinity=online if affinity is None else affinity, quota=quota, quota_by=by)


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
        cgroup_limits=lambda name: asked.append(name) or limits,
        cgroup_top_hidden=True,
    )
    fact = CpuQuery().observe(fake_host(system=system))
    assert (fact.quota, fact.quota_by, fact.online, fact.affinity) == (quota, by, 8, 4)
    assert fact.above_hidden
    assert fact.usable == min(4, quota or 4)
    assert asked == ["cpu.max"]


@pytest.mark.parametrize("content", ["", "max", "x 100000", "1 0", "1 2 3"])
def test_a_quota_that_makes_no_sense_is_no_missing_quota(content):
    system = FakePort(processor=Processor(8, 8, (), ""), cgroup_limits=(("/a", content),))
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
    tree = fake_host(system=LiveSystem(Patience(10), str(HOSTS / host)))
    assert CpuQuery().observe(tree).usable == usable


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
        (cpu(4, quota=2.0, by="/a"), 8, Outcome.UNMET, "2 CPUs", "Give this machine 8"),
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


V2, V3, V4 = (LEVEL_FLAGS[level] for level in Microarchitecture)


@pytest.mark.parametrize(
    ("fact", "fields", "outcome", "says"),
    [
        (can(*V2), {"microarchitecture": "x86-64-v2"}, Outcome.MET, "7 wanted"),
        (can(*V3), {"microarchitecture": "x86-64-v2"}, Outcome.MET, "7 wanted"),
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
    assert set(V2) < set(V3) < set(V4)


def test_a_processor_without_a_name_is_still_judged():
    assert render(features(can(*V2, model=""), microarchitecture="x86-64-v2").seen) == "a processor without a name"


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
