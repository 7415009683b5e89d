"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.routing_tables import link, route, routes
from conftest import FakePort, fake_host, header
from vorflug.areas.docker_network import (
    AddressPoolsRequirement,
    DockerNetworksFact,
    DockerNetworksQuery,
    MtuRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery
from vorflug.ports.containers import AddressPool, DaemonFile, Engine, EngineNetwork, EngineState


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def networks(*rows, **fields):
    made = tuple(DockerNetworksFact.Network(name=n, subnets=s, mtu=m) for n, s, m in rows)
    return DockerNetworksFact(**{"state": "answering", "socket": "/s", "networks": made, **fields})


NO_ROUTES = routes()


def evidence(fact, seen=NO_ROUTES):
    return Evidence(
        [
            Observation(query, result if isinstance(result, Unseen) else Seen(result))
            for query, result in ((DockerNetworksQuery(), fact), (RoutesQuery(), seen))
        ]
    )


POOLS = make(
    AddressPoolsRequirement,
    avoid=["10.0.0.0/8", "fd00::/8"],
    default_pools=["172.16.0.0/12", "192.168.0.0/16"],
    own_interfaces=["docker0", "br-*"],
)
MTU = make(MtuRequirement)


def host(**containers):
    return fake_host(containers=FakePort(**containers))


@pytest.mark.parametrize(
    ("engine_pools", "file_pools", "pools"),
    [
        ((), (), None),
        ((), (AddressPool("10.201.0.0/16", 24),), ("10.201.0.0/16",)),
        ((AddressPool("10.202.0.0/16", 24),), (AddressPool("10.201.0.0/16", 24),), ("10.202.0.0/16",)),
    ],
)
def test_networks(engine_pools, file_pools, pools):
    fact = DockerNetworksQuery().observe(
        host(
            engine=Engine(EngineState.ANSWERING, "/s", address_pools=engine_pools),
            daemon_file=DaemonFile("/d.json", exists=True, bip="10.200.0.1/24", address_pools=file_pools, mtu=1450),
            networks=(
                EngineNetwork("bridge", "bridge", ("172.17.0.0/16",), (), None),
                EngineNetwork("host", "host", (), (), None),
            ),
        )
    )
    assert fact.pools == pools
    assert [n.name for n in fact.networks] == ["bridge"]
    assert (fact.bip, fact.daemon_mtu) == ("10.200.0.0/24", 1450)


def test_no_bridge_range_is_none():
    fact = DockerNetworksQuery().observe(
        host(engine=Engine(EngineState.ANSWERING, "/s"), daemon_file=DaemonFile("/d", exists=False), networks=())
    )
    assert (fact.bip, fact.pools, fact.networks) == (None, None, ())


def test_a_silent_engine_is_not_asked_further():
    fact = DockerNetworksQuery().observe(host(engine=Engine(EngineState.ABSENT, "/s")))
    assert (fact.state, fact.networks) == (EngineState.ABSENT, ())


def test_a_broken_daemon_file_is_a_fact():
    broken = ValueError("/etc/docker/daemon.json:3: wanted JSON")
    fact = DockerNetworksQuery().observe(host(engine=Engine(EngineState.ANSWERING, "/s"), daemon_file=broken))
    assert (fact.daemon_file, fact.broken) == ("/etc/docker/daemon.json", str(broken))
    for demand in (POOLS, MTU):
        verdict = demand.judge(evidence(fact))
        assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.daemon_file")


@pytest.mark.parametrize("state", [s for s in EngineState if s is not EngineState.ANSWERING])
@pytest.mark.parametrize("demand", [POOLS, MTU], ids=lambda d: d.kind)
def test_a_silent_engine_leaves_it_open(demand, state):
    verdict = demand.judge(evidence(networks(state=state)))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, f"docker.{state}")


@pytest.mark.parametrize(
    ("fact", "outcome", "words"),
    [
        (networks(), Outcome.MET, "172.16.0.0/12"),
        (networks(pools=("10.200.0.0/16",)), Outcome.UNMET, "10.200.0.0/16 with 10.0.0.0/8 (listed)"),
        (networks(("bridge", ("10.9.0.0/24",), None)), Outcome.UNMET, "10.9.0.0/24 with"),
        (networks(("v6", ("fd00:1::/64",), None)), Outcome.UNMET, "fd00::/8"),
        (networks(bip="10.1.1.0/24", pools=("172.30.0.0/16",)), Outcome.UNMET, "10.1.1.0/24"),
        (networks(("bridge", ("172.30.0.0/24",), None), pools=("172.30.0.0/16",)), Outcome.MET, "None of"),
    ],
)
def test_pools(fact, outcome, words):
    verdict = POOLS.judge(evidence(fact))
    assert verdict.outcome is outcome
    assert words in render(verdict.seen) + " " + render(verdict.because)
    if fact.networks and outcome is Outcome.UNMET:
        assert "anew" in render(verdict.fix)


def test_built_in_pools_count_only_while_none_are_set():
    demand = make(AddressPoolsRequirement, avoid=["172.20.0.0/16"], default_pools=["172.16.0.0/12"])
    assert demand.judge(evidence(networks())).outcome is Outcome.UNMET
    assert demand.judge(evidence(networks(pools=("10.200.0.0/16",)))).outcome is Outcome.MET


IN_USE = networks(("audit", ("172.30.0.0/24",), None), bip="172.31.0.0/24")


@pytest.mark.parametrize(
    ("fact", "seen", "outcome", "words"),
    [
        (IN_USE, routes(("172.30.0.0/24", "br-1"), ("0.0.0.0/0", "eth0")), Outcome.MET, "nor where a route"),
        (
            IN_USE,
            routes(("172.30.0.0/16", "eth0")),
            Outcome.UNMET,
            "172.30.0.0/24 with the route to 172.30.0.0/16 (eth0)",
        ),
        (IN_USE, routes(("172.31.0.0/30", "eth0")), Outcome.UNMET, "172.31.0.0/24 with the route"),
        (IN_USE, routes(route("172.30.0.0/24", ("br-1", "eth0"))), Outcome.UNMET, "br-1 and eth0"),
        # Docker itself keeps new networks off the routes: its pools are no ranges in use
        (networks(), routes(("172.20.0.0/16", "eth0")), Outcome.MET, "nor where a route"),
        (IN_USE, routes(complete=False), Outcome.UNKNOWN, "part of the routing table"),
        (IN_USE, routes(("172.30.0.0/16", "eth0"), complete=False), Outcome.UNMET, "172.30.0.0/16"),
        (IN_USE, routes(main_only=True), Outcome.MET, "than the main one are not visible"),
        (networks(("a", ("10.9.0.0/24",), None)), Unseen(Reason.DENIED), Outcome.UNMET, "10.9.0.0/24 with 10.0.0.0/8"),
        (
            networks(("a", ("10.9.0.0/24", "172.30.0.0/24"), None)),
            routes(("172.30.0.0/24", "eth0")),
            Outcome.UNMET,
            "10.9.0.0/24 with 10.0.0.0/8 (listed); 172.30.0.0/24 with the route",
        ),
    ],
)
def test_ranges_in_use_against_the_routes(fact, seen, outcome, words):
    verdict = POOLS.judge(evidence(fact, seen))
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert ("main one" in render(verdict.because)) == (not isinstance(seen, Unseen) and seen.main_only)


def test_the_vpn_behind_a_colliding_route_is_named():
    seen = routes(("172.16.0.0/12", "tun0"), links=[link("tun0", "tun")])
    assert "tun0, a tunnel (tun)" in render(POOLS.judge(evidence(IN_USE, seen)).because)


def test_a_network_that_exists_must_be_made_anew():
    def fix(fact, seen):
        return render(POOLS.judge(evidence(fact, seen)).fix)

    assert "anew" in fix(IN_USE, routes(("172.30.0.0/16", "eth0")))
    assert "anew" not in fix(IN_USE, routes(("172.31.0.0/16", "eth0")))


@pytest.mark.parametrize(
    ("rows", "mtu", "fields", "outcome"),
    [
        ([("bridge", (), None)], 1500, {}, Outcome.MET),
        ([("bridge", (), None)], 1499, {}, Outcome.UNMET),
        ([("bridge", (), None)], 1400, {}, Outcome.UNMET),
        ([("bridge", (), None)], 1400, {"daemon_mtu": 1400}, Outcome.MET),
        ([("audit", (), None)], 1400, {"daemon_mtu": 1400}, Outcome.UNMET),
        ([("audit", (), 1400), ("bridge", (), 1300)], 1400, {}, Outcome.MET),
        ([("audit", (), 9000)], 9000, {}, Outcome.MET),
        ([("audit", (), 1400), ("other", (), 1401)], 1400, {}, Outcome.UNMET),
        ([], 1500, {}, Outcome.NOT_APPLICABLE),
        ([("bridge", (), None)], None, {}, Outcome.UNKNOWN),
    ],
)
def test_mtu(rows, mtu, fields, outcome):
    seen = NO_ROUTES if mtu is None else routes(("0.0.0.0/0", "eth0"), links=[link("eth0", mtu=mtu)])
    verdict = MTU.judge(evidence(networks(*rows, **fields), seen))
    assert verdict.outcome is outcome
    if outcome is Outcome.UNMET:
        assert str(mtu) in render(verdict.fix)
    if outcome in {Outcome.MET, Outcome.UNMET}:
        assert render(verdict.seen).startswith(f"eth0 has {mtu}; ")


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "corp", "10.0.0.0/33", ""])
def test_networks_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError, match="wanted a network"):
        make(AddressPoolsRequirement, avoid=[wrong], default_pools=["172.16.0.0/12"])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [POOLS, MTU], ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(Unseen(reason)))
    with pytest.raises(NotSeen):
        demand.judge(evidence(networks(("bridge", (), 1500)), Unseen(reason)))


def test_words():
    assert render(DockerNetworksQuery().asks()).endswith("?")
    for demand in (POOLS, MTU):
        assert render(demand.wanted()) and demand.queries(Evidence()) == [DockerNetworksQuery(), RoutesQuery()]


@pytest.mark.parametrize("demand", [POOLS, MTU], ids=lambda d: d.kind)
def test_podman_s_networks_are_not_docker_s(demand):
    engine = Engine(EngineState.ANSWERING, "/s", product="Podman Engine", version="4.9.4")
    fact = DockerNetworksQuery().observe(host(engine=engine, daemon_file=DaemonFile("/d", exists=False), networks=()))
    verdict = demand.judge(evidence(fact))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.other_product")
