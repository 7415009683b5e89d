"""(demand, fact) -> verdict for the product's own chain, and the whole way from real files."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme

from areas.asking import judge
from areas.certificate_facts import CERT, ROOT, certificate, evidence, file
from conftest import header
from vorflug.areas.tls_chain import OwnChainRequirement
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.files import LiveFiles
from vorflug.model.certificate_files import CertificateFact, CertificateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import Content, Refusal

NO_ISSUER = Refusal(0, 20, "unable to get local issuer certificate")
ALONE = {"root": None, "refusal": NO_ISSUER}


def chain(**fields):
    return OwnChainRequirement.model_validate(header(**{"certificate": CERT} | fields))


def of(issuers, **change):
    """A chain whose certificate *n* is signed by ``issuers[n]``; all but the first are authorities."""
    names = ("CN=app", "CN=A", "CN=B", "CN=C")
    return file(*(certificate(issuer_at=i, is_ca=n > 0, subject=names[n]) for n, i in enumerate(issuers)), **change)


@pytest.mark.parametrize(
    ("issuers", "fields", "change", "says"),
    [
        ((1, None), {}, {}, None),
        ((None,), {}, {}, None),
        ((1, 2, 2), {}, {}, "holds the root (CN=B) as well"),
        ((1, 2, 2), {"with_root": True}, {}, None),
        ((0,), {}, {}, "signed by itself"),
        ((2, None, 1), {}, {}, "Wrong order: certificate 1 (CN=app) is signed by certificate 3"),
        ((1, 3, None, 2), {}, {}, "Wrong order: certificate 2 (CN=A) is signed by certificate 4"),
        ((None, None), {}, {}, "Certificate 2 (CN=A) does not belong to the chain"),
        ((None, None), {}, {"public": True} | ALONE, "Certificate 2 (CN=A) does not belong"),
        (
            (None, None),
            {},
            ALONE,
            "Certificate 1 (CN=app) is not signed by the next one; its issuer, CN=Corp CA, is not",
        ),
        ((1, None, None), {}, ALONE, "Certificate 2 (CN=A) is not signed by the next one"),
        ((2, None, None), {}, ALONE, "Certificate 2 (CN=A) does not belong"),
        ((1, None, None), {}, {}, "Certificate 3 (CN=B) does not belong to the chain"),
        ((None,), {}, ALONE, "neither in the file nor a root"),
        ((1, None), {}, ALONE, "neither in the file nor a root"),
        ((1, 1), {"with_root": True}, ALONE, "ends at the root CN=A in the file, which no store"),
        (
            (1, None),
            {},
            {"root": None, "refusal": Refusal(1, 79, "invalid CA certificate")},
            "refuses certificate 2 on",
        ),
        ((1, None), {}, {"root": replace(ROOT, not_after="2026-05-31T00:00:00Z")}, "Root expired on 2026-05-31"),
        ((1, None), {}, {"root": replace(ROOT, not_before="2026-06-02T00:00:00Z")}, "valid only from 2026-06-02"),
        ((None,), {}, {"filled": (replace(ROOT, subject="CN=Corp CA"),)}, "The file lacks CN=Corp CA: only a store"),
    ],
)
def test_own_chain(no_io, issuers, fields, change, says):
    seen, demand = evidence(of(issuers, **change)), chain(**fields)
    with no_io():
        verdict = demand.judge(seen)
    assert verdict.outcome is (Outcome.MET if says is None else Outcome.UNMET)
    assert says is None or says in render(verdict.because)
    assert (verdict.fix is None) == (says is None)


def test_what_the_met_chain_says():
    said = [
        render(chain().judge(evidence(one)).because)
        for one in (of((1, None)), of((None,)), of((None,), root=None, public=True))
    ]
    assert said == [
        "2 certificates, each signed by the next, lead to a root that is known here.",
        "The certificate was issued by a root that is known here.",
        "The chain leads to a public root; this machine's own store does not hold it.",
    ]


def test_the_same_certificate_twice():
    once = certificate(issuer_at=2)
    again, middle = replace(once), certificate(issuer_at=None, is_ca=True)
    seen = file(once, again, replace(middle, seen=replace(middle.seen, sha256="02")), same=True)
    verdict = chain().judge(evidence(seen))
    assert render(verdict.because) == "Certificate 2 (CN=app) is the same as certificate 1."
    assert "first the server's certificate" in render(verdict.fix)


def test_an_authority_first_is_no_server_s_certificate():
    seen = file(certificate(is_ca=True), certificate(issuer_at=0))
    assert "that of an authority" in render(chain().judge(evidence(seen)).because)


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        (
            ("http://pki.corp.example/a.crt",),
            "fetched from http://pki.corp.example/a.crt: Windows (Edge, Chrome, .NET)",
        ),
        ((), "names no address from which its issuer could be fetched"),
    ],
)
def test_a_missing_issuer_and_who_fetches_it(urls, says):
    seen = evidence(file(certificate(issuer_urls=urls), **ALONE))
    verdict = chain().judge(seen)
    assert "neither in the file" in render(verdict.because) and says in render(verdict.because)
    assert verdict.cause == chain().about(seen) and verdict.cause.kind == "tls.missing_intermediate"
    assert "If CN=Corp CA is an intermediate, append it to /etc/app/tls.crt" in render(verdict.fix)


def test_what_the_chain_is_about():
    assert chain().about(evidence(None)) is None
    assert chain().about(evidence(of((1, None)))) is None
    assert chain().about(evidence(of((0,), **ALONE))) is None  # the certificate's own requirement is about that
    refused = of((1, None), root=None, refusal=Refusal(1, 24, "invalid CA certificate"))
    assert chain().about(evidence(refused)).kind == "tls.chain_refused"
    assert "issue the certificates of /etc/app/tls.crt again" in render(chain().judge(evidence(refused)).fix)


@pytest.mark.parametrize(
    ("middle", "says"),
    [
        ({"not_after": "2026-05-28T00:00:00Z"}, "CN=Middle expired on 2026-05-28"),
        ({"not_before": "2026-06-02T00:00:00Z"}, "valid only from 2026-06-02"),
        ({"not_after": "2026-06-02T12:00:00Z"}, None),
        ({"key_bits": 1024}, None),
    ],
)
def test_the_dates_of_an_intermediate(middle, says):
    above = certificate(**{"subject": "CN=Middle", "is_ca": True} | middle)
    verdict = chain().judge(evidence(file(certificate(issuer_at=1), above)))
    assert verdict.outcome is (Outcome.MET if says is None else Outcome.UNMET)
    assert says is None or says in render(verdict.because)


@pytest.mark.parametrize("content", [c for c in Content if c is not Content.CERTIFICATES])
def test_a_file_of_something_else(content):
    verdict = chain().judge(evidence(file(*([certificate()] if content is Content.DER else []), content=content)))
    assert verdict.outcome is Outcome.UNMET and CERT in render(verdict.because) and verdict.fix is not None


def test_no_file_and_no_certificate():
    assert render(chain().judge(evidence(None)).because) == f"There is no file {CERT}."
    assert "holds certificates, not" in render(chain().judge(evidence(file())).because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        chain().judge(Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))]))


def test_wanted_says_whether_the_root_may_be_there():
    assert render(chain().wanted()).endswith("in order, without the root")
    assert render(chain(with_root=True).wanted()).endswith("in order")


@pytest.mark.parametrize("named", [True, False])
def test_the_missing_file_of_the_corporate_root_is_what_is_named(named):
    fact = CertificateFact(file=of((None,)), ca_file_missing=True)
    path = "/etc/root.pem" if named else None
    seen = Evidence([Observation(CertificateQuery(path=CERT, ca_file=path), Seen(fact))])
    assert chain(ca_file=path).judge(seen).outcome is (Outcome.UNMET if named else Outcome.MET)


def test_a_stale_corporate_root_is_replaced_in_its_own_file_else_in_the_store():
    old = of((None,), root=replace(ROOT, not_after="2026-05-31T00:00:00Z"))
    assert "into /etc/root.pem" in render(
        chain(ca_file="/etc/root.pem").judge(evidence(old, ca_file="/etc/root.pem")).fix
    )
    assert "into /store" in render(chain().judge(evidence(old)).fix)


# ---- from real files -------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    root = trustme.CA(organization_name="Corp Root")
    middle = root.create_child_ca()
    leaf = middle.issue_cert("app.corp.example", not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=90))
    (tmp_path / "root.pem").write_bytes(root.cert_pem.bytes())
    (tmp_path / "bundle.pem").write_bytes(root.cert_pem.bytes() + middle.cert_pem.bytes())
    (tmp_path / "tls.crt").write_bytes(b"".join(p.bytes() for p in leaf.cert_chain_pems))
    (tmp_path / "leaf.crt").write_bytes(leaf.cert_chain_pems[0].bytes())
    return tmp_path, SimpleNamespace(certificates=LiveCertificates(Store(None, None)), files=LiveFiles())


def test_from_files(site):
    folder, host = site
    whole, leaf, root = (str(folder / name) for name in ("tls.crt", "leaf.crt", "root.pem"))
    assert judge(chain(certificate=whole), host).outcome is Outcome.UNMET
    assert judge(chain(certificate=whole, ca_file=root), host).outcome is Outcome.MET
    assert judge(chain(certificate=leaf, ca_file=root), host).outcome is Outcome.UNMET


def test_an_intermediate_that_only_the_file_of_the_root_holds_is_missing_all_the_same(site):
    """Clients hold the root alone: that this machine finds its way proves nothing for them."""
    folder, host = site
    verdict = judge(chain(certificate=str(folder / "leaf.crt"), ca_file=str(folder / "bundle.pem")), host)
    assert verdict.outcome is Outcome.UNMET and "The file lacks" in render(verdict.because)
    assert (
        judge(chain(certificate=str(folder / "tls.crt"), ca_file=str(folder / "bundle.pem")), host).outcome
        is Outcome.MET
    )


def test_a_missing_corporate_root_is_named_as_what_is_missing(site):
    folder, host = site
    verdict = judge(chain(certificate=str(folder / "tls.crt"), ca_file=str(folder / "gone.pem")), host)
    assert verdict.outcome is Outcome.UNMET and "gone.pem" in render(verdict.because)
    assert (
        judge(chain(certificate=str(folder / "gone.crt"), ca_file=str(folder / "root.pem")), host).outcome
        is Outcome.UNMET
    )
