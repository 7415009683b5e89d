"""Certificate and key files of the host, described.  A key never crosses this port: only whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vorflug.ports.net import CertificateSeen

READ_AT_MOST = 1 << 20
"""Bytes: longer files are refused.  The bundle of all public roots has about 230 KB."""

CERTIFICATES_AT_MOST = 1000
"""Further certificates of one file are refused: the bundle of all public roots has about 150."""


class Content(StrEnum):
    """What a file holds, by its bytes and not by its name."""

    CERTIFICATES = "certificates"
    """PEM (RFC 7468), every CERTIFICATE block of it readable."""
    DER = "der"
    """One certificate in binary DER (X.690)."""
    PKCS7 = "pkcs7"
    """A PKCS#7 bundle (RFC 2315), PEM or binary."""
    PKCS12 = "pkcs12"
    """A PKCS#12 store (RFC 7292): ``.p12``, ``.pfx``."""
    KEY = "key"
    """A private key, encrypted or not, and no certificate."""
    REQUEST = "request"
    """A signing request (RFC 2986), which an authority has yet to answer."""
    PUBLIC_KEY = "public_key"
    EMPTY = "empty"
    BROKEN = "broken"
    """A PEM block of the wanted kind that cannot be parsed."""
    TOO_LARGE = "too_large"
    OTHER = "other"


class KeyKind(StrEnum):
    """The algorithm of a public key."""

    RSA = "RSA"
    EC = "EC"
    ED25519 = "Ed25519"
    ED448 = "Ed448"
    DSA = "DSA"
    OTHER = "other"


@dataclass(frozen=True)
class FileCertificate:
    """One certificate of a file."""

    seen: CertificateSeen
    key_kind: KeyKind
    key_bits: int
    """Length of an RSA or DSA modulus or of an EC field; 0 where that says nothing (Ed25519)."""
    curve: str
    """``secp256r1``, ``brainpoolP256r1`` (SEC 2, RFC 5639); empty where the key is on no named curve."""
    is_ca: bool
    """basicConstraints cA (RFC 5280, 4.2.1.9)."""
    issuer_at: int | None
    """Where in the file the certificate stands whose key signed this one (from 0); its own place where it signed
    itself; None where the file does not hold it."""
    for_servers: bool
    """extendedKeyUsage is absent or allows serverAuth (RFC 5280, 4.2.1.12)."""


@dataclass(frozen=True)
class CertificateFile:
    """A certificate file: the leaf first, as servers read it."""

    content: Content
    size_bytes: int
    chain: tuple[FileCertificate, ...]
    """In the order of the file; empty unless *content* is CERTIFICATES or DER."""
    holds_key: bool
    """Whether a private key stands in the same file."""
    root: CertificateSeen | None
    """The trust anchor of the host (or of the further file) that the first certificate leads to by the others, whatever
    the dates; None where there is none."""
    store: str
    """The host's store that was used; empty where none was found."""
    now: str
    """The host's time, RFC 3339 UTC."""


class KeyFit(StrEnum):
    """Whether a key file belongs to a certificate."""

    FITS = "fits"
    DIFFERS = "differs"
    """A private key, of another certificate."""
    ENCRYPTED = "encrypted"
    """A private key behind a passphrase, which nobody asks for here."""
    NOT_A_KEY = "not_a_key"
    BROKEN = "broken"
    """A private key that cannot be parsed."""


@dataclass(frozen=True)
class KeyFile:
    """What may be said of a private key file."""

    fit: KeyFit
    content: Content
    """What the key file holds."""


@dataclass(frozen=True)
class Anchor:
    """A certificate that the site wants to be trusted."""

    seen: CertificateSeen
    is_ca: bool
    self_signed: bool
    in_store: bool
    """Whether the host's store holds it, by the SHA-256 of its DER form."""


@dataclass(frozen=True)
class AnchorFile:
    """A file of trust anchors, held against the host's store."""

    content: Content
    anchors: tuple[Anchor, ...]
    store: str
    """Empty where no store was found: then nothing can be said of ``in_store``."""
    now: str
    """The host's time, RFC 3339 UTC."""


class Certificates(Protocol):
    """Reads certificate and key files.  What a file holds instead is a value (`Content`), not an exception."""

    def read(self, path: str, ca_file: str | None = None) -> CertificateFile:
        """The certificates of *path*; *ca_file* (PEM) names further trust anchors besides the host's store."""
        ...

    def key(self, path: str, certificate: str) -> KeyFile:
        """Whether the private key in *path* belongs to the first certificate of *certificate*.

        Raises ValueError where *certificate* holds none.
        """
        ...

    def now(self) -> str:
        """The host's time, RFC 3339 UTC."""
        ...

    def anchors(self, path: str) -> AnchorFile:
        """The certificates of *path*, and which of them the host's store holds."""
        ...
