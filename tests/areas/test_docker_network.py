"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

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
from vorflug.ports.containers import AddressPool, DaemonFile, Engine, EngineNetwork, EngineState

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
"""


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def networks(*rows, **fields):
    made = tuple(DockerNetworksFact.Network(name=n, subnets=s, mtu=m) for n, s, m in rows)
    return DockerNetworksFact(**{"state": "answering", "socket": "/s", "networks": made, **fields})


def evidence(fact):
    return Evidence([Observation(DockerNetworksQuery(), fact if isinstance(fact, Unseen) else Seen(fact))])


POOLS = make(
    AddressPoolsRequirement, avoid=["10.0.0.0/8", "fd00::/8"], default_pools=["172.16.0.0/12", "192.168.0.0/16"]
)
MTU = make(MtuRequirement)


def host(routes=ROUTES, **containers):
    files = FakePort(read_text=lambda path: {"/proc/net/route": routes, "/sys/class/net/eth0/mtu": "1400\n"}[path])
    return fake_host(files=files, containers=FakePort(**containers))


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
    assert (fact.bip, fact.daemon_mtu, fact.uplink, fact.uplink_mtu) == ("10.200.0.0/24", 1450, "eth0", 1400)


def test_without_default_route_there_is_no_uplink():
    good = {
        "engine": Engine(EngineState.ANSWERING, "/s"),
        "daemon_file": DaemonFile("/d", exists=False),
        "networks": (),
    }
    fact = DockerNetworksQuery().observe(host(routes=ROUTES.splitlines()[0] + "\n\n", **good))
    assert (fact.uplink, fact.uplink_mtu, fact.bip) == (None, None, None)


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
        (networks(pools=("10.200.0.0/16",)), Outcome.UNMET, "10.200.0.0/16 overlaps 10.0.0.0/8"),
        (networks(("bridge", ("10.9.0.0/24",), None)), Outcome.UNMET, "10.9.0.0/24 overlaps"),
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


@pytest.mark.parametrize(
    ("rows", "fields", "outcome"),
    [
        ([("bridge", (), None)], {"uplink_mtu": 1500}, Outcome.MET),
        ([("bridge", (), None)], {"uplink_mtu": 1400}, Outcome.UNMET),
        ([("bridge", (), None)], {"uplink_mtu": 1400, "daemon_mtu": 1400}, Outcome.MET),
        ([("audit", (), None)], {"uplink_mtu": 1400, "daemon_mtu": 1400}, Outcome.UNMET),
        ([("audit", (), 1400), ("bridge", (), 1300)], {"uplink_mtu": 1400}, Outcome.MET),
        ([("audit", (), 9000)], {"uplink_mtu": 9000}, Outcome.MET),
        ([], {"uplink_mtu": 1500}, Outcome.NOT_APPLICABLE),
        ([("bridge", (), None)], {"uplink": None}, Outcome.UNKNOWN),
    ],
)
def test_mtu(rows, fields, outcome):
    verdict = MTU.judge(evidence(networks(*rows, **{"uplink": "eth0", **fields})))
    assert verdict.outcome is outcome
    if outcome is Outcome.UNMET:
        assert "1400" in render(verdict.fix)


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "corp", "10.0.0.0/33", ""])
def test_networks_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError, match="wanted a network"):
        make(AddressPoolsRequirement, avoid=[wrong], default_pools=["172.16.0.0/12"])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [POOLS, MTU], ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(Unseen(reason)))


def test_words():
    assert render(DockerNetworksQuery().asks()).endswith("?")
    for demand in (POOLS, MTU):
        assert render(demand.wanted()) and demand.queries(Evidence()) == [DockerNetworksQuery()]
