"""Certificate and key files of this machine."""

from __future__ import annotations

import os
import re
import stat
import warnings
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from vorflug.netprobe.anchors import Anchors, Store, host_store
from vorflug.netprobe.certificates import describe, extensions_of, instant, issuer_at, padding_of, unreadable
from vorflug.netprobe.limits import FILE_NAMES_AT_MOST, NAMES_AT_MOST
from vorflug.ports.certificates import (
    CERTIFICATES_AT_MOST,
    READ_AT_MOST,
    Anchor,
    AnchorFile,
    CertificateFile,
    Content,
    FileCertificate,
    KeyFile,
    KeyFit,
    KeyKind,
    Refusal,
    Writing,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{0,30}PRIVATE KEY)-----")
_CERTIFICATE_BODY = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_CERTIFICATE_LABELS = {b"CERTIFICATE", b"X509 CERTIFICATE"}
"""RFC 7468, 5.1: the second is an older name of the first."""
_OTHER_LABELS = {
    b"PKCS7": Content.PKCS7,
    b"CMS": Content.PKCS7,
    b"CERTIFICATE REQUEST": Content.REQUEST,
    b"NEW CERTIFICATE REQUEST": Content.REQUEST,
    b"PUBLIC KEY": Content.PUBLIC_KEY,
    b"RSA PUBLIC KEY": Content.PUBLIC_KEY,
}
_DER_STARTS = (
    (b"\x02\x01\x03", Content.PKCS12),  # PFX: version 3 (RFC 7292, 4)
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", Content.PKCS7),  # signedData (RFC 2315, 14)
    (b"\x02\x01\x00", Content.KEY),  # PKCS#8 and PKCS#1: version 0 (RFC 5958, RFC 8017)
    (b"\x02\x01\x01\x04", Content.KEY),  # ECPrivateKey: version 1, octets (RFC 5915, 3)
)


_GLUED = re.compile(rb"-----END [A-Z0-9 ]{1,40}-----[ \t]*-----BEGIN ")
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class LiveCertificates:
    """The certificates port of this machine."""

    def __init__(self, store: Store | None = None) -> None:
        """*store*: the trust store to use instead of the host's."""
        self._store = store

    @cached_property
    def _anchors(self) -> Anchors:
        """Looked for only where a chain has to end: a key's or a date's question touches no trust store."""
        return Anchors(host_store(os.environ) if self._store is None else self._store)

    def read(self, path: str, ca_file: str | None = None) -> CertificateFile:
        data, size = _bytes(path)
        content, certificates = _certificates(data, size)
        chain = _described(certificates) if certificates else ()
        if certificates and chain is None:
            content = Content.UNREADABLE
        way = self._anchors.path(certificates, ca_file) if chain else []
        return CertificateFile(
            content=content,
            size_bytes=size,
            chain=chain or (),
            holds_key=_key_block(data) is not None,
            root=describe(way[-1]) if way else None,
            public=bool(chain) and self._anchors.publicly(certificates),
            filled=tuple(describe(one) for one in way[:-1] if one not in certificates),
            refusal=_worst(self._anchors.refusals(certificates, ca_file)) if chain and not way else None,
            strict=_worst(self._anchors.refusals(certificates, ca_file, strict=True)) if way else None,
            writing=tuple(_writing(data)),
            store=self._anchors.store.label,
            now=self.now(),
        )

    def key(self, path: str, certificate: str) -> KeyFile:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

        _, chain = _certificates(*_bytes(certificate))
        if not chain:
            raise ValueError(f"wanted a certificate to hold the key against, saw none in {certificate}")
        data, size = _bytes(path)
        content = _content(data, size)
        block = _key_block(data)
        if block is None and content is not Content.KEY:
            return KeyFile(KeyFit.NOT_A_KEY, content)
        try:
            key = load_der_private_key(data, None) if block is None else load_pem_private_key(block, None)
        except TypeError:  # the library's way to say that there is a passphrase
            return KeyFile(KeyFit.ENCRYPTED, Content.KEY)
        except (ValueError, UnsupportedAlgorithm):  # its text may quote the key, so it goes nowhere
            return KeyFile(KeyFit.BROKEN, Content.KEY)
        try:
            public = chain[0].public_key()
        except UnsupportedAlgorithm:
            raise ValueError(
                f"wanted a certificate with a key of a known kind, saw another one in {certificate}"
            ) from None
        fits = _public(key.public_key()) == _public(public)
        return KeyFile(KeyFit.FITS if fits else KeyFit.DIFFERS, Content.KEY)

    def now(self) -> str:
        return instant(datetime.now(UTC))

    def anchors(self, path: str) -> AnchorFile:
        content, certificates = _certificates(*_bytes(path))
        chain = _described(certificates) if certificates else ()
        if certificates and chain is None:
            content = Content.UNREADABLE
        held = _fingerprints(self._anchors.store) if chain and self._anchors.store.label else frozenset()
        return AnchorFile(
            content=content,
            anchors=tuple(
                Anchor(one.seen, one.is_ca, one.issuer_at == place, one.seen.sha256 in held)
                for place, one in enumerate(chain or ())
            ),
            store=self._anchors.store.label,
            now=self.now(),
        )


def _bytes(path: str) -> tuple[bytes, int]:
    """At most `READ_AT_MOST` bytes of a regular file, and its size.  Never waits for a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(f"wanted a certificate or key file, saw a folder: {path}")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"wanted a certificate or key file, saw a device, pipe or socket: {path}")
        data = file.read(READ_AT_MOST + 1)
    return data[:READ_AT_MOST], max(status.st_size, len(data))


def _key_block(data: bytes) -> bytes | None:
    """The first private key in PEM, from its BEGIN to its END (RFC 7468, 2); None where there is no whole one."""
    begun: dict[bytes, int] = {}
    for mark in _MARK.finditer(data):  # once over the file: a search for the END of every BEGIN takes quadratic time
        if mark[1] == b"BEGIN":
            begun.setdefault(mark[2], mark.start())
        elif mark[2] in begun:
            return data[begun[mark[2]] : mark.end()]
    return None


def _writing(data: bytes) -> Iterator[Writing]:
    if data.startswith(_BOM):
        yield Writing.BOM
    if _GLUED.search(data):
        yield Writing.GLUED
    if b"\r\n" in data and _BLOCK.search(data):
        yield Writing.CRLF


def _worst(refusals: list[tuple[int, int, str]]) -> Refusal | None:
    """What says most: any other reason before a missing anchor, which one of two stores may well lack."""
    return min((Refusal(*one) for one in refusals), key=lambda one: one.lacks_anchor, default=None)


def _content(data: bytes, size: int) -> Content:
    if not data.strip():
        return Content.EMPTY
    if data.startswith(_UTF16):
        return Content.UTF16
    if size > READ_AT_MOST:
        return Content.TOO_LARGE
    labels = _BLOCK.findall(data)
    if any(label in _CERTIFICATE_LABELS for label in labels):
        return Content.CERTIFICATES if len(labels) <= CERTIFICATES_AT_MOST else Content.TOO_LARGE
    if any(label.endswith(b"PRIVATE KEY") for label in labels):
        return Content.KEY
    for label in labels:
        if label in _OTHER_LABELS:
            return _OTHER_LABELS[label]
    return _binary(data) if data[0] == 0x30 else Content.OTHER  # noqa: PLR2004 - DER SEQUENCE (X.690, 8.9)


def _binary(data: bytes) -> Content:
    from cryptography.x509 import load_der_x509_certificate

    # the length takes one byte, or one and as many as that one says (X.690, 8.1.3)
    inside = data[2 if len(data) < 2 or data[1] < 0x80 else 2 + (data[1] & 0x7F) :]  # noqa: PLR2004
    for start, content in _DER_STARTS:
        if inside.startswith(start):
            return Content.PKCS12_LOCKED if content is Content.PKCS12 and _locked(data) else content
    try:
        load_der_x509_certificate(data)
    except ValueError:
        return Content.OTHER
    return Content.DER


def _locked(store: bytes) -> bool:
    """Whether a PKCS#12 store opens only with a passphrase; False also for one that cannot be read at all."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    for secret in (None, b""):  # no passphrase and an empty one are written differently (RFC 7292, B.1)
        try:
            load_pkcs12(store, secret)
        except UnsupportedAlgorithm:
            return False
        except ValueError as error:  # the text is the library's, not the file's
            if "password" not in str(error):
                return False
        else:
            return False
    return True


def _certificates(data: bytes, size: int) -> tuple[Content, list[Certificate]]:
    content = _content(data, size)
    try:
        with _without_warnings():
            return content, _parse(content, data)
    except unreadable():
        return Content.BROKEN, []


def _parse(content: Content, data: bytes) -> list[Certificate]:
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    match content:
        case Content.CERTIFICATES:
            return load_pem_x509_certificates(data)
        case Content.DER:
            return [load_der_x509_certificate(data)]
        case _:
            return []


@contextmanager
def _without_warnings() -> Iterator[None]:
    """The library warns of what RFC 5280 forbids (serial 0, long names); what it cannot read it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _described(certificates: list[Certificate]) -> tuple[FileCertificate, ...] | None:
    """Every certificate in words; None where one of them cannot be read although it is well-formed DER."""
    try:
        with _without_warnings():
            return tuple(_describe(place, certificates) for place in range(len(certificates)))
    except unreadable():
        return None


def _describe(place: int, certificates: list[Certificate]) -> FileCertificate:
    from cryptography import x509

    certificate = certificates[place]
    # dates beyond what a calendar has end here; the description would only call them unreadable
    instant(certificate.not_valid_before_utc), instant(certificate.not_valid_after_utc)
    kind, bits, curve = _key(certificate)
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    extensions = extensions_of(certificate)
    return FileCertificate(
        # only the server's certificate is held against a name
        seen=describe(certificate, names_at_most=NAMES_AT_MOST if place else FILE_NAMES_AT_MOST),
        key_kind=kind,
        key_bits=bits,
        curve=curve,
        is_ca=is_ca,
        issuer_at=issuer_at(place, certificates),
        for_servers=extensions.uses is None or bool({"serverAuth", "any"} & set(extensions.uses)),
        padding=padding_of(certificate),
        extensions=extensions,
    )


def _key(certificate: Certificate) -> tuple[KeyKind, int, str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return KeyKind.OTHER, 0, ""
    match key:
        case rsa.RSAPublicKey():
            return KeyKind.RSA, key.key_size, ""
        case ec.EllipticCurvePublicKey():
            return KeyKind.EC, key.key_size, key.curve.name
        case ed25519.Ed25519PublicKey():
            return KeyKind.ED25519, 0, ""
        case ed448.Ed448PublicKey():
            return KeyKind.ED448, 0, ""
        case dsa.DSAPublicKey():
            return KeyKind.DSA, key.key_size, ""
        case _:
            return KeyKind.OTHER, 0, ""


def _public(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def _fingerprints(store: Store) -> frozenset[str]:
    """SHA-256 of every certificate in the host's store.  Not parsed: one odd root must not hide the others."""
    names = (
        [store.file]
        if store.file
        else [e.path for e in os.scandir(store.folder) if e.name.endswith((".pem", ".crt", ".0")) and e.is_file()]
    )
    blocks = [body for name in names for body in _CERTIFICATE_BODY.findall(_bytes(name)[0])]
    if not blocks:
        raise ValueError(f"wanted the host's trust anchors (PEM), saw none in {store.label}")
    return frozenset(sha256(b64decode(body)).hexdigest() for body in blocks)
