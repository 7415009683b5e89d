"""``vorflug proxy``: decisions by given values and by what stands on this machine; what is wrong is said."""

from __future__ import annotations

import json
import re

import pytest

from vorflug.cli.__main__ import execute
from vorflug.cli.commands import proxy
from vorflug.model.no_proxy import Dialect

GIVEN = ["--http-proxy", "http://proxy.corp:3128"]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def asked(capsys, *arguments):
    assert execute(["proxy", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_dialect_is_offered():
    assert sorted(proxy.DIALECTS) == sorted(d.value for d in Dialect)


def test_given_values_are_read_by_every_program_in_its_way(capsys):
    found = asked(capsys, "https://a.lab.test/x", *GIVEN, "--no-proxy", "*.lab.test")
    assert found["schema"] == "vorflug/proxy/1" and found["agree"] is False
    ways = {d["dialect"]: d["way"] for d in found["decisions"]}
    assert {n for n, way in ways.items() if way == "direct"} == {"go", "dockerd", "containerd", "java"}
    assert {n for n, way in ways.items() if way == "proxy"} == {"curl", "wget", "python", "requests", "httpx", "systemd", "login", "containers"}  # fmt: skip
    go = next(d for d in found["decisions"] if d["dialect"] == "go")
    assert (go["variable"], go["entry"], go["file"], go["proxy"]) == ("NO_PROXY", "*.lab.test", None, None)
    assert found["notes"][0] == "They do not all take the same way." and len(found["notes"]) == 2
    assert "write a.lab.test, without dot, star and port, into no_proxy and NO_PROXY" in found["notes"][1]
    assert "take *.lab.test out" in found["notes"][1]


def test_each_scheme_has_its_proxy(capsys):
    both = [*GIVEN, "--https-proxy", "http://tls.corp:1", "--dialect", "curl"]
    assert asked(capsys, "https://lab.test/", *both)["decisions"][0]["proxy"] == "http://tls.corp:1"
    assert asked(capsys, "http://lab.test/", *both)["decisions"][0]["proxy"] == "http://proxy.corp:3128"
    alone = asked(capsys, "http://lab.test/", *both[2:])
    assert alone["decisions"][0]["way"] == "direct" and alone["agree"] is True


def test_an_empty_list_is_one(capsys):
    java = asked(capsys, "http://localhost/", *GIVEN, "--no-proxy", "", "--dialect", "java")
    assert java["decisions"][0]["way"] == "proxy"


def test_the_settings_of_this_machine(capsys, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:topsecret9@proxy.corp:3128")
    monkeypatch.setenv("no_proxy", ".lab.test")
    monkeypatch.setenv("PAC_URL", "http://wpad/wpad.dat")
    assert execute(["proxy", "https://lab.test/?token=alsosecret1", "--dialect", "curl", "--dialect", "wget"]) == 0
    out = capsys.readouterr().out
    assert "topsecret9" not in out and "alsosecret1" not in out
    assert re.search(
        r"curl {14}direct( +\(.*\))?\n  curl takes the entry .lab.test of no_proxy to cover lab.test:443", out
    )
    assert re.search(r"wget {14}http://proxy.corp:3128( +\(.*\))?\n", out)
    assert "They do not all take the same way." in out and "PAC_URL names a PAC file" in out
    assert "What the environments of other users hold" in out


def test_the_remedy_fits_what_differs(capsys, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://a.corp:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://b.corp:2")
    notes = asked(capsys, "https://lab.test/", "--dialect", "curl", "--dialect", "go", "--dialect", "java")["notes"]
    assert not any("no_proxy and NO_PROXY" in note for note in notes)
    assert any(note.startswith("Java is given no proxy") for note in notes)
    assert any(note.startswith("They take different proxies") for note in notes)
    assert len(asked(capsys, "https://lab.test/", *GIVEN, "--dialect", "curl")["notes"]) == 0


def test_a_program_that_is_not_here_is_marked(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ["proxy", "https://lab.test/", *GIVEN, "--dialect", "wget", "--dialect", "go"]
    assert execute(arguments) == 0
    assert re.findall(r"^(\S+) .*\(not found here\)$", capsys.readouterr().out, re.MULTILINE) == ["wget"]
    (tmp_path / "wget").write_text("#!/bin/sh\n")
    (tmp_path / "wget").chmod(0o755)
    assert execute(arguments) == 0
    assert "not found" not in capsys.readouterr().out


def test_in_german(capsys):
    assert execute(["proxy", "https://lab.test/", *GIVEN, "--dialect", "curl", "--lang", "de"]) == 0
    assert "Wege zu https://lab.test/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lab.test"], "did you mean https://lab.test"),
        (["https://u:pw123456@lab.test/"], "without user name and password"),
        (["https://lab.test/", "--no-proxy", "x"], "give one with --http-proxy or --https-proxy"),
        (["https://lab.test/", "--http-proxy", "http://u:pw123456@p:1"], "does not belong on the command line"),
        (["https://lab.test/", "--http-proxy", "http://p:1", "--no-proxy", "x" * 4001], "4001 characters"),
        (["https://lab.test/", "--dialect", "perl"], "perl"),
    ],
)
def test_what_is_wrong_is_said(capsys, arguments, words):
    assert execute(["proxy", *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err and "pw123456" not in said.err + said.out and not said.out


@pytest.mark.parametrize("form", ["terminal", "json"])
@pytest.mark.parametrize(
    "listed",
    [
        "u:geheim99pw@a.example,a.example",
        "http://u:geheim99pw@a.example",
        "u:geh@geheim99pw@.example",
        "u:geheim99pw,xx@a.example",
        "a.example/u:geheim99pw@a.example",
        "geheim99pw@a.example|a.example",
    ],
)
def test_a_password_in_a_list_of_exceptions_is_not_shown(capsys, form, listed):
    arguments = ["https://a.example/", "--http-proxy", "http://p:1", "--no-proxy", listed, "--format", form]
    assert execute(["proxy", *arguments]) == 0
    said = capsys.readouterr()
    assert "a.example" in said.out and "geheim99pw" not in said.out + said.err
