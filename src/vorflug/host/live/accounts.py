"""The user that runs this, and what sudo(8) would allow it."""

from __future__ import annotations

import grp
import os
import pwd
import re
from typing import TYPE_CHECKING

from vorflug.ports.accounts import Home, Sudo, User
from vorflug.ports.commands import Commands

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_EVERYTHING = re.compile(
    r"^[ \t]*\((?:ALL|root)(?:[ \t]*:[^)\n]*)?\)[ \t]+(?:[A-Z_]+:[ \t]*)*NOPASSWD:[ \t]*(?:[A-Z_]+:[ \t]*)*ALL[ \t]*$",
    re.MULTILINE,
)
"""A rule of the list: ``(ALL : ALL) NOPASSWD: ALL``, see sudoers(5)."""
_PASSWORD = ("password is required", "authentication is required", "terminal is required")
_REFUSED = ("may not run sudo", "not in the sudoers file", "not allowed to execute")


class LiveAccounts:
    """Asks the user database and, once, sudo."""

    def __init__(self, patience: Patience, commands: Commands | None = None) -> None:
        self._patience = patience
        self._commands = commands

    def user(self) -> User:
        self._patience.left()
        uid = os.geteuid()
        groups = {os.getegid(), *os.getgroups()}
        return User(uid=uid, name=_user_name(uid), groups=tuple(sorted(_group_name(gid) for gid in groups)))

    def home(self) -> Home:
        self._patience.left()
        try:
            database = pwd.getpwuid(os.geteuid()).pw_dir or None
        except KeyError:
            database = None
        return Home(environment=os.environ.get("HOME") or None, database=database)

    def sudo(self) -> Sudo:
        commands = self._commands
        if commands is None:
            from vorflug.host.live.commands import LiveCommands

            commands = LiveCommands(self._patience)
        try:
            # -n: sudo ends rather than ask for a password (sudo(8)); commands are given no terminal and no input
            done = commands.run(("sudo", "-n", "-l"))
        except FileNotFoundError:
            return Sudo.ABSENT
        return read_sudo(done.code, done.out, done.err)


def read_sudo(code: int, out: str, err: str) -> Sudo:
    """What the answer of ``sudo -n -l`` means.  Raises PermissionError where it is none of the known ones."""
    if any(words in out or words in err for words in _REFUSED):
        return Sudo.REFUSED  # some releases end with 0 all the same
    if code == 0:
        return Sudo.EVERYTHING if _EVERYTHING.search(out) else Sudo.SOME if "NOPASSWD:" in out else Sudo.PASSWORD
    if any(words in err for words in _PASSWORD):
        return Sudo.PASSWORD
    raise PermissionError(f"sudo ended with {code}: {err.strip()[:200]}")


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
