"""``when:`` over three values: yes, no, and nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.documents.conditions import AllOf, AnyOf, Fails, Holds, Is, Unanswered, answered_by, judge, parameters_of

NAMES = st.sampled_from("abc")
CONDITIONS = st.recursive(
    st.builds(Is, NAMES, st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=2).map(tuple)),
    lambda inner: (
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
ANSWERS = st.dictionaries(
    NAMES, st.sampled_from([1, 2, 3]) | st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=2)
)


@given(CONDITIONS, ANSWERS)
def test_a_missing_value_is_only_unanswered_where_it_could_decide(condition, answers):
    """Kleene's three-valued logic: decided means that no value of the missing parameters would change it."""
    judged = judge(condition, answers)
    missing = sorted(parameters_of(condition) - set(answers))
    outcomes = {type(judge(condition, {**answers, **dict.fromkeys(missing, value)})) for value in (1, 2, 3)}
    if isinstance(judged, Unanswered):
        assert judged.parameter in missing
    else:
        assert outcomes == {type(judged)}


@given(CONDITIONS, ANSWERS)
def test_what_holds_has_the_values_that_it_promises(condition, answers):
    if isinstance(judge(condition, answers), Holds):
        assert answered_by(condition) <= set(answers)


@given(CONDITIONS, ANSWERS)
def test_a_no_has_reasons_that_name_parameters_with_values(condition, answers):
    judged = judge(condition, answers)
    if isinstance(judged, Fails):
        assert judged.reasons and all(r.values["parameter"] in answers for r in judged.reasons)


def test_no_condition_looks_at_nothing():
    assert parameters_of(None) == answered_by(None) == frozenset()


@pytest.mark.parametrize("made", [AllOf, AnyOf])
def test_one_part_is_as_good_as_the_part(made):
    assert judge(made((Is("a", (1,)),)), {"a": 1}) == Holds()
