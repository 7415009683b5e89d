from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from render.sample import report
from vorflug.model.report import Facts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("vorflug-host-time")
    (made / "report.json").write_text(report().model_dump_json(by_alias=True), "utf-8")
    return made


def vorflug(*arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "LANG", "LC_ALL", "COLUMNS")}
    return subprocess.run(
        [sys.executable, "-m", "vorflug.cli", *map(str, arguments)],
        capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL, env={**clean, "LC_ALL": "C.UTF-8", **environment},
    )  # fmt: skip


STARTS = {
    "html": b'<!doctype html>\n<html lang="en">',
    "markdown": b"# AI Audit Assist",
    "junit": b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ',
    "csv": b"\xef\xbb\xbfid,subject,",
    "terminal": b"  NOT READY ",
}  # fmt: skip


@pytest.mark.parametrize("format_", STARTS)
def test_each_format_goes_to_stdout_and_nothing_to_stderr(folder, format_):
    done = vorflug("render", folder, "--format", format_)
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.startswith(STARTS[format_])
    assert b"\x1b" not in done.stdout


def test_the_file_itself_gives_the_same_as_its_folder(folder):
    one = vorflug("render", folder / "report.json", "--format", "csv")
    assert one.stdout == vorflug("render", folder, "--format", "csv").stdout


@pytest.mark.parametrize("format_", STARTS)
def test_out_writes_the_same_bytes_private_and_replaces_what_was_there(folder, tmp_path, format_):
    out = tmp_path / "page"
    out.write_bytes(b"old")
    done = vorflug("render", folder, "--format", format_, "--out", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert out.read_bytes() == vorflug("render", folder, "--format", format_).stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["page"]


def test_a_link_planted_at_the_output_is_not_followed(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "page").symlink_to(victim)
    vorflug("render", folder, "--format", "junit", "--out", tmp_path / "page")
    assert victim.read_text() == "precious"


def test_the_language_is_the_one_asked_for_else_the_environments(folder):
    assert b"NICHT BEREIT" in vorflug("render", folder, "--format", "terminal", "--lang", "de").stdout
    assert b"NICHT BEREIT" in vorflug("render", folder, "--format", "terminal", LC_ALL="de_DE.UTF-8").stdout


def test_an_encoding_that_lacks_a_sign_is_no_error(folder):
    done = vorflug("render", folder, "--format", "terminal", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.startswith(b"  NOT READY") and done.stdout.isascii()


def test_the_width_is_the_terminals(folder):
    wide = vorflug("render", folder, "--format", "terminal", COLUMNS="140").stdout.decode()
    narrow = vorflug("render", folder, "--format", "terminal", COLUMNS="80").stdout.decode()
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines())) <= 140


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "report.json"),
        (b"{", "report.json"),
        (b"[" * 100_000, "report.json"),
        (b'{"schema": "other/1"}', "other/1"),
        (b'{"schema": "vorflug/report/1"}', "report.json"),
        (b"\xff\xfe", "report.json"),
    ],
)
def test_what_is_no_report_is_refused_with_its_name(tmp_path, content, said):
    (tmp_path / "report.json").write_bytes(content)
    done = vorflug("render", tmp_path, "--format", "html")
    assert done.returncode == 2 and done.stdout == b""
    assert said in done.stderr.decode() and "Traceback" not in done.stderr.decode()


def test_a_facts_file_is_refused_with_the_way_to_a_report(tmp_path):
    sample = report()
    kept = {name: getattr(sample, name) for name in ("tool", "profile", "site", "host", "times", "facts")}
    (tmp_path / "facts.json").write_text(Facts(**kept).model_dump_json(by_alias=True))
    done = vorflug("render", tmp_path / "facts.json", "--format", "html")
    assert done.returncode == 2 and b"vorflug evaluate" in done.stderr


@pytest.mark.parametrize("arguments", [("gone.json",), ("--format", "pdf"), ()])
def test_wrong_usage_is_two(folder, arguments):
    done = vorflug("render", *arguments, *([] if arguments else [folder]))
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_crash(folder):
    done = subprocess.run(
        f"{sys.executable} -m vorflug.cli render {folder} --format html | head -c 10",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"<!doctype " and done.stderr == b""


def test_the_help_has_an_example():
    done = vorflug("render", "--help")
    assert done.returncode == 0 and b"vorflug render report.json --format junit" in done.stdout
    assert json.dumps("REPORT").strip('"').encode() in done.stdout


def test_junit_is_read_by_a_parser(folder):
    assert ET.fromstring(vorflug("render", folder, "--format", "junit").stdout).tag == "testsuites"
