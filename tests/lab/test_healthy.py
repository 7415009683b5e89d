"""Healthy but awkward networks: no false failure, no needless warning."""

from __future__ import annotations

import pytest

from lab.table import HEALTHY
from lab.verdict import cases


@pytest.mark.tier("lab")
@pytest.mark.parametrize("case", cases(HEALTHY), ids=lambda case: case.id)
def test_nothing_is_wrong(case, outcomes) -> None:
    outcome = outcomes[case.id].result()
    assert not outcome.wrong, "\n".join(outcome.wrong)
