"""What is registered is tested, translated, documented and in the schema; or this fails and says which."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from vorflug.engine import registry

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "vorflug"
sys.path.insert(0, str(ROOT / "tools"))

AREAS = registry.load()


@pytest.fixture(scope="module")
def german():
    import texts

    return texts.german()[0]


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_its_mirror_test(area):
    test = ROOT / "tests" / "areas" / f"test_{area}.py"
    assert test.exists(), f"wanted {test}: run `make new-area` or write it"
    assert "def test_" in test.read_text(encoding="utf-8")


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_a_german_heading(area, german):
    title = registry.title(area).text
    assert title in german, f"no German for the heading {title!r} of area {area}"


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_a_documentation_row(area):
    text = (ROOT / "docs" / "reference" / "areas.md").read_text(encoding="utf-8")
    assert f"## {area}\n" in text, f"docs/reference/areas.md lacks {area}: run `make docs`"


def _definitions(name):
    return json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))["$defs"]


@pytest.mark.parametrize("name", ["profile", "overlay"])
def test_every_kind_of_requirement_is_in_the_schema(name):
    missing = {f"kind.{kind}" for kind in registry.requirements()} - set(_definitions(name))
    assert not missing, f"schemas/{name}.schema.json lacks {missing}: run `make docs`"


@pytest.mark.parametrize("name", ["report", "facts"])
def test_every_kind_of_question_is_in_the_schema(name):
    missing = {f"query.{kind}" for kind in registry.queries()} - set(_definitions(name))
    assert not missing, f"schemas/{name}.schema.json lacks {missing}: run `make docs`"


def test_every_kind_of_requirement_has_a_documentation_row():
    text = (ROOT / "docs" / "reference" / "areas.md").read_text(encoding="utf-8")
    missing = [kind for kind in registry.requirements() if f"### Requirement `{kind}`\n" not in text]
    assert not missing, f"docs/reference/areas.md lacks {missing}: run `make docs`"


def test_there_are_areas_and_kinds():
    assert len(AREAS) >= 18
    assert len(registry.requirements()) >= 30
    assert len(registry.queries()) >= 20


def test_every_sentence_has_german():
    import texts

    assert texts.problems() == []


def test_sentences_are_literals():
    """A template put together at run time could not be found, and so not be translated."""
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "msg"
                and not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong


def test_no_file_is_too_long():
    long = {
        str(p.relative_to(ROOT)): lines
        for p in SOURCE.rglob("*.py")
        # what is longer says why in its docstring
        if (lines := len((text := p.read_text(encoding="utf-8")).splitlines())) > 420
        and "One file in spite of its length:" not in text
    }
    assert not long
