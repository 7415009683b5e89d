"""Account: may the user that installs the product do so?

Sources: sudo(8) and sudoers(5); Docker's post-installation steps: who is in the ``docker`` group may use the engine and
has root's rights by that.  sudo writes to the security log, so it is asked once and only where nothing else decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.accounts import Sudo

TITLE = msg("Account")


class AdminFact(Fact):
    """Who runs this, and which rights it has."""

    uid: int
    user: str
    group: str | None
    """Which of the asked groups this process is in; None for none."""
    sudo: Sudo | None
    """None: not asked, because user or group decide already."""


@dataclass(frozen=True, kw_only=True)
class AdminQuery(Query[AdminFact]):
    """Which rights does this user have?"""

    kind = "admin_rights"
    groups: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Is this user root, a member of {groups:or}, or allowed sudo?", groups=self.groups)

    def observe(self, host: Host) -> AdminFact:
        user = host.accounts.user()
        group = next((name for name in self.groups if name in user.groups), None)
        decided = user.uid == 0 or group is not None
        return AdminFact(uid=user.uid, user=user.name, group=group, sudo=None if decided else host.accounts.sudo())


class AdminAccessRequirement(Requirement):
    """The user that runs this may install: as root, through a group, or with sudo."""

    kind = "admin_access"
    groups: tuple[str, ...] = ("docker",)
    """Groups whose members may use the engine."""

    def wanted(self) -> Message:
        return msg("root, member of {groups:or}, or sudo without a password", groups=self.groups)

    def queries(self, known: Evidence) -> Sequence[AdminQuery]:  # noqa: ARG002 - one question, whatever is known
        # one query for all requirements with these groups: sudo is asked once in a run
        return [AdminQuery(groups=self.groups)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[AdminQuery(groups=self.groups)]
        wanted = self.wanted()
        if fact.uid == 0:
            return met(wanted=wanted, seen=msg("root"), because=msg("This runs as root."))
        if fact.group is not None:
            return met(
                wanted=wanted,
                seen=msg("{user}, member of {group}", user=fact.user, group=fact.group),
                because=msg("{user} may use the engine as a member of {group}.", user=fact.user, group=fact.group),
            )
        fix = msg("Run again as root, or as the user that will install the product.")
        match fact.sudo:
            case Sudo.EVERYTHING:
                return met(
                    wanted=wanted,
                    seen=msg("{user}, sudo without a password", user=fact.user),
                    because=msg("{user} may run every command as root.", user=fact.user),
                )
            case Sudo.SOME:
                return unknown(
                    wanted=wanted,
                    seen=msg("{user}, sudo for some commands", user=fact.user),
                    because=msg(
                        "sudo allows {user} some commands; whether they suffice is not visible.", user=fact.user
                    ),
                    fix=fix,
                )
            case Sudo.PASSWORD:
                return unknown(
                    wanted=wanted,
                    seen=msg("{user}, sudo asks for a password", user=fact.user),
                    because=msg(
                        "sudo asks {user} for a password, and none is ever entered here: which rights stand behind it "
                        "is not visible.",
                        user=fact.user,
                    ),
                    fix=fix,
                )
            case Sudo.REFUSED | Sudo.ABSENT:
                return unmet(
                    wanted=wanted,
                    seen=(
                        msg("{user}, no right to sudo", user=fact.user)
                        if fact.sudo is Sudo.REFUSED
                        else msg("{user}, there is no sudo", user=fact.user)
                    ),
                    because=(
                        msg(
                            "{user} is not root and no member of {groups:or}, and sudo refuses {user}.",
                            user=fact.user,
                            groups=self.groups,
                        )
                        if fact.sudo is Sudo.REFUSED
                        else msg(
                            "{user} is not root and no member of {groups:or}, and sudo is not installed.",
                            user=fact.user,
                            groups=self.groups,
                        )
                    ),
                    fix=msg(
                        "Give {user} sudo or membership of {groups:or} for the installation, or install as root.",
                        user=fact.user,
                        groups=self.groups,
                    ),
                )
            case None:
                raise ValueError("sudo was not asked although neither user nor group decide")
            case _:
                assert_never(fact.sudo)
