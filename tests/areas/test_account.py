"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.account import AdminAccessRequirement, AdminFact, AdminQuery, SudoFact, SudoQuery
from vorflug.engine.collect import collect
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.accounts import Sudo, User

QUERY = AdminQuery(groups=("docker",))


def make(**fields):
    return AdminAccessRequirement.model_validate(header(**fields))


def evidence(fact, sudo=None):
    def seen(value):
        return value if isinstance(value, Unseen) else Seen(value)

    rows = [Observation(QUERY, seen(fact))]
    if sudo is not None:
        rows.append(Observation(SudoQuery(), seen(sudo)))
    return Evidence(rows)


def admin(uid=1000, user="ada", group=None):
    return AdminFact(uid=uid, user=user, group=group)


@pytest.mark.parametrize(
    ("user", "group", "asked"),
    [
        (User(0, "root", ("root",)), None, 0),
        (User(1000, "ada", ("ada", "docker")), "docker", 0),
        (User(1000, "ada", ("ada", "dockers")), None, 1),
        (User(1000, "ada", ()), None, 1),
    ],
)
def test_sudo_is_asked_once_and_only_where_nothing_else_decides(user, group, asked):
    calls = []

    def sudo():
        calls.append(1)
        return Sudo.REFUSED

    host = fake_host(accounts=FakePort(user=user, sudo=sudo))
    found = {o.query: o.result for o in collect([make(groups=["docker"])], lambda _seconds: host)}
    assert found.pop(QUERY) == Seen(admin(user.uid, user.name, group))
    assert found == ({SudoQuery(): Seen(SudoFact(sudo=Sudo.REFUSED))} if asked else {})
    assert len(calls) == asked


def test_requirements_with_different_groups_ask_sudo_once_together():
    calls = []

    def sudo():
        calls.append(1)
        return Sudo.REFUSED

    host = fake_host(accounts=FakePort(user=User(1000, "ada", ("wheel",)), sudo=sudo))
    rows = [make(id=f"T-{n}", groups=[name]) for n, name in enumerate(("docker", "podman", "wheel"))]
    found = [o.query for o in collect(rows, lambda _seconds: host)]
    assert len(calls) == found.count(SudoQuery()) == 1
    assert len(found) == 4


def test_the_question_to_sudo_has_no_field_that_could_tell_two_apart():
    assert SudoQuery() == SudoQuery()
    assert not vars(SudoQuery())


@pytest.mark.parametrize(
    ("fact", "sudo", "outcome"),
    [
        (admin(0, "root"), None, Outcome.MET),
        (admin(group="docker"), None, Outcome.MET),
        (admin(), Sudo.EVERYTHING, Outcome.MET),
        (admin(), Sudo.SOME, Outcome.UNKNOWN),
        (admin(), Sudo.PASSWORD, Outcome.UNKNOWN),
        (admin(), Sudo.REFUSED, Outcome.UNMET),
        (admin(), Sudo.ABSENT, Outcome.UNMET),
    ],
)
def test_verdict(fact, sudo, outcome):
    verdict = make().judge(evidence(fact, None if sudo is None else SudoFact(sudo=sudo)))
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert fact.user in render(verdict.seen)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    for known in (evidence(Unseen(reason)), evidence(admin(), Unseen(reason))):
        with pytest.raises(NotSeen):
            make().judge(known)


def test_words():
    assert render(QUERY.asks()) == "Is this user root or a member of docker?"
    assert render(SudoQuery().asks()) == "What may this user do with sudo, without a password? (sudo -n -l, once)"
    assert render(make().then()) == "what sudo allows, where neither user nor group decide"
    assert render(make().wanted()) == "root, member of docker, or sudo without a password"


@pytest.mark.parametrize(
    ("sudo", "says"), [(Sudo.REFUSED, "and sudo refuses ada."), (Sudo.ABSENT, "and sudo is not installed.")]
)
def test_no_more_is_said_than_was_seen(sudo, says):
    verdict = make().judge(evidence(admin(), SudoFact(sudo=sudo)))
    assert render(verdict.because) == f"ada is not root and no member of docker, {says}"
    seen = {Sudo.REFUSED: "ada, no right to sudo", Sudo.ABSENT: "ada, there is no sudo"}
    assert render(verdict.seen) == seen[sudo]
