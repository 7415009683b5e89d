"""Quotas: does a limit on what one owner may use leave enough?

Free space is what the file system has; a quota may leave less of it to this user, to one of its groups or to the
project that a folder belongs to.  Only limits that the kernel of this machine keeps are visible: those of a server
(NFS), of a pool (ZFS) and of btrfs groups are not, which is said and not taken for "none".

Sources: quotactl(2); the soft limit counts, because it may be passed for some days only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.file_system import QuotaLimit, QuotaQuery, quota_name
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Size
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet

TITLE = msg("Quotas")


class StorageQuotaRequirement(Requirement):
    """Every quota that limits this user at these paths leaves at least so much."""

    kind = "storage_quota"
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]
    at_least: Size

    def wanted(self) -> Message:
        return msg("no quota that leaves less than {need:size}", need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[QuotaQuery]:  # noqa: ARG002 - the same, whatever is known
        return [QuotaQuery(path=path) for path in dict.fromkeys(self.paths)]

    def judge(self, evidence: Evidence) -> Verdict:
        limits = [
            (path, limit, left)
            for path in dict.fromkeys(self.paths)
            for limit in evidence[QuotaQuery(path=path)].limits
            if (left := limit.left_bytes) is not None
        ]
        if not limits:
            return met(
                wanted=self.wanted(),
                seen=msg("no quota"),
                because=msg("No quota limits this user at {paths:list}.", paths=self.paths),
            )
        seen = listed(_seen(*one) for one in limits)
        gauge = Gauge(min(left for _, _, left in limits), self.at_least, "B")
        short = [one for one in limits if one[2] < self.at_least]
        if not short:
            return met(
                wanted=self.wanted(), seen=seen, because=msg("Every quota leaves enough to this user."), gauge=gauge
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(
                msg(
                    "At {path}, the {quota} leaves {left:size}, {need:size} are wanted.",
                    path=path,
                    quota=quota_name(limit),
                    left=left,
                    need=self.at_least,
                )
                for path, limit, left in short
            ),
            fix=sentences(
                msg(
                    "Raise the {quota} at {path} by {missing:size}.",
                    quota=quota_name(limit),
                    path=path,
                    missing=self.at_least - left,
                )
                for path, limit, left in short
            ),
            gauge=gauge,
        )


def _seen(path: str, limit: QuotaLimit, left: int) -> Message:
    return msg(
        "{quota} at {path}: {left:size} left, {used:size} used",
        quota=quota_name(limit),
        path=path,
        left=left,
        used=limit.used_bytes,
    )
