from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

from attest.samples import new_key, report, write_report, write_trust
from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def signed(tmp_path):
    key = new_key()
    return write_report(tmp_path / "report", key), write_trust(tmp_path / "customer.pub", key), key


def test_a_genuine_report_is_named_with_its_limit(signed, capsys):
    folder, trust, key = signed
    assert execute(["verify", str(folder), "--trust", str(trust)]) == 0
    out, err = capsys.readouterr()
    assert key.fingerprint in out and "audit-vm-01" in out and "verdict: ready" in out
    assert "Whoever is root there holds the key" in out and err == ""


def test_json_is_all_that_stands_on_stdout(signed, capsys):
    folder, trust, key = signed
    assert execute(["verify", str(folder), "--trust", str(trust), "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verified"] is True and said["key"] == key.fingerprint and said["verdict"]["exit_code"] == 0


def test_a_refusal_names_the_step_and_ends_with_six(signed, capsys):
    folder, trust, _ = signed
    (folder / "report.html").write_bytes((folder / "report.json").read_bytes())
    assert execute(["verify", str(folder), "--trust", str(trust)]) == 6
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("vorflug: refused at step 8 (signed files): report.html is not the file")
    assert execute(["verify", str(folder), "--trust", str(trust), "--format", "json"]) == 6
    said = json.loads(capsys.readouterr().out)
    assert (said["verified"], said["step"], said["step_number"]) == (False, "subjects", 8)


def _edited(data, chance):
    at = chance.randrange(len(data))
    return chance.choice(
        [
            data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :],
            data[:at] + bytes([(data[at] + chance.randrange(1, 256)) % 256]) + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + bytes([chance.randrange(256)]) + data[at:],
        ]
    )


def test_five_hundred_random_edits_all_end_with_six(signed, capsys):
    folder, trust, _ = signed
    chance = random.Random(5)
    names = ("report.json", "report.html", "attestation.dsse.json")
    whole = {name: (folder / name).read_bytes() for name in names}
    for number in range(500):
        name = names[number % 3]
        edited = _edited(whole[name], chance)
        assert edited != whole[name]
        (folder / name).write_bytes(edited)
        assert execute(["verify", str(folder), "--trust", str(trust)]) == 6, (number, name)
        (folder / name).write_bytes(whole[name])
    out, err = capsys.readouterr()
    assert out == "" and err.count("refused at step") == 500 and "Traceback" not in err
    assert execute(["verify", str(folder), "--trust", str(trust)]) == 0


def test_a_key_of_the_folder_is_refused_even_when_it_is_named(signed, capsys, monkeypatch):
    folder, _, _ = signed
    assert execute(["verify", str(folder), "--trust", str(folder / "report-key.pub")]) == 6
    monkeypatch.chdir(folder)
    assert execute(["verify", ".", "--trust", "report-key.pub"]) == 6
    assert capsys.readouterr().err.count("step 1 (trust)") == 2


def test_every_defect_of_the_folder_is_six_and_an_unreadable_key_is_two(signed, capsys, tmp_path):
    folder, trust, _ = signed
    assert execute(["verify", str(tmp_path / "none"), "--trust", str(trust)]) == 6
    assert execute(["verify", str(folder), "--trust", str(tmp_path / "none")]) == 2
    (tmp_path / "junk").write_bytes(os.urandom(100))
    assert execute(["verify", str(folder), "--trust", str(tmp_path / "junk")]) == 2
    assert execute(["verify", str(folder)]) == 2
    assert execute(["verify", "--trust", str(trust)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_it_speaks_german(signed, capsys):
    folder, trust, _ = signed
    assert execute(["verify", str(folder), "--trust", str(trust), "--lang", "de"]) == 0
    assert "Das Urteil des Berichts: bereit." in capsys.readouterr().out


def test_hostile_text_that_was_signed_is_inert_on_the_terminal(tmp_path, capsys):
    key = new_key()
    host = {"name": "\x1b[2J\u202e<script>", "identity": "unknown"}
    folder = write_report(tmp_path / "report", key, report(host=host))
    assert execute(["verify", str(folder), "--trust", str(write_trust(tmp_path / "k.pub", key))]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out and "\\u001b[2J" in out


@pytest.mark.parametrize("command", ["verify", "gate"])
def test_verifying_loads_nothing_heavy(signed, command):
    folder, trust, _ = signed
    code = (
        "import sys\nfrom vorflug.cli.__main__ import execute\n"
        f"assert execute([{command!r}, {str(folder)!r}, '--trust', {str(trust)!r}]) == 0\n"
        "heavy = {'httpx', 'dns', 'psutil', 'jinja2', 'rich', 'pydantic', 'yaml', 'OpenSSL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert 'cryptography' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_report_of_an_interrupted_run_is_called_partial(tmp_path, capsys):
    key = new_key()
    times = {**report()["times"], "interrupted": "SIGINT"}
    folder = write_report(tmp_path / "report", key, report(times=times))
    trust = str(write_trust(tmp_path / "k.pub", key))
    assert execute(["verify", str(folder), "--trust", trust]) == 0
    assert "The run was interrupted (SIGINT): partial.\n" in capsys.readouterr().out
    assert execute(["verify", str(folder), "--trust", trust, "--lang", "de"]) == 0
    assert "Der Lauf wurde abgebrochen (SIGINT): unvollständig.\n" in capsys.readouterr().out


def test_a_whole_run_is_not_called_partial(signed, capsys):
    folder, trust, _ = signed
    assert execute(["verify", str(folder), "--trust", str(trust)]) == 0
    assert "partial" not in capsys.readouterr().out
