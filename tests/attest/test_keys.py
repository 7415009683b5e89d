from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from vorflug.attest import keys, trust
from vorflug.attest.keys import KeyRefused, KeyType


def home(tmp_path, **more):
    return {"HOME": str(tmp_path), **more}


def pkcs8(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.tier("ssh-keygen")
@pytest.mark.parametrize("type_", list(KeyType))
def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path, type_):
    public = keys.generate(type_).public_key()
    file = tmp_path / "key.pub"
    file.write_bytes(public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH))
    shown = subprocess.run(["ssh-keygen", "-lf", str(file)], capture_output=True, text=True, check=True).stdout
    assert shown.split()[1] == keys.fingerprint(public)


def test_the_report_key_is_made_once_and_is_private(tmp_path):
    first = keys.report_key(home(tmp_path))
    path = tmp_path / ".config" / "vorflug" / "report-key.pem"
    assert not first.ephemeral and first.path == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["report-key.pem"]
    assert keys.report_key(home(tmp_path)).fingerprint == first.fingerprint
    assert b"BEGIN PUBLIC KEY" in first.public_pem and "private" not in repr(first)


def test_xdg_config_home_counts_only_where_it_is_absolute(tmp_path):
    assert keys.report_key_path(home(tmp_path, XDG_CONFIG_HOME="/x/y")).parts[:4] == ("/", "x", "y", "vorflug")
    assert keys.report_key_path(home(tmp_path, XDG_CONFIG_HOME="relative")).is_relative_to(tmp_path)
    assert keys.report_key_path({}) is None


def test_many_first_runs_at_once_end_with_one_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: keys.report_key(home(tmp_path)).fingerprint, range(48)))
    assert len(found) == 1


def test_the_umask_does_not_open_the_key(tmp_path):
    before = os.umask(0)
    try:
        path = keys.report_key(home(tmp_path)).path
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_reach_is_refused_and_kept(tmp_path, mode):
    path = keys.report_key(home(tmp_path)).path
    before = path.read_bytes()
    path.chmod(mode)
    with pytest.raises(KeyRefused, match=f"mode {mode:o}, wanted 600"):
        keys.report_key(home(tmp_path))
    assert path.read_bytes() == before


def test_a_link_in_place_of_the_key_is_refused(tmp_path):
    path = keys.report_key(home(tmp_path)).path
    real = tmp_path / "real.pem"
    path.rename(real)
    for target in (real, tmp_path / "not-there"):
        path.symlink_to(target)
        with pytest.raises(KeyRefused, match="saw a link"):
            keys.report_key(home(tmp_path))
        path.unlink()
    assert not (tmp_path / "not-there").exists()


@pytest.mark.tier("root")
def test_a_key_or_folder_of_another_user_is_not_used(tmp_path):
    path = keys.report_key(home(tmp_path)).path
    os.chown(path, 65534, -1)
    with pytest.raises(KeyRefused, match="another user"):
        keys.report_key(home(tmp_path))
    os.chown(path, 0, -1)
    os.chown(path.parent, 65534, -1)
    key = keys.report_key(home(tmp_path))
    assert key.ephemeral and "somebody else" in str(key.ephemeral_because)


def test_without_a_folder_the_key_is_for_this_run_and_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    shared = tmp_path / "shared" / "vorflug"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    for environ, why in (
        ({}, "neither XDG_CONFIG_HOME nor HOME"),
        ({"HOME": str(tmp_path / "file")}, "cannot be used"),
        ({"HOME": "/proc/self"}, "cannot be used"),
        ({"XDG_CONFIG_HOME": str(shared.parent)}, "others can write"),
    ):
        key = keys.report_key(environ)
        assert key.ephemeral and key.path is None and why in str(key.ephemeral_because)
        assert key.fingerprint.startswith("SHA256:")
    assert list(shared.iterdir()) == []


def test_a_full_disk_leaves_no_half_key(tmp_path):
    # RLIMIT_FSIZE refuses the write as a full disk does, and needs no root
    code = (
        "import resource; from vorflug.attest import keys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        f"key = keys.report_key({home(tmp_path)!r})\n"
        "assert key.ephemeral and 'cannot keep a key' in str(key.ephemeral_because), key\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert list((tmp_path / ".config" / "vorflug").iterdir()) == []


def test_an_encrypted_key_wants_its_passphrase_and_never_says_it(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(keys.private_pem(keys.generate(), "correct horse"))
    assert keys.load(file, {keys.PASSPHRASE: "correct horse"}).path == file
    for environ, says in (
        ({}, "VORFLUG_KEY_PASSPHRASE"),
        ({keys.PASSPHRASE: ""}, "VORFLUG_KEY_PASSPHRASE"),
        ({keys.PASSPHRASE: "canary-wrong"}, "does not open"),
    ):
        with pytest.raises(KeyRefused, match=says) as caught:
            keys.load(file, environ)
        assert "canary" not in str(caught.value) and caught.value.__cause__ is None


def test_a_passphrase_for_a_plain_key_does_no_harm(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(keys.private_pem(keys.generate()))
    assert keys.load(file, {keys.PASSPHRASE: "x"}).fingerprint


def test_the_report_key_is_encrypted_where_a_passphrase_is_given(tmp_path):
    environ = home(tmp_path, **{keys.PASSPHRASE: "x"})
    key = keys.report_key(environ)
    assert b"ENCRYPTED" in key.path.read_bytes() and keys.report_key(environ).fingerprint == key.fingerprint
    with pytest.raises(KeyRefused, match="encrypted"):
        keys.report_key(home(tmp_path))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pkcs8(rsa.generate_private_key(65537, 2048)), "saw RSA"),
        (lambda: pkcs8(ec.generate_private_key(ec.SECP384R1())), "saw ECDSA secp384r1"),
        (lambda: pkcs8(ec.generate_private_key(ec.SECP256K1())), "saw ECDSA secp256k1"),
        (lambda: pkcs8(ed448.Ed448PrivateKey.generate()), "saw Ed448"),
        (
            lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            ),
            "openssl pkcs8 -topk8",
        ),
        (lambda: pkcs8(keys.generate()) * 2, "wanted one private key"),
        (lambda: keys.public_pem(keys.generate().public_key()), "wanted one private key"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"),
        (lambda: b"", "wanted one private key"),
        (lambda: b"\xff" * 70_000, "larger than"),
    ],
)
def test_other_keys_are_refused_by_name(tmp_path, make, says):
    file = tmp_path / "key.pem"
    file.write_bytes(make())
    with pytest.raises(KeyRefused, match=says) as caught:
        keys.load(file, {})
    assert str(file) in str(caught.value)


def test_a_named_key_may_be_a_link_as_mounted_secrets_are(tmp_path):
    (tmp_path / "real").write_bytes(keys.private_pem(keys.generate(KeyType.ED25519)))
    (tmp_path / "key.pem").symlink_to("real")
    assert not keys.load(tmp_path / "key.pem", {}).ephemeral


@pytest.mark.parametrize("given", [b"caf\xe9".decode("utf-8", "surrogateescape"), "canary" * 171, "ü" * 512])
def test_a_passphrase_that_no_key_can_have_is_refused_unquoted(tmp_path, given):
    for use in (
        keys.report_key,
        lambda environ: keys.load(tmp_path / "key.pem", environ),
        lambda environ: trust.public_keys(tmp_path / "key.pem", environ),
    ):
        (tmp_path / "key.pem").write_bytes(keys.private_pem(keys.generate(), "another"))
        with pytest.raises(KeyRefused, match="VORFLUG_KEY_PASSPHRASE: wanted a passphrase") as caught:
            use(home(tmp_path, VORFLUG_KEY_PASSPHRASE=given))
        assert given[:3] not in str(caught.value)


def test_the_longest_passphrase_there_is_opens_its_key(tmp_path):
    environ = home(tmp_path, VORFLUG_KEY_PASSPHRASE="x" * 1023)
    assert keys.report_key(environ).fingerprint == keys.report_key(environ).fingerprint


@pytest.mark.tier("root")
@pytest.mark.parametrize("made", [(), (".config",), (".config/vorflug",)])
def test_root_makes_nothing_in_a_home_that_is_somebody_elses(tmp_path, made):
    user = tmp_path / "user"
    for folder in (user, *(user / name for name in made)):
        folder.mkdir(parents=True)
    for folder in (user, user / ".config"):
        if folder.exists():
            os.chown(folder, 1000, 1000)
    before = sorted(user.rglob("*"))
    found = keys.report_key(home(user))
    assert found.ephemeral and "belongs to somebody else" in str(found.ephemeral_because)
    assert sorted(user.rglob("*")) == before


@pytest.mark.tier("root")
def test_a_config_folder_that_is_somebody_elses_link_is_not_followed(tmp_path):
    (tmp_path / "own").mkdir()
    link = tmp_path / ".config"
    link.symlink_to("own")
    assert not keys.report_key(home(tmp_path)).ephemeral
    os.chown(link, 1000, 1000, follow_symlinks=False)
    assert keys.report_key(home(tmp_path)).ephemeral
