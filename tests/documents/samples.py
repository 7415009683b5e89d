"""Small profiles and site files for tests, as people would write them."""

from __future__ import annotations

from datetime import date

from vorflug.documents import profile

TODAY = date(2026, 11, 25)

HEAD = """\
schema: vorflug/profile/1
name: sample
version: 1.2.0
title: {en: Sample, de: Beispiel}
published: 2026-11-25
sizes:
  S: {title: {en: small, de: klein}}
  M: {title: {en: medium, de: mittel}}
  L: {title: {en: large, de: groß}}
sources:
  V-REQ: "vendor IT requirements, v2.0"
parameters:
  llm.provider:
    type: choice
    values: [azure, aws]
    required: true
    title: {en: Language model, de: Sprachmodell}
  ram.floor: {type: size, required: true, example: 8 GB, title: {en: Least memory, de: Mindestspeicher}}
  ram.slack: {type: percent, title: {en: Tolerance, de: Toleranz}}
  proxy.used: {type: boolean, default: false, title: {en: Proxy, de: Proxy}}
  integrations: {type: choice, many: true, values: [smtp, sharepoint], title: {en: Integrations, de: Anbindungen}}
  api.key: {type: secret, title: {en: API key, de: API-Schlüssel}}
requirements:
"""


def row(
    id_: str = "MEM-1", kind: str = "memory", fields: str = "at_least: 8 GB", models: str = "[compose]", **header: str
) -> str:
    """One requirement; *fields* are the lines of its own fields, *header* replaces lines of the header."""
    lines = {
        "title": "{en: Memory, de: Arbeitsspeicher}",
        "advice": "{en: Add memory., de: Speicher erweitern.}",
        "models": models,
        "phases": "[pre-install]",
        "team": "os-virtualisation",
        "basis": "vendor",
        "sources": "[V-REQ]",
        **header,
    }
    text = f"  - id: {id_}\n    kind: {kind}\n"
    text += "".join(f"    {name}: {value}\n" for name, value in lines.items())
    return text + "".join(f"    {line}\n" for line in fields.splitlines())


def confirmation(id_: str = "ORG-1", **header: str) -> str:
    """A requirement that a person confirms."""
    return row(id_, "confirmation", "", title="{en: Queue agreed, de: Verteiler vereinbart}", **header)


def load(*rows: str, head: str = HEAD, **overlays: str) -> profile.Profile:
    """The profile made of *head* and *rows*; an overlay's keyword is its operating model."""
    if overlays:
        head = head.replace(
            "requirements:", f"overlays: {{{', '.join(f'{m}: {m}.yaml' for m in overlays)}}}\nrequirements:"
        )
    files = {"profile.yaml": head + "".join(rows)}
    for model, text in overlays.items():
        files[f"{model}.yaml"] = f"schema: vorflug/overlay/1\nextends: profile.yaml\nmodel: {model}\n{text}"
    return profile.parse("profile.yaml", "profile.yaml", lambda name: files[name].encode())


def line_of(text: str, part: str) -> int:
    """The line (from 1) of the sample on which *part* stands."""
    return (HEAD + text)[: (HEAD + text).index(part)].count("\n") + 1


SITE = """\
schema: vorflug/site/1
customer: Musterbank
parameters:
  llm.provider: azure
  ram.floor: 8 GB
confirmations:
  ORG-1: {confirmed: true, by: Erika Muster, on: 2026-11-20, evidence: minutes}
"""
