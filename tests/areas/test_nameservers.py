"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.nameservers import (
    DnssecNotBogus,
    NameserverFact,
    NameserverQuery,
    NameserversAgree,
    NameserversAnswer,
    NameserversEdns,
    NameserversOverTcp,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.names import NameFact, NameQuery, NameserversFact, NameserversQuery
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, NameserverSeen, Resolved
from vorflug.ports.net_names import Edns

APP, API, ONE, TWO = "app.lab.test", "api.lab.test", "10.1.0.53", "10.1.0.54"
GOOD, OTHER = "192.0.2.10", "192.0.2.11"
FINE = NameserverSeen(ONE, APP, None, 0.02, tcp=True, edns=Edns.TAKEN, udp_bytes=1232)
MET, UNMET, UNKNOWN, NOT_APPLICABLE = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
EACH = {
    NameserversAnswer: {"name": APP, "within": "100 ms"},
    NameserversOverTcp: {"name": APP},
    NameserversEdns: {"name": APP, "at_least": "1232 B"},
}
ALL = {**EACH, DnssecNotBogus: {"names": [APP]}, NameserversAgree: {"name": APP}}


def demand(kind, **fields):
    return kind.model_validate(header(**{**ALL[kind], **fields}))


def seen(*each):
    """Nameservers, each as *FINE* but for what is given; Unseen where nothing came."""
    servers = (ONE, TWO)[: len(each)]
    pairs = [(NameserversQuery(), NameserversFact(servers=servers, configured=True))]
    for server, changes in zip(servers, each, strict=True):
        fact = changes if isinstance(changes, Unseen) else NameserverFact(seen=replace(FINE, server=server, **changes))
        pairs.append((NameserverQuery(server=server, name=APP), fact))
    return known(pairs)


def answers(*each, name=APP):
    pairs = [(NameserversQuery(), NameserversFact(servers=(ONE, TWO)[: len(each)], configured=True))]
    for server, said in zip((ONE, TWO), each, strict=False):
        pairs.append((NameQuery(name=name, server=server), resolved(name, server, said)))
    return known(pairs)


def resolved(name, server, said):
    if isinstance(said, Unseen):
        return said
    code, addresses = (said, ()) if isinstance(said, Code) else (None, tuple(said))
    return NameFact(resolved=Resolved(name, server, addresses, name, code, 0.1))


def test_what_is_observed():
    host = fake_host(net=FakePort(nameserver=lambda server, name: replace(FINE, server=server, name=name)))
    query = NameserverQuery(server=TWO, name=API)
    assert (query.observe(host).seen.server, query.observe(host).seen.name) == (TWO, API)
    assert TWO in render(query.asks()) and API in render(query.asks())


@pytest.mark.parametrize("kind", list(EACH))
def test_each_nameserver_is_asked_once_it_is_known(kind):
    requirement = demand(kind)
    assert requirement.queries(Evidence()) == [NameserversQuery()]
    both = requirement.queries(seen({}, {}))
    assert both == [NameserversQuery(), *(NameserverQuery(server=s, name=APP) for s in (ONE, TWO))]
    assert APP in render(requirement.then())


@pytest.mark.parametrize(
    ("each", "outcome", "words"),
    [
        (({}, {}), MET, f"{ONE}: answers in 20 ms"),
        (({"code": Code.DNS_NXDOMAIN},), MET, "in time"),
        (({"code": Code.DNS_NODATA},), MET, "in time"),
        (({"code": Code.DNS_CNAME_LOOP},), MET, "in time"),
        (({"took_s": 0.1},), MET, "in time"),
        (({"took_s": 0.101},), UNMET, f"{ONE} takes 101 ms"),
        (({}, {"took_s": 0.2, "code": Code.DNS_NXDOMAIN}), UNMET, f"{TWO} takes 200 ms"),
        (({}, {"code": Code.DNS_TIMEOUT}), UNMET, f"({TWO}) gave no answer"),
        (({"code": Code.DNS_REFUSED}, {}), UNMET, "REFUSED"),
        (({"code": Code.DNS_SERVFAIL}, {}), UNMET, "SERVFAIL"),
        (({"code": Code.DNS_UNREACHABLE, "detail": "ECONNREFUSED"}, {}), UNMET, "ECONNREFUSED"),
        (({"code": Code.DNS_TIMEOUT, "took_s": 4.0}, {"took_s": 0.2}), UNMET, f"{TWO} takes"),
        ((), UNMET, "names no nameserver"),
    ],
)
def test_answers(each, outcome, words):
    verdict = demand(NameserversAnswer).judge(seen(*each))
    assert verdict.outcome is outcome
    assert words in render(verdict.because) + render(verdict.seen)


def test_a_silent_nameserver_is_not_called_slow():
    verdict = demand(NameserversAnswer).judge(seen({"code": Code.DNS_TIMEOUT, "took_s": 4.0}))
    assert "takes" not in render(verdict.because)


def test_a_silent_nameserver_is_the_cause_that_others_share():
    evidence = seen({}, {"code": Code.DNS_TIMEOUT})
    cause = demand(NameserversAnswer).about(evidence)
    assert (cause.kind, cause.subject) == ("dns.timeout", TWO)
    assert demand(NameserversAnswer).judge(evidence).cause == cause
    assert demand(NameserversAnswer).about(seen({"took_s": 0.2})) is None
    assert demand(NameserversAnswer).about(seen({})) is None


@pytest.mark.parametrize(
    ("each", "outcome", "words"),
    [
        (({}, {}), MET, "come through"),
        (({}, {"tcp": False, "tcp_detail": "timeout"}), UNMET, f"{TWO} cannot be asked over TCP"),
        (({"code": Code.DNS_REFUSED, "tcp": False},), UNMET, ONE),
        (({"code": Code.DNS_TIMEOUT, "tcp": False}, {}), MET, TWO),
        (({"code": Code.DNS_UNREACHABLE, "tcp": False}, {}), MET, TWO),
        (({"code": Code.DNS_TIMEOUT, "tcp": True},), MET, "come through"),
        (({"code": Code.DNS_TIMEOUT, "tcp": False}, {"code": Code.DNS_UNREACHABLE, "tcp": False}), UNKNOWN, "at all"),
        ((), NOT_APPLICABLE, "none that could be asked"),
    ],
)
def test_over_tcp(each, outcome, words):
    verdict = demand(NameserversOverTcp).judge(seen(*each))
    assert verdict.outcome is outcome
    assert words in render(verdict.because) + render(verdict.seen)
    if outcome is UNMET:
        assert "53" in render(verdict.fix)


def test_why_not_over_tcp():
    verdict = demand(NameserversOverTcp).judge(seen({}, {"tcp": False, "tcp_detail": "ECONNREFUSED"}))
    assert "ECONNREFUSED" in render(verdict.seen) and f"{ONE}: answers over TCP" in render(verdict.seen)


@pytest.mark.parametrize(
    ("each", "outcome", "words"),
    [
        (({}, {}), MET, f"{ONE}: EDNS, 1232 bytes"),
        (({"udp_bytes": 1231},), UNMET, f"{ONE}: questions with EDNS"),
        (({}, {"edns": Edns.NOT_KNOWN}), UNMET, f"{TWO}: no EDNS"),
        (({}, {"edns": Edns.NO_ANSWER}), UNMET, f"{TWO}: no answer to a question with EDNS"),
        (({"code": Code.DNS_TIMEOUT, "edns": Edns.NO_ANSWER}, {}), MET, TWO),
        (({"code": Code.DNS_UNREACHABLE, "edns": Edns.NO_ANSWER},), UNKNOWN, "at all"),
        (({"code": Code.DNS_TIMEOUT, "edns": Edns.NO_ANSWER},), UNKNOWN, "no answer"),
        (({"code": Code.DNS_NXDOMAIN},), MET, "as wanted"),
        ((), NOT_APPLICABLE, "none that could be asked"),
    ],
)
def test_edns(each, outcome, words):
    verdict = demand(NameserversEdns).judge(seen(*each))
    assert verdict.outcome is outcome
    assert words in render(verdict.because) + render(verdict.seen)


# ---- DNSSEC ----------------------------------------------------------------------------------------------------------


def bogus(said, *, holds):
    """ONE answers *said*; asked again without validation, there is an answer unless *holds*."""
    pairs = [
        (NameserversQuery(), NameserversFact(servers=(ONE,), configured=True)),
        (NameQuery(name=APP, server=ONE), resolved(APP, ONE, said)),
        (
            NameserverQuery(server=ONE, name=APP),
            NameserverFact(seen=replace(FINE, code=Code.DNS_SERVFAIL, bogus=not holds)),
        ),
    ]
    return known(pairs)


@pytest.mark.parametrize(
    ("evidence", "outcome", "words"),
    [
        (answers([GOOD]), MET, "because of DNSSEC"),
        (answers(Code.DNS_NXDOMAIN), MET, "because of DNSSEC"),
        (answers(Code.DNS_TIMEOUT, [GOOD]), MET, "because of DNSSEC"),
        (bogus(Code.DNS_SERVFAIL, holds=False), UNMET, "signatures do not hold"),
        (bogus(Code.DNS_SERVFAIL, holds=True), UNKNOWN, "nothing was validated"),
        (bogus([GOOD], holds=False), MET, "because of DNSSEC"),
        (answers(Code.DNS_TIMEOUT), UNKNOWN, "nothing was validated"),
        (answers(Code.DNS_REFUSED, Code.DNS_UNREACHABLE), UNKNOWN, "nothing was validated"),
        (answers(), UNKNOWN, "nothing was validated"),
    ],
)
def test_dnssec(evidence, outcome, words):
    verdict = demand(DnssecNotBogus).judge(evidence)
    assert verdict.outcome is outcome and words in render(verdict.because)
    if outcome is UNMET:
        assert (verdict.cause.kind, verdict.cause.subject) == ("dns.servfail", APP) and ONE in render(verdict.fix)
    assert demand(DnssecNotBogus).about(evidence) == verdict.cause


def test_only_what_fails_is_asked_without_validation():
    requirement = demand(DnssecNotBogus, names=[APP, API])
    assert requirement.queries(Evidence()) == [NameserversQuery()]
    only_servers = known([(NameserversQuery(), NameserversFact(servers=(ONE,), configured=True))])
    names = [NameQuery(name=n, server=ONE) for n in (APP, API)]
    assert requirement.queries(only_servers) == [NameserversQuery(), *names]
    said = known(
        [
            (NameserversQuery(), NameserversFact(servers=(ONE,), configured=True)),
            (names[0], resolved(APP, ONE, Code.DNS_SERVFAIL)),
            (names[1], resolved(API, ONE, Code.DNS_NXDOMAIN)),
        ]
    )
    assert set(requirement.queries(said)) == {NameserversQuery(), *names, NameserverQuery(server=ONE, name=APP)}
    assert requirement.then() is not None


# ---- alike -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("each", "outcome", "words"),
    [
        (([GOOD], [GOOD]), MET, "says the same"),
        (([GOOD, OTHER], [OTHER, GOOD]), MET, "says the same"),
        (([GOOD], [OTHER]), UNMET, "differently"),
        (([GOOD], [GOOD, OTHER]), UNMET, "differently"),
        (([GOOD], Code.DNS_NXDOMAIN), UNMET, f"{TWO}: no such name"),
        ((Code.DNS_NODATA, Code.DNS_NXDOMAIN), MET, "says the same"),
        (([GOOD], Code.DNS_TIMEOUT), UNKNOWN, "Fewer than two"),
        (([GOOD], Code.DNS_SERVFAIL), UNKNOWN, "Fewer than two"),
        ((Code.DNS_TIMEOUT, Code.DNS_TIMEOUT), UNKNOWN, "Fewer than two"),
        (([GOOD],), NOT_APPLICABLE, "no two"),
        ((), NOT_APPLICABLE, "no two"),
    ],
)
def test_alike(each, outcome, words):
    verdict = demand(NameserversAgree).judge(answers(*each))
    assert verdict.outcome is outcome
    assert words in render(verdict.because) + render(verdict.seen)


def test_all_are_compared():
    requirement = demand(NameserversAgree)
    assert requirement.queries(Evidence()) == [NameserversQuery()]
    both = [NameserversQuery(), *(NameQuery(name=APP, server=s) for s in (ONE, TWO))]
    assert requirement.queries(answers([GOOD], [GOOD])) == both
    assert requirement.then() is not None and APP in render(requirement.wanted())


# ---- all -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("kind", list(ALL))
def test_not_seen_is_never_a_verdict(kind, reason):
    gone = Unseen(reason)
    evidence = seen({}, gone) if kind in EACH else answers([GOOD], gone)
    with pytest.raises(NotSeen):
        demand(kind).judge(evidence)


@pytest.mark.parametrize("kind", list(ALL))
def test_judging_is_pure(kind, no_io):
    requirement, evidence = demand(kind), seen({}) if kind in EACH else answers([GOOD], [OTHER])
    with no_io():
        requirement.judge(evidence)
        assert render(requirement.wanted())


def test_each_nameserver_must_be_reached():
    (flow,) = demand(NameserversAnswer).flows()
    assert (flow.kind.value, flow.target, flow.port) == ("nameserver", "", 53)
