"""Running programs, from /proc (proc_pid_stat(5), proc_pid_comm(5), proc_pid_exe(5), proc_pid_cgroup(5)).

The executable is read from /proc/PID/exe and never guessed from a command line, which a process may write as it likes.
Its path is one in the process's own mount namespace (mount_namespaces(7)).  Any user may make such a namespace together
with a user namespace (user_namespaces(7)) and mount there what he likes, so that such a path proves nothing.  A process
that is in ours but changed its root (chroot(2)) needs no care: we are shown the path from our root.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.ports.processes import FIRST_NAMESPACE, Process, Running

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of linux/sched.h, in the ninth field of /proc/PID/stat."""
_NAME_KEPT = 15
"""TASK_COMM_LEN - 1."""
_DELETED = " (deleted)"
"""What the kernel appends where the file was replaced while the program runs (proc_pid_exe(5))."""


class LiveProcesses:
    """Looks at the processes of this process namespace; *proc* is where it is mounted."""

    def __init__(self, patience: Patience, proc: str = "/proc") -> None:
        self._patience = patience
        self._proc = Path(proc)

    def named(self, names: tuple[str, ...]) -> Running:
        wanted, kept = set(names), {name[:_NAME_KEPT] for name in names}
        found, hidden = [], False
        for pid in self._pids():
            self._patience.left()
            try:
                one = self._look(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
            except PermissionError:
                hidden = True  # hidepid=1 shows that it is there and nothing else
                continue
            if one is not None and (one[0].name in kept or one[1] in wanted):
                found.append(one[0])
        return Running(found=tuple(found), hidden=hidden or not (self._proc / "1").exists() or self._apart())

    def of(self, pid: int) -> Process:
        try:
            one = self._look(pid)
        except FileNotFoundError:
            one = None
        if one is None:
            raise ProcessLookupError(f"there is no process {pid}, or it is hidden")
        return one[0]

    def _pids(self) -> list[int]:
        try:
            pids = sorted(int(name) for name in os.listdir(self._proc) if name.isdigit())
        except FileNotFoundError:
            pids = []
        if not pids:
            raise NotImplementedError("/proc is not mounted")
        return pids

    def _apart(self) -> bool:
        """Whether this is a process namespace of its own (pid_namespaces(7)), as in a container."""
        try:
            return str((self._proc / "self/ns/pid").readlink()) != FIRST_NAMESPACE
        except FileNotFoundError:
            return False  # a kernel without namespaces

    def _look(self, pid: int) -> tuple[Process, str] | None:
        """The process and the name of its executable's file, wherever that lies; None for a thread of the kernel."""
        folder = self._proc / str(pid)
        stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        # the name may hold parentheses and spaces itself
        head, _, rest = stat.rpartition(")")
        if int(rest.split()[6]) & _KERNEL_THREAD:
            return None
        program = _program(folder)
        apart = program is not None and self._lies_elsewhere(folder, program)
        process = Process(
            pid=pid,
            name=head.partition("(")[2][:64],
            program=None if apart else program,
            uid=folder.stat().st_uid,
            cgroup=_cgroup(folder),
            apart=apart,
        )
        return process, (program or "").rpartition("/")[2]

    def _lies_elsewhere(self, folder: Path, program: str) -> bool:
        """Whether *program*, as the process sees it, is not the file that is at this path here."""
        if self._leaves(folder, "user"):
            return True
        if not self._leaves(folder, "mnt"):
            return False
        try:
            # through /proc/PID/exe the kernel leads to the very file, not to its path
            return not (folder / "exe").samefile(program)
        except OSError:  # there is none here, or it was replaced meanwhile
            return True

    def _leaves(self, folder: Path, kind: str) -> bool:
        """Whether the process is in another namespace of this kind than this one."""
        try:
            ours = (self._proc / "self/ns" / kind).readlink()
        except FileNotFoundError:
            return False  # a kernel without namespaces
        try:
            return (folder / "ns" / kind).readlink() != ours
        except OSError:
            return True


def _program(folder: Path) -> str | None:
    try:
        return str((folder / "exe").readlink()).removesuffix(_DELETED)
    except (PermissionError, FileNotFoundError):
        return None


def _cgroup(folder: Path) -> str:
    """The group of the v2 hierarchy, else of systemd's own v1 one."""
    try:
        lines = (folder / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except (PermissionError, FileNotFoundError):
        return ""
    rows = [line.split(":", 2) for line in lines if line.count(":") >= 2]  # noqa: PLR2004 - three fields
    for controllers in ("", "name=systemd"):
        for _, names, path in rows:
            if names == controllers:
                return path
    return next((path for _, names, path in rows if names), "")
