"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.engines import SOCKET, engine, evidence, known
from conftest import FakePort, fake_host, header
from vorflug.areas.docker import (
    Boot,
    BootFact,
    BootQuery,
    ComposeFact,
    ComposeQuery,
    ComposeVersionRequirement,
    EngineVersionRequirement,
    RunningRequirement,
    StorageDriverRequirement,
)
from vorflug.model.container_engine import EngineQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.containers import Engine, EngineState

SILENT = [s for s in EngineState if s is not EngineState.ANSWERING]


def make(cls, **fields):
    return cls.model_validate(header(**fields))


DEMANDS = [
    make(RunningRequirement),
    make(EngineVersionRequirement, at_least="24"),
    make(StorageDriverRequirement, allowed=["overlay2", "overlayfs"]),
]

# ---- host -> fact ----------------------------------------------------------------------------------------------------


def test_the_engine_s_answer_is_the_fact():
    answer = Engine(EngineState.ANSWERING, SOCKET, version="27.1", data_root="/d", logging_driver="x")
    fact = EngineQuery().observe(fake_host(containers=FakePort(engine=answer)))
    assert (fact.state, fact.version, fact.data_root) == (EngineState.ANSWERING, "27.1", "/d")


@pytest.mark.parametrize(("there", "fix"), [("/usr/bin/docker", "Start it"), (None, "Install and start")])
def test_nobody_is_told_to_install_what_is_there(there, fix):
    host = fake_host(containers=FakePort(engine=Engine(EngineState.ABSENT, SOCKET)), commands=FakePort(which=there))
    fact = EngineQuery().observe(host)
    assert fact.installed is (there is not None)
    verdict = make(RunningRequirement).judge(evidence((EngineQuery(), fact)))
    assert verdict.outcome is Outcome.UNMET and render(verdict.fix).startswith(fix)


@pytest.mark.parametrize(
    ("which", "booted", "out", "err", "boot"),
    [
        ("/bin/systemctl", True, "enabled\n", "", Boot.ENABLED),
        ("/bin/systemctl", True, "disabled\n", "", Boot.DISABLED),
        ("/bin/systemctl", True, "masked\n", "", Boot.DISABLED),
        ("/bin/systemctl", True, "not-found\n", "", Boot.DISABLED),
        ("/bin/systemctl", True, "", "Failed to connect to bus", Boot.UNCLEAR),
        ("/bin/systemctl", False, "", "", Boot.NO_SYSTEMD),
        (None, True, "", "", Boot.NO_SYSTEMD),
    ],
)
def test_boot(which, booted, out, err, boot):
    commands = FakePort(which=which, run=Completed(0, out, err))
    fact = BootQuery().observe(fake_host(commands=commands, files=FakePort(exists=booted)))
    assert fact.boot is boot
    assert fact.said == (out or err).strip()


@pytest.mark.parametrize(
    ("programs", "plugin", "standalone"),
    [
        ({"docker": Completed(0, "2.24.5\n", ""), "docker-compose": Completed(0, "1.29.2\n", "")}, "2.24.5", "1.29.2"),
        ({"docker": Completed(0, "v2.3.3\n", "")}, "v2.3.3", None),
        ({"docker": Completed(1, "", "docker: 'compose' is not a docker command.")}, None, None),
        ({"docker": Completed(0, "\nUsage:  docker [OPTIONS]\n", "")}, None, None),
        ({"docker": Completed(0, "2 lines\nmore", "")}, None, None),
        # a version and an error: what was printed before it failed is no answer
        ({"docker": Completed(1, "2.24.5\n", "error")}, None, None),
        ({}, None, None),
    ],
)
def test_compose(programs, plugin, standalone):
    commands = FakePort(
        which=lambda name: f"/usr/bin/{name}" if name in programs else None, run=lambda argv: programs[argv[0]]
    )
    assert ComposeQuery().observe(fake_host(commands=commands)) == ComposeFact(plugin=plugin, standalone=standalone)


# ---- (demand, fact) -> verdict ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", SILENT)
@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_a_silent_engine_is_one_cause_for_all(demand, state):
    facts = known(engine(state))
    verdict = demand.judge(facts)
    assert verdict.cause == DEMANDS[0].about(facts)
    assert verdict.cause.subject == SOCKET and verdict.fix is not None
    if demand.kind != "docker_running":
        assert verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (EngineState.ABSENT, Outcome.UNMET),
        (EngineState.REFUSED, Outcome.UNMET),
        (EngineState.NOT_DOCKER, Outcome.UNMET),
        (EngineState.DENIED, Outcome.UNKNOWN),
        (EngineState.TIMEOUT, Outcome.UNKNOWN),
        (EngineState.REMOTE, Outcome.UNKNOWN),
    ],
)
def test_not_running(state, outcome):
    assert make(RunningRequirement).judge(known(engine(state))).outcome is outcome


@pytest.mark.parametrize(
    ("boot", "said", "outcome", "words"),
    [
        (Boot.ENABLED, "enabled", Outcome.MET, "starts at boot"),
        (Boot.DISABLED, "disabled", Outcome.UNMET, "does not start it"),
        (Boot.NO_SYSTEMD, "", Outcome.UNKNOWN, "no systemd"),
        (Boot.UNCLEAR, "Failed to connect", Outcome.UNKNOWN, "Failed to connect"),
    ],
)
def test_running(boot, said, outcome, words):
    facts = known(engine(), (BootQuery(), BootFact(boot=boot, said=said)))
    verdict = make(RunningRequirement).judge(facts)
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (f"docker.service is {said}" in render(verdict.seen)) == (said != "")
    assert ("nothing says whether" in render(verdict.seen)) == (said == "")
    assert make(RunningRequirement).about(facts) is None


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        ("29.0.1", Outcome.MET),
        ("24.0", Outcome.MET),
        ("24.0.0-rc.1", Outcome.MET),
        ("20.10.24+dfsg1", Outcome.UNMET),
        ("dev", Outcome.UNKNOWN),
    ],
)
def test_engine_version(version, outcome):
    assert make(EngineVersionRequirement, at_least="24").judge(known(engine(version=version))).outcome is outcome


@pytest.mark.parametrize(
    ("plugin", "standalone", "least", "outcome"),
    [
        ("2.24.5", None, "2.24", Outcome.MET),
        ("v2.3.3", None, "2.24", Outcome.UNMET),
        (None, "1.29.2", "2.24", Outcome.UNMET),
        (None, "1.29.2", "1.29", Outcome.MET),
        ("2.30", "1.29.2", "2.24", Outcome.MET),
        (None, None, "1.29", Outcome.UNMET),
    ],
)
def test_compose_version(plugin, standalone, least, outcome):
    fact = ComposeFact(plugin=plugin, standalone=standalone)
    verdict = make(ComposeVersionRequirement, at_least=least).judge(known(engine(), (ComposeQuery(), fact)))
    assert verdict.outcome is outcome
    assert ("standalone" in render(verdict.seen)) == (plugin is None and standalone is not None)


@pytest.mark.parametrize("state", SILENT)
def test_compose_that_is_not_there_is_unmet_whatever_became_of_the_engine(state):
    compose = (ComposeQuery(), ComposeFact(plugin=None, standalone=None))
    verdict = make(ComposeVersionRequirement, at_least="2.24").judge(known(engine(state), compose))
    assert (verdict.outcome, verdict.cause) == (Outcome.UNMET, None)
    assert "docker-compose-plugin" in render(verdict.fix)


def test_podman_behind_the_docker_socket_is_not_compared_with_versions_of_docker():
    facts = known(
        engine(product="Podman Engine", version="4.9.4"), (BootQuery(), BootFact(boot=Boot.ENABLED, said="x"))
    )
    running = make(RunningRequirement)
    verdict = running.judge(facts)
    assert verdict.outcome is Outcome.UNMET and render(verdict.seen) == "Podman Engine 4.9.4"
    assert "Podman Engine answers behind" in render(verdict.because)
    assert "podman-docker" in render(verdict.fix)
    for demand in DEMANDS:
        assert demand.judge(facts).cause == running.about(facts) == verdict.cause
        assert demand is DEMANDS[0] or demand.judge(facts).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("product", "name"), [("", "Docker Engine"), ("Docker Engine - Community", "Docker Engine - Community")]
)
def test_a_distribution_s_build_without_a_product_is_called_docker_engine(product, name):
    facts = known(engine(product=product), (BootQuery(), BootFact(boot=Boot.ENABLED, said="enabled")))
    assert render(make(RunningRequirement).judge(facts).seen) == f"{name} 29.0.1 answers; docker.service is enabled"
    verdict = make(EngineVersionRequirement, at_least="24").judge(facts)
    assert render(verdict.seen) == f"{name} 29.0.1"
    assert render(verdict.because) == f"{name} 29.0.1 is at least 24."


def test_what_was_seen_is_not_what_it_means():
    for state in SILENT:
        verdict = DEMANDS[0].judge(known(engine(state)))
        assert render(verdict.seen) != render(verdict.because)
        assert SOCKET in render(verdict.seen)


def test_a_comparison_names_the_program():
    verdict = make(EngineVersionRequirement, at_least="99").judge(
        known(engine(product="Docker Engine", version="27.1"))
    )
    assert render(verdict.because) == "Docker Engine 27.1 is older than 99."


@pytest.mark.parametrize(
    ("fields", "outcome", "seen"),
    [
        ({}, Outcome.MET, "overlay2 on extfs"),
        (
            {"driver": "overlayfs", "driver_type": "io.containerd.snapshotter.v1", "backing_file_system": ""},
            Outcome.MET,
            "overlayfs (containerd image store)",
        ),
        ({"driver": "vfs", "backing_file_system": ""}, Outcome.UNMET, "vfs"),
    ],
)
def test_storage_driver(fields, outcome, seen):
    verdict = DEMANDS[2].judge(known(engine(**fields)))
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    unseen = [(q, Unseen(reason)) for q in (EngineQuery(), BootQuery(), ComposeQuery())]
    with pytest.raises(NotSeen):
        demand.judge(evidence(*unseen))


def test_every_question_and_demand_has_words():
    for query in (EngineQuery(), BootQuery(), ComposeQuery()):
        assert render(query.asks()).endswith("?")
    for demand in (*DEMANDS, make(ComposeVersionRequirement, at_least="2.24")):
        assert render(demand.wanted())
    assert {q.kind for q in DEMANDS[0].queries(Evidence())} == {"docker_engine", "docker_boot"}
