"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.hosts_order import HostsFact, HostsFileAgrees, HostsOrder, HostsQuery, SwitchFact, SwitchQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.names import NameFact, NameQuery, NameserversFact, NameserversQuery
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Resolved

APP, API, ONE, TWO = "app.lab.test", "api.lab.test", "10.1.0.53", "10.1.0.54"
GOOD, OTHER = "192.0.2.10", "192.0.2.11"
MET, UNMET, UNKNOWN, NOT_APPLICABLE = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def order(*names):
    return HostsOrder.model_validate(header(names=list(names or (APP,))))


def agrees(*names):
    return HostsFileAgrees.model_validate(header(names=list(names or (APP,))))


def switch(line):
    services = None if line is None else tuple(line.split())
    return known([(SwitchQuery(), SwitchFact(services=services))])


def entries(given, *each, name=APP):
    """*given*: what the hosts file says; *each*: the answer of each nameserver."""
    servers = (ONE, TWO)[: len(each)]
    pairs = [
        (NameserversQuery(), NameserversFact(servers=servers, configured=True)),
        (HostsQuery(name=name), given if isinstance(given, Unseen) else HostsFact(addresses=tuple(given))),
    ]
    for server, said in zip(servers, each, strict=True):
        code, addresses = (said, ()) if isinstance(said, Code) else (None, tuple(said))
        pairs.append(
            (NameQuery(name=name, server=server), NameFact(resolved=Resolved(name, server, addresses, name, code, 0.1)))
        )
    return known(pairs)


def reading(answer):
    return fake_host(files=FakePort(read_text=answer))


def test_what_is_observed():
    texts = {"/etc/nsswitch.conf": "hosts: files dns\n", "/etc/hosts": f"{GOOD} {APP}\n"}
    host = reading(lambda path: texts[path])
    assert SwitchQuery().observe(host).services == ("files", "dns")
    assert HostsQuery(name=APP).observe(host).addresses == (GOOD,)
    assert HostsQuery(name=API).observe(host).addresses == ()
    assert APP in render(HostsQuery(name=APP).asks()) and render(SwitchQuery().asks())


@pytest.mark.parametrize("error", [FileNotFoundError, NotADirectoryError])
def test_no_file_is_a_fact(error):
    host = reading(error("gone"))
    assert SwitchQuery().observe(host).services is None
    assert HostsQuery(name=APP).observe(host).addresses == ()


def test_a_closed_file_is_not():
    with pytest.raises(PermissionError):
        SwitchQuery().observe(reading(PermissionError("closed")))
    with pytest.raises(PermissionError):
        HostsQuery(name=APP).observe(reading(PermissionError("closed")))


MDNS = "files mdns4_minimal [NOTFOUND=return] dns"


@pytest.mark.parametrize(
    ("line", "names", "outcome", "words"),
    [
        ("files dns", (APP,), MET, "read first"),
        ("files resolve [!UNAVAIL=return] dns", (APP,), MET, "read first"),
        ("files myhostname resolve", (APP,), MET, "read first"),
        (MDNS, (APP,), MET, "read first"),
        (MDNS, (APP, "app.local"), UNMET, "app.local"),
        (MDNS, ("APP.Local.",), UNMET, "multicast"),
        ("files mdns4_minimal dns", ("app.local",), MET, "read first"),
        ("files dns [NOTFOUND=return] mdns4", ("app.local",), MET, "read first"),
        ("files dns mdns4 [NOTFOUND=return]", ("app.local",), MET, "read first"),
        ("mdns4 [NOTFOUND=return] files dns", ("app.local",), UNMET, "multicast"),
        ("files nis [NOTFOUND=return] dns", ("app.local",), MET, "read first"),
        ("files mdns4 [notfound=return]", ("app.local",), UNMET, "Nothing in this line asks DNS. Names in .local"),
        ("dns files", (APP,), UNMET, "before the hosts file"),
        ("dns", (APP,), UNMET, "before the hosts file"),
        ("resolve files dns", (APP,), UNMET, "before the hosts file"),
        ("files", (APP,), UNMET, "Nothing in this line asks DNS"),
        ("", (APP,), UNMET, "Nothing in this line asks DNS"),
        (None, (APP,), NOT_APPLICABLE, "built into"),
    ],
)
def test_order(line, names, outcome, words):
    verdict = order(*names).judge(switch(line))
    assert verdict.outcome is outcome and words in render(verdict.because)
    if outcome is UNMET:
        assert "nsswitch.conf" in render(verdict.fix) and line in render(verdict.seen)


def test_names_elsewhere_are_not_named():
    assert APP not in render(order(APP, "app.local").judge(switch(MDNS)).because)


def test_order_asks_one_file():
    assert order().queries(Evidence()) == [SwitchQuery()]
    assert "files" in render(order().wanted())


@pytest.mark.parametrize(
    ("given", "each", "outcome", "words"),
    [
        ([], ([GOOD],), MET, "Not one"),
        ([], (), MET, "Not one"),
        ([GOOD], ([GOOD],), MET, "the same"),
        ([GOOD], ([GOOD, OTHER],), MET, "the same"),
        (["2001:db8:0::1"], (["2001:db8::1"],), MET, "the same"),
        ([GOOD, OTHER], ([GOOD],), UNMET, APP),
        ([OTHER], ([GOOD],), UNMET, APP),
        ([OTHER], (Code.DNS_NXDOMAIN,), UNMET, APP),
        ([OTHER], (Code.DNS_NODATA,), UNMET, APP),
        ([GOOD], ([GOOD], [OTHER]), UNMET, APP),
        ([GOOD], ([GOOD], Code.DNS_TIMEOUT), MET, "the same"),
        ([GOOD], (Code.DNS_TIMEOUT,), UNKNOWN, APP),
        ([GOOD], (Code.DNS_SERVFAIL, Code.DNS_REFUSED), UNKNOWN, APP),
        ([GOOD], (), UNKNOWN, APP),
    ],
)
def test_hosts_file(given, each, outcome, words):
    verdict = agrees().judge(entries(given, *each))
    assert verdict.outcome is outcome and words in render(verdict.because)
    if given:
        assert given[0] in render(verdict.seen)


def test_what_is_wrong_comes_before_what_is_unknown():
    pairs = [
        (NameserversQuery(), NameserversFact(servers=(ONE,), configured=True)),
        (HostsQuery(name=API), HostsFact(addresses=(GOOD,))),
        (HostsQuery(name=APP), HostsFact(addresses=(GOOD,))),
        (NameQuery(name=API, server=ONE), NameFact(resolved=Resolved(API, ONE, (), "", Code.DNS_TIMEOUT, 0.1))),
        (NameQuery(name=APP, server=ONE), NameFact(resolved=Resolved(APP, ONE, (OTHER,), "", None, 0.1))),
    ]
    verdict = agrees(API, APP).judge(known(pairs))
    assert verdict.outcome is UNMET and API not in render(verdict.because) and APP in render(verdict.fix)


def test_only_listed_names_are_looked_up():
    requirement = agrees(APP, API)
    first = [NameserversQuery(), HostsQuery(name=APP), HostsQuery(name=API)]
    assert requirement.queries(Evidence()) == first
    pairs = [
        (NameserversQuery(), NameserversFact(servers=(ONE, TWO), configured=True)),
        (HostsQuery(name=APP), HostsFact(addresses=())),
    ]
    assert requirement.queries(known(pairs)) == first
    pairs.append((HostsQuery(name=API), HostsFact(addresses=(GOOD,))))
    assert requirement.queries(known(pairs)) == [*first, *(NameQuery(name=API, server=s) for s in (ONE, TWO))]
    assert requirement.then() is not None and render(requirement.wanted())


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        order().judge(known([(SwitchQuery(), Unseen(reason))]))
    with pytest.raises(NotSeen):
        agrees().judge(entries(Unseen(reason), [GOOD]))


def test_judging_is_pure(no_io):
    requirement, evidence = agrees(), entries([GOOD], [GOOD])
    with no_io():
        requirement.judge(evidence)
        order().judge(switch("files dns"))
