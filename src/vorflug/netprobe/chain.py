"""What a presented chain is worth: every fault, the one that says most first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vorflug.model.hosts import address
from vorflug.netprobe.anchors import Anchors
from vorflug.netprobe.certificates import hush, is_weak_key, is_weak_signature, last_place, name_of, unreadable
from vorflug.ports.net import Code

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# X509_V_ERR_… (OpenSSL, x509_vfy.h)
_NO_ISSUER = (2, 20, 21, 27)
_SELF_SIGNED_LEAF = 18
_SELF_SIGNED_ROOT = 19
_NOT_YET = (9, 13)
_EXPIRED = (10, 14)
_WEAK_KEY = (66, 67)
_WEAK_HASH = (68,)
_KNOWN = (*_NO_ISSUER, _SELF_SIGNED_LEAF, _SELF_SIGNED_ROOT, *_NOT_YET, *_EXPIRED, *_WEAK_KEY, *_WEAK_HASH)


@dataclass(frozen=True)
class Noted:
    """One thing that OpenSSL found while it built the chain."""

    error: int
    """X509_V_ERR number."""
    depth: int
    """0 is the server's certificate."""


@dataclass(frozen=True)
class Worth:
    """The judgement over a chain."""

    trusted: bool
    trusted_publicly: bool
    faults: tuple[Code, ...]
    """Who speaks, for whom, when, how well: in this order."""
    warnings: tuple[Code, ...]
    detail: str
    """The numbers and depths behind the faults: ``20@0 21@0 10@0``."""


def judge(
    chain: Sequence[Certificate],
    noted: Sequence[Noted],
    host: str,
    anchors: Anchors,
    *,
    ca_file: str | None = None,
    public_ca: bool = False,
) -> Worth:
    """Judge *chain* (leaf first) for *host*, offline but for what OpenSSL *noted*.

    *public_ca*: the endpoint is known to have its certificate from a public authority.
    """
    if not chain:
        return Worth(False, False, (Code.TLS_INVALID_CHAIN,), (), "no readable certificate")
    hush()
    errors = {n.error for n in noted}
    publicly = anchors.publicly(list(chain))
    faults: list[Code] = []
    warnings: list[Code] = []
    trusted = not errors & {*_NO_ISSUER, _SELF_SIGNED_LEAF, _SELF_SIGNED_ROOT} and errors <= set(_KNOWN)
    if errors - set(_KNOWN):
        faults.append(Code.TLS_INVALID_CHAIN)
    elif not trusted:
        resigned = is_resigned(chain[0], host)
        untrusted = _untrusted(chain, errors, anchors, ca_file, publicly=publicly, public_ca=public_ca)
        faults.append(Code.TLS_INTERCEPTED if resigned else untrusted)
    elif not publicly and (public_ca or ca_file is None or not anchors.trusts_by(ca_file, list(chain))):
        warnings.append(Code.TLS_INTERCEPTED)
    if not names_host(chain[0], host):
        faults.append(Code.TLS_HOST_MISMATCH)
    if errors & set(_NOT_YET):
        faults.append(Code.TLS_NOT_YET_VALID)
    if errors & set(_EXPIRED):
        faults.append(Code.TLS_EXPIRED)
    if errors & set(_WEAK_KEY) or any(is_weak_key(c) for c in chain):
        faults.append(Code.TLS_WEAK_KEY)
    # a root's signature on itself proves nothing and is not looked at (RFC 5280, 6.1)
    if errors & set(_WEAK_HASH) or any(is_weak_signature(c) for c in chain if c.subject != c.issuer):
        faults.append(Code.TLS_WEAK_SIGNATURE)
    if trusted and not faults and not anchors.trusts(list(chain), ca_file, strict=True):
        warnings.append(Code.TLS_STRICT_ONLY)
    detail = " ".join(f"{n.error}@{n.depth}" for n in dict.fromkeys(noted))
    return Worth(trusted, publicly, tuple(faults), tuple(warnings), detail)


def _untrusted(
    chain: Sequence[Certificate],
    errors: set[int],
    anchors: Anchors,
    ca_file: str | None,
    *,
    publicly: bool,
    public_ca: bool,
) -> Code:
    if _SELF_SIGNED_LEAF in errors:
        return Code.TLS_SELF_SIGNED
    if _SELF_SIGNED_ROOT not in errors and not publicly and _lacks_intermediate(chain, anchors, ca_file):
        return Code.TLS_MISSING_INTERMEDIATE
    if public_ca and not publicly:
        return Code.TLS_INTERCEPTED
    return Code.TLS_UNKNOWN_CA


_PRODUCTS = re.compile(
    r"zscaler|netskope|forti(?:gate|net|proxy)|blue ?coat|forcepoint|websense|mitmproxy|fiddlerroot|charles proxy"
    r"|portswigger|umbrella|watchguard|sophos|barracuda|smoothwall|untangle"
    r"|ssl filter ca|ssl inspection|tls inspection|web shield",
    re.IGNORECASE,
)
"""In the issuers of certificates that inspection products make up; none of them is an authority for anybody else."""


def is_resigned(leaf: Certificate, host: str) -> bool:
    """Whether a device on the way has made up the certificate.

    Squid and mitmproxy give what they make up the key of their own authority: it is signed with its own key, under
    another name, which no authority does for anybody.  Others name themselves.
    """
    if leaf.subject == leaf.issuer or not names_host(leaf, host):
        return False
    return _PRODUCTS.search(name_of(lambda: leaf.issuer)) is not None or _signed_with_its_own_key(leaf)


def _signed_with_its_own_key(leaf: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        key, digest, data = leaf.public_key(), leaf.signature_hash_algorithm, leaf.tbs_certificate_bytes
        match key:
            case rsa.RSAPublicKey() if digest is not None:
                key.verify(leaf.signature, data, padding.PKCS1v15(), digest)
            case ec.EllipticCurvePublicKey() if digest is not None:
                key.verify(leaf.signature, data, ec.ECDSA(digest))
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _lacks_intermediate(chain: Sequence[Certificate], anchors: Anchors, ca_file: str | None) -> bool:
    """Whether what is sent breaks off below an issuer that is told where to find, or kin to whom this host trusts.

    OpenSSL gives the same numbers for an unknown root that signs directly; a private root does so without AIA
    (RFC 5280, 4.2.2.1), its organisation is not one that this host trusts already, and no trusted root is sent beside.
    """
    from cryptography.x509.oid import NameOID

    top = chain[last_place(chain)]
    if top is chain[0] and _tells_its_issuer(top):
        return True
    beside = (other for other in chain[1:] if other.subject == other.issuer)
    if any(anchors.trusts([other], ca_file) for other in beside):
        return True
    return any(
        anchors.knows_organisation(str(a.value), ca_file)
        for a in top.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    )


def _tells_its_issuer(certificate: Certificate) -> bool:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return False
    except unreadable():
        return False
    return any(a.access_method == AuthorityInformationAccessOID.CA_ISSUERS for a in access)


def names_host(leaf: Certificate, host: str) -> bool:
    """Whether the subject alternative names hold *host* (RFC 9525); a common name alone counts for nothing."""
    if _names(leaf, host):
        return True
    first, _, rest = host.partition(".")
    # a wildcard stands for a label in its IDNA form as well (RFC 9525, 6.3), which the library does not take
    return first.lower().startswith("xn--") and _names(leaf, f"idna-{first[4:]}.{rest}")


def _names(leaf: Certificate, host: str) -> bool:
    from service_identity import CertificateError, VerificationError
    from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

    try:
        if address(host) is not None:
            verify_certificate_ip_address(leaf, host)
        else:
            verify_certificate_hostname(leaf, host.rstrip("."))
    except (CertificateError, VerificationError):
        return False
    except unreadable():
        return False
    return True
