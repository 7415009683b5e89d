"""Mount options: does the way a file system is mounted stand against what will be done on it?

``noexec`` and ``nosuid`` forbid programs in volumes and layers what they need, ``ro`` forbids every write.  A folder
that does not exist yet would lie on its nearest existing ancestor's mount, whose options count then.

Sources: mount(8), "Filesystem-independent mount options"; proc_pid_mountinfo(5) (an option counts whether the mount or
the file system has it); ext4(5), ``errors=remount-ro``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.evidence import Evidence
from vorflug.model.file_system import OVERLAYS, FileSystemFact, FileSystemQuery, hidden_below, look, place
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.path import AbsolutePath
from vorflug.model.requirement import Requirement, Verdict, met, unmet

TITLE = msg("Mount options")

_AFTER_AN_ERROR = "errors=remount-ro"

MountOption = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=32)]


class StorageMountOptionsRequirement(Requirement):
    """None of these options is in force where these paths lie."""

    kind = "storage_mount_options"
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]
    forbidden: Annotated[tuple[MountOption, ...], Field(min_length=1)]
    """As mountinfo writes them: ``noexec``, ``nosuid``, ``ro``."""

    def wanted(self) -> Message:
        return msg("{paths:list} mounted without {options:list}", paths=self.paths, options=self.forbidden)

    def queries(self, known: Evidence) -> Sequence[FileSystemQuery]:  # noqa: ARG002 - the same, whatever is known
        return [FileSystemQuery(path=path) for path in dict.fromkeys(self.paths)]

    def judge(self, evidence: Evidence) -> Verdict:
        found, gap = look(self.paths, evidence)
        wrong = [(path, fact, options) for path, fact in found if (options := self._forbidden(fact))]
        if not wrong:
            if gap is not None:
                raise gap
            for path, fact in found:
                if fact.file_system in OVERLAYS:
                    return hidden_below(self.wanted(), path)
        seen = listed(self._seen(path, fact) for path, fact in found)
        if not wrong:
            return met(wanted=self.wanted(), seen=seen, because=msg("No mount has an option that prevents this use."))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(self._why(*one) for one in wrong),
            fix=sentences(
                msg(
                    "Take {options:list} from the entry of {mount} in /etc/fstab (or from its mount unit), then mount "
                    "it again.",
                    options=options,
                    mount=fact.mount_point,
                )
                for _, fact, options in wrong
            ),
        )

    def _forbidden(self, fact: FileSystemFact) -> tuple[str, ...]:
        return tuple(option for option in self.forbidden if option in fact.options)

    def _seen(self, path: str, fact: FileSystemFact) -> Message:
        # of the many options, those that this is about
        options = self._forbidden(fact)
        if not options:
            return msg("{path} at {mount}: none of them", path=place(path, fact), mount=fact.mount_point)
        return msg("{path} at {mount}: {options:list}", path=place(path, fact), mount=fact.mount_point, options=options)

    def _why(self, path: str, fact: FileSystemFact, options: tuple[str, ...]) -> Message:
        values = {"path": path, "mount": fact.mount_point, "options": options}
        says = (
            msg("{path} lies on the mount {mount}, which has {options:list}.", **values)
            if fact.exists
            else msg(
                "{path} does not exist yet; it would lie on the mount {mount}, which has {options:list}.", **values
            )
        )
        if "ro" in options and _AFTER_AN_ERROR in fact.options:
            hint = msg(
                "The kernel may have made {mount} read-only after an error: dmesg tells.", mount=fact.mount_point
            )
            return sentences([says, hint])
        return says
