"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.asking import ask, judge
from conftest import FakePort, fake_host, header
from vorflug.areas.agents import NamedProcessesQuery, NoAgentsRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.processes import Process, Running

AGENTS = [
    {"name": "ClamAV", "processes": ["clamd"], "folders": ["/usr/sbin/clamd"]},
    {"name": "Falcon", "processes": ["falcon-sensor", "clamd"], "folders": ["/opt/other", "/opt/CrowdStrike"]},
]


def demand(agreed=False, agents=AGENTS):
    return NoAgentsRequirement.model_validate(header(agents=agents, exclusions_agreed=agreed))


def host(*programs, hidden=False, name="clamd"):
    found = tuple(Process(100 + n, name, program, 0, "") for n, program in enumerate(programs))
    return fake_host(processes=FakePort(named=Running(found, hidden)))


def apart(pid, name="clamd"):
    return Process(pid, name, None, 65534, "", apart=True)


def test_each_name_is_asked_for_once():
    query = demand().queries(Evidence())[0]
    assert query.names == ("clamd", "falcon-sensor")
    assert render(query.asks()) == "Does a virus scanner or EDR agent run here (2 known program names)?"


@pytest.mark.parametrize("hidden", [False, True])
def test_the_fact(hidden):
    fact = NamedProcessesQuery(names=("clamd",)).observe(host("/usr/sbin/clamd", None, hidden=hidden))
    assert [(one.pid, one.name, one.program) for one in fact.found] == [
        (100, "clamd", "/usr/sbin/clamd"),
        (101, "clamd", None),
    ]
    assert fact.hidden is hidden


def test_a_name_cannot_smuggle_control_characters():
    fact = NamedProcessesQuery(names=("clamd",)).observe(host(None, name="cl\x1b[2J"))
    assert "\x1b" not in fact.found[0].name


@pytest.mark.parametrize(
    ("programs", "hidden", "agreed", "outcome", "seen"),
    [
        ((), False, False, Outcome.MET, "no known security agent"),
        ((), True, False, Outcome.UNKNOWN, "other processes are hidden"),
        ((), True, True, Outcome.UNKNOWN, "other processes are hidden"),
        (("/usr/sbin/clamd",), False, False, Outcome.UNMET, "running: ClamAV"),
        (("/usr/sbin/clamd",), False, True, Outcome.MET, "running: ClamAV"),
        (("/usr/sbin/clamd", None), True, False, Outcome.UNMET, "running: ClamAV"),
        (("/opt/CrowdStrike/falcon-sensor",), False, False, Outcome.UNMET, "running: Falcon"),
        (
            ("/usr/sbin/clamd", "/opt/CrowdStrike/falcon-sensor"),
            False,
            False,
            Outcome.UNMET,
            "running: ClamAV and Falcon",
        ),
        ((None,), False, False, Outcome.UNKNOWN, "a program that calls itself clamd (PID 100)"),
        ((None, "/home/joe/clamd"), True, True, Outcome.UNKNOWN, "a program that calls itself clamd (PID 100)"),
    ],
)
def test_verdict(programs, hidden, agreed, outcome, seen, no_io):
    one = demand(agreed)
    evidence = ask(one, host(*programs, hidden=hidden))
    with no_io():
        verdict = one.judge(evidence)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert render(verdict.wanted) == "no security agent, or the container folders excluded from its scans"


@pytest.mark.parametrize("agreed", [False, True])
def test_a_program_with_mounts_of_its_own_proves_nothing(agreed):
    """Any user may mount what he likes on /opt in a namespace of his own."""
    one = demand(agreed)
    found = (Process(99, "x", "/home/joe/clamd", 0, ""), apart(100, "falcon-sensor"))
    verdict = judge(one, fake_host(processes=FakePort(named=Running(found, hidden=False))))
    assert verdict.outcome is Outcome.UNKNOWN
    assert render(verdict.seen) == "a program that calls itself falcon-sensor (PID 100)"
    assert "may show any path" in render(verdict.because)
    assert render(verdict.fix).startswith("Find out who started it.")


def test_what_root_could_see_is_said_first_and_what_is_proved_above_all():
    def verdict(*programs):
        found = (apart(100), *(Process(200, "clamd", program, 0, "") for program in programs))
        return judge(demand(), fake_host(processes=FakePort(named=Running(found, hidden=True))))

    assert render(verdict(None).seen) == "a program that calls itself clamd (PID 200)"
    assert render(verdict(None).fix) == "Run this as root."
    assert render(verdict("/usr/sbin/clamd").seen) == "running: ClamAV"


@pytest.mark.parametrize("program", ["/home/joe/clamd", "/usr/sbin/clamdx", "/opt/CrowdStrikes/clamd"])
def test_a_program_called_like_an_agent_is_no_agent(program):
    assert judge(demand(), host(program)).outcome is Outcome.MET


@pytest.mark.parametrize("folder", ["opt/x", "/opt/x/", ""])
def test_folders_are_absolute(folder):
    with pytest.raises(ValidationError):
        demand(agents=[{**AGENTS[0], "folders": [folder]}])


def test_without_a_look_nothing_is_decided():
    query = demand().queries(Evidence())[0]
    with pytest.raises(NotSeen):
        demand().judge(Evidence([Observation(query, Unseen(Reason.DENIED, "closed"))]))
