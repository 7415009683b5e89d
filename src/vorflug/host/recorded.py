"""A host that answers from a cassette: what another machine said, in the order in which it said it.

Nothing here knows the ports: their methods, arguments and results are read from the Protocols in `vorflug.ports`, and
pydantic carries the values to the cassette and back.  See ``recording.py`` for the way in and ``cassette.py`` for the
document.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, cast

from vorflug import ports
from vorflug.host.cassette import Call, Cassette, Method, key_of, methods
from vorflug.host.system import ComputedSystem


class NotRecorded(NotImplementedError):
    """The cassette holds no answer to a call.  Reads as *unsupported*, so that a gap is never taken for a pass."""


class Switchboard(ABC):
    """A host all of whose ports go through one function; computed ports ask the others."""

    @abstractmethod
    def call(self, port: str, method: Method, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Answer one call."""

    def _port(self, name: str) -> Any:
        return _Port(name, self.call)

    @property
    def files(self) -> ports.Files:
        return cast(ports.Files, self._port("files"))

    @property
    def commands(self) -> ports.Commands:
        return cast(ports.Commands, self._port("commands"))

    @property
    def system(self) -> ports.System:
        return ComputedSystem(self.files, self.machine)

    @property
    def sockets(self) -> ports.Sockets:
        return cast(ports.Sockets, self._port("sockets"))

    @property
    def clock(self) -> ports.Clock:
        return cast(ports.Clock, self._port("clock"))

    @property
    def accounts(self) -> ports.Accounts:
        return cast(ports.Accounts, self._port("accounts"))

    @property
    def net(self) -> ports.Net:
        return cast(ports.Net, self._port("net"))

    @property
    def certificates(self) -> ports.Certificates:
        return cast(ports.Certificates, self._port("certificates"))

    @property
    def containers(self) -> ports.Containers:
        return cast(ports.Containers, self._port("containers"))

    @property
    def kubernetes(self) -> ports.Kubernetes:
        return cast(ports.Kubernetes, self._port("kubernetes"))

    @property
    def package(self) -> ports.Package:
        return cast(ports.Package, self._port("package"))

    @property
    def registry(self) -> ports.Registry:
        return cast(ports.Registry, self._port("registry"))

    @property
    def machine(self) -> ports.Machine:
        return cast(ports.Machine, self._port("machine"))

    @property
    def packages(self) -> ports.Packages:
        return cast(ports.Packages, self._port("packages"))

    @property
    def processes(self) -> ports.Processes:
        return cast(ports.Processes, self._port("processes"))

    @property
    def routing(self) -> ports.Routing:
        return cast(ports.Routing, self._port("routing"))

    @property
    def storage_speed(self) -> ports.StorageSpeed:
        return cast(ports.StorageSpeed, self._port("storage_speed"))


class _Port:
    """Any port: its attributes are the Protocol's methods and nothing else."""

    def __init__(self, name: str, call: Callable[[str, Method, tuple[Any, ...], Mapping[str, Any]], Any]) -> None:
        self._name = name
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = methods(self._name).get(name)
        if method is None:
            raise AttributeError(f"the port {self._name!r} has no method {name!r}")
        return lambda *args, **kwargs: self._call(self._name, method, args, kwargs)


# ---- the host --------------------------------------------------------------------------------------------------------


class RecordedHost(Switchboard):
    """Answers as the recorded machine did.  Equal calls get its answers in turn, and the last one from then on.

    Safe from several threads.  A call that was never recorded raises `NotRecorded`.
    """

    def __init__(self, cassette: Cassette) -> None:
        self._lock = Lock()
        self._answers: dict[str, list[Call]] = {}
        for call in cassette.calls:
            self._answers.setdefault(call.key, []).append(call)

    def call(self, port: str, method: Method, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        key = key_of(port, method.name, method.written(args, kwargs))
        with self._lock:
            answers = self._answers.get(key)
            if answers is None:
                raise NotRecorded(f"the cassette holds no answer to {key}: record it again with this version")
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.raises is not None:
            raise answer.raises.error()
        return method.result.validate_python(answer.returns)
