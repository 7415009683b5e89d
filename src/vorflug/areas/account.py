"""Account: may the user that installs the product do so?

Sources: sudo(8) and sudoers(5); Docker's post-installation steps: who is in the ``docker`` group may use the engine and
has root's rights by that.  sudo writes to the security log where it refuses, so it is asked only where nothing else
decides, and once: its question has no field, so that all requirements of a run put the same one.
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
    """Who runs this, and which group of those asked about it is in."""

    uid: int
    user: str
    group: str | None
    """Which of the asked groups this process is in; None for none."""

    @property
    def decides(self) -> bool:
        """Whether user or group give the right, so that sudo need not be asked."""
        return self.uid == 0 or self.group is not None


class SudoFact(Fact):
    """What sudo allows this user."""

    sudo: Sudo


@dataclass(frozen=True, kw_only=True)
class AdminQuery(Query[AdminFact]):
    """Who is this user?"""

    kind = "admin_rights"
    touches = ("@accounts.user",)
    groups: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Is this user root or a member of {groups:or}?", groups=self.groups)

    def observe(self, host: Host) -> AdminFact:
        user = host.accounts.user()
        group = next((name for name in self.groups if name in user.groups), None)
        return AdminFact(uid=user.uid, user=user.name, group=group)


@dataclass(frozen=True, kw_only=True)
class SudoQuery(Query[SudoFact]):
    """What does sudo allow this user?  Without a field, so that no run can hold two of them."""

    kind = "sudo_rights"
    touches = ("@accounts.sudo",)

    def asks(self) -> Message:
        return msg("What may this user do with sudo, without a password? (sudo -n -l, once)")

    def observe(self, host: Host) -> SudoFact:
        return SudoFact(sudo=host.accounts.sudo())


class AdminAccessRequirement(Requirement):
    """The user that runs this may install: as root, through a group, or with sudo."""

    kind = "admin_access"
    groups: tuple[str, ...] = ("docker",)
    """Groups whose members may use the engine."""

    def wanted(self) -> Message:
        return msg("root, member of {groups:or}, or sudo without a password", groups=self.groups)

    def queries(self, known: Evidence) -> Sequence[AdminQuery | SudoQuery]:
        first = AdminQuery(groups=self.groups)
        return [first, SudoQuery()] if first in known and not known[first].decides else [first]

    def then(self) -> Message:
        return msg("what sudo allows, where neither user nor group decide")

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
        sudo = evidence[SudoQuery()].sudo
        match sudo:
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
                        if sudo is Sudo.REFUSED
                        else msg("{user}, there is no sudo", user=fact.user)
                    ),
                    because=(
                        msg(
                            "{user} is not root and no member of {groups:or}, and sudo refuses {user}.",
                            user=fact.user,
                            groups=self.groups,
                        )
                        if sudo is Sudo.REFUSED
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
            case _:
                assert_never(sudo)
