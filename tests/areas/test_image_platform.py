"""Images for the processor of this host: (demand, what the registry has) -> verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from areas.asking import ask, judge
from conftest import FakePort, fake_host, header
from vorflug.areas.image_platform import PlatformRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Route, Stage, StageSeen, Trace
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
NONE = CredentialSeen(CredentialState.MISSING, CredentialSource.NONE, "/root/.docker/config.json")


def demand(*names, **fields):
    whole = {"registry": R, "images": list(names or ("a/b:1",))} | fields
    return PlatformRequirement.model_validate(header(**whole))


def image(name="a/b:1", end=PullEnd.GRANTED, platform="linux/amd64", offered=("linux/amd64", "linux/arm64"), **pull):
    return ManifestSeen(PullSeen(name, end, at=R, **pull), platform, offered)


def host(*images, credential=LOGIN):
    return fake_host(registry=FakePort(manifests=ImagesSeen(credential, "linux/amd64", images)))


def test_every_image_is_there(no_io):
    wanted = demand("a/b:1", "c/d:2")
    evidence = ask(wanted, host(image(), image("c/d:2")))
    with no_io():
        verdict = wanted.judge(evidence)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "2 of 2 images for linux/amd64"


def test_one_is_there_for_another_processor_only():
    other = image("c/d:2", PullEnd.WRONG_PLATFORM, "", ("linux/arm64", "linux/s390x"))
    verdict = judge(demand("a/b:1", "c/d:2"), host(image(), other))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.seen) == "c/d:2: linux/arm64 and linux/s390x"
    assert render(verdict.because) == "c/d:2 is not there for linux/amd64." and "linux/amd64" in render(verdict.fix)


def test_what_was_not_said_is_a_dash():
    other = image("c/d:2", PullEnd.WRONG_PLATFORM, "", ())
    assert render(judge(demand("c/d:2"), host(other)).seen) == "c/d:2: -"


@pytest.mark.parametrize("end", [e for e in PullEnd if e not in {PullEnd.GRANTED, PullEnd.WRONG_PLATFORM}])
def test_what_could_not_be_read_is_unknown(end):
    verdict = judge(demand("a/b:1", "c/d:2"), host(image(), image("c/d:2", end, "", ())))
    assert verdict.outcome is Outcome.UNKNOWN and render(verdict.because) and render(verdict.fix)
    assert render(verdict.seen) == "1 of 2 images for linux/amd64"


def test_another_processor_decides_before_what_could_not_be_read():
    images = (image("a/b:1", PullEnd.DENIED, ""), image("c/d:2", PullEnd.WRONG_PLATFORM, ""))
    assert judge(demand("a/b:1", "c/d:2"), host(*images)).outcome is Outcome.UNMET


def test_an_image_without_a_platform_is_no_pass():
    assert judge(demand(), host(image(platform=""))).outcome is Outcome.UNKNOWN


def test_an_answer_about_fewer_images_is_no_pass():
    verdict = judge(demand("a/b:1", "c/d:2"), host(image()))
    assert verdict.outcome is Outcome.UNKNOWN and "Not every image" in render(verdict.because)


def way(host, code):
    return Trace(host, 443, Route(None, ""), (), "", (StageSeen(Stage.CONNECT, 0.1, code),))


def test_a_data_host_that_is_blocked_is_named():
    stuck = PullSeen("a/b:1", PullEnd.UNREACHABLE, at="data.example", trace=way("data.example", Code.TCP_TIMEOUT))
    shown = ManifestSeen(stuck, blobs=(BlobSeen("sha256:" + "0" * 64, 1),))
    verdict = judge(demand(), host(shown))
    assert (verdict.outcome, verdict.cause.kind, verdict.cause.subject) == (
        Outcome.UNKNOWN,
        "tcp.timeout",
        "data.example:443",
    )
    assert "The login works, but the pull hangs at data.example" in render(verdict.because)
    open_to_all = replace(shown, pull=replace(stuck, anonymous=True))
    words = render(judge(demand(), host(open_to_all)).because)
    assert f"{R} shows a/b:1, but the pull hangs at data.example" in words and "login works" not in words


def test_a_token_service_that_is_blocked_is_no_data_host():
    stuck = PullSeen("a/b:1", PullEnd.UNREACHABLE, at="t.example", trace=way("t.example", Code.TCP_TIMEOUT))
    verdict = judge(demand(token_hosts=["t.example"]), host(ManifestSeen(stuck)))
    assert verdict.cause.subject == "t.example:443" and "hangs" not in render(verdict.because)


def test_a_registry_that_is_blocked_is_not_called_a_data_host():
    stuck = PullSeen("a/b:1", PullEnd.UNREACHABLE, at=R, trace=way(R, Code.TCP_TIMEOUT))
    verdict = judge(demand(), host(ManifestSeen(stuck)))
    assert verdict.cause.kind == "tcp.timeout" and "hangs" not in render(verdict.because)


def test_no_login():
    verdict = judge(demand(), host(image(end=PullEnd.NO_CREDENTIAL, platform=""), credential=NONE))
    assert verdict.cause.kind == "registry.no_login"


def test_another_platform_may_be_wanted():
    wanted = demand(architecture="arm64", token_hosts=["t.example"])
    assert wanted.queries(Evidence())[0].architecture == "arm64"
    assert "linux/arm64" in render(wanted.wanted()) and "this host" in render(demand().wanted())
    assert "t.example" in render(wanted.then())
    assert "counts as a pull" in render(wanted.queries(Evidence())[0].asks())


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    query = demand().queries(Evidence())[0]
    with pytest.raises(NotSeen):
        demand().judge(Evidence([Observation(query, Unseen(reason))]))


def test_a_platform_that_was_read_grants_no_image():
    verdict = judge(demand("a/b:1", "c/d:2"), host(image(), image("c/d:2", PullEnd.DENIED, status=403)))
    assert verdict.outcome is not Outcome.MET and "1 of 2" in render(verdict.seen)
