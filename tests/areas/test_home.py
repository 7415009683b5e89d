"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.home import HomeFact, HomeQuery, HomeUsableRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.accounts import Home, User
from vorflug.ports.files import FileKind, FileStatus, FileSystem

HOME = "/home/ada"


def host(environment=HOME, database=HOME, status=None, writable=True, options=("rw",), uid=1000):
    status = status or FileStatus(FileKind.FOLDER, 0o750, 1000, 1000, 4096)
    system = FileSystem(HOME, True, "/", "ext4", "/dev/vda1", "254:1", options, 1, 0, 1, 1, 1)
    return fake_host(
        accounts=FakePort(home=Home(environment, database), user=User(uid, "ada", ())),
        files=FakePort(status=status, writable=writable, file_system=system),
    )


def judge(fact, **fields):
    demand = HomeUsableRequirement.model_validate(header(**fields))
    return demand.judge(Evidence([Observation(HomeQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


def home(**changes):
    good = {"uid": 1000, "environment": HOME, "database": HOME, "there": FileKind.FOLDER, "owner": 1000}
    return HomeFact(**{**good, "writable": True, **changes})


def test_fact():
    assert HomeQuery().observe(host()) == home()
    assert HomeQuery().observe(host(environment=None)) == home(environment=None)
    seen = HomeQuery().observe(host(writable=False, options=("ro", "noexec"), uid=7))
    assert seen == home(uid=7, writable=False, read_only=True, noexec=True)
    assert HomeQuery().observe(host(options=("rw", "errors=remount-ro"))) == home()


@pytest.mark.parametrize("error", [FileNotFoundError(), NotADirectoryError()])
def test_a_service_account_whose_home_does_not_exist(error):
    seen = HomeQuery().observe(host(None, "/nonexistent", status=error))
    assert seen == HomeFact(uid=1000, environment=None, database="/nonexistent")
    verdict = judge(seen)
    assert (verdict.outcome, render(verdict.because)) == (Outcome.UNMET, "/nonexistent does not exist.")


def test_a_home_that_this_user_may_not_even_enter():
    seen = HomeQuery().observe(host(status=PermissionError()))
    assert seen == HomeFact(uid=1000, environment=HOME, database=HOME, closed=True)
    assert render(judge(seen).because) == "This user may not enter a folder above /home/ada."


def test_a_home_on_a_dead_file_server_is_no_fault():
    with pytest.raises(TimeoutError):
        HomeQuery().observe(host(status=TimeoutError()))


@pytest.mark.parametrize(("environment", "database"), [(None, None), ("relative", HOME)])
def test_nothing_is_looked_at_where_there_is_no_path(environment, database):
    accounts = FakePort(home=Home(environment, database), user=User(1000, "ada", ()))
    seen = HomeQuery().observe(fake_host(accounts=accounts))
    assert seen == HomeFact(uid=1000, environment=environment, database=database)


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({}, "This user may write to /home/ada."),
        ({"environment": None}, "This user may write to /home/ada."),
        ({"database": None}, "This user may write to /home/ada."),
        (
            {"database": "/nonexistent"},
            "HOME is /home/ada, which this user may write to; the user database says /nonexistent.",
        ),
        ({"noexec": True}, "This user may write to /home/ada."),
        # the user database's own entry: that root made it is the user's own affair, as long as it may be written to
        ({"owner": 0}, "This user may write to /home/ada."),
    ],
)
def test_met(changes, because):
    verdict = judge(home(**changes))
    assert (verdict.outcome, render(verdict.because)) == (Outcome.MET, because)
    assert render(verdict.seen) == HOME


@pytest.mark.parametrize(
    ("changes", "because", "fix"),
    [
        ({"environment": "ada"}, "ada is not an absolute path.", "Give the user"),
        ({"there": None, "closed": True}, "This user may not enter a folder above /home/ada.", "Give the user"),
        ({"there": None}, "/home/ada does not exist.", "Give the user"),
        ({"there": FileKind.FILE}, "/home/ada is there, but is no folder.", "Give the user"),
        (
            {"read_only": True, "writable": False},
            "/home/ada lies on a file system that is mounted read-only.",
            "Mount the file system that holds /home/ada for writing.",
        ),
        ({"writable": False}, "This user may not write to /home/ada.", "Give the user"),
        (
            {"uid": 0, "database": "/root"},
            "HOME is /home/ada, which belongs to user 1000: what is written there as user 0 may lock that user out.",
            "Set HOME to the home of the user that installs; with sudo: sudo -H.",
        ),
    ],
)
def test_unmet(changes, because, fix):
    verdict = judge(home(**changes))
    assert (verdict.outcome, render(verdict.because)) == (Outcome.UNMET, because)
    assert render(verdict.fix).startswith(fix)
    assert render(verdict.seen) == changes.get("environment", HOME)


def test_no_home_at_all():
    verdict = judge(HomeFact(uid=1000, environment=None, database=None))
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.UNMET, "none")
    assert "HOME is not set" in render(verdict.because)


def test_programs_count_only_where_they_are_demanded():
    assert judge(home(noexec=False), programs=True).outcome is Outcome.MET
    verdict = judge(home(noexec=True), programs=True)
    assert verdict.outcome is Outcome.UNMET
    assert "is mounted noexec" not in render(verdict.fix) and "mounted noexec" in render(verdict.because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_words():
    plain, programs = (HomeUsableRequirement.model_validate(header(programs=p)) for p in (False, True))
    assert render(plain.wanted()) == "a home of this user, to write to"
    assert render(programs.wanted()) == "a home of this user, to write to and to run programs from"
    assert plain.queries(Evidence()) == [HomeQuery()]
    assert render(HomeQuery().asks()).endswith("?")
