"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.compose_images import ComposeImagesFact, ComposeImagesQuery, ComposeImagesRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.package_file import FileFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.package import FileRead, ImagesRead, ImageUse, Reading

PATH, ENV = "/srv/audit/compose.yaml", "/srv/audit/.env"
QUERY = ComposeImagesQuery(path=PATH, env_path=ENV)
ONE, TWO = "sha256:" + 64 * "1", "sha256:" + 64 * "2"


def demand(*images):
    return ComposeImagesRequirement.model_validate(header(path=PATH, env_path=ENV, images=list(images)))


def judge(seen, *images):
    return demand(*images).judge(Evidence([Observation(QUERY, seen if isinstance(seen, Unseen) else Seen(seen))]))


def fact(*images, reading=Reading.GOOD, env=Reading.GOOD):
    uses = tuple(ComposeImagesFact.Use(service=f"s{n}", image=image) for n, image in enumerate(images))
    return ComposeImagesFact(file=FileFact(path=PATH, reading=reading), env=FileFact(path=ENV, reading=env), uses=uses)


def test_fact():
    read = ImagesRead(
        FileRead(PATH, Reading.GOOD), FileRead(ENV, Reading.GOOD), (ImageUse("s0", "a:1"), ImageUse("s1", None))
    )
    assert QUERY.observe(fake_host(package=FakePort(images=read))) == fact("a:1", None)


MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("image", "listed", "outcome", "because"),
    [
        ("vendor/api:1.3.0", "vendor/api:1.3.0", MET, "is one of"),
        ("registry.corp/vendor/api:1.3.0", "vendor/api:1.3.0", MET, "is one of"),
        ("registry:5000/vendor/api:1.3.0", "vendor/api:1.3.0", MET, "is one of"),
        ("localhost/vendor/api:1.3.0", "vendor/api:1.3.0", MET, "is one of"),
        ("harbor.corp/hub/vendor/api:1.3.0", "vendor/api:1.3.0", MET, "is one of"),
        ("vendor/api:1.3.1", "vendor/api:1.3.0", UNMET, "another version of vendor/api:1.3.1"),
        ("vendor/api", "vendor/api:1.3.0", UNMET, "another version of vendor/api"),
        ("vendor/api", "vendor/api:latest", MET, "is one of"),
        ("vendor/api:latest", "vendor/api", MET, "is one of"),
        # without a registry's dot or colon the first part is a part of the name
        ("vendor/api:1", "api:1", MET, "is one of"),
        ("api:1", "vendor/api:1", UNMET, "lacks api:1"),
        ("myapi:1", "api:1", UNMET, "lacks myapi:1"),
        ("localhost:1", "localhost:1", MET, "is one of"),
        ("postgres.x:1", "postgres.x:1", MET, "is one of"),
        ("localhost/x:1", "y/x:1", UNMET, "lacks localhost/x:1"),
        ("postgres:16", "library/postgres:16", MET, "is one of"),
        ("docker.io/library/postgres:16", "postgres:16", MET, "is one of"),
        (f"a@{ONE}", f"a@{ONE}", MET, "is one of"),
        (f"a:1@{ONE}", f"a:2@{ONE}", MET, "is one of"),
        (f"a:1@{ONE}", f"a:1@{TWO}", UNMET, "another version"),
        (f"a:1@{ONE}", "a:1", MET, "is one of"),
        (f"a:1@{ONE}", "a:2", UNMET, "another version"),
        (f"a@{ONE}", "a:1", UNKNOWN, "only one side names a tag, the other a digest"),
        ("a:1", f"a@{ONE}", UNKNOWN, "only one side names a tag, the other a digest"),
    ],
)
def test_versions(image, listed, outcome, because):
    verdict = judge(fact(image), listed)
    assert verdict.outcome is outcome
    assert because in render(verdict.because)
    assert render(verdict.seen) == f"s0: {image}"
    assert (verdict.fix is None) == (outcome is MET)


@pytest.mark.parametrize(
    ("images", "listed", "outcome", "because"),
    [
        (("a:1", None), ("a:1",), UNMET, "These services name no image, or none that is valid: s1."),
        (
            ("b:1", None, "a:2"),
            ("a:1",),
            UNMET,
            (
                "These services name no image, or none that is valid: s1. The list of the delivery lacks b:1. "
                "The list of the delivery has another version of a:2."
            ),
        ),
        (
            ("a:2", "b:1"),
            ("a:1",),
            UNMET,
            "The list of the delivery lacks b:1. The list of the delivery has another version of a:2.",
        ),
        (("a:2", f"b@{ONE}"), ("a:1", "b:1"), UNMET, "The list of the delivery has another version of a:2."),
        (("a:2", "b:1"), ("a:1", "a:2", "b:1", "c:9"), MET, "Every image is one of the delivery's list."),
        ((f"a@{ONE}",), ("a:1", f"a@{ONE}"), MET, "Every image is one of the delivery's list."),
        ((f"a@{ONE}", "b:1"), ("a:1", f"a@{TWO}", "b:1"), UNKNOWN, f"Of a@{ONE} only one side names a tag"),
    ],
)
def test_several(images, listed, outcome, because):
    verdict = judge(fact(*images), *listed)
    assert verdict.outcome is outcome
    assert render(verdict.because).startswith(because)


def test_a_service_without_an_image_is_shown_as_such():
    assert render(judge(fact("a:1", None), "a:1").seen) == "s0: a:1; s1: -"


@pytest.mark.parametrize("reading", [Reading.ABSENT, Reading.BROKEN])
def test_a_file_that_cannot_be_used(reading):
    verdict = judge(fact(reading=reading), "a:1")
    assert (verdict.outcome, verdict.cause.kind) == (UNMET, f"file.{reading}")


@pytest.mark.parametrize(
    ("env", "outcome"),
    [
        (Reading.GOOD, MET),
        # Compose does without it
        (Reading.ABSENT, MET),
        (Reading.EMPTY, MET),
        (Reading.DENIED, UNKNOWN),
        (Reading.BROKEN, UNMET),
        (Reading.TOO_LARGE, UNMET),
        (Reading.NOT_A_FILE, UNMET),
    ],
)
def test_an_env_file_that_cannot_be_used_leaves_no_image_to_judge(env, outcome):
    for images in (("a:1",), ("a:1", None)) if outcome is not MET else (("a:1",),):
        verdict = judge(fact(*images, env=env), "a:1")
        assert verdict.outcome is outcome
        if outcome is not MET:
            assert (verdict.cause.kind, verdict.cause.subject) == (f"file.{env}", ENV)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason), "a:1")


def test_an_empty_list_is_refused():
    with pytest.raises(ValidationError):
        demand()


def test_words():
    assert render(demand("a:1", "b:1").wanted()) == f"every image of {PATH} as the delivery lists it (2 images)"
    assert demand("a:1").queries(Evidence()) == [QUERY]
    assert render(QUERY.asks()) == f"Which images do the services of {PATH} run?"
