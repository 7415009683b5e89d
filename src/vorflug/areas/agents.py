"""Security agents: does a virus scanner or an endpoint sensor watch the container folders?

Sources: replicatedhq/troubleshoot-specs ``host/security-tools-preflights.yaml`` for which products are looked for (the
list is in the profile, which says where its names come from); proc(5) for /proc/PID/comm, which a program chooses, and
/proc/PID/exe, which it does not.  A name alone is therefore no proof: an agent is a program that lies in its agent's
folder.  One with mounts of its own (a container, or a user's own namespace: mount_namespaces(7)) may see any file at
any path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, visible
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Security agents")


class NamedProcess(Frozen):
    """A process that is called like an agent's."""

    pid: int
    name: str
    """As it calls itself."""
    program: str | None
    """Absolute path of its executable; None where that is not visible or proves nothing."""
    apart: bool = False
    """Whether it runs with users or mounts of its own, as in a container."""


class NamedProcessesFact(Fact):
    """Which of the asked names run."""

    found: tuple[NamedProcess, ...]
    hidden: bool
    """Whether processes of the machine cannot be seen."""


@dataclass(frozen=True, kw_only=True)
class NamedProcessesQuery(Query[NamedProcessesFact]):
    """Do programs of these names run?"""

    kind = "named_processes"
    touches = ("@processes.named",)
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Does a virus scanner or EDR agent run here ({count} known program names)?", count=len(self.names))

    def observe(self, host: Host) -> NamedProcessesFact:
        running = host.processes.named(self.names)
        return NamedProcessesFact(
            found=tuple(
                NamedProcess(pid=one.pid, name=visible(one.name), program=one.program, apart=one.apart)
                for one in running.found
            ),
            hidden=running.hidden,
        )


class Agent(Frozen):
    """A known security agent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The product."""
    processes: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...], Field(min_length=1)
    ]
    """What its processes are called."""
    folders: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^/.*[^/]$")], ...], Field(min_length=1)]
    """Where its programs lie; a single program's path is one too."""

    def owns(self, program: str) -> bool:
        """Whether *program* is, or lies below, one of its folders."""
        return any(program == folder or program.startswith(f"{folder}/") for folder in self.folders)


class NoAgentsRequirement(Requirement):
    """No known security agent runs, or its exclusions are agreed."""

    kind = "no_agents"
    agents: Annotated[tuple[Agent, ...], Field(min_length=1)]
    exclusions_agreed: bool
    """Whether the site states that the container folders are excluded from scans."""

    def wanted(self) -> Message:
        return msg("no security agent, or the container folders excluded from its scans")

    def queries(self, known: Evidence) -> Sequence[NamedProcessesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [NamedProcessesQuery(names=tuple(dict.fromkeys(n for agent in self.agents for n in agent.processes)))]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self.queries(evidence)[0]]
        wanted = self.wanted()
        agents = tuple(
            agent.name
            for agent in self.agents
            if any(one.program is not None and agent.owns(one.program) for one in fact.found)
        )
        if agents and self.exclusions_agreed:
            return met(
                wanted=wanted,
                seen=msg("running: {agents:list}", agents=agents),
                because=msg("The site states that the container folders are excluded from scans."),
            )
        if agents:
            return unmet(
                wanted=wanted,
                seen=msg("running: {agents:list}", agents=agents),
                because=msg("A security agent runs, and nobody has stated that the container folders are excluded."),
                fix=msg(
                    "Have the folders of Docker and containerd and the SHARED_FOLDER excluded from on-access scans, "
                    "and set security.exclusions_agreed to true in the site file."
                ),
            )
        unseen = [one for one in fact.found if one.program is None and not one.apart]
        if unseen:
            return unknown(
                wanted=wanted,
                seen=_called(unseen),
                because=msg("A name is no proof, and where the program lies is not visible."),
                fix=msg("Run this as root."),
            )
        apart = [one for one in fact.found if one.apart]
        if apart:
            return unknown(
                wanted=wanted,
                seen=_called(apart),
                because=msg(
                    "A name is no proof, and a program with users or mounts of its own (in a container, or a user's) "
                    "may show any path."
                ),
                fix=msg(
                    "Find out who started it. If it is a security agent, have the folders of Docker and containerd and "
                    "the SHARED_FOLDER excluded from its on-access scans."
                ),
            )
        if fact.hidden:
            return unknown(
                wanted=wanted,
                seen=msg("other processes are hidden"),
                because=msg("An agent may run unseen."),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        return met(wanted=wanted, seen=msg("no known security agent"), because=msg("No known security agent runs."))


def _called(found: Sequence[NamedProcess]) -> Message:
    return listed(
        msg("a program that calls itself {name} (PID {pid})", name=one.name, pid=str(one.pid)) for one in found
    )
