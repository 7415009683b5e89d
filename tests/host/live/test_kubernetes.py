"""Kubeconfig files as they are found in the wild, and real API servers on loopback."""

from __future__ import annotations

import base64
import os
import socket
import time

import pytest
import trustme
import yaml

from platform_lab.api_server import CLUSTER, api_server
from vorflug.areas.cluster import AccessQuery, ClusterState, NodesQuery
from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.kubernetes import LiveKubernetes
from vorflug.host.secrets import redact
from vorflug.ports.kubernetes import AuthKind, ServerState


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue_cert("127.0.0.1")


def live(*files, seconds=5.0, **environ):
    return LiveKubernetes(Patience(seconds), environ={"KUBECONFIG": ":".join(map(str, files)), **environ})


def kubeconfig(path, server, *, user=None, cluster=None, current="one", **more):
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": current,
                "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "audit"}}],
                "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": "u", "user": user or {}}],
                **more,
            }
        )
    )
    return path


def trusting(authority):
    return {"certificate-authority-data": base64.b64encode(authority.cert_pem.bytes()).decode()}


# ---- the kubeconfig --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "auth", "secret"),
    [
        ({"token": "kanarie-token-1"}, AuthKind.TOKEN, "kanarie-token-1"),
        ({"tokenFile": "/run/t"}, AuthKind.TOKEN, None),
        (
            {"client-certificate-data": "QUJD", "client-key-data": "kanarie-key-2"},
            AuthKind.CLIENT_CERTIFICATE,
            "kanarie-key-2",
        ),
        ({"username": "admin", "password": "kanarie-password-3"}, AuthKind.BASIC, "kanarie-password-3"),
        (
            {
                "exec": {
                    "command": "aws",
                    "args": ["--profile", "x"],
                    "env": [{"name": "AWS_SECRET", "value": "kanarie-env-4"}],
                }
            },
            AuthKind.EXEC,
            "kanarie-env-4",
        ),
        (
            {"auth-provider": {"name": "oidc", "config": {"refresh-token": "kanarie-refresh-5"}}},
            AuthKind.AUTH_PROVIDER,
            "kanarie-refresh-5",
        ),
        ({}, AuthKind.NONE, None),
    ],
)
def test_how_a_context_proves_who_it_is(tmp_path, user, auth, secret):
    file = kubeconfig(tmp_path / "config", "https://user:kanarie-url-6@k8s.corp:6443", user=user)
    config = live(file).config()
    (context,) = config.contexts
    assert (context.name, context.auth, context.namespace, context.in_one_file) == ("one", auth, "audit", True)
    assert context.server == "https://[redacted]@k8s.corp:6443"
    assert "kanarie" not in repr(config)
    if secret:
        assert redact(f"x {secret} y") == "x [redacted] y"
    assert redact("admin oidc aws get-token") == "admin oidc aws get-token"


def test_a_home_that_is_no_folder_holds_no_kubeconfig():
    config = LiveKubernetes(Patience(5), environ={"HOME": "/dev/null"}).config()
    assert (config.files, config.missing) == ((), ("/dev/null/.kube/config",))


def test_a_folder_is_no_kubeconfig(tmp_path):
    with pytest.raises(ValueError, match=f"^{tmp_path}: wanted a kubeconfig, saw a folder$"):
        live(tmp_path).config()


def test_files_are_merged_and_the_first_wins(tmp_path):
    first = kubeconfig(tmp_path / "a", "https://first:6443", users=[])
    second = kubeconfig(tmp_path / "b", "https://second:6443", user={"token": "kanarie-7"}, current="other")
    config = live(first, tmp_path / "none", second).config()
    assert config.files == (str(first), str(second))
    assert config.missing == (str(tmp_path / "none"),)
    assert config.current == "one"
    (context,) = config.contexts
    assert (context.server, context.auth, context.in_one_file) == ("https://first:6443", AuthKind.TOKEN, False)
    assert config.context() == config.context("one") == context
    assert config.context("absent") is None


def test_without_kubeconfig_the_home_folder_counts(tmp_path):
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube" / "config", "https://k:6443")
    assert LiveKubernetes(Patience(5), environ={"HOME": str(tmp_path)}).config().current == "one"
    nowhere = LiveKubernetes(Patience(5), environ={}).config()
    assert (nowhere.files, nowhere.contexts, nowhere.current) == ((), (), "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("contexts: [\n  {name: a\n", "config:"),
        ("[]", "a mapping"),
        ("users: [a]\n", "users"),
        ("a: " + "[" * 5000, "nest"),
        ("a: !!python/object/apply:os.system [id]\n", "wanted YAML"),
        ("x: '" + "y" * (1 << 20) + "'\n", "at most"),
        ("token: *geheim-unbekannt\n", "config:1"),
    ],
)
def test_a_broken_kubeconfig_is_refused_by_name(tmp_path, text, says):
    (tmp_path / "config").write_text(text)
    with pytest.raises(ValueError, match="config") as refused:
        live(tmp_path / "config").config()
    assert says in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_an_empty_kubeconfig_has_no_contexts(tmp_path):
    (tmp_path / "config").write_text("# nothing\n")
    assert live(tmp_path / "config").config().contexts == ()


# ---- the server ------------------------------------------------------------------------------------------------------


def test_the_version_is_asked_without_credentials(tmp_path, authority, certificate):
    with api_server(certificate) as (url, seen):
        file = kubeconfig(tmp_path / "config", url, user={"token": "kanarie-8"}, cluster=trusting(authority))
        server = live(file).server()
    assert (server.state, server.version, server.context) == (ServerState.ANSWERING, "v1.34.4", "one")
    assert server.server == url and server.now.endswith("+00:00")
    assert [request["path"] for request in seen] == ["/version"]
    assert "authorization" not in seen[0]


def test_a_relative_authority_file_and_a_server_name(tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    cluster = {"certificate-authority": "ca.pem", "tls-server-name": "kubernetes.default"}
    with api_server(authority.issue_cert("kubernetes.default")) as (url, _):
        file = kubeconfig(tmp_path / "config", url, cluster=cluster)
        assert live(file).server("one").state is ServerState.ANSWERING


def test_verification_that_is_switched_off_stays_off(tmp_path, certificate):
    with api_server(certificate) as (url, _):
        file = kubeconfig(tmp_path / "config", url, cluster={"insecure-skip-tls-verify": True})
        assert live(file).server().state is ServerState.ANSWERING


def test_another_authority(tmp_path, certificate):
    with api_server(certificate) as (url, seen):
        file = kubeconfig(tmp_path / "config", url, cluster=trusting(trustme.CA()))
        server = live(file).server()
    assert server.state is ServerState.UNTRUSTED and server.detail
    assert seen == []


@pytest.mark.parametrize(
    "cluster",
    [
        {"certificate-authority-data": "%%%"},
        {"certificate-authority-data": "ICA="},
        {"certificate-authority-data": base64.b64encode(b"no certificate").decode()},
        {"certificate-authority": "absent.pem"},
    ],
)
def test_an_authority_that_cannot_be_read(tmp_path, cluster):
    file = kubeconfig(tmp_path / "config", "https://127.0.0.1:1", cluster=cluster)
    assert live(file).server().state is ServerState.UNTRUSTED


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((401, {"reason": "Unauthorized"}), ServerState.DENIED),
        ((403, {"reason": "Forbidden"}), ServerState.DENIED),
        ((404, {}), ServerState.NOT_KUBERNETES),
        ((200, b"<html>"), ServerState.NOT_KUBERNETES),
        ((200, []), ServerState.NOT_KUBERNETES),
        ((200, {"gitVersion": 3}), ServerState.NOT_KUBERNETES),
        ((200, b"x" * 100_000), ServerState.NOT_KUBERNETES),
        (lambda handler: handler.wfile.write(b"220 hello\r\n"), ServerState.NOT_KUBERNETES),
    ],
)
def test_other_answers(tmp_path, authority, certificate, answer, state):
    with api_server(certificate, answer) as (url, _):
        file = kubeconfig(tmp_path / "config", url, cluster=trusting(authority))
        server = live(file).server()
    assert (server.state, server.version) == (state, "")
    assert server.detail


def test_tls_against_a_plain_server(tmp_path, authority):
    with api_server(None) as (url, _):
        file = kubeconfig(tmp_path / "config", url.replace("http:", "https:"), cluster=trusting(authority))
        assert live(file).server().state is ServerState.NOT_KUBERNETES


def test_nobody_listens(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        file = kubeconfig(tmp_path / "config", f"https://127.0.0.1:{unused.getsockname()[1]}")
        assert live(file).server().state is ServerState.UNREACHABLE


def test_silence_is_found_before_the_time_is_up(tmp_path):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        file = kubeconfig(tmp_path / "config", f"https://127.0.0.1:{deaf.getsockname()[1]}")
        began = time.monotonic()
        assert live(file, seconds=1.0).server().state is ServerState.TIMEOUT
        assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("proxy", ["http://user:kanarie-9@127.0.0.1:9", "socks5://127.0.0.1:9", "nonsense://x"])
def test_a_proxy_that_does_not_work(tmp_path, proxy):
    file = kubeconfig(tmp_path / "config", "https://k8s.test:6443", cluster={"proxy-url": proxy})
    server = live(file).server()
    assert server.state is ServerState.UNREACHABLE
    assert "kanarie" not in repr(server)


@pytest.mark.parametrize(
    "proxy", ["http://user:kanarie-p1/x@127.0.0.1:9", "http://user:kanarie-p2:x@[::1", "http://user:kanarie-p3@h:port/"]
)
def test_a_proxy_that_is_not_well_written_is_not_quoted(tmp_path, proxy):
    file = kubeconfig(tmp_path / "config", "https://k8s.test:6443", cluster={"proxy-url": proxy})
    server = live(file).server()
    assert server.state is ServerState.UNREACHABLE and server.detail.isidentifier()
    assert "kanarie" not in repr(server)


def test_the_keys_of_the_session_are_written_nowhere(tmp_path, authority, certificate, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with api_server(certificate) as (url, _):
        file = kubeconfig(tmp_path / "config", url, cluster=trusting(authority))
        assert live(file).server().state is ServerState.ANSWERING
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("field", ["current-context: *a11", "contexts: [{name: *a11}]", "clusters: [{name: *a3}]"])
def test_an_alias_that_stands_for_millions_is_refused_and_no_list_is_a_name(tmp_path, field):
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    (tmp_path / "config").write_text(f"{bomb}{field}\n")
    with pytest.raises(ValueError, match="nodes"):
        live(tmp_path / "config").config()
    (tmp_path / "config").write_text(f"a: &a11 [x]\nb: &a3 [y]\n{field}\n")
    assert live(tmp_path / "config").config().current == ""


@pytest.mark.tier("root")
@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_root_is_told_of_a_kubeconfig_that_another_user_can_write_to(tmp_path, what):
    folder = tmp_path / "kube"
    folder.mkdir()
    file = kubeconfig(folder / "config", "https://k:1")
    link = tmp_path / "link"
    link.symlink_to(file)
    asked = link if what == "link" else file
    assert live(asked).config().context().foreign == ""
    foreign = file if what != "folder" else folder
    os.chown(foreign, 65534, 65534)
    assert live(asked).config().context().foreign == str(foreign)


@pytest.mark.parametrize(
    ("current", "server"), [("absent", "https://k:1"), ("", "https://k:1"), ("one", ""), ("one", "ftp://k")]
)
def test_no_context_that_leads_anywhere(tmp_path, current, server):
    file = kubeconfig(tmp_path / "config", server, current=current)
    assert live(file).server().state is ServerState.NO_CONTEXT


@pytest.mark.tier("kubectl")
def test_the_cluster_through_a_real_kubectl(tmp_path, authority, certificate, monkeypatch):
    with api_server(certificate, CLUSTER) as (url, seen):
        file = kubeconfig(tmp_path / "config", url, user={"token": "kanarie-token-10"}, cluster=trusting(authority))
        monkeypatch.setenv("KUBECONFIG", str(file))
        monkeypatch.setenv("HOME", str(tmp_path))
        nodes = NodesQuery().observe(LiveHost(30))
        access = AccessQuery(namespace="audit", actions=("create pods", "get nodes")).observe(LiveHost(30))
    assert nodes.state is ClusterState.ANSWERED
    one, two = nodes.nodes
    assert (one.usable, one.cpu_milli, one.memory_bytes) == (True, 7910, 32 * 2**30)
    assert (one.requested_cpu_milli, one.requested_memory_bytes) == (100, 2**30)
    assert (two.schedulable, two.troubles) == (False, ("MemoryPressure",))
    assert (access.state, access.denied) == (ClusterState.ANSWERED, ("create pods", "get nodes"))
    assert any(request.get("authorization") == "Bearer kanarie-token-10" for request in seen)
    assert not (tmp_path / ".kube").exists()  # kubectl's cache would have been written there
