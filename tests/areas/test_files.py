"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.files import (
    ComposeFact,
    ComposePortsClosedRequirement,
    ComposeQuery,
    ComposeValidRequirement,
    FilePresentRequirement,
    FileQuery,
    LicenceFact,
    LicenceQuery,
    LicenceValidRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.package_file import FileFact, file_cause
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.package import ComposeRead, FileRead, Format, LicenceRead, Problem, Reading

PATH, ENV = "/srv/audit/compose.yaml", "/srv/audit/.env"


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def file(reading=Reading.GOOD, **fields):
    return FileFact(path=PATH, reading=reading, **fields)


PRESENT = make(FilePresentRequirement, path=PATH, format="yaml")
ANY = make(FilePresentRequirement, path=PATH)
COMPOSE = make(ComposeValidRequirement, path=PATH, env_path=ENV, services=["api"], ports=[443])
CLOSED = make(ComposePortsClosedRequirement, path=PATH, env_path=ENV, closed=[8000, 8001])
LICENCE = make(LicenceValidRequirement, path=PATH, not_after="until", at_least="30 d", users_field="seats", users=50)
PLAIN = make(LicenceValidRequirement, path=PATH, not_after="until", at_least="30 d")
QUERIES = {
    "present": (PRESENT, FileQuery(path=PATH, format=Format.YAML)),
    "any": (ANY, FileQuery(path=PATH, format=Format.ANY)),
    "compose": (COMPOSE, ComposeQuery(path=PATH, env_path=ENV)),
    "closed": (CLOSED, ComposeQuery(path=PATH, env_path=ENV)),
    "licence": (LICENCE, LicenceQuery(path=PATH, not_after="until", users="seats")),
    "plain": (PLAIN, LicenceQuery(path=PATH, not_after="until", users="")),
}


def evidence(demand, fact):
    query = next(q for d, q in QUERIES.values() if d is demand)
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


def compose(reading=Reading.GOOD, env=Reading.GOOD, **fields):
    good = {"services": ("api",), "ports": (443,), "unresolved": (), "missing_paths": ()}
    env_file = FileFact(path=ENV, reading=env, line=2, problem=Problem.CLOSING_QUOTE)
    return ComposeFact(file=file(reading), env=env_file, **{**good, **fields})


def licence(not_after="2027-11-25", users=None, reading=Reading.GOOD, *, given=True):
    now = "2026-11-25T10:00:00+00:00"
    return LicenceFact(file=file(reading), now=now, not_after=not_after, not_after_given=given, users=users)


def test_facts():
    read = FileRead(PATH, Reading.BROKEN, 3, Problem.YAML, "tab", 7)
    port = FakePort(
        read=read,
        compose=ComposeRead(read, FileRead(ENV, Reading.EMPTY), ("a",), (1,), ("V",), ("./x",)),
        licence=LicenceRead(read, "now", "2027-01-01", 5, not_after_given=True),
    )
    host = fake_host(package=port)
    broken = file(Reading.BROKEN, line=3, problem=Problem.YAML, detail="tab", size_bytes=7)
    assert FileQuery(path=PATH, format=Format.YAML).observe(host) == broken
    assert ComposeQuery(path=PATH, env_path=ENV).observe(host) == ComposeFact(
        file=broken,
        env=FileFact(path=ENV, reading=Reading.EMPTY),
        services=("a",),
        ports=(1,),
        unresolved=("V",),
        missing_paths=("./x",),
    )
    assert LicenceQuery(path=PATH, not_after="a", users="b").observe(host) == LicenceFact(
        file=broken, now="now", not_after="2027-01-01", not_after_given=True, users=5
    )


@pytest.mark.parametrize("reading", [r for r in Reading if r is not Reading.GOOD])
@pytest.mark.parametrize("demand", [PRESENT, COMPOSE, CLOSED, LICENCE], ids=lambda d: d.kind)
def test_a_file_that_cannot_be_used_is_one_cause(demand, reading):
    fact = (
        file(reading)
        if demand is PRESENT
        else compose(reading)
        if demand in (COMPOSE, CLOSED)
        else licence(reading=reading)
    )
    verdict = demand.judge(evidence(demand, fact))
    assert verdict.outcome is (Outcome.UNKNOWN if reading is Reading.DENIED else Outcome.UNMET)
    assert (verdict.cause.kind, verdict.cause.subject) == (f"file.{reading}", PATH)
    assert verdict.fix is not None and PATH in render(verdict.because)
    assert PRESENT.about(evidence(PRESENT, file(reading))) == verdict.cause


def test_a_good_file():
    facts = evidence(PRESENT, file(size_bytes=2048))
    assert PRESENT.judge(facts).outcome is Outcome.MET
    assert render(PRESENT.judge(facts).seen) == "2 KiB"
    assert PRESENT.about(facts) is None


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({}, Outcome.MET, "parses"),
        ({"services": ("ui",)}, Outcome.UNMET, "lacks the services api"),
        ({"unresolved": ("TAG", "PORT")}, Outcome.UNMET, "TAG and PORT"),
        ({"missing_paths": ("./html",)}, Outcome.UNMET, "./html"),
        ({"ports": ()}, Outcome.UNMET, "does not publish 443"),
        ({"ports": (443, 8000)}, Outcome.MET, "parses"),
    ],
)
def test_compose(fields, outcome, words):
    verdict = COMPOSE.judge(evidence(COMPOSE, compose(**fields)))
    assert verdict.outcome is outcome
    assert words in render(verdict.because)


@pytest.mark.parametrize(
    ("demand", "fact", "outcome", "words"),
    [
        (PLAIN, licence("2026-12-25"), Outcome.MET, "2026-12-25"),
        (PLAIN, licence("2026-12-24"), Outcome.UNMET, "in 29 d"),
        (PLAIN, licence("2026-11-24"), Outcome.UNMET, "ended on 2026-11-24"),
        (PLAIN, licence(None, given=False), Outcome.UNMET, "no day of expiry in until"),
        (PLAIN, licence(None), Outcome.UNMET, "The day of expiry in until is not in the form YYYY-MM-DD."),
        (LICENCE, licence(users=50), Outcome.MET, "2027-11-25"),
        (LICENCE, licence(users=49), Outcome.UNMET, "49 users, 50"),
        (LICENCE, licence(), Outcome.UNMET, "no number of users in seats"),
        (
            LICENCE,
            licence("2026-11-24", users=49),
            Outcome.UNMET,
            "The licence ended on 2026-11-24. The licence is for 49 users, 50 are planned.",
        ),
    ],
)
def test_licence(demand, fact, outcome, words):
    verdict = demand.judge(evidence(demand, fact))
    assert verdict.outcome is outcome
    assert words in render(verdict.because)


def test_every_mistake_of_a_compose_file_is_told_with_its_fix():
    fact = compose(services=("ui",), unresolved=("TAG",), missing_paths=("./html",), ports=())
    verdict = COMPOSE.judge(evidence(COMPOSE, fact))
    assert render(verdict.because) == (
        f"{PATH} lacks the services api. Variables without a value: TAG. "
        f"{PATH} names files that are not there: ./html. {PATH} does not publish 443."
    )
    assert render(verdict.fix) == (
        f"Ask the vendor for the complete compose file. Set TAG in {ENV}. "
        f"Put ./html beside the compose file. Publish 443 under ports in {PATH}."
    )


@pytest.mark.parametrize("demand", [COMPOSE, CLOSED], ids=lambda d: d.kind)
def test_a_fault_of_the_env_file_is_told_as_its_own(demand):
    verdict = demand.judge(evidence(demand, compose(env=Reading.BROKEN)))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == f"{ENV}, line 2: wanted a closing quote"
    assert verdict.cause == file_cause(FileFact(path=ENV, reading=Reading.BROKEN))


@pytest.mark.parametrize("env", [Reading.ABSENT, Reading.EMPTY])
@pytest.mark.parametrize(
    ("demand", "unresolved", "outcome"),
    [
        (COMPOSE, (), Outcome.MET),
        (COMPOSE, ("TAG",), Outcome.UNMET),
        (CLOSED, (), Outcome.MET),
        (CLOSED, ("TAG",), Outcome.MET),
    ],
)
def test_without_an_env_file_only_what_misses_a_variable_is_unmet(demand, unresolved, outcome, env):
    verdict = demand.judge(evidence(demand, compose(env=env, unresolved=unresolved)))
    assert verdict.outcome is outcome
    assert (verdict.cause and verdict.cause.subject) == (ENV if outcome is Outcome.UNMET else None)


@pytest.mark.parametrize(
    ("ports", "outcome", "seen", "because"),
    [
        ((), Outcome.MET, "ports -", f"{PATH} does not publish 8000 and 8001."),
        ((443,), Outcome.MET, "ports 443", f"{PATH} does not publish 8000 and 8001."),
        ((443, 8001), Outcome.UNMET, "ports 443 and 8001", f"{PATH} publishes 8001, which must stay closed."),
    ],
)
def test_closed_ports_are_judged_by_nothing_but_the_ports(ports, outcome, seen, because):
    """Variables without a value and files that are missing are told by the demand on the compose file."""
    fact = compose(ports=ports, unresolved=("TAG",), missing_paths=("./html",), services=("x",))
    verdict = CLOSED.judge(evidence(CLOSED, fact))
    assert (verdict.outcome, render(verdict.seen), render(verdict.because)) == (outcome, seen, because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize(
    ("ports", "seen"),
    [((), "services api; ports -"), ((443,), "services api; ports 443"), ((80, 443), "services api; ports 80 and 443")],
)
def test_compose_says_which_ports_it_publishes(ports, seen):
    assert render(COMPOSE.judge(evidence(COMPOSE, compose(ports=ports))).seen) == seen


@pytest.mark.parametrize(
    ("fact", "seen", "because"),
    [
        (
            licence("2026-11-25"),
            "valid until 2026-11-25",
            "The licence ends on 2026-11-25, in 0 s.",
        ),
        (licence(None), "no date in until", "The day of expiry in until is not in the form YYYY-MM-DD."),
        (
            licence("2026-11-24", users=50),
            "valid until 2026-11-24, 50 users",
            "The licence ended on 2026-11-24.",
        ),
    ],
)
def test_a_licence_ends_today_ended_yesterday_or_has_no_date(fact, seen, because):
    verdict = PLAIN.judge(evidence(PLAIN, fact))
    assert (render(verdict.seen), render(verdict.because)) == (seen, because)


@pytest.mark.parametrize(
    ("fields", "wanted", "outcome"),
    [
        ({}, "a licence valid for 30 d", Outcome.MET),
        ({"users": 50}, "a licence valid for 30 d", Outcome.MET),
        ({"users_field": "seats"}, "a licence valid for 30 d", Outcome.MET),
        ({"users_field": "seats", "users": 50}, "a licence valid for 30 d and 50 users", Outcome.UNMET),
    ],
)
def test_users_count_only_where_both_the_field_and_their_number_are_given(fields, wanted, outcome):
    demand = make(LicenceValidRequirement, path=PATH, not_after="until", at_least="30 d", **fields)
    (query,) = demand.queries(Evidence())
    assert render(demand.wanted()) == wanted
    assert demand.judge(Evidence([Observation(query, Seen(licence()))])).outcome is outcome


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [d for d, _ in QUERIES.values()], ids=list(QUERIES))
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(demand, Unseen(reason)))


@given(low=st.integers(0, 1000), more=st.integers(0, 1000), left=st.dates())
def test_raising_the_demand_never_turns_unmet_into_met(low, more, left):
    fact = Evidence([Observation(QUERIES["plain"][1], Seen(licence(left.isoformat())))])
    if (
        make(LicenceValidRequirement, path=PATH, not_after="until", at_least=f"{low} d").judge(fact).outcome
        is Outcome.UNMET
    ):
        higher = make(LicenceValidRequirement, path=PATH, not_after="until", at_least=f"{low + more} d")
        assert higher.judge(fact).outcome is Outcome.UNMET


def test_relative_paths_are_refused():
    with pytest.raises(ValidationError):
        make(FilePresentRequirement, path="compose.yaml")


def test_words():
    for demand, query in QUERIES.values():
        assert render(demand.wanted()) and demand.queries(Evidence()) == [query]
        assert render(query.asks()).endswith("?")
    assert render(CLOSED.wanted()) == f"8000 and 8001 not published by {PATH}"
    assert render(ANY.wanted()) == f"{PATH} there and readable"
    assert render(PRESENT.wanted()) == f"{PATH} there, readable and well formed (yaml)"
    assert render(QUERIES["any"][1].asks()) == f"Is the file {PATH} there and readable?"
    assert render(QUERIES["present"][1].asks()) == f"Is the file {PATH} there, readable and well formed (yaml)?"
