"""Certificates for the lab, good and bad, made fresh: nothing here outlives a test."""

from __future__ import annotations

import ssl
import subprocess
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOST = "service.lab.test"


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: object

    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self):
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def name(common, organisation="Lab"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names beyond RFC 5280's lengths are wanted here
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common, _validate=False),
            ]
        )


def issue(
    subject,
    issuer=None,
    *,
    hosts=(HOST, "127.0.0.1", "::1", "localhost"),
    ca=False,
    begins=None,
    ends=None,
    key=None,
    digest=None,
    aia=None,
    bare=False,
    more=(),
):
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    subject = subject if isinstance(subject, x509.Name) else name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or NOW - DAY)
        .not_valid_after(ends or NOW + 90 * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not bare:
        own, signers = key.public_key(), signer.public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(signers)
        builder = builder.add_extension(theirs, critical=False)
    if ca:
        usage = {f: f in ("key_cert_sign", "crl_sign") for f in _USAGES}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    if hosts and not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(h) for h in hosts]), critical=False)
    if aia:
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(aia))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    for extension in more:
        builder = builder.add_extension(extension, critical=True)
    if isinstance(signer, ed25519.Ed25519PrivateKey):
        return Issued(builder.sign(signer, None), key)
    return Issued(builder.sign(signer, digest or SHA256()), key)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _general(host):
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@cache
def root():
    return issue("Lab Root CA", ca=True)


@cache
def stranger():
    """A root that nobody trusts."""
    return issue(name("Stranger CA", "Elsewhere"), ca=True)


@cache
def intermediate():
    return issue("Lab Issuing CA", root(), ca=True)


@cache
def good():
    return issue(HOST, root())


@cache
def weak_rsa():
    return rsa.generate_private_key(65537, 1024)


def write(folder: Path, *chain: Issued, stem="server"):
    """Write the chain and the first one's key; return both paths."""
    certificates, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    certificates.write_bytes(b"".join(c.pem() for c in chain))
    key.write_bytes(chain[0].key_pem())
    return str(certificates), str(key)


def context(folder: Path, *chain: Issued, level=0):
    """A server's TLS context that presents *chain*."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
    made.load_cert_chain(*write(folder, *chain, stem=f"s{id(made):x}"))
    return made


@cache
def bumper():
    """The authority of a gateway that reads TLS."""
    return issue(name("Corporate Gateway CA", "Example Corp"), ca=True)


def http_date():
    """Now, as HTTP writes it (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.now(UTC), usegmt=True)


@cache
def rsa_root():
    """The lab's root once more, with a key that signs with old digests, too.  Nobody trusts it."""
    return issue(name("Lab RSA CA", "Lab RSA"), ca=True, key=rsa.generate_private_key(65537, 2048))


def issue_old(folder: Path, digest: str, hosts):
    """A server certificate of `rsa_root` signed with *digest* (``sha1``, ``md5``), which only openssl(1) still does."""
    leaf = issue(hosts[0], rsa_root(), hosts=hosts)
    paths = {}
    for stem, one in (("root", rsa_root()), ("leaf", leaf)):
        paths[stem] = write(folder, one, stem=f"old-{digest}-{stem}")
    extensions = folder / f"old-{digest}.ext"
    extensions.write_text("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts) + "\n")
    out = folder / f"old-{digest}.pem"
    request = ["openssl", "req", "-new", "-key", paths["leaf"][1], "-subj", f"/O=Lab/CN={hosts[0]}"]
    asked = subprocess.run(request, capture_output=True, check=True).stdout
    sign = ["openssl", "x509", "-req", f"-{digest}", "-days", "30", "-CA", paths["root"][0], "-CAkey", paths["root"][1],
            "-extfile", str(extensions), "-out", str(out), "-CAcreateserial"]  # fmt: skip
    subprocess.run(sign, input=asked, capture_output=True, check=True)
    return Issued(x509.load_pem_x509_certificate(out.read_bytes()), leaf.key)
