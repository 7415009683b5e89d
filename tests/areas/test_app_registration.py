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


def test_every_mistake_is_told_with_its_fix():
    verdict = make(tenant_id="x", client_id="x", redirect_uri="http://y/").judge(Evidence())
    assert render(verdict.because) == (
        "The tenant id x is no GUID. The client id x is no GUID. The redirect URI is no https address."
    )
    assert render(verdict.fix) == (
        "Copy tenant id, client id and redirect URI from the app registration into the site file. "
        "Register a redirect URI that begins with https://audit.corp.example/ and record it."
    )


@pytest.mark.parametrize(
    ("fields", "copies", "registers"),
    [({"tenant_id": "x"}, True, False), ({"redirect_uri": "http://y/"}, False, True)],
)
def test_only_what_is_wrong_is_mended(fields, copies, registers):
    verdict = make(**fields).judge(Evidence())
    fix = render(verdict.fix)
    assert render(verdict.because) in ("The tenant id x is no GUID.", "The redirect URI is no https address.")
    assert ("Copy tenant id" in fix, "Register a redirect URI" in fix) == (copies, registers)


def test_nothing_is_asked():
    assert make().queries(Evidence()) == []
    assert "audit.corp.example" in render(make().wanted())
