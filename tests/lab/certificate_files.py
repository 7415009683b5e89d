"""Certificate files on disk: certificates with any extension, and the files of a small authority."""

from __future__ import annotations

import datetime as dt

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from vorflug.host.live.certificates import LiveCertificates
from vorflug.netprobe.anchors import Store


def pem_key(key, secret=None):
    how = BestAvailableEncryption(secret) if secret else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def certificate(key, names=("a.example",), subject="a.example", days=90, extensions=(), digest=None, signer=None):
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject, _validate=False)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return builder.sign(signer or key, digest).public_bytes(Encoding.PEM)


def small_authority():
    """A root, an intermediate and a server's certificate with its key."""
    root = trustme.CA(organization_name="Corp Root")
    middle = root.create_child_ca()
    leaf = middle.issue_cert("vorflug.corp.example", "*.apps.corp.example", "192.0.2.7")
    return root, middle, leaf


def stored(folder, pki):
    """Write ``root.pem``, ``middle.pem``, ``leaf.pem``, ``key.pem`` and the stranger ``none.pem``; return *folder*."""
    root, middle, leaf = pki
    blobs = {
        "root": root.cert_pem.bytes(),
        "middle": middle.cert_pem.bytes(),
        "leaf": leaf.cert_chain_pems[0].bytes(),
        "key": leaf.private_key_pem.bytes(),
    }
    for name, data in blobs.items():
        (folder / f"{name}.pem").write_bytes(data)
    (folder / "none.pem").write_bytes(trustme.CA(organization_name="Another Root").cert_pem.bytes())
    return folder


NOBODY = LiveCertificates(Store(None, None))


def live(folder, store="none"):
    return LiveCertificates(Store(str(folder / f"{store}.pem"), None))


def write(folder, name, *parts):
    path = folder / name
    path.write_bytes(b"".join((folder / f"{p}.pem").read_bytes() if isinstance(p, str) else p for p in parts))
    return str(path)


def binary_form(folder):
    """The server's certificate in binary form."""
    return x509.load_pem_x509_certificate((folder / "leaf.pem").read_bytes()).public_bytes(Encoding.DER)
