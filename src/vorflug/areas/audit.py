"""Audit: does the audit daemon run, and may its rules be changed before the next boot?

Sources: auditd(8); auditctl(8) for ``-s`` (``enabled`` 2 locks the rules until the next boot, ``pid`` is the daemon
that the kernel hands its records to, 0 for none).  A name is no proof: the program's path, or the kernel's word, tells
which process is the daemon.  The daemon's settings are closed to users other than root on most distributions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown
from vorflug.model.running import Runs
from vorflug.ports import Host

TITLE = msg("Audit")

_PROGRAMS = ("/usr/sbin/auditd", "/sbin/auditd", "/usr/bin/auditd")
_SETTINGS = "/etc/audit/auditd.conf"


class Rules(StrEnum):
    """What ``enabled`` of auditctl(8) says."""

    OFF = "off"
    ON = "on"
    LOCKED = "locked"
    """Nothing can be changed until the next boot."""
    UNSEEN = "unseen"
    """The kernel tells root only, and a program is needed to ask it."""


class AuditFact(Fact):
    """The audit daemon and the state of the kernel's rules."""

    daemon: Runs
    settings: bool | None
    """Whether there are settings of the daemon; None where that is closed to this user."""
    rules: Rules


@dataclass(frozen=True, kw_only=True)
class AuditQuery(Query[AuditFact]):
    """Does the audit daemon run, and are its rules locked?"""

    kind = "audit"
    touches = ("auditctl", "@processes.named", "/etc/audit/auditd.conf", "/usr/sbin/auditd", "/usr/bin/auditd")

    def asks(self) -> Message:
        return msg("Does the audit daemon run, and are its rules locked?")

    def observe(self, host: Host) -> AuditFact:
        rules, pid = _kernel(host)
        return AuditFact(daemon=_daemon(host, pid), settings=_settings(host), rules=rules)


def _kernel(host: Host) -> tuple[Rules, int | None]:
    """The state of the rules and the daemon's pid; UNSEEN and None where the kernel does not tell."""
    if host.commands.which("auditctl") is None:
        return Rules.UNSEEN, None
    done = host.commands.run(("auditctl", "-s"))
    said = dict(re.findall(r"^(enabled|pid) (\d{1,10})$", done.out, re.MULTILINE | re.ASCII))
    state = {"0": Rules.OFF, "1": Rules.ON, "2": Rules.LOCKED}.get(said.get("enabled", ""))
    if done.code != 0 or state is None or "pid" not in said:
        return Rules.UNSEEN, None
    return state, int(said["pid"])


def _daemon(host: Host, pid: int | None) -> Runs:
    if pid is not None:
        return Runs.YES if pid > 0 else Runs.NO
    running = host.processes.named(("auditd",))
    if any(one.program in _PROGRAMS for one in running.found):
        return Runs.YES
    if running.hidden or any(one.program is None for one in running.found):
        return Runs.UNCLEAR
    return Runs.NO


def _settings(host: Host) -> bool | None:
    try:
        return host.files.exists(_SETTINGS)
    except PermissionError:
        return None


class AuditRequirement(Requirement):
    """It is known whether the audit daemon runs, whichever it is."""

    kind = "audit"

    def wanted(self) -> Message:
        return msg("known whether the audit daemon runs")

    def queries(self, known: Evidence) -> Sequence[AuditQuery]:  # noqa: ARG002 - one question, whatever is known
        return [AuditQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[AuditQuery()]
        wanted = self.wanted()
        seen = msg(
            "audit daemon: {daemon}; its settings: {settings}; rules: {rules}",
            daemon=fact.daemon.said(),
            settings=_there(fact.settings),
            rules=_state(fact.rules),
        )
        if fact.daemon is Runs.UNCLEAR:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("Whether the audit daemon runs is not visible from here."),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        if fact.rules is Rules.LOCKED:
            because = msg("The audit rules are locked: rules for Docker's files are taken at the next boot only.")
        elif fact.daemon is Runs.YES:
            because = msg("The audit daemon runs.")
        else:
            because = msg("No audit daemon runs.")
        return met(wanted=wanted, seen=seen, because=because)


def _there(settings: bool | None) -> Message:
    return msg("not visible") if settings is None else msg("there") if settings else msg("not there")


def _state(rules: Rules) -> Message:
    return {
        Rules.OFF: msg("switched off"),
        Rules.ON: msg("switched on"),
        Rules.LOCKED: msg("locked until the next boot"),
        Rules.UNSEEN: msg("not visible"),
    }[rules]
