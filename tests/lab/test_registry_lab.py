"""A real docker-registry with token authentication, behind a real squid, with a data host of its own.

Each fault is first shown by curl, so that no injector is believed unseen.
"""

from __future__ import annotations

import os
import platform
import subprocess
from types import SimpleNamespace

import pytest

from areas.asking import judge
from conftest import header
from lab import registry_lab
from lab.registry_lab import PASSWORD, USER
from vorflug.areas.image_platform import PlatformRequirement
from vorflug.areas.images import ImageRequirement, ThroughputRequirement
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.host.live.registry import LiveRegistry
from vorflug.model.message import render
from vorflug.model.requirement import Outcome
from vorflug.netprobe.limits import Limits
from vorflug.netprobe.login import Logins
from vorflug.ports.net import Code
from vorflug.ports.registry import PullEnd, ReadEnd, RegistryAsk

pytestmark = pytest.mark.tier("image-registry")

SHORT = Limits(connect=3.0, proxy=3.0, handshake=1.0, http=3.0)
"""Only the silent data host is waited for."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with registry_lab.running(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def by(lab, monkeypatch):
    """Ask by one of the proxies, with the login of the lab's docker configuration."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)

    def ask(proxy, *, docker=None):
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.setenv("DOCKER_CONFIG", docker or lab.docker_config)
        patience = Patience(20)
        return LiveRegistry(patience, ("/nonexistent",), logins=Logins(), net=LiveNet(patience, limits=SHORT))

    return ask


@pytest.fixture
def to(lab):
    def ask(registry, *, trusted=True):
        return RegistryAsk(registry, (lab.token.place,), ca_file=lab.ca_file if trusted else None)

    return ask


def curl(proxy, url, *options):
    """curl's exit status and the HTTP status."""
    argv = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-m", "5", "--proxy", proxy, *options, url]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    return done.returncode, done.stdout


def token(lab, image):
    scope = f"https://{lab.token.place}/token?service={registry_lab.SERVICE}&scope=repository:{image}:pull"
    argv = ["curl", "-s", "--proxy", lab.open_proxy, "--cacert", lab.ca_file, "-u", f"{USER}:{PASSWORD}", scope]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    return done.stdout.partition('"token": "')[2].partition('"')[0]


def manifest(lab, image, tag):
    url = f"https://{lab.registry}/v2/{image}/manifests/{tag}"
    accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    header = ["-H", f"Authorization: Bearer {token(lab, image)}", "-H", f"Accept: {accept}", "-I"]
    return curl(lab.open_proxy, url, "--cacert", lab.ca_file, *header)


def only(seen):
    (one,) = seen.images
    return one


def test_an_image_is_there_with_size_and_platform(lab, by, to):
    assert manifest(lab, "team/app", "1.0") == (0, "200")
    assert only(by(lab.open_proxy).pull_rights(to(lab.registry), ("team/app:1.0",))).end is PullEnd.GRANTED
    seen = by(lab.open_proxy).manifests(to(lab.registry), ("team/app:1.0", "team/alone:1.0"))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    app, alone = seen.images
    assert (seen.wanted, app.platform, alone.platform) == (f"linux/{machine}",) * 3
    assert len(app.offered) == 2 and f"linux/{machine}" in app.offered
    assert sum(b.size for b in app.blobs) > 3 << 20
    shared = {b.digest for b in app.blobs} & {b.digest for b in alone.blobs}
    assert len(shared) == 2  # the configuration, and the small layer that both have


def test_a_layer_comes_from_the_data_host_which_sees_no_credential(lab, by, to):
    before = len(lab.data.log)
    seen = by(lab.open_proxy).download(to(lab.registry), "team/app:1.0", 16 << 20)
    assert (seen.status, seen.data_host, seen.redirected, seen.ended) == (206, lab.data.place, True, ReadEnd.COMPLETE)
    assert seen.read_bytes == 3 << 20 and 0 < seen.took_s < 10
    assert len(lab.data.log) > before and lab.data.credentials() == []
    # the token service got the login, as it must
    assert any(value.startswith("Basic ") for value in lab.token.credentials())


def test_a_tag_that_is_missing(lab, by, to):
    assert manifest(lab, "team/app", "9.9") == (0, "404")
    seen = only(by(lab.open_proxy).pull_rights(to(lab.registry), ("team/app:9.9",)))
    assert (seen.end, seen.status) == (PullEnd.MISSING, 404)


def test_a_token_that_was_given_proves_no_right(lab, by, to):
    assert token(lab, "team/closed") and manifest(lab, "team/closed", "1.0") == (0, "401")
    seen = only(by(lab.open_proxy).pull_rights(to(lab.registry), ("team/closed:1.0",)))
    assert (seen.end, seen.status, seen.anonymous) == (PullEnd.DENIED, 401, False)


def test_without_a_login_the_token_is_good_for_nothing(lab, by, to, tmp_path):
    seen = only(by(lab.open_proxy, docker=str(tmp_path)).pull_rights(to(lab.registry), ("team/app:1.0",)))
    assert (seen.end, seen.status) == (PullEnd.NO_CREDENTIAL, 401)


@pytest.mark.parametrize("image", ["team/other:1.0", "team/other-alone:1.0"])
def test_an_image_for_another_architecture(lab, by, to, image):
    seen = only(by(lab.open_proxy).manifests(to(lab.registry), (image,)))
    assert seen.pull.end is PullEnd.WRONG_PLATFORM and seen.platform == ""
    assert seen.offered in {("linux/s390x",), ("linux/amd64",)}
    # and it may be pulled all the same
    assert only(by(lab.open_proxy).pull_rights(to(lab.registry), (image,))).end is PullEnd.GRANTED


def test_a_data_host_that_the_proxy_refuses(lab, by, to):
    assert curl(lab.strict_proxy, f"https://{lab.data.place}/")[0] == 56
    assert curl(lab.strict_proxy, f"https://{lab.registry}/v2/", "--cacert", lab.ca_file) == (0, "401")
    before = len(lab.data.log)
    seen = by(lab.strict_proxy).download(to(lab.registry), "team/app:1.0", 1 << 20)
    assert seen.pull.end is PullEnd.GRANTED  # the login works
    assert (seen.data_host, seen.code, seen.read_bytes) == (lab.data.place, Code.PROXY_DENIED, 0)
    assert len(lab.data.log) == before


def test_a_data_host_that_says_nothing(lab, by, to):
    assert curl(lab.open_proxy, f"https://{lab.hanging_data}/", "-m", "1")[0] == 28
    seen = by(lab.open_proxy).download(to(lab.hanging), "team/app:1.0", 1 << 20)
    assert (seen.pull.end, seen.data_host, seen.read_bytes) == (PullEnd.GRANTED, lab.hanging_data, 0)
    assert seen.code in {Code.TLS_STALL, Code.PROXY_TUNNEL_STALL}


def test_a_certificate_that_nobody_trusts(lab, by, to):
    assert curl(lab.open_proxy, f"https://{lab.registry}/v2/")[0] == 60
    before = len(lab.token.log)
    seen = only(by(lab.open_proxy).pull_rights(to(lab.registry, trusted=False), ("team/app:1.0",)))
    assert (seen.end, seen.at, seen.code) == (PullEnd.UNREACHABLE, lab.registry, Code.TLS_UNKNOWN_CA)
    assert len(lab.token.log) == before


def test_a_token_service_that_nobody_named_gets_nothing(lab, by):
    before = len(lab.token.log)
    ask = RegistryAsk(lab.registry, ca_file=lab.ca_file)
    seen = only(by(lab.open_proxy).pull_rights(ask, ("team/app:1.0",)))
    assert (seen.end, seen.at, len(lab.token.log)) == (PullEnd.REALM_FOREIGN, lab.token.place, before)


# ---- the verdicts ----------------------------------------------------------------------------------------------------


@pytest.fixture
def verdict(lab, by):
    """What a requirement says of the lab."""

    def decide(kind, *, proxy=None, registry=None, trusted=True, **fields):
        whole = {
            "registry": registry or lab.registry,
            "token_hosts": [lab.token.place],
            "ca_file": lab.ca_file if trusted else None,
        }
        port = by(proxy or lab.open_proxy)
        return judge(kind.model_validate(header(**whole | fields)), SimpleNamespace(registry=port))

    return decide


SPEED = {"image": "team/app:1.0", "at_least": "1 kbit/s", "read": "16 MiB"}


@pytest.mark.parametrize(
    ("kind", "fields", "outcome", "says"),
    [
        (ImageRequirement, {"images": ["team/app:1.0", "team/alone:1.0"]}, Outcome.MET, "every image"),
        (ImageRequirement, {"images": ["team/app:1.0", "team/app:9.9"]}, Outcome.UNMET, "knows no team/app:9.9"),
        (ImageRequirement, {"images": ["team/closed:1.0"]}, Outcome.UNMET, "denies this login team/closed:1.0"),
        (PlatformRequirement, {"images": ["team/app:1.0", "team/alone:1.0"]}, Outcome.MET, "every image for linux/"),
        (PlatformRequirement, {"images": ["team/other:1.0"]}, Outcome.UNMET, "team/other:1.0 is not there for linux/"),
        (PlatformRequirement, {"images": ["team/other-alone:1.0"]}, Outcome.UNMET, "is not there for linux/"),
        (ThroughputRequirement, SPEED, Outcome.MET, "Layers come at"),
    ],
)
def test_each_is_named_rightly(verdict, kind, fields, outcome, says):
    found = verdict(kind, **fields)
    assert found.outcome is outcome and says in render(found.because)
    assert PASSWORD not in repr(found)


def test_login_works_and_the_pull_hangs(lab, verdict):
    refused = verdict(ThroughputRequirement, proxy=lab.strict_proxy, **SPEED)
    silent = verdict(ThroughputRequirement, registry=lab.hanging, **SPEED)
    for found, host in ((refused, lab.data.place), (silent, lab.hanging_data)):
        assert found.outcome is Outcome.UNMET
        assert f"The login works, but the pull hangs at {host}" in render(found.because)
        assert host in render(found.fix)
    assert refused.cause.kind == "proxy.denied" and host in render(silent.because)
    # the platform of an image without an index stands in a blob, which is there, too
    stuck = verdict(PlatformRequirement, proxy=lab.strict_proxy, images=["team/alone:1.0"])
    assert (stuck.outcome, stuck.cause.kind) == (Outcome.UNKNOWN, "proxy.denied")
    assert lab.data.place in render(stuck.because)


def test_an_untrusted_certificate_is_no_missing_image(verdict):
    found = verdict(ImageRequirement, trusted=False, images=["team/app:1.0"])
    assert (found.outcome, found.cause.kind) == (Outcome.UNKNOWN, "tls.unknown_ca")
