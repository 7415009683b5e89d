"""(demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.routing_tables import link, route, routes
from conftest import header
from vorflug.areas.uplink import UplinkMtuRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery

DEMAND = UplinkMtuRequirement.model_validate(header(at_least=1500))
DEFAULT = ("0.0.0.0/0", "eth0")


def judge(fact):
    return DEMAND.judge(Evidence([Observation(RoutesQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("fact", "outcome", "seen"),
    [
        (routes(DEFAULT, links=[link(mtu=1500)]), Outcome.MET, "1500 on eth0"),
        (routes(DEFAULT, links=[link(mtu=1501)]), Outcome.MET, "1501 on eth0"),
        (routes(DEFAULT, links=[link(mtu=1499)]), Outcome.UNMET, "1499 on eth0"),
        (routes(route("0.0.0.0/0", mtu=1400), links=[link(mtu=1500)]), Outcome.UNMET, "1400 on eth0"),
        (
            routes(("0.0.0.0/0", "tun0"), links=[link(mtu=1500), link("tun0", "tun", mtu=1400)]),
            Outcome.UNMET,
            "1400 on tun0, a tunnel (tun) as VPNs have it",
        ),
        (routes(links=[link()]), Outcome.UNKNOWN, None),
        (routes(DEFAULT), Outcome.UNKNOWN, None),
    ],
)
def test_mtu(fact, outcome, seen):
    verdict = judge(fact)
    assert verdict.outcome is outcome
    assert (None if verdict.seen is None else render(verdict.seen)) == seen
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_fix_names_the_mtu_and_met_says_what_is_not_visible():
    assert '"mtu": 1400' in render(judge(routes(DEFAULT, links=[link(mtu=1400)])).fix)
    assert "1500" in render(judge(routes(DEFAULT, links=[link(mtu=1400)])).because)
    assert "not visible" in render(judge(routes(DEFAULT, links=[link()])).because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_words():
    assert render(DEMAND.wanted()) == "MTU of the uplink at least 1500"
    assert DEMAND.queries(Evidence()) == [RoutesQuery()]
