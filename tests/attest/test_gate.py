from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attest.samples import IDENTITY, ended, finding, predicate_of, report, verdict
from vorflug.attest.gate import BadPolicy, Policy, decide, parse_age, parse_profile
from vorflug.attest.verify import Refused, Step

NOW = datetime(2026, 11, 24, 12, 12, 0, tzinfo=UTC)  # two hours after the run began


def times(**changes):
    return {**report()["times"], **changes}


def refused(predicate=None, now=NOW, **policy):
    with pytest.raises(Refused) as caught:
        decide(predicate or predicate_of(report()), Policy(**policy), now)
    return caught.value


@pytest.mark.parametrize(
    ("outcome", "code", "people", "ends", "ends_with_people"),
    [
        ("ready", 0, 0, 0, 0),
        ("ready", 0, 5, 0, 5),
        ("ready", 0, 3, 0, 3),
        ("ready", 4, 4, 4, 4),
        ("ready", 5, 5, 5, 5),  # the run itself counted confirmations
        ("not_ready", 3, 3, 3, 3),
        ("undetermined", 5, 5, 5, 5),
        ("undetermined", 5, 3, 5, 3),
    ],
)
def test_a_genuine_report_ends_with_its_own_code(outcome, code, people, ends, ends_with_people):
    predicate = predicate_of(report(**ended(outcome, code, people)))
    assert decide(predicate, Policy(), NOW) == ends
    assert decide(predicate, Policy(with_confirmations=True), NOW) == ends_with_people


@pytest.mark.parametrize(
    ("text", "age"),
    [("90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)), ("7d", timedelta(days=7))],
)
def test_ages(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "0h", "7", "h", "-7d", "7 d", "1.5h", "7D", "٧d", "999999d", "7d "])
def test_other_ages_are_wrong_usage(text):
    with pytest.raises(BadPolicy, match="36h or 7d"):
        parse_age(text)


def test_the_age_counts_from_the_start_of_the_run_to_the_second():
    predicate = predicate_of(report())
    assert decide(predicate, Policy(max_age=timedelta(hours=2)), NOW) == 0
    late = refused(now=NOW + timedelta(seconds=1), max_age=timedelta(hours=2))
    assert late.step is Step.AGE and "at most 2 h" in str(late)


@pytest.mark.parametrize("name", ["started", "finished", "evaluated"])
def test_a_report_from_the_future_is_refused_whatever_the_policy(name):
    predicate = {**predicate_of(report()), "times": times(**{name: "2026-11-24T12:17:01Z"})}
    assert refused(predicate).step is Step.AGE
    assert decide(predicate, Policy(), NOW + timedelta(seconds=1)) == 0  # five minutes are two clocks


@pytest.mark.parametrize("value", ["yesterday", "2026-11-24T10:12:00", "9999-99-99T00:00:00Z", "\x1b[2J"])
def test_a_time_that_is_none_or_lacks_its_zone_is_refused(value):
    found = refused({**predicate_of(report()), "times": times(started=value)})
    assert found.step is Step.AGE and "\x1b" not in str(found)


def test_a_time_in_another_zone_is_the_same_time():
    predicate = predicate_of(report(times=times(started="2026-11-24T11:12:00+01:00")))
    assert decide(predicate, Policy(max_age=timedelta(hours=2)), NOW) == 0


@pytest.mark.parametrize("host", ["audit-vm-01", "AUDIT-VM-01", IDENTITY])
def test_the_right_host(host):
    assert decide(predicate_of(report()), Policy(host=host), NOW) == 0


@pytest.mark.parametrize(("name", "other"), [("straße-01", "strasse-01"), ("kube-01", "\u212aube-01")])
def test_only_ascii_letters_have_another_case_in_a_host_name(name, other):
    predicate = predicate_of(report(host={"name": name, "identity": IDENTITY}))
    assert decide(predicate, Policy(host=name), NOW) == 0
    assert refused(predicate, host=other).step is Step.HOST


@pytest.mark.parametrize("host", ["audit-vm-02", "audit-vm", "", "sha256:", IDENTITY[:-1], IDENTITY.upper(), "unknown"])
def test_the_wrong_host(host):
    found = refused(predicate_of(report(host={"name": "audit-vm-01", "identity": IDENTITY})), host=host)
    assert found.step is Step.HOST and "audit-vm-01" in str(found)


def test_an_unknown_identity_is_no_name():
    predicate = predicate_of(report(host={"name": "audit-vm-01", "identity": "unknown"}))
    assert refused(predicate, host="unknown").step is Step.HOST


@pytest.mark.parametrize("text", ["ai-audit-assist@>=1.0,<2", "ai-audit-assist@==1.0.0", "ai-audit-assist@~=1.0"])
def test_the_right_profile(text):
    assert decide(predicate_of(report()), Policy(profile=parse_profile(text)), NOW) == 0


@pytest.mark.parametrize("text", ["ai-audit-assist@>=1.1", "ai-audit-assist@<1", "other@>=1", "AI-audit-assist@>=1"])
def test_the_wrong_profile(text):
    assert refused(profile=parse_profile(text)).step is Step.PROFILE


def test_a_prerelease_is_not_meant_unless_it_is_named():
    predicate = predicate_of(report(profile={**report()["profile"], "version": "1.1.0rc1"}))
    assert refused(predicate, profile=parse_profile("ai-audit-assist@>=1.0")).step is Step.PROFILE
    assert decide(predicate, Policy(profile=parse_profile("ai-audit-assist@>=1.1rc1")), NOW) == 0


def test_a_profile_version_that_is_none_is_refused():
    predicate = predicate_of(report(profile={**report()["profile"], "version": "newest"}))
    assert refused(predicate, profile=parse_profile("ai-audit-assist@>=0")).step is Step.PROFILE


@pytest.mark.parametrize("text", ["", "ai-audit-assist", "ai-audit-assist@", "@>=1", "a@1.0", "a@>=x", "a@latest"])
def test_other_ranges_are_wrong_usage(text):
    with pytest.raises(BadPolicy, match="PEP 440"):
        parse_profile(text)


@pytest.mark.parametrize(
    "changes",
    [{"times": times(interrupted="SIGINT")}, {"verdict": verdict("ready", 130)}],
)
def test_an_interrupted_run_is_no_evidence(changes):
    predicate = predicate_of(report(**changes))
    found = refused(predicate)
    assert found.step is Step.COMPLETE and "Run it again" in str(found)


def test_a_run_that_reached_its_deadline_ends_by_its_findings():
    predicate = predicate_of(
        report(
            times=times(interrupted="deadline"),
            verdict=verdict("undetermined", 5),
            findings=[finding("A", "unknown")],
        )
    )
    assert decide(predicate, Policy(), NOW) == 5
