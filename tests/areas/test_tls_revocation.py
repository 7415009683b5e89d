"""(demand, fact) -> verdict: are the addresses for revocation reached, and which of them are asked at all."""

from __future__ import annotations

import pytest

from areas.asking import ask
from areas.certificate_facts import CERT, certificate, evidence, file
from areas.traces import http, known, trace
from conftest import FakePort, fake_host, header
from vorflug.areas.tls_revocation import RevocationReachableRequirement
from vorflug.model.certificate_files import CertificateFact, CertificateQuery
from vorflug.model.evidence import NotSeen
from vorflug.model.message import render
from vorflug.model.probing import RequestQuery, TraceFact
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.certificates import Content
from vorflug.ports.net import Code, Stage

OCSP, LIST = "http://ocsp.corp.example/", "http://pki.corp.example/ca.crl"
FILE = file(certificate(revocation_urls=(OCSP, LIST)))


def demand(**fields):
    return RevocationReachableRequirement.model_validate(header(certificate=CERT, **fields))


def answers(*traces, seen=FILE, proxy=None):
    facts = [t if isinstance(t, Unseen) else TraceFact(trace=t) for t in traces]
    asked = [RequestQuery(url=url, proxy=proxy) for url in (OCSP, LIST)]
    certificates = (CertificateQuery(path=CERT), CertificateFact(file=seen))
    return known([certificates, *zip(asked, facts, strict=False)])


GOOD, BLOCKED = trace(http=http(405)), trace(Code.TCP_TIMEOUT, Stage.CONNECT, host="pki.corp.example", port=80)
UNSEEN = Unseen(Reason.TIMEOUT)


@pytest.mark.parametrize(
    ("traces", "outcome", "says"),
    [
        ((GOOD, GOOD), Outcome.MET, f"reaches {OCSP} and {LIST}"),
        ((GOOD, BLOCKED), Outcome.UNMET, "pki.corp.example"),
        ((BLOCKED, BLOCKED), Outcome.UNMET, "pki.corp.example"),
        ((UNSEEN, BLOCKED), Outcome.UNMET, "pki.corp.example"),
    ],
)
def test_reached(no_io, traces, outcome, says):
    asked, seen = demand(), answers(*traces)
    with no_io():
        verdict = asked.judge(seen)
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert (verdict.fix is None) == (verdict.cause is None) == (outcome is Outcome.MET)
    assert render(verdict.seen) == f"{OCSP} and {LIST}"


@pytest.mark.parametrize("traces", [(GOOD, UNSEEN), (UNSEEN, UNSEEN)])
def test_what_could_not_be_looked_at_is_no_pass(traces):
    with pytest.raises(NotSeen):
        demand().judge(answers(*traces))


def test_by_the_proxy_that_is_named():
    assert (
        demand(proxy="http://proxy:3128").judge(answers(GOOD, GOOD, proxy="http://proxy:3128")).outcome is Outcome.MET
    )


def test_they_are_asked_once_the_certificates_are_known():
    assert demand().queries(known([])) == [CertificateQuery(path=CERT)]
    assert demand().queries(evidence(None)) == [CertificateQuery(path=CERT)]
    host = fake_host(certificates=FakePort(read=FILE), net=FakePort(probe=GOOD))
    seen = ask(demand(), host)
    assert demand().judge(seen).outcome is Outcome.MET
    assert CERT in render(demand().then()) and "OCSP" in render(demand().wanted())


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1./",
        "http://localhost/",
        "http://a.localhost/",
        "http://user@pki.example/",
        "http://pki.example/a@b",
        "http://pki.example/a b",
        "ldap://pki.example/cn=ca",
        "ftp://pki.example/",
        "http:///",
        "http://./",
        "http://pki.example/\\u001b…",
    ],
)
def test_what_is_never_asked(url):
    seen = evidence(file(certificate(revocation_urls=(url,))))
    assert demand().queries(seen) == [CertificateQuery(path=CERT)]
    verdict = demand().judge(seen)
    assert verdict.outcome is Outcome.NOT_APPLICABLE and "no address for revocation" in render(verdict.because)


@pytest.mark.parametrize(
    "url", ["https://pki/", "http://pki.example:8080/a?b", "http://pki.example", "http://pki.example./"]
)
def test_what_is_asked(url):
    assert demand().queries(evidence(file(certificate(revocation_urls=(url,)))))[1:] == [RequestQuery(url=url)]


def test_of_the_chain_without_its_root_each_address_once_and_not_too_many():
    many = tuple(f"http://a.example/{n}" for n in range(5))
    middle = certificate(issuer_at=2, revocation_urls=(OCSP, "http://m1.example/", "http://m2.example/"))
    root = certificate(issuer_at=2, revocation_urls=("http://root.example/",))
    short = file(certificate(issuer_at=1, revocation_urls=(OCSP,)), middle, root)
    asked = [q.url for q in demand().queries(evidence(short))[1:]]
    assert asked == [OCSP, "http://m1.example/", "http://m2.example/"]
    long = file(certificate(issuer_at=1, revocation_urls=many), middle, root)
    assert len(demand().queries(evidence(long))[1:]) == 6


def test_what_is_no_certificate_file():
    assert demand().judge(evidence(None)).outcome is Outcome.UNMET
    assert demand().judge(evidence(file(content=Content.DER))).outcome is Outcome.UNMET
    with pytest.raises(NotSeen):
        demand().judge(known([(CertificateQuery(path=CERT), UNSEEN)]))
