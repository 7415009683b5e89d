"""Home: can the programs of this user keep their settings?

Sources: environ(7) and passwd(5) for where a home is; the pages of docker login (``~/.docker``), kubectl (``~/.kube``)
and helm (``~/.config/helm``, ``~/.cache/helm``) for what is written there; docker's plugins are run from
``~/.docker/cli-plugins``.  HOME comes before the user database, as in os.UserHomeDir of Go, which those programs use.
Nothing is written: access(2) says what this user may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.files import FileKind

TITLE = msg("Home")


class HomeFact(Fact):
    """The home of this user, and what this process may do there."""

    uid: int
    """Of this process."""
    environment: str | None
    """HOME; None where it is not set."""
    database: str | None
    """The user database's entry; None where it has none for this user."""
    there: FileKind | None = None
    """What the path is, a symlink followed; None where there is nothing, or where `closed`."""
    closed: bool = False
    """Whether this user may not enter a folder above it."""
    owner: int = 0
    writable: bool = False
    read_only: bool = False
    """Whether its file system is mounted read-only."""
    noexec: bool = False
    """Whether its file system forbids programs."""

    @property
    def path(self) -> str | None:
        """Where programs look: HOME, else the user database's entry."""
        return self.environment or self.database


@dataclass(frozen=True, kw_only=True)
class HomeQuery(Query[HomeFact]):
    """Where is this user's home, and may it be written to?"""

    kind = "home"
    touches = ("@accounts.user", "@accounts.home", "@files.file_system", "~/")

    def asks(self) -> Message:
        return msg("Where is the home of this user, and may this user write there?")

    def observe(self, host: Host) -> HomeFact:
        home, uid = host.accounts.home(), host.accounts.user().uid
        fact = HomeFact(uid=uid, environment=home.environment, database=home.database)
        path = fact.path
        if path is None or not path.startswith("/"):
            return fact
        try:
            seen = host.files.status(path)
        except (FileNotFoundError, NotADirectoryError):
            return fact
        except PermissionError:
            return fact.model_copy(update={"closed": True})
        options = host.files.file_system(path).options
        return fact.model_copy(
            update={
                "there": seen.kind,
                "owner": seen.uid,
                "writable": host.files.writable(path),
                "read_only": "ro" in options,
                "noexec": "noexec" in options,
            }
        )


class HomeUsableRequirement(Requirement):
    """The home of this user is a folder that it may write to, and no other user's."""

    kind = "home_usable"
    programs: bool = False
    """Whether programs must run there as well (plugins of docker and helm)."""

    def wanted(self) -> Message:
        if self.programs:
            return msg("a home of this user, to write to and to run programs from")
        return msg("a home of this user, to write to")

    def queries(self, known: Evidence) -> Sequence[HomeQuery]:  # noqa: ARG002 - one question, whatever is known
        return [HomeQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        home = evidence[HomeQuery()]
        if home.path is None:
            says = msg("HOME is not set, and the user database has no home for this user.")
            return unmet(wanted=self.wanted(), seen=msg("none"), because=says, fix=_give())
        path = home.path
        if (fault := self._fault(home, path)) is not None:
            because, fix = fault
            return unmet(wanted=self.wanted(), seen=msg("{path}", path=path), because=because, fix=fix)
        if home.database not in (None, path):
            return met(
                wanted=self.wanted(),
                seen=msg("{path}", path=path),
                because=msg(
                    "HOME is {path}, which this user may write to; the user database says {database}.",
                    path=path,
                    database=home.database,
                ),
            )
        return met(
            wanted=self.wanted(),
            seen=msg("{path}", path=path),
            because=msg("This user may write to {path}.", path=path),
        )

    def _fault(self, home: HomeFact, path: str) -> tuple[Message, Message] | None:
        """What is wrong with it and what to do; the worst first."""
        if not path.startswith("/"):
            return msg("{path} is not an absolute path.", path=path), _give()
        if home.closed:
            return msg("This user may not enter a folder above {path}.", path=path), _give()
        if home.there is None:
            return msg("{path} does not exist.", path=path), _give()
        if home.there is not FileKind.FOLDER:
            return msg("{path} is there, but is no folder.", path=path), _give()
        if home.read_only:
            return (
                msg("{path} lies on a file system that is mounted read-only.", path=path),
                msg("Mount the file system that holds {path} for writing.", path=path),
            )
        if home.owner != home.uid and home.path != home.database:
            return (
                msg(
                    "HOME is {path}, which belongs to user {owner}: what is written there as user {uid} may lock that "
                    "user out.",
                    path=path,
                    owner=str(home.owner),
                    uid=str(home.uid),
                ),
                msg("Set HOME to the home of the user that installs; with sudo: sudo -H."),
            )
        if not home.writable:
            return msg("This user may not write to {path}.", path=path), _give()
        if self.programs and home.noexec:
            return (
                msg("{path} lies on a file system that is mounted noexec: no plugin runs from there.", path=path),
                msg(
                    "Install plugins for the whole system, or mount the file system that holds {path} without noexec.",
                    path=path,
                ),
            )
        return None


def _give() -> Message:
    return msg("Give the user that installs a home of its own that it may write to, or set HOME to one.")
