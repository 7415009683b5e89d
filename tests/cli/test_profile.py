"""``vorflug profile`` as a person uses it, and every hostile document through the real program in under a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from documents.samples import HEAD, confirmation, row
from documents.test_yamlstrict import REFUSED
from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = execute(["profile", *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "profile.yaml"
    path.write_text(
        HEAD
        + row(fields="at_least: {S: 8 GB, M: 16 GB, L: 32 GB}")
        + row("MEM-2", fields="at_least: {param: ram.floor}")
        + confirmation()
    )
    return path


def started(*arguments):
    """The real program: exit code, what it said on stderr, seconds."""
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "en"}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "vorflug.cli", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=20,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr, time.monotonic() - began


LIKE_A_PROFILE = {
    "empty": ("", 1, "saw an empty file"),
    "5,000 brackets": (HEAD + "  - id: " + "[" * 5000 + "\n", 24, "at most 32 levels"),
    "2 MiB": (HEAD + "# " + "x" * (2 << 20), 1, "at most 1 MiB"),
    "anchor": (HEAD + row(title="&t {en: x, de: x}"), 26, "anchors (&t) are not allowed"),
    "alias": (HEAD + row(title="*t"), 26, "aliases (*t) are not allowed"),
    "tag": (HEAD + row(title="!!map {en: x, de: x}"), 26, "tags (tag:yaml.org,2002:map) are not allowed"),
    "merge": (HEAD + row().replace("    title:", "    <<: {level: must}\n    title:"), 26, "merge keys (<<) are not allowed"),
    "duplicate key": (HEAD + row() + "    kind: memory\n", 34, "kind stands here a second time; the first is on line 25"),
    "YAML 1.1 boolean": (HEAD.replace("default: false", "default: no"), 20, "saw no, which some YAML readers take for false"),
    "unknown kind": (HEAD + row(kind="memroy"), 25, "there is no kind of requirement memroy; did you mean memory?"),
    "misspelled field": (HEAD + row(fields="at_leest: 8 GB"), 33, "there is no field at_leest; did you mean at_least?"),
    "unit mistake": (HEAD + row(fields="at_least: 8 Gb"), 33, "saw 8 Gb; did you mean '8 GB'?"),
    "no unit": (HEAD + row(fields="at_least: 8"), 33, "wanted a number with its unit such as '32 GB', saw 8."),
    "version as a number": (HEAD + row("K-1", "kernel_version", "at_least: 5.10"), 33, "saw 5.10 without quotes"),
}  # fmt: skip


@pytest.mark.parametrize("command", [["profile", "lint"], ["plan", "--profile"]], ids=["lint", "plan"])
@pytest.mark.parametrize("name", LIKE_A_PROFILE)
def test_a_hostile_profile_ends_with_2_in_under_a_second(tmp_path, name, command):
    text, line, says = LIKE_A_PROFILE[name]
    path = tmp_path / "p.yaml"
    path.write_text(text)
    code, told, seconds = started(*command, str(path))
    assert code == 2 and f"{path}:{line}:" in told and says in told
    assert seconds < 1 or os.getloadavg()[0] > os.cpu_count(), f"{seconds:.2f} s"


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_reader_refuses_ends_with_2(run, tmp_path, name):
    text, line, says = REFUSED[name]
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = run("lint", path)
    assert (code, out) == (2, "")
    assert f"{path}:{line}:" in err and says.encode("unicode_escape").decode() in err.encode("unicode_escape").decode()


def test_lint_of_a_good_and_a_bad_file(run, file, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(HEAD + row(kind="memroy") + row("MEM-2", level="mustt"))
    code, out, err = run("lint", file, bad)
    assert code == 2 and out == f"{file}: sample 1.2.0, 3 requirements, no mistakes\n"
    assert [line.rpartition("bad.yaml:")[2].partition(":")[0] for line in err.splitlines()] == ["25", "43"]


def test_lint_of_a_good_file(run, file):
    assert run("lint", file) == (0, f"{file}: sample 1.2.0, 3 requirements, no mistakes\n", "")


def test_show(run, file):
    code, out, _ = run("show", file, "--size", "M")
    assert code == 0
    assert "Sample  sample@1.2.0" in out and "digest sha256:" in out and "size L: large" in out
    assert "  MEM-1  must  OS / virtualisation  Memory\n      at least 16 GB\n" in out
    assert "      depends on the parameter ram.floor\n" in out
    assert "  llm.provider  Language model  (required; azure or aws)" in out
    code, out, _ = run("show", file, "--model", "saas")
    assert "0 requirements" in out
    assert "Arbeitsspeicher" in run("show", file, "--lang", "de")[1]


def test_schema_is_json_and_nothing_else(run):
    for document in ("profile", "overlay", "site"):
        code, out, err = run("schema", document)
        assert (code, err) == (0, "") and json.loads(out)["title"] == f"vorflug/{document}/1"
    assert json.loads(run("schema")[1])["title"] == "vorflug/profile/1"


def test_diff(run, file, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text().replace("M: 16 GB", "M: 24 GB").replace("ORG-1", "ORG-2"))
    code, out, _ = run("diff", file, other)
    assert code == 0
    assert out.splitlines() == [
        "removed  ORG-1 [compose]: Queue agreed",
        "changed  MEM-1 [compose] at_least.M: 16 GB -> 24 GB",
        "added    ORG-2 [compose]: Queue agreed",
    ]
    assert run("diff", file, file)[1] == "No difference.\n"


def test_a_profile_that_is_not_there(run):
    code, _, err = run("show", "./nowhere.yaml")
    assert code == 2 and "nowhere.yaml: there is no such file" in err


def test_help_has_an_example(run):
    for name in ("list", "show", "lint", "schema", "diff"):
        code, out, _ = run(name, "--help")
        assert code == 0 and f"Example: vorflug profile {name}" in out


def test_a_shipped_profile_can_be_checked_by_its_name(run):
    code, out, _ = run("lint", "ai-audit-assist")
    assert code == 0 and "no mistakes" in out


def test_in_german_there_is_no_english_word(run, file, tmp_path):
    code, out, _ = run("show", file, "--lang", "de")
    assert code == 0 and "  MEM-1  Muss  Betriebssystem / Virtualisierung  " in out
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text().replace("title: {en: Sample, de: Beispiel}", "title: {en: S, de: B}"))
    other.write_text(other.read_text().replace("version: 1.2.0", "version: 1.3.0"))
    assert 'geändert  Profil version: "1.2.0" -> "1.3.0"' in run("diff", file, other, "--lang", "de")[1]
