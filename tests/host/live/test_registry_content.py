"""What images consist of, for which platform, and how the reading of a layer ends, against a registry over TLS."""

from __future__ import annotations

import gzip
import json
import threading

import pytest

from areas.registry_server import PASSWORD, digest
from host.registry_parts import ask, only, packed, port, schemes
from vorflug.netprobe.login import Logins
from vorflug.ports.net import Code
from vorflug.ports.registry import PullEnd, RateSeen, ReadEnd

pytestmark = pytest.mark.usefixtures("docker")


@pytest.fixture
def login(docker, registry):
    docker({"auths": {registry.place: packed()}})


def content(registry, ca_file, *images, architecture="amd64", **fields):
    return port().manifests(ask(registry, ca_file, **fields), images or ("team/app:1.0",), architecture)


def entry(name, architecture, variant="", **more):
    return {"digest": name, "platform": {"os": "linux", "architecture": architecture, "variant": variant}, **more}


@pytest.mark.usefixtures("login")
def test_an_index_leads_to_the_wanted_platform(registry, ca_file):
    ours, theirs = registry.keep("team/db", 5000, "amd64"), registry.keep("team/db", 7000, "arm64")
    proof = entry(digest(b"proof"), "unknown", annotations={"vnd.docker.reference.type": "attestation-manifest"})
    registry.index("team/db", "1", [proof, entry(theirs, "arm64", "v8"), entry(ours, "amd64")])
    for wanted, size in (("amd64", 5000), ("arm64", 7000)):
        seen = only(content(registry, ca_file, "team/db:1", architecture=wanted))
        assert (seen.pull.end, seen.platform) == (PullEnd.GRANTED, f"linux/{wanted}")
        assert seen.offered == ("linux/arm64", "linux/amd64")
        assert size in {b.size for b in seen.blobs} and len(seen.blobs) == 3
    assert not any("/blobs/" in path for _, path, _ in schemes(registry))


@pytest.mark.usefixtures("login")
def test_by_default_this_machine_s_platform_is_wanted(registry, ca_file):
    seen = port().manifests(ask(registry, ca_file), ("team/app:1.0",))
    assert only(seen).pull.end is PullEnd.GRANTED and seen.wanted.startswith("linux/")


@pytest.mark.usefixtures("login")
def test_an_index_without_the_platform(registry, ca_file):
    registry.index("team/db", "1", [entry(registry.keep("team/db", 10, "s390x"), "s390x")])
    seen = only(content(registry, ca_file, "team/db:1"))
    assert (seen.pull.end, seen.platform, seen.offered) == (PullEnd.WRONG_PLATFORM, "", ("linux/s390x",))


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    ("machine", "end", "platform"),
    [("amd64", PullEnd.GRANTED, "linux/amd64"), ("arm64", PullEnd.WRONG_PLATFORM, "")],
)
def test_without_an_index_the_configuration_names_the_platform(registry, other, ca_file, machine, end, platform):
    registry.keep("team/db", 5000, machine, tag="1")
    registry.data_place, other.blobs = other.place, registry.blobs
    seen = only(content(registry, ca_file, "team/db:1"))
    assert (seen.pull.end, seen.platform, seen.offered) == (end, platform, (f"linux/{machine}",))
    assert {method: scheme for method, _, scheme in schemes(other)} == {"HEAD": "none", "GET": "none"}


@pytest.mark.usefixtures("login")
def test_a_data_host_that_is_closed_is_named_with_its_layer_and_sizes_stay_known(registry, ca_file):
    registry.keep("team/db", 5000, "amd64", tag="1")
    registry.data_place = "localhost:1"
    seen = only(content(registry, ca_file, "team/db:1"))
    assert (seen.pull.end, seen.pull.at, seen.pull.code) == (PullEnd.UNREACHABLE, "localhost:1", Code.TCP_REFUSED)
    assert 5000 in {b.size for b in seen.blobs}


@pytest.mark.usefixtures("login")
def test_a_configuration_that_is_another_one_proves_nothing(registry, ca_file):
    registry.keep("team/db", 5000, "amd64", tag="1")
    registry.blobs = dict.fromkeys(registry.blobs, json.dumps({"os": "linux", "architecture": "amd64"}).encode() + b" ")
    assert only(content(registry, ca_file, "team/db:1")).pull.end is PullEnd.NO_MANIFEST


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (404, b"", PullEnd.STATUS),
        (200, b"<html>", PullEnd.NO_MANIFEST),
        (200, b"[]", PullEnd.NO_MANIFEST),
        (200, b'{"os": "linux"}', PullEnd.NO_MANIFEST),
    ],
)
def test_a_configuration_that_cannot_be_read(registry, ca_file, status, body, end):
    whole = {"config": {"digest": digest(body), "size": len(body)}, "layers": []}
    registry.images["team/db:1"] = json.dumps(whole).encode()
    registry.pages[f"/v2/team/db/blobs/{digest(body)}"] = (status, {}, body)
    seen = only(content(registry, ca_file, "team/db:1"))
    assert (seen.pull.end, seen.platform) == (end, "")


@pytest.mark.usefixtures("login")
def test_a_manifest_that_is_another_one_proves_nothing(registry, ca_file):
    mine, strange = registry.keep("team/db", 10, "amd64"), registry.keep("team/db", 20, "amd64")
    registry.images[f"team/db@{mine}"] = registry.images[f"team/db@{strange}"]
    registry.index("team/db", "1", [entry(mine, "amd64")])
    assert only(content(registry, ca_file, "team/db:1")).pull.end is PullEnd.NO_MANIFEST


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"[" * 100_000,
        b'{"manifests": [{"digest": "sha256:12"}]}',
        b'{"layers": []}',
        b'{"layers": [], "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": -1}}',
        b'{"layers": [], "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": true}}',
        gzip.compress(b'{"manifests": []}', mtime=0),
        b'{"manifests": [], "x": "' + b"x" * (4 << 20) + b'"}',
    ],
)
def test_what_is_no_manifest(registry, ca_file, body):
    registry.images["team/app:1.0"] = body
    assert only(content(registry, ca_file)).pull.end is PullEnd.NO_MANIFEST
    assert port().download(ask(registry, ca_file), "team/app:1.0", 10).pull.end is PullEnd.NO_MANIFEST


@pytest.mark.usefixtures("login")
def test_an_index_in_an_index_is_not_followed(registry, ca_file):
    inner = registry.index("team/db", "inner", [entry(registry.keep("team/db", 10, "amd64"), "amd64")])
    registry.images[f"team/db@{inner}"] = registry.images["team/db:inner"]
    registry.index("team/db", "1", [entry(inner, "amd64")])
    assert only(content(registry, ca_file, "team/db:1")).pull.end is PullEnd.NO_MANIFEST


@pytest.mark.usefixtures("login")
def test_an_image_without_layers_cannot_be_measured(registry, ca_file):
    config = b"{}"
    whole = {"config": {"digest": digest(config), "size": 2}, "layers": []}
    registry.images["team/app:1.0"] = json.dumps(whole).encode()
    assert port().download(ask(registry, ca_file), "team/app:1.0", 10).pull.end is PullEnd.NO_MANIFEST


@pytest.mark.usefixtures("login")
def test_an_image_by_its_digest(registry, ca_file):
    name = f"team/db:1@{registry.keep('team/db', 10, 'amd64')}"
    assert only(content(registry, ca_file, name)).pull.end is PullEnd.GRANTED


# ---- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        ({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600"}, RateSeen(100, 76, 21600)),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "0"}, RateSeen(100, 0)),
        ({"ratelimit-remaining": "x"}, None),
        ({"RateLimit-Limit": "9999999999999"}, RateSeen(999999999)),
        ({}, None),
    ],
)
def test_limits_are_shown(registry, ca_file, fields, rate):
    fields |= {"Docker-Content-Digest": digest(b"")}
    registry.pages["/v2/team/app/manifests/1.0"] = (200, fields, b"{}")
    seen = only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",)))
    assert (seen.end, seen.rate) == (PullEnd.GRANTED, rate)


@pytest.mark.parametrize("path", ["/v2/team/app/manifests/1.0", "/token"])
def test_too_many_requests(registry, ca_file, path):
    registry.pages[path] = (429, {"Retry-After": "17\x1b"}, b"toomanyrequests")
    seen = only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",)))
    assert (seen.end, seen.status, seen.at) == (PullEnd.RATE_LIMITED, 429, registry.place)
    assert seen.rate.retry_after == "17\\u001b"


def test_a_limit_of_the_data_host(registry, other, ca_file):
    registry.public, registry.data_place = {"team/app"}, other.place
    layer = max(registry.blobs, key=lambda name: len(registry.blobs[name]))
    other.pages[f"/data/{layer}"] = (429, {"Retry-After": "7"}, b"")
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 10)
    assert (seen.pull.end, seen.status, seen.data_host, seen.rate) == (
        PullEnd.GRANTED,
        429,
        other.place,
        RateSeen(retry_after="7"),
    )


@pytest.mark.parametrize(("left", "ends"), [(4, [PullEnd.GRANTED] * 2), (3, [PullEnd.GRANTED, PullEnd.SPARED])])
def test_the_last_pulls_are_left_to_the_installation(registry, ca_file, left, ends):
    registry.keep("team/db", 10, "amd64", tag="1")
    registry.public = {"team/db"}
    fields = {"RateLimit-Remaining": str(left), "Docker-Content-Digest": digest(b"")}
    registry.pages["/v2/team/db/manifests/1"] = (200, fields, registry.images["team/db:1"])
    seen = content(registry, ca_file, "team/db:1", "team/db:1")
    assert [i.pull.end for i in seen.images] == ends
    assert sum("/manifests/" in path for _, path, _ in registry.log) == ends.count(PullEnd.GRANTED)


# ---- layers ----------------------------------------------------------------------------------------------------------


def test_a_layer_that_breaks_off(registry, ca_file):
    registry.public = {"team/app"}
    layer = max(registry.blobs, key=lambda name: len(registry.blobs[name]))
    registry.pages[f"/v2/team/app/blobs/{layer}"] = (206, {"Content-Length": "300000"}, bytes(100_000))
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 16 << 20)
    assert (seen.status, seen.ended, seen.code) == (206, ReadEnd.CUT, None)
    assert 0 < seen.read_bytes <= 100_000


def test_where_time_is_over_what_came_is_told(registry, ca_file):
    registry.public = {"team/app"}
    seen = port(seconds=0.95).download(ask(registry, ca_file), "team/app:1.0", 16 << 20)
    assert (seen.status, seen.ended) == (206, ReadEnd.TIME)
    assert 0 < seen.read_bytes < 300_000


def test_a_small_layer_is_read_whole(registry, ca_file):
    registry.public = {"team/app"}
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 16 << 20)
    assert (seen.read_bytes, seen.ended) == (300_000, ReadEnd.COMPLETE)


# ---- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("login")
def test_a_token_service_that_refuses_one_image_does_not_refuse_the_login(registry, ca_file):
    """Azure's answers 401 where only the right to the image is missing."""
    registry.closed = {"team/closed"}
    registry.add("team/closed", "1", 10)
    seen = port().pull_rights(ask(registry, ca_file), ("team/closed:1", "team/app:1.0", "team/closed:1"))
    assert [i.end for i in seen.images] == [PullEnd.DENIED, PullEnd.GRANTED, PullEnd.DENIED]


@pytest.mark.usefixtures("login")
def test_a_registry_with_basic_that_refuses_one_image_does_not_refuse_the_login(registry, ca_file):
    registry.challenge, registry.denied = 'Basic realm="x"', {"team/closed"}
    seen = port().pull_rights(ask(registry, ca_file), ("team/closed:1", "team/app:1.0", "team/closed:1"))
    assert [i.end for i in seen.images] == [PullEnd.DENIED, PullEnd.GRANTED, PullEnd.DENIED]


@pytest.mark.parametrize("challenge", [None, 'Basic realm="x"'])
def test_questions_at_the_same_time_try_a_wrong_login_twice_at_most(docker, registry, ca_file, challenge):
    docker({"auths": {registry.place: packed(password="wrong-password")}})
    registry.challenge, logins, ends = challenge, Logins(), []

    def put():
        ends.append(only(port(logins=logins).pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == sorted([PullEnd.REFUSED, *[PullEnd.NOT_TRIED] * 3])
    assert registry.sent("wrong-password") == 2
    assert registry.sent(PASSWORD) == 0
