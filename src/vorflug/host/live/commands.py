"""Programs of this machine, run so that they can neither be swapped, nor delay the answer, nor fill the memory.

* Found in trusted folders only and run by absolute path; one that somebody else could have replaced is refused.
* A clean environment.  The binary's unpacked libraries (LD_LIBRARY_PATH, _MEIPASS2, _PYI_*: the PyInstaller manual,
  "LD_LIBRARY_PATH / LIBPATH considerations") and a Python's variables never reach the program.  HOME is passed on only
  where nobody else could have put plugins or settings there (``sudo`` may keep the HOME of the user who called it).
* A session of its own, whose process group is killed at the deadline, and when the program itself has ended.  What
  has left the group by then (setsid(2), setpgid(2): a daemon that the program started) is not: it runs on.
"""

from __future__ import annotations

import errno
import os
import pwd
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vorflug.host.live import Patience
from vorflug.ports.commands import Completed

TRUSTED = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")
"""Folders that only root writes to (Filesystem Hierarchy Standard 3.0)."""

_NO_HOME = "/nonexistent"
"""Debian policy, 9.2.3: the home of users that have none."""
_LOOK_S = 0.05
"""How often it is checked that the program still runs: a child that keeps its output open must not delay the answer."""
_REAP_S = 1.0


class LiveCommands:
    """Runs programs read-only.  *folders* are searched in order."""

    def __init__(self, patience: Patience, folders: Sequence[str] = TRUSTED) -> None:
        self._patience = patience
        self._folders = tuple(folders)

    def which(self, name: str) -> str | None:
        if not name or "/" in name or name in {".", ".."}:
            raise ValueError(f"wanted the bare name of a program, saw {name!r}")
        for folder in self._folders:
            path = f"{folder}/{name}"
            if Path(path).is_file() and os.access(path, os.X_OK):
                return path
        return None

    def run(self, argv: tuple[str, ...], *, limit: int = 1 << 18) -> Completed:
        return self.feed(argv, subprocess.DEVNULL, limit=limit)

    def feed(self, argv: tuple[str, ...], stdin: int, *, limit: int = 1 << 18, keep: tuple[str, ...] = ()) -> Completed:
        """The same with a descriptor as standard input; *keep* names variables that the program needs as well."""
        program = self.which(argv[0])
        if program is None:
            raise FileNotFoundError(f"no program {argv[0]!r} in {', '.join(self._folders)}")
        _must_be_trusted(program)
        left = self._patience.left()
        try:
            process = subprocess.Popen(
                (program, *argv[1:]),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                close_fds=True,
                start_new_session=True,
                cwd="/",
                env={n: v for n in keep if (v := os.environ.get(n)) is not None and _is_ours(v)} | self._environment(),
            )
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                raise NotImplementedError(f"{program} cannot be run on this machine: {error.strerror}") from None
            raise
        return _Run(process, program, limit, time.monotonic() + left).finish()

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C.UTF-8", "PATH": ":".join(self._folders), "HOME": _home()}


class _Run:
    """One running program."""

    def __init__(self, process: subprocess.Popen[bytes], program: str, limit: int, ends: float) -> None:
        self._process = process
        self._program = program
        self._limit = limit
        self._ends = ends
        self._kept: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
        self._cut = False

    def finish(self) -> Completed:
        """Read until it ends, prints too much or is late; nothing of its process group runs afterwards."""
        try:
            with self._process.stdout as out, self._process.stderr as err, selectors.DefaultSelector() as ready:  # type: ignore[union-attr]
                for stream, name in ((out, "out"), (err, "err")):
                    os.set_blocking(stream.fileno(), False)
                    ready.register(stream, selectors.EVENT_READ, name)
                self._read(ready)
                self._wait()
        finally:
            self._kill()
        return Completed(
            self._process.returncode,
            self._kept["out"].decode("utf-8", "replace"),
            self._kept["err"].decode("utf-8", "replace"),
            self._cut,
        )

    def _read(self, ready: selectors.BaseSelector) -> None:
        while ready.get_map() and not self._cut:
            ended = self._ended()  # asked before reading: what was printed before the end is then all there
            found = ready.select(0 if ended else min(_LOOK_S, self._left()))
            if not found and ended:
                return
            for key, _ in found:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    ready.unregister(key.fileobj)
                    continue
                kept = self._kept[key.data]
                room = self._limit - len(kept)
                kept += chunk[:room]
                self._cut = self._cut or len(chunk) > room

    def _wait(self) -> None:
        pause = 0.001  # most programs end right after they have closed their output
        while not self._cut and not self._ended():
            time.sleep(min(pause, self._left()))
            pause = min(2 * pause, _LOOK_S)

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{self._program} was still running at the deadline")
        return left

    def _ended(self) -> bool:
        # not reaped yet: as long as it is a zombie its number cannot belong to another program's group
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # gone already, or a set-user-id program that is not ours
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: it dies when the kernel lets it go
            self._process.wait(_REAP_S)


def _home() -> str:
    """HOME where it is this user's or root's, else this user's home of passwd(5), else `_NO_HOME`."""
    asked = [home] if (home := os.environ.get("HOME")) else []
    with suppress(KeyError):  # a container's user without an entry
        asked.append(pwd.getpwuid(os.geteuid()).pw_dir)
    return next((home for home in asked if Path(home).is_absolute() and _may_be_home(home)), _NO_HOME)


def _may_be_home(home: str) -> bool:
    """Whether home, and docker's folder with the plugins that its client runs, could be written by no other user."""
    docker = Path(home) / ".docker"
    plugins = docker / "cli-plugins"
    try:
        found = [*plugins.iterdir()] if plugins.is_dir() else []
        # where they are missing, nobody but the owner of the folder above can make them
        return (
            Path(home).is_dir()
            and all(_owned(path) for path in (Path(home), docker, docker / "config.json", plugins, *found))
            and all(_owned(folder, sticky=True) for folder in Path(home).resolve().parents)
        )
    except OSError:  # what cannot be looked into cannot be trusted
        return False


def _is_ours(value: str) -> bool:
    """Whether a variable may be passed on: one that names a folder, only where the folder is this user's or root's."""
    try:
        return not value.startswith("/") or _owned(Path(value))
    except OSError:
        return False


def _owned(path: Path, *, sticky: bool = False) -> bool:
    """Whether *path*, and what it leads to, belongs to this user or to root, and nobody else can write to it.

    A missing one is nobody's.  *sticky*: others may, as in /tmp, where they cannot rename what is not theirs.
    """
    try:
        seen = [path.lstat(), path.stat()]
    except FileNotFoundError:
        return not path.is_symlink()
    mode = seen[1].st_mode
    if not all(s.st_uid in {0, os.geteuid()} for s in seen):
        return False
    # a user's own group is its own affair, root's files are open to no group but root's
    group_may = os.geteuid() != 0 or seen[1].st_gid == 0
    return (sticky and bool(mode & stat.S_ISVTX)) or not mode & (stat.S_IWOTH | (0 if group_may else stat.S_IWGRP))


def _must_be_trusted(program: str) -> None:
    """Raises PermissionError where anybody but root and this user could have put something else in its place."""
    real = Path(program).resolve()
    for path in dict.fromkeys((real, real.parent, Path(program).parent)):
        seen = path.stat()
        if seen.st_uid not in {0, os.geteuid()}:
            raise PermissionError(f"{program} is not run: {path} belongs to user {seen.st_uid}, wanted root")
        # a folder of root's may be open to a group: Debian gives /usr/local/bin to "staff" (Debian policy, 9.1.2)
        group_may = seen.st_gid == 0 or (seen.st_uid == 0 and stat.S_ISDIR(seen.st_mode))
        if seen.st_mode & (stat.S_IWOTH if group_may else stat.S_IWOTH | stat.S_IWGRP):
            raise PermissionError(
                f"{program} is not run: others can write to {path} (mode {seen.st_mode & 0o7777:04o})"
            )
