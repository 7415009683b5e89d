"""Support: until when does the vendor of the operating system mend its faults?

Source: the vendors' life-cycle pages, from which the profile has its table (`OsSupportRequirement.releases`); they
change their minds, so a profile names where each date comes from.  Today is the machine's own date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.date import DateQuery
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.os_release import OsReleaseFact, OsReleaseQuery, system_name
from vorflug.model.quantity import Duration, Version
from vorflug.model.query import Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet

TITLE = msg("Support of the operating system")

_DAY_S = 86400.0


class Extended(Frozen):
    """What follows on the regular support."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """What the vendor calls it: ``Ubuntu Pro (ESM)``, ``LTSS``."""
    until: date
    """Its last day."""
    for_all: bool = False
    """Whether everybody gets it without asking (Debian LTS), so that no contract must be known."""


class SupportedRelease(Frozen):
    """A release, and how long it is supported."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]+$", max_length=64)]
    """As in os-release(5)."""
    version: Version
    """A series stands for its releases, unless one of them has a row of its own."""
    until: date
    """The last day of the support that belongs to the system."""
    extended: Extended | None = None


class OsSupportRequirement(Requirement):
    """The operating system is supported for at least this long from now on."""

    kind = "os_support"
    at_least: Duration
    releases: Annotated[tuple[SupportedRelease, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("vendor support for at least {need:duration} more", need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, always
        return [OsReleaseQuery(), DateQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        system = evidence[OsReleaseQuery()]
        if system.missing:
            return unknown(
                wanted=self.wanted(),
                seen=system.seen,
                because=msg(
                    "{file} has no {key}, so the system and its version are not certain.",
                    file=system.path,
                    key=system.missing,
                ),
                fix=msg("Find out which system this is, and have it agreed with the vendor."),
            )
        release = self._release(system)
        if release is None:
            return unknown(
                wanted=self.wanted(),
                seen=system.seen,
                because=msg("This profile does not know how long {system} is supported.", system=_name(system)),
                fix=msg("Look up the end of support on the vendor's life-cycle page and agree it with the vendor."),
            )
        name, today = _name(system), evidence[DateQuery()].today
        seen = msg("{system}: supported until {until:date}", system=name, until=release.until.isoformat())
        if self._is_enough(release.until, today):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{system} is supported until {until:date}.", system=name, until=release.until.isoformat()),
            )
        more = release.extended
        if more is not None and self._is_enough(more.until, today):
            seen = msg("{seen}; {name} until {until:date}", seen=seen, name=more.name, until=more.until.isoformat())
            if more.for_all:
                return met(
                    wanted=self.wanted(),
                    seen=seen,
                    because=msg(
                        "{system} is supported until {until:date} ({name}).",
                        system=name,
                        until=more.until.isoformat(),
                        name=more.name,
                    ),
                )
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "Regular support of {system} ends or ended on {until:date}; "
                    "whether {name} was bought for this machine is not visible here.",
                    system=name,
                    until=release.until.isoformat(),
                    name=more.name,
                ),
                fix=msg("Show that {name} covers this machine, or upgrade to a newer release.", name=more.name),
            )
        last = release.until if more is None else max(release.until, more.until)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=(
                msg("Support of {system} ended on {until:date}.", system=name, until=last.isoformat())
                if last < today
                else msg("Support of {system} ends on {until:date}.", system=name, until=last.isoformat())
            ),
            fix=msg("Plan the upgrade to a release with longer support before the installation."),
        )

    def _is_enough(self, until: date, today: date) -> bool:
        return (until - today).days * _DAY_S >= self.at_least

    def _release(self, system: OsReleaseFact) -> SupportedRelease | None:
        """The closest row; None where the table has none, or the system does not say its version."""
        try:
            version = Version(system.version_id)
        except ValueError:
            return None
        rows = [row for row in self.releases if row.id == system.id and version.within(row.version)]
        return max(rows, key=lambda row: len(row.version.numbers), default=None)


def _name(system: OsReleaseFact) -> str:
    return f"{system_name(system.id)} {system.version_id}"
