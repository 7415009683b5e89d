"""A host built from a description: a tree of raw files, and the few calls that no file answers."""

from __future__ import annotations

import atexit
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from hosts import description
from hosts.description import Description, MountedHere
from vorflug import ports
from vorflug.host.cassette import Cassette, Method, methods
from vorflug.host.live.files import LiveFiles
from vorflug.host.recorded import NotRecorded, RecordedHost, Switchboard
from vorflug.ports.files import FileKind, FileStatus, FileSystem, Quota, TreeSize
from vorflug.ports.packages import PackageState
from vorflug.ports.processes import Process, Running
from vorflug.ports.sockets import Listener, Transport

_NAME_KEPT = 15
"""TASK_COMM_LEN - 1: as the kernel cuts a program's name."""


@cache
def tree(name: str) -> Path:
    """The folder that holds the files of the host *name*; it is removed when the tests end."""
    root = Path(tempfile.mkdtemp(prefix=f"vorflug-{name}-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    _write(root, description.load(name))
    return root


def host(name: str) -> ports.Host:
    """The host called *name*."""
    said = description.load(name)
    if said.cassette is not None:
        file = description.HERE / said.cassette
        return RecordedHost(Cassette.from_yaml(file.read_bytes(), file.name))
    return BuiltHost(said, tree(name))


def _write(root: Path, said: Description) -> None:
    def place(path: str) -> Path:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    # links first, so that what is said to lie below one is written where it leads
    for path, target in said.links.items():
        # an absolute one must stay within the tree
        place(path).symlink_to(f"{root}{target}" if target.startswith("/") else target)
        if target.startswith("/"):
            place(target)
    for path, content in said.files.items():
        text = content if isinstance(content, str) else "".join(part.written() for part in content)
        place(path).write_text(text, encoding="utf-8")
    for path in said.folders:
        for one in _each(path):
            place(one).mkdir(exist_ok=True)
    for point in said.mounts:
        if not os.path.lexists(place(point)):
            place(point).mkdir(parents=True)
    table = place("/proc/self/mountinfo")
    if said.mounts and not table.exists():
        table.write_text(
            "".join(_line(*entry) for entry in enumerate(said.mounts.items(), start=100)), encoding="utf-8"
        )


def _each(path: str) -> list[str]:
    numbers = re.fullmatch(r"(.*)\{([0-9]+)-([0-9]+)\}(.*)", path)
    if numbers is None:
        return [path]
    before, first, last, after = numbers.groups()
    return [f"{before}{n}{after}" for n in range(int(first), int(last) + 1)]


def _line(number: int, entry: tuple[str, MountedHere]) -> str:
    """proc_pid_mountinfo(5), with blanks as the kernel writes them."""
    point, mount = entry
    names = [name.replace("\\", "\\134").replace(" ", "\\040") for name in (mount.root, point, mount.source)]
    return f"{number} 1 {mount.device} {names[0]} {names[1]} {','.join(mount.options)} - {mount.kind} {names[2]} rw\n"


class BuiltHost(Switchboard):
    """Answers from a description; what it says nothing about is *not supported*, and never a pass."""

    def __init__(self, said: Description, root: Path) -> None:
        self._said = said
        self._calls = RecordedHost(Cassette(calls=said.calls))
        self._ports: dict[str, Any] = {"files": BuiltFiles(said, root), **_answers(said)}

    def call(self, port: str, method: Method, args: tuple[Any, ...], kwargs: Any) -> Any:
        try:
            return self._calls.call(port, method, args, kwargs)
        except NotRecorded:
            answer = getattr(self._ports.get(port), method.name, None)
        if answer is None:
            raise NotImplementedError(f"this host was built without {port}.{method.name}")
        return answer(*args, **kwargs)


class BuiltFiles:
    """A tree; some paths are closed or hang, and file systems are as large as they are said to be."""

    def __init__(self, said: Description, root: Path) -> None:
        self._said = said
        self._tree = LiveFiles(str(root))

    def read_text(self, path: str, *, limit: int = 1 << 20) -> str:
        self._reach(path, inside=True)
        return self._tree.read_text(path, limit=limit)

    def lines_with(self, path: str, words: tuple[str, ...], *, limit: int = 1 << 23) -> tuple[str, ...]:
        self._reach(path, inside=True)
        return self._tree.lines_with(path, words, limit=limit)

    def lines_below(self, folder: str, file: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        self._reach(folder, inside=True)
        return self._tree.lines_below(folder, file, words)

    def list_folder(self, path: str) -> tuple[str, ...]:
        self._reach(path, inside=True)
        return self._tree.list_folder(path)

    def exists(self, path: str) -> bool:
        self._reach(path)
        return self._tree.exists(path)

    def resolve(self, path: str) -> str:
        self._reach(path)
        return self._tree.resolve(path)

    def read_link(self, path: str) -> str:
        self._reach(path)
        return self._said.links.get(path) or self._tree.read_link(path)

    def status(self, path: str, *, follow: bool = True) -> FileStatus:
        self._reach(path)
        seen = self._tree.status(path, follow=follow)
        usual = 0o755 if seen.kind is FileKind.FOLDER else 0o644
        owner = self._said.owners.get(self._tree.resolve(path) if follow else path)
        if owner is None:
            return FileStatus(seen.kind, usual, 0, 0, seen.size_bytes)
        return FileStatus(seen.kind, owner.mode, owner.uid, owner.gid, seen.size_bytes)

    def writable(self, path: str) -> bool:
        self.status(path)
        return self._said.user.uid == 0 or path in self._said.writable

    def has_acl(self, path: str) -> bool:
        self.status(path)
        return False

    def file_system(self, path: str) -> FileSystem:
        real, asked = self._nearest(path)
        point, mount = self._mount(asked)
        return FileSystem(
            asked=asked,
            exists=asked == real,
            mount_point=point,
            kind=mount.kind,
            source=mount.source,
            device=mount.device,
            options=mount.options,
            total_bytes=mount.total,
            used_bytes=mount.total - mount.free if mount.used is None else mount.used,
            free_bytes=mount.free,
            total_inodes=mount.inodes,
            free_inodes=mount.free_inodes,
        )

    def xfs_ftype(self, path: str) -> bool:
        self.status(path)
        _, mount = self._mount(self._tree.resolve(path))
        if mount.ftype is None:
            raise NotImplementedError(f"{path} lies on {mount.kind}, not on xfs")
        return mount.ftype

    def quotas(self, path: str) -> tuple[Quota, ...]:
        _, asked = self._nearest(path)
        found = self._mount(asked)[1].quotas
        if found == "denied":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if found == "unsupported":
            raise NotImplementedError("the kernel does not say whether quotas apply")
        return found

    def tree_size(self, path: str, *, most_entries: int = 200_000) -> TreeSize:
        self._reach(path, inside=True)
        return LiveFiles.tree_size(self._tree, path, most_entries=most_entries)

    def _nearest(self, path: str) -> tuple[str, str]:
        real = asked = self.resolve(path)
        while not self.exists(asked):
            asked = asked.rpartition("/")[0] or "/"
        return real, asked

    def _mount(self, path: str) -> tuple[str, MountedHere]:
        above = [p for p in self._said.mounts if path == p or path.startswith(p.rstrip("/") + "/")]
        if not above:
            raise NotImplementedError(f"no mount in /proc/self/mountinfo holds {path}")
        point = max(above, key=len)
        return point, self._said.mounts[point]

    def _reach(self, path: str, *, inside: bool = False) -> None:
        """*inside*: it is opened, and not only looked at from the folder above."""
        if not self._said.hangs and not self._said.denied:
            return
        names = {path, self._tree.resolve(path)}
        for name in names:
            if any(name == p or name.startswith(f"{p}/") for p in self._said.hangs):
                raise TimeoutError("the time for this question is over")
            if any((inside and name == p) or name.startswith(f"{p}/") for p in self._said.denied):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


class _Answers:
    """A port made of functions."""

    def __init__(self, **answers: Callable[..., Any]) -> None:
        vars(self).update(answers)


def _answers(said: Description) -> dict[str, _Answers]:
    """Every port that is no tree of files."""
    programs = {path.rpartition("/")[2]: path for path in said.programs}
    for line in said.commands:
        programs.setdefault(line.split()[0], f"/usr/bin/{line.split()[0]}")

    def run(argv: tuple[str, ...], *, limit: int = 1 << 18) -> Any:
        if argv[0] not in programs:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        if (line := " ".join(argv)) not in said.commands:
            raise NotImplementedError(f"this host was built without an answer to {line!r}")
        return said.commands[line]

    def container_variable() -> str | None:
        if said.user.uid != 0:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/proc/1/environ")
        return said.container_variable

    def memory_modules() -> tuple[int, ...]:
        if said.memory_modules is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/sys/firmware/dmi/tables/DMI")
        if said.user.uid != 0:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/sys/firmware/dmi/tables/DMI")
        return said.memory_modules

    def listeners(transport: Transport) -> tuple[Listener, ...]:
        return _given(said.tcp if transport is Transport.TCP else said.udp)

    def named(names: tuple[str, ...]) -> Running:
        if not said.processes:
            raise NotImplementedError("/proc is not mounted")
        kept = {name[:_NAME_KEPT] for name in names}
        found = (p for p in said.processes if p.name in kept or (p.program or "").rpartition("/")[2] in names)
        return Running(tuple(sorted(found, key=lambda process: process.pid)), said.processes_hidden)

    def of(pid: int) -> Process:
        found = next((process for process in said.processes if process.pid == pid), None)
        if found is None:
            raise ProcessLookupError(f"there is no process {pid}, or it is hidden")
        return found

    answers = {
        "commands": _Answers(which=programs.get, run=run),
        "machine": _Answers(
            uname=lambda: said.uname,
            memory_modules=memory_modules,
            container_variable=container_variable,
            wait=lambda _seconds: None,
        ),
        "processes": _Answers(named=named, of=of),
        "sockets": _Answers(listeners=listeners, addresses=lambda: said.addresses),
        "clock": _Answers(kernel=lambda: _given(said.clock)),
        "accounts": _Answers(user=lambda: said.user, sudo=lambda: said.sudo),
        "certificates": _Answers(now=lambda: said.now),
    }
    if (inventory := said.packages) is not None:
        answers["packages"] = _Answers(
            find=lambda names: type(inventory)(inventory.manager, tuple(p for p in inventory.found if p.name in names)),
            unfinished=lambda: type(inventory)(
                inventory.manager, tuple(p for p in inventory.found if p.state is PackageState.HALF)
            ),
        )
    if said.routing is not None:
        answers["routing"] = _Answers(network=lambda: _given(said.routing))
    if said.engine is not None:
        answers["containers"] = _Answers(engine=lambda: said.engine)
    for port, made in answers.items():
        assert vars(made).keys() <= methods(port).keys(), port
    return answers


def _given(value: Any) -> Any:
    if value == "denied":
        _refuse()
    if value == "unsupported":
        raise NotImplementedError("the kernel's tables are not there")
    return value


def _refuse() -> NoReturn:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
