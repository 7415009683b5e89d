"""The corporate root in the host's store, and other machines' certificates: tables, real files, a real TLS server."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme

from areas.asking import ask, judge
from areas.registry_server import running
from areas.traces import certificate, http, known, tls, trace
from conftest import FakePort, fake_host, header
from vorflug.areas.trust import AnchorQuery, RemoteCertificateRequirement, TrustAnchorRequirement
from vorflug.host.live import Patience
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.net import LiveNet
from vorflug.model.date import DateFact, DateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import AnchorFile, Content


@pytest.fixture(scope="module")
def corp():
    return trustme.CA(organization_name="Corp Root")


@pytest.fixture
def pem(tmp_path, corp):
    path = tmp_path / "corp.pem"
    path.write_bytes(corp.cert_pem.bytes())
    return str(path)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def anchor(path):
    return TrustAnchorRequirement.model_validate(header(ca_file=path))


def remote(url, **fields):
    return RemoteCertificateRequirement.model_validate(header(**{"url": url, "valid_for": "10 d"} | fields))


def host(store=None):
    return SimpleNamespace(certificates=LiveCertificates(Store(store, None)), net=LiveNet(Patience(8)))


def test_the_root_is_in_the_store(pem):
    assert judge(anchor(pem), host(pem)).outcome is Outcome.MET


def test_the_root_is_not_in_the_store(tmp_path, pem):
    store = tmp_path / "store.pem"
    store.write_bytes(trustme.CA(organization_name="Somebody Else").cert_pem.bytes())
    verdict = judge(anchor(pem), host(str(store)))
    assert verdict.outcome is Outcome.UNMET
    assert "Corp Root" in render(verdict.because) and "update-ca" in render(verdict.fix)
    about = anchor(pem).about(ask(anchor(pem), host(str(store))))
    assert verdict.cause is not None and verdict.cause == about
    assert anchor(pem).about(ask(anchor(pem), host(pem))) is None


def test_a_connection_that_ends_at_the_missing_root_has_the_same_cause(tmp_path, pem, corp):
    store = tmp_path / "store.pem"
    store.write_bytes(trustme.CA(organization_name="Somebody Else").cert_pem.bytes())
    here = SimpleNamespace(
        certificates=LiveCertificates(Store(str(store), None)),
        net=LiveNet(Patience(8), environ={"SSL_CERT_FILE": str(store)}),
    )
    with running(corp) as server:
        verdict = judge(remote(f"https://{server.place}/"), here)
    assert verdict.cause == anchor(pem).about(ask(anchor(pem), here)) is not None


def test_a_root_that_nobody_named_is_no_verdict():
    verdict = judge(anchor(None), host())
    assert verdict.outcome is Outcome.UNKNOWN and anchor(None).about(Evidence()) is None
    assert (verdict.cause.kind, verdict.cause.subject) == ("parameter.missing", "pki.ca_file")


def test_no_store_is_no_verdict(pem):
    assert judge(anchor(pem), host()).outcome is Outcome.UNKNOWN


def test_a_server_certificate_is_no_root(tmp_path, corp, pem):
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(corp.issue_cert("a.example").cert_chain_pems[0].bytes())
    verdict = judge(anchor(str(leaf)), host(pem))
    assert verdict.outcome is Outcome.UNMET and "no certificate of an authority" in render(verdict.because)


@pytest.mark.parametrize("answer", [FileNotFoundError(), AnchorFile(Content.KEY, (), "/s", "2026-01-01T00:00:00Z")])
def test_no_certificates(answer):
    verdict = judge(anchor("/x.pem"), fake_host(certificates=FakePort(anchors=answer)))
    assert verdict.outcome is Outcome.UNMET and "/x.pem" in render(verdict.because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        anchor("/x").judge(Evidence([Observation(AnchorQuery(path="/x"), Unseen(reason))]))
    with pytest.raises(NotSeen):
        remote("https://x/").judge(Evidence([Observation(DateQuery(), Unseen(reason))]))


# ---- another machine -------------------------------------------------------------------------------------------------


def test_a_certificate_that_lasts(corp, pem):
    with running(corp, not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=20)) as server:
        url = f"https://{server.place}/v2/"
        assert judge(remote(url, ca_file=pem), host()).outcome is Outcome.MET
        verdict = judge(remote(url, ca_file=pem, valid_for="30 d"), host())
        assert verdict.outcome is Outcome.UNMET and "Renew" in render(verdict.fix)
        assert judge(remote(url, ca_file=pem, issuers=["corp root"]), host()).outcome is Outcome.MET
        other = judge(remote(url, ca_file=pem, issuers=["DigiCert", "ISRG"]), host())
        assert other.outcome is Outcome.UNMET and other.cause.kind == "tls.intercepted"
        assert "Corp Root" in render(other.because)


def test_what_a_server_appends_is_not_the_authority():
    seen = replace(tls(issuer="CN=Corp Root"), chain=(certificate("CN=Corp Root"), certificate("CN=DigiCert Root")))
    demand = remote("https://service.lab.test/", issuers=["DigiCert"])
    asked = next(q for q in demand.queries(Evidence()) if not isinstance(q, DateQuery))
    facts = [
        (asked, TraceFact(trace=trace(tls=seen, http=http()))),
        (DateQuery(), DateFact(now="2026-06-01T00:00:00Z")),
    ]
    verdict = demand.judge(known(facts))
    assert verdict.outcome is Outcome.UNMET and "leads to CN=Corp Root" in render(verdict.because)


def test_an_expired_certificate(corp, pem):
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    with running(corp, not_after=then, not_before=then - dt.timedelta(days=30)) as server:
        verdict = judge(remote(f"https://{server.place}/", ca_file=pem), host())
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == "tls.expired"


def test_an_authority_that_nobody_knows(corp):
    with running(corp) as server:
        verdict = judge(remote(f"https://{server.place}/"), host())
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind.startswith("tls.")


def test_nobody_there():
    verdict = judge(remote("https://127.0.0.1:1/"), host())
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == "tcp.refused"
