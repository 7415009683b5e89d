from __future__ import annotations

import pytest

from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diagnose", "https://a.invalid/", "--timeout", "3"], "'--timeout'.\nDid you mean --deadline?"),
        (["proxy", "https://a.invalid/", "--timeout", "3"], None),
        (["diagnose", "https://a.invalid/", "--deadlin", "3"], None),
        (["diagnose", "https://a.invalid/", "--expect-status", "401,200"], "--expect-status 401 --expect-status 200"),
        (["proxy", "https://a.invalid/", "--dialect", "curl,wget"], "--dialect curl --dialect wget"),
        (["proxy", "https://a.invalid/", "--format", "json,terminal"], None),
        (["proxy", "https://a.invalid/", "--dialect", "perl"], None),
        (["profile", "firewall", "--until", "31.12.2027"], "a date as YYYY-MM-DD, for example 2027-12-31"),
    ],
)
def test_hints(arguments, says, capsys):
    assert execute(arguments) == 2
    err = capsys.readouterr().err
    hinted = "Did you mean --deadline?" in err or "more than once, each" in err or "YYYY-MM-DD" in err
    assert (says in err) if says is not None else not hinted or "--deadlin'" in err


def test_what_click_quotes_holds_no_password(capsys):
    assert execute(["diagnose", "https://user:geheim", "geheim99pw@host/"]) == 2
    assert execute(["diagnose", "https://a.example/", "--mode", "u:geheim99pw wort@host"]) == 2
    said = capsys.readouterr().err
    assert "(…)" in said and "'…'" in said and "'sse'" in said and "geheim99pw" not in said
