"""A host that answers from a cassette: what another machine said, in the order in which it said it.

Nothing here knows the ports: their methods, arguments and results are read from the Protocols in `vorflug.ports`, and
pydantic carries the values to JSON and back.  See ``recording.py`` for the way in.
"""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Annotated, Any, Literal, cast, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, model_validator

from vorflug import ports
from vorflug.host.secrets import redact
from vorflug.model.base import Frozen


class NotRecorded(NotImplementedError):
    """The cassette holds no answer to a call.  Reads as *unsupported*, so that a gap is never taken for a pass."""


# ---- what a port is --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """One method of a port, as its Protocol declares it."""

    name: str
    signature: inspect.Signature
    arguments: Mapping[str, TypeAdapter[Any]]
    result: TypeAdapter[Any]

    def written(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, defaults filled in, as redacted plain JSON values.

        Raises TypeError where they do not fit the Protocol.
        """
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return {
            name: redacted(self.arguments[name].dump_python(value, mode="json"))
            for name, value in bound.arguments.items()
        }


@cache
def methods(port: str) -> Mapping[str, Method]:
    """The methods of the port called *port*.  Raises KeyError where a host has no such port."""
    if port not in ports.PORTS:
        raise KeyError(port)
    protocol = get_type_hints(vars(ports.Host)[port].fget)["return"]
    found = {}
    for name, function in inspect.getmembers(protocol, inspect.isfunction):
        if name.startswith("_"):
            continue
        hints = get_type_hints(function)
        result = TypeAdapter(hints.pop("return"))
        signature = inspect.signature(function)
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])  # without self
        found[name] = Method(name, signature, {n: TypeAdapter(hint) for n, hint in hints.items()}, result)
    return found


class Switchboard(ABC):
    """A host all of whose ports go through one function."""

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
        return cast(ports.System, self._port("system"))

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


# ---- the document ----------------------------------------------------------------------------------------------------

_RAISED: tuple[type[Exception], ...] = (
    FileNotFoundError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
    TimeoutError,
    ConnectionError,
    OSError,
    NotImplementedError,
    ValueError,
    LookupError,
    RuntimeError,
)
"""What a call may raise from a cassette, the more special first.  A closed list: a cassette is data from outside."""
_TYPES = {kind.__name__: kind for kind in _RAISED}


def _known_type(name: str) -> str:
    if name not in _TYPES:
        raise ValueError(f"wanted one of {', '.join(_TYPES)}, saw {name[:64]!r}")
    return name


class Raised(Frozen):
    """An exception: the nearest of the types that ports may raise, and its words."""

    type: Annotated[str, AfterValidator(_known_type)]
    says: str
    errno: int | None = None
    path: str | int | None = None
    """The file that it is about; a number where that was an open one."""

    @classmethod
    def of(cls, error: Exception) -> Raised:
        """Write *error*; a type that no port should raise becomes RuntimeError, its name before its words."""
        kind = next((kind for kind in _RAISED if isinstance(error, kind)), None)
        if kind is None:
            return cls(type="RuntimeError", says=f"{type(error).__name__}: {error}")
        if isinstance(error, OSError) and error.errno is not None:
            path = error.filename if isinstance(error.filename, int | None) else str(error.filename)
            return cls(type=kind.__name__, says=error.strerror or "", errno=error.errno, path=path)
        return cls(type=kind.__name__, says=str(error))

    def error(self) -> Exception:
        """Read it back."""
        kind = _TYPES[self.type]
        if issubclass(kind, OSError) and self.errno is not None:
            error = OSError(self.errno, self.says, self.path)  # Python picks the subclass by the number
            if isinstance(error, kind):
                return error
        return kind(self.says)


class Call(Frozen):
    """One call and its outcome: *returns* or *raises*."""

    port: str
    method: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    """By parameter name, defaults included."""
    returns: Any = None
    raises: Raised | None = None

    @property
    def key(self) -> str:
        """Equal for equal calls."""
        return _key(self.port, self.method, self.arguments)

    @model_validator(mode="after")
    def _known(self) -> Call:
        if self.port not in ports.PORTS or self.method not in methods(self.port):
            raise ValueError(f"wanted a method of a host's ports, saw {self.port}.{self.method}")
        return self


def _key(port: str, method: str, arguments: Mapping[str, Any]) -> str:
    return f"{port}.{method}({json.dumps(arguments, sort_keys=True, ensure_ascii=True)})"


class Cassette(Frozen):
    """What was asked of a host and what it said, without secrets.  Equal calls keep the order of their answers."""

    schema_: Literal["vorflug/cassette/1"] = Field("vorflug/cassette/1", alias="schema")
    calls: tuple[Call, ...]

    model_config = ConfigDict(populate_by_name=True)

    def to_json(self) -> str:
        """The cassette as text: indented, calls in a stable order, so that two recordings can be compared."""
        calls = [
            {
                "port": call.port,
                "method": call.method,
                **({"arguments": call.arguments} if call.arguments else {}),
                **(
                    {"returns": call.returns}
                    if call.raises is None
                    else {"raises": call.raises.model_dump(exclude_none=True)}
                ),
            }
            for call in sorted(self.calls, key=lambda call: call.key)  # a stable sort: equal calls stay in order
        ]
        return json.dumps({"schema": self.schema_, "calls": calls}, indent=1, ensure_ascii=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Cassette:
        """Read one.  Raises ValueError (pydantic's ValidationError is one) for anything else."""
        return cls.model_validate(json.loads(text))


def redacted(value: Any) -> Any:
    """A plain JSON value with every string redacted."""
    match value:
        case str():
            return redact(value)
        case list():
            return [redacted(item) for item in value]
        case dict():
            return {redact(key): redacted(item) for key, item in value.items()}
        case _:
            return value


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
        key = _key(port, method.name, method.written(args, kwargs))
        with self._lock:
            answers = self._answers.get(key)
            if answers is None:
                raise NotRecorded(f"the cassette holds no answer to {key}: record it again with this version")
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.raises is not None:
            raise answer.raises.error()
        return method.result.validate_python(answer.returns)
