"""Folders: is a folder there in which a service's user may write?

Judged from ownership and mode bits, because the user is mostly another one than the one who asks; nothing is written.
Sources: path_resolution(7), "Permissions"; acl(5), by which the owner's entry always equals the owner's mode bits while
the group's bits are only the mask of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.files import FileKind

TITLE = msg("Folders")

_READ, _WRITE, _SEARCH = 4, 2, 1


class FolderFact(Fact):
    """What a path is, and who may do what with it."""

    there: FileKind | None
    """What the path is, a symlink not followed; None where there is nothing."""
    mode: int
    """Permission bits."""
    uid: int
    gid: int
    acl: bool
    """Whether an access control list says more than the bits do."""
    read_only: bool
    """Whether its file system is mounted read-only."""


@dataclass(frozen=True, kw_only=True)
class FolderQuery(Query[FolderFact]):
    """Is this a folder, and who may write to it?"""

    kind = "folder"
    touches = ("@files.file_system",)
    path: str

    def asks(self) -> Message:
        return msg("Is {path} a folder, and who may write to it?", path=self.path)

    def observe(self, host: Host) -> FolderFact:
        try:
            seen = host.files.status(self.path, follow=False)
        except (FileNotFoundError, NotADirectoryError):
            return FolderFact(there=None, mode=0, uid=0, gid=0, acl=False, read_only=False)
        return FolderFact(
            there=seen.kind,
            mode=seen.mode,
            uid=seen.uid,
            gid=seen.gid,
            acl=seen.kind is FileKind.FOLDER and host.files.has_acl(self.path),
            read_only="ro" in host.files.file_system(self.path).options,
        )


class FolderWritableRequirement(Requirement):
    """A folder that a user and group may read and write, judged from ownership and mode bits; nothing is written."""

    kind = "folder_writable"
    path: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
    """As the site gives it; a relative one is an unmet demand, not a mistake of the profile."""
    uid: Annotated[int, Field(ge=0)]
    """Of the container's or service's user, as the host sees it."""
    gid: Annotated[int, Field(ge=0)]

    def wanted(self) -> Message:
        return msg(
            "folder {path}, writable by user {uid} and group {gid}",
            path=self.path,
            uid=str(self.uid),
            gid=str(self.gid),
        )

    def queries(self, known: Evidence) -> Sequence[FolderQuery]:  # noqa: ARG002 - the same, whatever is known
        if not self.path.startswith("/"):
            return []
        return [FolderQuery(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        if not self.path.startswith("/"):
            return unmet(
                wanted=self.wanted(),
                seen=msg("{path}", path=self.path),
                because=msg("{path} is not an absolute path.", path=self.path),
                fix=msg("Give the folder as an absolute path, from / on."),
            )
        folder = evidence[FolderQuery(path=self.path)]
        make = msg(
            "Create {path}: install -d -o {uid} -g {gid} -m 0770 {path}",
            path=self.path,
            uid=str(self.uid),
            gid=str(self.gid),
        )
        match folder.there:
            case FileKind.FOLDER:
                return self._judge_folder(folder)
            case None:
                return unmet(
                    wanted=self.wanted(),
                    seen=msg("nothing"),
                    because=msg("{path} does not exist.", path=self.path),
                    fix=make,
                )
            case FileKind.SYMLINK:
                return unmet(
                    wanted=self.wanted(),
                    seen=msg("a symbolic link"),
                    because=msg("{path} is a symbolic link.", path=self.path),
                    fix=msg("Name the folder itself instead of the link {path}.", path=self.path),
                )
            case _:
                return unmet(
                    wanted=self.wanted(),
                    seen=msg("no folder"),
                    because=msg("{path} is there, but is no folder.", path=self.path),
                    fix=make,
                )

    def _judge_folder(self, folder: FolderFact) -> Verdict:
        seen = msg(
            "owner {uid}:{gid}, mode {mode}", uid=str(folder.uid), gid=str(folder.gid), mode=f"{folder.mode:04o}"
        )
        if folder.read_only:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} lies on a file system that is mounted read-only.", path=self.path),
                fix=msg("Mount the file system that holds {path} for writing.", path=self.path),
            )
        is_owner = self.uid == folder.uid
        if folder.acl and not is_owner and self.uid != 0:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} has an access control list, which decides beside the mode.", path=self.path),
                fix=msg("Check with getfacl {path} whether user {uid} may write.", path=self.path, uid=str(self.uid)),
            )
        shift = 6 if is_owner else 3 if self.gid == folder.gid else 0
        if self.uid == 0 or (folder.mode >> shift) & 7 == _READ | _WRITE | _SEARCH:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("By owner and mode, user {uid} may write to {path}.", uid=str(self.uid), path=self.path),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "By owner and mode, user {uid} in group {gid} may not read and write {path}.",
                uid=str(self.uid),
                gid=str(self.gid),
                path=self.path,
            ),
            fix=msg(
                "Hand the folder over: chown {uid}:{gid} {path} && chmod u+rwx {path}",
                path=self.path,
                uid=str(self.uid),
                gid=str(self.gid),
            ),
        )
