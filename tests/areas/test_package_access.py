"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.package_access import AccessFact, AccessQuery, FilePrivateRequirement, FileReadableByRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.package_file import FileFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.accounts import User
from vorflug.ports.files import FileKind, FileStatus
from vorflug.ports.package import Reading

PATH = "/srv/audit/.env"
QUERY = AccessQuery(path=PATH)
PRIVATE = FilePrivateRequirement.model_validate(header(path=PATH))
READABLE = FileReadableByRequirement.model_validate(header(path=PATH, uid=1000, gid=1000))


def judge(demand, fact):
    return demand.judge(Evidence([Observation(QUERY, fact if isinstance(fact, Unseen) else Seen(fact))]))


def access(reading=Reading.GOOD, asker=0, **fields):
    return AccessFact(file=FileFact(path=PATH, reading=reading), asker=asker, **fields)


def ask(status, *, acl=False):
    accounts = FakePort(user=User(7, "ada", ()))
    return QUERY.observe(fake_host(accounts=accounts, files=FakePort(status=status, has_acl=acl)))


def test_fact():
    seen = ask(FileStatus(FileKind.FILE, 0o640, 1, 2, 9), acl=True)
    good = FileFact(path=PATH, reading=Reading.GOOD, size_bytes=9)
    assert seen == AccessFact(file=good, mode=0o640, uid=1, gid=2, acl=True, asker=7)


@pytest.mark.parametrize(
    ("status", "reading"),
    [
        (FileNotFoundError(), Reading.ABSENT),
        (NotADirectoryError(), Reading.ABSENT),
        (FileStatus(FileKind.FOLDER, 0o755, 0, 0, 1), Reading.NOT_A_FILE),
    ],
)
def test_what_is_no_file(status, reading):
    assert ask(status) == access(reading, asker=7)


@pytest.mark.parametrize("reading", [Reading.ABSENT, Reading.NOT_A_FILE])
@pytest.mark.parametrize("demand", [PRIVATE, READABLE], ids=lambda d: d.kind)
def test_a_file_that_is_not_there_has_the_cause_of_every_demand_on_it(demand, reading):
    verdict = judge(demand, access(reading))
    assert verdict.outcome is Outcome.UNMET
    assert (verdict.cause.kind, verdict.cause.subject) == (f"file.{reading}", PATH)


@pytest.mark.parametrize(
    ("mode", "uid", "acl", "asker", "outcome", "because"),
    [
        (0o600, 0, False, 0, Outcome.MET, f"Only its owner and its group may open {PATH}."),
        (0o640, 0, False, 7, Outcome.MET, f"Only its owner and its group may open {PATH}."),
        (0o600, 7, False, 7, Outcome.MET, f"Only its owner and its group may open {PATH}."),
        (
            0o644, 0, False, 0, Outcome.UNMET,
            f"By its mode (0644), every user who reaches its folder may read {PATH}.",
        ),
        (
            0o602, 0, False, 0, Outcome.UNMET,
            f"By its mode (0602), every user who reaches its folder has rights on {PATH}.",
        ),
        (
            0o601, 0, False, 0, Outcome.UNMET,
            f"By its mode (0601), every user who reaches its folder has rights on {PATH}.",
        ),
        # others are in the mode whatever a list says; the rest is not
        (
            0o644, 0, True, 0, Outcome.UNMET,
            f"By its mode (0644), every user who reaches its folder may read {PATH}.",
        ),
        (
            0o640, 0, True, 0, Outcome.UNKNOWN,
            f"{PATH} has an access control list, which decides beside the mode.",
        ),
        (
            0o600, 7, False, 0, Outcome.UNKNOWN,
            f"{PATH} belongs to user 7; whether that is the user that installs is not visible to root.",
        ),
        (
            0o600, 8, False, 7, Outcome.UNMET,
            f"{PATH} belongs to user 8, who is neither root nor the user that this runs as.",
        ),
    ],
)  # fmt: skip
def test_private(mode, uid, acl, asker, outcome, because):
    verdict = judge(PRIVATE, access(mode=mode, uid=uid, acl=acl, asker=asker))
    assert (verdict.outcome, render(verdict.because)) == (outcome, because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert render(verdict.seen) == f"owner {uid}:0, mode {mode:04o}"


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "acl", "outcome"),
    [
        (0o400, 1000, 5, False, Outcome.MET),
        (0o400, 1000, 5, True, Outcome.MET),
        # the first class that fits decides, even where a later one is more open
        (0o044, 1000, 1000, False, Outcome.UNMET),
        (0o040, 0, 1000, False, Outcome.MET),
        (0o604, 0, 1000, False, Outcome.UNMET),
        (0o604, 0, 0, False, Outcome.MET),
        (0o640, 0, 0, False, Outcome.UNMET),
        (0o603, 0, 0, False, Outcome.UNMET),
        (0o644, 0, 0, True, Outcome.UNKNOWN),
        (0o600, 0, 0, True, Outcome.UNKNOWN),
    ],
)
def test_readable(mode, uid, gid, acl, outcome):
    verdict = judge(READABLE, access(mode=mode, uid=uid, gid=gid, acl=acl))
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert render(verdict.seen) == f"owner {uid}:{gid}, mode {mode:04o}"


@pytest.mark.parametrize("acl", [False, True])
def test_root_reads_everything(acl):
    demand = FileReadableByRequirement.model_validate(header(path=PATH, uid=0, gid=0))
    assert judge(demand, access(mode=0, uid=5, gid=5, acl=acl)).outcome is Outcome.MET


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [PRIVATE, READABLE], ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        judge(demand, Unseen(reason))


def test_words():
    assert render(PRIVATE.wanted()) == f"{PATH} of root or of the user that installs, closed to others"
    assert render(READABLE.wanted()) == f"{PATH} readable by user 1000 and group 1000"
    assert PRIVATE.queries(Evidence()) == READABLE.queries(Evidence()) == [QUERY]
    assert render(QUERY.asks()) == f"Who owns {PATH}, and who may read it?"
