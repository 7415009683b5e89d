"""The gate's policy over a verified payload: complete, fresh, the right host, the right profile.

It reads the signed predicate and the clock it is given, nothing else.  A genuine report that is not ready is no
refusal: it ends with its own exit code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from vorflug.attest.statement import INTERRUPTED
from vorflug.attest.verify import Refused, Step
from vorflug.model.message import Message, msg

SKEW = timedelta(minutes=5)
"""How far two clocks may be apart: the default that Kerberos made common (RFC 4120, 1.6 and 7.5.8)."""

_AGE = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DEADLINE = "deadline"


class BadPolicy(ValueError):
    """An option that cannot be read: wrong usage.  *message* says what was wanted and seen."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True)
class ProfileRange:
    """A profile's name and the versions of it that will do."""

    name: str
    versions: SpecifierSet


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a report must be; None asks nothing."""

    max_age: timedelta | None = None
    host: str | None = None
    """A host's name (letter case does not matter, RFC 4343), or its identity: ``sha256:…``."""
    profile: ProfileRange | None = None
    with_confirmations: bool = False


def parse_age(text: str) -> timedelta:
    """``90m``, ``36h`` or ``7d``.  Raises BadPolicy."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise BadPolicy(msg("--max-age: wanted a number with m, h or d, such as 36h or 7d, saw {seen}.", seen=text))
    return int(found[1]) * _UNITS[found[2]]


def parse_profile(text: str) -> ProfileRange:
    """``NAME@RANGE`` with a PEP 440 specifier, such as ``ai-audit-assist@>=1.0,<2``.  Raises BadPolicy."""
    name, at, range_ = text.partition("@")
    try:
        versions = SpecifierSet(range_)
    except InvalidSpecifier:
        versions = SpecifierSet()
    if not name or not at or not len(versions):
        raise BadPolicy(
            msg(
                "--profile: wanted NAME@RANGE with a version range as in PEP 440, such as "
                "ai-audit-assist@>=1.0,<2, saw {seen}.",
                seen=text,
            )
        )
    return ProfileRange(name, versions)


def decide(predicate: Mapping[str, Any], policy: Policy, now: datetime) -> int:
    """The exit code of the report (0, 3, 4 or 5) under *policy* at *now* (aware).  Raises Refused.

    *predicate* comes from `verify.verify`, never from anywhere else.
    """
    times, host, profile, verdict = (predicate[name] for name in ("times", "host", "profile", "verdict"))
    # 10. complete: a run that somebody broke off is no evidence; one that reached its deadline ends by its findings
    if verdict["exit_code"] == INTERRUPTED or times.get("interrupted") not in (None, _DEADLINE):
        raise Refused(
            Step.COMPLETE,
            msg(
                "The run was interrupted ({by}), so its report is partial. Run it again.",
                by=times.get("interrupted") or "?",
            ),
        )
    # 11. age: from the run's start, since no answer is older; times of the future are refused whatever the policy
    _fresh(times, policy.max_age, now)
    # 12. host
    if policy.host is not None and not _is_host(policy.host, host):
        raise Refused(
            Step.HOST,
            msg(
                "Wanted the host {wanted}, the report is of {name} with the identity {identity}.",
                wanted=policy.host,
                name=host["name"],
                identity=host["identity"],
            ),
        )
    # 13. profile
    if policy.profile is not None:
        _profile(policy.profile, profile)
    code: int = verdict["exit_code_with_confirmations" if policy.with_confirmations else "exit_code"]
    return code


def _fresh(times: Mapping[str, Any], max_age: timedelta | None, now: datetime) -> None:
    started, *later = (_time(times, name) for name in ("started", "finished", "evaluated"))
    latest = max(started, *later)
    if latest - now > SKEW:
        raise Refused(
            Step.AGE,
            msg(
                "The report is {ahead:duration} ahead of this machine's clock. Check the clocks of both machines.",
                ahead=(latest - now).total_seconds(),
            ),
        )
    if max_age is not None and now - started > max_age:
        raise Refused(
            Step.AGE,
            msg(
                "The run is {age:duration} old, at most {most:duration} are allowed. Run it again.",
                age=(now - started).total_seconds(),
                most=max_age.total_seconds(),
            ),
        )


def _time(times: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(times[name])
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - without a zone, so it is refused
    if found.utcoffset() is None:
        raise Refused(
            Step.AGE,
            msg("times.{name}: wanted a time with its zone (RFC 3339), saw {seen}.", name=name, seen=times[name]),
        )
    return found


def _is_host(wanted: str, host: Mapping[str, Any]) -> bool:
    if wanted.startswith("sha256:"):
        return bool(wanted == host["identity"])
    return _ascii_lower(wanted) == _ascii_lower(str(host["name"]))


def _ascii_lower(name: str) -> bytes:
    # RFC 4343: only A to Z have another case in a name; bytes.lower() knows no others
    return name.encode("utf-8", "surrogatepass").lower()


def _profile(wanted: ProfileRange, profile: Mapping[str, Any]) -> None:
    try:
        fits = profile["name"] == wanted.name and wanted.versions.contains(
            # PEP 440, "Handling of pre-releases": only where the range names one
            Version(profile["version"]),
            prereleases=bool(wanted.versions.prereleases),
        )
    except InvalidVersion:
        fits = False
    if not fits:
        raise Refused(
            Step.PROFILE,
            msg(
                "Wanted the profile {wanted} in a version {versions}, the report was judged by {name} {version}.",
                wanted=wanted.name,
                versions=str(wanted.versions),
                name=profile["name"],
                version=profile["version"],
            ),
        )
