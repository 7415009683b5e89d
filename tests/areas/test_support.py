"""(demand, facts) -> verdict; (demand, reason) -> unknown.  The day is a fact, so judging stays pure."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.support import OsSupportRequirement
from vorflug.model.date import DateFact, DateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.os_release import OsReleaseFact, OsReleaseQuery
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

RELEASES = [
    {"id": "ubuntu", "version": "22.04", "until": "2027-06-01", "extended": {"name": "ESM", "until": "2032-04-21"}},
    {"id": "ubuntu", "version": "24.04", "until": "2029-05-31"},
    {
        "id": "debian",
        "version": "12",
        "until": "2026-07-11",
        "extended": {"name": "Debian LTS", "until": "2028-06-30", "for_all": True},
    },
    {"id": "rhel", "version": "9", "until": "2032-05-31"},
    {"id": "rhel", "version": "9.2", "until": "2025-05-31"},
    {"id": "sles", "version": "15.1", "until": "2021-01-31"},
]


def system(id_, version, like=(), name=""):
    return OsReleaseFact(id=id_, version_id=version, id_like=like, pretty_name=name, path="/etc/os-release")


def judge(found, today, at_least="180 d"):
    demand = OsSupportRequirement.model_validate(header(at_least=at_least, releases=RELEASES))
    facts = (found, today if isinstance(today, Unseen) else DateFact(now=f"{today}T23:59:59Z"))
    results = [fact if isinstance(fact, Unseen) else Seen(fact) for fact in facts]
    questions = demand.queries(Evidence())
    assert questions == [OsReleaseQuery(), DateQuery()]
    return demand.judge(Evidence(map(Observation, questions, results)))


def test_the_day_is_asked_of_the_host():
    host = fake_host(certificates=FakePort(now="2026-11-25T05:00:00Z"))
    assert DateQuery().observe(host).today.isoformat() == "2026-11-25"
    assert render(DateQuery().asks()) == "What time does this machine's clock show?"


@pytest.mark.parametrize(
    ("found", "today", "outcome", "because"),
    [
        (system("ubuntu", "24.04"), "2028-12-01", Outcome.MET, "Ubuntu 24.04 is supported until 2029-05-31."),
        # 180 days before the last day, and one day later
        (system("ubuntu", "24.04"), "2028-12-02", Outcome.MET, "Ubuntu 24.04 is supported until 2029-05-31."),
        (system("ubuntu", "24.04"), "2028-12-03", Outcome.UNMET, "Support of Ubuntu 24.04 ends on 2029-05-31."),
        (system("ubuntu", "24.04"), "2029-05-31", Outcome.UNMET, "Support of Ubuntu 24.04 ends on 2029-05-31."),
        (system("ubuntu", "24.04"), "2029-06-01", Outcome.UNMET, "Support of Ubuntu 24.04 ended on 2029-05-31."),
        # what everybody gets counts, what must be bought is not visible here
        (
            system("debian", "12"),
            "2026-11-25",
            Outcome.MET,
            "Debian 12 is supported until 2028-06-30 (Debian LTS).",
        ),
        (system("debian", "12"), "2028-01-02", Outcome.MET, "Debian 12 is supported until 2028-06-30 (Debian LTS)."),
        (system("debian", "12"), "2028-01-03", Outcome.UNMET, "Support of Debian 12 ends on 2028-06-30."),
        (system("ubuntu", "22.04"), "2026-11-25", Outcome.MET, "Ubuntu 22.04 is supported until 2027-06-01."),
        (
            system("ubuntu", "22.04"),
            "2027-01-01",
            Outcome.UNKNOWN,
            (
                "Regular support of Ubuntu 22.04 ends or ended on 2027-06-01; "
                "whether ESM was bought for this machine is not visible here."
            ),
        ),
        (system("ubuntu", "22.04"), "2032-04-22", Outcome.UNMET, "Support of Ubuntu 22.04 ended on 2032-04-21."),
    ],
)
def test_verdict(found, today, outcome, because, no_io):
    with no_io():
        verdict = judge(found, today)
    assert verdict.outcome is outcome
    assert render(verdict.because) == because
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert render(verdict.wanted) == "vendor support for at least 180 d more"


def test_versions_are_compared_as_versions():
    assert judge(system("debian", "12.11"), "2026-01-01").outcome is Outcome.MET
    # 9.10 is not 9.1, and neither 15.10 nor 15.6 is 15.1
    assert judge(system("rhel", "9.10"), "2026-01-01").outcome is Outcome.MET
    assert judge(system("sles", "15.10"), "2026-01-01").outcome is Outcome.UNKNOWN
    assert judge(system("sles", "15.1"), "2026-01-01").outcome is Outcome.UNMET


def test_the_row_of_a_release_wins_over_that_of_its_series():
    assert judge(system("rhel", "9.2"), "2026-01-01").outcome is Outcome.UNMET
    assert judge(system("rhel", "9.4"), "2026-01-01").outcome is Outcome.MET


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (system("linuxmint", "22", ("ubuntu", "debian")), "linuxmint 22"),
        (system("rocky", "9.4", ("rhel",)), "Rocky Linux 9.4"),
        (system("ubuntu", "21.10"), "Ubuntu 21.10"),
        (system("debian", "trixie/sid"), "Debian trixie/sid"),
    ],
)
def test_a_system_that_the_table_lacks_is_unknown(found, says):
    verdict = judge(found, "2026-11-25")
    assert verdict.outcome is Outcome.UNKNOWN
    assert render(verdict.because) == f"This profile does not know how long {says} is supported."
    assert verdict.fix is not None


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (system("arch", "", (), "Arch Linux"), "VERSION_ID"),
        (system("debian", ""), "VERSION_ID"),
        (system("", "24.04"), "ID"),
        (system("", ""), "ID"),
    ],
)
def test_a_file_without_a_key_names_no_system_that_could_be_looked_up(found, key):
    verdict = judge(found, "2026-11-25")
    assert verdict.outcome is Outcome.UNKNOWN
    assert render(verdict.because) == (f"/etc/os-release has no {key}, so the system and its version are not certain.")
    assert verdict.fix is not None


def test_what_is_seen_names_both_dates():
    assert render(judge(system("debian", "12"), "2026-11-25").seen) == (
        "Debian 12: supported until 2026-07-11; Debian LTS until 2028-06-30"
    )
    assert render(judge(system("ubuntu", "24.04"), "2026-11-25").seen) == "Ubuntu 24.04: supported until 2029-05-31"


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason), "2026-11-25")
    with pytest.raises(NotSeen):
        judge(system("debian", "12"), Unseen(reason))


@pytest.mark.parametrize("wrong", [{"until": "soon"}, {"version": 9}, {"id": "RHEL 9"}])
def test_a_row_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        OsSupportRequirement.model_validate(
            header(at_least="1 d", releases=[{"id": "rhel", "version": "9", "until": "2032-05-31", **wrong}])
        )
