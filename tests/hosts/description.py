"""What a hand-built host is made of: the fields of a file under ``tests/hosts`` (see the README there).

Read as strictly as a cassette: one form for every value, unknown fields refused, errors with file and line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationError

from vorflug.host import plain_yaml
from vorflug.host.cassette import Call
from vorflug.model.base import Frozen
from vorflug.model.quantity import Size
from vorflug.ports.accounts import Sudo, User
from vorflug.ports.clock import KernelClock
from vorflug.ports.commands import Completed
from vorflug.ports.containers import Engine
from vorflug.ports.files import Quota
from vorflug.ports.packages import Inventory
from vorflug.ports.processes import Process
from vorflug.ports.routing import Network
from vorflug.ports.sockets import InterfaceAddress, Listener
from vorflug.ports.system import Kernel

HERE = Path(__file__).parent
BASES = HERE / "base"
MERGED = ("files", "links", "mounts", "commands", "owners")
"""Fields whose entries are those of the base where this file says nothing; null takes one away."""


class Repeated(Frozen):
    """A part of a long file: *text* for each number, ``{n}`` standing for it (blocks of /proc/cpuinfo)."""

    text: str
    times: int = 1
    first: int = 0

    def written(self) -> str:
        return "".join(self.text.replace("{n}", str(n)) for n in range(self.first, self.first + self.times))


class Owner(Frozen):
    """Who owns a path; root:root with the usual bits where nothing is said."""

    mode: Annotated[int, PlainValidator(lambda text: int(str(text), 8))]
    uid: int = 0
    gid: int = 0


class MountedHere(Frozen):
    """A line of mountinfo, and what statvfs(3) and quotactl(2) say there."""

    kind: str
    source: str
    device: str
    root: str = "/"
    options: tuple[str, ...] = ("rw", "relatime")
    total: Size = 0
    free: Size = 0
    """For this user."""
    used: Size | None = None
    """All that is not free, unless blocks are reserved for root."""
    inodes: int = 0
    free_inodes: int = 0
    ftype: bool | None = None
    """Of an XFS."""
    quotas: tuple[Quota, ...] | Literal["denied", "unsupported"] = ()


class Case(Frozen):
    """What the host is judged for."""

    model: str = "compose"
    size: str = "S"
    phase: str = "pre-install"
    parameters: dict[str, Any] = Field(default_factory=dict)


class Expected(Frozen):
    """What is right: the outcome, and words that a person must read there in English."""

    outcome: Literal["met", "unmet", "unknown", "not_applicable"]
    seen: str = ""
    because: str = ""
    fix: str = ""


def _expected(value: Any) -> Expected:
    return Expected.model_validate({"outcome": value} if isinstance(value, str) else value)


class Description(Frozen):
    """A host: either its parts, or a *cassette*."""

    about: str
    origin: str
    base: str | None = None
    cassette: str | None = None
    """A file beside this one, made by ``vorflug record``."""
    files: dict[str, str | tuple[Repeated, ...]] = Field(default_factory=dict)
    links: dict[str, str] = Field(default_factory=dict)
    folders: tuple[str, ...] = ()
    """``{0-63}`` stands for each of these numbers."""
    denied: tuple[str, ...] = ()
    """Closed to this user, with all below."""
    hangs: tuple[str, ...] = ()
    """Whatever asks there gets no answer: what the engine's deadline makes of a hung call is TimeoutError."""
    owners: dict[str, Owner] = Field(default_factory=dict)
    writable: tuple[str, ...] = ()
    mounts: dict[str, MountedHere] = Field(default_factory=dict)
    uname: Kernel = Kernel("6.1.0-18-amd64", "x86_64")
    memory_modules: tuple[int, ...] | None = None
    """None where the firmware tells nothing."""
    container_variable: str | None = None
    processes: tuple[Process, ...] = ()
    processes_hidden: bool = False
    programs: tuple[str, ...] = ()
    """Absolute paths of programs that are there and say nothing."""
    commands: dict[str, Completed] = Field(default_factory=dict)
    tcp: tuple[Listener, ...] | Literal["denied", "unsupported"] = ()
    udp: tuple[Listener, ...] | Literal["denied", "unsupported"] = ()
    addresses: tuple[InterfaceAddress, ...] = ()
    clock: KernelClock | Literal["denied"] = KernelClock(
        unsynchronised=False, offset_s=0.0, max_error_s=0.02, estimated_error_s=0.001
    )
    user: User = User(0, "root", ("root",))
    sudo: Sudo = Sudo.ABSENT
    packages: Inventory | None = None
    routing: Network | Literal["denied"] | None = None
    engine: Engine | None = None
    now: str = "2026-11-25T10:00:00Z"
    calls: tuple[Call, ...] = ()
    """Answers of any port, in the form of a cassette; they come before all else."""
    case: Case = Case()
    expect: dict[str, Annotated[Expected, PlainValidator(_expected)]] = Field(default_factory=dict)


def files() -> list[Path]:
    """Every host there is."""
    return sorted(path for path in HERE.glob("*.yaml") if not path.name.endswith(".cassette.yaml"))


def load(name: str) -> Description:
    """The host called *name*, with what its bases bring."""
    path = HERE / f"{name}.yaml"
    document = _whole(path)
    try:
        return Description.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _whole(path: Path) -> dict[str, Any]:
    document = dict(plain_yaml.read(path.read_bytes(), path.name))
    base = document.pop("base", None)
    if base is None:
        return document
    whole = _whole(BASES / f"{base}.yaml")
    for field in ("about", "origin", "expect"):
        whole.pop(field, None)  # a base is no host
    for field, value in document.items():
        if field in MERGED:
            merged = {**whole.get(field, {}), **value}
            whole[field] = {key: item for key, item in merged.items() if item is not None}
        elif field == "calls":
            whole[field] = [*value, *whole.get(field, [])]
        else:
            whole[field] = value
    return whole
