"""Umask: will the user of the containers be able to read what this user makes?

Sources: umask(2); proc_pid_status(5) for the mask of this process (since Linux 4.7), read without changing it;
pam_umask(8) for what a login gets: its argument ``umask=`` comes before UMASK of login.defs(5), and without pam_umask a
login's mask is not taken from login.defs.  ``USERGROUPS_ENAB`` and ``usergroups`` only change the group's bits, which
are not judged here; masks that shells set in their start files, or a user's GECOS field, are not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Umask")

_STATUS = "/proc/self/status"
_LOGIN_DEFS = "/etc/login.defs"
_PAM = tuple(
    f"/etc/pam.d/{name}"
    for name in ("common-session", "postlogin", "system-auth", "password-auth", "login", "sshd", "base-session")
)
"""Where Debian, RHEL, SLES and Alpine have what every session gets."""
_IN_STATUS = re.compile(r"^Umask:\s*([0-7]+)$")
_ACTIVE = re.compile(r"^\s*-?session\s.*\bpam_umask\.so\b(.*)$")
_ARGUMENT = re.compile(r"\bumask=([0-7]{1,4})\b")
_IN_LOGIN_DEFS = re.compile(r"^\s*UMASK\s+([0-7]{1,4})\s*$")


class UmaskFact(Fact):
    """The mask of this process, and the one that a login gets."""

    process: int | None
    """None where the kernel does not say."""
    login: int | None
    """As pam_umask sets it; None where it is not active, has no number, or is in none of the files that may be read."""
    login_from: str | None
    """The file that says so."""
    hidden: tuple[str, ...] = ()
    """Files that may not be read and could give a login another mask."""


@dataclass(frozen=True, kw_only=True)
class UmaskQuery(Query[UmaskFact]):
    """Which umask has this process, and which does a login get?"""

    kind = "umask"
    touches = ("/proc/self/status", "/etc/pam.d/", "/etc/login.defs")

    def asks(self) -> Message:
        return msg("Which umask has this process, and which does a login get?")

    def observe(self, host: Host) -> UmaskFact:
        here = next((m[1] for line in _lines(host, _STATUS, "Umask:", []) if (m := _IN_STATUS.match(line))), None)
        hidden: list[str] = []
        login, source = _of_a_login(host, hidden)
        return UmaskFact(
            process=None if here is None else int(here, 8), login=login, login_from=source, hidden=tuple(hidden)
        )


def _of_a_login(host: Host, hidden: list[str]) -> tuple[int | None, str | None]:
    active = False
    for path in _PAM:
        for line in _lines(host, path, "pam_umask", hidden):
            if (found := _ACTIVE.match(line)) is None:
                continue
            if (given := _ARGUMENT.search(found[1])) is not None:
                return int(given[1], 8), path
            active = True
    if active:
        for line in _lines(host, _LOGIN_DEFS, "UMASK", hidden):
            if (value := _IN_LOGIN_DEFS.match(line)) is not None:
                return int(value[1], 8), _LOGIN_DEFS
    return None, None


def _lines(host: Host, path: str, word: str, hidden: list[str]) -> tuple[str, ...]:
    try:
        return host.files.lines_with(path, (word,))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except PermissionError:
        hidden.append(path)
        return ()


class UmaskRequirement(Requirement):
    """Files that this user makes stay open for others, as far as they must be."""

    kind = "umask"
    leaves: Annotated[str, StringConstraints(pattern=r"^00[1-7]$")]
    """Permissions of others that the mask must leave, in octal: ``005`` to read files and enter folders."""

    def wanted(self) -> Message:
        return msg("a umask that leaves others the permissions {leaves}", leaves=self.leaves)

    def queries(self, known: Evidence) -> Sequence[UmaskQuery]:  # noqa: ARG002 - one question, whatever is known
        return [UmaskQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[UmaskQuery()]
        needed = int(self.leaves, 8)
        fix = msg(
            "Set umask 022 in the shell that installs, or open the files to the user of the containers afterwards."
        )
        if fact.process is None:
            return unknown(
                wanted=self.wanted(), because=msg("The kernel does not say which umask this process has."), fix=fix
            )
        seen = msg("{umask}", umask=f"{fact.process:04o}")
        if fact.process & needed:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "Files that this user makes are closed to others, and so to the user of the containers unless it "
                    "owns them."
                ),
                fix=fix,
            )
        if fact.login is not None and fact.login & needed:
            return unknown(
                wanted=self.wanted(),
                seen=msg(
                    "{umask} here, {login} for a login ({file})",
                    umask=f"{fact.process:04o}",
                    login=f"{fact.login:04o}",
                    file=fact.login_from,
                ),
                because=msg(
                    "This process leaves them, but a login gets a mask that does not; which of them the "
                    "installation will have is not visible."
                ),
                fix=fix,
            )
        if fact.hidden:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "These may not be read, and could give a login another mask: {paths:list}.", paths=fact.hidden
                ),
                fix=msg("Run this as root."),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("Files that this user makes can be read by others."))
