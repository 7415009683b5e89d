"""recorded host -> fact; (demand, trace) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from areas.traces import BY_PROXY, http, known, tls, trace
from conftest import FakePort, fake_host, header
from vorflug.areas.egress import EgressEndpoint
from vorflug.model import netcause
from vorflug.model.cause import Team
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Stage

URL = "https://service.lab.test/v2/"
HEADER = {"name": "www-authenticate", "contains": "Bearer realm"}
ACL = {
    "status": 403,
    "body": "Virtual Network",
    "says": {
        "en": "The service's own rules shut this host out.",
        "de": "Die Regeln des Dienstes sperren diesen Host aus.",
    },
    "fix": {"en": "Add this host's egress address.", "de": "Die Ausgangsadresse dieses Hosts aufnehmen."},
    "team": "iam",
}


def requirement(**fields):
    return EgressEndpoint.model_validate(header(**{"url": URL, "status": [401], **fields}))


def judge(demand, *traces):
    queries = demand.queries(Evidence())
    assert len(queries) == len(traces)
    facts = [t if isinstance(t, Unseen) else TraceFact(trace=t) for t in traces]
    return demand.judge(known(zip(queries, facts, strict=True)))


def test_the_question_carries_what_the_answer_is_held_against():
    asked = []
    host = fake_host(net=FakePort(probe=lambda ask: asked.append(ask) or trace(http=http(401))))
    demand = requirement(
        headers=[HEADER], body=["mark"], variants=[ACL], proxy="http://p:1", ca_file="/ca", public_ca=True
    )
    (query,) = demand.queries(Evidence())
    assert query.observe(host).trace.http.status == 401
    (ask,) = asked
    assert ask.look_for == ("mark", "Virtual Network") and ask.keep_headers == ("www-authenticate",)
    assert (ask.proxy, ask.ca_file, ask.public_ca, ask.method) == ("http://p:1", "/ca", True, "GET")


def test_the_healthy_answer():
    verdict = judge(requirement(headers=[HEADER]), trace(http=http(401, www_authenticate="Bearer realm=x"), tls=tls()))
    assert verdict.outcome is Outcome.MET
    assert "401" in render(verdict.seen)


@pytest.mark.parametrize(
    ("code", "at", "team"),
    [
        (Code.DNS_TIMEOUT, Stage.RESOLVE, Team.DNS),
        (Code.TCP_TIMEOUT, Stage.CONNECT, Team.NETWORK),
        (Code.TCP_REFUSED, Stage.CONNECT, None),
        (Code.PROXY_AUTH_UNSUPPORTED, Stage.PROXY, Team.PROXY),
        (Code.TLS_UNKNOWN_CA, Stage.TLS, Team.PKI),
        (Code.HTTP_NO_RESPONSE, Stage.HTTP, None),
    ],
)
@pytest.mark.parametrize("confidence", ["cited", "unverified"])
def test_the_first_failing_layer_is_named_whatever_the_fingerprint_rests_on(code, at, team, confidence):
    verdict = judge(requirement(confidence=confidence), trace(code, at, route=BY_PROXY, tls=tls(issuer="CN=X")))
    assert verdict.outcome is Outcome.UNMET
    assert verdict.cause.kind == code.value and verdict.cause.team is team
    assert render(verdict.seen) == render(verdict.because) and code.value not in render(verdict.seen)
    assert verdict.fix is not None


@pytest.mark.parametrize(("external", "named"), [(True, True), (False, False)])
def test_a_proxy_that_nobody_named_may_be_the_way_outside(external, named):
    fix = render(judge(requirement(external=external), trace(Code.DNS_NXDOMAIN, Stage.RESOLVE)).fix)
    assert ("if a proxy is used here, name it in the site file" in fix) is named
    by_proxy = judge(requirement(), trace(Code.PROXY_DNS, Stage.RESOLVE, route=BY_PROXY))
    assert "if a proxy is used here" not in render(by_proxy.fix)


@pytest.mark.parametrize(("confidence", "outcome"), [("cited", Outcome.UNMET), ("unverified", Outcome.MET)])
def test_an_unverified_fingerprint_decides_nothing_alone(confidence, outcome):
    verdict = judge(requirement(confidence=confidence), trace(http=http(200, body_kind="html")))
    assert verdict.outcome is outcome
    assert "200" in render(verdict.because) and "401" in render(verdict.because)


def test_a_wrong_answer_names_what_differs_and_is_about_itself():
    demand = requirement(headers=[HEADER])
    wrong = trace(http=http(200))
    verdict = judge(demand, wrong)
    assert "no header www-authenticate" in render(verdict.because)
    facts = known([(demand.queries(Evidence())[0], TraceFact(trace=wrong))])
    assert demand.about(facts) == verdict.cause
    assert verdict.cause.kind == "http.wrong_target"


def test_a_known_variant_says_what_it_means():
    verdict = judge(requirement(variants=[ACL]), trace(http=http(403, found=("Virtual Network",))))
    assert verdict.outcome is Outcome.UNMET and verdict.cause.team is Team.IAM
    assert "shut this host out" in render(verdict.because)
    assert "sperren" in render(verdict.because, language="de")
    assert judge(requirement(variants=[ACL]), trace(http=http(403))).cause.team is None


def test_every_status_will_do_where_none_is_named():
    assert judge(requirement(status=[]), trace(http=http(500))).outcome is Outcome.MET


def test_several_addresses_of_one_service():
    demand = requirement(also=[{"url": "https://auth.lab.test/", "status": [200]}])
    good, bad = trace(http=http(401)), trace(Code.TCP_TIMEOUT, Stage.CONNECT, host="auth.lab.test")
    assert judge(demand, good, trace(http=http(200))).outcome is Outcome.MET
    verdict = judge(demand, good, bad)
    assert verdict.outcome is Outcome.UNMET and verdict.cause.subject == "auth.lab.test:443"
    assert "service.lab.test" not in render(verdict.because)
    assert judge(demand, Unseen(Reason.TIMEOUT), bad).outcome is Outcome.UNMET
    with pytest.raises(NotSeen):
        judge(demand, good, Unseen(Reason.TIMEOUT))
    both = judge(demand, trace(Code.TLS_EXPIRED, Stage.TLS, tls=tls()), bad)
    assert "expired" in render(both.because) and "auth.lab.test" in render(both.because)


def test_re_signing_that_this_host_trusts_is_said():
    seen = trace(http=http(401), tls=tls(public=False, issuer="CN=Corp Inspection"), warnings=[Code.TLS_INTERCEPTED])
    assert "Corp Inspection" in render(judge(requirement(public_ca=True), seen).because)
    assert judge(requirement(public_ca=True), seen).outcome is Outcome.MET
    assert "Corp Inspection" not in render(judge(requirement(), seen).because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(requirement(), Unseen(reason))


def test_judging_is_pure(no_io):
    demand, seen = requirement(), trace(Code.TLS_EXPIRED, Stage.TLS, tls=tls())
    with no_io():
        judge(demand, seen)


@pytest.mark.parametrize(
    "fields",
    [{"url": "https://u:p@a/"}, {"method": "DELETE"}, {"status": [42]}, {"proxy": "http://u:p@p:1"}, {"stauts": [1]}],
)
def test_what_a_profile_may_not_say(fields):
    with pytest.raises(ValidationError):
        requirement(**fields)


def test_wanted():
    assert render(requirement().wanted()) == f"{URL} answers with 401"
    assert "auth" in render(requirement(also=[{"url": "https://auth.lab.test/"}]).wanted())


def test_a_page_of_the_network_in_place_of_the_service():
    portal = replace(http(200), looks_like=Code.HTTP_CAPTIVE_PORTAL)
    verdict = judge(requirement(headers=[HEADER]), trace(http=portal))
    assert verdict.cause.kind == "http.captive_portal" and verdict.cause.team is Team.NETWORK
    healthy = replace(http(401, www_authenticate="Bearer realm=x"), looks_like=Code.HTTP_CAPTIVE_PORTAL)
    assert judge(requirement(headers=[HEADER]), trace(http=healthy, tls=tls())).outcome is Outcome.MET


def test_an_endpoint_may_have_a_deadline_of_its_own():
    (asked,) = requirement(timeout=2.0).queries(Evidence())
    assert asked.timeout_s == 2.0
    assert requirement().queries(Evidence())[0].timeout_s is None


@pytest.mark.parametrize(
    ("fields", "exempt"), [({"public_ca": True}, [True]), ({"public_ca": False}, [False]), ({"external": False}, [])]
)
def test_what_the_firewall_must_let_through(fields, exempt):
    flows = requirement(**fields).flows()
    assert [flow.exempt is not None for flow in flows] == exempt


def about(demand, seen):
    (query,) = demand.queries(Evidence())
    return demand.about(known([(query, TraceFact(trace=seen))]))


def test_it_is_about_the_service_and_not_about_the_way_there():
    assert about(requirement(), trace(http=http(401))) is None
    assert about(requirement(), trace(Code.TCP_TIMEOUT, Stage.CONNECT)) is None
    assert about(requirement(), trace(http=http(500))).kind == "http.wrong_target"


def test_a_trace_without_a_code_and_an_answer_is_a_defect_and_no_pass():
    with pytest.raises(ValueError, match="without an answer"):
        judge(requirement(), trace())


def test_who_answered_is_seen_and_by_which_proxy():
    assert render(judge(requirement(), trace(http=http(401))).seen) == f"status 401 from {URL}"
    by = judge(requirement(), trace(http=http(401), route=BY_PROXY, tls=tls()))
    assert render(by.seen) == f"status 401 from {URL}, by the proxy proxy.corp:3128"


def test_wanted_without_a_status():
    assert render(requirement(status=[]).wanted()) == f"{URL} answers"


@pytest.mark.parametrize("looks_like", [None, Code.HTTP_BLOCK_PAGE])
def test_the_page_is_told_where_there_is_one(looks_like):
    seen = trace(http=replace(http(500), looks_like=looks_like))
    page = netcause.explain(seen, URL, looks_like or Code.HTTP_WRONG_TARGET, None)
    said = render(judge(requirement(), seen).because)
    assert "the answer is not the service's" in said and (render(page.says) in said) is (looks_like is not None)


def test_only_a_connection_that_was_re_signed_is_said_to_be():
    verdict = judge(requirement(public_ca=True), trace(http=http(401), tls=tls()))
    assert render(verdict.because) == f"{URL} answers as it should."


@pytest.mark.parametrize(
    ("body", "status", "found", "fits"),
    [
        (None, 403, (), True),
        (None, 404, (), False),
        ("Virtual Network", 403, ("Virtual Network",), True),
        ("Virtual Network", 403, (), False),
        ("Virtual Network", 404, ("Virtual Network",), False),
    ],
)
def test_a_variant_is_its_status_with_its_words(body, status, found, fits):
    demand = requirement(variants=[ACL | {"body": body}])
    assert demand.queries(Evidence())[0].look_for == (() if body is None else (body,))
    verdict = judge(demand, trace(http=http(status, found=found)))
    assert ("shut this host out" in render(verdict.because)) is fits


def test_inspection_of_the_products_own_address_is_nobodys_business():
    assert requirement(external=False, public_ca=True).tls_exempt() is None


def test_the_first_gap_is_the_reason():
    demand = requirement(also=[{"url": "https://auth.lab.test/"}])
    with pytest.raises(NotSeen) as gap:
        judge(demand, Unseen(Reason.TIMEOUT), Unseen(Reason.DENIED))
    assert gap.value.unseen.reason is Reason.TIMEOUT
