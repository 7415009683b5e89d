"""(demand, fact) -> verdict for the product's own certificate, and the whole way from real files."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from areas.asking import ask, judge
from areas.certificate_facts import CERT, EC, KEY, NOW, certificate, evidence, file
from conftest import FakePort, fake_host, header
from vorflug.areas.tls import OwnCertificateRequirement
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.files import LiveFiles
from vorflug.model.certificate_files import CertificateQuery, KeyQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import Content, KeyFile, KeyFit, KeyKind


def own(**fields):
    demand = {
        "certificate": CERT,
        "key": KEY,
        "fqdn": "app.corp.example",
        "valid_for": "30 d",
        "rsa_bits": 2048,
        "curves": ["secp256r1", "Ed25519"],
        "hashes": ["sha256", "sha384"],
    }
    return OwnCertificateRequirement.model_validate(header(**demand | fields))


@pytest.mark.parametrize(
    ("leaf", "key", "outcome", "says"),
    [
        ({}, KeyFit.FITS, Outcome.MET, "2027-01-01"),
        ({"not_after": "2026-07-01T12:00:00Z"}, KeyFit.FITS, Outcome.MET, "2026-07-01"),
        ({"not_after": "2026-07-01T11:59:59Z"}, KeyFit.FITS, Outcome.UNMET, "30 d more"),
        ({"not_after": "2026-06-01T11:59:59Z"}, KeyFit.FITS, Outcome.UNMET, "expired on 2026-06-01"),
        ({"not_before": "2026-06-02T00:00:00Z"}, KeyFit.FITS, Outcome.UNMET, "clock says 2026-06-01"),
        ({"names": ()}, KeyFit.FITS, Outcome.UNMET, "no subject alternative name"),
        ({"names": ("other.example",)}, KeyFit.FITS, Outcome.UNMET, "other.example"),
        ({"names": ("*.corp.example",)}, KeyFit.FITS, Outcome.MET, "app.corp.example"),
        ({"names": ("*.example",)}, KeyFit.FITS, Outcome.UNMET, "exactly one label"),
        ({"key_bits": 1024, "key": "RSA 1024"}, KeyFit.FITS, Outcome.UNMET, "RSA 1024"),
        (EC, KeyFit.FITS, Outcome.MET, "fits"),
        (EC | {"curve": "secp192r1", "key": "EC secp192r1"}, KeyFit.FITS, Outcome.UNMET, "secp192r1"),
        ({"key_kind": KeyKind.ED25519, "key": "Ed25519", "signature": ""}, KeyFit.FITS, Outcome.MET, "fits"),
        ({"key_kind": KeyKind.ED448, "key": "Ed448"}, KeyFit.FITS, Outcome.UNMET, "Ed448"),
        ({"key_kind": KeyKind.DSA, "key": "DSA 2048"}, KeyFit.FITS, Outcome.UNMET, "DSA"),
        ({"signature": "sha1"}, KeyFit.FITS, Outcome.UNMET, "signed with sha1"),
        ({"is_ca": True}, KeyFit.FITS, Outcome.UNMET, "authority"),
        ({"for_servers": False}, KeyFit.FITS, Outcome.UNMET, "serverAuth"),
        ({}, KeyFit.DIFFERS, Outcome.UNMET, "another certificate"),
        ({}, KeyFit.ENCRYPTED, Outcome.UNMET, "passphrase"),
        ({}, KeyFit.BROKEN, Outcome.UNMET, "damaged"),
        ({}, KeyFit.NOT_A_KEY, Outcome.UNMET, "no private key"),
        ({}, None, Outcome.UNMET, "There is no private key"),
    ],
)
def test_own_certificate(no_io, leaf, key, outcome, says):
    demand, seen = own(), evidence(file(certificate(**leaf)), key)
    with no_io():
        verdict = demand.judge(seen)
        said = render(verdict.because)
    assert verdict.outcome is outcome
    assert says in said
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_every_fault_is_named_at_once():
    leaf = certificate(names=("x.example",), not_after="2026-06-02T00:00:00Z", key_bits=1024, key="RSA 1024")
    verdict = own().judge(evidence(file(leaf), KeyFit.DIFFERS))
    said, fix = render(verdict.because), render(verdict.fix)
    assert all(part in said for part in ("x.example", "2026-06-02", "RSA 1024", "another certificate"))
    assert fix.count(".") >= 4


def test_a_key_that_cannot_be_looked_at_is_no_pass():
    denied = Unseen(Reason.DENIED)
    with pytest.raises(NotSeen):
        own().judge(evidence(file(certificate()), denied))
    # what is wrong for certain is said all the same
    assert own().judge(evidence(file(certificate(key_bits=1024)), denied)).outcome is Outcome.UNMET


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    seen = Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))])
    for demand in (own(),):
        with pytest.raises(NotSeen):
            demand.judge(seen)


@pytest.mark.parametrize("content", [c for c in Content if c is not Content.CERTIFICATES])
def test_a_file_of_something_else(content):
    seen = evidence(file(*([certificate()] if content is Content.DER else []), content=content))
    for demand in (own(),):
        verdict = demand.judge(seen)
        assert verdict.outcome is Outcome.UNMET and CERT in render(verdict.because) and verdict.fix is not None


def test_a_file_says_what_it_holds_and_no_key_is_asked_for_it():
    binary = evidence(file(content=Content.DER))
    assert "in binary form (DER)" in render(own().judge(binary).because)
    none = evidence(file())
    assert "holds certificates, not" in render(own().judge(none).because)
    assert own().queries(none) == [CertificateQuery(path=CERT)]


def test_what_is_seen_are_the_names_else_the_subject():
    for names, said in ((("a.example", "b.example"), "a.example and b.example; valid"), ((), "CN=app; valid")):
        assert render(own().judge(evidence(file(certificate(names=names)))).seen).startswith(said)


@pytest.mark.parametrize(
    ("leaf", "outcome", "says"),
    [
        ({"not_after": NOW}, Outcome.UNMET, "It is valid for only"),
        ({"not_after": "2026-06-01T11:59:59Z"}, Outcome.UNMET, "It expired on"),
        ({"not_before": NOW}, Outcome.MET, "covers"),
        ({"not_before": "2026-06-01T12:00:01Z"}, Outcome.UNMET, "valid only from"),
    ],
)
def test_to_the_second(leaf, outcome, says):
    verdict = own().judge(evidence(file(certificate(**leaf))))
    assert verdict.outcome is outcome and says in render(verdict.because)


def test_an_authority_may_sign_without_a_hash_of_its_own():
    above = certificate(is_ca=True, key_kind=KeyKind.ED25519, key="Ed25519", signature="")
    assert own().judge(evidence(file(certificate(issuer_at=1), above))).outcome is Outcome.MET


def test_no_file():
    host = fake_host(certificates=FakePort(read=FileNotFoundError()))
    verdict = judge(own(), host)
    assert verdict.outcome is Outcome.UNMET and render(verdict.because) == f"There is no file {CERT}."


def test_the_key_is_asked_for_once_there_is_a_certificate():
    def key(path, certificate):
        return KeyFile(KeyFit.FITS, Content.KEY)

    host = fake_host(certificates=FakePort(read=file(certificate()), key=key))
    assert own().queries(Evidence()) == [CertificateQuery(path=CERT)]
    assert KeyQuery(path=KEY, certificate=CERT) in ask(own(), host)
    assert KEY in render(own().then())


EXPIRED, TOMORROW = {"not_after": "2026-05-28T00:00:00Z"}, {"not_after": "2026-06-02T12:00:00Z"}


@pytest.mark.parametrize(
    ("middle", "says"),
    [
        (EXPIRED, "Middle expired on 2026-05-28"),
        ({"not_before": "2026-06-02T00:00:00Z"}, "valid only from 2026-06-02"),
        (TOMORROW, "valid for only 24 h more (until 2026-06-02)"),
        ({"key_bits": 1024, "key": "RSA 1024"}, "Middle is RSA 1024"),
        ({"signature": "sha1"}, "Middle is signed with sha1"),
    ],
)
def test_an_intermediate_counts_as_the_server_certificate_does(middle, says):
    above = certificate(**{"subject": "CN=Middle", "is_ca": True, "not_after": "2030-01-01T00:00:00Z"} | middle)
    seen = evidence(file(certificate(issuer_at=1), above))
    verdict = own().judge(seen)
    assert verdict.outcome is Outcome.UNMET and says in render(verdict.because) and verdict.fix is not None


def test_the_first_of_the_chain_to_end_is_what_remains():
    above = certificate(is_ca=True, not_after="2026-08-01T12:00:00Z")
    verdict = own().judge(evidence(file(certificate(issuer_at=1), above)))
    assert verdict.outcome is Outcome.MET and "2026-08-01" in render(verdict.because)
    assert verdict.gauge.have == 61 * 86400


def test_a_roots_signature_on_itself_proves_nothing_and_strangers_in_the_file_do_not_count():
    root = certificate(is_ca=True, issuer_at=1, signature="sha1", key_bits=1024)
    stranger = certificate(**EXPIRED, subject="CN=Other")
    assert own().judge(evidence(file(certificate(issuer_at=1), root, stranger))).outcome is Outcome.MET
    root = replace(root, seen=replace(root.seen, **EXPIRED))
    assert own().judge(evidence(file(certificate(issuer_at=1), root))).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("names", "fqdn", "outcome", "says"),
    [
        ({"names": ("10.1.2.3",)}, "10.1.2.3", Outcome.UNMET, "not as an IP address"),
        ({"names": (), "addresses": ("10.1.2.3",)}, "10.1.2.3", Outcome.MET, "covers"),
        ({"names": (), "addresses": ("10.1.2.4",)}, "10.1.2.3", Outcome.UNMET, "but 10.1.2.4"),
        ({"names": ("app.corp.example.",)}, "app.corp.example", Outcome.UNMET, "final dot"),
        ({"names": (*(f"h{n}.example" for n in range(150)), "app.corp.example")}, "app.corp.example", Outcome.MET, ""),
    ],
)
def test_which_names_count(names, fqdn, outcome, says):
    verdict = own(fqdn=fqdn).judge(evidence(file(certificate(**names))))
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert len(render(verdict.seen)) < 400


@pytest.mark.parametrize(
    ("left", "outcome"), [(30, Outcome.MET), (25, Outcome.MET), (24, Outcome.UNMET), (-1, Outcome.UNMET)]
)
def test_of_a_short_lived_certificate_a_share_is_enough(left, outcome):
    """Of 100 days 25 are a quarter, although 30 are wanted of those that live longer."""
    end = dt.datetime.fromisoformat(NOW) + dt.timedelta(days=left)
    words = "%Y-%m-%dT%H:%M:%SZ"
    dates = {"not_before": (end - dt.timedelta(days=100)).strftime(words), "not_after": end.strftime(words)}
    verdict = own(share_left="25 %").judge(evidence(file(certificate(**dates))))
    assert verdict.outcome is outcome and verdict.gauge.want == 25 * 86400
    seen = evidence(file(certificate(**dates, issuer_at=1), certificate(is_ca=True, not_after=dates["not_after"])))
    assert own(share_left="25 %").judge(seen).outcome is outcome
    assert own().judge(evidence(file(certificate(**dates)))).outcome is (Outcome.MET if left >= 30 else Outcome.UNMET)
    assert own(share_left="60 %").judge(evidence(file(certificate(**dates)))).gauge.want == 30 * 86400


@given(left=st.integers(-400, 400), need=st.integers(0, 300), more=st.integers(0, 300))
def test_wanting_longer_never_turns_unmet_into_met(left, need, more):
    end = (dt.datetime.fromisoformat(NOW) + dt.timedelta(days=left)).strftime("%Y-%m-%dT%H:%M:%SZ")
    seen = evidence(file(certificate(not_after=end)))
    if own(valid_for=f"{need} d").judge(seen).outcome is Outcome.UNMET:
        assert own(valid_for=f"{need + more} d").judge(seen).outcome is Outcome.UNMET


def test_a_name_with_umlauts_is_held_against_its_a_label():
    assert own(fqdn="Bücher.Example.").fqdn == "xn--bcher-kva.example"


@pytest.mark.parametrize("is_ca", [True, False])
def test_a_self_signed_certificate_is_one_finding(is_ca):
    """As ``openssl req -x509`` makes it: CA:TRUE, alone in the file."""
    seen = evidence(file(certificate(issuer_at=0, is_ca=is_ca), root=None))
    verdict = own().judge(seen)
    assert render(verdict.because) == "The server's certificate is signed by itself, by no authority."
    assert verdict.cause == own().about(seen) and verdict.cause.kind == "tls.self_signed"
    assert "first in the file" not in render(verdict.fix)
    assert own().about(evidence(None)) is None


def test_a_root_before_the_server_s_certificate_is_no_self_signed_one():
    seen = evidence(file(certificate(issuer_at=0, is_ca=True), certificate(issuer_at=0)))
    verdict = own().judge(seen)
    assert "that of an authority" in render(verdict.because) and verdict.cause is None
    assert own().about(seen) is None


def test_what_to_order_is_said_ready_to_forward_but_not_where_only_the_key_is_wrong():
    fix = render(own().judge(evidence(file(certificate(names=("x.example",))))).fix)
    order = "Ask the PKI team for: a TLS server certificate for app.corp.example"
    assert order in fix and "RSA from 2048 bits or secp256r1 or Ed25519" in fix and "sha256 or sha384" in fix
    assert "first the server's certificate, then all intermediates" in fix
    only_key = render(own().judge(evidence(file(certificate()), KeyFit.ENCRYPTED)).fix)
    assert order not in only_key and "openssl pkey" in only_key
    both = render(own().judge(evidence(file(certificate(names=())), KeyFit.ENCRYPTED)).fix)
    assert order in both and "openssl pkey" in both


@pytest.mark.parametrize(
    ("leaf", "fqdn", "says"),
    [
        ({"names": (), "subject": "O=Corp,CN=app.corp.example"}, "app.corp.example", "only as its common name (CN)"),
        ({"names": ("b.example",), "subject": "CN=App.Corp.Example"}, "app.corp.example", "only as its common name"),
        ({"names": (), "subject": "CN=app.corp.example.org"}, "app.corp.example", "no subject alternative name"),
        ({"names": ("*.corp.example",)}, "a.b.corp.example", "“*” stands for exactly one label"),
        ({"names": ("*.example",)}, "app.example", "does not cover app.example, but *.example"),
        ({"names": ("*.other.example",)}, "a.b.corp.example", "does not cover a.b.corp.example, but *.other.example"),
        ({"names": ("b.corp.example",)}, "a.corp.example", "does not cover a.corp.example, but b.corp.example"),
    ],
)
def test_why_a_name_is_not_covered(leaf, fqdn, says):
    verdict = own(fqdn=fqdn).judge(evidence(file(certificate(**leaf))))
    assert verdict.outcome is Outcome.UNMET and says in render(verdict.because)


# ---- from real files -------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    root = trustme.CA(organization_name="Corp Root")
    leaf = root.create_child_ca().issue_cert(
        "app.corp.example", not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=90)
    )
    (tmp_path / "root.pem").write_bytes(root.cert_pem.bytes())
    (tmp_path / "tls.crt").write_bytes(b"".join(p.bytes() for p in leaf.cert_chain_pems))
    (tmp_path / "leaf.crt").write_bytes(leaf.cert_chain_pems[0].bytes())
    (tmp_path / "tls.key").write_bytes(leaf.private_key_pem.bytes())
    store = Store(None, None)
    host = SimpleNamespace(certificates=LiveCertificates(store), files=LiveFiles())
    return tmp_path, host


def test_from_files(site):
    folder, host = site
    paths = {"certificate": str(folder / "tls.crt"), "key": str(folder / "tls.key")}
    assert judge(own(**paths), host).outcome is Outcome.MET
    assert judge(own(**paths, valid_for="100 d"), host).outcome is Outcome.UNMET


@pytest.mark.parametrize(("authority", "outcome"), [(None, Outcome.UNMET), (2048, Outcome.MET)])
def test_authorities_may_be_held_to_a_shorter_key_than_the_server(authority, outcome):
    leaf = certificate(issuer_at=1, key_bits=3072, key="RSA 3072")
    above = certificate(is_ca=True, subject="CN=Middle", key_bits=2048, key="RSA 2048")
    demand = own(rsa_bits=3000, authority_rsa_bits=authority)
    assert demand.judge(evidence(file(leaf, above))).outcome is outcome
