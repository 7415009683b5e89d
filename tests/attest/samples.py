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
    """The members of report.json that the attestation is made from."""
    return {
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
        "verdict": verdict("ready", 0, 5),
        "findings": [
            finding("OS-001", "met"),
            finding("OS-005", "met"),
            finding("DNS-001", "not_applicable"),
            finding("ORG-001", "unknown", nature="organisational"),
        ],
        **changes,
    }


def verdict(outcome, code, people=None):
    people = code if people is None else people
    return {"outcome": outcome, "exit_code": code, "exit_code_with_confirmations": people, "counts": {"total": 3}}


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
