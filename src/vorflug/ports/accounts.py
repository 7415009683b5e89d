"""The user that runs this, and which rights it has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Sudo(StrEnum):
    """What ``sudo -n -l`` says."""

    EVERYTHING = "everything"
    """Every command as root, without a password."""
    SOME = "some"
    """Some commands without a password."""
    PASSWORD = "password"  # noqa: S105 - a word, no secret
    """A password is wanted before it says anything."""
    REFUSED = "refused"
    """This user may not use sudo."""
    ABSENT = "absent"
    """There is no sudo."""


@dataclass(frozen=True)
class User:
    """The effective user of this process."""

    uid: int
    name: str
    """As the user database has it; the number where it has none."""
    groups: tuple[str, ...]
    """The groups of this process (a membership granted after login is not among them); numbers where nameless."""


@dataclass(frozen=True)
class Home:
    """Where this user's programs keep their settings."""

    environment: str | None
    """The variable HOME; None where it is not set, or empty."""
    database: str | None
    """The user database's entry (passwd(5)); None where it has none for this user."""


class Accounts(Protocol):
    """Users and rights; nobody is asked for a password."""

    def user(self) -> User:
        """Who runs this."""
        ...

    def home(self) -> Home:
        """The home of this process's effective user; what there is at the path is another question."""
        ...

    def sudo(self) -> Sudo:
        """What sudo would allow.  Leaves one line in the security log where it refuses: ask once, and only at need.

        Raises PermissionError where sudo cannot work here or says something that is not understood.
        """
        ...
