"""(demand, fact) -> verdict: what certificates may be used for, and keys and signatures by a norm."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from areas.asking import judge
from areas.certificate_facts import CERT, EC, certificate, evidence, file
from conftest import header
from lab import authority
from vorflug.areas.tls_norm import CertificateNormRequirement, CertificateUsesRequirement
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.files import LiveFiles
from vorflug.model.certificate_files import CertificateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import KeyKind


def uses():
    return CertificateUsesRequirement.model_validate(header(certificate=CERT))


def norm(**fields):
    demand = {
        "certificate": CERT,
        "fqdn": "app.corp.example",
        "norm": "BSI TR-02102-2, 2026-01",
        "rsa_bits": 3000,
        "curves": ["secp256r1", "brainpoolP256r1"],
        "hashes": ["sha256", "sha384"],
        "paddings": ["pss"],
    }
    return CertificateNormRequirement.model_validate(header(**demand | fields))


def authority_of(**changes):
    said = {"subject": "CN=Middle", "is_ca": True, "uses": None, "key_usage": ("keyCertSign", "cRLSign")}
    return certificate(**said | changes)


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        ({}, None),
        ({"key_usage": None}, None),
        ({"key_usage": ("keyEncipherment", "digitalSignature")}, None),
        ({"key_usage": ("keyEncipherment",)}, "without digitalSignature, which TLS 1.3 wants"),
        ({"key_usage": ()}, "without digitalSignature"),
        ({"uses": None}, "Apple's devices want serverAuth"),
        ({"uses": ("any",)}, None),
    ],
)
def test_the_server_s_uses(no_io, leaf, says):
    demand, seen = uses(), evidence(file(certificate(**leaf)))
    with no_io():
        verdict = demand.judge(seen)
    assert verdict.outcome is (Outcome.MET if says is None else Outcome.UNMET)
    assert says is None or (says in render(verdict.because) and verdict.fix is not None)


@pytest.mark.parametrize(
    ("middle", "says"),
    [
        ({}, None),
        ({"key_usage": None}, None),
        ({"is_ca": False}, "CN=Middle signed another certificate of the chain, but is no authority"),
        ({"key_usage": ("digitalSignature",)}, "CN=Middle is an authority whose key usage lacks keyCertSign"),
        ({"for_servers": False}, "extended key usage lacks serverAuth"),
        ({"path_length": 0}, None),
    ],
)
def test_the_authority_s_uses(middle, says):
    verdict = uses().judge(evidence(file(certificate(issuer_at=1), authority_of(**middle))))
    assert verdict.outcome is (Outcome.MET if says is None else Outcome.UNMET)
    assert says is None or (says in render(verdict.because) and "Ask the PKI team" in render(verdict.fix))


@pytest.mark.parametrize(("length", "outcome"), [(0, Outcome.UNMET), (1, Outcome.MET), (None, Outcome.MET)])
def test_how_many_authorities_one_allows_below_itself(length, outcome):
    upper = authority_of(subject="CN=Upper", path_length=length)
    verdict = uses().judge(evidence(file(certificate(issuer_at=1), authority_of(issuer_at=2), upper)))
    assert verdict.outcome is outcome
    assert (
        outcome is Outcome.MET
        or "CN=Upper allows 0 authorities between itself and a server; there are 1." in render(verdict.because)
    )


def test_what_a_root_says_of_itself_does_not_count_nor_what_a_stranger_says():
    root = certificate(issuer_at=1, subject="CN=Root", is_ca=False, key_usage=(), for_servers=False)
    stranger = authority_of(is_ca=False)
    assert uses().judge(evidence(file(certificate(issuer_at=1), root, stranger))).outcome is Outcome.MET


P384 = EC | {"curve": "secp384r1", "key": "EC secp384r1"}
BRAINPOOL = EC | {"curve": "brainpoolP256r1", "key": "EC brainpoolP256r1"}


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        ({"key_bits": 3000, "key": "RSA 3000"}, None),
        (
            {"key_bits": 2999, "key": "RSA 2999"},
            "The key of CN=app is RSA 2999; BSI TR-02102-2, 2026-01 recommends RSA",
        ),
        (EC, None),
        (P384, "secp384r1"),
        (BRAINPOOL, None),
        ({"key_kind": KeyKind.ED25519, "key": "Ed25519", "signature": ""}, "Ed25519"),
        (
            EC | {"signature": "sha1"},
            "CN=app is signed over sha1; BSI TR-02102-2, 2026-01 recommends sha256 or sha384.",
        ),
        (EC | {"signature": ""}, None),
        (EC | {"padding": "pkcs1v15"}, "The RSA signature of CN=app is padded as pkcs1v15"),
        (EC | {"padding": "pss"}, None),
    ],
)
def test_the_norm(no_io, leaf, says):
    demand, seen = norm(), evidence(file(certificate(**leaf)))
    with no_io():
        verdict = demand.judge(seen)
    said = render(verdict.because)
    assert verdict.outcome is (Outcome.MET if says is None else Outcome.UNMET)
    assert says is None or (says in said and "Ask the PKI team for: a TLS server certificate" in render(verdict.fix))
    assert "Not judged here: TLS versions and cipher suites" in said
    assert ("browsers do not know" in said) is (leaf == BRAINPOOL)


def test_padding_may_be_allowed():
    old = EC | {"padding": "pkcs1v15"}
    assert norm(paddings=["pss", "pkcs1v15"]).judge(evidence(file(certificate(**old)))).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("chain", "outcome"),
    [
        ((certificate(**EC, issuer_at=1), authority_of(**EC)), Outcome.MET),
        ((certificate(**EC, issuer_at=1), authority_of(key_bits=2048)), Outcome.UNMET),
        ((certificate(**EC, issuer_at=1), authority_of(**EC | {"signature": "sha1"})), Outcome.UNMET),
        # a root is not held to it, a stranger neither, but a server's certificate that signed itself is
        ((certificate(**EC, issuer_at=1), authority_of(key_bits=2048, issuer_at=1)), Outcome.MET),
        ((certificate(**EC), authority_of(key_bits=2048)), Outcome.MET),
        ((certificate(issuer_at=0, key_bits=2048),), Outcome.UNMET),
    ],
)
def test_all_that_the_server_sends_is_held_to_the_norm(chain, outcome):
    assert norm().judge(evidence(file(*chain))).outcome is outcome


def test_what_is_seen():
    seen = file(certificate(**EC, issuer_at=1), authority_of(key="Ed25519", signature="", padding=""))
    assert render(norm().judge(evidence(seen)).seen) == "CN=app: EC secp256r1, sha256 and CN=Middle: Ed25519, -"
    rsa = render(norm().judge(evidence(file(certificate()))).seen)
    assert rsa == "CN=app: RSA 2048, sha256 pss"


@pytest.mark.parametrize("demand", [uses(), norm()])
def test_what_is_no_certificate_file(demand):
    assert demand.judge(evidence(None)).outcome is Outcome.UNMET
    for reason in Reason:
        with pytest.raises(NotSeen):
            demand.judge(Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))]))
    assert render(demand.wanted())


def test_from_files(tmp_path):
    host = SimpleNamespace(certificates=LiveCertificates(Store(None, None)), files=LiveFiles())
    path = tmp_path / "c.pem"
    path.write_bytes(authority.good().pem() + authority.root().pem())
    assert judge(norm(certificate=str(path)), host).outcome is Outcome.MET
    verdict = judge(uses().model_copy(update={"certificate": str(path)}), host)
    assert verdict.outcome is Outcome.UNMET and "names no extended key usage" in render(verdict.because)
