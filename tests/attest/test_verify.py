from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from attest.samples import files_of, new_key, predicate_of, report, write_report, write_trust
from vorflug.attest import dsse, sign_report, statement, trust
from vorflug.attest.keys import KeyType
from vorflug.attest.verify import MOST_BYTES, Refused, Step, verify

FILES = ("report.json", "report.html", "attestation.dsse.json")


class Case:
    def __init__(self, tmp_path, type_=KeyType.P256):
        self.key = new_key(type_)
        self.folder = write_report(tmp_path / "report", self.key)
        self.trust = write_trust(tmp_path / "customer.pub", self.key)

    def verify(self):
        return verify(self.folder, trust.load(self.trust, trust.Role.REPORT), self.trust)

    def refuse(self):
        with pytest.raises(Refused) as caught:
            self.verify()
        return caught.value


@pytest.fixture(params=list(KeyType))
def case(request, tmp_path):
    return Case(tmp_path, request.param)


def test_a_whole_report_is_verified_and_its_bytes_are_handed_on(case):
    found = case.verify()
    assert found.key.fingerprint == case.key.fingerprint
    assert found.predicate["verdict"]["outcome"] == "ready"
    assert found.files == {name: (case.folder / name).read_bytes() for name in FILES[:2]}


def _edited(data, chance):
    """One edit that changes the content: a flipped bit, another byte, a deleted or an inserted one."""
    at = chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        case 1:
            return data[:at] + bytes([(data[at] + chance.randrange(1, 256)) % 256]) + data[at + 1 :]
        case 2:
            return data[:at] + data[at + 1 :]
        case _:
            return data[:at] + bytes([chance.randrange(256)]) + data[at:]


def test_five_hundred_random_edits_are_all_refused(case):
    chance = random.Random(20261124)
    whole = {name: (case.folder / name).read_bytes() for name in FILES}
    refused = dict.fromkeys(FILES, 0)
    for number in range(500):
        name = FILES[number % 3]
        edited = _edited(whole[name], chance)
        assert edited != whole[name]
        (case.folder / name).write_bytes(edited)
        with pytest.raises(Refused):
            case.verify()
        refused[name] += 1
        (case.folder / name).write_bytes(whole[name])
    assert sum(refused.values()) == 500
    assert case.verify()


def test_every_single_bit_of_the_signature_counts(case):
    file = case.folder / "attestation.dsse.json"
    whole = file.read_bytes()
    start = whole.index(b'"sig":"') + 7
    for at in range(start, whole.index(b'"', start)):
        for bit in range(8):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
            assert case.refuse().step in {Step.ENVELOPE, Step.SIGNATURE}


def test_swapped_files_are_refused(case):
    a, b = case.folder / "report.json", case.folder / "report.html"
    first, second = a.read_bytes(), b.read_bytes()
    b.write_bytes(first)
    assert case.refuse().step is Step.SUBJECTS
    a.write_bytes(second)
    refused = case.refuse()
    assert refused.step is Step.SUBJECTS and "report.json is not the file that was signed" in str(refused)


def test_a_report_of_another_run_does_not_fit(case, tmp_path):
    other = write_report(tmp_path / "other", case.key, report(host={"name": "other", "identity": "x"}))
    (case.folder / "report.json").write_bytes((other / "report.json").read_bytes())
    assert case.refuse().step is Step.SUBJECTS


def test_no_key_is_trusted_because_of_where_it_lies(case, tmp_path, monkeypatch):
    stranger = new_key()
    files = {name: (case.folder / name).read_bytes() for name in FILES[:2]}
    (case.folder / "attestation.dsse.json").write_bytes(sign_report(files, predicate_of(report()), stranger))
    (case.folder / "report-key.pub").write_bytes(stranger.public_pem)
    for place in (tmp_path / "report-key.pub", tmp_path / "customer.pub.bak"):
        place.write_bytes(stranger.public_pem)
    monkeypatch.chdir(tmp_path)
    refused = case.refuse()
    assert refused.step is Step.KEY
    assert stranger.fingerprint in str(refused) and case.key.fingerprint in str(refused)


def test_a_key_of_the_folder_proves_nothing_even_when_it_is_named(case, tmp_path):
    (tmp_path / "link.pub").symlink_to(case.folder / "report-key.pub")
    for named in (case.folder / "report-key.pub", tmp_path / "link.pub"):
        case.trust = named
        refused = case.refuse()
        assert refused.step is Step.TRUST and "proves nothing" in str(refused)


def test_a_public_key_beside_the_report_is_the_signers_or_there_is_none(case, tmp_path):
    beside = case.folder / "report-key.pub"
    for planted in (new_key().public_pem, case.key.public_pem + b"\n", b"", b"<h1>Trust me</h1>"):
        beside.write_bytes(planted)
        refused = case.refuse()
        assert refused.step is Step.SUBJECTS and "report-key.pub" in str(refused), planted
    beside.write_bytes(b"#" * (64 << 10) + b"#")
    assert case.refuse().step is Step.FILES
    beside.unlink()
    assert case.verify()
    beside.symlink_to(case.trust)
    assert case.refuse().step is Step.FILES
    beside.unlink()
    os.mkfifo(beside)
    assert case.refuse().step is Step.FILES
    beside.unlink()
    beside.mkdir()
    assert case.refuse().step is Step.FILES


def test_a_hard_link_to_a_key_of_the_folder_proves_nothing_either(case, tmp_path):
    case.trust.unlink()
    case.trust.hardlink_to(case.folder / "report-key.pub")
    assert case.refuse().step is Step.TRUST


def test_report_json_and_the_signed_verdict_tell_the_same(case):
    other = {
        "verdict": report(findings=[{**report()["findings"][0], "outcome": "unmet"}])["verdict"],
        "profile": {**report()["profile"], "version": "2.0.0"},
        "host": {**report()["host"], "name": "another"},
        "times": {**report()["times"], "started": "2026-11-24T10:11:59Z"},
        "tool": {"name": "vorflug", "version": "9"},
        "findings": report()["findings"][:1],
    }
    for member, value in other.items():
        files = files_of({**report(), member: value})
        (case.folder / "report.json").write_bytes(files["report.json"])
        (case.folder / "report.html").write_bytes(files["report.html"])
        (case.folder / "attestation.dsse.json").write_bytes(sign_report(files, predicate_of(report()), case.key))
        refused = case.refuse()
        assert refused.step is Step.PREDICATE and "report.json" in str(refused), member


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"no JSON", b'{"verdict": {}, "verdict": {}}', b"[" * 100_000, b'{"findings": [{"id": []}]}']
)
def test_a_signed_report_json_that_is_no_report_is_refused(case, data):
    files = {**files_of(report()), "report.json": data}
    (case.folder / "report.json").write_bytes(data)
    (case.folder / "attestation.dsse.json").write_bytes(sign_report(files, predicate_of(report()), case.key))
    assert case.refuse().step is Step.PREDICATE


def test_the_keyid_of_a_trusted_key_is_not_enough(case):
    files = {name: (case.folder / name).read_bytes() for name in FILES[:2]}
    forged = json.loads(sign_report(files, predicate_of(report()), new_key()))
    forged["signatures"][0]["keyid"] = case.key.fingerprint
    spelled = json.dumps(forged, separators=(",", ":")).encode() + b"\n"
    (case.folder / "attestation.dsse.json").write_bytes(spelled)
    assert case.refuse().step is Step.SIGNATURE


def test_one_of_several_trusted_keys_will_do(case, tmp_path):
    write_trust(case.trust, new_key(), case.key, new_key(KeyType.ED25519))
    assert case.verify().key.fingerprint == case.key.fingerprint


def test_without_any_trusted_key_nothing_is_verified(case):
    with pytest.raises(Refused) as caught:
        verify(case.folder, ())
    assert caught.value.step is Step.TRUST


@pytest.mark.parametrize("name", FILES)
def test_each_file_must_be_there_and_be_a_regular_one(case, name, tmp_path):
    file = case.folder / name
    data = file.read_bytes()
    file.unlink()
    refused = case.refuse()
    assert refused.step is Step.FOLDER and name in str(refused)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(data)
    file.symlink_to(elsewhere)
    assert case.refuse().step is Step.FILES
    file.unlink()
    os.mkfifo(file)
    assert case.refuse().step is Step.FILES
    file.unlink()
    file.mkdir()
    assert case.refuse().step is Step.FILES
    file.rmdir()
    file.write_bytes(data)
    assert case.verify()


@pytest.mark.parametrize("name", FILES)
def test_huge_files_are_refused_without_being_held(case, name):
    os.truncate(case.folder / name, MOST_BYTES + 1)  # sparse
    refused = case.refuse()
    assert refused.step is Step.FILES and "larger than" in str(refused)


def test_a_file_that_nobody_signed_is_refused(case):
    (case.folder / "report-final.html").write_text("<h1>READY</h1>")
    refused = case.refuse()
    assert refused.step is Step.FOLDER and "report-final.html" in str(refused)


def test_no_folder_no_report(case, tmp_path):
    for folder in (tmp_path / "none", case.folder / "report.json", "a\0b"):
        case.folder = Path(folder)
        assert case.refuse().step is Step.FOLDER


def test_a_statement_of_another_kind_is_refused_though_its_signature_holds(case):
    data = json.dumps({"_type": "link", "name": "x"}).encode()
    for payload, kind in ((data, statement.PAYLOAD_TYPE), (statement_bytes(case), "application/json")):
        (case.folder / "attestation.dsse.json").write_bytes(dsse.sign(payload, kind, case.key))
        assert case.refuse().step is Step.STATEMENT


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.pop("verdict"),
        lambda p: p["verdict"].update(exit_code="0"),
        lambda p: p["verdict"].update(outcome="not_ready"),
        lambda p: p.update(outcomes={}),
        lambda p: p["times"].update(started=7),
        lambda p: p["host"].update(name=None),
        lambda p: p["tool"].update(name="othertool"),
        lambda p: p["verdict"]["counts"].pop("must_unmet"),
        lambda p: p["verdict"]["counts"].update(total=True),
        lambda p: p["verdict"]["counts"].update(not_applicable=-1),
        lambda p: p["verdict"]["counts"].update(total=5),
        lambda p: p["verdict"]["counts"].update(must_unmet=1),
        lambda p: p["verdict"]["counts"].update(met=1, confirmations_met=0),
        lambda p: p["outcomes"].update({"OS-001": "unmet"}),
        lambda p: p["verdict"].update(exit_code_with_confirmations=3),
        lambda p: p["verdict"].update(exit_code_with_confirmations=0, exit_code=4),
        lambda p: p["verdict"].update(exit_code=130),
        lambda p: p["verdict"].update(exit_code_with_confirmations=130),
        lambda p: p["times"].update(started="yesterday"),
        lambda p: p["times"].update(evaluated="2026-11-24T10:12:32"),
        lambda p: p["times"].update(finished="2020-01-01T00:00:00Z"),
        lambda p: p["times"].update(evaluated="2026-11-24T10:12:31Z"),
        lambda p: p["test_result"].update(result="PASSED"),
        lambda p: p["test_result"]["failedTests"].append("OS-001"),
        lambda p: p["test_result"]["passedTests"].append("ORG-001"),
        lambda p: p["test_result"]["passedTests"].append("OS-001"),
        lambda p: p["test_result"]["passedTests"].pop(),
        lambda p: p["test_result"]["passedTests"].append("DNS-001"),
        lambda p: p["test_result"].update(warnedTests="ORG-001"),
    ],
)
def test_a_signed_verdict_that_says_nothing_usable_is_refused(case, change):
    said = json.loads(statement_bytes(case))
    change(said["predicate"])
    envelope = dsse.sign(json.dumps(said).encode(), statement.PAYLOAD_TYPE, case.key)
    (case.folder / "attestation.dsse.json").write_bytes(envelope)
    assert case.refuse().step is Step.PREDICATE


def statement_bytes(case):
    return statement.build(files_of(report()), predicate_of(report()))


def test_hostile_text_in_a_signed_report_is_shown_and_never_acts(case):
    said = json.loads(statement_bytes(case))
    said["subject"][0]["name"] = "\x1b[2J\u202ereport"
    envelope = dsse.sign(json.dumps(said).encode(), statement.PAYLOAD_TYPE, case.key)
    (case.folder / "attestation.dsse.json").write_bytes(envelope)
    shown = str(case.refuse())
    assert "\x1b" not in shown and "\u202e" not in shown and "\\u001b" in shown


def test_steps_are_numbered_in_the_order_of_the_documentation():
    assert [s.number for s in Step] == list(range(1, 14))
    assert Step.SUBJECTS.number == 8
    assert all(str(s.shown_as) for s in Step)
