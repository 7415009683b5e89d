"""Certificates that no library writes, put together byte by byte (X.690, RFC 5280, 4.1)."""

from __future__ import annotations

import base64
import os
import ssl

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab import authority

ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_COMMON_NAME = bytes.fromhex("0603550403")


def tlv(tag, *parts):
    """Tag, length and value."""
    data = b"".join(parts)
    if len(data) < 0x80:
        return bytes([tag, len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + data


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def common_name(value, tag=12):
    return tlv(0x30, tlv(0x31, tlv(0x30, _COMMON_NAME, tlv(tag, value))))


def rsa_key(modulus, exponent):
    return tlv(0x30, _RSA, tlv(3, b"\0", tlv(0x30, integer(modulus), integer(exponent))))


def huge_rsa(bits, exponent=0xFFFFFFFFFFFFFFFF):
    """Nobody has the private key; to check a signature by it takes as long all the same."""
    modulus = int.from_bytes(os.urandom(bits // 8), "big") | 1 << (bits - 1) | 1
    return rsa_key(modulus, exponent)


def explicit_ec():
    """A key on P-256 whose curve is spelled out instead of named (RFC 5480, 2.1.1 forbids it)."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    base = bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    field = tlv(0x30, bytes.fromhex("06072a8648ce3d0101"), integer(p))
    curve = tlv(0x30, tlv(4, (p - 3).to_bytes(32, "big")), tlv(4, b.to_bytes(32, "big")))
    spelled = tlv(0x30, integer(1), field, curve, tlv(4, base), integer(order), integer(1))
    return tlv(0x30, tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), spelled), tlv(3, b"\0", point))


def certificate(
    *,
    key=None,
    subject=None,
    issuer=None,
    serial=1,
    begins=b"\x17\x0d260101000000Z",
    ends=b"\x17\x0d360101000000Z",
    extensions=b"",
    version=b"\xa0\x03\x02\x01\x02",
    algorithm=ECDSA_SHA256,
    signature=None,
):
    """DER of a certificate; *signature* None: signed by the lab's root."""
    if key is None:
        own = ec.generate_private_key(ec.SECP256R1()).public_key()
        key = own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = authority.root()
    subject = common_name(b"odd") if subject is None else subject
    issuer = root.certificate.subject.public_bytes() if issuer is None else issuer
    listed = tlv(0xA3, tlv(0x30, extensions)) if extensions else b""
    body = tlv(0x30, version, integer(serial), algorithm, issuer, tlv(0x30, begins, ends), subject, key, listed)
    signed = root.key.sign(body, ec.ECDSA(SHA256())) if signature is None else signature
    return tlv(0x30, body, algorithm, tlv(3, b"\0", signed))


def extension(oid, value, *, critical=False):
    """*oid*: its DER."""
    return tlv(0x30, oid, b"\x01\x01\xff" if critical else b"", tlv(4, value))


SAN, BASIC, USAGE, AIA = (bytes.fromhex(x) for x in ("0603551d11", "0603551d13", "0603551d0f", "06082b06010505070101"))


def many_names(count):
    names = b"".join(tlv(0x82, f"n{n:05}.lab.test".encode()) for n in range(count))
    return extension(SAN, tlv(0x30, names))


def costly_chain(count, bits):
    """Everybody could have signed everybody: a client that tries all pairs is busy for long."""
    name = common_name(b"Big CA")
    number = 1 << (bits - 8)
    signature = number.to_bytes(bits // 8, "big")
    return [
        certificate(key=huge_rsa(bits), subject=name, issuer=name, serial=n, algorithm=RSA_SHA256, signature=signature)
        for n in range(1, count + 1)
    ]


def context(folder, key, *ders):
    """A server's TLS context that presents *ders*, of which the first is for *key*."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    file = folder / f"odd-{id(made):x}.pem"
    begins, ends = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
    pem = b"".join(begins + base64.encodebytes(der) + ends for der in ders)
    file.write_bytes(pem + authority.Issued(None, key).key_pem())
    made.load_cert_chain(file)
    return made
