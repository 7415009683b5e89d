"""The cassette: what was asked of a host and what it said, as a document that people can read.

Format ``vorflug/cassette/1``, YAML as `vorflug.host.plain_yaml` writes it; docs/recordings.md tells what is in it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from vorflug import ports
from vorflug.host import plain_yaml
from vorflug.host.secrets import redact
from vorflug.model.base import Frozen

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
        return key_of(self.port, self.method, self.arguments)

    @model_validator(mode="after")
    def _known(self) -> Call:
        if self.port not in ports.PORTS or self.method not in methods(self.port):
            raise ValueError(f"wanted a method of a host's ports, saw {self.port}.{self.method}")
        return self


def key_of(port: str, method: str, arguments: Mapping[str, Any]) -> str:
    """Equal for equal calls."""
    return f"{port}.{method}({json.dumps(arguments, sort_keys=True, ensure_ascii=True)})"


class Recorded(Frozen):
    """What the recording was made with, for whoever replays it."""

    vorflug: str
    """The version that recorded."""
    profile: str
    """``name@version``."""
    model: str
    size: str
    phase: str
    elevated: bool
    """Whether root asked."""
    network: bool
    """Whether other machines were asked too."""
    complete: bool
    """False where the recording was interrupted."""
    thorough: bool = False
    """Whether what takes minutes was asked for, too (``--thorough``)."""


class Cassette(Frozen):
    """What was asked of a host and what it said, without secrets.  Equal calls keep the order of their answers."""

    schema_: Literal["vorflug/cassette/1"] = Field("vorflug/cassette/1", alias="schema")
    recorded: Recorded | None = None
    """None where it was not ``vorflug record`` that made it."""
    calls: tuple[Call, ...]

    model_config = ConfigDict(populate_by_name=True)

    def to_yaml(self) -> str:
        """The cassette as text, calls in a stable order, so that two recordings can be compared."""
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
        made = {"recorded": self.recorded.model_dump()} if self.recorded is not None else {}
        return plain_yaml.write({"schema": self.schema_, **made, "calls": calls})

    @classmethod
    def from_yaml(cls, data: str | bytes, name: str = "cassette") -> Cassette:
        """Read one; *name* is the file's.  Raises ValueError with file and line for anything else."""
        document = plain_yaml.read(data, name)
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            line = _line(document, wrong["loc"])
            where = ".".join(str(step) for step in wrong["loc"])
            raise ValueError(f"{name}:{line}: {where}: {wrong['msg']}") from None


def _line(document: Any, path: tuple[int | str, ...]) -> int:
    """The line of the mapping that is nearest to *path*."""
    line = 1
    for step in path:
        line = getattr(document, "line", line)
        try:
            document = document[step]
        except (LookupError, TypeError):
            break
    return getattr(document, "line", line)


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
