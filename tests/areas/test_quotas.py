"""(demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import header
from vorflug.areas.quotas import StorageQuotaRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import QuotaFact, QuotaLimit, QuotaQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome


def limits(*quotas):
    return QuotaFact(
        limits=tuple(QuotaLimit(owner=o, used_bytes=u, soft_bytes=s, hard_bytes=h) for o, u, s, h in quotas)
    )


def judge(at_least="10 B", **facts):
    demand = StorageQuotaRequirement.model_validate(header(paths=[f"/{n}" for n in facts], at_least=at_least))
    return demand.judge(
        Evidence(
            Observation(QuotaQuery(path=f"/{name}"), fact if isinstance(fact, Unseen) else Seen(fact))
            for name, fact in facts.items()
        )
    )


def test_no_quota_is_an_answer(no_io):
    fact = limits()
    with no_io():
        verdict = judge(a=fact)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "no quota"
    assert verdict.gauge is None


def test_a_quota_on_inodes_alone_is_none_on_bytes():
    assert render(judge(a=limits(("user", 5, None, None))).seen) == "no quota"


@pytest.mark.parametrize(
    ("used", "soft", "hard", "left"),
    [(20, None, 31, 11), (20, None, 30, 10), (20, None, 29, 9), (20, 30, 90, 10), (20, 29, 90, 9), (20, 90, 29, 9), (99, 9, 9, 0)],
)  # fmt: skip
def test_what_a_quota_leaves(used, soft, hard, left):
    verdict = judge(a=limits(("user", used, soft, hard)))
    assert verdict.outcome is (Outcome.MET if left >= 10 else Outcome.UNMET)
    assert render(verdict.seen) == f"quota of the user at /a: {left} B left, {used} B used"
    assert verdict.gauge is not None and (verdict.gauge.have, verdict.gauge.want) == (left, 10)


def test_only_the_quota_that_is_short_is_named():
    verdict = judge(a=limits(("user", 0, None, 50), ("project", 5, None, 9)), b=limits(("group", 0, None, 99)))
    assert render(verdict.because) == "At /a, the quota of the project leaves 4 B, 10 B are wanted."
    assert render(verdict.fix) == "Raise the quota of the project at /a by 6 B."
    assert render(verdict.seen) == (
        "quota of the user at /a: 50 B left, 0 B used; quota of the project at /a: 4 B left, 5 B used; "
        "quota of the group at /b: 99 B left, 0 B used"
    )
    assert verdict.gauge is not None and verdict.gauge.have == 4


@pytest.mark.parametrize("reason", list(Reason))
def test_quotas_that_nobody_could_see_are_not_none(reason):
    with pytest.raises(NotSeen):
        judge(a=limits(), b=Unseen(reason))


def test_each_path_is_asked_once():
    demand = StorageQuotaRequirement.model_validate(header(paths=["/a", "/b", "/a"], at_least="1 B"))
    assert [q.path for q in demand.queries(Evidence())] == ["/a", "/b"]
    assert render(demand.wanted()) == "no quota that leaves less than 1 B"
