"""Room for images: (demand, engine, free space) -> verdict; what shares a file system is added up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areas.engines import engine, evidence, known
from conftest import FakePort, fake_host, header
from vorflug.areas.docker_space import ImageSpaceRequirement
from vorflug.model.container_engine import EngineQuery
from vorflug.model.docker_room import RoomFact, RoomQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.containers import EngineState
from vorflug.ports.files import FileSystem

GB = 10**9


def make(cls, **fields):
    return cls.model_validate(header(**fields))


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
    assert "no engine runs" not in render(verdict.seen)
    assert demand.then() is not None


def test_only_the_folders_that_share_the_tightest_file_system_are_named():
    demand = make(ImageSpaceRequirement, at_least="20 GB", rest="10 GB")
    facts = known(engine(**SNAPSHOTTER))
    room = demand.queries(facts)[1]

    def seen(containerd_device):
        rows = [("/var/lib/containerd", "/c", containerd_device, 90 * GB), ("/var/lib/docker", "/d", "8:1", 9 * GB)]
        return render(demand.judge(known(engine(**SNAPSHOTTER), (room, places(*rows)))).seen)

    assert seen("8:2") == "9 GB free under /var/lib/docker (/d)"
    assert seen("8:1") == "9 GB free under /var/lib/containerd and /var/lib/docker (/d)"


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("0 B", "20 GB free for images"),
        ("10 GB", "20 GB free for images and 10 GB for volumes and logs"),
    ],
)
def test_what_is_wanted_for_the_rest_is_said_only_where_it_is(rest, words):
    assert render(make(ImageSpaceRequirement, at_least="20 GB", rest=rest).wanted()) == words


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


def test_an_engine_that_names_no_data_root_leaves_it_open_whatever_folders_are_usual():
    demand = make(ImageSpaceRequirement, at_least="20 GB", **NO_ENGINE)
    facts = known(engine(data_root=""))
    assert demand.queries(facts) == [EngineQuery()]
    assert demand.judge(facts).outcome is Outcome.UNKNOWN


def test_podman_s_folders_are_not_the_engine_s():
    demand = make(ImageSpaceRequirement, at_least="20 GB", **NO_ENGINE)
    verdict = demand.judge(known(engine(product="Podman Engine", data_root="/var/lib/containers/storage")))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.other_product")


def test_image_space_without_a_known_root():
    demand = make(ImageSpaceRequirement, at_least="20 GB")
    facts = known(engine(containerd_root="", **SNAPSHOTTER))
    assert demand.queries(facts) == [EngineQuery()]
    assert demand.judge(facts).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("state", [s for s in EngineState if s is not EngineState.ANSWERING])
def test_a_silent_engine_leaves_it_open(state):
    verdict = make(ImageSpaceRequirement, at_least="20 GB").judge(known(engine(state)))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, f"docker.{state}")


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    demand = make(ImageSpaceRequirement, at_least="20 GB")
    with pytest.raises(NotSeen):
        demand.judge(evidence((EngineQuery(), Unseen(reason))))
    with pytest.raises(NotSeen):
        demand.judge(known(engine(), (RoomQuery(paths=("/var/lib/docker",)), Unseen(reason))))


def test_the_question_names_the_folders():
    assert render(RoomQuery(paths=("/a", "/b")).asks()) == "How much space is free under /a and /b?"


@given(free=st.integers(0, 2**42), low=st.integers(1, 2**41), more=st.integers(0, 2**41))
def test_raising_the_demand_never_turns_unmet_into_met(free, low, more):
    query = RoomQuery(paths=("/var/lib/docker",))
    facts = known(engine(), (query, places(("/var/lib/docker", "/", "8:1", free))))
    if make(ImageSpaceRequirement, at_least=low).judge(facts).outcome is Outcome.UNMET:
        assert make(ImageSpaceRequirement, at_least=low + more).judge(facts).outcome is Outcome.UNMET
