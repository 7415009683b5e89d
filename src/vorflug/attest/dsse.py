"""DSSE envelopes: one payload, one signature, one way to write it.

Source: DSSE v1.0.0 (secure-systems-lab/dsse, protocol.md and envelope.md).  The specification lets a reader accept
URL-safe base64, unknown members and several signatures; here everything that is not exactly what `sign` writes is
refused, so that no byte of the file can change and still be called verified.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from vorflug.attest.keys import PublicKey, SigningKey
from vorflug.attest.strict import Malformed, dump, members, parse, text
from vorflug.model.message import msg

MOST_BYTES = 8 << 20
"""An envelope larger than this is refused before it is parsed."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order n of the group of P-256 (NIST SP 800-186, 3.2.1.3)."""

_ED25519_LENGTH = 64
"""RFC 8032, 5.1.6."""


@dataclass(frozen=True)
class Envelope:
    """What an envelope holds, decoded; nothing in it is verified yet."""

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: the pre-authentication encoding (DSSE protocol.md, "Signature Definition")."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """The envelope's bytes: one line of ASCII JSON and a line feed."""
    to_sign = pae(payload_type, payload)
    private = key.private
    if isinstance(private, EllipticCurvePrivateKey):
        # (r, s) and (r, n - s) are both valid; one form only is ever written or read (SEC 1, and Bitcoin's BIP 62)
        r, s = decode_dss_signature(private.sign(to_sign, ECDSA(hashes.SHA256())))
        signature = encode_dss_signature(r, min(s, _P256_ORDER - s))
    else:
        signature = private.sign(to_sign)
    return _write(Envelope(payload, payload_type, key.fingerprint, signature))


def read(data: bytes) -> Envelope:
    """Read an envelope, strictly.  Raises Malformed for everything that `sign` would not have written."""
    plain = members(parse(data, most=MOST_BYTES), ("payload", "payloadType", "signatures"), "envelope")
    signatures = plain["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise Malformed(msg("envelope.signatures: wanted a list of exactly one signature"))
    signed = members(signatures[0], ("keyid", "sig"), "signature")
    found = Envelope(
        payload=_decode(plain, "payload", "envelope"),
        payload_type=text(plain, "payloadType", "envelope"),
        keyid=text(signed, "keyid", "signature"),
        signature=_decode(signed, "sig", "signature"),
    )
    if _write(found) != data:
        raise Malformed(
            msg("envelope: wanted one line without spaces, members in the agreed order, saw another spelling")
        )
    return found


def verify(envelope: Envelope, key: PublicKey) -> None:
    """Check the signature over the payload.  Raises Malformed where *key* did not make it."""
    to_check = pae(envelope.payload_type, envelope.payload)
    try:
        if isinstance(key, EllipticCurvePublicKey):
            _one_form_only(envelope.signature)
            key.verify(envelope.signature, to_check, ECDSA(hashes.SHA256()))
        else:
            if len(envelope.signature) != _ED25519_LENGTH:
                raise Malformed(msg("wanted an Ed25519 signature of {count} bytes", count=_ED25519_LENGTH))
            key.verify(envelope.signature, to_check)
    except InvalidSignature as error:
        raise Malformed(
            msg("the signature does not belong to this content: content or signature was changed")
        ) from error


def _one_form_only(signature: bytes) -> None:
    try:
        r, s = decode_dss_signature(signature)
    except ValueError as error:
        raise Malformed(msg("wanted an ECDSA signature in DER, saw other bytes")) from error
    if encode_dss_signature(r, s) != signature or not 0 < r < _P256_ORDER or not 0 < s <= _P256_ORDER // 2:
        raise Malformed(msg("wanted the one agreed form of an ECDSA signature (strict DER, low s), saw another"))


def _write(envelope: Envelope) -> bytes:
    signature = {"keyid": envelope.keyid, "sig": base64.b64encode(envelope.signature).decode("ascii")}
    return (
        dump(
            {
                "payload": base64.b64encode(envelope.payload).decode("ascii"),
                "payloadType": envelope.payload_type,
                "signatures": [signature],
            }
        )
        + b"\n"
    )


def _decode(value: Mapping[str, Any], name: str, where: str) -> bytes:
    encoded = text(value, name, where)
    try:
        decoded = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed(
            msg(
                "{where}.{name}: wanted base64 with padding (RFC 4648, section 4), saw other text",
                where=where,
                name=name,
            )
        ) from error
    if base64.b64encode(decoded).decode("ascii") != encoded:
        raise Malformed(msg("{where}.{name}: wanted canonical base64, saw another spelling", where=where, name=name))
    return decoded
