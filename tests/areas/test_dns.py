"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.dns import NOWHERE, DnsResolves
from vorflug.model.cause import Team
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.names import ANSWERS, NameFact, NameQuery, NameserversFact, NameserversQuery
from vorflug.model.probing import RouteFact, RouteQuery
from vorflug.model.query import Reason, Unseen
from vorflug.model.report import Sentence
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Resolved, Route

APP, ONE, TWO = "app.lab.test", "10.1.0.53", "10.1.0.54"
GOOD = "192.0.2.10"


def demand(**fields):
    return DnsResolves.model_validate(header(**{"names": [APP], **fields}))


def said(name, server, answer):
    if isinstance(answer, Unseen):
        return answer
    code, addresses = (answer, ()) if isinstance(answer, Code) else (None, tuple(answer))
    return NameFact(resolved=Resolved(name, server, addresses, name, code, 0.1))


def facts(here, servers=None, *, name=APP, nowhere=Code.DNS_NXDOMAIN, proxy=None):
    """*here*: this host's answer; *servers*: that of each nameserver."""
    servers = {ONE: here} if servers is None else servers
    pairs = [
        (NameserversQuery(), NameserversFact(servers=tuple(servers), configured=True)),
        (NameQuery(name=name), said(name, "system", here)),
        (RouteQuery(url=f"https://{name}/"), RouteFact(route=Route(proxy, "https_proxy" if proxy else ""))),
    ]
    for server, answer in servers.items():
        pairs.append((NameQuery(name=name, server=server), said(name, server, answer)))
        pairs.append((NameQuery(name=NOWHERE, server=server), said(NOWHERE, server, nowhere)))
    return known(pairs)


def test_what_is_observed():
    host = fake_host(
        net=FakePort(
            nameservers=(ONE, TWO), resolve=lambda name, server: Resolved(name, server or "system", (), "", None, 0.0)
        )
    )
    assert NameserversQuery().observe(host).servers == (ONE, TWO)
    assert NameQuery(name=APP, server=ONE).observe(host).resolved.server == ONE
    missing = fake_host(net=FakePort(nameservers=FileNotFoundError("/etc/resolv.conf")))
    assert not NameserversQuery().observe(missing).configured


def test_each_nameserver_is_asked_once_it_is_known():
    first = demand().queries(Evidence())
    assert NameQuery(name=APP) in first and NameQuery(name=APP, server=ONE) not in first
    known_servers = known([(NameserversQuery(), NameserversFact(servers=(ONE, TWO), configured=True))])
    second = demand(external=True).queries(known_servers)
    assert {NameQuery(name=n, server=s) for n in (APP, NOWHERE) for s in (ONE, TWO)} <= set(second)
    assert set(first) <= set(demand().queries(known_servers))
    assert demand().then() is not None


@pytest.mark.parametrize(
    ("here", "servers", "expected", "outcome", "word"),
    [
        ([GOOD], {ONE: [GOOD]}, [], Outcome.MET, "as wanted"),
        ([GOOD], {ONE: [GOOD]}, [GOOD], Outcome.MET, "as wanted"),
        ([GOOD], {}, [], Outcome.MET, "as wanted"),
        ([GOOD], {ONE: Code.DNS_TIMEOUT, TWO: [GOOD]}, [], Outcome.MET, f"{ONE} gave no answer"),
        ([GOOD], {ONE: Code.DNS_TIMEOUT}, [], Outcome.UNKNOWN, "/etc/hosts"),
        ([GOOD], {ONE: Code.DNS_UNREACHABLE, TWO: Code.DNS_TIMEOUT}, [], Outcome.UNKNOWN, APP),
        (["192.0.2.66"], {ONE: Code.DNS_TIMEOUT}, [GOOD], Outcome.UNMET, "192.0.2.66"),
        ([GOOD, "192.0.2.66"], None, [GOOD], Outcome.UNMET, "192.0.2.66"),
        ([GOOD], {ONE: [GOOD], TWO: ["192.0.2.66"]}, [GOOD], Outcome.UNMET, f"says {TWO}"),
        ([GOOD], {ONE: [GOOD], TWO: ["192.0.2.66"]}, [], Outcome.MET, "as wanted"),
        ([GOOD], {ONE: [GOOD], TWO: Code.DNS_NXDOMAIN}, [], Outcome.UNMET, TWO),
        ([GOOD], {ONE: Code.DNS_NXDOMAIN, TWO: Code.DNS_NXDOMAIN}, [], Outcome.UNMET, "/etc/hosts"),
        (Code.DNS_NXDOMAIN, None, [], Outcome.UNMET, "does not exist"),
        (Code.DNS_SERVFAIL, None, [], Outcome.UNMET, "SERVFAIL"),
        (Code.DNS_TIMEOUT, None, [], Outcome.UNMET, "no answer"),
    ],
)
def test_verdict(here, servers, expected, outcome, word):
    verdict = demand(expected=expected).judge(facts(here, servers))
    assert verdict.outcome is outcome
    assert word in render(verdict.because)
    if outcome is not Outcome.MET:
        assert verdict.cause.team is Team.DNS and verdict.fix is not None
    assert "firewall" not in render(verdict.because).lower()


def test_a_search_domain_is_not_taken_for_a_hosts_file():
    found = Resolved("app", "system", (GOOD,), "app.lab.test", None, 0.1)
    pairs = [
        (NameserversQuery(), NameserversFact(servers=(ONE,), configured=True)),
        (NameQuery(name="app"), NameFact(resolved=found)),
        (NameQuery(name="app", server=ONE), said("app", ONE, Code.DNS_NXDOMAIN)),
    ]
    verdict = demand(names=["app"]).judge(known(pairs))
    assert verdict.cause.kind == "dns.search_domain" and "app.lab.test" in render(verdict.fix)


def test_a_silent_nameserver_is_the_cause_that_others_share():
    evidence = facts(Code.DNS_TIMEOUT)
    verdict = demand().judge(evidence)
    assert (verdict.cause.kind, verdict.cause.subject) == ("dns.timeout", ONE)
    assert demand().about(evidence) == verdict.cause


def test_a_hosts_file_does_not_stand_in_for_silent_nameservers():
    evidence = facts([GOOD], {ONE: Code.DNS_UNREACHABLE, TWO: Code.DNS_UNREACHABLE}, nowhere=Code.DNS_UNREACHABLE)
    for external in (False, True):
        verdict = demand(external=external).judge(evidence)
        assert verdict.outcome is Outcome.UNKNOWN
        assert (verdict.cause.kind, verdict.cause.subject) == ("dns.unreachable", f"{ONE}, {TWO}")
        assert f"{APP}: {GOOD}" in render(verdict.seen)
        assert demand(external=external).about(evidence) == verdict.cause


def test_an_ipv6_address_is_compared_as_an_address():
    assert demand(expected=["2001:DB8:0::1"]).judge(facts(["2001:db8::1"])).outcome is Outcome.MET


def test_a_name_that_cannot_exist_must_not_resolve():
    assert demand(external=True).judge(facts([GOOD])).outcome is Outcome.MET
    verdict = demand(external=True).judge(facts([GOOD], nowhere=["192.0.2.99"]))
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == "dns.hijack" and verdict.cause.subject == ONE
    assert demand().judge(facts([GOOD], nowhere=["192.0.2.99"])).outcome is Outcome.MET


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "::1", "169.254.1.1"])
def test_a_sinkhole(address):
    assert demand(external=True).judge(facts([address])).cause.kind == "dns.bogon"
    assert demand().judge(facts([address])).outcome is Outcome.MET, "an internal name may lead here"


def test_a_private_address_of_a_public_name_is_no_fault():
    assert demand(external=True).judge(facts(["10.2.3.4"])).outcome is Outcome.MET


def test_where_a_proxy_resolves_this_host_need_not():
    verdict = demand(external=True).judge(facts(Code.DNS_NXDOMAIN, proxy="proxy.corp:3128"))
    assert verdict.outcome is Outcome.NOT_APPLICABLE and "proxy.corp:3128" in render(verdict.because)
    assert demand().judge(facts(Code.DNS_NXDOMAIN, proxy="proxy.corp:3128")).outcome is Outcome.UNMET


NAME_IT = "Or, if a proxy is used here, name it in the site file (proxy.used, proxy.url)."


def test_a_proxy_that_nobody_named_may_be_the_way_to_names_outside():
    assert NAME_IT in render(demand(external=True).judge(facts(Code.DNS_NXDOMAIN)).fix)
    assert NAME_IT in render(demand(external=True).judge(facts(Code.DNS_TIMEOUT)).fix)
    assert NAME_IT not in render(demand().judge(facts(Code.DNS_NXDOMAIN)).fix), "the product's own name"
    both = demand(names=[APP, "b.lab.test"], external=True)
    pairs = [(NameserversQuery(), NameserversFact(servers=(), configured=True))]
    for name in both.names:
        pairs.append((RouteQuery(url=f"https://{name}/"), RouteFact(route=Route(None, ""))))
        pairs.append((NameQuery(name=name), said(name, "system", Code.DNS_NXDOMAIN)))
    assert render(both.judge(known(pairs)).fix).count(NAME_IT) == 1
    exempt = [(RouteQuery(url=f"https://{APP}/"), RouteFact(route=Route(None, "NO_PROXY")))]
    pairs = [(NameserversQuery(), NameserversFact(servers=(), configured=True)), *exempt]
    pairs.append((NameQuery(name=APP), said(APP, "system", Code.DNS_NXDOMAIN)))
    assert NAME_IT not in render(demand(external=True).judge(known(pairs)).fix), "a proxy is known, and not for it"


def test_what_is_seen_is_said_in_words():
    assert render(demand().judge(facts(Code.DNS_NXDOMAIN)).seen) == f"{APP}: no such name"
    # these are findings about an answer, never the answer of one resolver
    beside = {Code.DNS_BOGON, Code.DNS_SLOW_FALLBACK, Code.DNS_HOSTS_OVERRIDE, Code.DNS_SEARCH_DOMAIN}
    assert {c for c in Code if c.startswith("dns.")} - set(ANSWERS) == beside


def test_the_plan_names_the_name_that_cannot_exist():
    assert NOWHERE in render(demand(external=True).then())
    assert NOWHERE not in render(demand().then())


def test_two_hundred_names_that_fail_are_one_finding_that_can_be_written():
    names = [f"h{n}.lab.test" for n in range(200)]
    pairs = [(NameserversQuery(), NameserversFact(servers=(), configured=True))]
    pairs += [(NameQuery(name=n), said(n, "system", Code.DNS_NXDOMAIN)) for n in names]
    verdict = demand(names=names).judge(known(pairs))
    for part in (verdict.seen, verdict.because, verdict.fix):
        assert Sentence.model_validate_json(Sentence.of(part).model_dump_json()).message() == part
    assert "190 more" in render(verdict.because)


def test_many_names():
    both = demand(names=[APP, "b.lab.test"])
    servers = (NameserversQuery(), NameserversFact(servers=(), configured=True))
    good = (NameQuery(name=APP), said(APP, "system", [GOOD]))
    bad = (NameQuery(name="b.lab.test"), said("b.lab.test", "system", Code.DNS_NXDOMAIN))
    verdict = both.judge(known([servers, good, bad]))
    assert verdict.outcome is Outcome.UNMET and "b.lab.test" in render(verdict.because)
    assert f"{APP}: {GOOD}" in render(verdict.seen)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        demand().judge(facts(Unseen(reason), {ONE: [GOOD]}))
    with pytest.raises(NotSeen):
        demand().judge(facts([GOOD], {ONE: Unseen(reason)}))


def test_judging_is_pure(no_io):
    requirement, evidence = demand(external=True), facts([GOOD])
    with no_io():
        requirement.judge(evidence)


@pytest.mark.parametrize("fields", [{"names": []}, {"names": ["https://a/"]}, {"expected": ["300.1.1.1"]}])
def test_what_a_profile_may_not_say(fields):
    with pytest.raises(ValidationError):
        demand(**fields)
