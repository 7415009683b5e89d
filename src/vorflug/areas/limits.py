"""Limits: how many files and processes may be open, here and in the container services?

Sources: proc_pid_limits(5) for /proc/PID/limits, getrlimit(2) for soft and hard, the kernel's admin guide
(sysctl/fs, sysctl/kernel) for fs.file-max and kernel.pid_max, keyrings(7) for kernel.keys.maxkeys; Docker's release
notes of version 29 for why a container's own limit is another question (`docker_nofile`).

A name is no proof that a process is a container service: that it lies in a folder that only root writes to (the
Filesystem Hierarchy Standard 3.0; Snap's own), or that systemd put it into the service's group, is.  A dockerd within a
container is not this machine's.  Of one with users or mounts of its own (rootless mode, or what a user has mounted
himself: user_namespaces(7)) nothing is proved.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.processes import Process

TITLE = msg("Limits")

_SERVICES = ("dockerd", "containerd")
_GROUPS = ("/system.slice/docker.service", "/system.slice/containerd.service")
_FOLDERS = r"(/usr(/local)?)?/s?bin|/usr/libexec(/docker)?|/snap/docker/(\d+|current)/s?bin"
_CONTAINER = r"(^|[/-])[0-9a-f]{64}(\.scope)?(/|$)"
"""The name that every engine gives to a container's group: its identifier."""
_SETTINGS = ("fs/file-max", "kernel/pid_max", "kernel/keys/maxkeys")


class Limit(Frozen):
    """A soft and a hard limit (getrlimit(2)); None for unlimited."""

    soft: int | None
    hard: int | None


class ProcessLimits(Frozen):
    """The limits of one process."""

    who: str
    """The name of the service; empty for this process."""
    files: Limit
    """Open files (RLIMIT_NOFILE)."""
    processes: Limit
    """Processes and threads of the user (RLIMIT_NPROC)."""


class LimitsFact(Fact):
    """The limits of this process, of the container services, and of the kernel."""

    here: ProcessLimits
    services: tuple[ProcessLimits, ...]
    """Of dockerd and containerd, as far as they run and may be read."""
    hidden: tuple[str, ...]
    """Services that run and whose limits may not be read, or of which it is not visible whether they are the ones."""
    apart: tuple[str, ...] = ()
    """Programs that call themselves so and run with users or mounts of their own: what they are is not proved."""
    processes_hidden: bool
    """Whether processes of the machine cannot be seen, so that a service may run unseen."""
    settings: dict[str, int]
    """fs.file-max, kernel.pid_max and kernel.keys.maxkeys, as far as they can be read."""


@dataclass(frozen=True, kw_only=True)
class LimitsQuery(Query[LimitsFact]):
    """How many files and processes may be open?"""

    kind = "limits"
    touches = ("@processes.named",)

    def asks(self) -> Message:
        return msg("How many files and processes may be open here and in {names:list}?", names=_SERVICES)

    def observe(self, host: Host) -> LimitsFact:
        try:
            here = _limits(host.files.read_text("/proc/self/limits"), "")
        except FileNotFoundError as error:
            raise NotImplementedError("there is no /proc/self/limits") from error
        services = list[ProcessLimits]()
        hidden, apart = list[str](), list[str]()
        running = host.processes.named(_SERVICES)
        for one in running.found:
            name = (one.program or one.name).rpartition("/")[2]
            proof = _proof(one)
            if name not in _SERVICES or proof is False:
                continue
            try:
                limits = _limits(host.files.read_text(f"/proc/{one.pid}/limits"), name)
            except PermissionError:
                proof = None
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
            if proof is None:
                (apart if one.apart else hidden).append(name)
            else:
                services.append(limits)
        return LimitsFact(
            here=here,
            services=tuple(services),
            hidden=tuple(hidden),
            apart=tuple(apart),
            processes_hidden=running.hidden,
            settings=dict(_settings(host)),
        )


def _proof(one: Process) -> bool | None:
    """Whether this is a service of this machine and not only called like one; None where that is not visible."""
    if re.search(_CONTAINER, one.cgroup, re.ASCII):
        return False
    if one.cgroup in _GROUPS:
        return True
    if one.program is None:
        return None
    # both refuse to work for others than root but in rootless mode, which is a user namespace
    return one.uid == 0 and re.fullmatch(_FOLDERS, one.program.rpartition("/")[0], re.ASCII) is not None


def _limits(text: str, who: str) -> ProcessLimits:
    return ProcessLimits(who=who, files=_limit(text, "Max open files"), processes=_limit(text, "Max processes"))


def _limit(text: str, name: str) -> Limit:
    """``Max open files            1024                 524288               files``."""
    row = re.search(rf"^{name} +(\d+|unlimited) +(\d+|unlimited)\b", text, re.MULTILINE | re.ASCII)
    if row is None:
        raise ValueError(f"no {name!r} among the limits: {text[:200]!r}")
    soft, hard = (None if value == "unlimited" else int(value) for value in row.groups())
    return Limit(soft=soft, hard=hard)


def _settings(host: Host) -> Iterator[tuple[str, int]]:
    for path in _SETTINGS:
        try:
            yield path.replace("/", "."), int(host.files.read_text(f"/proc/sys/{path}"))
        except (FileNotFoundError, PermissionError):
            continue  # not in this kernel, or not for us to read: the fact leaves it out


class _LimitRequirement(Requirement):
    """A hard limit of this process and of the container services that run."""

    at_least: Annotated[int, Field(ge=1)]
    """Hard limit, a count."""

    def queries(self, known: Evidence) -> Sequence[LimitsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [LimitsQuery()]

    @abstractmethod
    def _limit(self, one: ProcessLimits) -> Limit:
        """The limit that is meant."""

    @abstractmethod
    def _too_low(self) -> Message:
        """What is wrong where it is lower."""

    @abstractmethod
    def _raise(self) -> Message:
        """How to raise it."""

    @abstractmethod
    def _enough(self) -> Message:
        """What is said where nothing is wrong."""

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[LimitsQuery()]
        wanted = self.wanted()
        everyone = [(one.who, self._limit(one).hard) for one in (fact.here, *fact.services)]
        low = [(who, hard) for who, hard in everyone if hard is not None and hard < self.at_least]
        if low:
            return unmet(
                wanted=wanted,
                seen=listed(_described(*one) for one in low),
                because=self._too_low(),
                fix=self._raise(),
            )
        seen = listed(_described(*one) for one in everyone)
        if fact.hidden:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "The limits of {names:list} may not be read, or which program that is cannot be seen.",
                    names=fact.hidden,
                ),
                fix=msg("Run this as root."),
            )
        if fact.apart:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "{names:list} runs with users or mounts of its own (rootless, or in a sandbox): whether it is the "
                    "service is not proved.",
                    names=fact.apart,
                ),
                fix=msg("Find out who started it. Container services are to run as services of systemd, as root."),
            )
        if fact.processes_hidden:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("Other processes are hidden: {names:list} may run unseen.", names=_SERVICES),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        return met(wanted=wanted, seen=seen, because=self._enough())


class OpenFilesRequirement(_LimitRequirement):
    """So many files may be open in this process and in the container services that run."""

    kind = "open_files"

    def wanted(self) -> Message:
        return msg("a hard limit of at least {least} open files", least=self.at_least)

    def _limit(self, one: ProcessLimits) -> Limit:
        return one.files

    def _too_low(self) -> Message:
        return msg("The hard limit of open files is lower than {least}.", least=self.at_least)

    def _raise(self) -> Message:
        return msg(
            "Raise it: LimitNOFILE= in the service's unit (systemctl edit), nofile in "
            "/etc/security/limits.d for logins; then restart the service or log in again."
        )

    def _enough(self) -> Message:
        return msg("Enough files may be open.")


class ProcessesRequirement(_LimitRequirement):
    """One user may have so many processes and threads, by the limits of this process and of the container services."""

    kind = "process_limit"

    def wanted(self) -> Message:
        return msg("a hard limit of at least {least} processes and threads", least=self.at_least)

    def _limit(self, one: ProcessLimits) -> Limit:
        return one.processes

    def _too_low(self) -> Message:
        return msg("The hard limit of processes and threads of one user is lower than {least}.", least=self.at_least)

    def _raise(self) -> Message:
        return msg(
            "Raise it: LimitNPROC= in the service's unit (systemctl edit), nproc in "
            "/etc/security/limits.d for logins; then restart the service or log in again."
        )

    def _enough(self) -> Message:
        return msg("Enough processes and threads may run.")


def _described(who: str, hard: int | None) -> Message:
    limit = msg("unlimited") if hard is None else msg("{n}", n=str(hard))
    if who:
        return msg("{name}: {limit}", name=who, limit=limit)
    return msg("this process: {limit}", limit=limit)
