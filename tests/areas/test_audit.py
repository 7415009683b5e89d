"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.asking import judge
from conftest import FakePort, fake_host, header
from vorflug.areas.audit import AuditFact, AuditQuery, AuditRequirement, Rules
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.running import Runs
from vorflug.ports.commands import Completed
from vorflug.ports.processes import Process, Running

CLOSED = PermissionError("closed")


def status(enabled="1", pid="690"):
    """As auditctl(8) prints it with ``-s``."""
    return Completed(0, f"enabled {enabled}\nfailure 1\npid {pid}\nrate_limit 0\nbacklog_limit 8192\nlost 0\n", "")


NOT_ROOT = Completed(4, "", "You must be root to run this program.\n")


def host(said=None, *found, hidden=False, settings=True):
    def run(argv):
        assert argv == ("auditctl", "-s")
        return said

    return fake_host(
        commands=FakePort(which=None if said is None else "/usr/sbin/auditctl", run=run),
        processes=FakePort(named=Running(found, hidden=hidden)),
        files=FakePort(exists=settings),
    )


def called(program, name="auditd"):
    return Process(690, name, program, 0, "/system.slice/auditd.service")


@pytest.mark.parametrize(
    ("said", "rules", "daemon"),
    [
        (status(), Rules.ON, Runs.YES),
        (status("2"), Rules.LOCKED, Runs.YES),
        (status("0", "1"), Rules.OFF, Runs.YES),
        (status("1", "0"), Rules.ON, Runs.NO),
        (status("0", "0"), Rules.OFF, Runs.NO),
    ],
)
def test_the_kernel_says_which_process_is_the_daemon(said, rules, daemon):
    assert AuditQuery().observe(host(said)) == AuditFact(daemon=daemon, settings=True, rules=rules)


@pytest.mark.parametrize(
    "said",
    [
        None,
        NOT_ROOT,
        Completed(1, "enabled 2\npid 7\n", "Error sending status request (Operation not permitted)"),
        Completed(0, "enabled 2\n", ""),
        Completed(0, "pid 7\n", ""),
        Completed(0, "enabled 3\npid 7\n", ""),
    ],
)
def test_rules_that_the_kernel_does_not_tell_are_not_off(said):
    fact = AuditQuery().observe(host(said))
    assert (fact.rules, fact.daemon) == (Rules.UNSEEN, Runs.NO)


@pytest.mark.parametrize(
    ("found", "hidden", "daemon"),
    [
        ((called("/usr/sbin/auditd"),), False, Runs.YES),
        ((called("/sbin/auditd"),), True, Runs.YES),
        ((called("/usr/bin/auditd"),), False, Runs.YES),
        ((called("/home/joe/auditd"),), False, Runs.NO),
        ((called("/home/joe/auditd"), called("/usr/sbin/auditd")), False, Runs.YES),
        ((called(None),), False, Runs.UNCLEAR),
        ((called("/home/joe/auditd"), called(None)), False, Runs.UNCLEAR),
        # in a container, or where a user has mounted what he likes
        ((Process(690, "auditd", None, 65534, "", apart=True),), False, Runs.UNCLEAR),
        ((), True, Runs.UNCLEAR),
        ((), False, Runs.NO),
    ],
)
def test_a_file_called_like_the_daemon_is_no_daemon(found, hidden, daemon):
    assert AuditQuery().observe(host(None, *found, hidden=hidden)).daemon is daemon


@pytest.mark.parametrize(("exists", "settings"), [(True, True), (False, False), (CLOSED, None)])
def test_closed_settings_are_not_absent_ones(exists, settings):
    assert AuditQuery().observe(host(status(), settings=exists)).settings is settings


@pytest.mark.parametrize(
    ("one", "outcome", "seen", "because"),
    [
        (
            host(status()),
            Outcome.MET,
            "audit daemon: runs; its settings: there; rules: switched on",
            "The audit daemon runs.",
        ),
        (
            host(status("2"), settings=CLOSED),
            Outcome.MET,
            "audit daemon: runs; its settings: not visible; rules: locked until the next boot",
            "The audit rules are locked: rules for Docker's files are taken at the next boot only.",
        ),
        (
            host(status("0", "0"), settings=False),
            Outcome.MET,
            "audit daemon: does not run; its settings: not there; rules: switched off",
            "No audit daemon runs.",
        ),
        (
            host(NOT_ROOT, hidden=True),
            Outcome.UNKNOWN,
            "audit daemon: not visible; its settings: there; rules: not visible",
            "Whether the audit daemon runs is not visible from here.",
        ),
    ],
)
def test_verdict(one, outcome, seen, because):
    verdict = judge(AuditRequirement.model_validate(header()), one)
    assert (verdict.outcome, render(verdict.seen), render(verdict.because)) == (outcome, seen, because)
    assert (verdict.fix is not None) == (outcome is Outcome.UNKNOWN)
    assert render(verdict.wanted) == "known whether the audit daemon runs"


def test_without_a_look_nothing_is_decided():
    evidence = Evidence([Observation(AuditQuery(), Unseen(Reason.DENIED, "closed"))])
    with pytest.raises(NotSeen):
        AuditRequirement.model_validate(header()).judge(evidence)


def test_the_question():
    assert render(AuditQuery().asks()).endswith("?")
