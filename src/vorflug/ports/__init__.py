"""What an area may ask of the machine.  Protocols and plain values only: no I/O happens here.

One file per port.  Every method takes plain values and gives back frozen dataclasses (or str, int, bool, None and
tuples of those), so that any host can be recorded into a cassette and played back.  Methods raise

* ``FileNotFoundError``, ``NotADirectoryError``, ``IsADirectoryError``: it is not there, or is something else;
* ``PermissionError``: the operating system refused to say;
* ``NotImplementedError``: this machine cannot answer that kind of question;
* ``TimeoutError``: there was no answer before the question's deadline;
* ``ValueError``: there was an answer that makes no sense.

A secret never crosses a port: methods that read files with secrets give back key names and predicates.
"""

from __future__ import annotations

from typing import Protocol

from vorflug.ports.accounts import Accounts
from vorflug.ports.certificates import Certificates
from vorflug.ports.clock import Clock
from vorflug.ports.commands import Commands
from vorflug.ports.containers import Containers
from vorflug.ports.files import Files
from vorflug.ports.kubernetes import Kubernetes
from vorflug.ports.machine import Machine
from vorflug.ports.net import Net
from vorflug.ports.package import Package
from vorflug.ports.packages import Packages
from vorflug.ports.processes import Processes
from vorflug.ports.registry import Registry
from vorflug.ports.routing import Routing
from vorflug.ports.sockets import Sockets
from vorflug.ports.storage_speed import StorageSpeed
from vorflug.ports.system import System

__all__ = [
    "PORTS",
    "Accounts",
    "Certificates",
    "Clock",
    "Commands",
    "Containers",
    "Files",
    "Host",
    "Kubernetes",
    "Machine",
    "Net",
    "Package",
    "Packages",
    "Processes",
    "Registry",
    "Routing",
    "Sockets",
    "StorageSpeed",
    "System",
]

PORTS = (
    "files",
    "commands",
    "sockets",
    "clock",
    "accounts",
    "net",
    "certificates",
    "containers",
    "kubernetes",
    "package",
    "registry",
    "machine",
    "packages",
    "processes",
    "routing",
    "storage_speed",
)
"""The names of a host's ports, as a cassette keys them."""

COMPUTED = ("system",)
"""Ports that are worked out from the others, of a live host and of a recorded one alike: no cassette has them."""


class Host(Protocol):
    """The machine under inspection, live or recorded."""

    @property
    def files(self) -> Files: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def system(self) -> System: ...
    @property
    def sockets(self) -> Sockets: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def net(self) -> Net: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def containers(self) -> Containers: ...
    @property
    def kubernetes(self) -> Kubernetes: ...
    @property
    def package(self) -> Package: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def machine(self) -> Machine: ...
    @property
    def packages(self) -> Packages: ...
    @property
    def processes(self) -> Processes: ...
    @property
    def routing(self) -> Routing: ...
    @property
    def storage_speed(self) -> StorageSpeed: ...
