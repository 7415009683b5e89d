"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from areas.traces import BY_PROXY, DIRECT, http, known, tls, trace
from conftest import FakePort, fake_host, header
from vorflug.areas.proxy import (
    ProxyConnect,
    ProxySet,
    ProxySettings,
    ProxyVariablesFact,
    ProxyVariablesQuery,
    TlsInterception,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, ProxySeen, ProxyVariable, Route, Stage

URL, OTHER = "https://service.lab.test/", "https://other.lab.test/"
PROXY = "http://proxy.corp:3128"
NO = ("no_proxy", "localhost,.corp")


def variables(*pairs, credentials=False):
    return ProxyVariablesFact(
        variables=tuple(ProxyVariable(n, v, credentials and n.lower() != "no_proxy", bool(v)) for n, v in pairs)
    )


def settings(**fields):
    return ProxySettings.model_validate(header(**fields))


def judged(demand, fact):
    return demand.judge(known([(ProxyVariablesQuery(), fact)]))


def test_what_is_asked():
    given = (ProxyVariable("https_proxy", PROXY, True, True),)
    assert ProxyVariablesQuery().observe(fake_host(net=FakePort(proxy_variables=given))).variables == given
    assert settings(direct=["db"]).queries(Evidence()) == [ProxyVariablesQuery()]


@pytest.mark.parametrize(
    ("pairs", "expected", "word"),
    [
        ((), None, None),
        ((("http_proxy", PROXY), ("https_proxy", PROXY), NO), None, None),
        ((("http_proxy", PROXY), ("https_proxy", PROXY), NO), PROXY, None),
        ((("http_proxy", PROXY), ("https_proxy", f"{PROXY}/"), NO), f"{PROXY}/", None),
        ((("HTTPS_PROXY", PROXY), ("HTTP_PROXY", PROXY), NO), PROXY, None),
        ((("all_proxy", PROXY), NO), PROXY, None),
        ((("https_proxy", PROXY), ("HTTPS_PROXY", "http://other:1"), NO), None, "differ"),
        ((("https_proxy", PROXY), ("no_proxy", "a,b"), ("NO_PROXY", "a")), None, "differ"),
        ((("https_proxy", PROXY), ("no_proxy", "a,b"), ("NO_PROXY", "B a")), None, None),
        ((("https_proxy", PROXY),), None, "NO_PROXY is not set"),
        ((("http_proxy", PROXY), NO), None, "https_proxy is not set"),
        ((("https_proxy", ""), NO), None, "no usable proxy"),
        ((), PROXY, "wanted"),
        ((("http_proxy", PROXY), ("https_proxy", "http://old:8080"), NO), PROXY, "names http://old:8080"),
    ],
)
def test_settings(pairs, expected, word):
    verdict = judged(settings(expected=expected), variables(*pairs))
    assert verdict.outcome is (Outcome.MET if word is None else Outcome.UNMET)
    if word is not None:
        assert word in render(verdict.because)


def test_both_spellings_where_they_are_wanted():
    pairs = (("https_proxy", PROXY), NO)
    assert judged(settings(), variables(*pairs)).outcome is Outcome.MET
    verdict = judged(settings(both_spellings=True), variables(*pairs))
    assert "one spelling only" in render(verdict.because)


def test_what_must_go_direct():
    demand = settings(direct=["localhost", "db.corp"])
    fact = variables(("https_proxy", PROXY), NO)
    assert judged(demand, fact).outcome is Outcome.MET
    assert "llm" in render(judged(settings(direct=["llm"]), fact).because)
    assert judged(demand, variables()).outcome is Outcome.MET, "without a proxy everything goes direct"


def test_the_spelling_that_lacks_an_exemption_is_named():
    demand = settings(direct=["localhost", "127.0.0.1"], expected=PROXY)
    both = (("no_proxy", "localhost"), ("NO_PROXY", "localhost,127.0.0.1"))
    verdict = judged(demand, variables(("http_proxy", PROXY), ("https_proxy", PROXY), *both))
    assert "no_proxy does not exempt 127.0.0.1." in render(verdict.because)
    assert "NO_PROXY does not exempt" not in render(verdict.because)
    assert render(verdict.fix) == "Add 127.0.0.1 to no_proxy and NO_PROXY."
    other = judged(demand, variables(("http_proxy", PROXY), *both))
    assert render(other.fix) == (
        f"Add 127.0.0.1 to no_proxy and NO_PROXY. Set http_proxy and https_proxy (both spellings) to {PROXY}."
    )


def test_the_team_of_the_row_mends_the_variables():
    assert judged(settings(), variables(("https_proxy", ""), NO)).cause.team is None


def needed(**fields):
    return ProxySet.model_validate(header(**fields))


@pytest.mark.parametrize(
    ("pairs", "fields", "outcome"),
    [
        ((), {}, Outcome.UNMET),
        ((NO,), {}, Outcome.UNMET),
        ((), {"proxy": PROXY}, Outcome.MET),
        ((("HTTPS_PROXY", PROXY),), {}, Outcome.MET),
    ],
)
def test_a_proxy_that_is_needed(pairs, fields, outcome):
    evidence = known([(ProxyVariablesQuery(), variables(*pairs))])
    verdict = needed(**fields).judge(evidence)
    assert verdict.outcome is outcome and needed(**fields).about(evidence) == verdict.cause
    assert (verdict.cause is None) == (outcome is Outcome.MET)


def test_credentials_are_said_to_be_there_and_no_more():
    verdict = judged(settings(), variables(("https_proxy", PROXY), NO, credentials=True))
    assert "with credentials" in render(verdict.seen)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    for demand in (settings(), needed()):
        with pytest.raises(NotSeen):
            judged(demand, Unseen(reason))
    for kind in (ProxyConnect, TlsInterception):
        with pytest.raises(NotSeen):
            ask(kind, Unseen(reason))


def ask(kind, *traces, **fields):
    demand = kind.model_validate(header(urls=[URL, OTHER][: len(traces)], **fields))
    facts = [t if isinstance(t, Unseen) else TraceFact(trace=t) for t in traces]
    evidence = known(zip(demand.queries(Evidence()), facts, strict=True))
    verdict = demand.judge(evidence)
    ask.about = demand.about(evidence)
    return verdict


# ---- CONNECT ---------------------------------------------------------------------------------------------------------


def test_a_proxy_that_lets_through():
    assert ask(ProxyConnect, trace(route=BY_PROXY, http=http())).outcome is Outcome.MET
    behind = trace(Code.TLS_EXPIRED, Stage.TLS, route=BY_PROXY, tls=tls())
    assert ask(ProxyConnect, behind).outcome is Outcome.MET, "what fails behind the proxy is not the proxy's"


@pytest.mark.parametrize(
    ("code", "at"),
    [
        (Code.PROXY_DNS, Stage.RESOLVE),
        (Code.PROXY_REFUSED, Stage.CONNECT),
        (Code.TCP_NO_ROUTE, Stage.CONNECT),
        (Code.PROXY_DENIED, Stage.PROXY),
        (Code.PROXY_AUTH_UNSUPPORTED, Stage.PROXY),
    ],
)
def test_a_proxy_that_does_not(code, at):
    failing = trace(code, at, route=BY_PROXY, proxy=ProxySeen(407, ("ntlm",)))
    verdict = ask(ProxyConnect, trace(route=BY_PROXY, http=http()), failing)
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == code.value
    assert render(verdict.seen) == f"no way to {OTHER}"
    assert ask.about == verdict.cause, "the finding about the proxy is the root of the others"


def test_a_setting_that_cannot_be_used():
    bad = trace(Code.PROXY_CONFIG, Stage.PROXY, route=Route(None, "https_proxy"), detail="the scheme is neither")
    assert ask(ProxyConnect, bad).outcome is Outcome.UNMET


def test_without_a_proxy_it_does_not_apply():
    assert ask(ProxyConnect, trace(route=DIRECT, http=http())).outcome is Outcome.NOT_APPLICABLE
    assert ask(ProxyConnect, trace(Code.TCP_TIMEOUT, Stage.CONNECT)).outcome is Outcome.NOT_APPLICABLE


def test_a_proxy_that_is_needed_and_not_set_is_the_cause():
    verdict = ask(ProxyConnect, trace(Code.DNS_NXDOMAIN, Stage.RESOLVE), needed=True)
    assert verdict.outcome is Outcome.UNKNOWN and ask.about is None
    assert verdict.cause == judged(needed(), variables()).cause and verdict.cause.kind == "proxy.not_set"
    exempt = trace(route=Route(None, "NO_PROXY"), http=http())
    assert ask(ProxyConnect, exempt, needed=True).outcome is Outcome.NOT_APPLICABLE


def test_what_goes_direct_is_not_demanded_of_the_proxy():
    verdict = ask(ProxyConnect, trace(route=BY_PROXY, http=http()), trace(route=Route(None, "loopback"), http=http()))
    assert verdict.outcome is Outcome.MET and OTHER not in render(verdict.wanted)
    assert f"{OTHER} go direct" in render(verdict.because)


def test_a_gap_is_not_a_pass_but_a_refusal_beside_it_counts():
    with pytest.raises(NotSeen):
        ask(ProxyConnect, trace(route=BY_PROXY, http=http()), Unseen(Reason.TIMEOUT))
    failing = trace(Code.PROXY_DENIED, Stage.PROXY, route=BY_PROXY)
    assert ask(ProxyConnect, failing, Unseen(Reason.TIMEOUT)).outcome is Outcome.UNMET


# ---- interception ----------------------------------------------------------------------------------------------------


def test_public_chains():
    assert ask(TlsInterception, trace(http=http(), tls=tls())).outcome is Outcome.MET
    expired = trace(Code.TLS_EXPIRED, Stage.TLS, tls=tls(faults=[Code.TLS_EXPIRED]))
    assert ask(TlsInterception, expired).outcome is Outcome.MET, "expired is another requirement's business"


def test_re_signed_and_trusted_here():
    seen = trace(http=http(), tls=tls(public=False, issuer="CN=Corp Inspection"), warnings=[Code.TLS_INTERCEPTED])
    verdict = ask(TlsInterception, seen)
    assert verdict.outcome is Outcome.MET and "Corp Inspection" in render(verdict.because)
    strict = ask(TlsInterception, seen, tolerate_trusted=False)
    assert strict.outcome is Outcome.UNMET and strict.cause.subject == "CN=Corp Inspection"
    assert ask.about == strict.cause


def test_re_signed_and_not_trusted():
    seen = trace(Code.TLS_INTERCEPTED, Stage.TLS, tls=tls(public=False, trusted=False, issuer="CN=Corp Inspection"))
    verdict = ask(TlsInterception, trace(http=http(), tls=tls()), seen)
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == "tls.intercepted"


def test_without_a_certificate_nothing_is_decided():
    verdict = ask(TlsInterception, trace(Code.TCP_TIMEOUT, Stage.CONNECT))
    assert verdict.outcome is Outcome.UNKNOWN and verdict.cause.kind == "tcp.timeout"
    assert ask.about is None and "No certificate was seen. service.lab.test:443 did" in render(verdict.because)
    assert ask(TlsInterception, trace(http=http())).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("pairs", "seen", "because"),
    [
        ((), "none set", "No proxy variable is set."),
        (
            (("https_proxy", PROXY), NO),
            "https_proxy=http://proxy.corp:3128 and no_proxy=localhost,.corp",
            "The proxy variables agree with one another.",
        ),
    ],
)
def test_what_is_set_is_seen(pairs, seen, because):
    verdict = judged(settings(), variables(*pairs))
    assert (render(verdict.seen), render(verdict.because)) == (seen, because)


def test_what_names_no_proxy_is_not_repeated():
    seen = render(judged(settings(), variables(("https_proxy", ""), NO)).seen)
    assert "https_proxy (not readable as a proxy)" in seen


@pytest.mark.parametrize(("expected", "words"), [(None, "to the same proxy"), (PROXY, f"(both spellings) to {PROXY}")])
def test_the_fix_and_what_is_wanted_name_the_proxy_where_one_is_known(expected, words):
    demand = settings(expected=expected)
    verdict = judged(demand, variables(("http_proxy", PROXY), NO))
    assert words in render(verdict.fix) and "no_proxy" not in render(verdict.fix)
    assert (PROXY in render(demand.wanted())) is (expected is not None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://p.corp:80", "http://p.corp", True),
        ("https://p.corp:443", "https://p.corp", True),
        ("http://p.corp:443", "http://p.corp", False),
        ("https://p.corp:80", "https://p.corp", False),
    ],
)
def test_the_usual_port_of_the_scheme_may_be_left_out(one, other, same):
    verdict = judged(settings(), variables(("https_proxy", one), ("HTTPS_PROXY", other), NO))
    assert (verdict.outcome is Outcome.MET) is same


def test_a_blank_more_makes_no_other_list():
    lists = (("no_proxy", "a,,b, "), ("NO_PROXY", "a b"))
    assert judged(settings(), variables(("https_proxy", PROXY), *lists)).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("names", "met"), [(("https_proxy",), False), (("HTTPS_PROXY",), False), (("https_proxy", "HTTPS_PROXY"), True)]
)
def test_one_spelling_is_too_few_whichever_it_is(names, met):
    lists = (NO, ("NO_PROXY", NO[1]))
    verdict = judged(settings(both_spellings=True), variables(*((n, PROXY) for n in names), *lists))
    assert (verdict.outcome is Outcome.MET) is met
    assert met or f"{names[0]} is set in one spelling only" in render(verdict.because)


def test_where_a_proxy_is_the_way_to_one_address_it_is_set():
    verdict = ask(ProxyConnect, trace(route=BY_PROXY, http=http()), trace(http=http()), needed=True)
    assert verdict.outcome is Outcome.MET


def test_nothing_is_said_of_direct_ways_where_there_is_none():
    verdict = ask(ProxyConnect, trace(route=BY_PROXY, http=http()))
    assert render(verdict.because) == f"The proxy proxy.corp:3128 opens the way to {URL}."


def test_the_first_gap_is_the_reason():
    with pytest.raises(NotSeen) as gap:
        ask(ProxyConnect, Unseen(Reason.TIMEOUT), Unseen(Reason.DENIED))
    assert gap.value.unseen.reason is Reason.TIMEOUT


def test_what_stopped_the_connection_is_said_before_that_it_was_re_signed():
    seen = trace(Code.TLS_UNKNOWN_CA, Stage.TLS, tls=tls(public=False, trusted=False, issuer="CN=Corp"))
    assert ask(TlsInterception, seen).cause.kind == "tls.unknown_ca"


@pytest.mark.parametrize(
    ("tolerate", "words"), [(True, "or from a CA that this host trusts"), (False, "public authorities")]
)
def test_what_is_wanted_of_certificates(tolerate, words):
    demand = TlsInterception.model_validate(header(urls=[URL], tolerate_trusted=tolerate))
    assert render(demand.wanted()).endswith(words)


def test_only_the_foreign_issuers_are_named_beside_public_ones():
    foreign = trace(http=http(), tls=tls(public=False, issuer="CN=Corp Inspection"))
    public = trace(http=http(), tls=tls())
    assert render(ask(TlsInterception, public, foreign).seen) == "issued by CN=Corp Inspection"
    assert render(ask(TlsInterception, public, public).seen) == "issued by CN=Public Root"
    shows_nothing = trace(http=http(), tls=replace(tls(), chain=()))
    for bare in (trace(http=http()), shows_nothing):
        verdict = ask(TlsInterception, public, bare)
        assert verdict.outcome is Outcome.NOT_APPLICABLE and f"{OTHER} is asked without TLS" in render(verdict.because)


@pytest.mark.parametrize(
    ("direct", "fix"),
    [
        ((), "Set no_proxy and NO_PROXY to the same list of what goes without the proxy."),
        (("db.corp",), "Add db.corp to no_proxy and NO_PROXY."),
    ],
)
def test_where_no_list_is_set_the_fix_names_what_is_known_to_go_direct(direct, fix):
    assert render(judged(settings(direct=direct), variables(("https_proxy", PROXY))).fix) == fix


def test_what_names_no_proxy_is_not_also_said_to_name_another():
    pairs = (("http_proxy", PROXY), ("https_proxy", ""), NO)
    because = render(judged(settings(expected=PROXY), variables(*pairs)).because)
    assert "no usable proxy" in because and f"not {PROXY}" not in because


def test_two_spellings_that_cannot_be_read_are_not_taken_for_one():
    because = render(judged(settings(), variables(("https_proxy", ""), ("HTTPS_PROXY", ""), NO)).because)
    assert "https_proxy and HTTPS_PROXY differ" in because


def test_wanted_without_a_proxy_that_is_known():
    assert render(settings().wanted()) == "proxy variables without contradictions, or none"
