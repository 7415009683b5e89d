"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.resolver_settings import (
    LABEL,
    ContainerNameservers,
    ResolverFact,
    ResolverQuery,
    SearchNdots,
    SearchWildcard,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.names import NameFact, NameQuery, NameserversFact, NameserversQuery
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Resolved

ONE, TWO, STUB = "10.1.0.53", "10.1.0.54", "127.0.0.53"
MET, UNMET, UNKNOWN, NOT_APPLICABLE = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def demand(kind, **fields):
    return kind.model_validate(header(**fields))


def facts(servers=(ONE,), said=(), **settings):
    """*said*: (search domain, nameserver) → answer about a name that nobody has."""
    pairs = [
        (NameserversQuery(), NameserversFact(servers=tuple(servers), configured=True)),
        (ResolverQuery(), ResolverFact(configured=True, **settings)),
    ]
    for (domain, server), answer in dict(said).items():
        code, addresses = (answer, ()) if isinstance(answer, Code) else (None, tuple(answer))
        name = f"{LABEL}.{domain}"
        pairs.append(
            (NameQuery(name=name, server=server), NameFact(resolved=Resolved(name, server, addresses, name, code, 0.1)))
        )
    return known(pairs)


def reading(**texts):
    table = {
        "/etc/resolv.conf": texts.get("conf"),
        "/run/systemd/resolve/resolv.conf": texts.get("resolved"),
        "/etc/docker/daemon.json": texts.get("docker"),
    }

    def read_text(path):
        said = table[path]
        if said is None:
            raise FileNotFoundError(path)
        if isinstance(said, Exception):
            raise said
        return said

    return ResolverQuery().observe(fake_host(files=FakePort(read_text=read_text)))


def test_nothing_is_set():
    assert reading() == ResolverFact(configured=False)
    assert reading(conf=NotADirectoryError("etc")).configured is False
    assert reading(conf="") == ResolverFact(configured=True)


def test_settings():
    fact = reading(
        conf="search a.test b.test\noptions ndots:5\nnameserver 127.0.0.53\n", resolved=f"nameserver {ONE}\n"
    )
    assert (fact.search, fact.ndots, fact.upstream, fact.docker) == (("a.test", "b.test"), 5, (ONE,), None)
    assert render(ResolverQuery().asks())


@pytest.mark.parametrize(
    ("text", "docker", "unreadable"),
    [
        (None, None, False),
        (f'{{"dns": ["{ONE}", "{TWO}"]}}', (ONE, TWO), False),
        ('{"dns": ["name.test", 5]}', None, False),
        ('{"dns": "10.1.0.53"}', None, False),
        ('{"dns": []}', None, False),
        ("{}", None, False),
        ("[]", None, False),
        ("{", None, True),
        (PermissionError("closed"), None, True),
    ],
)
def test_what_docker_is_told(text, docker, unreadable):
    fact = reading(conf="", docker=text)
    assert (fact.docker, fact.docker_unreadable) == (docker, unreadable)


def test_a_closed_resolv_conf_is_not_a_fact():
    with pytest.raises(PermissionError):
        reading(conf=PermissionError("closed"))


@pytest.mark.parametrize(
    ("settings", "outcome", "words"),
    [
        ({"search": ("a.test",), "ndots": 1}, MET, "as they stand"),
        ({"search": ("a.test",), "ndots": 0}, MET, "as they stand"),
        ({"search": ("a.test",), "ndots": 2}, UNMET, "fewer than 2 dots"),
        ({"search": (), "ndots": 5}, MET, "no search domain"),
    ],
)
def test_ndots(settings, outcome, words):
    requirement = demand(SearchNdots, at_most=1)
    verdict = requirement.judge(facts(**settings))
    assert verdict.outcome is outcome and words in render(verdict.because)
    assert str(settings["ndots"]) in render(verdict.seen) and "1" in render(requirement.wanted())
    assert requirement.queries(Evidence()) == [ResolverQuery()]


@pytest.mark.parametrize("limit", [-1, 16])
def test_what_a_profile_may_not_say(limit):
    with pytest.raises(ValidationError):
        demand(SearchNdots, at_most=limit)


A, B = "a.test", "b.test"
NONE, WILD = Code.DNS_NXDOMAIN, ["192.0.2.66"]


@pytest.mark.parametrize(
    ("servers", "search", "said", "outcome", "words"),
    [
        ((ONE,), (), {}, NOT_APPLICABLE, "Without a search domain"),
        ((ONE,), (A, B), {(A, ONE): NONE, (B, ONE): Code.DNS_NODATA}, MET, "stays unknown"),
        ((ONE,), (A, B), {(A, ONE): NONE, (B, ONE): WILD}, UNMET, "b.test has an address for any name (192.0.2.66)"),
        ((ONE, TWO), (A,), {(A, ONE): NONE, (A, TWO): WILD}, UNMET, A),
        ((ONE, TWO), (A,), {(A, ONE): NONE, (A, TWO): Code.DNS_TIMEOUT}, MET, "stays unknown"),
        ((ONE,), (A, B), {(A, ONE): Code.DNS_TIMEOUT, (B, ONE): WILD}, UNMET, B),
        ((ONE,), (A, B), {(A, ONE): NONE, (B, ONE): Code.DNS_TIMEOUT}, UNKNOWN, B),
        ((ONE,), (A, B), {(A, ONE): Code.DNS_SERVFAIL, (B, ONE): NONE}, UNKNOWN, A),
        ((), (A,), {}, UNKNOWN, A),
    ],
)
def test_a_wildcard_in_a_search_domain(servers, search, said, outcome, words):
    verdict = demand(SearchWildcard).judge(facts(servers, said, search=search))
    assert verdict.outcome is outcome and words in render(verdict.because)
    if outcome is UNMET:
        assert words.split()[0] in render(verdict.fix)


def test_each_search_domain_is_tried():
    requirement = demand(SearchWildcard)
    first = [ResolverQuery(), NameserversQuery()]
    assert requirement.queries(Evidence()) == first
    assert requirement.queries(known([(ResolverQuery(), ResolverFact(configured=True))])) == first
    names = [NameQuery(name=f"{LABEL}.{d}", server=s) for d in (A, B) for s in (ONE, TWO)]
    assert requirement.queries(facts((ONE, TWO), search=(A, B))) == [*first, *names]
    assert LABEL in render(requirement.then()) and render(requirement.wanted())


@pytest.mark.parametrize(
    ("servers", "settings", "outcome", "words"),
    [
        ((ONE,), {}, MET, f"{ONE} (/etc/resolv.conf)"),
        ((STUB, ONE), {}, MET, f"{ONE} (/etc/resolv.conf)"),
        ((STUB, ONE), {"upstream": (TWO,)}, MET, f"{ONE} (/etc/resolv.conf)"),
        ((STUB,), {"upstream": (ONE,)}, MET, f"{ONE} (/run/systemd/resolve/resolv.conf)"),
        (("127.0.0.54",), {"upstream": (ONE,)}, MET, ONE),
        ((STUB,), {"upstream": ()}, UNMET, "8.8.8.8"),
        ((STUB,), {"upstream": ("127.0.0.1",)}, UNMET, "8.8.8.8"),
        ((STUB,), {}, UNMET, "8.8.8.8"),
        (("127.0.0.1",), {"upstream": (ONE,)}, UNMET, "8.8.8.8"),
        (("::1",), {}, UNMET, "8.8.8.8"),
        (("fe80::1%eth0",), {}, MET, "fe80::1%eth0"),
        ((), {}, UNMET, "8.8.8.8"),
        (("127.0.0.11",), {}, UNKNOWN, "in a container"),
        (("127.0.0.11", ONE), {}, MET, ONE),
        ((STUB,), {"docker": (TWO,)}, MET, f"{TWO} (/etc/docker/daemon.json)"),
        ((ONE,), {"docker": (TWO,)}, MET, TWO),
        ((STUB,), {"docker_unreadable": True}, UNKNOWN, "could not be read"),
        ((ONE,), {"docker_unreadable": True}, MET, ONE),
    ],
)
def test_what_containers_get(servers, settings, outcome, words):
    verdict = demand(ContainerNameservers).judge(facts(servers, **settings))
    assert verdict.outcome is outcome and words in render(verdict.seen) + render(verdict.because)


def test_containers_ask_files_alone():
    requirement = demand(ContainerNameservers)
    assert set(requirement.queries(Evidence())) == {NameserversQuery(), ResolverQuery()} and render(
        requirement.wanted()
    )


KINDS = [(SearchNdots, {"at_most": 1}), (SearchWildcard, {}), (ContainerNameservers, {})]


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize(("kind", "fields"), KINDS)
def test_not_seen_is_never_a_verdict(kind, fields, reason):
    pairs = [
        (NameserversQuery(), NameserversFact(servers=(ONE,), configured=True)),
        (ResolverQuery(), Unseen(reason)),
    ]
    with pytest.raises(NotSeen):
        demand(kind, **fields).judge(known(pairs))


@pytest.mark.parametrize(("kind", "fields"), KINDS)
def test_judging_is_pure(kind, fields, no_io):
    requirement, evidence = demand(kind, **fields), facts()
    with no_io():
        requirement.judge(evidence)
