"""What a question touches is written down, or this fails and says what is missing.

Every question is put to this very machine, through a host that notes each call, while an audit hook (PEP 578) notes
each file that is opened, each folder that is listed, each program that is started and each connection that is made.
"""

from __future__ import annotations

import ast
import fnmatch
import inspect
import os
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from vorflug import ports
from vorflug.documents import library
from vorflug.documents.resolve import resolve
from vorflug.documents.site import Site
from vorflug.engine import registry
from vorflug.engine.contacts import CONTROLS, OF_EVERY_RUN
from vorflug.host import live
from vorflug.host.cassette import methods
from vorflug.host.live import LiveHost
from vorflug.host.live.commands import TRUSTED
from vorflug.host.recording import RecordingHost, Tape
from vorflug.model.contact import Contact, ContactKind, Direction, written
from vorflug.model.llm_provider import Provider
from vorflug.model.query import Query
from vorflug.model.requirement import HostSize, Requirement
from vorflug.ports.net import Check, Mode
from vorflug.ports.package import Format, SharedFolder
from vorflug.ports.sockets import Transport
from vorflug.ports.touched import TOUCHED

SOURCE = Path(__file__).resolve().parent.parent.parent / "src" / "vorflug"
KINDS = {kind: query for kind, query in registry.queries().items() if not query.active}

# ---- what happens ----------------------------------------------------------------------------------------------------

_seen: set[tuple[str, str]] | None = None
_OURS = (
    sys.prefix,
    sys.base_prefix + "/lib/python",
    str(SOURCE.parent.parent),
    "/usr/lib/python",
    "/usr/share/zoneinfo",
)
_ALWAYS = {"/dev/null", "/dev/urandom"}


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    match event:
        case "open" | "os.listdir" | "os.scandir" if isinstance(args[0], str):
            _seen.add(("path", args[0]))
        case "subprocess.Popen" | "os.posix_spawn":
            _seen.add(("command", os.fspath(args[0]).rpartition("/")[2]))
        case "socket.connect" | "socket.sendto":
            where = args[1]
            _seen.add(("socket", where) if isinstance(where, str) else ("host", f"{where[0]} {where[1]}"))


sys.addaudithook(_hook)


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections for as long as this test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def sample(type_: type[Query[Any]], port: int, folder: Path) -> Query[Any]:
    """A question of *type_* whose fields name harmless things of this machine."""
    file = folder / "sample"
    file.write_text("A=1\n")
    values: dict[str, Any] = {
        **dict.fromkeys(("path", "env_path", "certificate", "file"), str(file)),
        **dict.fromkeys(("names", "groups", "packages", "units", "modules", "options", "keys"), ("docker",)),
        **dict.fromkeys(("defaults", "no_proxy", "look_for", "token_hosts"), ()),
        **dict.fromkeys(("family", "table", "chain", "not_after", "users", "namespace", "variable"), "filter"),
        **dict.fromkeys(("device", "source"), "/dev/sda1"),
        "actions": ("get pods",),
        "address": "127.0.0.1",
        "architecture": "amd64",
        "at_most": 1,
        "context": "",
        "format": Format.ANY,
        "image": "a:1",
        "key": "LLM_KEY",
        "images": ("a:1",),
        "mode": Mode.SSE,
        "name": "vm.swappiness" if type_.kind == "sysctl_value" else "localhost",
        "paths": (str(folder),),
        "ports": (port,),
        "protocol": Transport.TCP,
        "provider": Provider.LOCAL,
        "registry": f"127.0.0.1:{port}",
        "seconds": 0.01,
        "server": "127.0.0.1",
        "size": 10,
        "url": f"http://127.0.0.1:{port}/",
        "where": SharedFolder(
            path=str(folder),
            env_path=str(file),
            env_key="A",
            config_path=str(file),
            config_key="a",
            compose_path=str(file),
        )
        if type_.kind == "shared_folder"
        else None,
    }
    wanted = [f.name for f in fields(type_) if f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in wanted if name not in values]
    assert not missing, f"no sample value for {missing} of {type_.kind}: add one above"
    return type_(**{name: values[name] for name in wanted})


def observed(query: Query[Any]) -> set[tuple[str, str]]:
    """What happened while *query* was answered, and which methods of which ports it called."""
    global _seen  # noqa: PLW0603
    tape = Tape()
    host = RecordingHost(LiveHost(1.0), tape)
    _seen = found = set[tuple[str, str]]()
    try:
        query.observe(host)
    except (OSError, NotImplementedError, ValueError):
        pass  # no answer here; what it touched until then counts all the same
    finally:
        _seen = None
    for call in tape.cassette().calls:
        match call.port:
            case "files":
                found.add(("path", call.arguments.get("path") or call.arguments["folder"]))
            case "commands":
                found.add(("command", call.arguments.get("name") or call.arguments["argv"][0]))
            case "machine":
                pass  # the computed port `system` asks it; the audit hook sees what it reads
            case _:
                found.add(("method", f"{call.port}.{call.method}"))
    return {(kind, what) for kind, what in found if not (kind == "path" and _is_ours(what))}


def _is_ours(path: str) -> bool:
    return path in _ALWAYS or path.startswith(_OURS)


_PATHS = (ContactKind.FILE, ContactKind.FOLDER, ContactKind.SOCKET)

# ---- what is written down --------------------------------------------------------------------------------------------


def covers(contacts: tuple[Contact, ...], notes: tuple[str, ...], kind: str, what: str) -> bool:
    """Whether *what* is written down."""
    match kind:
        case "method":
            return f"@{what}" in notes or not TOUCHED[what]
        case "command":
            return any(fnmatch.fnmatch(what, c.target) for c in contacts if c.kind is ContactKind.COMMAND)
        case "socket":
            return any(c.target == what for c in contacts if c.kind is ContactKind.SOCKET)
        case "host":
            host, port = what.split()
            return any((c.target, str(c.port)) == (host, port) for c in contacts if c.over_the_network)
        case _:
            path = os.path.normpath(what)
            folder, _, program = path.rpartition("/")
            if folder in TRUSTED and covers(contacts, notes, "command", program):
                return True
            named = [c.target for c in contacts if c.kind in _PATHS]
            every = [os.path.normpath(os.path.expanduser(t)) for t in named]
            return any(path == t or path.startswith(t.rstrip("/") + "/") for t in every)


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_touches_only_what_it_says(kind, closed_port, tmp_path, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    live.prepare()
    query = sample(KINDS[kind], closed_port, tmp_path)
    found = observed(query)
    contacts = query.contacts()
    missing = sorted(f"{k} {w}" for k, w in found if not covers(contacts, query.touches, k, w))
    assert not missing, f"the question {kind} touches what `touches` of {KINDS[kind].__name__} does not say: {missing}"


@pytest.mark.parametrize("lacking", [("commands", "nft"), ("files", "/etc/hosts")])
def test_what_is_not_written_down_is_found(lacking):
    contacts = tuple(written(("/proc/", "chronyc", "docker-credential-*")))
    assert covers(contacts, (), "path", "/proc/self/status") and covers(contacts, (), "command", "docker-credential-x")
    assert not covers(contacts, (), "command" if lacking[0] == "commands" else "path", lacking[1])
    assert not covers(contacts, (), "path", "/process") and not covers(contacts, (), "method", "net.probe")


def test_the_watch_sees_files_programs_and_connections(closed_port, tmp_path):
    query = sample(registry.queries()["request"], closed_port, tmp_path)
    assert ("host", f"127.0.0.1 {closed_port}") in observed(query)
    query = sample(registry.queries()["swap"], closed_port, tmp_path)
    assert ("path", "/proc/swaps") in observed(query)


# ---- the branches that this machine does not take --------------------------------------------------------------------

_PATH = re.compile(r"/(?:proc|sys|etc|run|var|boot|dev|snap)/[A-Za-z0-9_.][A-Za-z0-9_./-]*")
_NO_CONTACT = {
    "/etc/dnf/": "a word by which files with secrets are known",
    "/etc/yum": "a word by which files with secrets are known",
    "/var/lib/containerd": "containerd's default, told and not looked at here",
    "/var/run/docker/": "how the address of a containerd begins that dockerd starts",
    "/dev/zram": "how a device's name begins",
    "/device/": "a part of a path below /sys",
}
_FOLDERS = ("areas", "model", "host")


def literals() -> Iterator[tuple[str, str]]:
    """Every absolute path that stands in the code outside of docstrings and sentences."""
    for folder in _FOLDERS:
        for file in sorted((SOURCE / folder).rglob("*.py")):
            if file.name == "stand_ins.py":
                continue  # it makes stand-ins up; it opens nothing
            tree = ast.parse(file.read_text("utf-8"))
            quiet = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("msg", "Field"):
                    quiet |= {id(inner) for inner in ast.walk(node)}
            for node in ast.walk(tree):
                value = node.value if isinstance(node, ast.Constant) and id(node) not in quiet else None
                if isinstance(value, str) and _PATH.fullmatch(value) and value not in _NO_CONTACT:
                    yield f"{file.relative_to(SOURCE)}:{node.lineno}", value


def test_every_path_in_the_code_is_written_down_somewhere():
    every = tuple(written([*OF_EVERY_RUN, *(n for q in registry.queries().values() for n in q.touches)]))
    found = list(literals())
    missing = [f"{where} {path}" for where, path in found if not covers(every, (), "path", path)]
    # what only the firewall request reads is none of a run's business
    missing = [m for m in missing if not m.startswith("model/time_servers.py")]
    assert len(found) > 100
    assert not missing


# ---- the tables ------------------------------------------------------------------------------------------------------


def test_the_table_of_methods_is_whole():
    every = {f"{port}.{name}" for port in ports.PORTS for name in methods(port)}
    every |= {f"system.{n}" for n, _ in inspect.getmembers(ports.System, inspect.isfunction) if n[0] != "_"}
    taking_paths = {n for n in every if n.startswith(("files.", "commands."))}
    # these find out the mount as well; the others touch what their arguments name
    taking_paths -= {"files.file_system", "files.quotas", "files.xfs_ftype"}
    assert set(TOUCHED) == every - taking_paths


def test_every_control_says_whom_it_asks():
    assert set(CONTROLS) == set(Check)


def test_whoever_connects_somewhere_is_marked():
    profile = library.load(None)
    found = []
    for model in profile.models:
        for phase in {p for row in profile.rows for p in row.headers[HostSize.S].phases}:
            found += resolve(profile, Site.empty(), model=model, size=HostSize.S, phase=phase)
    connecting = {
        item.kind
        for item in found
        if isinstance(item, Requirement)
        for c in item.flows()
        if c.kind is ContactKind.TCP and c.target and c.direction is Direction.OUTBOUND
    }
    marked = {kind for kind, type_ in registry.requirements().items() if type_.networked}
    assert connecting - _LOOKING <= marked and "registry_reachable" in connecting


_LOOKING = {"tls_interception"}
"""They look at the way to a target that another requirement names."""
