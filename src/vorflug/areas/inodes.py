"""Inodes: can files still be made where there is space?

A file system that ran out of inodes refuses every new file with "No space left on device", whatever df(1) shows.
Some kinds have no fixed number of them: btrfs and vfat report 0, which is no shortage.

Sources: statvfs(3) (f_files, f_favail); mke2fs(8) ``-i`` and ``-N``; xfs_growfs(8) ``-m``; tmpfs(5) ``nr_inodes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.file_system import FileSystemFact, FileSystemQuery, look, spaces
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Percent
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, not_applicable, unmet

TITLE = msg("Inodes")


class StorageInodesRequirement(Requirement):
    """So large a share of the inodes is free on every file system that has a fixed number of them."""

    kind = "storage_inodes"
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]
    """Counted once where they share a file system."""
    at_least: Percent
    """Free share, for this user."""

    def wanted(self) -> Message:
        return msg("at least {least:percent} of the inodes free", least=self.at_least)

    def queries(self, known: Evidence) -> Sequence[FileSystemQuery]:  # noqa: ARG002 - the same, whatever is known
        return [FileSystemQuery(path=path) for path in dict.fromkeys(self.paths)]

    def judge(self, evidence: Evidence) -> Verdict:
        found, gap = look(self.paths, evidence)
        facts = [min((fact for _, fact in space.facts), key=_share) for space in spaces(found)]
        counted = [fact for fact in facts if fact.total_inodes > 0]
        short = [fact for fact in counted if _share(fact) < self.at_least]
        if gap is not None and not short:
            raise gap
        seen = listed(_seen(fact) for fact in facts)
        if not counted:
            return not_applicable(
                wanted=self.wanted(),
                seen=seen,
                because=msg("No file system here has a fixed number of inodes."),
            )
        gauges = tuple(
            Gauge(fact.free_inodes, self.at_least * fact.total_inodes, "1", msg("{mount}", mount=fact.mount_point))
            for fact in counted
        )
        tightest = gauges[counted.index(min(counted, key=_share))]
        if not short:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Every file system has enough free inodes."),
                gauge=tightest,
                gauges=gauges,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(
                msg(
                    "At {mount}, {share:percent} of the inodes are free, at least {least:percent} are wanted.",
                    mount=fact.mount_point,
                    share=_share(fact),
                    least=self.at_least,
                )
                for fact in short
            ),
            fix=sentences(_fix(fact) for fact in short),
            gauge=tightest,
            gauges=gauges,
        )


def _share(fact: FileSystemFact) -> float:
    """Free share; all of them where there is no fixed number."""
    return fact.free_inodes / fact.total_inodes if fact.total_inodes > 0 else 1.0


def _seen(fact: FileSystemFact) -> Message:
    if fact.total_inodes <= 0:
        return msg("no fixed number at {mount} ({kind})", mount=fact.mount_point, kind=fact.file_system)
    return msg(
        "{free} of {total} free at {mount} ({share:percent})",
        free=fact.free_inodes,
        total=fact.total_inodes,
        mount=fact.mount_point,
        share=_share(fact),
    )


def _fix(fact: FileSystemFact) -> Message:
    mount = fact.mount_point
    match fact.file_system:
        case "ext2" | "ext3" | "ext4":
            return msg(
                "Remove small files at {mount} (du --inodes -x {mount} finds them), or make the file system anew with "
                "more inodes (mkfs -N; this deletes what is on it).",
                mount=mount,
            )
        case "xfs":
            return msg("Let inodes take more of {mount} (xfs_growfs -m), or free space there.", mount=mount)
        case "tmpfs":
            return msg("Remove files at {mount}, or mount it with a higher nr_inodes.", mount=mount)
        case _:
            return msg("Remove small files at {mount} (du --inodes -x {mount} finds them).", mount=mount)
