"""(demand, fact) -> verdict: for how long a certificate may be issued, public and corporate, on both sides of each day."""

from __future__ import annotations

import datetime as dt

import pytest

from areas.certificate_facts import CERT, certificate, evidence, file
from conftest import header
from vorflug.areas.tls_validity import ValidityPeriodRequirement
from vorflug.model.certificate_files import CertificateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.certificates import Refusal

DAY = 86400
ALONE = {"root": None, "refusal": Refusal(0, 20, "unable to get local issuer certificate")}
SCHEDULE = [  # in no order: the days decide
    {"issued_from": "2027-03-15", "at_most": "100 d"},
    {"issued_from": "2020-09-01", "at_most": "398 d"},
    {"issued_from": "2029-03-15", "at_most": "47 d"},
    {"issued_from": "2026-03-15", "at_most": "200 d"},
]


def period():
    return ValidityPeriodRequirement.model_validate(header(certificate=CERT, public=SCHEDULE, private_at_most="825 d"))


def issued(since, seconds, **change):
    """A certificate that is valid for *seconds*, its first and its last one included."""
    start = dt.datetime.fromisoformat(since)
    until = start + dt.timedelta(seconds=seconds - 1)
    words = "%Y-%m-%dT%H:%M:%SZ"
    return file(certificate(not_before=start.strftime(words), not_after=until.strftime(words)), **change)


@pytest.mark.parametrize(
    ("since", "days"),
    [
        ("2020-09-01", 398),
        ("2026-03-14", 398),
        ("2026-03-15", 200),
        ("2027-03-14", 200),
        ("2027-03-15", 100),
        ("2029-03-14", 100),
        ("2029-03-15", 47),
        ("2031-01-01", 47),
    ],
)
def test_the_limit_of_public_certificates_by_the_day_of_issue(no_io, since, days):
    demand = period()
    fits, over = (evidence(issued(since, days * DAY + more, public=True)) for more in (0, 1))
    with no_io():
        assert demand.judge(fits).outcome is Outcome.MET
        verdict = demand.judge(over)
    assert verdict.outcome is Outcome.UNMET
    assert f"{days} d at most (CA/Browser Forum)" in render(verdict.because) and f"{days} d" in render(verdict.fix)
    assert (verdict.gauge.have, verdict.gauge.want) == (days * DAY + 1, days * DAY)


def test_before_the_first_limit_there_is_none_here():
    verdict = period().judge(evidence(issued("2020-08-31", 825 * DAY, public=True)))
    assert verdict.outcome is Outcome.NOT_APPLICABLE and "2020-09-01" in render(verdict.because)


@pytest.mark.parametrize(
    ("since", "now", "coming"),
    [
        ("2026-01-01", "2026-02-01T00:00:00Z", "2026-03-15"),
        ("2026-01-01", "2026-03-14T23:59:59Z", "2026-03-15"),
        ("2026-01-01", "2026-03-15T00:00:00Z", "2027-03-15"),
        ("2027-03-20", "2026-01-01T00:00:00Z", "2029-03-15"),
        ("2029-03-15", "2029-04-01T00:00:00Z", None),
    ],
)
def test_the_next_limit_is_announced(since, now, coming):
    said = render(period().judge(evidence(issued(since, 40 * DAY, public=True, now=now))).because)
    assert ("ACME" in said) is (coming is not None)
    assert coming is None or f"issued from {coming} on may last only" in said


@pytest.mark.parametrize(
    ("seconds", "change", "outcome", "says"),
    [
        (825 * DAY, {}, Outcome.MET, "corporate authority and was issued for 825 d"),
        (825 * DAY + 1, {}, Outcome.UNMET, "Apple's devices take 825 d at most"),
        (825 * DAY, ALONE, Outcome.UNKNOWN, "neither in the file nor a root"),
        (825 * DAY + 1, ALONE, Outcome.UNMET, "Apple's devices"),
    ],
)
def test_corporate_certificates(seconds, change, outcome, says):
    verdict = period().judge(evidence(issued("2026-01-01", seconds, **change)))
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)
    assert (verdict.cause is not None) == (outcome is Outcome.UNKNOWN)
    if outcome is not Outcome.UNKNOWN:
        assert (verdict.gauge.have, verdict.gauge.want) == (seconds, 825 * DAY)


def test_what_is_seen_and_wanted():
    seen = render(period().judge(evidence(issued("2026-01-01", 10 * DAY))).seen)
    assert seen == "2026-01-01 to 2026-01-10 (10 d), issued by CN=Corp CA"
    assert "not issued for longer" in render(period().wanted())


def test_what_is_no_certificate_file():
    assert period().judge(evidence(None)).outcome is Outcome.UNMET
    for reason in Reason:
        with pytest.raises(NotSeen):
            period().judge(Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))]))
