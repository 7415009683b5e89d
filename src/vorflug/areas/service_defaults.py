"""Defaults for services: which limits does systemd give to services that set none themselves?

Sources: systemd-system.conf(5) for DefaultLimitNOFILE, DefaultLimitNPROC and DefaultTasksMax, for the folders of its
files, and for what holds where nothing is set; systemctl(1) for ``show``; sd_booted(3).

Docker's own units set limits themselves; these defaults hold for services that do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.drop_in import drop_ins, masked
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.whole_file import NotWhole, read_whole
from vorflug.ports import Host

TITLE = msg("Defaults for services")

_MAIN = ("/etc/systemd/system.conf", "/run/systemd/system.conf", "/usr/lib/systemd/system.conf")
_FOLDERS = tuple(f"{one}/systemd/system.conf.d" for one in ("/etc", "/run", "/usr/local/lib", "/usr/lib"))
_INFINITY = {"infinity", str((1 << 64) - 1)}
"""The second is how versions before 229 write it."""


class ServiceLimit(StrEnum):
    """A limit, as systemd calls its default."""

    OPEN_FILES = "DefaultLimitNOFILE"
    """Hard limit of open files of a process (RLIMIT_NOFILE)."""
    PROCESSES = "DefaultLimitNPROC"
    """Hard limit of processes and threads of a user (RLIMIT_NPROC)."""
    TASKS = "DefaultTasksMax"
    """Processes and threads of a service (pids.max of its cgroup)."""


class DefaultLimit(Frozen):
    """One default."""

    limit: ServiceLimit
    most: int | None
    """None for no limit."""


class ServiceDefaultsFact(Fact):
    """What is known of systemd's defaults."""

    running: bool
    """Whether systemd runs and said so itself; else its files were read."""
    defaults: tuple[DefaultLimit, ...]
    """Those that are known: of files, only what they set."""


@dataclass(frozen=True, kw_only=True)
class ServiceDefaultsQuery(Query[ServiceDefaultsFact]):
    """Which limits does systemd give to services?"""

    kind = "service_defaults"
    touches = (
        "/run/systemd/system",
        "systemctl",
        "@system.virtualisation",
        "/etc/systemd/",
        "/run/systemd/",
        "/usr/lib/systemd/",
        "/usr/local/lib/systemd/",
    )

    def asks(self) -> Message:
        return msg("Which limits does systemd give to services that set none?")

    def observe(self, host: Host) -> ServiceDefaultsFact:
        if host.files.exists("/run/systemd/system"):
            return ServiceDefaultsFact(running=True, defaults=tuple(_running(host)))
        if container := host.system.virtualisation().container:
            raise NotImplementedError(f"this is a container ({container}) without systemd; the machine's files count")
        files = list(_files(host))
        if not files:
            raise NotImplementedError("this machine was not started by systemd, and there are no settings of it")
        return ServiceDefaultsFact(running=False, defaults=tuple(_of_files(files)))


def _running(host: Host) -> Iterator[DefaultLimit]:
    done = host.commands.run(("systemctl", "show", f"--property={','.join(ServiceLimit)}"))
    error = done.err.strip()[:200]
    if "denied" in error.lower():
        raise PermissionError(f"systemctl: {error}")
    said = dict(re.findall(r"^(\w+)=(\w+)$", done.out, re.MULTILINE | re.ASCII))
    if done.code != 0 or not said.keys() >= set(ServiceLimit):
        raise ValueError(f"wanted {', '.join(ServiceLimit)} of systemctl, saw {done.out[:200]!r}; {done.code}: {error}")
    for limit in ServiceLimit:
        yield DefaultLimit(limit=limit, most=_most(said[limit]))


def _files(host: Host) -> Iterator[str]:
    """The texts in the order in which they count."""
    for path in _MAIN:
        try:
            yield read_whole(host, path)
        except FileNotFoundError:
            continue
        break
    paths, closed = drop_ins(host, _FOLDERS)
    if closed:
        raise PermissionError(f"{', '.join(closed)} may not be read, and could set a default")
    for path in paths:
        try:
            yield read_whole(host, path)
        except NotWhole:
            if not masked(host, path):
                raise


def _of_files(texts: Sequence[str]) -> Iterator[DefaultLimit]:
    for limit in ServiceLimit:
        said = re.findall(rf"^[ \t]*{limit}[ \t]*=[ \t]*(\S*)[ \t]*$", "\n".join(texts), re.MULTILINE)
        # soft:hard, or one for both; an empty value and a share of what the kernel allows say no number
        last = said[-1].rpartition(":")[2] if said else ""
        if last in _INFINITY or re.fullmatch(r"\d{1,20}", last, re.ASCII):
            yield DefaultLimit(limit=limit, most=_most(last))


def _most(word: str) -> int | None:
    return None if word in _INFINITY else int(word)


class ServiceDefaultRequirement(Requirement):
    """A service that sets no limit itself gets at least so much."""

    kind = "service_default"
    limit: ServiceLimit
    at_least: Annotated[int, Field(ge=1)]

    def wanted(self) -> Message:
        return msg("{limit} at least {least}", limit=self.limit.value, least=self.at_least)

    def queries(self, known: Evidence) -> Sequence[ServiceDefaultsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ServiceDefaultsQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[ServiceDefaultsQuery()]
        wanted = self.wanted()
        known = {one.limit: one.most for one in fact.defaults}
        if self.limit not in known:
            return unknown(
                wanted=wanted,
                seen=msg("no file sets {limit} to a number", limit=self.limit.value),
                because=msg("What holds then, systemd itself must tell, and it does not run here."),
                fix=msg("Run this on the machine itself, started by systemd."),
            )
        most = known[self.limit]
        value = msg("unlimited") if most is None else msg("{n}", n=str(most))
        seen = msg("{limit}: {value}", limit=self.limit.value, value=value)
        if most is None or most >= self.at_least:
            return met(wanted=wanted, seen=seen, because=msg("Services that set no limit themselves get enough."))
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("Services that set no limit themselves get less than {least}.", least=self.at_least),
            fix=msg(
                "Set {limit}={least} under [Manager] in a file in /etc/systemd/system.conf.d and boot, or set the "
                "limit in the units of the services.",
                limit=self.limit.value,
                least=self.at_least,
            ),
        )
