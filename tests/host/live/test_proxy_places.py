"""Files as administrators write them, and what each program is given by them.  No credential comes out."""

from __future__ import annotations

import json

import pytest

from vorflug.host.live.files import LiveFiles
from vorflug.host.live.proxy_places import places
from vorflug.host.secrets import redact
from vorflug.ports.net import PlaceState, ProxyReader

DROP_IN = "etc/systemd/system/docker.service.d"
P, Q = "http://proxy.corp:3128", "http://other.corp:8080"


@pytest.fixture
def root(tmp_path):
    return tmp_path


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def read(root, reader, **environ):
    """``{path: {name: value}}`` of what is set, in order."""
    found = places(LiveFiles(str(root)), {"HOME": "/root"} | environ)
    return {p.path: {v.name: v.value for v in p.variables} for p in found if p.reader is reader and p.variables}


def state(root, reader, **environ):
    return {p.path: p.state for p in places(LiveFiles(str(root)), {"HOME": "/root"} | environ) if p.reader is reader}


def test_the_environment_of_this_process(root):
    environ = {
        "https_proxy": "http://user:se%40cret@proxy.corp:3128",
        "no_proxy": " a.test , b.test",
        "HTTP_PROXY": "",
        "REQUEST_METHOD": "GET",
        "AUTO_PROXY": "http://wpad/x.pac",
        "auto_proxy": "",
        "PROXY_PAC_URL": "x",
        "UNPACK": "x",
    }
    one = places(LiveFiles(str(root)), environ)[0]
    assert (one.reader, one.path, one.cgi, one.empty) == (ProxyReader.PROCESS, "", True, ("HTTP_PROXY",))
    assert one.pac == ("AUTO_PROXY", "PROXY_PAC_URL")
    assert {v.name: v.value for v in one.variables} == {"https_proxy": P, "no_proxy": " a.test , b.test"}
    assert "se%40cret" not in repr(one) and redact("it was se@cret") == "it was [redacted]"


def test_a_value_that_cannot_be_read_is_not_shown(root):
    one = places(LiveFiles(str(root)), {"https_proxy": "u:pass word@:x", "http_proxy": "   "})[0]
    assert [(v.name, v.value, v.valid) for v in one.variables] == [
        ("https_proxy", "", False),
        ("http_proxy", "", False),
    ]


def test_drop_ins_of_systemd(root):
    write(
        root, "usr/lib/systemd/system/docker.service", "[Service]\nEnvironment=HTTP_PROXY=http://gone:1 NO_PROXY=kept\n"
    )
    write(root, f"{DROP_IN}/10-a.conf", "[Service]\n# Environment=X=1\nEnvironment=\nEnvironment='NO_PROXY=a b,c'\n")
    write(root, f"{DROP_IN}/20-b.conf", f'[Service]\nEnvironment="HTTPS_PROXY=http://u:p%%40ss@proxy.corp:3128" \\\n# in between\n  HTTP_PROXY={Q}\n')  # fmt: skip
    write(root, f"{DROP_IN}/30-c.conf", '[Service]\nEnvironment="broken\nUnsetEnvironment=HTTP_PROXY\n')
    write(root, f"{DROP_IN}/note.txt", "[Service]\nEnvironment=HTTPS_PROXY=http://no:1\n")
    assert read(root, ProxyReader.DOCKERD) == {
        f"/{DROP_IN}/10-a.conf": {"NO_PROXY": "a b,c"},
        f"/{DROP_IN}/20-b.conf": {"HTTPS_PROXY": P},
    }


def test_of_two_fragments_and_of_two_drop_ins_the_first_folder_counts(root):
    write(root, "usr/lib/systemd/system/containerd.service", f"[Service]\nEnvironment=HTTPS_PROXY={Q}\n")
    write(root, "etc/systemd/system/containerd.service", "[Service]\nEnvironment=NO_PROXY=x\n")
    write(root, "run/systemd/system/containerd.service.d/p.conf", f"[Service]\nEnvironment=HTTP_PROXY={Q}\n")
    write(root, "etc/systemd/system/containerd.service.d/p.conf", f"[Service]\nEnvironment=HTTP_PROXY={P}\n")
    write(root, "etc/systemd/system/service.d/all.conf", f"[Service]\nEnvironment=https_proxy={P}\n")
    assert read(root, ProxyReader.CONTAINERD) == {
        "/etc/systemd/system/containerd.service": {"NO_PROXY": "x"},
        "/etc/systemd/system/service.d/all.conf": {"https_proxy": P},
        "/etc/systemd/system/containerd.service.d/p.conf": {"HTTP_PROXY": P},
    }


def test_environment_files_win_over_environment(root):
    write(root, f"{DROP_IN}/p.conf", f"[Service]\nEnvironment=HTTPS_PROXY={Q}\nEnvironmentFile=/etc/gone\nEnvironmentFile=\nEnvironmentFile=-/etc/default/docker\nEnvironmentFile=-/etc/missing\n")  # fmt: skip
    write(root, "etc/gone", f"HTTP_PROXY={Q}\n")
    write(root, "etc/default/docker", f"# DOCKER_OPTS=x\nexport HTTPS_PROXY=\"{P}\"\nNO_PROXY='a,b'\n")
    found = read(root, ProxyReader.DOCKERD)
    assert list(found) == [f"/{DROP_IN}/p.conf", "/etc/default/docker"], "the later wins"
    assert found["/etc/default/docker"] == {"HTTPS_PROXY": P, "NO_PROXY": "a,b"}


@pytest.mark.parametrize("path", ["/etc/proxy.d/*.env", "etc/proxy", "-/etc/%p"])
def test_an_environment_file_that_cannot_be_followed_is_no_none(root, path):
    write(root, f"{DROP_IN}/p.conf", f"[Service]\nEnvironmentFile={path}\n")
    assert state(root, ProxyReader.DOCKERD)[path.removeprefix("-")] is PlaceState.BROKEN


def test_every_service_has_the_default_environment(root):
    write(root, "etc/systemd/system.conf", "[Manager]\n#DefaultEnvironment=\n")
    write(root, "etc/systemd/system.conf.d/p.conf", f"[Manager]\nDefaultEnvironment=https_proxy={P}\n")
    assert read(root, ProxyReader.SERVICES) == {"/etc/systemd/system.conf.d/p.conf": {"https_proxy": P}}


def test_daemon_json_and_config_json(root):
    proxies = {"http-proxy": P, "https-proxy": "https://u:secret1@proxy.corp", "no-proxy": "a, b", "x": 1}
    write(root, "etc/docker/daemon.json", json.dumps({"proxies": proxies}))
    assert read(root, ProxyReader.DOCKERD) == {
        "/etc/docker/daemon.json": {"http-proxy": P, "https-proxy": "https://proxy.corp:443", "no-proxy": "a, b"}
    }
    write(root, "root/.docker/config.json", json.dumps({"proxies": {"default": {"httpsProxy": P, "noProxy": "a"}}}))
    config = {"https_proxy": P, "HTTPS_PROXY": P, "no_proxy": "a", "NO_PROXY": "a"}
    assert read(root, ProxyReader.CONTAINERS) == {"/root/.docker/config.json": config}
    write(root, "elsewhere/config.json", json.dumps({"proxies": {"default": {"httpProxy": Q}}}))
    assert list(read(root, ProxyReader.CONTAINERS, DOCKER_CONFIG="/elsewhere")) == ["/elsewhere/config.json"]


@pytest.mark.parametrize("text", ["", "{}", '{"proxies": []}', '{"proxies": {"http-proxy": 3}}', "[]"])
def test_a_daemon_json_without_proxies(root, text):
    write(root, "etc/docker/daemon.json", text)
    assert state(root, ProxyReader.DOCKERD)["/etc/docker/daemon.json"] is PlaceState.READ
    assert read(root, ProxyReader.DOCKERD) == {}


def test_what_is_absent_broken_or_no_file(root):
    absent = state(root, ProxyReader.DOCKERD)
    assert absent == {"docker.service": PlaceState.ABSENT, "/etc/docker/daemon.json": PlaceState.ABSENT}
    write(root, "etc/docker/daemon.json", "{")
    write(root, "usr/lib/systemd/system/docker.service", "[Service]\n")
    (root / "etc/environment").mkdir()
    found = state(root, ProxyReader.DOCKERD)
    assert found == {"docker.service": PlaceState.READ, "/etc/docker/daemon.json": PlaceState.BROKEN}
    assert state(root, ProxyReader.LOGIN) == {"/etc/environment": PlaceState.BROKEN}


class Closed(LiveFiles):
    """Says that some paths are closed; as root nothing is."""

    def __init__(self, root, *paths):
        super().__init__(str(root))
        self._paths = paths

    def read_text(self, path, *, limit=1 << 20):
        if path in self._paths:
            raise PermissionError(path)
        return super().read_text(path, limit=limit)

    def list_folder(self, path):
        if path in self._paths:
            raise PermissionError(path)
        return super().list_folder(path)


def test_what_is_closed(root):
    write(root, f"{DROP_IN}/p.conf", f"[Service]\nEnvironment=HTTPS_PROXY={P}\n")
    write(root, f"{DROP_IN}/q.conf", "[Service]\n")
    closed = Closed(root, f"/{DROP_IN}/q.conf", "/run/systemd/system", "/etc/docker/daemon.json", "/etc/apt/apt.conf.d")
    found = [(p.path, p.state) for p in places(closed, {}) if p.reader in (ProxyReader.DOCKERD, ProxyReader.APT)]
    assert found == [
        ("/run/systemd/system", PlaceState.DENIED),
        (f"/{DROP_IN}/q.conf", PlaceState.DENIED),
        (f"/{DROP_IN}/p.conf", PlaceState.READ),
        ("/etc/docker/daemon.json", PlaceState.DENIED),
        ("/etc/apt/apt.conf.d", PlaceState.DENIED),
    ]


def test_wget_apt_and_logins(root):
    write(root, "etc/wgetrc", f"#https_proxy = x\nHTTPS-Proxy = {P}\nno_proxy = a, b\nuse_proxy = on\n")
    assert read(root, ProxyReader.WGET) == {"/etc/wgetrc": {"https_proxy": P, "no_proxy": "a, b"}}
    write(root, "etc/apt/apt.conf.d/90proxy", f'// Acquire::http::Proxy "x";\nAcquire::http::Proxy "{P}";\nAcquire::https::proxy "DIRECT";\n')  # fmt: skip
    write(root, "etc/apt/apt.conf.d/10other", "APT::X 1;\n")
    assert state(root, ProxyReader.APT) == {"/etc/apt/apt.conf.d/90proxy": PlaceState.READ}
    assert read(root, ProxyReader.APT)["/etc/apt/apt.conf.d/90proxy"] == {"http_proxy": P}
    write(root, "etc/environment", f'PATH="/bin"\nhttps_proxy={P}\n#no_proxy=x\nno_proxy="a,b"\nbare\n')
    assert read(root, ProxyReader.LOGIN) == {"/etc/environment": {"https_proxy": P, "no_proxy": "a,b"}}
