"""``vorflug explain`` prints the page of every code, in both languages, and helps who does not know its name."""

from __future__ import annotations

import pytest

from vorflug.cli.__main__ import execute
from vorflug.model.codes import PAGES
from vorflug.ports.net_codes import Code
from vorflug.texts import say


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "80")


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_its_page(capsys, code, language):
    assert execute(["explain", code.value, "--lang", language]) == 0
    out, err = capsys.readouterr()
    page = PAGES[code]
    assert out.startswith(f"{code.value}\n") and err == ""
    assert max(map(len, out.splitlines())) <= 80
    for said in (page.seen, page.proves, page.not_proves, page.who, page.ask):
        assert words(say(said, language)) in words(out)
    for line in page.look:
        assert f"  {line}\n" in out


def test_the_team_that_is_asked_first_is_named(capsys):
    assert execute(["explain", "tcp.timeout"]) == 0
    assert "Ask first: Network / firewall\n" in capsys.readouterr().out
    assert execute(["explain", "http.no_response"]) == 0
    assert "Ask first" not in capsys.readouterr().out


def test_codes_may_be_written_in_any_case(capsys):
    assert execute(["explain", "TLS.Intercepted"]) == 0
    assert capsys.readouterr().out.startswith("tls.intercepted\n")


@pytest.mark.parametrize("arguments", [["codes"], ["--list"], ["Codes"]])
def test_all_codes_are_listed(capsys, arguments):
    assert execute(["explain", *arguments]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [code.value for code in Code]
    assert words(say(PAGES[Code.TLS_STALL].seen, "en")) in words(out)


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("tls.interceptd", "tls.intercepted"),
        ("intercepted", "tls.intercepted"),
        ("tcp_refused", "tcp.refused"),
        ("OS-5", "OS-0"),
    ],
)
def test_near_names_of_both_kinds_are_offered(capsys, written, near):
    assert execute(["explain", written]) == 2
    out, err = capsys.readouterr()
    assert out == "" and f"no requirement {written} " in err and near in err.partition("did you mean")[2]


def test_what_is_near_to_nothing_is_told_where_to_look(capsys):
    assert execute(["explain", "xyzzy"]) == 2
    err = words(capsys.readouterr().err)
    assert "vorflug profile show lists the requirements, vorflug explain codes the codes." in err


def test_nothing_asked_is_refused(capsys):
    assert execute(["explain"]) == 2
    assert "vorflug explain codes lists the codes" in capsys.readouterr().err


def test_a_code_needs_no_profile(capsys, tmp_path):
    """Somebody who was sent a code has neither a profile nor a site file."""
    assert execute(["explain", "dns.timeout", "--profile", str(tmp_path / "none.yaml")]) == 0
    assert capsys.readouterr().out.startswith("dns.timeout\n")
