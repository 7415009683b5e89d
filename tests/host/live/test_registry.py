"""The exchange with a real registry over TLS on loopback, and what of a login ever leaves for whom."""

from __future__ import annotations

import os
import socket

import pytest

from areas.registry_server import IDENTITY, PASSWORD, TOKEN, USER, running
from host.registry_parts import SECRETS, ask, only, packed, port, schemes
from lab.servers import tcp
from lab.socks import socks
from vorflug.host.secrets import redact
from vorflug.netprobe.login import Logins
from vorflug.ports.registry import CredentialSource, CredentialState, PullEnd, RegistryAsk

pytestmark = pytest.mark.usefixtures("docker")


# ---- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "state", "source"),
    [
        (None, CredentialState.MISSING, CredentialSource.NONE),
        ("{", CredentialState.BAD_FILE, CredentialSource.NONE),
        ("[]", CredentialState.BAD_FILE, CredentialSource.NONE),
        ("[" * 100_000, CredentialState.BAD_FILE, CredentialSource.NONE),
        (" " * (2 << 20), CredentialState.BAD_FILE, CredentialSource.NONE),
        ({"auths": []}, CredentialState.MISSING, CredentialSource.NONE),
        ({"auths": {"r.example": {}}}, CredentialState.MISSING, CredentialSource.NONE),
        ({"auths": {"other.example": packed()}}, CredentialState.MISSING, CredentialSource.NONE),
        ({"auths": {"r.example:444": packed()}}, CredentialState.MISSING, CredentialSource.NONE),
        ({"auths": {"r.example": packed()}}, CredentialState.USABLE, CredentialSource.AUTHS),
        ({"auths": {"https://r.example/v2/": packed()}}, CredentialState.USABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": {"username": USER, "password": PASSWORD}}}, CredentialState.USABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": {"identitytoken": IDENTITY}}}, CredentialState.USABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": {"auth": "%%%"}}}, CredentialState.UNREADABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": {"auth": "bm9jb2xvbg=="}}}, CredentialState.UNREADABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": {"auth": "/////w=="}}}, CredentialState.UNREADABLE, CredentialSource.AUTHS),
        ({"auths": {"r.example": packed("user", "")}}, CredentialState.MISSING, CredentialSource.AUTHS),
        ({"credHelpers": {"r.example": "gone"}}, CredentialState.NO_HELPER, CredentialSource.HELPER),
        ({"credHelpers": {"r.example": "../../bin/sh"}}, CredentialState.NO_HELPER, CredentialSource.HELPER),
        ({"credsStore": "gone"}, CredentialState.NO_HELPER, CredentialSource.STORE),
        ({"credsStore": "gone", "auths": {"r.example": packed()}}, CredentialState.USABLE, CredentialSource.AUTHS),
        ({"credsStore": "gone", "auths": {"r.example": {}}}, CredentialState.NO_HELPER, CredentialSource.STORE),
    ],
)  # fmt: skip
def test_what_docker_keeps(docker, config, state, source):
    if config is not None:
        docker(config)
    seen = port().credential("r.example")
    assert (seen.state, seen.source) == (state, source)
    assert seen.file.endswith("docker/config.json")
    assert all(secret not in repr(seen) for secret in SECRETS)


@pytest.mark.parametrize("name", ["docker.io", "registry-1.docker.io", "index.docker.io"])
def test_docker_hub_has_a_name_of_its_own(docker, name):
    docker({"auths": {"https://index.docker.io/v1/": packed()}})
    assert port().credential(name).state is CredentialState.USABLE
    # what "docker login registry-1.docker.io" writes is not what pulls look for
    docker({"auths": {name: packed()}, "credHelpers": {name: "gone"}})
    assert port().credential(name).state is CredentialState.MISSING


def test_a_broken_file_says_where(docker, tmp_path):
    docker("{\n\n  nonsense\n}")
    seen = port().credential("r.example")
    assert (seen.state, seen.line) == (CredentialState.BAD_FILE, 3)


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (
            f'read -r url; [ "$url" = r.example ] && echo \'{{"Username":"{USER}","Secret":"{PASSWORD}"}}\'',
            CredentialState.USABLE,
        ),
        (f'echo \'{{"Username":"<token>","Secret":"{IDENTITY}"}}\'', CredentialState.USABLE),
        ("echo credentials not found in native keychain; exit 1", CredentialState.MISSING),
        ("echo credentials not found in native keychain >&2; exit 1", CredentialState.MISSING),
        ("echo no dbus >&2; exit 1", CredentialState.HELPER_FAILED),
        (f"echo {PASSWORD}", CredentialState.HELPER_FAILED),
        ("echo '{}'", CredentialState.MISSING),
        ('[ -z "$EVIL" ] || exit 3; echo \'{"Username":"u","Secret":"long enough"}\'', CredentialState.USABLE),
    ],
)
def test_helpers(docker, helpers, monkeypatch, script, state):
    monkeypatch.setenv("EVIL", "1")
    folder = helpers("test", script + "\n")
    docker({"credHelpers": {"r.example": "test"}})
    seen = port(folder).credential("r.example")
    assert (seen.state, seen.helper) == (state, "docker-credential-test")
    assert all(secret not in repr(seen) for secret in SECRETS)


def test_a_helper_that_hangs_ends_in_time(docker, helpers):
    folder = helpers("test", "/bin/sleep 60\n")
    docker({"credHelpers": {"r.example": "test"}})
    with pytest.raises(TimeoutError):
        port(folder, seconds=0.5).credential("r.example")


def test_what_was_read_is_struck_out_everywhere(docker):
    docker({"auths": {"r.example": packed()}})
    port().credential("r.example")
    assert redact(f"x {PASSWORD} y {packed()['auth']}") == "x [redacted] y [redacted]"


# ---- pulling ---------------------------------------------------------------------------------------------------------


def test_a_login_sees_the_manifest(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    wanted = registry.add("team/app", "2.0", 10)
    seen = only(port().pull_rights(ask(registry, ca_file), ("team/app:2.0",)))
    assert (seen.end, seen.status, seen.digest, seen.anonymous) == (PullEnd.GRANTED, 200, wanted, False)
    # what is asked first carries nothing, the token service gets the password, the registry the token
    assert schemes(registry) == [
        ("GET", "/v2/", "none"),
        ("HEAD", "/v2/team/app/manifests/2.0", "none"),
        ("GET", "/token", "Basic"),
        ("HEAD", "/v2/team/app/manifests/2.0", "Bearer"),
    ]
    assert registry.sent(PASSWORD) == 1


def test_an_identity_token_is_traded_in(docker, registry, ca_file):
    docker({"auths": {registry.place: {"identitytoken": IDENTITY}}})
    assert only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.GRANTED


def test_a_public_image_needs_no_login(registry, ca_file):
    registry.public = {"team/app"}
    seen = only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",)))
    assert (seen.end, seen.anonymous) == (PullEnd.GRANTED, True)


def test_basic_goes_to_the_registry_itself(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = 'Basic realm="x"'
    assert only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.GRANTED


@pytest.mark.parametrize(
    ("change", "image", "end", "status"),
    [
        ({}, "team/app:none", PullEnd.MISSING, 404),
        ({"denied": {"team/app"}}, "team/app:1.0", PullEnd.DENIED, 401),
        ({"challenge": "Negotiate"}, "team/app:1.0", PullEnd.NO_CHALLENGE, 401),
        ({"challenge": "Bearer"}, "team/app:1.0", PullEnd.NO_CHALLENGE, 401),
        ({"challenge": 'Bearer realm="http://x/token"'}, "team/app:1.0", PullEnd.REALM_INSECURE, None),
        ({"challenge": 'Bearer realm="https://evil.example/token"'}, "team/app:1.0", PullEnd.REALM_FOREIGN, None),
        ({"challenge": 'Bearer realm="https://[::1/token"'}, "team/app:1.0", PullEnd.NO_CHALLENGE, 401),
        ({"token_status": 503}, "team/app:1.0", PullEnd.STATUS, 503),
        ({"token_status": 403}, "team/app:1.0", PullEnd.DENIED, 403),
        ({"token_body": b"<html>"}, "team/app:1.0", PullEnd.NO_TOKEN, 200),
        ({"token_body": b'{"token":"a\\r\\nX: y"}'}, "team/app:1.0", PullEnd.NO_TOKEN, 200),
        ({"token_body": b"[" * 90_000}, "team/app:1.0", PullEnd.NO_TOKEN, 200),
    ],
)
def test_what_keeps_an_image_from_being_seen(docker, registry, ca_file, change, image, end, status):
    docker({"auths": {registry.place: packed()}})
    for name, value in change.items():
        setattr(registry, name, value)
    seen = only(port().pull_rights(ask(registry, ca_file), (image,)))
    assert (seen.end, seen.status) == (end, status)
    assert seen.digest == ""
    if end in {PullEnd.REALM_INSECURE, PullEnd.REALM_FOREIGN, PullEnd.NO_CHALLENGE}:
        assert registry.sent(PASSWORD) == 0


def test_no_login(registry, ca_file):
    assert only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.NO_CREDENTIAL


def test_a_refused_login_is_tried_twice_at_most_however_many_images(docker, registry, ca_file):
    docker({"auths": {registry.place: packed(password="wrong-password")}})
    logins = Logins()
    rights = port(logins=logins).pull_rights(ask(registry, ca_file), tuple(f"team/app:{n}" for n in range(20)))
    assert [i.end for i in rights.images] == [PullEnd.REFUSED, *[PullEnd.NOT_TRIED] * 19]
    # nor does another question try it
    assert port(logins=logins).download(ask(registry, ca_file), "team/app:1.0", 10).pull.end is PullEnd.NOT_TRIED
    assert registry.sent("wrong-password") == 2
    # another login is another matter
    docker({"auths": {registry.place: packed()}})
    assert only(port(logins=logins).pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.GRANTED


def test_a_refused_basic_login_is_tried_twice_at_most(docker, registry, ca_file):
    docker({"auths": {registry.place: packed(password="wrong-password")}})
    registry.challenge = 'Basic realm="x"'
    rights = port().pull_rights(ask(registry, ca_file), ("team/app:1.0", "team/app:2.0"))
    assert [i.end for i in rights.images] == [PullEnd.REFUSED, PullEnd.NOT_TRIED]
    assert registry.sent("wrong-password") == 2


@pytest.mark.parametrize("wanted", [None, 'Basic realm="x"'])
@pytest.mark.parametrize("check", [400, 403, 404, 429, 500, 302, 0])
def test_a_login_that_no_answer_proves_is_sent_twice_at_most(docker, registry, ca_file, wanted, check):
    """401 to the login first, and then something that does not tell whether it is good."""
    docker({"auths": {registry.place: packed(password="wrong-password")}})
    registry.challenge, registry.unclear, logins = wanted, check, Logins()
    images = tuple(f"team/app:{n}" for n in range(20))
    first = port(logins=logins).pull_rights(ask(registry, ca_file), images)
    ends = [i.end for i in first.images]
    unclear = {PullEnd.UNPROVED, PullEnd.UNREACHABLE}  # on a busy machine an answer may come too late
    assert set(ends[1:]) <= ({PullEnd.UNREACHABLE} if check == 0 else unclear)
    assert ends[0] in {0: {PullEnd.UNREACHABLE}, 429: {PullEnd.RATE_LIMITED, *unclear}}.get(check, unclear)
    again = port(logins=logins).manifests(ask(registry, ca_file), images)
    assert {i.pull.end for i in again.images} <= unclear
    assert registry.sent("wrong-password") == 2


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (200, b"{}", PullEnd.NO_TOKEN),
        (200, b'{"error": "locked"}', PullEnd.NO_TOKEN),
        (503, b"{}", PullEnd.STATUS),
        (400, b"{}", PullEnd.STATUS),
    ],
)
def test_an_answer_without_a_token_proves_no_login(docker, registry, ca_file, status, body, end):
    docker({"auths": {registry.place: packed()}})
    registry.token_status, registry.token_body = status, body
    seen = port().pull_rights(ask(registry, ca_file), tuple(f"team/app:{n}" for n in range(5)))
    assert [i.end for i in seen.images] == [end, end, *[PullEnd.UNPROVED] * 3]
    assert registry.sent(PASSWORD) == 2


def test_a_registry_that_is_open_to_everybody_at_its_base_proves_no_basic_login(docker, registry, ca_file):
    docker({"auths": {registry.place: packed(password="wrong-password")}})
    registry.challenge, registry.base_status = 'Basic realm="x"', 200
    seen = port().pull_rights(ask(registry, ca_file), tuple(f"team/app:{n}" for n in range(5)))
    assert {i.end for i in seen.images} == {PullEnd.UNPROVED}
    assert registry.sent("wrong-password") == 2


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "socket"])
def test_what_is_no_regular_file_is_not_read(tmp_path, monkeypatch, kind):
    folder = tmp_path / "odd"
    folder.mkdir()
    path = folder / "config.json"
    with socket.socket(socket.AF_UNIX) as bound:
        match kind:
            case "fifo":
                os.mkfifo(path)
            case "device":
                path.symlink_to("/dev/zero")
            case "folder":
                path.mkdir()
            case "socket":
                monkeypatch.chdir(folder)  # the path of a socket must be short
                bound.bind("config.json")
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))
        assert port().credential("r.example").state is CredentialState.BAD_FILE


def test_the_login_goes_to_another_host_only_where_that_is_allowed(docker, registry, other, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.challenge = f'Bearer realm="https://{other.place}/token",service="test"'
    assert only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.REALM_FOREIGN
    assert other.log == []
    allowed = ask(registry, ca_file, token_hosts=(other.place,))
    assert only(port().pull_rights(allowed, ("team/app:1.0",))).end is PullEnd.GRANTED
    assert (registry.sent(PASSWORD), other.sent(PASSWORD)) == (0, 1)


def test_an_unknown_authority_gets_nothing(docker, registry):
    docker({"auths": {registry.place: packed()}})
    seen = only(port().pull_rights(RegistryAsk(registry.place), ("team/app:1.0",)))
    assert (seen.end, seen.at) == (PullEnd.UNREACHABLE, registry.place)
    assert registry.log == []


def test_nobody_listens(ca_file):
    assert only(port().pull_rights(RegistryAsk("127.0.0.1:1", ca_file=ca_file), ("a:b",))).end is PullEnd.UNREACHABLE


def test_a_proxy_that_does_not_answer_is_not_gone_round(registry, ca_file, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    away = RegistryAsk(f"registry.lab.test:{registry.place.rpartition(':')[2]}", ca_file=ca_file)
    assert only(port().pull_rights(away, ("team/app:1.0",))).end is PullEnd.UNREACHABLE
    assert registry.log == []
    assert only(port().pull_rights(ask(registry, ca_file), ("team/app:1.0",))).end is PullEnd.NO_CREDENTIAL


# ---- downloading -----------------------------------------------------------------------------------------------------


def test_the_largest_layer_comes_from_the_data_host_without_the_token(docker, registry, other, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.data_place = other.place
    other.blobs = registry.blobs
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 1 << 17)
    assert (seen.status, seen.data_host, seen.redirected) == (206, other.place, True)
    assert seen.read_bytes == 1 << 17 and seen.took_s > 0
    assert other.sent(TOKEN) == 0 and other.sent(PASSWORD) == 0
    assert [(method, scheme) for method, _, scheme in schemes(other)] == [("HEAD", "none"), ("GET", "none")]
    assert all(secret not in repr(seen) for secret in SECRETS)


def test_a_registry_that_sends_layers_itself(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 1 << 24)
    assert (seen.status, seen.redirected, seen.read_bytes, seen.data_host) == (206, False, 300_000, registry.place)


def test_a_data_host_that_nobody_answers_for_is_named(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.data_place = "localhost:1"
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 1 << 17)
    assert (seen.status, seen.data_host, seen.read_bytes) == (None, "localhost:1", 0)


def test_without_the_right_to_pull_nothing_is_downloaded(registry, ca_file):
    seen = port().download(ask(registry, ca_file), "team/app:1.0", 1 << 17)
    assert (seen.pull.end, seen.read_bytes) == (PullEnd.NO_CREDENTIAL, 0)
    assert not any("/blobs/" in path for _, path, _ in registry.log)


def test_several_images_each_get_their_own_token(docker, registry, ca_file):
    docker({"auths": {registry.place: packed()}})
    registry.add("team/db", "1.0", 10)
    rights = port().pull_rights(ask(registry, ca_file), ("team/app:1.0", "team/db:1.0"))
    assert [i.end for i in rights.images] == [PullEnd.GRANTED] * 2
    assert [scheme for _, _, scheme in schemes(registry)] == ["none", *["none", "Basic", "Bearer"] * 2]
    sent = [{k.lower(): v for k, v in fields.items()}.get("authorization", "none") for _, _, fields in registry.log]
    assert sent[3].endswith("team-app") and sent[6].endswith("team-db")


def test_by_a_socks_proxy(docker, ca, ca_file, monkeypatch):
    """As the probe goes, so goes the request: the proxy resolves the name."""
    with running(ca, host="registry.lab.test") as registry:
        number = registry.place.rpartition(":")[2]
        place = f"registry.lab.test:{number}"
        registry.add("team/app", "1.0", 300_000)
        registry.challenge = f'Bearer realm="https://{place}/token",service="test"'
        docker({"auths": {place: packed()}})
        with tcp(socks(address="127.0.0.1")) as proxy:
            monkeypatch.setenv("all_proxy", f"socks5h://127.0.0.1:{proxy}")
            seen = port().download(RegistryAsk(place, ca_file=ca_file), "team/app:1.0", 1000)
    assert (seen.pull.end, seen.status, seen.read_bytes) == (PullEnd.GRANTED, 206, 1000)
