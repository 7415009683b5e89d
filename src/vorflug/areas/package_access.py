"""Access to the delivered files: closed to others where they hold secrets, open to the user of the containers.

Judged from ownership and mode bits; nothing is opened.  Sources: path_resolution(7), "Permissions"; acl(5): the entry
of the owner and that of others always equal the mode's, while the group's bits are only the mask of a list.  A bind
mount needs no right on the folders above, because the engine makes it (mount(2)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.package_file import FileFact, file_gap
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.files import FileKind
from vorflug.ports.package import Reading

TITLE = msg("Access to the delivered files")

_OTHERS = 0o007
_READ = 4


class AccessFact(Fact):
    """Who owns a file, and who may do what with it; a symlink is followed."""

    file: FileFact
    mode: int = 0
    """Permission bits."""
    uid: int = 0
    gid: int = 0
    acl: bool = False
    """Whether an access control list says more than the bits do."""
    asker: int
    """The user that this runs as."""


@dataclass(frozen=True, kw_only=True)
class AccessQuery(Query[AccessFact]):
    """Who owns the file, and who may do what with it?"""

    kind = "package_access"
    touches = ("@accounts.user",)
    path: str

    def asks(self) -> Message:
        return msg("Who owns {path}, and who may read it?", path=self.path)

    def observe(self, host: Host) -> AccessFact:
        asker = host.accounts.user().uid
        try:
            seen = host.files.status(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return AccessFact(file=FileFact(path=self.path, reading=Reading.ABSENT), asker=asker)
        if seen.kind is not FileKind.FILE:
            return AccessFact(file=FileFact(path=self.path, reading=Reading.NOT_A_FILE), asker=asker)
        return AccessFact(
            file=FileFact(path=self.path, reading=Reading.GOOD, size_bytes=seen.size_bytes),
            mode=seen.mode,
            uid=seen.uid,
            gid=seen.gid,
            acl=host.files.has_acl(self.path),
            asker=asker,
        )


class FilePrivateRequirement(Requirement):
    """A file with secrets is closed to others and belongs to root or to the user that installs."""

    kind = "file_private"
    path: AbsolutePath

    def wanted(self) -> Message:
        return msg("{path} of root or of the user that installs, closed to others", path=self.path)

    def queries(self, known: Evidence) -> Sequence[AccessQuery]:  # noqa: ARG002 - one question, whatever is known
        return [AccessQuery(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        access = evidence[AccessQuery(path=self.path)]
        if (gap := file_gap(self.wanted(), access.file)) is not None:
            return gap
        seen = _seen(access)
        if access.mode & _OTHERS:
            mode = f"{access.mode:04o}"
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=(
                    msg(
                        "By its mode ({mode}), every user who reaches its folder may read {path}.",
                        mode=mode,
                        path=self.path,
                    )
                    if access.mode & _READ
                    else msg(
                        "By its mode ({mode}), every user who reaches its folder has rights on {path}.",
                        mode=mode,
                        path=self.path,
                    )
                ),
                fix=msg("Take the rights of other users away: chmod o= {path}", path=self.path),
            )
        if access.acl:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} has an access control list, which decides beside the mode.", path=self.path),
                fix=msg("Check with getfacl {path} who else may read it.", path=self.path),
            )
        if access.uid in (0, access.asker):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Only its owner and its group may open {path}.", path=self.path),
            )
        fix = msg("Hand it over to the user that installs: chown USER {path}", path=self.path)
        if access.asker == 0:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{path} belongs to user {uid}; whether that is the user that installs is not visible to root.",
                    path=self.path,
                    uid=str(access.uid),
                ),
                fix=msg(
                    "Run again as the user that installs, or hand the file to root: chown root {path}", path=self.path
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{path} belongs to user {uid}, who is neither root nor the user that this runs as.",
                path=self.path,
                uid=str(access.uid),
            ),
            fix=fix,
        )


class FileReadableByRequirement(Requirement):
    """A file that the user of a container may read."""

    kind = "file_readable_by"
    path: AbsolutePath
    uid: Annotated[int, Field(ge=0)]
    """Of the container's user, as the host sees it."""
    gid: Annotated[int, Field(ge=0)]

    def wanted(self) -> Message:
        return msg(
            "{path} readable by user {uid} and group {gid}", path=self.path, uid=str(self.uid), gid=str(self.gid)
        )

    def queries(self, known: Evidence) -> Sequence[AccessQuery]:  # noqa: ARG002 - one question, whatever is known
        return [AccessQuery(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        access = evidence[AccessQuery(path=self.path)]
        if (gap := file_gap(self.wanted(), access.file)) is not None:
            return gap
        seen = _seen(access)
        is_owner = self.uid == access.uid
        if access.acl and not is_owner and self.uid != 0:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} has an access control list, which decides beside the mode.", path=self.path),
                fix=msg("Check with getfacl {path} whether user {uid} may read it.", path=self.path, uid=str(self.uid)),
            )
        shift = 6 if is_owner else 3 if self.gid == access.gid else 0
        if self.uid == 0 or (access.mode >> shift) & _READ:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("By owner and mode, user {uid} may read {path}.", uid=str(self.uid), path=self.path),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "By owner and mode, user {uid} in group {gid} may not read {path}.",
                uid=str(self.uid),
                gid=str(self.gid),
                path=self.path,
            ),
            fix=msg(
                "Open it to the containers: chgrp {gid} {path} && chmod u+r,g+r {path}",
                path=self.path,
                gid=str(self.gid),
            ),
        )


def _seen(access: AccessFact) -> Message:
    return msg("owner {uid}:{gid}, mode {mode}", uid=str(access.uid), gid=str(access.gid), mode=f"{access.mode:04o}")
