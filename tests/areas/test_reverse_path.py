"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.asking import judge
from conftest import FakePort, fake_host, header
from vorflug.areas.reverse_path import ReversePathQuery, ReversePathRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome

FOLDER = "/proc/sys/net/ipv4/conf"


def host(every="0\n", namespace="pid:[4026531836]", **interfaces):
    values = {"all": every, "default": "1\n", "lo": "1\n", **interfaces}
    files = {f"{FOLDER}/{name}/rp_filter": value for name, value in values.items() if value is not None}
    return fake_host(
        files=FakePort(
            list_folder=lambda path: tuple(sorted(values)),
            read_text=lambda path, **_: files.get(path, FileNotFoundError(path)),
            read_link=namespace,
        )
    )


def verdict(one, accepted=(0, 2)):
    return judge(ReversePathRequirement.model_validate(header(accepted=accepted)), one)


@pytest.mark.parametrize(
    ("every", "own", "outcome", "seen"),
    [
        ("0\n", "0\n", Outcome.MET, "eth0 0"),
        ("0\n", "1\n", Outcome.UNMET, "eth0 1"),
        ("0\n", "2\n", Outcome.MET, "eth0 2"),
        ("1\n", "0\n", Outcome.UNMET, "eth0 1"),
        ("1\n", "2\n", Outcome.MET, "eth0 2"),
        ("2\n", "0\n", Outcome.MET, "eth0 2"),
        ("2\n", "1\n", Outcome.MET, "eth0 2"),
    ],
)
def test_the_larger_of_both_counts(every, own, outcome, seen):
    found = verdict(host(every, eth0=own))
    assert (found.outcome, render(found.seen)) == (outcome, f"in force: {seen}")
    assert (found.fix is not None) == (outcome is Outcome.UNMET)


def test_the_interfaces_of_a_container_are_not_the_machines():
    with pytest.raises(NotImplementedError, match="the machine's are hidden"):
        ReversePathQuery().observe(host(namespace="pid:[4026532771]", eth0="1"))


def test_only_interfaces_that_are_not_accepted_are_shown():
    assert render(verdict(host(eth1="1", eth0="1", eth2="2")).seen) == "in force: eth0 1 and eth1 1"
    assert render(verdict(host(eth1="0", eth0="2")).seen) == "in force: eth0 2 and eth1 0"


def test_loopback_and_the_value_for_new_interfaces_are_no_interface():
    found = verdict(host("0\n"))
    assert (found.outcome, render(found.because)) == (
        Outcome.NOT_APPLICABLE,
        "There is no network interface but the loopback.",
    )


def test_an_interface_that_is_gone_is_left_out():
    assert ReversePathQuery().observe(host(eth0="1", gone=None)).interfaces == {"eth0": 1}


@pytest.mark.parametrize("folder", [FileNotFoundError("x"), ("all",)])
def test_without_the_kernels_folder_nothing_is_known(folder):
    port = FakePort(list_folder=folder, read_text=FileNotFoundError("x"), read_link=FileNotFoundError("x"))
    with pytest.raises(NotImplementedError, match="is not there"):
        ReversePathQuery().observe(fake_host(files=port))


def test_what_is_closed_or_no_number_is_no_value():
    with pytest.raises(PermissionError):
        ReversePathQuery().observe(host(PermissionError("closed")))
    with pytest.raises(ValueError, match="strict"):
        ReversePathQuery().observe(host(eth0="strict"))


@pytest.mark.parametrize("accepted", [(), (3,)])
def test_a_demand_that_makes_no_sense_is_refused(accepted):
    with pytest.raises(ValidationError):
        verdict(host(), accepted)


def test_without_a_look_nothing_is_decided():
    demand = ReversePathRequirement.model_validate(header(accepted=(0, 2)))
    with pytest.raises(NotSeen):
        demand.judge(Evidence([Observation(ReversePathQuery(), Unseen(Reason.DENIED, "closed"))]))
    assert render(demand.wanted()) == "rp_filter one of 0 and 2"
    assert render(ReversePathQuery().asks()).endswith("?")
