"""The Docker Engine, asked over its socket, and the daemon's own settings file.

Sources: Docker Engine API v1.41 and later (``GET /version``, ``/info``, ``/networks``); dockerd(8) for daemon.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EngineState(StrEnum):
    """What became of the attempt to ask the engine."""

    ANSWERING = "answering"
    ABSENT = "absent"
    """There is no socket."""
    DENIED = "denied"
    """There is a socket, and this user may not use it."""
    REFUSED = "refused"
    """There is a socket, and nobody listens behind it."""
    TIMEOUT = "timeout"
    """Somebody listens and gave no answer in time."""
    NOT_DOCKER = "not_docker"
    """Somebody answered, but not as the Docker Engine API does."""
    REMOTE = "remote"
    """``DOCKER_HOST`` names something else than a Unix socket, which is not asked."""


@dataclass(frozen=True)
class AddressPool:
    """A range that Docker cuts networks from."""

    base: str
    """CIDR: ``172.17.0.0/12``."""
    size: int
    """Prefix length of the networks cut from it."""


@dataclass(frozen=True)
class Engine:
    """What the engine says about itself; empty beyond *detail* unless it is answering."""

    state: EngineState
    socket: str
    """Path of the socket, or for `EngineState.REMOTE` what ``DOCKER_HOST`` names, without credentials."""
    detail: str = ""
    """Raw evidence, capped: ``ECONNREFUSED``, ``HTTP 500``."""
    product: str = ""
    """``Docker Engine - Community``, ``Podman Engine`` …, as the engine's platform or first component is named."""
    version: str = ""
    api_version: str = ""
    os: str = ""
    arch: str = ""
    driver: str = ""
    """Storage driver: ``overlay2``; with the containerd image store the snapshotter's name, ``overlayfs``."""
    driver_type: str = ""
    """``io.containerd.snapshotter.v1`` with the containerd image store; empty with a graph driver."""
    backing_file_system: str = ""
    data_root: str = ""
    """DockerRootDir."""
    containerd_root: str = ""
    """Where containerd keeps its content: ``/var/lib/containerd`` unless its configuration says otherwise."""
    cgroup_driver: str = ""
    cgroup_version: str = ""
    http_proxy: str = ""
    """Without credentials, as the two below."""
    https_proxy: str = ""
    no_proxy: str = ""
    live_restore: bool = False
    security_options: tuple[str, ...] = ()
    logging_driver: str = ""
    address_pools: tuple[AddressPool, ...] = ()
    """Only where they were set."""
    firewall: str = ""
    """``iptables``, ``iptables+firewalld``, ``nftables``; empty where the engine does not say (before 28)."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineNetwork:
    """A network that the engine has."""

    name: str
    driver: str
    subnets: tuple[str, ...]
    """CIDR, IPv4 and IPv6."""
    gateways: tuple[str, ...]
    mtu: int | None
    """The option ``com.docker.network.driver.mtu``; None where it is not set."""


@dataclass(frozen=True)
class DaemonFile:
    """What daemon.json says about the keys that are judged; None or empty where it says nothing."""

    path: str
    exists: bool
    bip: str | None = None
    """Address and prefix of the default bridge: ``10.200.0.1/24``."""
    address_pools: tuple[AddressPool, ...] = ()
    log_driver: str | None = None
    log_options: tuple[str, ...] = ()
    """Names of the ``log-opts`` that are set; their values stay where they are."""
    nofile_soft: int | None = None
    """``default-ulimits`` nofile: soft limit; -1 is unlimited."""
    nofile_hard: int | None = None
    iptables: bool | None = None
    proxies: tuple[str, ...] = ()
    """Which of ``http-proxy``, ``https-proxy`` and ``no-proxy`` are set."""
    mtu: int | None = None
    data_root: str | None = None


class Containers(Protocol):
    """Asks the Docker Engine, read-only."""

    def engine(self) -> Engine:
        """Version and info of the engine.  That it cannot be asked is a value (`EngineState`), not an exception."""
        ...

    def networks(self) -> tuple[EngineNetwork, ...]:
        """The engine's networks, by name.  Raises ValueError where the engine gives no such answer."""
        ...

    def daemon_file(self) -> DaemonFile:
        """Read daemon.json.  Raises ValueError, with file and line, where it cannot be parsed.

        Raises NotImplementedError, with the file, where it cannot be read: it is too long, or no file.
        """
        ...
