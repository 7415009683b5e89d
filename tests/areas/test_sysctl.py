"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.sysctl import SysctlFact, SysctlQuery, SysctlRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

NAME = "vm.max_map_count"


def requirement(**fields):
    return SysctlRequirement.model_validate(header(**{"name": NAME, **fields}))


def judge(value, **fields):
    result = value if isinstance(value, Unseen) else Seen(SysctlFact(value=value))
    return requirement(**fields).judge(Evidence([Observation(SysctlQuery(name=NAME), result)]))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (NAME, "/proc/sys/vm/max_map_count"),
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.1/forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding"),
        ("net.ipv4.conf.eth0/1.forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_names_as_sysctl_spells_them(name, path):
    asked = []

    def read_text(wanted):
        asked.append(wanted)
        return "4096\t131072\t6291456\n"

    assert SysctlQuery(name=name).observe(fake_host(files=FakePort(read_text=read_text))).value == "4096 131072 6291456"
    assert asked == [path]


def test_a_name_that_is_not_there_is_no_value():
    assert SysctlQuery(name=NAME).observe(fake_host(files=FakePort(read_text=FileNotFoundError(2, "no")))).value is None


@pytest.mark.parametrize(
    ("value", "demand", "outcome"),
    [
        ("262144", {"at_least": 262144}, Outcome.MET),
        ("262143", {"at_least": 262144}, Outcome.UNMET),
        ("-1", {"at_least": 0}, Outcome.UNMET),
        ("1", {"equal": "1"}, Outcome.MET),
        ("0", {"equal": "1"}, Outcome.UNMET),
        ("32768 60999", {"equal": "32768 60999"}, Outcome.MET),
        ("32768 60999", {"at_least": 1}, Outcome.UNKNOWN),
        ("", {"at_least": 1}, Outcome.UNKNOWN),
        (None, {"at_least": 1}, Outcome.UNKNOWN),
        (None, {"equal": "1"}, Outcome.UNKNOWN),
    ],
)
def test_verdict(value, demand, outcome):
    verdict = judge(value, **demand)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert NAME in render(verdict.seen)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"at_least": 1, "equal": "1"},
        {"name": "../../etc/shadow", "equal": "1"},
        {"name": "vm..x", "equal": "1"},
        {"name": "vm", "equal": "1"},
    ],
)
def test_a_demand_that_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        requirement(**fields)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason), at_least=1)


@given(value=st.integers(-9, 10**9), low=st.integers(-9, 10**9), more=st.integers(0, 10**9))
def test_raising_the_demand_never_turns_unmet_into_met(value, low, more):
    if judge(str(value), at_least=low).outcome is Outcome.UNMET:
        assert judge(str(value), at_least=low + more).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("fields", "wanted", "because"),
    [
        ({"at_least": 262144}, "vm.max_map_count at least 262144", "vm.max_map_count is 65530, 262144 is wanted."),
        ({"equal": "1 2"}, "vm.max_map_count = 1 2", "vm.max_map_count is 65530, 1 2 is wanted."),
    ],
)
def test_wanted_and_missed_in_words(fields, wanted, because):
    verdict = judge("65530", **fields)
    assert (render(verdict.wanted), render(verdict.because)) == (wanted, because)
