"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.own_name import FullName, OwnNameFact, OwnNameQuery, PointerFact, PointerQuery, ReverseName
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.names import NameFact, NameQuery, NameserversFact, NameserversQuery
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Pointer, Resolved

SHORT, FULL, ONE, TWO = "vm1", "vm1.lab.test", "10.1.0.53", "10.1.0.54"
HERE, ALSO = "192.0.2.10", "192.0.2.11"
MET, UNMET, UNKNOWN, NOT_APPLICABLE = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def full_name():
    return FullName.model_validate(header())


def reverse():
    return ReverseName.model_validate(header())


def said(name, server, answer, canonical=""):
    code, addresses = (answer, ()) if isinstance(answer, Code) else (None, tuple(answer))
    return (
        NameQuery(name=name, server=None if server == "system" else server),
        NameFact(resolved=Resolved(name, server, addresses, canonical, code, 0.1)),
    )


def facts(forward=(), back=(), *, name=SHORT, canonical=FULL, full=FULL):
    """*forward*: nameserver → answer about the full name; *back*: (address, nameserver) → names, or a code."""
    pairs = [
        (OwnNameQuery(), OwnNameFact(name=name)),
        (NameserversQuery(), NameserversFact(servers=tuple(dict(forward)), configured=True)),
        said(name, "system", ["127.0.1.1"], canonical),
    ]
    pairs += [said(full, server, answer) for server, answer in dict(forward).items()]
    for (address, server), answer in dict(back).items():
        code, names = (answer, ()) if isinstance(answer, Code) else (None, tuple(answer))
        query = PointerQuery(address=address, server=server)
        pairs.append((query, PointerFact(pointer=Pointer(address, server, names, code))))
    return known(pairs)


def test_what_is_observed():
    host = fake_host(
        files=FakePort(read_text=f"{SHORT}\n"),
        net=FakePort(pointer=lambda address, server: Pointer(address, server, (FULL,), None)),
    )
    assert OwnNameQuery().observe(host).name == SHORT
    query = PointerQuery(address=HERE, server=ONE)
    assert query.observe(host).pointer == Pointer(HERE, ONE, (FULL,), None)
    assert HERE in render(query.asks()) and ONE in render(query.asks()) and render(OwnNameQuery().asks())


def test_where_the_kernel_does_not_say():
    with pytest.raises(NotImplementedError):
        OwnNameQuery().observe(fake_host(files=FakePort(read_text=FileNotFoundError("gone"))))
    with pytest.raises(PermissionError):
        OwnNameQuery().observe(fake_host(files=FakePort(read_text=PermissionError("closed"))))


@pytest.mark.parametrize(
    ("name", "canonical", "outcome", "words"),
    [
        (SHORT, FULL, MET, FULL),
        (SHORT, "VM1.Lab.Test.", MET, FULL),
        (FULL, "", MET, FULL),
        (f"{FULL}.", SHORT, MET, FULL),
        (SHORT, SHORT, UNMET, "domain of vm1"),
        (SHORT, "", UNMET, "domain of vm1"),
        (SHORT, "vm1.", UNMET, "domain of vm1"),
        (SHORT, "localhost.localdomain", UNMET, "domain of vm1"),
        ("localhost", FULL, UNMET, "no name of its own"),
        ("LocalHost.localdomain", FULL, UNMET, "no name of its own"),
        ("(none)", FULL, UNMET, "no name of its own"),
        ("", FULL, UNMET, "no name of its own"),
    ],
)
def test_full_name(name, canonical, outcome, words):
    evidence = known([(OwnNameQuery(), OwnNameFact(name=name)), said(name, "system", ["127.0.1.1"], canonical)])
    verdict = full_name().judge(evidence)
    assert verdict.outcome is outcome and words in render(verdict.because) + render(verdict.seen)
    if outcome is UNMET:
        assert (name or "-") in render(verdict.seen) and "hostnamectl" in render(verdict.fix)


def test_the_full_name_is_looked_up_once_the_name_is_known():
    assert full_name().queries(Evidence()) == [OwnNameQuery()]
    assert full_name().queries(facts()) == [OwnNameQuery(), NameQuery(name=SHORT)]
    assert full_name().queries(known([(OwnNameQuery(), OwnNameFact(name="localhost"))])) == [OwnNameQuery()]
    assert full_name().then() is not None and render(full_name().wanted())


@pytest.mark.parametrize(
    ("forward", "back", "outcome", "words"),
    [
        ({ONE: [HERE]}, {(HERE, ONE): [FULL]}, MET, FULL),
        ({ONE: [HERE]}, {(HERE, ONE): ["other.test", "VM1.lab.test."]}, MET, FULL),
        ({ONE: [HERE]}, {(HERE, ONE): ["other.test"]}, UNMET, HERE),
        ({ONE: [HERE]}, {(HERE, ONE): [SHORT]}, UNMET, HERE),
        ({ONE: [HERE]}, {(HERE, ONE): Code.DNS_NXDOMAIN}, UNMET, HERE),
        ({ONE: [HERE]}, {(HERE, ONE): Code.DNS_NODATA}, UNMET, HERE),
        ({ONE: [HERE]}, {(HERE, ONE): Code.DNS_TIMEOUT}, UNKNOWN, HERE),
        ({ONE: [HERE, ALSO]}, {(HERE, ONE): [FULL], (ALSO, ONE): ["x.test"]}, UNMET, ALSO),
        ({ONE: [HERE, ALSO]}, {(HERE, ONE): Code.DNS_SERVFAIL, (ALSO, ONE): ["x.test"]}, UNMET, ALSO),
        ({ONE: [HERE], TWO: [HERE]}, {(HERE, ONE): [FULL], (HERE, TWO): Code.DNS_REFUSED}, UNKNOWN, HERE),
        ({ONE: [HERE], TWO: Code.DNS_TIMEOUT}, {(HERE, ONE): [FULL]}, MET, FULL),
        ({ONE: ["127.0.1.1", HERE]}, {(HERE, ONE): [FULL]}, MET, FULL),
        ({ONE: ["127.0.1.1"]}, {}, UNMET, "No nameserver has an address"),
        ({ONE: Code.DNS_NXDOMAIN}, {}, UNMET, "No nameserver has an address"),
        ({ONE: Code.DNS_TIMEOUT, TWO: Code.DNS_NODATA}, {}, UNMET, "No nameserver has an address"),
        ({ONE: Code.DNS_TIMEOUT}, {}, UNKNOWN, "says anything"),
        ({}, {}, NOT_APPLICABLE, "nameserver"),
    ],
)
def test_reverse_name(forward, back, outcome, words):
    verdict = reverse().judge(facts(forward, back))
    assert verdict.outcome is outcome and words in render(verdict.because)
    if outcome is UNMET:
        assert FULL in render(verdict.fix)


def test_what_a_nameserver_says_is_shown():
    verdict = reverse().judge(facts({ONE: [HERE]}, {(HERE, ONE): Code.DNS_NXDOMAIN}))
    assert render(verdict.seen) == f"{HERE}: no such name"
    verdict = reverse().judge(facts({ONE: [HERE]}, {(HERE, ONE): [FULL]}))
    assert render(verdict.seen) == f"{HERE}: {FULL}"


def test_an_address_that_leads_back_is_not_blamed():
    verdict = reverse().judge(facts({ONE: [HERE, ALSO]}, {(HERE, ONE): [FULL], (ALSO, ONE): ["x.test"]}))
    assert HERE not in render(verdict.because) and HERE in render(verdict.seen)


@pytest.mark.parametrize(("name", "canonical"), [("localhost", FULL), (SHORT, SHORT)])
def test_without_a_full_name_nothing_leads_back(name, canonical):
    verdict = reverse().judge(facts({ONE: [HERE]}, name=name, canonical=canonical))
    assert verdict.outcome is NOT_APPLICABLE and render(verdict.seen) == "no full name"


def test_without_a_nameserver():
    assert "resolv.conf" in render(reverse().judge(facts()).seen)


def test_the_questions_follow_from_one_another():
    first = [OwnNameQuery(), NameserversQuery()]
    assert reverse().queries(Evidence()) == first
    own, servers = (
        (OwnNameQuery(), OwnNameFact(name=SHORT)),
        (NameserversQuery(), NameserversFact(servers=(ONE, TWO), configured=True)),
    )
    assert reverse().queries(known([own])) == first
    assert reverse().queries(known([(OwnNameQuery(), OwnNameFact(name="localhost")), servers])) == first
    assert reverse().queries(known([own, servers])) == [*first, NameQuery(name=SHORT)]
    nameless = known([own, servers, said(SHORT, "system", ["127.0.1.1"], SHORT)])
    assert reverse().queries(nameless) == [*first, NameQuery(name=SHORT)]
    named = [own, servers, said(SHORT, "system", ["127.0.1.1"], FULL)]
    forward = [*first, NameQuery(name=SHORT), *(NameQuery(name=FULL, server=s) for s in (ONE, TWO))]
    assert reverse().queries(known(named)) == forward
    one_missing = [*named, said(FULL, ONE, [HERE])]
    assert reverse().queries(known(one_missing)) == forward
    both = [*one_missing, said(FULL, TWO, ["127.0.1.1", ALSO])]
    pointers = [PointerQuery(address=HERE, server=ONE), PointerQuery(address=ALSO, server=TWO)]
    assert reverse().queries(known(both)) == [*forward, *pointers]
    assert reverse().then() is not None and render(reverse().wanted())


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        full_name().judge(known([(OwnNameQuery(), Unseen(reason))]))
    with pytest.raises(NotSeen):
        reverse().judge(known([(OwnNameQuery(), OwnNameFact(name=FULL)), (NameserversQuery(), Unseen(reason))]))
    with pytest.raises(NotSeen):
        reverse().judge(facts({ONE: [HERE]}))


def test_judging_is_pure(no_io):
    evidence = facts({ONE: [HERE]}, {(HERE, ONE): [FULL]})
    with no_io():
        full_name().judge(evidence)
        reverse().judge(evidence)
