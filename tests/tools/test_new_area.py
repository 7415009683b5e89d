"""A new subject is two code files; plan, report, schema, documentation and the list of areas follow by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from source_tree import copy_source

PROFILE = """\
schema: vorflug/profile/1
name: own
version: "1.0.0"
title: {{en: "Own profile", de: "Eigenes Profil"}}
published: "2026-11-25"
requirements:
  - id: PRN-1
    kind: printers
    title: {{en: "A printer that is ready", de: "Ein Drucker, der bereit ist"}}
    advice: {{en: "Switch it on.", de: "Einschalten."}}
    models: [compose]
    phases: [pre-install]
    team: os-virtualisation
    basis: derived
    path: {path}
    says: ready
"""
GERMAN = {
    "Printers": "Drucker",
    "What does the first line of {path} say?": "Was steht in der ersten Zeile von {path}?",
    "{path} says {says}": "{path} enthält {says}",
    "{path} says what is wanted.": "{path} enthält, was erwünscht ist.",
    "{path} says something else.": "{path} enthält etwas anderes.",
    "Write {says} into {path}.": "{says} in {path} schreiben.",
}


_BUILT = {"__pycache__", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
"""What checks and tests leave behind, all of it ignored by git."""


class Tree:
    """A copy of the repository, worked with as a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_source(folder)

    def files(self) -> set[str]:
        return {
            str(p.relative_to(self.folder))
            for p in self.folder.rglob("*")
            if p.is_file() and not _BUILT & set(p.parts) and p.suffix != ".mo"
        }

    def python(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "PYTHONPATH": str(self.folder / "src"), "LANG": "C.UTF-8", "HOME": str(self.folder)},
        )  # fmt: skip
        assert done.returncode in codes, (done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout + done.stderr

    def vorflug(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        return self.python("-m", "vorflug.cli", *arguments, codes=codes)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = Tree(tmp_path_factory.mktemp("repository") / "vorflug")
    tree.python("tools/texts.py", "compile")
    tree.python("tools/generate.py", "write")
    return tree


def _german(translations: dict[str, str]) -> str:
    return 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n' + "".join(
        f"\nmsgid {json.dumps(en)}\nmsgstr {json.dumps(de, ensure_ascii=False)}\n" for en, de in translations.items()
    )


def test_a_new_area_follows_everywhere(tree, tmp_path):
    before = tree.files()
    says = tree.python("tools/new_area.py", "printers")
    written = {"src/vorflug/areas/printers.py", "tests/areas/test_printers.py"}
    assert tree.files() - before == written
    assert all(name in says for name in written)

    # it works as it is, and is as tidy as the rest
    tree.python("-m", "pytest", "-q", "tests/areas/test_printers.py")
    tree.python("-m", "ruff", "check", *written)
    tree.python("-m", "ruff", "format", "--check", *written)
    tree.python("-c", "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())")

    # what is not done yet is said: German and the generated files
    assert "src/vorflug/areas/printers.py:" in tree.python("tools/texts.py", "check", codes=(1,))
    old = tree.python("tools/generate.py", "check", codes=(1,))
    assert {line.partition(":")[0] for line in old.splitlines()} >= {
        "schemas/profile.schema.json",
        "schemas/report.schema.json",
        "schemas/facts.schema.json",
        "docs/reference/areas.md",
    }
    (tree.folder / "src/vorflug/texts/de/printers.po").write_text(_german(GERMAN), encoding="utf-8")
    tree.python("tools/texts.py", "compile")
    tree.python("tools/generate.py", "write")
    tree.python("tools/generate.py", "check")
    assert "printers.py" not in tree.python("tools/texts.py", "check", codes=(0, 1))
    tree.python("-m", "pytest", "-q", "tests/meta/test_complete.py")
    out = tmp_path / "covered.json"
    tree.python("tests/meta/measure.py", out, "printers")
    assert json.loads(out.read_text())["printers"]["percent"] >= 95

    # profile, plan, facts, report and page
    printer, profile, facts = tmp_path / "printer", tmp_path / "own.yaml", tmp_path / "facts.json"
    printer.write_text("busy\n")
    profile.write_text(PROFILE.format(path=printer), encoding="utf-8")
    assert "printers" in json.loads(tree.vorflug("version", "--format", "json"))["areas"]
    plan = json.loads(tree.vorflug("plan", "--profile", profile, "--format", "json"))
    assert [q["query"] for q in plan["questions"]] == [{"kind": "printers", "path": str(printer)}]
    tree.vorflug("collect", "--profile", profile, "--out", facts)
    report = tmp_path / "report.json"
    tree.vorflug("evaluate", facts, "--profile", profile, "--out", report, codes=(3,))
    (finding,) = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert (finding["subject"], finding["outcome"], finding["seen"]["en"]) == ("printers", "unmet", "busy")
    page = tree.vorflug("render", report, "--format", "html", "--lang", "de")
    assert "Drucker" in page and f"ready in {printer} schreiben." in page

    # the generated files
    schema = json.loads((tree.folder / "schemas/profile.schema.json").read_text(encoding="utf-8"))
    assert "kind.printers" in schema["$defs"]
    assert "\n## printers\n" in (tree.folder / "docs/reference/areas.md").read_text(encoding="utf-8")

    # nothing but data and what is generated came besides
    assert tree.files() - before == written | {"src/vorflug/texts/de/printers.po"}


@pytest.mark.parametrize("name", ["", "memory", "Printers", "class", "a", "../printers", "two words"])
def test_a_name_that_cannot_be_is_refused(tree, name):
    before = tree.files()
    says = tree.python("tools/new_area.py", name, codes=(2,))
    assert "Traceback" not in says and says.strip()
    assert tree.files() == before
