"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.docker import (
    Boot,
    BootFact,
    BootQuery,
    ComposeFact,
    ComposeQuery,
    ComposeVersionRequirement,
    EngineFact,
    EngineQuery,
    EngineVersionRequirement,
    ImageSpaceRequirement,
    RoomFact,
    RoomQuery,
    RunningRequirement,
    StorageDriverRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.containers import Engine, EngineState
from vorflug.ports.files import FileSystem

GB = 10**9
SOCKET = "/var/run/docker.sock"
SILENT = [s for s in EngineState if s is not EngineState.ANSWERING]


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def engine(state=EngineState.ANSWERING, **fields):
    good = {
        "product": "Docker Engine - Community",
        "version": "29.0.1",
        "driver": "overlay2",
        "backing_file_system": "extfs",
        "data_root": "/var/lib/docker",
        "containerd_root": "/var/lib/containerd",
    }
    return EngineFact(state=state, socket=SOCKET, **({**good, **fields} if state is EngineState.ANSWERING else {}))


def evidence(*pairs):
    return Evidence([Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in pairs])


def known(fact, *more):
    return evidence((EngineQuery(), fact), *more)


DEMANDS = [
    make(RunningRequirement),
    make(EngineVersionRequirement, at_least="24"),
    make(StorageDriverRequirement, allowed=["overlay2", "overlayfs"]),
    make(ImageSpaceRequirement, at_least="20 GB"),
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
        ({}, None, None),
    ],
)
def test_compose(programs, plugin, standalone):
    commands = FakePort(
        which=lambda name: f"/usr/bin/{name}" if name in programs else None, run=lambda argv: programs[argv[0]]
    )
    assert ComposeQuery().observe(fake_host(commands=commands)) == ComposeFact(plugin=plugin, standalone=standalone)


def test_room():
    fs = FileSystem(
        "/var/lib",
        False,
        "/var",
        "ext4",
        "/dev/sda2",
        "8:2",
        (),
        total_bytes=100 * GB,
        used_bytes=70 * GB,
        free_bytes=30 * GB,
        total_inodes=10,
        free_inodes=5,
    )
    fact = RoomQuery(paths=("/a", "/b")).observe(fake_host(files=FakePort(file_system=fs)))
    assert [(p.path, p.device, p.free_bytes) for p in fact.places] == [("/a", "8:2", 30 * GB), ("/b", "8:2", 30 * GB)]


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
        (Boot.ENABLED, "enabled", Outcome.MET, "enabled"),
        (Boot.DISABLED, "disabled", Outcome.UNMET, "does not start it"),
        (Boot.NO_SYSTEMD, "", Outcome.UNKNOWN, "no systemd"),
        (Boot.UNCLEAR, "Failed to connect", Outcome.UNKNOWN, "Failed to connect"),
    ],
)
def test_running(boot, said, outcome, words):
    facts = known(engine(), (BootQuery(), BootFact(boot=boot, said=said)))
    verdict = make(RunningRequirement).judge(facts)
    assert verdict.outcome is outcome
    assert words in render(verdict.because) + render(verdict.seen)
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


SNAPSHOTTER = {"driver_type": "io.containerd.snapshotter.v1"}


def places(*rows):
    return RoomFact(places=tuple(RoomFact.Place(path=p, mount_point=m, device=d, free_bytes=f) for p, m, d, f in rows))


@pytest.mark.parametrize(
    ("fields", "rows", "outcome", "have", "want"),
    [
        # a graph driver: everything in the data root
        ({}, [("/var/lib/docker", "/", "8:1", 30 * GB)], Outcome.MET, 30 * GB, 30 * GB),
        ({}, [("/var/lib/docker", "/", "8:1", 29 * GB)], Outcome.UNMET, 29 * GB, 30 * GB),
        # the containerd store on the same file system: demands add up
        (
            SNAPSHOTTER,
            [("/var/lib/containerd", "/", "8:1", 29 * GB), ("/var/lib/docker", "/", "8:1", 29 * GB)],
            Outcome.UNMET,
            29 * GB,
            30 * GB,
        ),
        # on two: each has its own
        (
            SNAPSHOTTER,
            [("/var/lib/containerd", "/c", "8:2", 21 * GB), ("/var/lib/docker", "/", "8:1", 9 * GB)],
            Outcome.UNMET,
            9 * GB,
            10 * GB,
        ),
        (
            SNAPSHOTTER,
            [("/var/lib/containerd", "/c", "8:2", 21 * GB), ("/var/lib/docker", "/", "8:1", 15 * GB)],
            Outcome.MET,
            21 * GB,
            20 * GB,
        ),
    ],
)
def test_image_space(fields, rows, outcome, have, want):
    demand = make(ImageSpaceRequirement, at_least="20 GB", rest="10 GB")
    fact = known(engine(**fields))
    first, second = demand.queries(fact)
    assert demand.queries(Evidence()) == [first]
    assert second.paths == tuple(r[0] for r in rows)
    verdict = demand.judge(known(engine(**fields), (second, places(*rows))))
    assert (verdict.outcome, verdict.gauge.have, verdict.gauge.want) == (outcome, have, want)
    assert demand.then() is not None


NO_ENGINE = {"containerd_root": "/var/lib/containerd", "data_root": "/var/lib/docker"}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        # both on one file system: the demands add up
        ([("/var/lib/containerd", "/", "8:1", 30 * GB), ("/var/lib/docker", "/", "8:1", 30 * GB)], Outcome.MET),
        (
            [("/var/lib/containerd", "/", "8:1", 30 * GB - 1), ("/var/lib/docker", "/", "8:1", 30 * GB - 1)],
            Outcome.UNMET,
        ),
    ],
)
def test_before_there_is_an_engine_the_usual_folders_are_asked(rows, outcome):
    demand = make(ImageSpaceRequirement, at_least="20 GB", rest="10 GB", **NO_ENGINE)
    absent = engine(EngineState.ABSENT)
    _, room = demand.queries(known(absent))
    assert room.paths == ("/var/lib/containerd", "/var/lib/docker")
    verdict = demand.judge(known(absent, (room, places(*rows))))
    assert verdict.outcome is outcome
    assert "no engine runs" in render(verdict.seen)


@pytest.mark.parametrize("state", [s for s in EngineState if s not in (EngineState.ABSENT, EngineState.ANSWERING)])
def test_an_engine_that_is_there_but_silent_may_use_other_folders(state):
    demand = make(ImageSpaceRequirement, at_least="20 GB", **NO_ENGINE)
    assert demand.queries(known(engine(state))) == [EngineQuery()]
    assert demand.judge(known(engine(state))).outcome is not Outcome.MET


@pytest.mark.parametrize("given", [{}, {"data_root": "/d"}, {"containerd_root": "/c"}])
def test_without_both_folders_nothing_stands_for_the_engine(given):
    demand = make(ImageSpaceRequirement, at_least="20 GB", **given)
    assert demand.queries(known(engine(EngineState.ABSENT))) == [EngineQuery()]
    assert demand.judge(known(engine(EngineState.ABSENT))).outcome in (Outcome.UNMET, Outcome.UNKNOWN)


def test_image_space_without_a_known_root():
    demand = make(ImageSpaceRequirement, at_least="20 GB")
    facts = known(engine(containerd_root="", **SNAPSHOTTER))
    assert demand.queries(facts) == [EngineQuery()]
    assert demand.judge(facts).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", DEMANDS, ids=lambda d: d.kind)
def test_not_seen_is_never_a_verdict(demand, reason):
    unseen = [(q, Unseen(reason)) for q in (EngineQuery(), BootQuery(), ComposeQuery())]
    with pytest.raises(NotSeen):
        demand.judge(evidence(*unseen))


@given(free=st.integers(0, 2**42), low=st.integers(1, 2**41), more=st.integers(0, 2**41))
def test_raising_the_demand_never_turns_unmet_into_met(free, low, more):
    query = RoomQuery(paths=("/var/lib/docker",))
    facts = known(engine(), (query, places(("/var/lib/docker", "/", "8:1", free))))
    if make(ImageSpaceRequirement, at_least=low).judge(facts).outcome is Outcome.UNMET:
        assert make(ImageSpaceRequirement, at_least=low + more).judge(facts).outcome is Outcome.UNMET


def test_every_question_and_demand_has_words():
    for query in (EngineQuery(), BootQuery(), ComposeQuery(), RoomQuery(paths=("/a",))):
        assert render(query.asks()).endswith("?")
    for demand in (*DEMANDS, make(ImageSpaceRequirement, at_least="20 GB", rest="1 GB")):
        assert render(demand.wanted())
    assert {q.kind for q in DEMANDS[0].queries(Evidence())} == {"docker_engine", "docker_boot"}
