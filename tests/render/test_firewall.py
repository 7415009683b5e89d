from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from render import traces
from render.requests import HOSTILE, LISTED, request
from vorflug.engine.firewall import Source
from vorflug.ports.net import Code, Stage, StageSeen
from vorflug.render.firewall import BOM, HEADS, render_csv, render_html, render_markdown
from vorflug.render.flows import lines, notes
from vorflug.render.words import Speaker

EN = Speaker("en")


def table(**changes):
    """The CSV as a spreadsheet reads it: by column, one dictionary for each line."""
    return list(csv.DictReader(io.StringIO(render_csv(request(**changes), lang="en"), newline="")))


def by_target(**changes):
    return {row["Target"]: row for row in table(**changes)}


def test_each_flow_is_a_row():
    row = by_target()["registry-1.docker.io"]
    assert (row["Direction"], row["Source"], row["Source addresses"]) == ("outbound", "audit-vm-01", "192.0.2.2")
    assert (row["Port"], row["Transport"], row["Protocol"], row["Way"]) == ("443", "TCP", "https", "direct")
    assert row["Target addresses"] == "192.0.2.10 2001:db8::10"
    assert row["Exempt from TLS inspection"] == "yes" and "container engine" in row["Reason for the exemption"]
    assert (row["Valid from"], row["Valid until"]) == ("2026-11-25", "2027-06-30")
    assert row["Test evidence"].startswith(f"{LISTED}: ") and row["Test evidence"].endswith(" UTC)")


def test_hosts_behind_the_registry_are_rows_of_their_own():
    found = by_target()
    assert found["layers.example"]["Port"] == "8443"
    assert "image layers" in found["layers.example"]["Purpose"]
    assert "Token service" in found["auth.docker.io"]["Purpose"]
    assert "only where an answer leads there" in found["auth.docker.io"]["Notes"]
    pattern = found["*.r2.cloudflarestorage.com"]
    assert "a pattern" in pattern["Notes"] and pattern["Target addresses"] == ""


def test_what_is_inbound():
    row = next(r for r in table() if r["Direction"] == "inbound")
    assert (row["Source"], row["Target"], row["Target addresses"]) == ("users' machines", "audit-vm-01", "192.0.2.2")
    assert (row["Port"], row["Transport"], row["Way"]) == ("443", "TCP", "–")


def test_a_name_that_does_not_resolve_says_so():
    assert by_target()["login.example"]["Notes"] == "does not resolve on this host: no such name"
    assert "the proxy resolves it" in by_target(proxy="proxy.corp:3128")["login.example"]["Notes"]


def test_nameservers_and_time_servers():
    found = by_target()
    assert (found["10.0.0.53"]["Port"], found["10.0.0.53"]["Transport"]) == ("53", "UDP, TCP")
    time = found["time server (none is configured on this host: to be named)"]
    assert (time["Port"], time["Transport"], time["Protocol"]) == ("123", "UDP", "ntp")


def test_by_a_proxy():
    found = by_target(proxy="proxy.corp:3128")
    assert found["registry-1.docker.io"]["Way"] == "proxy proxy.corp:3128, from https_proxy"
    assert found["proxy.corp"]["Port"] == "3128" and found["proxy.corp"]["Way"] == "direct"


def test_open_points_are_lines_too():
    found = {r["Notes"]: r["Requirements"] for r in table() if r["No."] == ""}
    assert found == {
        "Open: the site file has no value for llm.provider.": "EGR-2 EGR-3",
        "Open: no time server is configured on this host; its name is to be given.": "OS-9",
        "Open: servers and ports of smtp and ldap are to be given by hand.": "",
    }
    assert render_html(request(), lang="en").count("is to be given.") == 1


def evidence(**changes):
    return {target: row["Test evidence"].partition(" (20")[0] for target, row in by_target(**changes).items()}


def test_the_evidence_is_that_of_the_connection():
    denied = traces.passed("registry-1.docker.io", route=traces.PROXY, stages=(
        StageSeen(Stage.RESOLVE, 0.1), StageSeen(Stage.CONNECT, 0.1), StageSeen(Stage.PROXY, 0.1, Code.PROXY_DENIED),
    ))  # fmt: skip
    found = evidence(proxy="proxy.corp:3128", traced=(denied,))
    assert found["proxy.corp"] == "TCP open"
    assert found["registry-1.docker.io"] == "the proxy does not open the way (proxy.denied)"
    refused = traces.passed("login.example", stages=(StageSeen(Stage.CONNECT, 0.1, Code.TCP_REFUSED),))
    found = evidence(traced=(refused, traces.passed("registry-1.docker.io")))
    assert (found["login.example"], found["registry-1.docker.io"]) == ("TCP refused", "TCP open")
    both = evidence(traced=(refused, traces.passed("login.example")))
    assert both["login.example"] == "TCP refused; 1 of 2 requests came through"


def test_what_another_proxy_showed_is_told_as_that():
    old = traces.passed("registry-1.docker.io", route=traces.PROXY)
    found = evidence(proxy="new.corp:8080", traced=(old,))
    assert found["registry-1.docker.io"] == "not tested by this way; tested by another proxy: proxy.corp:3128"
    assert found["new.corp"] == "not tested yet"
    # nor do the findings of that report say anything about today's way
    assert found["*.r2.cloudflarestorage.com"] == found["registry-1.docker.io"]
    assert evidence(traced=(traces.passed("login.example"),))["*.r2.cloudflarestorage.com"].startswith(f"{LISTED}: ")
    assert "another way" in " ".join(notes(request(proxy="new.corp:8080", traced=(old,)), EN))
    assert "another way" not in " ".join(notes(request(traced=(traces.passed("login.example"),)), EN))


def test_the_firewall_comes_first_then_the_proxy():
    rows_ = [r for r in table(proxy="proxy.corp:3128") if r["No."]]
    places = [r["To be allowed at"] for r in rows_]
    assert places == sorted(places) and set(places) == {"Firewall", "Proxy"}
    assert all((r["To be allowed at"] == "Proxy") == r["Way"].startswith("proxy") for r in rows_)
    assert all(r["Protocol"] for r in rows_)
    for write in (render_markdown, render_html):
        assert re.search(r"(## |<h3>)Proxy", write(request(proxy="proxy.corp:3128"), lang="en"))
        assert not re.search(r"(## |<h3>)Proxy", write(request(), lang="en"))


def test_without_a_report_nothing_is_proved():
    assert {row["Test evidence"] for row in table(tested=False) if row["No."]} == {"not tested yet"}


def test_the_csv_is_rfc_4180():
    text = render_csv(request(), lang="de")
    assert text.startswith("Nr.,Richtung,Quelle") and text.endswith("\r\n") and not text.startswith(BOM)
    assert render_csv(request(), lang="de", bom=True) == BOM + text
    assert {len(row) for row in csv.reader(io.StringIO(text, newline=""))} == {len(HEADS)}


def test_no_cell_is_a_formula():
    rows = list(csv.reader(io.StringIO(render_csv(request(hostile=True), lang="en"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


@pytest.mark.parametrize("write", [render_csv, render_markdown, render_html])
@pytest.mark.parametrize("lang", ["en", "de"])
def test_nothing_from_outside_acts(write, lang):
    text = write(request(hostile=True), lang=lang)
    assert "\x1b" not in text and "\u202e" not in text and "\\u202e" in text.replace("\\\\", "\\")
    if write is not render_csv:
        assert not re.search(r"(?<!\\)<script", text)


def test_markdown_holds_its_tables():
    text = render_markdown(request(hostile=True), lang="en")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows[:5]}) == 1
    assert "# Firewall request" in text and "## Open points" in text and "## Approval" in text


def test_the_page_is_self_contained():
    page = render_html(request(), lang="de")
    assert "default-src 'none'; style-src 'sha256-" in page and "<script" not in page
    assert not re.search(r"""(?:src|href|style)=""", page)
    for words in ("Freischaltungsantrag", "Beantragt durch", "Genehmigt durch", "Ticketnummer", "30.06.2027"):
        assert words in page
    assert page == render_html(request(), lang="de")


def test_each_reason_stands_once():
    page = render_html(request(), lang="en")
    assert page.count("The container engine checks") == 1 and page.count("<sup>a</sup>") == 4


def test_the_notes_say_what_is_shown():
    every = " ".join(notes(request(), EN))
    assert "2026-11-25 14:00 UTC" in every and "asterisk" in every and "go by a proxy have" not in every
    every = " ".join(notes(request(proxy="p.corp:1"), EN))
    assert "go by a proxy have" in every
    assert "another host: vm-7" in " ".join(notes(replace(request(), elsewhere="vm-7"), EN))


def test_names_of_hosts_are_shown_as_they_are():
    odd = replace(request(), source=Source(HOSTILE))
    assert all("\x1b" not in line.source for line in lines(odd, EN))
