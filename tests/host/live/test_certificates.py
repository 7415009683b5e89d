"""Real files on disk, made with trustme, cryptography and openssl."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import time
from dataclasses import asdict

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from lab import authority
from lab.certificate_files import binary_form, certificate, live, pem_key, small_authority, stored, write
from vorflug.host.live.certificates import LiveCertificates
from vorflug.netprobe.anchors import Store
from vorflug.netprobe.certificates import instant
from vorflug.ports.certificates import READ_AT_MOST, Content, KeyFit, KeyKind


@pytest.fixture(scope="module")
def pki():
    return small_authority()


@pytest.fixture
def folder(tmp_path, pki):
    return stored(tmp_path, pki)


@pytest.mark.parametrize(
    ("parts", "issuers", "anchored"),
    [
        (("leaf", "middle"), (1, None), True),
        (("leaf", "middle", "root"), (1, 2, 2), True),
        (("leaf",), (None,), False),
        (("middle", "leaf"), (None, 0), True),
        (("leaf", "root", "middle"), (2, 1, 1), True),
        (("leaf", "root"), (None, 1), False),
    ],
)
def test_a_chain_in_file_order(folder, parts, issuers, anchored):
    path = write(folder, "chain.pem", *parts)
    seen = live(folder, "root").read(path)
    assert seen.content is Content.CERTIFICATES
    assert tuple(c.issuer_at for c in seen.chain) == issuers
    assert (seen.root is not None) is anchored
    # the same chain under a store that does not know the root, and with the root given as a file
    assert live(folder).read(path).root is None
    assert (live(folder).read(path, str(folder / "root.pem")).root is not None) is anchored


def test_what_a_certificate_says(folder):
    seen = live(folder).read(write(folder, "c.pem", "leaf", "middle"))
    leaf, middle = seen.chain
    assert leaf.seen.names == ("vorflug.corp.example", "*.apps.corp.example")
    assert leaf.seen.addresses == ("192.0.2.7",)
    assert (leaf.is_ca, middle.is_ca, leaf.for_servers) == (False, True, True)
    assert leaf.seen.not_before < seen.now < leaf.seen.not_after
    assert seen.now.endswith("Z") and leaf.seen.not_after.endswith("Z")
    assert leaf.key_kind is KeyKind.EC and leaf.curve == "secp256r1" and leaf.seen.signature == "sha256"
    printed = subprocess.run(
        ["openssl", "x509", "-in", str(folder / "leaf.pem"), "-noout", "-fingerprint", "-sha256"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert printed.strip().rpartition("=")[2].replace(":", "").lower() == leaf.seen.sha256


@pytest.mark.parametrize(
    ("key", "kind", "bits", "curve"),
    [
        (rsa.generate_private_key(65537, 2048), KeyKind.RSA, 2048, ""),
        (ec.generate_private_key(ec.SECP384R1()), KeyKind.EC, 384, "secp384r1"),
        (ec.generate_private_key(ec.BrainpoolP256R1()), KeyKind.EC, 256, "brainpoolP256r1"),
        (ed25519.Ed25519PrivateKey.generate(), KeyKind.ED25519, 0, ""),
        (dsa.generate_private_key(2048), KeyKind.DSA, 2048, ""),
    ],
    ids=lambda value: str(value) if isinstance(value, KeyKind) else "",
)
def test_kinds_of_keys(folder, key, kind, bits, curve):
    cert = write(folder, "c.pem", certificate(key))
    (seen,) = live(folder).read(cert).chain
    assert (seen.key_kind, seen.key_bits, seen.curve) == (kind, bits, curve)
    assert seen.issuer_at == 0
    assert live(folder).key(write(folder, "k.pem", pem_key(key)), cert).fit is KeyFit.FITS


def test_an_expired_certificate_is_still_anchored(folder, pki):
    expired = pki[0].issue_cert(
        "old.example",
        not_after=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        not_before=dt.datetime(2023, 1, 1, tzinfo=dt.UTC),
    )
    seen = live(folder, "root").read(write(folder, "c.pem", expired.cert_chain_pems[0].bytes()))
    assert seen.root is not None and seen.chain[0].seen.not_after == "2024-01-01T00:00:00Z"


def test_a_valid_root_is_preferred_over_an_expired_one_with_the_same_key(folder):
    past = authority.NOW - authority.DAY
    key = authority.root().key
    old = authority.issue("Lab Root CA", ca=True, key=key, begins=past - authority.DAY, ends=past)
    leaf = write(folder, "c.pem", authority.good().pem())
    expired = write(folder, "expired.pem", old.pem())
    assert live(folder).read(leaf, expired).root.not_after == instant(past)
    both = write(folder, "both.pem", old.pem(), authority.root().pem())
    assert live(folder).read(leaf, both).root.not_after > instant(authority.NOW)


def test_every_name_of_a_long_list_is_seen(folder):
    names = [f"h{n}.corp.example" for n in range(150)]
    path = write(folder, "c.pem", certificate(ec.generate_private_key(ec.SECP256R1()), names=names))
    assert live(folder).read(path).chain[0].seen.names == tuple(names)


def test_a_client_certificate_is_not_for_servers(folder):
    use = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    cert = certificate(ec.generate_private_key(ec.SECP256R1()), extensions=[use])
    assert live(folder).read(write(folder, "c.pem", cert)).chain[0].for_servers is False


SECRET = b"correct horse battery"


def test_keys(folder, pki):
    leaf = str(folder / "leaf.pem")
    key = pki[2].private_key_pem.bytes()
    other = ec.generate_private_key(ec.SECP256R1())
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    damaged = key[:60] + b"!!!" + key[63:]
    for data, fit in (
        (key, KeyFit.FITS),
        (parameters + key, KeyFit.FITS),
        ((folder / "leaf.pem").read_bytes() + key, KeyFit.FITS),
        (pem_key(other), KeyFit.DIFFERS),
        (pem_key(other, SECRET), KeyFit.ENCRYPTED),
        (
            other.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(SECRET)),
            KeyFit.ENCRYPTED,
        ),
        (other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), KeyFit.DIFFERS),
        ((folder / "leaf.pem").read_bytes(), KeyFit.NOT_A_KEY),
        (b"", KeyFit.NOT_A_KEY),
        (damaged, KeyFit.BROKEN),
    ):
        seen = live(folder).key(write(folder, "k.pem", data), leaf)
        assert seen.fit is fit, data[:60]
        # nothing of the key is in what crosses the port
        assert all(line.decode("latin-1") not in repr(seen) for line in data.splitlines()[1:-1] if len(line) > 20)
    with pytest.raises(ValueError, match="wanted a certificate"):
        live(folder).key(leaf, str(folder / "key.pem"))


def test_a_key_in_the_certificate_file_is_seen(folder):
    assert live(folder).read(write(folder, "both.pem", "key", "leaf")).holds_key
    assert not live(folder).read(str(folder / "leaf.pem")).holds_key


def _request(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    return (
        x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )


def _store(folder):
    return pkcs12.serialize_key_and_certificates(
        b"x", ec.generate_private_key(ec.SECP256R1()), None, [x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())], BestAvailableEncryption(SECRET)
    )  # fmt: skip


def _store_with(secret):
    """As openssl writes it."""

    def make(folder):
        words = [
            "openssl",
            "pkcs12",
            "-export",
            "-in",
            "leaf.pem",
            "-inkey",
            "key.pem",
            "-passout",
            f"pass:{secret.decode()}",
        ]
        return subprocess.run(words, cwd=folder, capture_output=True, check=True).stdout

    return make


def _bundle(encoding):
    return lambda folder: pkcs7.serialize_certificates(
        [x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())], encoding
    )


@pytest.mark.parametrize(
    ("make", "content"),
    [
        (binary_form, Content.DER),
        (_store, Content.PKCS12_LOCKED),
        (_store_with(b""), Content.PKCS12),
        (lambda f: _store(f)[:300], Content.PKCS12),
        (lambda f: b"\xff\xfe" + (f / "leaf.pem").read_text().encode("utf-16-le"), Content.UTF16),
        (lambda f: (f / "leaf.pem").read_text().encode("utf-16-be").join([b"\xfe\xff", b""]), Content.UTF16),
        (_bundle(Encoding.PEM), Content.PKCS7),
        (_bundle(Encoding.DER), Content.PKCS7),
        (_request, Content.REQUEST),
        (lambda f: (f / "key.pem").read_bytes(), Content.KEY),
        (lambda f: b"", Content.EMPTY),
        (lambda f: b"  \n\n", Content.EMPTY),
        (lambda f: b"hello", Content.OTHER),
        (lambda f: b"\x30", Content.OTHER),
        (lambda f: b"\x30\x82" + b"\xff" * 500, Content.OTHER),
        (lambda f: os.urandom(4096), Content.OTHER),
        (lambda f: b"-----BEGIN CERTIFICATE-----\n", Content.BROKEN),
        (lambda f: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Content.BROKEN),
        (
            lambda f: (
                (f / "leaf.pem").read_bytes() + b"-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n"
            ),
            Content.BROKEN,
        ),
        (lambda f: b"x" * (10 << 20), Content.TOO_LARGE),
        (lambda f: b"-----BEGIN CERTIFICATE-----\n" * 2000, Content.TOO_LARGE),
    ],
)
def test_what_is_not_a_certificate_file_says_what_it_is(folder, make, content):
    path = write(folder, "x", make(folder))
    seen = live(folder).read(path)
    assert seen.content is content
    assert bool(seen.chain) is (content is Content.DER)
    assert seen.size_bytes == os.path.getsize(path)
    assert live(folder).anchors(path).content is content


def test_every_cut_of_a_real_file_is_an_answer(folder):
    whole = (folder / "leaf.pem").read_bytes() + (folder / "middle.pem").read_bytes()
    der = binary_form(folder)
    for data in (*(whole[:n] for n in range(0, len(whole), 37)), *(der[:n] for n in range(0, len(der), 11))):
        assert live(folder).read(write(folder, "cut", data)).content in Content


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_hostile_subject_is_capped_and_visible(folder):
    cert = certificate(
        ec.generate_private_key(ec.SECP256R1()),
        names=["x" * 200 + f"{n}.example" for n in range(2100)],
        subject="<script>\x1b[31m\u202e" + "A" * 65536,
    )
    (seen,) = live(folder).read(write(folder, "c.pem", cert)).chain
    assert len(seen.seen.subject) < 500 and "\x1b" not in seen.seen.subject and "\u202e" not in seen.seen.subject
    assert len(seen.seen.names) == 2000 and len(repr(asdict(seen))) < 500_000
    assert os.path.getsize(folder / "c.pem") < READ_AT_MOST


def test_no_regular_file(folder):
    with pytest.raises(FileNotFoundError):
        live(folder).read(str(folder / "missing"))
    with pytest.raises(IsADirectoryError):
        live(folder).read(str(folder))
    os.mkfifo(folder / "pipe")
    with pytest.raises(ValueError, match="pipe"):
        live(folder).read(str(folder / "pipe"))


@pytest.mark.tier("root")
def test_unreadable_is_said_so(folder):
    """As another user: root may read everything."""
    os.chmod(folder / "key.pem", 0o600)
    os.chmod(folder, 0o755)
    child = os.fork()
    if child == 0:  # pragma: no cover - the child's exit status is the answer
        code = 9
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.chdir("/")
            descriptor = os.open(folder, os.O_RDONLY)
            os.close(descriptor)
            live(folder).key(str(folder / "key.pem"), str(folder / "leaf.pem"))
        except PermissionError as error:
            code = 0 if str(error.filename).endswith("key.pem") else 8
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, 8)


def test_anchors_are_found_by_fingerprint(folder):
    write(folder, "store.pem", "none", "root")
    seen = live(folder, "store").anchors(write(folder, "ours.pem", "root", "middle"))
    assert [(a.is_ca, a.self_signed, a.in_store) for a in seen.anchors] == [(True, True, True), (True, False, False)]
    assert seen.store.endswith("store.pem")
    assert not live(folder, "none").anchors(str(folder / "root.pem")).anchors[0].in_store


def test_a_folder_of_anchors(folder):
    (folder / "certs").mkdir()
    (folder / "certs" / "corp.pem").write_bytes((folder / "root.pem").read_bytes())
    (folder / "certs" / "README").write_text("no certificate")
    port = LiveCertificates(Store(None, str(folder / "certs")))
    assert port.anchors(str(folder / "root.pem")).anchors[0].in_store
    assert not port.anchors(str(folder / "none.pem")).anchors[0].in_store


def test_no_store_at_all(folder):
    seen = LiveCertificates(Store(None, None)).anchors(str(folder / "root.pem"))
    assert (seen.store, seen.anchors[0].in_store) == ("", False)


def test_an_empty_store_is_no_answer(folder):
    write(folder, "empty.pem", b"\n")
    with pytest.raises(ValueError, match="trust anchors"):
        live(folder, "empty").anchors(str(folder / "root.pem"))


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN A PRIVATE KEY-----" * 30_000,
        b"".join(b"-----BEGIN %d PRIVATE KEY-----" % n for n in range(30_000)),
        b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 1_000_000,
    ],
    ids=["one label", "many labels", "no end"],
)
def test_a_key_that_never_ends_takes_no_time(tmp_path, text):
    (tmp_path / "key.pem").write_bytes(text)
    began = time.process_time()
    read = LiveCertificates().read(str(tmp_path / "key.pem"))
    assert time.process_time() - began < 5
    assert not read.holds_key
