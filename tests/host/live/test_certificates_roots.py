"""Real files on disk: the way to a root, what certificates are for, how files are written, and hostile ones."""

from __future__ import annotations

import datetime as dt
import time
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from lab import authority
from lab.authority import HOST, issue
from lab.certificate_files import NOBODY, binary_form, certificate, live, small_authority, stored, write
from vorflug.ports.certificates import Content, Extensions, Writing


@pytest.fixture(scope="module")
def pki():
    return small_authority()


@pytest.fixture
def folder(tmp_path, pki):
    return stored(tmp_path, pki)


# ---- the way to the root ---------------------------------------------------------------------------------------------


def subjects(seen):
    return [one.subject for one in seen]


@pytest.mark.parametrize(
    ("anchors", "parts", "filled", "root"),
    [
        (("root",), ("leaf", "middle"), 0, True),
        (("root", "middle"), ("leaf", "middle"), 0, True),
        (("root", "middle"), ("leaf",), 1, True),
        (("middle",), ("leaf",), 0, False),
    ],
)
def test_what_only_the_store_had_is_told(folder, pki, anchors, parts, filled, root):
    write(folder, "store.pem", *anchors)
    seen = live(folder, "store").read(write(folder, "c.pem", *parts))
    assert len(seen.filled) == filled and (seen.root is not None) is root
    middle = x509.load_pem_x509_certificate(pki[1].cert_pem.bytes()).subject.rfc4514_string()
    assert subjects(seen.filled) == [middle] * filled
    assert (seen.refusal is None) is root and (root or seen.refusal.lacks_anchor)
    assert not seen.public


def test_a_refused_chain_is_no_lack_of_a_root(folder):
    """An end certificate signed another one: the root is known, and yet nobody accepts the chain."""
    fake = issue("No CA", authority.root())
    leaf = issue(HOST, fake)
    (folder / "store.pem").write_bytes(authority.root().pem())
    seen = live(folder, "store").read(write(folder, "c.pem", leaf.pem(), fake.pem()))
    assert seen.root is None and not seen.refusal.lacks_anchor
    assert seen.refusal.place == 1 and "CA" in seen.refusal.says
    # of two stores the one that knows the root has more to say
    (folder / "ours.pem").write_bytes(authority.root().pem())
    again = live(folder).read(str(folder / "c.pem"), str(folder / "ours.pem"))
    assert again.refusal == seen.refusal


def test_the_strict_checks_of_rfc_5280(folder):
    (folder / "store.pem").write_bytes(authority.root().pem())
    (good, bare) = (issue(HOST, authority.root(), bare=bare) for bare in (False, True))
    port = live(folder, "store")
    assert port.read(write(folder, "good.pem", good.pem())).strict is None
    seen = port.read(write(folder, "bare.pem", bare.pem()))
    assert seen.root is not None and seen.refusal is None
    assert (seen.strict.place, seen.strict.says.lower()) == (0, "missing authority key identifier")
    # where there is no root there is nothing that could be checked strictly
    assert live(folder).read(str(folder / "bare.pem")).strict is None


def test_a_public_root_is_known_whatever_this_machine_holds(folder):
    import certifi

    with open(certifi.where(), "rb") as bundle:
        first = bundle.read().split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"
    seen = live(folder).read(write(folder, "c.pem", first[first.index(b"-----BEGIN") :]))
    assert seen.public and seen.root is None


def test_what_a_certificate_may_be_used_for(folder):
    root, middle = authority.root(), issue("M", authority.root(), ca=True)
    leaf = issue(HOST, middle, aia="http://pki.lab.test/\x1b" + "a" * 500)
    said = [one.extensions for one in live(folder).read(write(folder, "c.pem", leaf.pem(), root.pem())).chain]
    assert said[0].issuer_urls[0].startswith("http://pki.lab.test/\\u001b") and len(said[0].issuer_urls[0]) < 230
    assert said[1] == Extensions(("keyCertSign", "cRLSign"), None, True, None, (), ())
    use = x509.ExtendedKeyUsage(
        [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3.4")]
    )
    limit = x509.BasicConstraints(ca=True, path_length=0)
    key = ec.generate_private_key(ec.SECP256R1())
    (one,) = live(folder).read(write(folder, "d.pem", certificate(key, extensions=[use, limit]))).chain
    assert one.extensions == Extensions(None, ("serverAuth", "clientAuth", "1.2.3.4"), True, 0, (), ())
    (none,) = live(folder).read(write(folder, "e.pem", certificate(key))).chain
    assert none.extensions == Extensions(None, None, False, None, (), ()) and none.for_servers and not none.is_ca
    anything = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    (one,) = live(folder).read(write(folder, "f.pem", certificate(key, extensions=[anything]))).chain
    assert one.for_servers and one.extensions.uses == ("any",)


def test_where_one_can_ask_whether_it_was_revoked(folder):
    def at(url):
        return x509.UniformResourceIdentifier(url)

    places = [
        (AuthorityInformationAccessOID.OCSP, "http://o.lab.test/"),
        (AuthorityInformationAccessOID.CA_ISSUERS, "a:b"),
    ]
    access = x509.AuthorityInformationAccess([x509.AccessDescription(kind, at(url)) for kind, url in places])
    many = [at(f"http://c.lab.test/{n}") for n in range(5)]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(many, None, None, None)])
    key = ec.generate_private_key(ec.SECP256R1())
    (one,) = live(folder).read(write(folder, "c.pem", certificate(key, extensions=[access, points]))).chain
    assert one.extensions.issuer_urls == ("a:b",)
    lists = tuple(f"http://c.lab.test/{n}" for n in range(3))
    assert one.extensions.revocation_urls == ("http://o.lab.test/", *lists)
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "crl")])
    other = x509.CRLDistributionPoints([x509.DistributionPoint(None, relative, None, None)])
    (one,) = live(folder).read(write(folder, "d.pem", certificate(key, extensions=[other]))).chain
    assert one.extensions.revocation_urls == ()


def test_how_an_rsa_signature_is_padded(folder):
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    )  # fmt: skip
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    for how, says in ((pss, "pss"), (padding.PKCS1v15(), "pkcs1v15")):
        pem = builder.sign(key, hashes.SHA256(), rsa_padding=how).public_bytes(Encoding.PEM)
        assert live(folder).read(write(folder, "c.pem", pem)).chain[0].padding == says
    assert live(folder).read(str(folder / "leaf.pem")).chain[0].padding == ""


# ---- how the file is written -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "writing"),
    [
        (lambda pem: pem, ()),
        (lambda pem: b"\xef\xbb\xbf" + pem, (Writing.BOM,)),
        (lambda pem: pem.replace(b"\n", b"\r\n"), (Writing.CRLF,)),
        (lambda pem: pem.replace(b"-----\n-----", b"----------"), (Writing.GLUED,)),
        (lambda pem: pem.replace(b"-----\n-----", b"----- \t-----"), (Writing.GLUED,)),
        (lambda pem: pem.replace(b"-----\n-----", b"-----\n\n# next\n-----"), ()),
        (
            lambda pem: b"\xef\xbb\xbf" + pem.replace(b"-----\n-----", b"----------").replace(b"\n", b"\r\n"),
            (Writing.BOM, Writing.GLUED, Writing.CRLF),
        ),
    ],
)
def test_how_a_file_is_written(folder, change, writing):
    pem = (folder / "leaf.pem").read_bytes() + (folder / "middle.pem").read_bytes()
    seen = live(folder).read(write(folder, "c.pem", change(pem)))
    assert seen.writing == writing
    assert seen.content is Content.CERTIFICATES and len(seen.chain) == 2


def test_a_binary_file_has_no_line_breaks(folder):
    assert live(folder).read(write(folder, "c.der", binary_form(folder) + b"\r\n")).writing == ()


# ---- hostile files ---------------------------------------------------------------------------------------------------


def test_a_certificate_with_unreadable_extensions_is_described_as_such(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    nonsense = x509.UnrecognizedExtension(x509.ExtensionOID.EXTENDED_KEY_USAGE, b"\xff\xff")
    path = write(folder, "c.pem", certificate(key, extensions=[nonsense]))
    seen = live(folder).read(path)
    assert seen.content is Content.UNREADABLE and seen.chain == () and seen.root is None and not seen.public
    assert live(folder).anchors(path).content is Content.UNREADABLE


def test_any_byte_of_a_certificate_may_be_wrong(folder):
    """Every answer is one of the kinds of content, and none is an exception."""
    der = bytearray(binary_form(folder))
    kinds = set()
    for place in range(len(der)):
        for value in (0x00, 0xFF, der[place] ^ 0x01):
            broken = bytes(der[:place]) + bytes([value]) + bytes(der[place + 1 :])
            pem = b"-----BEGIN CERTIFICATE-----\n" + b64encode(broken) + b"\n-----END CERTIFICATE-----\n"
            (folder / "c.pem").write_bytes(pem)
            seen = NOBODY.read(str(folder / "c.pem"))
            kinds.add(seen.content)
            assert bool(seen.chain) is (seen.content is Content.CERTIFICATES)
    assert kinds == {Content.CERTIFICATES, Content.BROKEN, Content.UNREADABLE}


def test_a_hundred_certificates_with_one_name(folder):
    """Each may have signed each other one: nobody follows that for long."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = write(folder, "c.pem", *(certificate(key) for _ in range(100)))
    began = time.process_time()
    seen = live(folder).read(path)
    assert len(seen.chain) == 100 and time.process_time() - began < 5
    assert all(one.issuer_at == place for place, one in enumerate(seen.chain))
