"""Time zone: by which clock do people read this machine's logs?

Sources: localtime(5) (``/etc/localtime`` is a symlink into the zoneinfo folder; UTC where it is missing), tzset(3) (UTC
where it cannot be read), RFC 8536, 3.3 (the footer of a TZif file is its present rule as a POSIX TZ string).
``/etc/timezone`` is Debian's older note of the name, which some programs still read.  The variable TZ of a single
program or container goes its own way and is not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Time zone")

_LOCALTIME = "/etc/localtime"
_FOLDER = "zoneinfo/"
_VARIANTS = ("posix/", "right/")
"""Folders of zoneinfo with the same zones, without and with leap seconds (zic(8))."""
_UTC = "UTC0"


class Form(StrEnum):
    """What /etc/localtime is."""

    LINK = "link"
    """A symlink to a zone's file."""
    COPY = "copy"
    """A file of its own, which does not tell its zone's name."""
    MISSING = "missing"
    DANGLING = "dangling"
    """A symlink to a file that is not there."""


class TimeZoneFact(Fact):
    """The system's time zone."""

    form: Form
    name: str
    """From the symlink: ``Europe/Berlin``; empty where it tells none."""
    rule: str
    """``CET-1CEST,M3.5.0,M10.5.0/3``; empty where the file tells none.  Where there is no file, that of UTC."""
    noted: str
    """What /etc/timezone says; empty where it says nothing."""


@dataclass(frozen=True, kw_only=True)
class TimeZoneQuery(Query[TimeZoneFact]):
    """Which time zone is set?"""

    kind = "time_zone"
    touches = ("/etc/localtime", "/etc/timezone")

    def asks(self) -> Message:
        return msg("Which time zone is set?")

    def observe(self, host: Host) -> TimeZoneFact:
        target = _link(host)
        try:
            rule = _footer(host.files.read_text(_LOCALTIME, limit=1 << 16))
            form = Form.COPY if target is None else Form.LINK
        except FileNotFoundError:
            rule, form = _UTC, Form.MISSING if target is None else Form.DANGLING
        return TimeZoneFact(form=form, name=_zone(target or ""), rule=rule, noted=_noted(host))


def _link(host: Host) -> str | None:
    """Where the symlink points; None where it is none."""
    try:
        return host.files.read_link(_LOCALTIME)
    except PermissionError:
        raise
    except OSError:  # EINVAL: a file of its own; or it is not there at all
        return None


def _zone(target: str) -> str:
    name = target.partition(_FOLDER)[2]
    for variant in _VARIANTS:
        name = name.removeprefix(variant)
    return name[:64]


def _footer(text: str) -> str:
    """The last line of a TZif file of version 2 or later (RFC 8536, 3.3); empty where there is none."""
    if not text.startswith("TZif") or not text.endswith("\n"):
        return ""
    return text[:-1].rpartition("\n")[2][:64]


def _noted(host: Host) -> str:
    try:
        lines = host.files.read_text("/etc/timezone", limit=256).splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return ""
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")[:64]


class Zone(Frozen):
    """A time zone that is accepted."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", max_length=64)]
    """As the zoneinfo folder names it: ``UTC``, ``Europe/Berlin``."""
    rule: Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=64)]
    """Its present rule as a POSIX TZ string; a zone with the same rule shows the same time."""


class TimeZoneRequirement(Requirement):
    """The system runs in one of these time zones, or in one that shows the same time."""

    kind = "time_zone"
    accepted: Annotated[tuple[Zone, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("{zones:or}", zones=self._names())

    def _names(self) -> tuple[str, ...]:
        return tuple(zone.name for zone in self.accepted)

    def queries(self, known: Evidence) -> Sequence[TimeZoneQuery]:  # noqa: ARG002 - one question, whatever is known
        return [TimeZoneQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[TimeZoneQuery()]
        shown = self._shown(found)
        seen = shown
        if found.name and found.noted and found.noted != found.name:
            seen = msg("{shown}; /etc/timezone says {noted}", shown=shown, noted=found.noted)
        by_name = next((zone for zone in self.accepted if zone.name == found.name), None)
        if by_name is not None and found.form is Form.LINK:
            return met(wanted=self.wanted(), seen=seen, because=msg("The time zone is {name}.", name=found.name))
        by_rule = next((zone for zone in self.accepted if zone.rule == found.rule), None)
        if by_rule is not None:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("This machine shows the same time as {name}.", name=by_rule.name),
            )
        if not found.name and not found.rule:
            return unknown(
                wanted=self.wanted(),
                seen=msg("{file} without a name or rule", file=_LOCALTIME),
                because=msg("{file} does not tell which time zone it is.", file=_LOCALTIME),
                fix=msg("Set the time zone: timedatectl set-timezone {name}", name=self._names()[0]),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{shown} is none of: {zones}.", shown=shown, zones=self._names()),
            fix=msg("Set the time zone: timedatectl set-timezone {name}", name=self._names()[0]),
        )

    def _shown(self, found: TimeZoneFact) -> Message:
        match found.form:
            case Form.LINK if found.name:
                return msg("{name}", name=found.name)
            case Form.LINK | Form.COPY:
                return msg("a zone file with the rule {rule}", rule=found.rule)
            case Form.MISSING:
                return msg("UTC, as there is no {file}", file=_LOCALTIME)
            case Form.DANGLING:
                return msg(
                    "UTC, as {file} points to {name}, which is not installed", file=_LOCALTIME, name=found.name or "-"
                )
