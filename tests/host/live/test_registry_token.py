"""From the challenges of known registries to a token: what is asked of whom, and with what.

The challenges are those that the registries publish, with the test's own address in the place of theirs.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from areas.registry_server import PASSWORD, USER
from host.registry_parts import ask, only, packed, watched
from vorflug.ports.registry import PullEnd

pytestmark = pytest.mark.usefixtures("docker")

SCOPE = "repository:team/app:pull"
VENDORS = {
    "docker-hub": ('Bearer realm="https://{other}/token",service="registry.docker.io"', "registry.docker.io"),
    "acr": ('Bearer realm="https://{own}/oauth2/token",service="{own}"', "{own}"),
    "ghcr": ('Bearer realm="https://{own}/token",service="ghcr.io",scope="repository:user/image:pull"', "ghcr.io"),
    "quay": ('Bearer realm="https://{own}/v2/auth",service="quay.io"', "quay.io"),
    "quay-both": ('Basic realm="quay", Bearer realm="https://{own}/v2/auth",service="quay.io"', "quay.io"),
    "gar": ('Bearer realm="https://{own}/v2/token"', None),
    "harbor": ('Bearer realm="https://{own}/service/token",service="harbor-registry"', "harbor-registry"),
    "several-lines": (["Negotiate", 'Basic realm="x"', 'Bearer realm="https://{own}/token",service="s"'], "s"),
    "other-order": ('Bearer service="a,b" , realm="https://{own}/token"', "a,b"),
    "upper-case": ('BEARER Realm="https://{own}/token", Service=s', "s"),
}


@pytest.mark.parametrize(("challenge", "service"), VENDORS.values(), ids=VENDORS)
def test_challenges_of_known_registries(docker, registry, other, ca_file, challenge, service):
    docker({"auths": {registry.place: packed()}})
    lines = [challenge] if isinstance(challenge, str) else challenge
    registry.challenge = [line.format(own=registry.place, other=other.place) for line in lines]
    path = urlsplit(registry.challenge[-1].rpartition('ealm="')[2].partition('"')[0]).path
    for server in (registry, other):
        if path != "/token":
            server.pages[path] = (200, {}, b'{"token": "canary.bearer-token_4713.login.x"}')
    live, _ = watched()
    seen = only(live.pull_rights(ask(registry, ca_file, token_hosts=(other.place,)), ("team/app:1.0",)))
    assert (seen.end, seen.anonymous) == (PullEnd.GRANTED, False)
    (asked,) = (a for s in (registry, other) for _, a, _ in s.log if urlsplit(a).path == path and "scope" in a)
    query = parse_qs(urlsplit(asked).query)
    assert query["scope"] == [SCOPE]
    assert query.get("service") == (None if service is None else [service.format(own=registry.place)])


def test_ecr_wants_the_login_itself(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Basic realm="https://{registry.place}/",service="ecr.amazonaws.com"'
    live, _ = watched()
    assert only(live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.GRANTED
    assert registry.sent(PASSWORD) == 1


def test_a_harbor_with_a_wrong_external_address_gets_nothing(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Bearer realm="http://{registry.place}/service/token",service="harbor-registry"'
    live, _ = watched()
    assert only(live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.REALM_INSECURE
    assert registry.sent(PASSWORD) == 0


def test_a_challenge_that_only_the_base_gives(docker, registry, ca_file):
    """Docker's client asks /v2/ first, so that some registries say it nowhere else."""
    docker({"auths": {registry.place: packed()}})
    registry.challenged_at = "/v2/?"
    live, _ = watched()
    assert only(live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.NO_CHALLENGE
    registry.challenged_at = ""
    registry.pages["/v2/team/app/manifests/2.0"] = (401, {}, b"{}")
    # asked without a challenge of its own, the token is got by that of the base; that it is refused then is another matter
    assert only(live.pull_rights(ask(registry, ca_file), ("team/app:2.0",))).end is PullEnd.DENIED
    assert registry.sent(PASSWORD) == 1


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("repository:mirror/team/app:pull", "repository:mirror/team/app:pull"),
        (SCOPE, SCOPE),
        ("repository:team/app:pull,push", SCOPE),
        ("repository:team/app:*", SCOPE),
        ("registry:catalog:*", SCOPE),
        ("repository:other/app:pull", SCOPE),
        (f"{SCOPE} registry:catalog:*", SCOPE),
    ],
)
def test_no_more_is_asked_for_than_this_pull(docker, registry, ca_file, named, asked):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Bearer realm="https://{registry.place}/token",service="s",scope="{named}"'
    live, _ = watched()
    live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))
    (query,) = (parse_qs(urlsplit(path).query) for _, path, _ in registry.log if path.startswith("/token"))
    assert query["scope"] == [asked]


def test_a_realm_keeps_its_own_query(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Bearer realm="https://{registry.place}/token?account=x&scope=evil",service="s"'
    live, _ = watched()
    live.pull_rights(ask(registry, ca_file), ("team/app:1.0",))
    (query,) = (parse_qs(urlsplit(path).query) for _, path, _ in registry.log if path.startswith("/token"))
    assert (query["account"], query["scope"]) == (["x"], [SCOPE])


@pytest.mark.parametrize("realm", ["https://{u}@{own}/token", "https://{own}.evil.example/token", "//{own}/token", "x"])
def test_a_realm_that_only_looks_like_the_registry(docker, registry, ca_file, realm):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Bearer realm="{realm.format(u=USER, own=registry.place)}"'
    live, net = watched()
    seen = only(live.pull_rights(ask(registry, ca_file), ("team/app:1.0",)))
    assert seen.end in {PullEnd.REALM_FOREIGN, PullEnd.REALM_INSECURE, PullEnd.NO_CHALLENGE}
    assert registry.sent(PASSWORD) == 0 and net.probed == [f"https://{registry.place}/v2/"]


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io"])
def test_docker_hub_s_api_is_on_a_host_of_its_own(name):
    live, net = watched()
    from vorflug.ports.registry import RegistryAsk

    seen = only(live.pull_rights(RegistryAsk(name, proxy="http://127.0.0.1:1"), ("alpine:3",)))
    assert (seen.end, seen.at) == (PullEnd.UNREACHABLE, "registry-1.docker.io")
    assert net.probed == ["https://registry-1.docker.io/v2/"]
