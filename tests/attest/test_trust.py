from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attest.samples import new_key
from vorflug.attest import trust
from vorflug.attest.keys import KeyType, private_pem
from vorflug.attest.trust import Role, TrustUnreadable

PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
SSH = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def parse(data):
    return trust.parse(data, "keys", Role.REPORT)


def public(key, form):
    return key.private.public_key().public_bytes(*form)


def test_pem_blocks_ssh_lines_and_comments_may_stand_in_one_file():
    one, two, three = new_key(), new_key(KeyType.ED25519), new_key()
    data = b"# ours\n" + public(one, PEM) + b"\n" + public(two, SSH) + b" admin@host\n" + public(three, PEM)
    found = parse(data)
    assert {k.fingerprint for k in found} == {k.fingerprint for k in (one, two, three)}
    assert {k.role for k in found} == {Role.REPORT}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "saw none"),
        (b"# nothing\n", "saw none"),
        (b"hello\n", "keys:1: wanted public keys"),
        (public(new_key(), PEM) + b"\nhello\n", "keys:6: wanted public keys"),
        (private_pem(new_key().private), "private key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "damaged"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "keys:1"),
        (b"ssh-ed25519 AAAA\n", "damaged"),
        (rsa.generate_private_key(65537, 2048).public_key().public_bytes(*PEM), "saw RSA"),
        (ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*SSH), "saw ECDSA secp384r1"),
        (public(new_key(), PEM) + b"ssh-ed25519 AAAA\n", "damaged"),
    ],
)
def test_a_file_that_is_not_all_keys_is_refused_whole(data, says):
    with pytest.raises(TrustUnreadable, match=says):
        parse(data)


def test_no_file_no_trust(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(TrustUnreadable):
            trust.load(path, Role.REPORT)


def test_a_key_within_the_folder_is_found_whatever_path_leads_to_it(tmp_path, monkeypatch):
    folder = tmp_path / "report"
    (folder / "sub").mkdir(parents=True)
    inside, outside = folder / "report-key.pub", tmp_path / "key.pub"
    for file in (inside, outside, folder / "sub" / "k.pub"):
        file.write_bytes(public(new_key(), PEM))
    (tmp_path / "link.pub").symlink_to(inside)
    (tmp_path / "door").symlink_to(folder)
    (folder / "out.pub").symlink_to(outside)
    monkeypatch.chdir(folder)
    for path in (inside, tmp_path / "link.pub", tmp_path / "door" / "report-key.pub", folder / "sub" / "k.pub"):
        assert trust.lies_within(path, folder)
        assert trust.lies_within(path, tmp_path / "door")
    assert trust.lies_within(type(inside)("report-key.pub"), type(inside)("."))
    assert not trust.lies_within(outside, folder)
    assert not trust.lies_within(folder / "out.pub", folder)
