"""Every row of the list of faults: the right code, nothing that must not be said, in time; each fault proved first."""

from __future__ import annotations

import pytest

from lab.products import true_program
from lab.row import DIRECT4
from lab.table import FAULTS
from lab.verdict import Case, cases


@pytest.mark.tier("lab")
@pytest.mark.parametrize("case", cases(FAULTS), ids=lambda case: case.id)
def test_the_fault_is_named(case, outcomes) -> None:
    outcome = outcomes[case.id].result()
    assert not outcome.wrong, "\n".join(outcome.wrong)


def test_ids_are_unique() -> None:
    assert len({row.id for row in FAULTS}) == len(FAULTS)


@pytest.mark.tier("lab")
@pytest.mark.parametrize(
    "case",
    [Case(row, DIRECT4) for row in FAULTS if row.id in ("tcp-refused", "tls-expired", "http-503")],
    ids=lambda case: case.id,
)
def test_the_program_as_a_user_starts_it_says_the_same(case, outcomes) -> None:
    """The lab runs the program's own ``main`` in a process that has it loaded already: is that the same?"""
    lab = outcomes["lab"]
    row = case.row
    argv = [*true_program(), "diagnose", lab.fill(row, row.url, DIRECT4), "--format", "json"]
    done = lab.client.run(*argv, binds=lab.binds(row))
    assert (done.code, done.json()["code"]) == (3, row.code)
