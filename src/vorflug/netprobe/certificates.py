"""Certificates as data: names capped and made visible, hostile ones described without trusting them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vorflug.model.message import visible
from vorflug.netprobe.limits import NAMES_AT_MOST
from vorflug.ports.certificates import Extensions
from vorflug.ports.net import CertificateSeen

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

_NAME_CHARS = 200
_WEAK_HASHES = ("md5", "sha1")
"""RFC 9155 deprecates both for signatures; OpenSSL's security level 1 refuses them."""
_LEAST_RSA = 2048
"""OpenSSL's security level 2, Debian's default, refuses less."""
_LEAST_EC = 224
"""The same."""
_URLS_AT_MOST = 3
_SIGNERS_AT_MOST = 5
"""Of one name; cross-signed authorities have two or three.  Each look costs up to 10 ms (RSA of 16384 bits)."""
_KEY_USAGES = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)
"""The library's names and those of RFC 5280, 4.2.1.3; encipherOnly and decipherOnly say nothing about servers."""


def describe(certificate: Certificate, *, names_at_most: int = NAMES_AT_MOST) -> CertificateSeen:
    """*certificate* in words.  A part that cannot be read says so; of its names the first *names_at_most* are taken."""
    from cryptography.hazmat.primitives.hashes import SHA256

    hush()
    names, addresses = alternative_names(certificate)
    return CertificateSeen(
        subject=name_of(lambda: certificate.subject),
        issuer=name_of(lambda: certificate.issuer),
        names=tuple(visible(n, at_most=253) for n in names[:names_at_most]),
        addresses=tuple(visible(a) for a in addresses[:names_at_most]),
        not_before=_readable(lambda: instant(certificate.not_valid_before_utc)),
        not_after=_readable(lambda: instant(certificate.not_valid_after_utc)),
        key=_readable(lambda: key_of(certificate)),
        signature=_readable(lambda: signature_hash(certificate)),
        sha256=certificate.fingerprint(SHA256()).hex(),
    )


def hush() -> None:
    """Let the library not warn of names and serial numbers against RFC 5280: hostile and old certificates have such.

    Not with ``catch_warnings``, which is not safe with threads.
    """
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
    warnings.filterwarnings("ignore", message="Parsed a serial number", category=UserWarning)


def instant(when: datetime) -> str:
    """RFC 3339, UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def name_of(read: Callable[[], Name]) -> str:
    """A distinguished name (RFC 4514), capped and visible."""
    return visible(_readable(lambda: read().rfc4514_string()), at_most=_NAME_CHARS)


def alternative_names(certificate: Certificate) -> tuple[list[str], list[str]]:
    """The dNSNames and the iPAddresses of the subject alternative name, apart: neither stands for the other (RFC 9525).

    None where it cannot be read: then no host matches either.
    """
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    except unreadable():
        return [], []
    return names.get_values_for_type(x509.DNSName), [str(a) for a in names.get_values_for_type(x509.IPAddress)]


def issuer_at(place: int, certificates: Sequence[Certificate]) -> int | None:
    """Where the certificate stands whose key signed that at *place*; None where *certificates* do not hold it."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    certificate = certificates[place]
    # itself first, then the next one: where it should be, and what names alone cannot tell in cross-signed chains
    order: Iterable[int] = dict.fromkeys((place, place + 1, *range(len(certificates))))
    alike = [n for n in order if n < len(certificates) and certificates[n].subject == certificate.issuer]
    for other in alike[:_SIGNERS_AT_MOST]:
        try:
            certificate.verify_directly_issued_by(certificates[other])
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return other
    return None


def last_place(chain: Sequence[Certificate]) -> int:
    """Where the last certificate stands that the first one leads to by signatures."""
    place, passed = 0, {0}
    while (signer := issuer_at(place, chain)) is not None and signer not in passed:
        place = signer
        passed.add(place)
    return place


def last_issuer(chain: Sequence[Certificate]) -> str:
    """Who issued the last certificate that the first one leads to by signatures."""
    return name_of(lambda: chain[last_place(chain)].issuer)


def key_of(certificate: Certificate) -> str:
    """``RSA 2048``, ``EC secp256r1``, ``Ed25519``."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}"
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}"
        case _:
            return type(key).__name__.removesuffix("PublicKey")


def signature_hash(certificate: Certificate) -> str:
    """``sha256``; empty for signatures that have none of their own (Ed25519)."""
    algorithm = certificate.signature_hash_algorithm
    return algorithm.name if algorithm is not None else ""


def padding_of(certificate: Certificate) -> str:
    """How the issuer's RSA signature is padded: ``pkcs1v15`` or ``pss``; empty for other signatures."""
    from cryptography.hazmat.primitives.asymmetric import padding

    match certificate.signature_algorithm_parameters:
        case padding.PSS():
            return "pss"
        case padding.PKCS1v15():
            return "pkcs1v15"
        case _:
            return ""


def extensions_of(certificate: Certificate) -> Extensions:
    """What *certificate* may be used for, capped and visible.  Raises one of `unreadable` where it cannot be read."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

    by_kind: dict[type, Any] = {type(e.value): e.value for e in certificate.extensions}
    constraints: x509.BasicConstraints | None = by_kind.get(x509.BasicConstraints)
    usage: x509.KeyUsage | None = by_kind.get(x509.KeyUsage)
    uses: x509.ExtendedKeyUsage | None = by_kind.get(x509.ExtendedKeyUsage)
    places: x509.AuthorityInformationAccess | None = by_kind.get(x509.AuthorityInformationAccess)
    known = {
        ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
        ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any",
    }
    lists: x509.CRLDistributionPoints | None = by_kind.get(x509.CRLDistributionPoints)

    def at(method: x509.ObjectIdentifier) -> list[x509.GeneralName]:
        return [place.access_location for place in places or () if place.access_method == method]

    def shown(names: list[x509.GeneralName]) -> tuple[str, ...]:
        urls = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
        return tuple(visible(url, at_most=_NAME_CHARS) for url in urls[:_URLS_AT_MOST])

    points = [name for point in lists or () for name in point.full_name or ()]
    return Extensions(
        key_usage=None if usage is None else tuple(word for bit, word in _KEY_USAGES if getattr(usage, bit)),
        uses=None if uses is None else tuple(known.get(use, use.dotted_string) for use in list(uses)[:NAMES_AT_MOST]),
        basic_constraints=constraints is not None,
        path_length=None if constraints is None else constraints.path_length,
        issuer_urls=shown(at(AuthorityInformationAccessOID.CA_ISSUERS)),
        revocation_urls=(*shown(at(AuthorityInformationAccessOID.OCSP)), *shown(points)),
    )


def unreadable() -> tuple[type[Exception], ...]:
    """What the library raises for a certificate of which a part cannot be read."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    return (
        ValueError,
        TypeError,  # a name with a bit string where the library wants text
        OverflowError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )


def is_weak_key(certificate: Certificate) -> bool:
    """Whether current clients refuse the key for its size."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return False  # not known to be weak: the description says that it is unreadable
    match key:
        case rsa.RSAPublicKey() | dsa.DSAPublicKey():
            return key.key_size < _LEAST_RSA
        case ec.EllipticCurvePublicKey():
            return key.key_size < _LEAST_EC
        case _:
            return False


def is_weak_signature(certificate: Certificate) -> bool:
    """Whether it is signed with a broken hash."""
    return _readable(lambda: signature_hash(certificate)) in _WEAK_HASHES


def _readable(read: Callable[[], Any]) -> str:
    try:
        return str(read())
    except unreadable() as error:
        return f"(unreadable: {type(error).__name__})"
