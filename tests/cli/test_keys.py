from __future__ import annotations

import pytest

from vorflug.attest import keys
from vorflug.cli.__main__ import execute
from vorflug.host.secrets import redact


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv(keys.PASSPHRASE, raising=False)


@pytest.mark.parametrize("type_", ["p256", "ed25519"])
def test_new_show_and_fingerprint_belong_together(tmp_path, capsys, type_):
    file = tmp_path / "key.pem"
    assert execute(["keys", "new", "--type", type_, "--out", str(file)]) == 0
    fingerprint = capsys.readouterr().out
    assert fingerprint.startswith("SHA256:") and file.stat().st_mode & 0o777 == 0o600
    assert execute(["keys", "show", str(file)]) == 0
    public = capsys.readouterr().out
    assert public.startswith("-----BEGIN PUBLIC KEY-----") and "PRIVATE" not in public
    (tmp_path / "key.pub").write_text(public)
    for named in (file, tmp_path / "key.pub"):
        assert execute(["keys", "fingerprint", str(named)]) == 0
        assert capsys.readouterr().out == fingerprint


def test_an_existing_key_is_never_overwritten(tmp_path, capsys):
    file = tmp_path / "key.pem"
    assert execute(["keys", "new", "--out", str(file)]) == 0
    before = file.read_bytes()
    assert execute(["keys", "new", "--out", str(file)]) == 2
    assert "not overwritten" in capsys.readouterr().err and file.read_bytes() == before


def test_the_passphrase_comes_from_the_environment(tmp_path, capsys, monkeypatch):
    file = tmp_path / "key.pem"
    monkeypatch.setenv(keys.PASSPHRASE, "canary-passphrase")
    assert execute(["keys", "new", "--out", str(file)]) == 0
    assert b"ENCRYPTED" in file.read_bytes()
    assert execute(["keys", "show", str(file)]) == 0
    monkeypatch.setenv(keys.PASSPHRASE, "canary-wrong")
    assert execute(["keys", "show", str(file)]) == 2
    out, err = capsys.readouterr()
    assert "does not open" in err and "canary" not in out + err


def test_without_a_file_the_own_report_key_is_meant_and_never_made(tmp_path, capsys, monkeypatch):
    assert execute(["keys", "fingerprint"]) == 2
    assert "no report key yet" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    own = keys.report_key()
    assert execute(["keys", "fingerprint"]) == 0
    assert capsys.readouterr().out.strip() == own.fingerprint
    monkeypatch.delenv("HOME")
    assert execute(["keys", "show"]) == 2


@pytest.mark.parametrize("content", [b"", b"junk\n", b"\xff" * 300_000, b"-----BEGIN PRIVATE KEY-----\nx\n"])
def test_a_file_that_is_no_key_is_two(tmp_path, capsys, content):
    (tmp_path / "k").write_bytes(content)
    for action in ("show", "fingerprint"):
        assert execute(["keys", action, str(tmp_path / "k")]) == 2
    assert execute(["keys", "show", str(tmp_path / "none")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_command_takes_a_language(tmp_path, capsys):
    assert execute(["keys", "--lang", "de", "new", "--out", str(tmp_path / "k")]) == 0
    assert execute(["keys", "--lang", "de", "new", "--out", str(tmp_path / "k")]) == 2
    assert "überschrieben" in capsys.readouterr().err


def test_a_passphrase_that_no_key_can_have_is_two_and_never_shown(tmp_path, capsys, monkeypatch):
    for given in (b"caf\xe9-canary".decode("utf-8", "surrogateescape"), "canary" * 200):
        monkeypatch.setenv("VORFLUG_KEY_PASSPHRASE", given)
        assert execute(["keys", "new", "--out", str(tmp_path / "k")]) == 2
        assert not (tmp_path / "k").exists()
        assert execute(["run", "--deadline", "1", "--out", str(tmp_path / "out")]) == 2
        out, err = capsys.readouterr()
        assert err.count("VORFLUG_KEY_PASSPHRASE: wanted a passphrase") == 2 and "canary" not in out + err


def test_the_passphrase_is_struck_out_of_whatever_is_said_later(tmp_path, monkeypatch):
    monkeypatch.setenv("VORFLUG_KEY_PASSPHRASE", "canary-of-the-key")
    assert execute(["keys", "new", "--out", str(tmp_path / "k")]) == 0
    assert redact("said canary-of-the-key") == "said [redacted]"
