"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.memory import MemoryFact, MemoryQuery, MemoryRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Memory

GIB = 2**30
V1_NO_LIMIT = "9223372036854771712"


def requirement(**fields):
    return MemoryRequirement.model_validate(header(**fields))


def evidence(fact):
    return Evidence([Observation(MemoryQuery(), fact if isinstance(fact, Unseen) else Seen(fact))])


@pytest.mark.parametrize(
    ("limits", "limit", "by"),
    [
        ((), None, None),
        ((("/a", "max"), ("/", "max")), None, None),
        ((("/a", V1_NO_LIMIT),), None, None),
        ((("/a/b/c", "max"), ("/a/b", "max"), ("/a", str(2 * GIB))), 2 * GIB, "/a"),
        ((("/a/b", str(3 * GIB)), ("/a", str(2 * GIB))), 2 * GIB, "/a"),
    ],
)
def test_the_least_limit_of_all_ancestors_counts(limits, limit, by):
    host = fake_host(system=FakePort(memory=Memory(8 * GIB, 4 * GIB, 0), cgroup_limits=limits, cgroup_top_hidden=False))
    fact = MemoryQuery().observe(host)
    assert (fact.limit_bytes, fact.limited_by, fact.total_bytes) == (limit, by, 8 * GIB)


@pytest.mark.parametrize(
    ("at_least", "tolerance", "total", "limit", "outcome"),
    [
        ("8 GB", "0 %", 8_000_000_000, None, Outcome.MET),
        ("8 GB", "0 %", 7_999_999_999, None, Outcome.UNMET),
        ("8 GiB", "7 %", int(7.6 * GIB), None, Outcome.MET),
        ("8 GiB", "0 %", int(7.6 * GIB), None, Outcome.UNMET),
        ("8 GB", "0 %", 64 * GIB, 2 * GIB, Outcome.UNMET),
    ],
)
def test_verdict(at_least, tolerance, total, limit, outcome):
    fact = MemoryFact(total_bytes=total, available_bytes=0, limit_bytes=limit, limited_by="/x" if limit else None)
    verdict = requirement(at_least=at_least, tolerance=tolerance).judge(evidence(fact))
    assert verdict.outcome is outcome
    assert verdict.gauge is not None and verdict.gauge.have == min(total, limit or total)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


def test_a_cgroup_limit_is_mended_at_the_cgroup():
    fact = MemoryFact(total_bytes=64 * GIB, available_bytes=0, limit_bytes=2 * GIB, limited_by="/kubepods/x")
    verdict = requirement(at_least="8 GB").judge(evidence(fact))
    assert "/kubepods/x" in render(verdict.fix)
    assert "64 GiB" in render(verdict.seen)


def test_limits_that_may_stand_above_a_namespace_are_named():
    fact = MemoryFact(total_bytes=64 * GIB, available_bytes=0, limit_bytes=None, limited_by=None, above_hidden=True)
    verdict = requirement(at_least="8 GB").judge(evidence(fact))
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "64 GiB; limits above this cgroup namespace are not visible"


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        requirement(at_least="8 GB").judge(evidence(Unseen(reason)))


@given(total=st.integers(0, 2**45), low=st.integers(1, 2**44), more=st.integers(0, 2**44))
def test_raising_the_demand_never_turns_unmet_into_met(total, low, more):
    fact = evidence(MemoryFact(total_bytes=total, available_bytes=0, limit_bytes=None, limited_by=None))
    if requirement(at_least=low).judge(fact).outcome is Outcome.UNMET:
        assert requirement(at_least=low + more).judge(fact).outcome is Outcome.UNMET
