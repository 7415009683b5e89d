"""Certificates in words; hostile ones are inert."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from lab import authority
from lab.authority import HOST, NOW, issue, name
from vorflug.netprobe.certificates import alternative_names, describe, hush, instant, is_weak_key
from vorflug.netprobe.chain import names_host


def test_a_description():
    seen = describe(authority.good().certificate)
    assert seen.subject == f"CN={HOST},O=Lab" and seen.issuer == "CN=Lab Root CA,O=Lab"
    assert seen.key == "EC secp256r1" and seen.signature == "sha256" and len(seen.sha256) == 64
    assert seen.not_before == instant(NOW - authority.DAY) and seen.not_before.endswith("Z")


@pytest.mark.parametrize(
    ("key", "text", "weak"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), "RSA 2048", False),
        (lambda: rsa.generate_private_key(65537, 1024), "RSA 1024", True),
        (lambda: ec.generate_private_key(ec.SECP192R1()), "EC secp192r1", True),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "EC secp384r1", False),
    ],
)
def test_keys(key, text, weak):
    certificate = issue("x", authority.root(), key=key()).certificate
    assert describe(certificate).key == text
    assert is_weak_key(certificate) is weak


def test_an_edwards_key():
    certificate = issue("x", authority.root(), key=ed25519.Ed25519PrivateKey.generate()).certificate
    assert describe(certificate).key == "Ed25519" and not is_weak_key(certificate)


def test_hostile_text_is_shown_and_not_obeyed():
    hush()
    certificate = issue(
        name("\x1b[2J\u202e\r\n" + "A" * 5000), hosts=("\x1b.test", *(f"h{n}.test" for n in range(500)))
    ).certificate
    seen = describe(certificate)
    assert not set("\x1b\u202e\r\n") & set(repr(seen).replace("\\n", ""))
    assert len(seen.subject) <= 201 and len(seen.names) == 100


def test_a_kind_of_name_that_nobody_knows_is_no_name():
    """An x400Address (tag 3, RFC 5280, 4.2.1.6), which the library refuses with an exception of its own."""
    odd = x509.UnrecognizedExtension(x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x04\xa3\x02\x30\x00")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder().subject_name(name("x")).issuer_name(name("x")).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW).not_valid_after(NOW + authority.DAY)
        .add_extension(odd, critical=False).sign(key, SHA256())
    )  # fmt: skip
    with pytest.raises(x509.UnsupportedGeneralNameType):
        _ = certificate.extensions
    assert alternative_names(certificate) == ([], []) and describe(certificate).names == ()


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (("a.test",), "a.test", True),
        (("*.a.test",), "b.a.test", True),
        (("*.a.test",), "c.b.a.test", False),
        (("*.a.test",), "a.test", False),
        (("a.test",), "b.test", False),
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("2001:db8::1",), "2001:db8:0::1", True),
        ((), "x", False),
    ],
)
def test_which_hosts_a_certificate_names(names, host, fits):
    assert names_host(issue("x", authority.root(), hosts=names).certificate, host) is fits
