"""Where a registry may send us to, and what of a credential goes along: nothing."""

from __future__ import annotations

import pytest

from areas.registry_server import PASSWORD, TOKEN
from host.registry_parts import ask, only, packed, schemes, watched
from vorflug.ports.registry import PullEnd, ReadEnd

pytestmark = pytest.mark.usefixtures("docker")

FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "025177524776",
    "169.254.43518",
    "169.16689662",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]


def layer_of(registry):
    return max(registry.blobs, key=lambda name: len(registry.blobs[name]))


@pytest.fixture
def leads(docker, registry):
    """Let the largest layer be elsewhere."""
    docker({"auths": {registry.place: packed()}})
    path = f"/v2/team/app/blobs/{layer_of(registry)}"

    def to(target, status=307):
        registry.pages[path] = (status, {"Location": target}, b"")
        return path

    return to


HOSTILE = [
    "https://169.254.169.254./x",
    "https://127.0.0.1:9/x",
    "https://[::1]:9/x",
    "https://metadata.google.internal/x",
    *(f"https://[{host}]/x" if ":" in host else f"https://{host}/latest" for host in FORBIDDEN),
    "http://{other}/data",
    "HTTP://{other}/data",
    "ftp://{other}/data",
    "file:///etc/passwd",
    "https://user:pw@{other}/data",
    "https://metadata.lab.test/x",
    "https://[::1/x",
    "https://a%24b/x",
    "https://a$b/x",
    "https://" + "a" * 300 + ".example/x",
    "https://\x1b[31m/",
]


@pytest.mark.parametrize("target", HOSTILE)
def test_a_redirect_that_is_not_followed(registry, other, ca_file, leads, target):
    leads(target.format(other=other.place))
    live, net = watched({"metadata.lab.test": ("192.0.2.1", "169.254.169.254")})
    seen = live.download(ask(registry, ca_file), "team/app:1.0", 1000)
    assert (seen.pull.end, seen.ended, seen.read_bytes) == (PullEnd.GRANTED, ReadEnd.REFUSED, 0)
    # nothing but the registry was ever connected to
    assert {url.split("/")[2] for url in net.probed} == {registry.place} and other.log == []
    assert "\x1b" not in seen.data_host and "pw@" not in seen.data_host


def test_cookies_are_not_kept(registry, other, ca_file, leads):
    leads(f"https://{other.place}/1")
    for server in (registry, other):
        server.pages["/v2/team/app/manifests/0.9"] = (404, {"Set-Cookie": "session=canary; Path=/"}, b"")
    other.pages["/1"] = (302, {"Location": "/2", "Set-Cookie": "session=canary; Path=/"}, b"")
    other.pages["/2"] = (200, {}, b"x" * 1000)
    live, _ = watched()
    live.pull_rights(ask(registry, ca_file), ("team/app:0.9", "team/app:1.0"))
    assert live.download(ask(registry, ca_file), "team/app:1.0", 1000).status == 200
    assert not any(name.lower() == "cookie" for s in (registry, other) for _, _, fields in s.log for name in fields)


def test_a_circle_has_an_end(registry, ca_file, leads):
    path = leads("")
    leads(f"https://{registry.place}{path}")
    live, _ = watched()
    assert live.download(ask(registry, ca_file), "team/app:1.0", 1000).ended is ReadEnd.REFUSED
    assert sum(path == asked for _, asked, _ in registry.log) == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_leaves_the_token_behind(registry, other, ca_file, leads, status):
    other.blobs = registry.blobs
    leads(f"https://{other.place}/data/{layer_of(registry)}", status)
    live, _ = watched()
    seen = live.download(ask(registry, ca_file), "team/app:1.0", 1000)
    assert (seen.status, seen.data_host, seen.read_bytes) == (206, other.place, 1000)
    assert other.sent(TOKEN) == 0 and other.sent(PASSWORD) == 0


def test_a_token_that_was_left_behind_does_not_come_back(registry, other, ca_file, leads):
    """From the registry to the other host and back again: the last request has no token any more."""
    leads(f"https://{other.place}/back")
    end = f"https://{registry.place}/v2/team/app/blobs/end"
    other.pages["/back"] = (302, {"Location": end}, b"")
    registry.pages["/v2/team/app/blobs/end"] = (200, {}, b"x" * 1000)
    live, _ = watched()
    assert live.download(ask(registry, ca_file), "team/app:1.0", 1000).status == 200
    assert schemes(registry)[-1] == ("GET", "/v2/team/app/blobs/end", "none")


def test_within_the_registry_the_token_goes_along(registry, ca_file, leads):
    leads("elsewhere")
    registry.pages["/v2/team/app/blobs/elsewhere"] = (200, {}, b"x" * 1000)
    live, _ = watched()
    assert live.download(ask(registry, ca_file), "team/app:1.0", 1000).status == 200
    assert schemes(registry)[-1] == ("GET", "/v2/team/app/blobs/elsewhere", "Bearer")


def test_a_manifest_may_be_elsewhere_too(registry, other, ca_file):
    registry.pages["/v2/team/app/manifests/1.0"] = (307, {"Location": f"https://{other.place}/m"}, b"")
    other.pages["/m"] = (200, {"Docker-Content-Digest": "sha256:" + "0" * 64}, b"{}")
    live, _ = watched()
    assert only(live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.GRANTED


def test_a_token_service_s_redirect_is_not_followed(registry, other, ca_file, docker):
    docker({"auths": {registry.place: packed()}})
    registry.pages["/token"] = (307, {"Location": f"https://{other.place}/token"}, b"")
    live, _ = watched()
    seen = only(live.pull_rights(ask(registry, ca_file, token_hosts=(other.place,)), ("team/app:1.0",)))
    assert (seen.end, seen.status) == (PullEnd.STATUS, 307)
    assert other.log == []
