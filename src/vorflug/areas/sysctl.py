"""Sysctls: is a kernel setting what it must be?

Sources: proc(5) for ``/proc/sys``; sysctl(8) for the spelling of names and sysctl.d(5) for where they are set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import StringConstraints, model_validator

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.sysctl import below_proc_sys
from vorflug.ports import Host

TITLE = msg("Kernel settings")


class SysctlFact(Fact):
    """One sysctl."""

    value: str | None
    """Fields separated by one space; None where this kernel (or container) shows no such name."""


@dataclass(frozen=True, kw_only=True)
class SysctlQuery(Query[SysctlFact]):
    """What is this sysctl set to?"""

    kind = "sysctl_value"
    touches = ("/proc/sys/",)
    name: str

    def asks(self) -> Message:
        return msg("What is {name} set to?", name=self.name)

    def observe(self, host: Host) -> SysctlFact:
        try:
            text = host.files.read_text(f"/proc/sys/{below_proc_sys(self.name)}")
        except FileNotFoundError:
            return SysctlFact(value=None)
        return SysctlFact(value=" ".join(text.split())[:256])


class SysctlRequirement(Requirement):
    """A sysctl has this value, or at least this number."""

    kind = "sysctl"
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+([./][A-Za-z0-9_*-]+)+$", max_length=128)]
    at_least: int | None = None
    equal: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    """As text; several fields are separated by one space."""

    @model_validator(mode="after")
    def _one_demand(self) -> Self:
        if (self.at_least is None) == (self.equal is None):
            raise ValueError("wanted exactly one of 'at_least' and 'equal'")
        return self

    def wanted(self) -> Message:
        if self.at_least is not None:
            return msg("{name} at least {value}", name=self.name, value=self.at_least)
        return msg("{name} = {value}", name=self.name, value=self.equal)

    def queries(self, known: Evidence) -> Sequence[SysctlQuery]:  # noqa: ARG002 - one question, whatever is known
        return [SysctlQuery(name=self.name)]

    def judge(self, evidence: Evidence) -> Verdict:
        value = evidence[SysctlQuery(name=self.name)].value
        wanted = self.wanted()
        if value is None:
            return unknown(
                wanted=wanted,
                seen=msg("no {name}", name=self.name),
                because=msg(
                    "This kernel shows no {name}: its module is not loaded, or a container hides it.", name=self.name
                ),
                fix=msg("Load the module that brings {name}, or run this on the machine itself.", name=self.name),
            )
        seen = msg("{name} = {value}", name=self.name, value=value)
        if self.at_least is not None and not re.fullmatch(r"-?\d{1,24}", value, re.ASCII):
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("{name} is no single number.", name=self.name),
                fix=msg("Compare {name} by hand, and note the result at the sign-off.", name=self.name),
            )
        if int(value) >= self.at_least if self.at_least is not None else value == self.equal:
            return met(wanted=wanted, seen=seen, because=msg("{name} is {value}.", name=self.name, value=value))
        need: Any = self.at_least if self.at_least is not None else self.equal
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("{name} is {value}, {need} is wanted.", name=self.name, value=value, need=need),
            fix=msg(
                "Set {name} = {need} in /etc/sysctl.d and load it with sysctl --system.", name=self.name, need=need
            ),
        )
