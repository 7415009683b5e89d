from __future__ import annotations

import json

import pytest

from documents.samples import HEAD, row
from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "72")


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("command", [["plan"], ["explain", "OS-010"], ["explain", "DNS-002"]])
def test_lines_are_wrapped_at_the_terminals_width(capsys, command, lang):
    assert execute([*command, "--lang", lang]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5 and max(map(len, lines)) <= 72
    assert any(line.startswith("  ") for line in lines)


def test_each_count_names_what_it_counts(capsys):
    assert execute(["plan"]) == 0
    out = capsys.readouterr().out
    local, network = out.split("Over the network (questions: ")
    asked = [line for line in local.splitlines()[1:] if line[:2] == "  " and line[2:3].isupper()]
    assert local.startswith(f"On this machine, read only (questions: {len(asked)})\n")
    assert network[0].isdigit()
    assert "missing in the site file (requirements:" in " ".join(out.split())


def test_what_comes_then_is_said_once(capsys):
    assert execute(["plan", "--model", "hybrid"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    then = "then: on XFS, whether it was made with ftype=1"
    assert execute(["plan"]) == 0
    assert text.count(then) <= 1 and " ".join(capsys.readouterr().out.split()).count(then) == 1


@pytest.mark.parametrize("written", ["OS-010.offset", "os-010.offset", "Os-010.OFFSET"])
def test_ids_may_be_written_in_any_case(capsys, written):
    assert execute(["explain", written]) == 0
    assert capsys.readouterr().out.startswith("OS-010.offset  ")


def test_a_near_id_is_offered_as_it_is_written(capsys):
    assert execute(["explain", "os-010.ofset"]) == 2
    assert "did you mean OS-010.offset?" in capsys.readouterr().err


def test_the_demand_is_shown_though_a_parameter_is_missing(capsys):
    assert execute(["explain", "OS-001", "--model", "hybrid", "--size", "M"]) == 0
    out = capsys.readouterr().out
    assert "Wanted: at least 8 CPUs\n" in out and "hybrid.runtime" in out


def test_a_row_of_another_phase_is_shown_as_it_is_judged_there(capsys):
    assert execute(["explain", "MON-001"]) == 0
    assert "Wanted: confirmed: " in capsys.readouterr().out
    assert execute(["explain", "MON-001", "--phase", "pre-install"]) == 0
    out = capsys.readouterr().out
    assert "Wanted: " not in out and "Not applicable: Belongs to the phase go-live" in " ".join(out.split())


def test_a_row_that_applies_in_no_phase_says_why(capsys):
    assert execute(["explain", "OS-015"]) == 0
    assert "Not applicable: Does not apply here: search.engine is none" in " ".join(capsys.readouterr().out.split())


def test_a_demand_that_is_not_known_yet_says_so(capsys, tmp_path):
    profile = tmp_path / "profile.yaml"
    profile.write_text(HEAD + row(fields="at_least: {param: ram.floor}"))
    assert execute(["explain", "MEM-1", "--profile", str(profile)]) == 0
    assert "Wanted: a value in the site file\n" in capsys.readouterr().out


# ---- what writes


WRITES = ("storage_random_reads", "storage_write_latency")


@pytest.mark.parametrize(
    ("options", "heading"),
    [
        ([], "Writes to this machine, only with --active (questions: 2)\n"),
        (["--active"], "Writes to this machine, as --active allows (questions: 2)\n"),
        (["--lang", "de"], "Schreibt auf diesen Rechner, nur mit --active (Fragen: 2)\n"),
    ],
)
def test_what_writes_has_a_section_of_its_own(capsys, options, heading):
    assert execute(["plan", *options]) == 0
    out = capsys.readouterr().out
    before, after = out.split(heading)
    assert "STO-007" not in before and "STO-008" not in before
    section = " ".join(after.split("\n\n")[0].split())
    assert "[STO-007, STO-007.recommended]" in section and "[STO-008]" in section
    for amount in ("22 MiB", "256 MiB", "/opt/assist/shared", "20 s"):
        assert amount in section
    if "--lang" not in options:
        assert section.count("gone when the measurement ends") == 2


def test_where_nothing_writes_there_is_no_such_section(capsys):
    assert execute(["plan", "--model", "saas"]) == 0
    assert "--active" not in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--active"]])
def test_programs_see_what_writes(capsys, options):
    assert execute(["plan", "--format", "json", *options]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["active"] is bool(options)
    active = {q["query"]["kind"]: q for q in plan["questions"] if q["active"]}
    assert tuple(sorted(active)) == WRITES
    for question in active.values():
        assert question["exclusive"] and question["reach"] == "local"
        assert "gone when the measurement ends" in question["writes"]["en"]
    assert all("writes" not in q for q in plan["questions"] if not q["active"])


STREAMS = """schema: vorflug/site/1
parameters:
  app.stream_url: "https://audit.example.com/events"
  app.websocket_url: "https://audit.example.com/socket"
"""


def silences(tmp_path, capsys, *options):
    site = tmp_path / "site.yaml"
    site.write_text(STREAMS)
    assert execute(["plan", "--site", str(site), "--phase", "test-deployment", "--format", "json", *options]) == 0
    plan = json.loads(capsys.readouterr().out)
    return plan["thorough"], {q["query"]["idle_s"] for q in plan["questions"] if q["query"]["kind"] == "stream"}


def test_the_plan_of_a_thorough_run_shows_its_questions(tmp_path, capsys):
    assert silences(tmp_path, capsys) == (False, {0.0, 40.0})
    assert silences(tmp_path, capsys, "--thorough") == (True, {0.0, 300.0})
