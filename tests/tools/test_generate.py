"""Generated files are up to date, and real reports and facts files are what the published schemas say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from vorflug.engine import registry
from vorflug.model.query import Reason

ROOT = Path(__file__).resolve().parent.parent.parent
PROFILE = Path(__file__).with_name("small_profile.yaml")


def generate(command: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # a process of its own: commands are said in the language that is chosen before they are imported
    return subprocess.run(
        [sys.executable, str(root / "tools" / "generate.py"), command],
        capture_output=True, text=True, check=False, env={**os.environ, "LANG": "de_DE.UTF-8"},
    )  # fmt: skip


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def vorflug(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vorflug.cli", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3, 5), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def facts_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("facts") / "facts.json"
    vorflug("collect", "--profile", str(PROFILE), "--out", str(path))
    return path


@pytest.fixture(scope="module")
def facts(facts_file):
    return json.loads(facts_file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def report(facts_file):
    return json.loads(vorflug("evaluate", str(facts_file), "--profile", str(PROFILE), "--format", "json"))


def test_everything_is_up_to_date():
    done = generate("check")
    assert done.returncode == 0, done.stderr


def test_check_names_what_is_old_missing_or_stray_and_write_mends_it(tmp_path):
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "schemas").mkdir()
    assert generate("write", tmp_path).returncode == 0
    for folder in ("schemas", "docs/reference"):
        made = {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        assert made == {p.name: p.read_bytes() for p in (ROOT / folder).iterdir()}
    (tmp_path / "schemas" / "report.schema.json").write_text("{}\n")
    (tmp_path / "docs" / "reference" / "areas.md").unlink()
    (tmp_path / "docs" / "reference" / "old.md").write_text("old")
    done = generate("check", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:3] == [
        "schemas/report.schema.json: not up to date",
        "docs/reference/areas.md: not up to date",
        "docs/reference/old.md: nothing generates this file",
    ]
    assert generate("write", tmp_path).returncode == 0
    assert generate("check", tmp_path).returncode == 0


def test_wrong_usage_is_2():
    assert generate("chekc").returncode == 2


def test_a_real_facts_file_is_what_the_schema_says(facts):
    assert {row["query"]["kind"] for row in facts["facts"]} >= {"memory", "cpu", "architecture", "package_file"}
    validator("facts").validate(facts)


def test_a_real_report_is_what_the_schema_says(report):
    assert {f["outcome"] for f in report["findings"]} == {"met", "unmet", "unknown", "not_applicable"}
    validator("report").validate(report)


def test_the_other_document_is_refused(facts, report):
    assert not validator("report").is_valid(facts)
    assert not validator("facts").is_valid(report)


def _memory(document):
    return next(row for row in document["facts"] if row["query"]["kind"] == "memory")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: _memory(d)["fact"].update(total_bytes="much"),
        lambda d: _memory(d)["fact"].update(colour="blue"),
        lambda d: _memory(d)["fact"].pop("total_bytes"),
        lambda d: _memory(d)["query"].update(kind="nonsense"),
        lambda d: _memory(d)["query"].update(path="/"),
        lambda d: _memory(d).update(fact=None, unseen={"reason": "bored", "detail": ""}),
        lambda d: d.update(colour="blue"),
        lambda d: d["tool"].pop("version"),
    ],
)
def test_schema_refuses_what_is_no_such_fact(facts, spoil):
    spoilt = json.loads(json.dumps(facts))
    spoil(spoilt)
    with pytest.raises(ValidationError):
        validator("facts").validate(spoilt)


def test_every_question_may_go_unanswered(facts):
    """Its fields are what the schema knows of it, so each kind is in both schemas."""
    schema = json.loads((ROOT / "schemas" / "facts.schema.json").read_text(encoding="utf-8"))
    assert list(registry.queries()) == schema["$defs"]["FactInfo"]["properties"]["query"]["properties"]["kind"]["enum"]
    for reason in Reason:
        row = _memory(json.loads(json.dumps(facts)))
        row.update(fact=None, unseen={"reason": reason.value, "detail": "why"})
        validator("facts").validate({**facts, "facts": [row]})


def test_the_profile_schema_knows_the_small_profile():
    import yaml

    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    validator("profile").validate(profile)
    profile["requirements"][0]["at_leest"] = "1 GB"
    assert not validator("profile").is_valid(profile)
