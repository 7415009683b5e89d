"""``vorflug profile firewall`` and the contacts of ``vorflug plan``, as a person uses them."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest

from documents.samples import HEAD, row
from render import sample
from vorflug.cli.__main__ import execute
from vorflug.documents import facts
from vorflug.host.live import identity

SITE = """schema: vorflug/site/1
customer: Muster AG
parameters:
  llm.provider: local
  llm.endpoint: "http://127.0.0.1:8000/"
  proxy.used: false
"""


@pytest.fixture(autouse=True)
def somewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "100")
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def request_(capsys):
    def call(*options):
        assert execute(["profile", "firewall", "--no-resolve", *options]) == 0
        return list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))

    return call


def targets(rows):
    return {r["Target"] for r in rows}


def report(folder, **host):
    """A report of *host* in *folder*."""
    whole = sample.report(hostile=False)
    whole = whole.model_copy(update={"host": whole.host.model_copy(update=host)})
    folder.mkdir()
    (folder / "report.json").write_bytes(facts.write(whole, str))


def test_the_shipped_profile(request_):
    rows = request_()
    assert {"registry-1.docker.io", "auth.docker.io", "*.r2.cloudflarestorage.com"} <= targets(rows)
    assert {"443", "80", "123"} <= {r["Port"] for r in rows}
    assert all(r["Target addresses"] == "" for r in rows if r["Target"] == "registry-1.docker.io")
    assert any("llm.provider" in r["Notes"] for r in rows)
    assert {r["Test evidence"] for r in rows if r["No."]} == {"not tested yet"}


def test_the_machine_itself_needs_no_row(request_, tmp_path):
    (tmp_path / "site.yaml").write_text(SITE)
    rows = request_("--site", "site.yaml")
    assert "127.0.0.1" not in targets(rows) and not any("llm.provider" in r["Notes"] for r in rows)


def test_a_chosen_integration_without_a_flow_is_an_open_point(request_, tmp_path):
    (tmp_path / "site.yaml").write_text(SITE + "  integrations: [smtp, ldap]\n")
    assert any("smtp" in r["Notes"] for r in request_("--site", "site.yaml"))
    (tmp_path / "site.yaml").write_text(SITE + "  integrations: [none]\n")
    assert not any("by hand" in r["Notes"] for r in request_("--site", "site.yaml"))


def test_every_phase_is_in_it_unless_one_is_named(request_):
    assert any("NET-001.held" in r["Requirements"] for r in request_())
    assert not any("NET-001.held" in r["Requirements"] for r in request_("--phase", "pre-install"))


def test_the_proxy_of_the_environment_and_no_secret(request_, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://anna:s3cretword@proxy.corp:3128")
    rows = request_()
    assert "proxy.corp" in targets(rows) and "s3cretword" not in json.dumps(rows)
    assert any(r["Way"] == "proxy proxy.corp:3128, from https_proxy" for r in rows)


def test_the_newest_report_of_this_host_is_the_proof(request_, tmp_path):
    report(tmp_path / "vorflug-other-1", name="other", identity="sha256:" + "0" * 64)
    assert {r["Test evidence"] for r in request_() if r["No."]} == {"not tested yet"}
    report(tmp_path / "vorflug-mine-1", name=identity.name(), identity=identity.identity())
    proved = [r["Test evidence"] for r in request_()]
    assert any(" UTC)" in p for p in proved)


def test_a_broken_report_proves_nothing_and_a_named_one_is_refused(request_, tmp_path, capsys):
    (tmp_path / "vorflug-x-1").mkdir()
    (tmp_path / "vorflug-x-1" / "report.json").write_text("{")
    assert request_()
    assert execute(["profile", "firewall", "--no-resolve", "--report", "vorflug-x-1"]) == 2
    assert "vorflug-x-1" in capsys.readouterr().err


def test_a_report_of_another_host_is_said_to_be_one(tmp_path, capsys):
    report(tmp_path / "r", name="other-vm", identity="sha256:" + "0" * 64)
    assert execute(["profile", "firewall", "--no-resolve", "--report", "r", "--format", "md"]) == 0
    assert "another host: other-vm" in capsys.readouterr().out


def test_another_source(request_):
    rows = request_("--source", "audit-vm-01.corp.example")
    assert rows[0]["Source"] == "audit-vm-01.corp.example" and rows[0]["Source addresses"] == ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--until", "2020-01-01"], "not over yet"),
        (["--format", "html", "--bom"], "--format csv"),
        (["--until", "soon"], "soon"),
        (["--out", "/nowhere/request.csv"], "/nowhere"),
    ],
)
def test_wrong_use_is_refused(options, says, capsys):
    assert execute(["profile", "firewall", "--no-resolve", *options]) == 2
    assert says in capsys.readouterr().err


def test_a_profile_without_any_flow_is_refused(tmp_path, capsys):
    (tmp_path / "p.yaml").write_text(HEAD + row())
    assert execute(["profile", "firewall", "--no-resolve", "--profile", "p.yaml"]) == 2
    assert "needs the network" in capsys.readouterr().err


def test_the_page_is_written_to_a_file(tmp_path, capsys):
    options = ["--format", "html", "--lang", "de", "--out", "antrag.html", "--until", "2099-12-31"]
    assert execute(["profile", "firewall", "--no-resolve", *options]) == 0
    assert capsys.readouterr().out == ""
    page = (tmp_path / "antrag.html").read_text("utf-8")
    assert "Freischaltungsantrag" in page and "31.12.2099" in page
    assert (tmp_path / "antrag.html").stat().st_mode & 0o777 == 0o600


# ---- the plan --------------------------------------------------------------------------------------------------------


def contacts(capsys, *options):
    assert execute(["plan", "--format", "json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_programs_see_every_contact(capsys):
    plan = contacts(capsys)
    by_kind = {}
    for contact in plan["contacts"]:
        by_kind.setdefault(contact["kind"], {})[contact["target"]] = contact
    registry = by_kind["tcp"]["registry-1.docker.io"]
    assert (registry["port"], registry["protocol"], registry["certain"]) == (443, "https", True)
    assert registry["via"] == {"proxy": None, "why": ""} and "EGR-001" in registry["for"]
    assert "nameserver" in by_kind and "nft" in by_kind["command"] and "/proc/" in by_kind["folder"]
    assert "/var/run/docker.sock" in by_kind["socket"]
    assert plan["controls"] and all(c["en"] for c in plan["controls"])


def test_what_writes_is_a_contact_only_where_it_is_allowed(capsys):
    named = {"for": "STO-008"}
    assert not any(named["for"] in c["for"] for c in contacts(capsys)["contacts"])
    assert any(named["for"] in c["for"] for c in contacts(capsys, "--active")["contacts"])


@pytest.mark.parametrize("lang", ["en", "de"])
def test_a_person_sees_them_grouped(capsys, lang, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://anna:s3cretword@proxy.corp:3128")
    assert execute(["plan", "--lang", lang]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "TCP registry-1.docker.io:443 https (" in out and "proxy.corp:3128" in out and "s3cretword" not in out
    assert "/var/run/docker.sock" in out and "/proc/, " in out and "/proc/self/mountinfo" not in out
