"""Running programs.  Names of processes are data: anyone may give a program any name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

FIRST_NAMESPACE = "pid:[4026531836]"
"""What /proc/self/ns/pid links to in the process namespace of the machine itself, which nobody made.

PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h; see pid_namespaces(7).
"""


@dataclass(frozen=True)
class Process:
    """One running program."""

    pid: int
    name: str
    """As it calls itself (/proc/PID/comm, at most 15 characters): no proof of what it is."""
    program: str | None
    """The absolute path of its executable (/proc/PID/exe), which it cannot choose; None where that is not visible.

    None as well where it is `apart`: the path is then one among files that it may have mounted itself.
    """
    uid: int
    """Whom it runs as."""
    cgroup: str
    """Its cgroup, from which the systemd unit or the container can be read; empty where not visible."""
    apart: bool = False
    """Whether it runs with other users or other mounts than we see, as in a container or in rootless mode.

    So in another user namespace, which anybody may make and mount in (user_namespaces(7)); and in another mount
    namespace (mount_namespaces(7)) unless the file at that path is the same one here, as with the services that systemd
    gives a /tmp of their own (systemd.exec(5), PrivateTmp=).
    """


@dataclass(frozen=True)
class Running:
    """What was found running."""

    found: tuple[Process, ...]
    """Ordered by pid.  A thread of the kernel is none."""
    hidden: bool
    """Whether processes of the machine cannot be seen, so that nothing found is no "none".

    So with hidepid of proc(5) for those of other users, and in a process namespace of its own (a container) for all
    others.
    """


class Processes(Protocol):
    """The processes of this process namespace.  Only those that are asked for by name are told."""

    def named(self, names: tuple[str, ...]) -> Running:
        """Those whose name, or whose executable's file name, is one of *names*, also where they are `apart`.

        *names* may be longer than the 15 characters that the kernel keeps of a name.
        Raises NotImplementedError where /proc is not mounted.
        """
        ...

    def of(self, pid: int) -> Process:
        """One process.  Raises ProcessLookupError where it has ended or is hidden."""
        ...
