"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import errno
import os

import pytest
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.umask import UmaskFact, UmaskQuery, UmaskRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

COMMON, SSHD, DEFS = "/etc/pam.d/common-session", "/etc/pam.d/sshd", "/etc/login.defs"
STATUS = {"/proc/self/status": "Umask:\t0022\n"}


def ask(files):
    def lines_with(path, words):
        content = files.get(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path))
        if isinstance(content, Exception):
            raise content
        return tuple(line for line in content.splitlines() if any(w in line for w in words))

    return UmaskQuery().observe(fake_host(files=FakePort(lines_with=lines_with)))


def judge(fact, leaves="005"):
    demand = UmaskRequirement.model_validate(header(leaves=leaves))
    return demand.judge(Evidence([Observation(UmaskQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("files", "process", "login", "source"),
    [
        (STATUS, 0o022, None, None),
        ({"/proc/self/status": "Umask:\t0077\n"}, 0o077, None, None),
        # before Linux 4.7 there is no such line, and other lines may hold the word
        ({"/proc/self/status": "Name:\tUmask:\n"}, None, None, None),
        ({}, None, None, None),
        # UMASK of login.defs is for pam_umask: without it no login gets it
        ({**STATUS, DEFS: "UMASK\t\t077\n"}, 0o022, None, None),
        ({**STATUS, DEFS: "UMASK\t\t077\n", COMMON: "session optional\t\tpam_umask.so\n"}, 0o022, 0o077, DEFS),
        ({**STATUS, DEFS: "#UMASK 077\nUMASK 027\n", SSHD: "-session optional pam_umask.so\n"}, 0o022, 0o027, DEFS),
        ({**STATUS, DEFS: "# UMASK is the mask\n", COMMON: "session optional pam_umask.so\n"}, 0o022, None, None),
        ({**STATUS, COMMON: "session optional pam_umask.so\n"}, 0o022, None, None),
        (
            {**STATUS, DEFS: "UMASK 022\n", COMMON: "session optional pam_umask.so silent umask=0077\n"},
            0o022,
            0o077,
            COMMON,
        ),
        ({**STATUS, DEFS: "UMASK 077\n", COMMON: "# session optional pam_umask.so\n"}, 0o022, None, None),
        ({**STATUS, DEFS: "UMASK 077\n", COMMON: "auth optional pam_umask.so\n"}, 0o022, None, None),
        ({**STATUS, DEFS: "UMASK 077\n", COMMON: NotADirectoryError()}, 0o022, None, None),
    ],
)
def test_fact(files, process, login, source):
    assert ask(files) == UmaskFact(process=process, login=login, login_from=source)


@pytest.mark.parametrize(
    ("files", "hidden", "login"),
    [
        ({COMMON: PermissionError()}, (COMMON,), None),
        ({COMMON: PermissionError(), SSHD: PermissionError()}, (COMMON, SSHD), None),
        ({DEFS: PermissionError(), COMMON: "session optional pam_umask.so\n"}, (DEFS,), None),
        # it is not asked where no login gets it
        ({DEFS: PermissionError()}, (), None),
        ({DEFS: PermissionError(), COMMON: "session optional pam_umask.so umask=022\n"}, (), 0o022),
        ({COMMON: PermissionError(), SSHD: "session optional pam_umask.so umask=022\n"}, (COMMON,), 0o022),
    ],
)
def test_a_file_that_may_not_be_read_is_named(files, hidden, login):
    fact = ask({**STATUS, **files})
    assert (fact.process, fact.hidden, fact.login) == (0o022, hidden, login)


def test_a_status_that_may_not_be_read_is_no_file_for_a_login():
    fact = ask({"/proc/self/status": PermissionError()})
    assert (fact.process, fact.hidden) == (None, ())


@pytest.mark.parametrize(
    ("process", "login", "outcome"),
    [
        (0o022, None, Outcome.UNKNOWN),
        (0o022, 0o022, Outcome.UNKNOWN),
        (0o022, 0o077, Outcome.UNKNOWN),
        (0o077, None, Outcome.UNMET),
    ],
)
def test_a_hidden_file_could_give_a_login_another_mask(process, login, outcome):
    source = None if login is None else DEFS
    verdict = judge(UmaskFact(process=process, login=login, login_from=source, hidden=(COMMON,)))
    assert verdict.outcome is outcome
    assert (COMMON in render(verdict.because)) == (outcome is Outcome.UNKNOWN and login != 0o077)
    assert verdict.fix is not None


@pytest.mark.parametrize(
    ("process", "login", "outcome", "seen"),
    [
        (0o022, None, Outcome.MET, "0022"),
        (0o072, None, Outcome.MET, "0072"),
        (0o077, None, Outcome.UNMET, "0077"),
        (0o027, None, Outcome.UNMET, "0027"),
        (0o001, None, Outcome.UNMET, "0001"),
        (0o004, None, Outcome.UNMET, "0004"),
        (0o022, 0o022, Outcome.MET, "0022"),
        (0o022, 0o077, Outcome.UNKNOWN, "0022 here, 0077 for a login (/etc/login.defs)"),
        (0o077, 0o022, Outcome.UNMET, "0077"),
    ],
)
def test_verdict(process, login, outcome, seen):
    verdict = judge(UmaskFact(process=process, login=login, login_from=None if login is None else DEFS))
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize("login", [None, 0o022, 0o077])
def test_a_kernel_that_does_not_say_is_unknown(login):
    verdict = judge(UmaskFact(process=None, login=login, login_from=None if login is None else DEFS))
    assert (verdict.outcome, verdict.seen) == (Outcome.UNKNOWN, None)
    assert verdict.fix is not None


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


@pytest.mark.parametrize("leaves", ["0", "008", "050", "000", "0005"])
def test_only_permissions_of_others_are_judged(leaves):
    with pytest.raises(ValidationError):
        UmaskRequirement.model_validate(header(leaves=leaves))


def test_words():
    demand = UmaskRequirement.model_validate(header(leaves="005"))
    assert render(demand.wanted()) == "a umask that leaves others the permissions 005"
    assert demand.queries(Evidence()) == [UmaskQuery()]
    assert render(UmaskQuery().asks()) == "Which umask has this process, and which does a login get?"
