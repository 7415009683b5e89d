"""A small, realistic report with its folder, signed; not the real renderer's output, which attest never looks into."""

from __future__ import annotations

import json
from pathlib import Path

from vorflug.attest import preflight, sign_report
from vorflug.attest.keys import KeyType, SigningKey, generate

IDENTITY = "sha256:" + "5e" * 32


def finding(id_, outcome, level="must", nature="technical"):
    return {"id": id_, "outcome": outcome, "level": level, "nature": nature}


def report(**changes):
    """The members of report.json that the attestation is made from; its counts, and where none is given its verdict,
    are those of its findings."""
    plain = {
        "schema": "vorflug/report/1",
        "tool": {"name": "vorflug", "version": "0.1.0"},
        "profile": {
            "name": "ai-audit-assist",
            "version": "1.0.0",
            "title": {"en": "AI Audit Assist", "de": "AI Audit Assist"},
            "digest": "ab" * 32,
            "model": "compose",
            "size": "M",
            "phase": "pre-install",
        },
        "host": {"name": "audit-vm-01", "identity": IDENTITY, "user": "admin", "elevated": False},
        "times": {
            "started": "2026-11-24T10:12:00Z",
            "finished": "2026-11-24T10:12:31.250000Z",
            "evaluated": "2026-11-24T10:12:32Z",
            "interrupted": None,
        },
        "findings": [
            finding("OS-001", "met"),
            finding("OS-005", "met"),
            finding("DNS-001", "not_applicable"),
            finding("ORG-001", "unknown", nature="organisational"),
        ],
        **changes,
    }
    found = counts(plain["findings"])
    outcome = "not_ready" if found["must_unmet"] else "undetermined" if found["must_unknown"] else "ready"
    code = {"not_ready": 3, "undetermined": 5, "ready": 0}[outcome]
    said = plain.get("verdict") or verdict(
        outcome, code, 5 if found["confirmations_outstanding"] and not code else code
    )
    return {**plain, "verdict": {"counts": found, **said}}


def counts(findings):
    def many(nature, outcome, level=None):
        found = [f for f in findings if f["nature"] == nature and f["outcome"] == outcome]
        return sum(level in (None, f["level"]) for f in found)

    return {
        "total": len(findings),
        **{outcome: many("technical", outcome) for outcome in ("met", "unmet", "unknown", "not_applicable")},
        "must_unmet": many("technical", "unmet", "must"),
        "must_unknown": many("technical", "unknown", "must"),
        "should_unmet": many("technical", "unmet", "should"),
        "confirmations_met": many("organisational", "met"),
        "confirmations_outstanding": many("organisational", "unknown"),
        "confirmations_refused": many("organisational", "unmet"),
    }


def ended(outcome, code, people=None):
    """A verdict with findings that make it, as far as any can."""
    confirmed = {3: "unmet", 5: "unknown"}.get(code if people is None else people, "met")
    return {
        "verdict": verdict(outcome, code, people),
        "findings": [
            finding("OS-001", {"not_ready": "unmet", "undetermined": "unknown"}.get(outcome, "met")),
            finding("OS-002", "unmet" if code == 4 else "met", "should"),
            finding("ORG-001", confirmed, nature="organisational"),
        ],
    }


def verdict(outcome, code, people=None):
    return {"outcome": outcome, "exit_code": code, "exit_code_with_confirmations": code if people is None else people}


def new_key(type_=KeyType.P256):
    return SigningKey(generate(type_), Path("key.pem"))


def files_of(plain):
    page = "<!doctype html><title>Vorflug</title><p>audit-vm-01 – prüfbereit</p>\n"
    return {"report.json": (json.dumps(plain, indent=1) + "\n").encode(), "report.html": page.encode()}


def predicate_of(plain):
    return preflight(plain)


def write_report(folder, key, plain=None):
    """A whole report folder as a run leaves it."""
    plain = plain or report()
    files = files_of(plain)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "attestation.dsse.json").write_bytes(sign_report(files, predicate_of(plain), key))
    (folder / "report-key.pub").write_bytes(key.public_pem)
    return folder


def write_trust(path, *keys):
    path.write_bytes(b"".join(key.public_pem for key in keys))
    return path
