"""Others verify what we sign: the very commands of docs/verifying.md, run by openssl, a shell and securesystemslib."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from attest.samples import new_key, write_report, write_trust
from vorflug.attest.keys import KeyType

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "verifying.md"
BLOCKS = dict(re.findall(r"<!-- tested: ([a-z0-9 ]+) -->\n```[a-z]+\n(.*?)```", GUIDE.read_text(), re.DOTALL))
FILES = ("report.json", "report.html", "attestation.dsse.json")


@pytest.fixture(params=list(KeyType))
def case(request, tmp_path):
    key = new_key(request.param)
    folder = write_report(tmp_path / "report", key)
    return request.param, key, folder, write_trust(tmp_path / "customer.pub", key)


def shell(script, folder, trust):
    environ = {"PATH": os.environ["PATH"], "KEY": str(trust), "TMPDIR": str(trust.parent)}
    return subprocess.run(["sh", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def openssl(case):
    type_, _, folder, trust = case
    script = BLOCKS["openssl unpack"] + BLOCKS[f"openssl verify {type_}"] + BLOCKS["openssl files"]
    return shell(script, folder, trust)


def securesystemslib(case):
    _, _, folder, trust = case
    environ = {**os.environ, "KEY": str(trust)}
    return subprocess.run(
        [sys.executable, "-c", BLOCKS["securesystemslib"]],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_block_of_the_guide_is_run_here():
    assert sorted(BLOCKS) == [
        "openssl files",
        "openssl fingerprint ed25519",
        "openssl fingerprint p256",
        "openssl unpack",
        "openssl verify ed25519",
        "openssl verify p256",
        "securesystemslib",
    ]


@pytest.mark.tier("openssl")
def test_openssl_alone_verifies_a_fresh_report(case):
    done = openssl(case)
    assert done.returncode == 0, done.stderr
    assert "Files OK" in done.stdout
    assert "Verified OK" in done.stdout or "Verified Successfully" in done.stdout


@pytest.mark.tier("openssl")
def test_openssl_gives_the_same_fingerprint(case):
    type_, key, folder, trust = case
    done = shell(BLOCKS[f"openssl fingerprint {type_}"], folder, trust)
    assert f"SHA256:{done.stdout.strip()}" == key.fingerprint


def test_securesystemslib_verifies_a_fresh_report(case):
    done = securesystemslib(case)
    assert (done.returncode, done.stdout) == (0, "Verified ready\n"), done.stderr


@pytest.mark.tier("openssl")
@pytest.mark.parametrize("program", [openssl, securesystemslib])
def test_the_guide_notices_changed_swapped_and_foreign_reports(case, program, tmp_path):
    _, key, folder, trust = case
    whole = {name: (folder / name).read_bytes() for name in FILES}
    for name in FILES:
        data = bytearray(whole[name])
        data[len(data) // 3] ^= 1
        (folder / name).write_bytes(bytes(data))
        assert program(case).returncode != 0, name
        (folder / name).write_bytes(whole[name])
    (folder / "report.json").write_bytes(whole["report.html"])
    (folder / "report.html").write_bytes(whole["report.json"])
    assert program(case).returncode != 0
    for name in FILES:
        (folder / name).write_bytes(whole[name])
    write_trust(trust, new_key(case[0]))
    assert program(case).returncode != 0
    write_trust(trust, key)
    assert program(case).returncode == 0
