"""The machine that we run on.  Each port is a file of its own, imported when it is first asked."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from functools import cached_property
from time import monotonic
from types import ModuleType

from vorflug import ports

_LIBRARIES = ("httpx", "psutil", "yaml")
"""What the ports import where they use it."""
_OF_NETPROBE = (
    "OpenSSL.SSL",
    "certifi",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "dns.message",
    "dns.query",
    "dns.reversename",
    "h11",
    "idna",
    "service_identity.cryptography",
    "wsproto.connection",
    "wsproto.utilities",
)
"""What netprobe imports where it uses it."""


def prepare() -> None:
    """Import all that questions may need, before there are threads.

    Modules that import each other, imported by two threads at once, can be seen half-made: to avoid a deadlock Python
    lets one of the threads have the module as it is (importlib._bootstrap, ``_ModuleLock``).
    """
    from vorflug.host import system  # noqa: F401 - it is computed for every live host

    # httpx brings a command line of its own and, where they are installed, rich and pygments for it: 4 MB for nothing
    # (None: import system of the Python reference, "The module cache"; httpx then does without)
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    _import_all(sys.modules[__name__], _LIBRARIES)
    prepare_network()


def prepare_network() -> None:
    """The same for the network alone."""
    from vorflug import netprobe

    _import_all(netprobe, _OF_NETPROBE)


def _import_all(package: ModuleType, libraries: Iterable[str]) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    for library in libraries:
        importlib.import_module(library)


class Patience:
    """How long a question may still take."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than 0.  Raises TimeoutError when there are none."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the time for this question is over")
        return left


class LiveHost:
    """Answers from this machine, every call ending before *seconds* have passed."""

    def __init__(self, seconds: float) -> None:
        self._patience = Patience(seconds)

    @cached_property
    def files(self) -> ports.Files:
        from vorflug.host.live.files import LiveFiles

        return LiveFiles()

    @cached_property
    def commands(self) -> ports.Commands:
        from vorflug.host.live.commands import LiveCommands

        return LiveCommands(self._patience)

    @cached_property
    def system(self) -> ports.System:
        from vorflug.host.system import ComputedSystem

        return ComputedSystem(self.files, self.machine, self._patience.left)

    @cached_property
    def sockets(self) -> ports.Sockets:
        from vorflug.host.live.sockets import LiveSockets

        return LiveSockets(self._patience)

    @cached_property
    def clock(self) -> ports.Clock:
        from vorflug.host.live.clock import LiveClock

        return LiveClock(self._patience)

    @cached_property
    def accounts(self) -> ports.Accounts:
        from vorflug.host.live.accounts import LiveAccounts

        return LiveAccounts(self._patience)

    @cached_property
    def net(self) -> ports.Net:
        from vorflug.host.live.net import LiveNet

        return LiveNet(self._patience)

    @cached_property
    def certificates(self) -> ports.Certificates:
        from vorflug.host.live.certificates import LiveCertificates

        return LiveCertificates()

    @cached_property
    def containers(self) -> ports.Containers:
        from vorflug.host.live.containers import LiveContainers

        return LiveContainers(self._patience)

    @cached_property
    def kubernetes(self) -> ports.Kubernetes:
        from vorflug.host.live.kubernetes import LiveKubernetes

        return LiveKubernetes(self._patience)

    @cached_property
    def package(self) -> ports.Package:
        from vorflug.host.live.package import LivePackage

        return LivePackage()

    @cached_property
    def registry(self) -> ports.Registry:
        from vorflug.host.live.registry import LiveRegistry

        return LiveRegistry(self._patience)

    @cached_property
    def machine(self) -> ports.Machine:
        from vorflug.host.live.machine import LiveMachine

        return LiveMachine(self._patience)

    @cached_property
    def packages(self) -> ports.Packages:
        from vorflug.host.live.packages import LivePackages

        return LivePackages(self._patience)

    @cached_property
    def processes(self) -> ports.Processes:
        from vorflug.host.live.processes import LiveProcesses

        return LiveProcesses(self._patience)

    @cached_property
    def routing(self) -> ports.Routing:
        from vorflug.host.live.routing import LiveRouting

        return LiveRouting(self._patience)

    @cached_property
    def storage_speed(self) -> ports.StorageSpeed:
        from vorflug.host.live.storage_speed import LiveStorageSpeed

        return LiveStorageSpeed(self._patience)
