from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from attest.samples import new_key
from vorflug.attest import dsse
from vorflug.attest.keys import KeyType
from vorflug.attest.strict import Malformed

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KIND = "application/vnd.in-toto+json"


def signed(key=None, payload=b"{}"):
    return json.loads(dsse.sign(payload, KIND, key or new_key()))


def spelled(value):
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def test_pae_is_as_the_specification_shows():
    # DSSE protocol.md, "Test Vectors"
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert dsse.pae("ü", b"") == b"DSSEv1 2 \xc3\xbc 0 "


@pytest.mark.parametrize("type_", list(KeyType))
def test_what_is_signed_verifies_with_that_key_alone(type_):
    key, other = new_key(type_), new_key(type_)
    envelope = dsse.read(dsse.sign(b'{"a":1}', KIND, key))
    assert (envelope.payload, envelope.keyid) == (b'{"a":1}', key.fingerprint)
    dsse.verify(envelope, key.private.public_key())
    for wrong in (other, new_key(KeyType.P256), new_key(KeyType.ED25519)):
        with pytest.raises(Malformed):
            dsse.verify(envelope, wrong.private.public_key())


def test_every_signature_has_a_low_s():
    key = new_key()
    for _ in range(40):
        _, s = decode_dss_signature(base64.b64decode(signed(key)["signatures"][0]["sig"]))
        assert s <= N // 2


def _other_forms(signature):
    r, s = decode_dss_signature(signature)
    yield encode_dss_signature(r, N - s)  # the twin that ECDSA itself accepts
    yield encode_dss_signature(r, s + N)
    yield signature + b"\0"  # trailing byte
    body = signature[2:]
    yield bytes([0x30, 0x81, len(body)]) + body  # BER length
    length = signature[3]
    padded = bytes([2, length + 1, 0]) + signature[4 : 4 + length]
    yield bytes([0x30, len(body) + 1]) + padded + signature[4 + length :]  # a leading zero too many
    yield r.to_bytes(32, "big") + s.to_bytes(32, "big")  # IEEE P1363


@pytest.mark.parametrize("form", range(6))
def test_no_second_form_of_a_signature_is_taken(form):
    key = new_key()
    value = signed(key)
    signature = base64.b64decode(value["signatures"][0]["sig"])
    value["signatures"][0]["sig"] = base64.b64encode(list(_other_forms(signature))[form]).decode()
    with pytest.raises(Malformed):
        dsse.verify(dsse.read(spelled(value)), key.private.public_key())


def test_an_ed25519_signature_with_another_length_or_scalar_is_refused():
    key = new_key(KeyType.ED25519)
    order = 2**252 + 27742317777372353535851937790883648493
    value = signed(key)
    signature = base64.b64decode(value["signatures"][0]["sig"])
    scalar = int.from_bytes(signature[32:], "little") + order  # RFC 8032, 8.4: malleable where S is not checked
    for other in (signature[:-1], signature + b"\0", signature[:32] + scalar.to_bytes(32, "little")):
        value["signatures"][0]["sig"] = base64.b64encode(other).decode()
        with pytest.raises(Malformed):
            dsse.verify(dsse.read(spelled(value)), key.private.public_key())


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(extra=1),
        lambda v: v.pop("payloadType"),
        lambda v: v["signatures"].append(v["signatures"][0]),
        lambda v: v["signatures"].clear(),
        lambda v: v.update(signatures={}),
        lambda v: v["signatures"][0].update(cert="x"),
        lambda v: v["signatures"][0].pop("keyid"),
        lambda v: v["signatures"][0].update(keyid=""),
        lambda v: v["signatures"][0].update(keyid=None),
        lambda v: v.update(payload=v["payload"].rstrip("=")),
        lambda v: v.update(payload=v["payload"] + "\n"),
        lambda v: v.update(payload=" " + v["payload"]),
        lambda v: v.update(payload="e30\u003d\u00a0"),
        lambda v: v.update(payload="-_-_"),
        lambda v: v.update(payload="e31="),  # other trailing bits, same bytes
        lambda v: v.update(payload=""),
    ],
)
def test_an_envelope_is_read_strictly(change):
    value = signed()
    assert dsse.read(spelled(value))
    change(value)
    with pytest.raises(Malformed):
        dsse.read(spelled(value))


@pytest.mark.parametrize(
    "respell",
    [
        lambda d: d.rstrip(b"\n"),
        lambda d: d + b"\n",
        lambda d: b" " + d,
        lambda d: d.replace(b'":"', b'": "', 1),
        lambda d: d.replace(b'"payload"', b'"p\\u0061yload"'),
        lambda d: d.replace(b"/", b"\\/", 1),
        lambda d: d.replace(b'{"payload":', b'{"payload":"","payload":'),
        lambda d: json.dumps(dict(reversed(json.loads(d).items())), separators=(",", ":")).encode() + b"\n",
        lambda d: b"[" * 100_000,
        lambda d: b'"' + b"a" * (9 << 20) + b'"',
        lambda d: b"\xff" + d,
        lambda d: b"",
    ],
)
def test_the_same_envelope_in_other_bytes_is_refused(respell):
    with pytest.raises(Malformed):
        dsse.read(respell(spelled(signed())))
