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


_NO_ANCHOR = frozenset({2, 18, 19, 20, 21})


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
    PKCS12_LOCKED = "pkcs12_locked"
    """The same, which opens only with a passphrase; nobody asks for it here."""
    UTF16 = "utf16"
    """PEM in UTF-16, as the redirection of Windows PowerShell writes it: no server reads that."""
    KEY = "key"
    """A private key, encrypted or not, and no certificate."""
    REQUEST = "request"
    """A signing request (RFC 2986), which an authority has yet to answer."""
    PUBLIC_KEY = "public_key"
    EMPTY = "empty"
    BROKEN = "broken"
    """A PEM block of the wanted kind that cannot be parsed."""
    UNREADABLE = "unreadable"
    """A certificate in valid DER of which a part (dates, extensions, key) cannot be read."""
    TOO_LARGE = "too_large"
    OTHER = "other"


class Writing(StrEnum):
    """What is odd about how a PEM file is written, although its certificates can be told."""

    BOM = "bom"
    """It begins with a UTF-8 byte order mark: Go passes over the first certificate, Java over all of them."""
    GLUED = "glued"
    """An END and the next BEGIN share a line, as ``cat`` leaves it where the first file has no last line break:
    neither OpenSSL nor Go nor Java read on there (RFC 7468, 3 wants a line of its own)."""
    CRLF = "crlf"
    """Line breaks of Windows, which every reader takes (RFC 7468, 3)."""


class KeyKind(StrEnum):
    """The algorithm of a public key."""

    RSA = "RSA"
    EC = "EC"
    ED25519 = "Ed25519"
    ED448 = "Ed448"
    DSA = "DSA"
    OTHER = "other"


@dataclass(frozen=True)
class Extensions:
    """What a certificate says about what it may be used for (RFC 5280, 4.2)."""

    key_usage: tuple[str, ...] | None
    """The bits that are set, as in RFC 5280, 4.2.1.3 (``digitalSignature``); None without this extension."""
    uses: tuple[str, ...] | None
    """extendedKeyUsage: ``serverAuth``, ``clientAuth``, ``any`` or a dotted number; None without this extension."""
    basic_constraints: bool
    """Whether there are any."""
    path_length: int | None
    """How many authorities may stand between this one and a server; None for no limit."""
    issuer_urls: tuple[str, ...]
    """Where the certificate of its issuer can be fetched (authorityInfoAccess, caIssuers; RFC 5280, 4.2.2.1)."""
    revocation_urls: tuple[str, ...]
    """Where one can ask whether it was revoked: OCSP (authorityInfoAccess, ocsp) and lists (cRLDistributionPoints)."""


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
    padding: str
    """How its issuer's RSA signature is padded: ``pkcs1v15`` or ``pss`` (RFC 8017, 8); empty for other signatures."""
    extensions: Extensions


@dataclass(frozen=True)
class Refusal:
    """Why OpenSSL does not accept a chain, whatever its dates."""

    place: int
    """Which certificate it stopped at: 0 is the server's, 1 its issuer …, as found and not as in the file."""
    code: int
    """X509_V_ERR_* (openssl/x509_vfy.h)."""
    says: str
    """OpenSSL's own words."""

    @property
    def lacks_anchor(self) -> bool:
        """Whether it says no more than that nobody known issued the last certificate (codes 2, 18 to 21)."""
        return self.code in _NO_ANCHOR


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
    public: bool
    """Whether the first certificate leads to a public root (Mozilla's list) by the others, whatever the dates."""
    filled: tuple[CertificateSeen, ...]
    """Intermediates on the way to *root* that the file lacks and only the store (or the further file) had."""
    refusal: Refusal | None
    """Why *root* is None; None where there is a root, or no chain or store to look at."""
    strict: Refusal | None
    """What the strict checks of RFC 5280 (X509_V_FLAG_X509_STRICT) find on the way to *root*; None for nothing."""
    writing: tuple[Writing, ...]
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
