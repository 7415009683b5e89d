"""Room for the images of the delivery: (demand, sizes, engine, free space) -> verdict."""

from __future__ import annotations

import pytest

from areas.engines import engine
from conftest import header
from vorflug.areas.image_room import RoomRequirement
from vorflug.model.container_engine import EngineQuery
from vorflug.model.docker_room import RoomFact, RoomQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.registry_content import ContentFact
from vorflug.model.requirement import Outcome
from vorflug.ports.containers import EngineState
from vorflug.ports.registry import (
    BlobSeen,
    CredentialSeen,
    CredentialSource,
    CredentialState,
    ImagesSeen,
    ManifestSeen,
    PullEnd,
    PullSeen,
)

R = "r.example"
LOGIN = CredentialSeen(CredentialState.USABLE, CredentialSource.AUTHS, "/root/.docker/config.json")
GB = 10**9
SHARED = BlobSeen("sha256:" + "0" * 64, 4 * GB)


def demand(*names, **fields):
    whole = {"registry": R, "images": list(names or ("a/b:1", "c/d:2")), "times": 2.5} | fields
    return RoomRequirement.model_validate(header(**whole))


def image(name, *blobs, end=PullEnd.GRANTED):
    return ManifestSeen(PullSeen(name, end, at=R), "linux/amd64", (), blobs)


def own(letter, size):
    return BlobSeen("sha256:" + letter * 64, size)


TWO = (image("a/b:1", SHARED, own("a", 2 * GB)), image("c/d:2", SHARED, own("b", 2 * GB)))
"""8 GB together, for what both have counts once; 20 GB with what unpacking needs."""


def known(wanted, *images, state=None, free=20 * GB, path="/var/lib/docker"):
    rows = [Observation(wanted.content_query(), Seen(ContentFact(content=ImagesSeen(LOGIN, "linux/amd64", images))))]
    rows.append(Observation(EngineQuery(), Seen(state or engine())))
    if path:
        place = RoomFact.Place(path=path, mount_point="/var", device="8:1", free_bytes=free)
        evidence = Evidence(rows)
        for query in wanted.queries(evidence):
            if isinstance(query, RoomQuery):
                assert query.paths == (path,)
                rows.append(Observation(query, Seen(RoomFact(places=(place,)))))
    return Evidence(rows)


@pytest.mark.parametrize(
    ("free", "outcome"), [(20 * GB, Outcome.MET), (20 * GB - 1, Outcome.UNMET), (20 * GB + 1, Outcome.MET)]
)
def test_what_is_free_against_what_all_of_them_take(no_io, free, outcome):
    wanted = demand()
    evidence = known(wanted, *TWO, free=free)
    with no_io():
        verdict = wanted.judge(evidence)
    assert verdict.outcome is outcome
    assert (verdict.gauge.have, verdict.gauge.want) == (free, 20 * GB)
    assert "in 3 parts, shared ones once" in render(verdict.seen) and "/var/lib/docker (/var)" in render(verdict.seen)
    assert outcome is Outcome.MET or "Enlarge /var" in render(verdict.fix)


def test_with_the_containerd_store_images_lie_in_its_folder():
    state = engine(driver_type="io.containerd.snapshotter.v1", containerd_root="/var/lib/containerd")
    wanted = demand()
    assert wanted.judge(known(wanted, *TWO, state=state, path="/var/lib/containerd")).outcome is Outcome.MET


def test_a_folder_that_is_not_known_is_not_made_up():
    state = engine(driver_type="io.containerd.snapshotter.v1", containerd_root="")
    verdict = demand().judge(known(demand(), *TWO, state=state, path=""))
    assert verdict.outcome is Outcome.UNKNOWN and "could not be found out" in render(verdict.because)


def test_without_an_engine_the_usual_folder_of_the_profile_is_asked():
    absent = engine(EngineState.ABSENT)
    wanted = demand(usual="/var/lib/containerd")
    assert wanted.judge(known(wanted, *TWO, state=absent, path="/var/lib/containerd")).outcome is Outcome.MET
    verdict = demand().judge(known(demand(), *TWO, state=absent, path=""))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.absent")


def test_a_silent_engine_has_no_usual_folder():
    silent = engine(EngineState.TIMEOUT)
    wanted = demand(usual="/var/lib/containerd")
    verdict = wanted.judge(known(wanted, *TWO, state=silent, path=""))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.timeout")


def test_another_product_has_folders_of_its_own():
    verdict = demand().judge(known(demand(), *TWO, state=engine(product="Podman Engine")))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "docker.other_product")


@pytest.mark.parametrize("end", [e for e in PullEnd if e is not PullEnd.GRANTED])
def test_a_sum_without_one_image_is_no_sum(end):
    verdict = demand().judge(known(demand(), TWO[0], image("c/d:2", end=end)))
    assert verdict.outcome is Outcome.UNKNOWN and render(verdict.because) and render(verdict.fix)


def test_an_image_of_nothing_is_suspicious():
    assert demand().judge(known(demand(), TWO[0], image("c/d:2"))).outcome is Outcome.UNKNOWN


def test_an_answer_about_fewer_images_is_no_pass():
    assert demand().judge(known(demand(), TWO[0])).outcome is Outcome.UNKNOWN


def test_the_plan_names_every_contact():
    wanted = demand(token_hosts=["t.example"])
    assert "t.example" in render(wanted.then()) and "2.5 times" in render(wanted.wanted())
    assert [q.kind for q in wanted.queries(Evidence())] == ["registry_content", "docker_engine"]


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    wanted = demand()
    whole = known(wanted, *TWO)
    for query in wanted.queries(whole):
        rows = [Observation(q, whole.result(q)) for q in wanted.queries(whole) if q != query]
        with pytest.raises(NotSeen):
            wanted.judge(Evidence([*rows, Observation(query, Unseen(reason))]))


def test_an_image_that_was_not_granted_has_no_size_even_if_one_was_read():
    wanted = demand()
    denied = image("c/d:2", own("b", 2 * GB), end=PullEnd.DENIED)
    assert wanted.judge(known(wanted, TWO[0], denied, free=100 * GB)).outcome is not Outcome.MET
