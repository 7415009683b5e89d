"""Two faults at once: the first failing layer is the code."""

from __future__ import annotations

import pytest

from lab.table import PAIRS
from lab.verdict import cases


@pytest.mark.tier("lab")
@pytest.mark.parametrize("case", cases(PAIRS), ids=lambda case: case.id)
def test_the_first_layer_wins(case, outcomes) -> None:
    outcome = outcomes[case.id].result()
    assert not outcome.wrong, "\n".join(outcome.wrong)
