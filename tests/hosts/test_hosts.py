"""Every host under ``tests/hosts`` is judged, and what is right for it is what comes out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hosts import built, description
from vorflug.cli import options
from vorflug.engine.collect import Stop
from vorflug.model.message import render
from vorflug.pipeline import observe

NAMES = [path.stem for path in description.files()]
AT_LEAST = 25
ABOUT_AT_LEAST, EXPECT_AT_LEAST = 20, 3


def judge(name: str, folder: Path):
    """The findings on a host, by id."""
    said = description.load(name)
    site = folder / "site.yaml"
    site.write_text(json.dumps({"schema": "vorflug/site/1", "parameters": said.case.parameters}))
    case = options.case(None, str(site), said.case.size, said.case.model, said.case.phase)
    one, crashed = built.host(name), []
    observations = list(
        observe(
            case,
            lambda _seconds: one,
            active=False,
            network=False,
            deadline=60,
            stop=Stop(),
            on_start=lambda _started: None,
            on_crash=crashed.append,
        )
    )
    assert not crashed, f"a question must not fail in a way that nobody foresaw, whatever the machine: {crashed}"
    return {finding.header.id: finding for finding in case.findings(observations)}


def words(text) -> str:
    return render(text) if text is not None else ""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_comes_out(name, tmp_path):
    findings = judge(name, tmp_path)
    wrong = []
    for id_, right in description.load(name).expect.items():
        if id_ not in findings:
            wrong.append(f"{id_}: there is no such requirement in this case")
            continue
        verdict = findings[id_].verdict
        said = f"{verdict.outcome}: {words(verdict.seen)} | {words(verdict.because)} | {words(verdict.fix)}"
        if verdict.outcome != right.outcome:
            wrong.append(f"{id_}: right is {right.outcome}, saw {said}")
        wrong += [
            f"{id_}: {field} lacks {getattr(right, field)!r}: {said}"
            for field in ("seen", "because", "fix")
            if getattr(right, field) not in words(getattr(verdict, field))
        ]
    assert not wrong, "\n" + "\n".join(wrong)
    assert not [f for f in findings.values() if "Judging failed" in words(f.verdict.because)]


def test_an_expectation_that_names_no_requirement_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(description, "HERE", tmp_path)
    monkeypatch.setattr(description, "BASES", tmp_path)
    (tmp_path / "x.yaml").write_text("about: x\norigin: x\nexpect:\n  OS-0815: met\n")
    with pytest.raises(AssertionError, match="OS-0815: there is no such requirement"):
        test_what_is_right_comes_out("x", tmp_path)


@pytest.mark.parametrize("right", ["unknown", "{outcome: met, seen: 32 cores}"])
def test_a_wrong_expectation_fails(tmp_path, monkeypatch, right):
    monkeypatch.setattr(description, "HERE", tmp_path)
    name = f"wrong-{len(right)}"  # trees are kept by their names
    (tmp_path / f"{name}.yaml").write_text(f"about: x\norigin: x\nbase: linux-vm\nexpect:\n  OS-003: {right}\n")
    with pytest.raises(AssertionError, match=r"OS-003: .*met"):
        test_what_is_right_comes_out(name, tmp_path)


def test_there_are_enough_hosts():
    assert len(NAMES) >= AT_LEAST


@pytest.mark.parametrize("name", NAMES)
def test_every_host_says_what_it_is_where_it_comes_from_and_what_is_right(name):
    said = description.load(name)
    assert len(said.about) >= ABOUT_AT_LEAST
    assert said.origin.startswith(("built by hand from ", "recorded with vorflug record"))
    assert len(said.expect) >= EXPECT_AT_LEAST


@pytest.mark.parametrize("path", sorted(description.BASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_base_is_used(path):
    users = [
        p for p in (*description.files(), *description.BASES.glob("*.yaml")) if f"base: {path.stem}\n" in p.read_text()
    ]
    assert users


def test_the_list_of_hosts_is_whole():
    listed = (description.HERE / "README.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in listed] == []
