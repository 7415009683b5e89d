"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.account import AdminAccessRequirement, AdminFact, AdminQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.accounts import Sudo, User

QUERY = AdminQuery(groups=("docker",))


def judge(fact):
    demand = AdminAccessRequirement.model_validate(header())
    return demand.judge(Evidence([Observation(QUERY, fact if isinstance(fact, Unseen) else Seen(fact))]))


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

    fact = QUERY.observe(fake_host(accounts=FakePort(user=user, sudo=sudo)))
    assert len(calls) == asked
    assert (fact.uid, fact.user, fact.group) == (user.uid, user.name, group)
    assert fact.sudo is (Sudo.REFUSED if asked else None)


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (AdminFact(uid=0, user="root", group=None, sudo=None), Outcome.MET),
        (AdminFact(uid=1000, user="ada", group="docker", sudo=None), Outcome.MET),
        (AdminFact(uid=1000, user="ada", group=None, sudo=Sudo.EVERYTHING), Outcome.MET),
        (AdminFact(uid=1000, user="ada", group=None, sudo=Sudo.SOME), Outcome.UNKNOWN),
        (AdminFact(uid=1000, user="ada", group=None, sudo=Sudo.PASSWORD), Outcome.UNKNOWN),
        (AdminFact(uid=1000, user="ada", group=None, sudo=Sudo.REFUSED), Outcome.UNMET),
        (AdminFact(uid=1000, user="ada", group=None, sudo=Sudo.ABSENT), Outcome.UNMET),
    ],
)
def test_verdict(fact, outcome):
    verdict = judge(fact)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert fact.user in render(verdict.seen)


def test_two_requirements_with_equal_groups_put_one_question():
    one, other = (AdminAccessRequirement.model_validate(header(id=f"T-{n}")) for n in (1, 2))
    assert set(one.queries(Evidence())) == set(other.queries(Evidence())) == {QUERY}


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_the_question_names_the_groups():
    assert "docker" in render(QUERY.asks())


def test_a_fact_that_contradicts_itself_is_no_verdict():
    with pytest.raises(ValueError, match="sudo was not asked"):
        judge(AdminFact(uid=1000, user="ada", group=None, sudo=None))


@pytest.mark.parametrize(
    ("sudo", "says"), [(Sudo.REFUSED, "and sudo refuses ada."), (Sudo.ABSENT, "and sudo is not installed.")]
)
def test_no_more_is_said_than_was_seen(sudo, says):
    verdict = judge(AdminFact(uid=1000, user="ada", group=None, sudo=sudo))
    assert render(verdict.because) == f"ada is not root and no member of docker, {says}"
    seen = {Sudo.REFUSED: "ada, no right to sudo", Sudo.ABSENT: "ada, there is no sudo"}
    assert render(verdict.seen) == seen[sudo]
