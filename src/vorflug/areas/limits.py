"""Limits: how many files and processes may be open, here and in the container services?

Sources: proc_pid_limits(5) for /proc/PID/limits, getrlimit(2) for soft and hard, the kernel's admin guide
(sysctl/fs, sysctl/kernel) for fs.file-max and kernel.pid_max, keyrings(7) for kernel.keys.maxkeys; Docker's release
notes of version 29 for why a container's own limit is another question (`docker_nofile`).
"""

from __future__ import annotations

import re
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

TITLE = msg("Limits")

_SERVICES = ("dockerd", "containerd")
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
    """Services that run and whose limits may not be read."""
    processes_hidden: bool
    """Whether processes of the machine cannot be seen, so that a service may run unseen."""
    settings: dict[str, int]
    """fs.file-max, kernel.pid_max and kernel.keys.maxkeys, as far as they can be read."""


@dataclass(frozen=True, kw_only=True)
class LimitsQuery(Query[LimitsFact]):
    """How many files and processes may be open?"""

    kind = "limits"

    def asks(self) -> Message:
        return msg("How many files and processes may be open here and in {names:list}?", names=_SERVICES)

    def observe(self, host: Host) -> LimitsFact:
        try:
            here = _limits(host.files.read_text("/proc/self/limits"), "")
        except FileNotFoundError as error:
            raise NotImplementedError("there is no /proc/self/limits") from error
        services, hidden = [], []
        running = host.processes.named(_SERVICES)
        for one in running.found:
            # a name is no proof, but an executable's file name seldom differs from it here
            name = (one.program or one.name).rpartition("/")[2]
            if name not in _SERVICES:
                continue
            try:
                services.append(_limits(host.files.read_text(f"/proc/{one.pid}/limits"), name))
            except PermissionError:
                hidden.append(name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
        return LimitsFact(
            here=here,
            services=tuple(services),
            hidden=tuple(hidden),
            processes_hidden=running.hidden,
            settings=dict(_settings(host)),
        )


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


class OpenFilesRequirement(Requirement):
    """So many files may be open in this process and in the container services that run."""

    kind = "open_files"
    at_least: Annotated[int, Field(ge=1)]
    """Hard limit, a count of open files."""

    def wanted(self) -> Message:
        return msg("a hard limit of at least {least} open files", least=self.at_least)

    def queries(self, known: Evidence) -> Sequence[LimitsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [LimitsQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[LimitsQuery()]
        wanted = self.wanted()
        everyone = (fact.here, *fact.services)
        low = [one for one in everyone if one.files.hard is not None and one.files.hard < self.at_least]
        if low:
            return unmet(
                wanted=wanted,
                seen=listed(_described(one) for one in low),
                because=msg("The hard limit of open files is lower than {least}.", least=self.at_least),
                fix=msg(
                    "Raise it: LimitNOFILE= in the service's unit (systemctl edit), nofile in "
                    "/etc/security/limits.d for logins; then restart the service or log in again."
                ),
            )
        seen = listed(_described(one) for one in everyone)
        if fact.hidden:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("The limits of {names:list} may not be read.", names=fact.hidden),
                fix=msg("Run this as root."),
            )
        if fact.processes_hidden:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("Other processes are hidden: {names:list} may run unseen.", names=_SERVICES),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        return met(wanted=wanted, seen=seen, because=msg("Enough files may be open."))


def _described(limits: ProcessLimits) -> Message:
    hard = msg("unlimited") if limits.files.hard is None else msg("{n}", n=str(limits.files.hard))
    if limits.who:
        return msg("{name}: {limit}", name=limits.who, limit=hard)
    return msg("this process: {limit}", limit=hard)
