"""(demand, fact) -> verdict: will Windows, Java, browsers and strict Python accept the chain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from areas.asking import judge
from areas.certificate_facts import CERT, ROOT, certificate, evidence, file
from conftest import header
from lab import authority
from vorflug.areas.tls_clients import ClientTrustRequirement, StrictChainRequirement
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.files import LiveFiles
from vorflug.model.certificate_files import CertificateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import Content, Refusal

ALONE = {"root": None, "refusal": Refusal(0, 20, "unable to get local issuer certificate")}


def clients(**fields):
    return ClientTrustRequirement.model_validate(header(**{"certificate": CERT} | fields))


def strict(**fields):
    return StrictChainRequirement.model_validate(header(**{"certificate": CERT} | fields))


LEAF = certificate(issuer_urls=("http://pki.corp.example/ca.crt",))


@pytest.mark.parametrize(
    ("seen", "fields", "outcome", "says"),
    [
        (file(LEAF, public=True), {}, Outcome.MET, "public root, which Windows, browsers and Java"),
        (file(LEAF, public=True, root=None), {}, Outcome.MET, "public root"),
        (file(LEAF), {"clients_have_root": True}, Outcome.MET, "root CN=Corp Root; the site file says"),
        (file(LEAF), {}, Outcome.UNKNOWN, "root CN=Corp Root. Whether the clients hold it cannot be seen"),
        (file(LEAF, **ALONE), {"clients_have_root": True}, Outcome.UNMET, "Java, Python, curl and Go do not"),
        (file(certificate(), **ALONE), {}, Outcome.UNMET, "so no client completes the chain"),
        (file(LEAF, filled=(ROOT,)), {}, Outcome.UNMET, "could be fetched from http://pki.corp.example/ca.crt"),
        (file(certificate(issuer_at=0), **ALONE), {}, Outcome.UNMET, "signed by itself"),
        (file(LEAF, root=None, refusal=Refusal(1, 79, "invalid CA certificate")), {}, Outcome.UNMET, "invalid CA"),
    ],
)
def test_who_trusts_it(no_io, seen, fields, outcome, says):
    demand, answers = clients(**fields), evidence(seen)
    with no_io():
        verdict = demand.judge(answers)
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert (verdict.cause is None) == (outcome is not Outcome.UNMET)


def test_who_fetches_is_only_said_of_a_chain_that_ends_too_early():
    for seen in (file(certificate(issuer_at=0), **ALONE), file(LEAF, root=None, refusal=Refusal(1, 79, "x"))):
        said = render(clients().judge(evidence(seen)).because)
        assert "fetched" not in said and "completes" not in said


def test_how_each_client_gets_a_corporate_root():
    fix = render(clients().judge(evidence(file(LEAF))).fix)
    for words in ("group policy", "keytool -importcert -cacerts", "security.enterprise_roots.enabled", "CN=Corp Root"):
        assert words in fix


def test_the_root_that_is_shown():
    assert "root CN=Corp Root" in render(clients().judge(evidence(file(LEAF))).seen)
    assert "root CN=Corp CA" in render(clients().judge(evidence(file(LEAF, **ALONE))).seen)


@pytest.mark.parametrize(
    ("seen", "outcome", "says"),
    [
        (file(LEAF), Outcome.MET, "find nothing"),
        (
            file(LEAF, strict=Refusal(1, 92, "CA cert does not include key usage extension")),
            Outcome.UNMET,
            "certificate 2",
        ),
        (file(LEAF, **ALONE), Outcome.UNKNOWN, "neither in the file nor a root"),
        (file(LEAF, root=None, public=True), Outcome.UNKNOWN, "store does not hold the root"),
    ],
)
def test_strict(seen, outcome, says):
    verdict = strict().judge(evidence(seen))
    assert verdict.outcome is outcome and says in render(verdict.because)
    if outcome is Outcome.UNMET:
        assert "does not include key usage" in render(verdict.because) and "Python from 3.13" in render(verdict.because)
        assert "RFC 5280" in render(verdict.fix)
    assert (verdict.cause is not None) == ("neither in" in says)


@pytest.mark.parametrize("demand", [clients(), strict()])
def test_what_is_no_certificate_file(demand):
    assert render(demand.judge(evidence(None)).because) == f"There is no file {CERT}."
    assert demand.judge(evidence(file(LEAF, content=Content.DER))).outcome is Outcome.UNMET
    assert demand.judge(evidence(file())).outcome is Outcome.UNMET
    for reason in Reason:
        with pytest.raises(NotSeen):
            demand.judge(Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))]))
    assert render(demand.wanted())


def test_from_files(tmp_path):
    host = SimpleNamespace(certificates=LiveCertificates(Store(None, None)), files=LiveFiles())
    root, middle = authority.root(), authority.intermediate()
    leaf = authority.issue(authority.HOST, middle)
    bare = authority.issue(authority.HOST, middle, bare=True)
    for name, parts in {"root": (root,), "tls": (leaf, middle), "bare": (bare, middle), "leaf": (leaf,)}.items():
        (tmp_path / f"{name}.pem").write_bytes(b"".join(one.pem() for one in parts))

    def at(name):
        return {"certificate": str(tmp_path / f"{name}.pem"), "ca_file": str(tmp_path / "root.pem")}

    assert judge(clients(**at("tls")), host).outcome is Outcome.UNKNOWN
    assert judge(clients(**at("tls"), clients_have_root=True), host).outcome is Outcome.MET
    assert judge(clients(**at("leaf"), clients_have_root=True), host).outcome is Outcome.UNMET
    assert judge(strict(**at("tls")), host).outcome is Outcome.MET
    verdict = judge(strict(**at("bare")), host)
    assert verdict.outcome is Outcome.UNMET and "certificate 1" in render(verdict.because)
