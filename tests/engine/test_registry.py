"""Areas are found by listing; kinds are unique; every query says what it is answered with."""

from __future__ import annotations

import pytest

from vorflug.engine import registry
from vorflug.engine.plan import plan
from vorflug.model.message import Message
from vorflug.model.query import Fact, Reach


def test_every_file_of_the_package_is_an_area():
    assert registry.load() == registry.names()
    assert "memory" in registry.names()


@pytest.mark.parametrize("kind", registry.queries())
def test_every_query_knows_its_fact_and_its_deadline(kind):
    type_ = registry.queries()[kind]
    assert issubclass(registry.fact_of(type_), Fact)
    assert 0 < type_.deadline <= 60
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


def test_a_plan_asks_equal_questions_once():
    from conftest import header
    from vorflug.areas.memory import MemoryQuery, MemoryRequirement

    one, two = (
        MemoryRequirement.model_validate(header(id=i, at_least=s)) for i, s in (("A-1", "8 GB"), ("A-2", "32 GB"))
    )
    assert plan([one, two]) == {MemoryQuery(): [one, two]}
