"""Tools: are the programs there that the installation guide calls?

Source: the installation guide's commands.  Only the system's own folders count (`vorflug.ports.commands`): a program in
somebody's home or only in a login's PATH is not there for root or a service.  An applet of BusyBox or Toybox counts as
present and is named, as it lacks some options of the full program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.contact import Contact, written
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("Tools")

_MULTICALL = {"busybox", "toybox"}
"""Programs that are many in one, called by links."""

ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=64)]


class Tool(Frozen):
    """A program that was looked for."""

    name: str
    path: str
    """Where it lies; empty where it is not there."""
    applet_of: str = ""
    """``busybox`` or ``toybox`` where it is a link to that."""


class ToolsFact(Fact):
    """Programs in the order in which they were asked for."""

    tools: tuple[Tool, ...]


@dataclass(frozen=True, kw_only=True)
class ToolsQuery(Query[ToolsFact]):
    """Which of these programs are installed?"""

    kind = "tools"
    names: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Are these programs installed: {names:list}?", names=self.names)

    def contacts(self) -> tuple[Contact, ...]:
        return (*super().contacts(), *written(self.names))

    def observe(self, host: Host) -> ToolsFact:
        return ToolsFact(tools=tuple(_look(host, name) for name in self.names))


def _look(host: Host, name: str) -> Tool:
    path = host.commands.which(name)
    if path is None:
        return Tool(name=name, path="")
    real = host.files.resolve(path).rpartition("/")[2]
    return Tool(name=name, path=path, applet_of=real if real in _MULTICALL and real != name else "")


class ToolsRequirement(Requirement):
    """These programs are installed."""

    kind = "tools"
    names: Annotated[tuple[ToolName, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("installed: {names:list}", names=self.names)

    def queries(self, known: Evidence) -> Sequence[ToolsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ToolsQuery(names=self.names)]

    def judge(self, evidence: Evidence) -> Verdict:
        tools = evidence[ToolsQuery(names=self.names)].tools
        missing = tuple(tool.name for tool in tools if not tool.path)
        applets = tuple(tool.name for tool in tools if tool.applet_of)
        there = tuple(tool.name for tool in tools if tool.path)
        seen = msg("installed: {names:list}", names=there) if there else msg("none of them")
        if applets:
            seen = msg("{seen} (as applets of BusyBox or Toybox: {applets:list})", seen=seen, applets=applets)
        if missing:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Not found in the system's folders: {names:list}.", names=missing),
                fix=msg("Install {names:list}.", names=missing),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("All of them are installed."))
