"""demand -> verdict: the values stand in the site file, nothing is asked."""

from __future__ import annotations

import pytest

from conftest import header
from vorflug.areas.app_registration import AppRegistrationRequirement
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.requirement import Outcome

TENANT, CLIENT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "6B29FC40-CA47-1067-B31D-00DD010662DA"


def make(**fields):
    good = {
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "redirect_uri": "https://audit.corp.example/auth/callback",
        "fqdn": "audit.corp.example",
    }
    return AppRegistrationRequirement.model_validate(header(**{**good, **fields}))


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({}, Outcome.MET, "complete"),
        ({"redirect_uri": "https://AUDIT.corp.example:443/x", "fqdn": "Audit.corp.example."}, Outcome.MET, "complete"),
        ({"tenant_id": "corp.onmicrosoft.com"}, Outcome.UNMET, "tenant id corp.onmicrosoft.com"),
        ({"tenant_id": f"{{{TENANT}}}"}, Outcome.UNMET, "tenant id"),
        ({"client_id": ""}, Outcome.UNMET, "client id"),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, Outcome.UNMET, "client id"),
        ({"client_id": TENANT.upper()}, Outcome.UNMET, "the same"),
        ({"redirect_uri": "http://audit.corp.example/"}, Outcome.UNMET, "no https"),
        ({"redirect_uri": "https:///x"}, Outcome.UNMET, "no https"),
        ({"redirect_uri": "https://[broken/x"}, Outcome.UNMET, "no https"),
        ({"redirect_uri": "https://audit.corp.example/#x"}, Outcome.UNMET, "fragment"),
        ({"redirect_uri": "https://audit.corp.example.evil.test/"}, Outcome.UNMET, "audit.corp.example.evil.test"),
        ({"redirect_uri": "https://audit.corp.example@evil.test/"}, Outcome.UNMET, "evil.test"),
    ],
)
def test_verdict(fields, outcome, words, no_io):
    demand = make(**fields)
    with no_io():
        verdict = demand.judge(Evidence())
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_nothing_is_asked():
    assert make().queries(Evidence()) == []
    assert "audit.corp.example" in render(make().wanted())
