"""A report of this very machine, in the hands of somebody who trusts nothing but a key."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from e2e.program import PROGRAM, profile, sound, trusted, vorflug

PRODUCT = "ai-audit-assist"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A run of the shipped profile, and its key as one that came another way."""
    folder = tmp_path_factory.mktemp("fresh")
    ended = vorflug("run", "--deadline", "20", out=folder / "out", home=folder)
    return ended, trusted(ended.folder), folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A report that is ready."""
    folder = tmp_path_factory.mktemp("ready")
    file = profile(folder, ("memory", {"at_least": "1 B"}), ("confirmation", {}))
    ended = vorflug("run", "--profile", file, out=folder / "out", home=folder)
    assert ended.code == 0, ended.err
    return ended, trusted(ended.folder), folder


# ---- verify and gate ---------------------------------------------------------------------------------------------------


def test_a_fresh_report_is_whole_and_verifies(fresh):
    ended, trust, folder = fresh
    sound(ended)
    assert ended.code in {3, 5}, "a test machine without a site file is not ready"
    assert ended.code == ended.report["verdict"]["exit_code"]
    checked = vorflug("verify", ended.folder, "--trust", trust, "--format", "json")
    said = json.loads(checked.out)
    assert checked.code == 0 and said["verified"] is True and said["key"] in ended.out.replace("\n", "")
    shown = vorflug("keys", "fingerprint", home=folder)
    assert shown.out.strip() == said["key"]


def test_a_gate_ends_with_the_reports_own_code(fresh, ready):
    ended, trust, _ = fresh
    assert vorflug("gate", ended.folder, "--trust", trust, "--max-age", "1h").code == ended.code
    good, good_trust, _ = ready
    host = good.report["host"]
    passed = vorflug(
        "gate", good.folder, "--trust", good_trust, "--max-age", "1h", "--host", host["name"], "--profile", "e2e@>=1,<2"
    )
    assert passed.code == 0, passed.err
    assert vorflug("gate", good.folder, "--trust", good_trust, "--with-confirmations").code == 5


def test_a_gate_refuses_what_is_not_the_report_that_was_asked_for(ready, tmp_path):
    ended, trust, _ = ready
    other = tmp_path / "other.pem"
    assert vorflug("keys", "new", "--out", other, home=tmp_path).code == 0
    public = tmp_path / "other.pub"
    public.write_text(vorflug("keys", "show", other).out)
    for options in (
        ("--trust", public),
        ("--trust", trust, "--host", "another-host"),
        ("--trust", trust, "--profile", "e2e@>=2"),
        ("--trust", trust, "--profile", f"{PRODUCT}@>=1"),
    ):
        refused = vorflug("gate", ended.folder, *options)
        assert refused.code == 6 and "refused" in refused.err and refused.out == "", (options, refused)
    assert vorflug("gate", ended.folder, "--trust", tmp_path / "none").code == 2


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        # without and with --strict, each without and with --with-confirmations
        ([("memory", {"at_least": "1 B"})], (0, 0, 0, 0)),
        ([("memory", {"at_least": "1 B"}), ("memory", {"at_least": "900 TB", "level": "should"})], (0, 0, 4, 4)),
        ([("memory", {"at_least": "1 B"}), ("confirmation", {})], (0, 5, 0, 5)),
        ([("memory", {"at_least": "900 TB"}), ("confirmation", {})], (3, 3, 3, 3)),
    ],
)
def test_every_report_agrees_with_itself_whatever_counts_in_its_exit_code(tmp_path, rows, codes):
    file = profile(tmp_path, *rows)
    ways = [(), ("--with-confirmations",), ("--strict",), ("--strict", "--with-confirmations")]
    for number, (way, code) in enumerate(zip(ways, codes, strict=True)):
        ended = vorflug("run", "--profile", file, *way, out=tmp_path / f"out{number}", home=tmp_path)
        assert ended.code == code, ended.err
        sound(ended)
        assert vorflug("gate", ended.folder, "--trust", trusted(ended.folder)).code == code


def test_a_copied_report_verifies_and_a_changed_one_does_not(ready, tmp_path):
    ended, trust, _ = ready
    copy = tmp_path / "elsewhere"
    shutil.copytree(ended.folder, copy)
    assert vorflug("verify", copy, "--trust", trust).code == 0
    text = (copy / "report.json").read_text()
    (copy / "report.json").write_text(text.replace('"name": "e2e"', '"name": "E2E"', 1))
    refused = vorflug("verify", copy, "--trust", trust)
    assert refused.code == 6 and "report.json" in refused.err
    (copy / "report.json").write_text(text)
    assert vorflug("verify", copy, "--trust", trust).code == 0
    (copy / "attestation.dsse.json").unlink()
    assert vorflug("verify", copy, "--trust", trust).code == 6


# ---- the same facts, judged again ---------------------------------------------------------------------------------------


def _findings(data: bytes | str) -> str:
    """The findings, as bytes that can be compared."""
    plain = json.loads(data)
    return json.dumps({name: plain[name] for name in ("findings", "roots", "verdict")}, ensure_ascii=False, indent=1)


def test_judging_the_report_again_gives_the_same_bytes_but_for_times(fresh):
    ended, _, folder = fresh
    before = (ended.folder / "report.json").read_bytes()

    def timeless(text: str) -> str:
        return re.sub(r'("evaluated": )"[^"]*"', r"\1null", text)

    for seed in ("1", "2"):  # Python's sets have another order with each
        again = vorflug("evaluate", ended.folder, "--format", "json", home=folder, env={"PYTHONHASHSEED": seed})
        assert again.code == ended.code, again.err
        assert _findings(again.out) == _findings(before)
        assert timeless(again.out) == timeless(before.decode())


def test_facts_that_were_collected_give_the_findings_of_a_run(ready):
    ended, _, folder = ready
    file = folder / "profile.yaml"
    facts = folder / "facts.json"
    assert vorflug("collect", "--profile", file, "--out", facts, home=folder).code == 0
    judged = vorflug("evaluate", facts, "--profile", file, "--format", "json", home=folder)
    assert judged.code == 0, judged.err

    def without_memory(text):
        # what is free changes between two runs; what is installed does not
        return re.sub(r'"available_bytes": \d+', "", _findings(text))

    assert without_memory(judged.out) == without_memory((ended.folder / "report.json").read_bytes())


@pytest.mark.tier("namespaces")
def test_facts_are_judged_without_any_network(fresh):
    ended, _, folder = fresh
    alone = vorflug("evaluate", ended.folder, "--format", "json", home=folder, wrapper=("unshare", "-n"))
    assert alone.code == ended.code, alone.err
    assert _findings(alone.out) == _findings((ended.folder / "report.json").read_bytes())


@pytest.mark.tier("namespaces")
def test_sizes_give_different_and_explained_findings(fresh):
    ended, _, folder = fresh
    capacity: dict[str, dict[str, dict]] = {}
    for size in ("S", "M", "L"):
        judged = vorflug(
            "evaluate", ended.folder, "--size", size, "--format", "json", home=folder, wrapper=("unshare", "-n")
        )
        assert judged.code in {3, 5}, judged.err
        findings = json.loads(judged.out)["findings"]
        capacity[size] = {f["id"]: f for f in findings}
    assert set(capacity["S"]) == set(capacity["M"]) == set(capacity["L"])
    different = [
        (one, two)
        for one, two in (("S", "M"), ("M", "L"))
        if any(capacity[one][id_]["wanted"] != capacity[two][id_]["wanted"] for id_ in capacity[one])
    ]
    assert different == [("S", "M"), ("M", "L")], "each size wants something else"
    for size, findings in capacity.items():
        for finding in findings.values():
            if finding["outcome"] in {"unmet", "unknown"}:
                assert finding["because"]["en"] and finding["fix"], (size, finding["id"])


def test_another_model_needs_no_machine(fresh):
    ended, _, folder = fresh
    for model in ("kubernetes", "saas", "hybrid"):
        judged = vorflug("evaluate", ended.folder, "--model", model, "--format", "json", home=folder)
        assert judged.code in {0, 3, 5}, judged.err
        assert json.loads(judged.out)["profile"]["model"] == model


def test_the_program_is_the_real_one():
    assert PROGRAM[1:] == ("-m", "vorflug.cli.__main__") and Path(PROGRAM[0]).exists()


# ---- other people's tools -----------------------------------------------------------------------------------------------


@pytest.mark.tier("openssl")
def test_openssl_alone_verifies_a_fresh_report(fresh, tmp_path):
    ended, trust, _ = fresh
    envelope = json.loads((ended.folder / "attestation.dsse.json").read_bytes())
    payload = b64decode(envelope["payload"], validate=True)
    kind = envelope["payloadType"].encode()
    # the pre-authentication encoding of DSSE 1.0
    (tmp_path / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp_path / "sig").write_bytes(b64decode(envelope["signatures"][0]["sig"], validate=True))
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", trust, "-signature", tmp_path / "sig", tmp_path / "pae"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    statement = json.loads(payload)
    digests = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    assert digests == {n: sha256((ended.folder / n).read_bytes()).hexdigest() for n in ("report.json", "report.html")}


def test_securesystemslib_verifies_a_fresh_report(fresh):
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    ended, trust, _ = fresh
    plain = json.loads((ended.folder / "attestation.dsse.json").read_bytes())
    key = SSlibKey(
        plain["signatures"][0]["keyid"], "ecdsa", "ecdsa-sha2-nistp256", {"public": trust.read_text(encoding="ascii")}
    )
    assert Envelope.from_dict(plain).verify([key], 1)
