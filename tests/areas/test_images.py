"""Logins, rights to pull and throughput: (demand, fact) -> verdict, and once through with a real registry."""

from __future__ import annotations

import json
from base64 import b64encode
from types import SimpleNamespace

import pytest
import trustme
from pydantic import ValidationError

from areas.asking import ask, judge
from areas.registry_server import IDENTITY, PASSWORD, TOKEN, USER, running
from conftest import FakePort, fake_host, header
from vorflug.areas.images import (
    CredentialsRequirement,
    DownloadFact,
    ImageRequirement,
    PullFact,
    ThroughputRequirement,
)
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.host.live.registry import LiveRegistry
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.registry_content import ContentFact
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Route, Stage, StageSeen, Trace
from vorflug.ports.registry import (
    CredentialSeen,
    CredentialSource,
    CredentialState,
    DownloadSeen,
    ImagesSeen,
    ManifestSeen,
    PullEnd,
    PullRights,
    PullSeen,
    RateSeen,
    ReadEnd,
)

R = "r.example"
LOGIN = CredentialSeen(CredentialState.USABLE, CredentialSource.AUTHS, "/root/.docker/config.json")
NONE = CredentialSeen(CredentialState.MISSING, CredentialSource.NONE, "/root/.docker/config.json")


def credentials(**fields):
    return CredentialsRequirement.model_validate(header(**{"registry": R} | fields))


def images(*names, **fields):
    return ImageRequirement.model_validate(header(**{"registry": R, "images": list(names or ("a/b:1",))} | fields))


def throughput(**fields):
    demand = {"registry": R, "image": "a/b:1", "at_least": "10 Mbit/s", "read": "16 MiB"}
    return ThroughputRequirement.model_validate(header(**demand | fields))


def trace(code=None, host=R):
    return Trace(host, 443, Route(None, ""), (), "192.0.2.1:443", (StageSeen(Stage.CONNECT, 0.1, code),))


def host(*seen, credential=LOGIN):
    return fake_host(registry=FakePort(credential=credential, pull_rights=PullRights(credential, seen)))


@pytest.mark.parametrize("state", list(CredentialState))
def test_logins(no_io, state):
    seen = CredentialSeen(state, CredentialSource.HELPER, "/x/config.json", "docker-credential-pass")
    evidence = ask(credentials(), fake_host(registry=FakePort(credential=seen)))
    with no_io():
        verdict = credentials().judge(evidence)
        about = credentials().about(evidence)
    usable = state is CredentialState.USABLE
    assert verdict.outcome is (Outcome.MET if usable else Outcome.UNMET)
    assert (about is None) == usable and about == verdict.cause
    assert usable or f"docker login {R}" in render(verdict.fix)
    assert render(verdict.seen) != render(verdict.because)
    words = {
        CredentialState.NO_HELPER: "Install docker-credential-pass, or take it out of /x/config.json",
        CredentialState.HELPER_FAILED: "docker-credential-pass list",
        CredentialState.BAD_FILE: "Repair the JSON in /x/config.json",
    }
    assert usable or words.get(state, "Ask the vendor") in render(verdict.fix)


def test_docker_hub_wants_a_login_without_a_host_and_a_broken_file_names_its_line():
    hub = credentials(registry="registry-1.docker.io")
    assert render(judge(hub, fake_host(registry=FakePort(credential=NONE))).fix).endswith(": docker login")
    broken = CredentialSeen(CredentialState.BAD_FILE, CredentialSource.NONE, "/x/config.json", line=3)
    assert "(line 3)" in render(judge(hub, fake_host(registry=FakePort(credential=broken))).because)


@pytest.mark.parametrize("end", list(PullEnd))
def test_every_end_of_a_pull(end):
    granted = PullSeen("a/b:1", PullEnd.GRANTED, 200, "sha256:x", R)
    digest = "sha256:y" if end is PullEnd.GRANTED else ""
    seen = PullSeen("c/d:2", end, 418, digest, "auth.example")
    verdict = judge(images("a/b:1", "c/d:2"), host(granted, seen))
    match end:
        case PullEnd.GRANTED:
            assert verdict.outcome is Outcome.MET
        case PullEnd.UNREACHABLE | PullEnd.RATE_LIMITED | PullEnd.SPARED | PullEnd.UNPROVED:
            assert verdict.outcome is Outcome.UNKNOWN
        case _:
            assert verdict.outcome is Outcome.UNMET
    if verdict.outcome is not Outcome.MET:
        assert render(verdict.because) and render(verdict.fix)
        assert render(verdict.seen) == "1 of 2 images"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (LOGIN, "/root/.docker/config.json (auths)"),
        (
            CredentialSeen(CredentialState.USABLE, CredentialSource.STORE, "/x", "docker-credential-pass"),
            "/x (docker-credential-pass)",
        ),
        (NONE, "no entry in /root/.docker/config.json"),
    ],
)
def test_where_a_login_lies_is_what_was_seen(seen, words):
    assert render(judge(credentials(), fake_host(registry=FakePort(credential=seen))).seen) == words


def test_a_digest_beside_another_end_is_no_right():
    seen = PullSeen("a/b:1", PullEnd.DENIED, 403, "sha256:x", R)
    assert judge(images(), host(seen)).outcome is Outcome.UNMET


def test_an_image_that_was_refused_counts_even_where_enough_others_were_granted():
    granted, refused = (PullSeen(f"{e}:1", e, 200, "sha256:x", R) for e in (PullEnd.GRANTED, PullEnd.DENIED))
    assert judge(images("a/b:1"), host(granted, refused)).outcome is Outcome.UNMET


RATES = [
    (RateSeen(100, 76, 21600), "1 of 1 images; 76 of 100 pulls left in 6 h"),
    (RateSeen(100, 0), "1 of 1 images; 0 of 100 pulls left"),
    (RateSeen(None, 5), "1 of 1 images; 5 pulls left"),
    (RateSeen(100, None, 21600), "1 of 1 images"),
    (RateSeen(retry_after="30"), "1 of 1 images"),
]


@pytest.mark.parametrize(("rate", "seen"), RATES)
def test_what_may_still_be_pulled_is_shown(rate, seen):
    granted = PullSeen("a/b:1", PullEnd.GRANTED, 200, "sha256:x", R, rate=rate)
    verdict = judge(images(), host(granted))
    assert verdict.outcome is Outcome.MET and render(verdict.seen) == seen


@pytest.mark.parametrize(("rate", "words"), [(RateSeen(retry_after="30"), "Retry-After: 30"), (None, "(HTTP 429)")])
def test_too_many_requests_say_nothing_about_the_right_to_pull(rate, words):
    verdict = judge(images(), host(PullSeen("a/b:1", PullEnd.RATE_LIMITED, 429, at=R, rate=rate)))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "registry.rate_limited")
    assert words in render(verdict.because) and f"docker login {R}" in render(verdict.fix)


def test_every_image_that_is_kept_back_is_named():
    seen = [PullSeen(f"a/b:{n}", end, 404, at=R) for n, end in enumerate((PullEnd.MISSING, PullEnd.DENIED))]
    verdict = judge(images("a/b:0", "a/b:1"), host(*seen))
    assert "knows no a/b:0" in render(verdict.because) and "a/b:1" in render(verdict.because)


def test_what_the_registry_said_decides_before_what_it_could_not_be_asked():
    seen = (unreachable(Code.TCP_TIMEOUT), PullSeen("c/d:1", PullEnd.MISSING, 404, at=R))
    verdict = judge(images("a/b:1", "c/d:1"), host(*seen))
    assert verdict.outcome is Outcome.UNMET and "knows no c/d:1" in render(verdict.because)
    assert "a/b:1" not in render(verdict.because)


def test_what_was_left_out_after_a_refusal_is_not_told_of_each():
    seen = [PullSeen("a/b:1", PullEnd.REFUSED, 401, at=R), *(PullSeen(f"c/d:{n}", PullEnd.NOT_TRIED) for n in range(3))]
    verdict = judge(images("a/b:1", "c/d:0", "c/d:1", "c/d:2"), host(*seen))
    assert verdict.cause.kind == "registry.login_refused" and "c/d" not in render(verdict.because)


@pytest.mark.parametrize("fact", ["pull", "download", "content"])
def test_a_fact_comes_back_from_a_file_as_it_was(fact):
    way = trace(Code.TCP_TIMEOUT, "data.example")
    gone = PullSeen("a/b:1", PullEnd.UNREACHABLE, at=R, trace=way, rate=RateSeen(100, 7, 21600, "30"))
    whole = {
        "pull": PullFact(rights=PullRights(LOGIN, (gone,))),
        "download": DownloadFact(download=DownloadSeen(gone, None, "data.example", True, trace=way)),
        "content": ContentFact(content=ImagesSeen(LOGIN, "linux/amd64", (ManifestSeen(gone, "", ("linux/arm64",)),))),
    }[fact]
    assert type(whole).model_validate_json(whole.model_dump_json()) == whole


def test_a_manifest_without_a_digest_is_no_right():
    assert judge(images(), host(PullSeen("a/b:1", PullEnd.GRANTED, 200, "", R))).outcome is Outcome.UNMET


def test_an_answer_about_fewer_images_is_no_pass():
    seen = PullSeen("a/b:1", PullEnd.GRANTED, 200, "sha256:x", R)
    assert judge(images("a/b:1", "c/d:2"), host(seen)).outcome is Outcome.UNKNOWN
    assert judge(images("a/b:1"), host()).outcome is Outcome.UNKNOWN


def test_no_login_is_the_cause_that_the_login_s_requirement_is_about():
    seen = PullSeen("a/b:1", PullEnd.NO_CREDENTIAL, 401, "", R)
    there = host(seen, credential=NONE)
    assert judge(images(), there).cause == credentials().about(ask(credentials(), there)) is not None


def test_no_way_there_has_the_layer_as_its_cause():
    verdict = judge(images(), host(unreachable(Code.TCP_REFUSED)))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "tcp.refused")
    # a token service has a way of its own
    verdict = judge(images(), host(unreachable(Code.TCP_REFUSED, "t.example")))
    assert (verdict.cause.kind, verdict.cause.subject) == ("tcp.refused", "t.example:443")
    # and where the layer is not known, it is not made up
    verdict = judge(images(), host(PullSeen("a/b:1", PullEnd.UNREACHABLE, at=R)))
    assert (verdict.outcome, verdict.cause) == (Outcome.UNKNOWN, None)


def unreachable(code, at=R):
    return PullSeen("a/b:1", PullEnd.UNREACHABLE, at=at, trace=trace(code, at))


@pytest.mark.parametrize(
    ("status", "count", "took", "outcome", "says"),
    [
        (206, 16 << 20, 1.0, Outcome.MET, "134.2 Mbit/s"),
        (200, 16 << 20, 1.0, Outcome.MET, "134.2 Mbit/s"),
        (206, 1_250_000, 1.0, Outcome.MET, "10 Mbit/s"),
        (206, 1_249_999, 1.0, Outcome.UNMET, "10 Mbit/s wanted"),
        (206, 0, 1.0, Outcome.UNKNOWN, "empty"),
        (206, 1 << 20, 0.0, Outcome.UNKNOWN, ""),  # no time, no rate
        (403, 0, 0.1, Outcome.UNMET, "403"),
        (None, 0, 0.1, Outcome.UNMET, "no answer"),
    ],
)
def test_throughput(status, count, took, outcome, says):
    done = DownloadSeen(
        PullSeen("a/b:1", PullEnd.GRANTED, 200, "sha256:x", R), status, "data.example:443", True, count, took
    )
    verdict = judge(throughput(), measuring(done))
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert outcome is not Outcome.UNMET or "data.example" in render(verdict.fix)
    answer = {403: "HTTP 403 from data.example:443", None: "no answer from data.example:443"}
    assert status not in answer or render(verdict.seen) == answer[status]
    assert ("The login works, but the pull hangs at data.example:443" in render(verdict.because)) == (status is None)


def measuring(done, credential=LOGIN):
    return fake_host(registry=FakePort(download=done, credential=credential))


GRANTED = PullSeen("a/b:1", PullEnd.GRANTED, 200, "sha256:x", R)


def test_a_data_host_that_is_blocked_after_a_login_that_works_is_named_with_its_layer():
    way = trace(Code.TCP_TIMEOUT, "data.example")
    verdict = judge(throughput(), measuring(DownloadSeen(GRANTED, None, "data.example", True, trace=way)))
    assert verdict.outcome is Outcome.UNMET
    assert (verdict.cause.kind, verdict.cause.subject) == ("tcp.timeout", "data.example:443")
    assert "The login works, but the pull hangs at data.example" in render(verdict.because)
    assert "did not answer the connection attempt" in render(verdict.because)
    assert "data.example:443" in render(verdict.fix)


def test_a_data_host_with_a_limit_of_its_own():
    done = DownloadSeen(GRANTED, 429, "data.example", True, rate=RateSeen(retry_after="7"))
    verdict = judge(throughput(), measuring(done))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNMET, "registry.rate_limited")
    assert "Retry-After: 7" in render(verdict.because)


def test_a_layer_that_breaks_off_is_not_fast_however_fast_it_began():
    done = DownloadSeen(GRANTED, 206, "data.example", True, 8 << 20, 0.1, ended=ReadEnd.CUT)
    verdict = judge(throughput(), measuring(done))
    assert verdict.outcome is Outcome.UNMET and "8 MiB" in render(verdict.seen)
    assert "nothing more came from data.example" in render(verdict.because)


@pytest.mark.parametrize(("seconds", "outcome"), [(6.0, Outcome.MET), (60.0, Outcome.UNMET)])
def test_where_time_is_over_what_came_gives_the_rate(seconds, outcome):
    done = DownloadSeen(GRANTED, 206, "data.example", True, 8 << 20, seconds, ended=ReadEnd.TIME)
    assert judge(throughput(), measuring(done)).outcome is outcome


def test_a_redirect_that_is_not_followed():
    done = DownloadSeen(GRANTED, 307, "169.254.169.254", True, ended=ReadEnd.REFUSED)
    verdict = judge(throughput(), measuring(done))
    assert verdict.outcome is Outcome.UNMET and "leads on to 169.254.169.254" in render(verdict.because)


@pytest.mark.parametrize("end", [end for end in PullEnd if end is not PullEnd.GRANTED])
def test_nothing_is_measured_without_the_right_to_pull(end):
    there = measuring(DownloadSeen(PullSeen("a/b:1", end, 403)))
    verdict = judge(throughput(), there)
    assert verdict.outcome is Outcome.UNKNOWN and "could not be pulled. " in render(verdict.because)
    assert throughput().queries(Evidence())[0].exclusive


def test_a_measurement_has_the_cause_of_the_pull():
    """A name that does not resolve is no lack of rights, and one root stands behind both findings."""
    gone = unreachable(Code.DNS_NXDOMAIN)
    measured = judge(throughput(), measuring(DownloadSeen(gone)))
    assert measured.cause == judge(images(), host(gone)).cause
    assert measured.cause.kind == "dns.nxdomain" and "does not exist" in render(measured.because)
    no_login = PullSeen("a/b:1", PullEnd.NO_CREDENTIAL, 401, "", R)
    there = measuring(DownloadSeen(no_login), credential=NONE)
    assert judge(throughput(), there).cause == credentials().about(ask(credentials(), there)) is not None


def test_the_plan_names_every_contact():
    for wanted in (images(token_hosts=["t.example"]), throughput(token_hosts=["t.example"])):
        assert "t.example" in render(wanted.then())
    assert "layers" in render(throughput().then())


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    for wanted in (credentials(), images(), throughput()):
        query = wanted.queries(Evidence())[0]
        with pytest.raises(NotSeen):
            wanted.judge(Evidence([Observation(query, Unseen(reason))]))


@pytest.mark.parametrize("name", ["https://r/x", "A/b:1", "a b", "a/b:", "a/b@sha256:12", "a/b?x=1", ""])
def test_a_name_that_is_no_image(name):
    with pytest.raises(ValidationError):
        images(name)


def test_a_login_leaves_no_trace(tmp_path, monkeypatch):
    """From docker's configuration through a real registry: no fact and no sentence holds a secret."""
    ca = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "localhost")
    packed = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with running(ca) as server:
        server.add("team/app", "1", 200_000)
        server.add("team/secret", "1", 200_000)
        server.denied = {"team/secret"}
        entry = {"auth": packed, "identitytoken": ""}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {server.place: entry}}))
        real = SimpleNamespace(registry=LiveRegistry(Patience(9)), net=LiveNet(Patience(9), environ={}))
        place = {"registry": server.place, "ca_file": str(tmp_path / "ca.pem")}
        wanted = [
            (credentials(**place), Outcome.MET),
            (images("team/app:1", **place), Outcome.MET),
            (images("team/app:1", "team/secret:1", **place), Outcome.UNMET),
            (throughput(image="team/app:1", read="100 kB", at_least="1 kbit/s", **place), Outcome.MET),
        ]
        for requirement, outcome in wanted:
            evidence = ask(requirement, real)
            verdict = requirement.judge(evidence)
            assert verdict.outcome is outcome, render(verdict.because)
            facts = [
                r.fact.model_dump_json()
                for q in requirement.queries(evidence)
                if isinstance(r := evidence.result(q), Seen)
            ]
            assert facts
            told = "".join(facts) + repr(verdict) + repr(evidence.__dict__)
            assert not any(secret in told for secret in (PASSWORD, IDENTITY, TOKEN, packed))
        assert server.sent(PASSWORD) > 0


def test_what_the_registry_said_last_about_its_limits_is_shown_though_it_did_not_say_so_last():
    seen = [
        PullSeen(f"a/b:{n}", PullEnd.GRANTED, 200, "sha256:x", R, rate=RateSeen(100, 76) if n < 2 else None)
        for n in range(3)
    ]
    verdict = judge(images("a/b:0", "a/b:1", "a/b:2"), host(*seen))
    assert render(verdict.seen) == "3 of 3 images; 76 of 100 pulls left"


def test_what_was_not_tried_is_told_before_what_could_not_be_asked():
    left_out = PullSeen("c/d:1", PullEnd.NOT_TRIED, at=R)
    verdict = judge(images("a/b:1", "c/d:1"), host(unreachable(Code.TCP_TIMEOUT), left_out))
    alone = judge(images("c/d:1"), host(left_out))
    assert (verdict.because, verdict.fix, verdict.cause) == (alone.because, alone.fix, alone.cause)


@pytest.mark.parametrize(
    ("at", "endpoint"), [("data.example", "data.example:443"), ("data.example:444", "data.example:444")]
)
def test_the_data_host_to_be_allowed_is_named_with_its_port(at, endpoint):
    verdict = judge(throughput(), measuring(DownloadSeen(GRANTED, 403, at, True)))
    assert render(verdict.fix).startswith(f"Allow {endpoint} from this host")
