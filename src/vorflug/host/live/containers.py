"""The Docker Engine over its Unix socket, by plain HTTP.  Nothing is created, started or changed."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import stat
import tomllib
from collections.abc import Mapping
from typing import Any

from vorflug.host.live import Patience
from vorflug.host.live.files import LiveFiles
from vorflug.host.live.secret_values import remember_all
from vorflug.host.live.structured import Unparsable, parse_json
from vorflug.host.secrets import redact, remember
from vorflug.model.message import visible
from vorflug.model.whole_file import NotWhole, uncut
from vorflug.ports.containers import AddressPool, DaemonFile, Engine, EngineNetwork, EngineState

DEFAULT_SOCKET = "/var/run/docker.sock"
"""dockerd(8), ``--host``."""
DAEMON_FILE = "/etc/docker/daemon.json"
CONTAINERD_FILE = "/etc/containerd/config.toml"
_CONTAINERD_ROOT = "/var/lib/containerd"
"""containerd's ops.md: the default of ``root``."""
_MOST_BYTES = 4 << 20
"""``/info`` of a busy engine has about 6 KB, ``/networks`` about 1 KB for each network."""
_MOST_OF_A_FILE = 1 << 20
"""Bytes of a settings file: dockerd's and containerd's have a few KB."""
_SHARE = 0.8
"""Of the time left: a silent engine is a value (`EngineState.TIMEOUT`), so it must be found before time is up."""
_PROXY_KEYS = ("http-proxy", "https-proxy", "no-proxy")


_HOST = r"(?:[A-Za-z0-9._*-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
_PROXY = re.compile(rf"(?:[a-z][a-z0-9+.-]{{0,30}}://)?(?:\[redacted\]@)?{_HOST}(?::[0-9]{{1,5}})?/?")
"""A proxy as it may be shown; anything else may be a password that was not escaped."""
_EXCEPTION = re.compile(rf"{_HOST}(?::[0-9]{{1,5}})?|[0-9A-Fa-f:.]{{2,45}}(?:/[0-9]{{1,3}})?")
"""An entry of ``NO_PROXY``: a name, a domain, an address or a network."""
_HIDDEN = "[redacted]"


class _NoAnswer(Exception):
    def __init__(self, state: EngineState, detail: str) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail


class LiveContainers:
    """Asks the engine of this machine."""

    def __init__(
        self,
        patience: Patience,
        *,
        environ: Mapping[str, str] = os.environ,
        daemon_file: str = DAEMON_FILE,
        containerd_file: str = CONTAINERD_FILE,
        default_socket: str = DEFAULT_SOCKET,
    ) -> None:
        self._patience = patience
        self._environ = environ
        self._daemon_file = daemon_file
        self._containerd_file = containerd_file
        self._default_socket = default_socket

    def engine(self) -> Engine:
        host = self._environ.get("DOCKER_HOST", "")
        if host and not host.startswith("unix://"):
            return Engine(EngineState.REMOTE, socket=_shown(host))
        path = self._socket()
        try:
            _reach(path, self._seconds())
            version, info = self._get(path, "/version"), self._get(path, "/info")
        except _NoAnswer as no:
            return Engine(no.state, socket=path, detail=no.detail)
        if not isinstance(version, dict) or not isinstance(info, dict) or not isinstance(version.get("Version"), str):
            return Engine(EngineState.NOT_DOCKER, socket=path, detail="no version in the answer")
        return _engine(path, version, info, self._containerd_root(info))

    def networks(self) -> tuple[EngineNetwork, ...]:
        path = self._socket()
        try:
            _reach(path, self._seconds())
            answer = self._get(path, "/networks")
        except _NoAnswer as no:
            raise ValueError(f"wanted the engine's networks, saw: {no.state} {no.detail}".strip()) from None
        if not isinstance(answer, list):
            raise ValueError("wanted a list of networks from the engine, saw something else")  # noqa: TRY004
        return tuple(sorted((_network(n) for n in answer if isinstance(n, dict)), key=lambda n: n.name))

    def daemon_file(self) -> DaemonFile:
        path = self._daemon_file
        try:
            text = _whole(path)
        except (FileNotFoundError, NotADirectoryError):
            return DaemonFile(path, exists=False)
        if not text.strip():
            return DaemonFile(path, exists=True)  # dockerd takes an empty file as no settings
        settings = parse_json(text, path)
        if not isinstance(settings, dict):
            raise Unparsable(path, 1, "wanted a JSON object")
        return _daemon_file(path, settings)

    def _socket(self) -> str:
        return self._environ.get("DOCKER_HOST", "").removeprefix("unix://") or self._default_socket

    def _seconds(self) -> float:
        return self._patience.left() * _SHARE

    def _get(self, path: str, url: str) -> Any:
        import httpx

        try:
            with (
                # without trust_env=False an HTTP_PROXY of the environment would be asked instead of the socket
                httpx.Client(transport=httpx.HTTPTransport(uds=path), timeout=self._seconds(), trust_env=False) as http,
                http.stream("GET", f"http://docker{url}") as response,
            ):
                body = b""
                for piece in response.iter_raw():
                    body += piece
                    self._patience.left()
                    if len(body) > _MOST_BYTES:
                        raise _NoAnswer(EngineState.NOT_DOCKER, f"{url}: more than {_MOST_BYTES} bytes")
        except (httpx.TimeoutException, TimeoutError):
            raise _NoAnswer(EngineState.TIMEOUT, f"GET {url}") from None
        except httpx.HTTPError as error:
            raise _NoAnswer(EngineState.NOT_DOCKER, f"GET {url}: {type(error).__name__}") from None
        if response.status_code == 403:  # noqa: PLR2004 - what an authorization plugin or a socket proxy answers
            raise _NoAnswer(EngineState.DENIED, f"GET {url}: HTTP 403")
        if response.status_code != 200:  # noqa: PLR2004
            raise _NoAnswer(EngineState.NOT_DOCKER, f"GET {url}: HTTP {response.status_code}")
        try:
            return parse_json(body.decode("utf-8", "replace"), url)
        except Unparsable:
            raise _NoAnswer(EngineState.NOT_DOCKER, f"GET {url}: no JSON") from None

    def _containerd_root(self, info: dict[str, Any]) -> str:
        containerd = info.get("Containerd")
        address = _text(containerd.get("Address")) if isinstance(containerd, dict) else ""
        if address.startswith(("/run/docker/", "/var/run/docker/")):
            return f"{_text(info.get('DockerRootDir'))}/containerd/daemon"  # dockerd runs a containerd of its own
        try:
            root = tomllib.loads(_whole(self._containerd_file)).get("root")
        except (FileNotFoundError, NotADirectoryError):
            return _CONTAINERD_ROOT
        except (PermissionError, NotWhole, tomllib.TOMLDecodeError):
            return ""  # it may say anything
        return root if isinstance(root, str) and root else _CONTAINERD_ROOT


def _whole(path: str) -> str:
    """The whole text of a file.  Raises NotWhole where it is too long, or *path* is no file."""
    try:
        text = LiveFiles().read_text(path, limit=_MOST_OF_A_FILE + 1)
    except IsADirectoryError:
        raise NotWhole(f"{path} is no file but a folder") from None
    except ValueError as error:
        raise NotWhole(str(error)) from None
    return uncut(path, text, _MOST_OF_A_FILE + 1)


def _reach(path: str, seconds: float) -> None:
    """Find out who is behind the socket before HTTP hides it: httpx knows only "connect error"."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
            raise _NoAnswer(EngineState.NOT_DOCKER, "not a socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(seconds)
            probe.connect(path)
    except (FileNotFoundError, NotADirectoryError):
        raise _NoAnswer(EngineState.ABSENT, "ENOENT") from None
    except PermissionError:
        raise _NoAnswer(EngineState.DENIED, "EACCES") from None
    except ConnectionRefusedError:
        raise _NoAnswer(EngineState.REFUSED, "ECONNREFUSED") from None
    except (TimeoutError, BlockingIOError):
        raise _NoAnswer(EngineState.TIMEOUT, "connect") from None
    except OSError as error:
        raise _NoAnswer(EngineState.REFUSED, str(error.strerror or error)) from None


def _engine(path: str, version: dict[str, Any], info: dict[str, Any], containerd_root: str) -> Engine:
    status = {
        row[0]: _text(row[1])
        for row in _list(info.get("DriverStatus"))
        if isinstance(row, list) and len(row) == 2  # noqa: PLR2004 - pairs of name and value
    }
    platform, firewall = version.get("Platform"), info.get("FirewallBackend")
    components = [c for c in _list(version.get("Components")) if isinstance(c, dict)]
    product = _text(platform.get("Name")) if isinstance(platform, dict) else ""
    return Engine(
        EngineState.ANSWERING,
        socket=path,
        # Podman fills the platform with the distribution, and tells its name as the first component
        product=next((n for c in components if "podman" in (n := _text(c.get("Name"))).lower()), product),
        version=_text(version["Version"]),
        api_version=_text(version.get("ApiVersion")),
        os=_text(version.get("Os")),
        arch=_text(version.get("Arch")),
        driver=_text(info.get("Driver")),
        driver_type=status.get("driver-type", ""),
        backing_file_system=status.get("Backing Filesystem", ""),
        data_root=_text(info.get("DockerRootDir")),
        containerd_root=containerd_root,
        cgroup_driver=_text(info.get("CgroupDriver")),
        cgroup_version=_text(info.get("CgroupVersion")),
        http_proxy=_proxy(info.get("HttpProxy")),
        https_proxy=_proxy(info.get("HttpsProxy")),
        no_proxy=visible(_exceptions(info["NoProxy"]), at_most=4000) if isinstance(info.get("NoProxy"), str) else "",
        live_restore=info.get("LiveRestoreEnabled") is True,
        security_options=tuple(_text(o) for o in _list(info.get("SecurityOptions"))),
        logging_driver=_text(info.get("LoggingDriver")),
        address_pools=_pools(info.get("DefaultAddressPools"), "Base", "Size"),
        firewall=_text(firewall.get("Driver")) if isinstance(firewall, dict) else "",
        warnings=tuple(visible(_masked(w)) for w in _list(info.get("Warnings")) if isinstance(w, str)),
    )


def _network(raw: dict[str, Any]) -> EngineNetwork:
    ipam, options = raw.get("IPAM"), raw.get("Options")
    config = [c for c in _list(ipam.get("Config") if isinstance(ipam, dict) else None) if isinstance(c, dict)]
    mtu = options.get("com.docker.network.driver.mtu") if isinstance(options, dict) else None
    return EngineNetwork(
        name=_text(raw.get("Name")),
        driver=_text(raw.get("Driver")),
        subnets=tuple(s for c in config if (s := _cidr(c.get("Subnet")))),
        gateways=tuple(g for c in config if (g := _text(c.get("Gateway")))),
        mtu=int(mtu) if isinstance(mtu, str) and mtu.isdecimal() else None,
    )


def _daemon_file(path: str, settings: dict[str, Any]) -> DaemonFile:
    proxies = settings.get("proxies")
    proxies = proxies if isinstance(proxies, dict) else {}
    remember_all(settings)
    options, ulimits = settings.get("log-opts"), settings.get("default-ulimits")
    nofile = ulimits.get("nofile") if isinstance(ulimits, dict) else None
    nofile = nofile if isinstance(nofile, dict) else {}
    return DaemonFile(
        path,
        exists=True,
        bip=_text(settings.get("bip")) or None,
        address_pools=_pools(settings.get("default-address-pools"), "base", "size"),
        log_driver=_text(settings.get("log-driver")) or None,
        log_options=tuple(sorted(visible(str(name)) for name in options)) if isinstance(options, dict) else (),
        nofile_soft=_number(nofile.get("Soft", nofile.get("soft"))),
        nofile_hard=_number(nofile.get("Hard", nofile.get("hard"))),
        iptables=settings["iptables"] if isinstance(settings.get("iptables"), bool) else None,
        proxies=tuple(key for key in _PROXY_KEYS if proxies.get(key)),
        mtu=_number(settings.get("mtu")),
        data_root=_text(settings.get("data-root") or settings.get("graph")) or None,
    )


def _pools(raw: Any, base: str, size: str) -> tuple[AddressPool, ...]:
    return tuple(
        AddressPool(cidr, number)
        for pool in _list(raw)
        if isinstance(pool, dict)
        and (cidr := _cidr(pool.get(base)))
        and (number := _number(pool.get(size))) is not None
    )


def _cidr(raw: Any) -> str:
    """*raw* as a network in CIDR form; empty where it is none."""
    try:
        return str(ipaddress.ip_network(raw, strict=False)) if isinstance(raw, str) else ""
    except ValueError:
        return ""


def _number(raw: Any) -> int | None:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _text(raw: Any) -> str:
    return visible(raw) if isinstance(raw, str) else ""


def _masked(text: str) -> str:
    """*text* with nothing of any word before its last ``@``, whether or not a scheme shows that it is a URL."""
    return redact(" ".join(_without_userinfo(word) for word in text.split(" ")))


def _without_userinfo(word: str) -> str:
    before, at, host = word.rpartition("@")
    if not at:
        return word
    scheme, separator, userinfo = before.rpartition("://")
    remember(before, userinfo, userinfo.partition(":")[2])
    return f"{scheme}{separator}{_HIDDEN}@{host}"


def _proxy(raw: Any) -> str:
    """A proxy without its credentials; `_HIDDEN` where it is set and is not written as a proxy is."""
    if not isinstance(raw, str) or not raw:
        return ""
    shown = _without_userinfo(raw.strip())
    return shown if _PROXY.fullmatch(shown) else _HIDDEN


def _exceptions(raw: str) -> str:
    """The entries of ``NO_PROXY``, those that are none hidden."""
    entries = (entry.strip() for entry in raw.split(","))
    return ",".join(e if not e or _EXCEPTION.fullmatch(e) else _HIDDEN for e in entries)


def _shown(url: str) -> str:
    """A URL without its credentials (the engine masks them itself, as ``xxxxx``)."""
    return visible(redact(url))
