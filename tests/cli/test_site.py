"""``vorflug site init`` and ``check``."""

from __future__ import annotations

import stat

import pytest

from documents.samples import HEAD, SITE, confirmation, row
from documents.test_yamlstrict import REFUSED
from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def english(monkeypatch, tmp_path):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profile.yaml").write_text(HEAD + row(fields="at_least: {param: ram.floor}") + confirmation())


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = execute(["site", *map(str, arguments), "--profile", "profile.yaml"])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_from_nothing_to_a_complete_site_file(run, tmp_path):
    assert run("init", "--model", "compose")[:2] == (0, "")
    path = tmp_path / "site.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    says = """\
site.yaml: no mistakes, for sample 1.2.0
Required parameters that are not given, for all phases (1):
  ram.floor  e.g. 8 GB  # Least memory
Outstanding confirmations in all phases (1):
  ORG-1  Queue agreed
"""
    assert run("check", "site.yaml") == (0, says, "")
    text = path.read_text().replace("# ram.floor: 8 GB", "ram.floor: 16 GB")
    for line, filled in (
        ("ORG-1:", ""),
        ("  confirmed: true", ""),
        ('  by: ""', "  by: Erika"),
        ("  on: YYYY-MM-DD", "  on: 2026-11-20"),
    ):
        assert text.count(f"  # {line}") == 1
        text = text.replace(f"  # {line}", f"  {filled or line}")
    path.write_text(text)
    assert run("check", "site.yaml") == (0, "site.yaml: no mistakes, for sample 1.2.0\n", "")


def test_of_one_phase_only_what_it_asks_for(run, tmp_path):
    (tmp_path / "site.yaml").write_text("schema: vorflug/site/1\nparameters: {ram.floor: 8 GB}\n")
    assert run("check", "site.yaml", "--phase", "go-live")[1] == "site.yaml: no mistakes, for sample 1.2.0\n"
    assert "in the phase pre-install (1):" in run("check", "site.yaml", "--phase", "pre-install")[1]


def test_what_is_there_is_never_overwritten(run, tmp_path):
    for make in (lambda p: p.write_text("mine"), lambda p: p.symlink_to(tmp_path / "elsewhere"), lambda p: p.mkdir()):
        path = tmp_path / "site.yaml"
        make(path)
        code, _, err = run("init")
        assert code == 2 and "is not overwritten" in err
        assert not (tmp_path / "elsewhere").exists()
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_folder_that_is_not_there(run):
    code, _, err = run("init", "--out", "nowhere/site.yaml")
    assert code == 2 and "nowhere/site.yaml: cannot be written" in err


def test_to_standard_output_and_in_german(run):
    code, out, err = run("init", "--out", "-", "--lang", "de")
    assert (code, err) == (0, "") and "Sprachmodell" in out and "schema: vorflug/site/1" in out


def test_every_mistake_with_its_line(run, tmp_path):
    (tmp_path / "site.yaml").write_text(SITE.replace("azure", "asure").replace("ORG-1", "ORG-2"))
    code, out, err = run("check", "site.yaml")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "vorflug: site.yaml:4:17: llm.provider: wanted azure or aws, saw asure; did you mean azure?",
        "site.yaml:7:3: there is no confirmation ORG-2; did you mean ORG-1?",
    ]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_reader_refuses_ends_with_2(run, tmp_path, name):
    text, line, _ = REFUSED[name]
    (tmp_path / "s.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = run("check", "s.yaml")
    assert (code, out) == (2, "") and f"s.yaml:{line}:" in err


def test_a_secret_in_the_wrong_place_is_not_repeated(run, tmp_path):
    (tmp_path / "site.yaml").write_text("schema: vorflug/site/1\nparameters:\n  api.key: canary-7f3a\n")
    code, out, err = run("check", "site.yaml")
    assert code == 2 and "site.yaml:3:12: api.key: wanted where the secret lies" in err
    assert "canary" not in out + err


def test_help_has_an_example(run):
    for name in ("init", "check"):
        code, out, _ = run(name, "--help")
        assert code == 0 and f"Example: vorflug site {name}" in out
