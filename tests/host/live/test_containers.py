"""The engine port against real servers on Unix sockets, good and bad, and daemon.json files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time

import pytest

from conftest import let_others_in
from platform_lab.unix_http import engine_at
from vorflug.host.live import Patience
from vorflug.host.live.containers import LiveContainers
from vorflug.host.secrets import redact
from vorflug.ports.containers import AddressPool, DaemonFile, EngineNetwork, EngineState

VERSION = {
    "Platform": {"Name": "Docker Engine - Community"},
    "Components": [{"Name": "Engine", "Version": "29.0.1"}],
    "Version": "29.0.1",
    "ApiVersion": "1.52",
    "Os": "linux",
    "Arch": "amd64",
}
INFO = {
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "DockerRootDir": "/var/lib/docker",
    "CgroupDriver": "systemd",
    "CgroupVersion": "2",
    "HttpProxy": "http://svc:geheim-1@proxy.corp:3128",
    "HttpsProxy": "http://svc:geheim-1@proxy.corp:3128",
    "NoProxy": "localhost,.corp",
    "LiveRestoreEnabled": True,
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "LoggingDriver": "json-file",
    "DefaultAddressPools": [{"Base": "10.200.0.0/16", "Size": 24}],
    "FirewallBackend": {"Driver": "iptables"},
    "Warnings": ["WARNING: No swap limit support\x1b[31m"],
    "Containerd": {"Address": "/run/containerd/containerd.sock"},
}
NETWORKS = [
    {
        "Name": "bridge",
        "Driver": "bridge",
        "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]},
        "Options": {"com.docker.network.driver.mtu": "1450"},
    },
    {"Name": "audit", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "fd00:1::/64"}]}, "Options": None},
    {"Name": "none", "Driver": "null", "IPAM": {"Config": None}, "Options": {}},
]


def live(tmp_path, *, seconds=5.0, socket_path=None, **environ):
    return LiveContainers(
        Patience(seconds),
        environ=environ,
        daemon_file=str(tmp_path / "daemon.json"),
        containerd_file=str(tmp_path / "config.toml"),
        default_socket=str(socket_path or tmp_path / "docker.sock"),
    )


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("svcuser:kanarie-pa@proxy:3128", "[redacted]@proxy:3128"),
        ("http://svcuser:kanarie-pa/two@88@proxy.corp:3128", "http://[redacted]@proxy.corp:3128"),
        ("http://xxxxx:xxxxx@proxy:3128", "http://[redacted]@proxy:3128"),
        ("http://proxy.corp:3128/", "http://proxy.corp:3128/"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("svcuser:kanarie-pa", "[redacted]"),
        ("http://u:p@kanarie-pa/x", "[redacted]"),
        ("", ""),
    ],
)
def test_of_a_proxy_only_the_host_is_shown(tmp_path, proxy, shown):
    info = INFO | {"HttpProxy": proxy, "HttpsProxy": proxy, "Warnings": [f"WARNING: proxy {proxy}"]}
    info["NoProxy"] = "localhost,.corp,*.x,10.0.0.0/8,fd00::/8,[::1]:80,svcuser:kanarie-pb@x,kanarie:kanarie-pc"
    with engine_at(tmp_path / "docker.sock", {"/version": VERSION, "/info": info}):
        engine = live(tmp_path).engine()
    assert (engine.http_proxy, engine.https_proxy) == (shown, shown)
    assert engine.no_proxy == "localhost,.corp,*.x,10.0.0.0/8,fd00::/8,[::1]:80,[redacted],[redacted]"
    assert "@" not in proxy or "svcuser" not in repr(engine)


def test_an_answering_engine(tmp_path):
    with engine_at(tmp_path / "docker.sock", {"/version": VERSION, "/info": INFO, "/networks": NETWORKS}):
        # a proxy of the environment must not be asked for the socket
        containers = live(tmp_path, HTTP_PROXY="http://127.0.0.1:1")
        engine = containers.engine()
        networks = containers.networks()
    assert engine.state is EngineState.ANSWERING
    assert (engine.product, engine.version, engine.api_version) == ("Docker Engine - Community", "29.0.1", "1.52")
    assert (engine.driver, engine.driver_type) == ("overlayfs", "io.containerd.snapshotter.v1")
    assert (engine.data_root, engine.containerd_root) == ("/var/lib/docker", "/var/lib/containerd")
    assert (engine.logging_driver, engine.firewall, engine.live_restore) == ("json-file", "iptables", True)
    assert engine.address_pools == (AddressPool("10.200.0.0/16", 24),)
    assert "geheim" not in repr(engine) and "proxy.corp:3128" in engine.https_proxy
    assert "\x1b" not in engine.warnings[0]
    assert networks == (
        EngineNetwork("audit", "bridge", ("fd00:1::/64",), (), None),
        EngineNetwork("bridge", "bridge", ("172.17.0.0/16",), ("172.17.0.1",), 1450),
        EngineNetwork("none", "null", (), (), None),
    )


def test_docker_host_names_the_socket(tmp_path):
    with engine_at(tmp_path / "other.sock", {"/version": VERSION, "/info": INFO}) as path:
        engine = live(tmp_path, DOCKER_HOST=f"unix://{path}").engine()
    assert (engine.state, engine.socket) == (EngineState.ANSWERING, path)


def test_another_machine_is_not_asked(tmp_path):
    engine = live(tmp_path, DOCKER_HOST="tcp://user:geheim-2@127.0.0.1:2375").engine()
    assert engine.state is EngineState.REMOTE
    assert "geheim" not in engine.socket and "127.0.0.1:2375" in engine.socket


@pytest.mark.parametrize(
    ("containerd", "config", "root"),
    [
        (
            {"Address": "/run/containerd/containerd.sock"},
            'version = 2\nroot = "/data/containerd"\n',
            "/data/containerd",
        ),
        ({"Address": "/run/containerd/containerd.sock"}, "version = 2\n", "/var/lib/containerd"),
        ({"Address": "/run/containerd/containerd.sock"}, "root = [broken\n", ""),
        ({"Address": "/var/run/docker/containerd/containerd.sock"}, None, "/var/lib/docker/containerd/daemon"),
        (None, None, "/var/lib/containerd"),
    ],
)
def test_where_containerd_keeps_its_content(tmp_path, containerd, config, root):
    if config is not None:
        (tmp_path / "config.toml").write_text(config)
    info = {**INFO, "Containerd": containerd}
    with engine_at(tmp_path / "docker.sock", {"/version": VERSION, "/info": info}):
        assert live(tmp_path).engine().containerd_root == root


def test_podman_says_so(tmp_path):
    version = {**VERSION, "Platform": {"Name": "linux/amd64/debian-12"}, "Components": [{"Name": "Podman Engine"}]}
    with engine_at(tmp_path / "docker.sock", {"/version": version, "/info": INFO}):
        assert live(tmp_path).engine().product == "Podman Engine"


def test_no_socket(tmp_path):
    engine = live(tmp_path).engine()
    assert (engine.state, engine.socket) == (EngineState.ABSENT, str(tmp_path / "docker.sock"))


def test_a_socket_without_a_listener(tmp_path):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "docker.sock"))
    assert live(tmp_path).engine().state is EngineState.REFUSED


def test_a_file_in_the_socket_s_place(tmp_path):
    (tmp_path / "docker.sock").write_text("")
    assert live(tmp_path).engine().state is EngineState.NOT_DOCKER


@pytest.mark.tier("root")
def test_a_socket_that_this_user_may_not_use(tmp_path):
    import sys

    let_others_in(tmp_path)
    with engine_at(tmp_path / "docker.sock", {"/version": VERSION, "/info": INFO}) as path:
        os.chmod(path, 0o600)
        # the working folder and the interpreter must be readable for nobody, so the child drops its rights by itself
        code = (
            "import os, sys\n"
            "from vorflug.host.live import Patience\n"
            "from vorflug.host.live.containers import LiveContainers\n"
            "import httpx\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "print(LiveContainers(Patience(5), environ={}, default_socket=sys.argv[1]).engine().state)\n"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "denied", done.stderr


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({}, EngineState.NOT_DOCKER),
        ({"/version": b"<html>hello</html>"}, EngineState.NOT_DOCKER),
        ({"/version": b"[" * 100_000}, EngineState.NOT_DOCKER),
        ({"/version": [], "/info": []}, EngineState.NOT_DOCKER),
        ({"/version": {"Version": 29}, "/info": {}}, EngineState.NOT_DOCKER),
        ({"/version": VERSION, "/info": (500, {"message": "boom"})}, EngineState.NOT_DOCKER),
        ({"/version": (403, {"message": "denied by plugin"})}, EngineState.DENIED),
        ({"/version": b" " * (5 << 20)}, EngineState.NOT_DOCKER),
        ({"/version": lambda handler: handler.wfile.write(b"220 mail.corp ESMTP\r\n")}, EngineState.NOT_DOCKER),
        ({"/version": lambda handler: None}, EngineState.NOT_DOCKER),
    ],
)
def test_bad_answers(tmp_path, answers, state):
    with engine_at(tmp_path / "docker.sock", answers):
        engine = live(tmp_path).engine()
    assert engine.state is state
    assert engine.version == ""


def test_odd_types_in_a_good_answer_are_no_crash(tmp_path):
    info = {"Driver": 7, "DriverStatus": [["a"], None], "SecurityOptions": "x", "DefaultAddressPools": [{"Base": "x"}]}
    with engine_at(tmp_path / "docker.sock", {"/version": {"Version": "24.0.1"}, "/info": info}):
        engine = live(tmp_path).engine()
    assert (engine.state, engine.driver, engine.address_pools) == (EngineState.ANSWERING, "", ())


@pytest.mark.parametrize("how", ["never accepts", "never answers", "drips"])
def test_silence_is_found_before_the_time_is_up(tmp_path, how):
    began = time.monotonic()
    if how == "never accepts":
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(tmp_path / "docker.sock"))
            deaf.listen(1)
            state = live(tmp_path, seconds=1.0).engine().state
            took = time.monotonic() - began
    else:

        def slow(handler):
            for _ in range(24):
                if how == "drips":
                    handler.wfile.write(b"H")
                    handler.wfile.flush()
                time.sleep(0.05)

        with engine_at(tmp_path / "docker.sock", {"/version": slow}):
            began = time.monotonic()
            state = live(tmp_path, seconds=1.0).engine().state
            took = time.monotonic() - began
    assert state in (EngineState.TIMEOUT, EngineState.NOT_DOCKER)
    if how != "drips":
        assert state is EngineState.TIMEOUT
        assert took < 1.0


def test_networks_that_are_no_answer(tmp_path):
    with engine_at(tmp_path / "docker.sock", {"/networks": {"message": "x"}}), pytest.raises(ValueError):
        live(tmp_path).networks()
    with pytest.raises(ValueError):
        live(tmp_path).networks()


# ---- daemon.json -----------------------------------------------------------------------------------------------------


def test_daemon_file(tmp_path):
    (tmp_path / "daemon.json").write_text(
        """{"bip": "10.200.0.1/24", "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}],
        "log-driver": "json-file", "log-opts": {"max-size": "10m", "splunk-token": "geheim-token-3"},
        "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 100000, "Soft": 65536}}, "iptables": false,
        "proxies": {"http-proxy": "http://svc:geheim-4@p:1", "https-proxy": "", "no-proxy": "localhost"},
        "mtu": 1450, "data-root": "/data/docker"}"""
    )
    file = live(tmp_path).daemon_file()
    assert file == DaemonFile(
        str(tmp_path / "daemon.json"),
        exists=True,
        bip="10.200.0.1/24",
        address_pools=(AddressPool("10.201.0.0/16", 24),),
        log_driver="json-file",
        log_options=("max-size", "splunk-token"),
        nofile_soft=65536,
        nofile_hard=100000,
        iptables=False,
        proxies=("http-proxy", "no-proxy"),
        mtu=1450,
        data_root="/data/docker",
    )
    assert redact("geheim-4") == "[redacted]"


def test_a_daemon_file_on_a_single_line_reads_as_one_on_many(tmp_path):
    settings = {"mtu": 1450, "log-driver": "local", "live-restore": True, "data-root": "/data", "iptables": False}
    found = []
    for indent in (None, 2):
        (tmp_path / "daemon.json").write_text(json.dumps(settings, indent=indent))
        found.append(live(tmp_path).daemon_file())
    assert found[0] == found[1]
    assert (found[0].mtu, found[0].log_driver, found[0].data_root, found[0].iptables) == (1450, "local", "/data", False)


@pytest.mark.parametrize(("text", "exists"), [(None, False), ("", True), ("  \n", True), ("{}", True)])
def test_no_settings(tmp_path, text, exists):
    if text is not None:
        (tmp_path / "daemon.json").write_text(text)
    file = live(tmp_path).daemon_file()
    assert file == DaemonFile(str(tmp_path / "daemon.json"), exists=exists)


@pytest.mark.parametrize(
    ("text", "line"), [('{\n "mtu": 1450,\n}', ":3"), ("[]", ":1"), ("{\n'a': 1}", ":2"), ("[" * 50_000, "deeply")]
)
def test_a_broken_daemon_file_names_its_line(tmp_path, text, line):
    (tmp_path / "daemon.json").write_text(text)
    with pytest.raises(ValueError, match=r"daemon\.json") as refused:
        live(tmp_path).daemon_file()
    assert line in str(refused.value)


MOST = 1 << 20


@pytest.mark.parametrize("kind", ["long", "fifo", "folder"])
@pytest.mark.parametrize("name", ["daemon.json", "config.toml"])
def test_a_settings_file_that_cannot_be_read_whole(tmp_path, name, kind):
    path = tmp_path / name
    match kind:
        case "long":
            path.write_text(" " * MOST + '{"iptables": false}')
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    if name == "daemon.json":
        with pytest.raises(NotImplementedError, match=r"daemon\.json (has|is no file)"):
            live(tmp_path).daemon_file()
        return
    with engine_at(tmp_path / "docker.sock", {"/version": VERSION, "/info": INFO}):
        engine = live(tmp_path).engine()
    assert (engine.state, engine.containerd_root) == (EngineState.ANSWERING, "")


def test_the_longest_daemon_file_that_is_read(tmp_path):
    text = '{"iptables": false}'
    (tmp_path / "daemon.json").write_text(text + " " * (MOST - len(text)))
    assert live(tmp_path).daemon_file().iptables is False


def test_a_daemon_file_below_a_file_is_not_there(tmp_path):
    (tmp_path / "x").touch()
    live_ = LiveContainers(Patience(5), environ={}, daemon_file=f"{tmp_path}/x/daemon.json")
    assert live_.daemon_file().exists is False


# ---- the real one ----------------------------------------------------------------------------------------------------


@pytest.mark.tier("docker")
def test_a_real_engine(tmp_path):
    daemon = subprocess.Popen(
        [
            "dockerd",
            f"--host=unix://{tmp_path}/docker.sock",
            f"--data-root={tmp_path}/data",
            f"--exec-root={tmp_path}/exec",
            f"--pidfile={tmp_path}/pid",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        containers = live(tmp_path, seconds=40)
        engine = containers.engine()
        for _ in range(150):
            if engine.state is EngineState.ANSWERING:
                break
            time.sleep(0.2)
            engine = containers.engine()
        networks = containers.networks()
    finally:
        daemon.terminate()
        daemon.wait(20)
    assert engine.state is EngineState.ANSWERING
    assert engine.data_root == f"{tmp_path}/data"
    assert engine.version and engine.driver and engine.logging_driver
    assert {n.name for n in networks} >= {"host", "none"}
