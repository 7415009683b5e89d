"""Areas are found by listing; kinds are unique; every query says what it is answered with."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from e2e.program import profile
from vorflug.engine import kinds, registry
from vorflug.engine.plan import plan
from vorflug.model.message import Message
from vorflug.model.query import Fact, Reach

WAITING = {"stream"}
"""Questions that wait for a silence that the profile chooses; the run's own deadline ends them as well."""


def test_every_file_of_the_package_is_an_area():
    assert registry.load() == registry.names()
    assert "memory" in registry.names()


@pytest.mark.parametrize("kind", registry.queries())
def test_every_query_knows_its_fact_and_its_deadline(kind):
    type_ = registry.queries()[kind]
    assert issubclass(registry.fact_of(type_), Fact)
    assert 0 < type_.deadline <= (60 if kind not in WAITING else 360)
    assert type_.reach in Reach


@pytest.mark.parametrize("area", registry.names())
def test_every_area_has_a_heading(area):
    assert isinstance(registry.title(area), Message)


def test_two_areas_may_not_claim_one_kind():
    class One:
        kind = "same"

    class Other:
        kind = "same"

    with pytest.raises(TypeError, match="'same' is claimed"):
        registry._by_kind([One, Other])


@pytest.mark.parametrize(
    ("table", "listed"), [(kinds.REQUIREMENTS, registry.requirements()), (kinds.QUERIES, registry.queries())]
)
def test_the_table_of_kinds_says_where_each_is(table, listed):
    """``make docs`` writes it.  What it lacks would be found, but at the cost of importing every area."""
    assert table == {kind: type_.__module__ for kind, type_ in listed.items()}


@pytest.mark.parametrize("kind", registry.requirements())
def test_one_kind_is_found_as_among_all(kind):
    assert registry.requirement(kind) is registry.requirements()[kind]
    assert registry.area_of_kind(kind) == registry.area_of(registry.requirements()[kind])


@pytest.mark.parametrize("kind", registry.queries())
def test_one_question_is_found_as_among_all(kind):
    assert registry.query(kind) is registry.queries()[kind]


@pytest.mark.parametrize("kind", ["", "nosuch", "vorflug.areas.memory", "egress-endpoint"])
def test_a_kind_that_no_area_has_is_none(kind):
    assert registry.requirement(kind) is None and registry.query(kind) is None
    with pytest.raises(KeyError):
        registry.area_of_kind(kind)


def _loaded(before: str, **environ: str) -> list[str]:
    """The areas that are imported once *before* ran, in an interpreter of its own."""
    code = (
        "import json, sys\n"
        "from vorflug.engine import kinds, registry\n"
        f"{before}\n"
        "head = 'vorflug.areas.'\n"
        "print(json.dumps(sorted(m.removeprefix(head) for m in sys.modules if m.startswith(head))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environ}
    )
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])  # a run says its verdict before
    return loaded


def test_a_kind_costs_its_own_area_only():
    found = "assert registry.requirement('memory').kind == registry.query('memory').kind == 'memory'"
    assert _loaded(found) == ["memory"]


def test_a_run_imports_the_areas_of_its_profile_only(tmp_path):
    file = profile(tmp_path, ("memory", {"at_least": "1 MB"}))
    arguments = ["run", "--profile", str(file), "--out", str(tmp_path / "out")]
    run = f"from vorflug.cli.__main__ import execute; assert execute({arguments!r}) == 0"
    assert _loaded(run, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)) == ["memory"]


@pytest.mark.parametrize(
    "entry", ["kinds.REQUIREMENTS.pop('memory')", *(
        f"kinds.REQUIREMENTS['memory'] = {module!r}"
        for module in ("vorflug.areas.swap", "vorflug.areas.nosuch", "vorflug.engine.registry")
    )]
)  # fmt: skip
def test_a_wrong_table_costs_time_and_nothing_else(entry):
    found = "assert registry.requirement('memory').__module__ == 'vorflug.areas.memory'"
    assert _loaded(f"{entry}\n{found}") == list(registry.names())


def test_a_plan_asks_equal_questions_once():
    from conftest import header
    from vorflug.areas.memory import MemoryQuery, MemoryRequirement

    one, two = (
        MemoryRequirement.model_validate(header(id=i, at_least=s)) for i, s in (("A-1", "8 GB"), ("A-2", "32 GB"))
    )
    assert plan([one, two]) == {MemoryQuery(): [one, two]}
