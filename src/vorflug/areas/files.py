"""The delivered package: are its files there, do they parse, does the compose file add up, is the licence valid?

Source: Compose Specification (services, ports, interpolation).  Values of the files never come this far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, sentences
from vorflug.model.package_file import FileFact, file_cause, file_gap, values_gap
from vorflug.model.quantity import Duration
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.package import Format

TITLE = msg("Delivered package")

_DAY = 86400

FilePath = Annotated[str, StringConstraints(pattern=r"^/", max_length=4096)]
"""An absolute path."""


@dataclass(frozen=True, kw_only=True)
class FileQuery(Query[FileFact]):
    """Is the file there, readable and well formed?"""

    kind = "package_file"
    path: str
    format: Format

    def asks(self) -> Message:
        if self.format is Format.ANY:
            return msg("Is the file {path} there and readable?", path=self.path)
        return msg("Is the file {path} there, readable and well formed ({format})?", path=self.path, format=self.format)

    def observe(self, host: Host) -> FileFact:
        return FileFact.of(host.package.read(self.path, self.format))


class FilePresentRequirement(Requirement):
    """The file is there, can be read, is not empty and parses."""

    kind = "file_present"
    path: FilePath
    format: Format = Format.ANY

    def wanted(self) -> Message:
        if self.format is Format.ANY:
            return msg("{path} there and readable", path=self.path)
        return msg("{path} there, readable and well formed ({format})", path=self.path, format=self.format)

    def queries(self, known: Evidence) -> Sequence[FileQuery]:  # noqa: ARG002 - one question, whatever is known
        return [FileQuery(path=self.path, format=self.format)]

    def about(self, evidence: Evidence) -> Cause | None:
        return file_cause(evidence[FileQuery(path=self.path, format=self.format)])

    def judge(self, evidence: Evidence) -> Verdict:
        file = evidence[FileQuery(path=self.path, format=self.format)]
        return file_gap(self.wanted(), file) or met(
            wanted=self.wanted(),
            seen=msg("{size:size}", size=file.size_bytes),
            because=msg("{path} is there and can be read.", path=self.path),
        )


class ComposeFact(Fact):
    """A compose file."""

    file: FileFact
    env: FileFact
    """What the variables were filled in from."""
    services: tuple[str, ...]
    ports: tuple[int, ...]
    """Published host ports, sorted, variables filled in."""
    unresolved: tuple[str, ...]
    """Variables used without a default that the env file does not set."""
    missing_paths: tuple[str, ...]
    """Relative host paths that do not exist beside the compose file."""


@dataclass(frozen=True, kw_only=True)
class ComposeQuery(Query[ComposeFact]):
    """What does the compose file say, and does the env file give its variables?"""

    kind = "package_compose"
    path: str
    env_path: str

    def asks(self) -> Message:
        return msg(
            "Is {path} a valid compose file, and does {env} give every variable?", path=self.path, env=self.env_path
        )

    def observe(self, host: Host) -> ComposeFact:
        read = host.package.compose(self.path, self.env_path)
        return ComposeFact(
            file=FileFact.of(read.file),
            env=FileFact.of(read.env),
            services=read.services,
            ports=read.ports,
            unresolved=read.unresolved,
            missing_paths=read.missing_paths,
        )


class ComposeValidRequirement(Requirement):
    """The compose file parses, has its services, publishes the ports and lacks no variable or file."""

    kind = "compose_valid"
    path: FilePath
    env_path: FilePath
    services: tuple[str, ...] = ()
    """Services that must be there; empty accepts any."""
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Host ports that must be published."""

    def wanted(self) -> Message:
        return msg("{path} valid and complete", path=self.path)

    def queries(self, known: Evidence) -> Sequence[ComposeQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ComposeQuery(path=self.path, env_path=self.env_path)]

    def judge(self, evidence: Evidence) -> Verdict:
        compose = evidence[ComposeQuery(path=self.path, env_path=self.env_path)]
        gap = file_gap(self.wanted(), compose.file) or values_gap(
            self.wanted(), compose.env, missed=bool(compose.unresolved)
        )
        if gap is not None:
            return gap
        seen = msg(
            "services {services:list}; ports {ports:list}", services=compose.services, ports=compose.ports or ("-",)
        )
        faults = [(because, fix) for found, because, fix in self._faults(compose) if found]
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=sentences(because for because, _ in faults),
                fix=sentences(fix for _, fix in faults),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{path} parses, and lacks no service, variable or file.", path=self.path),
        )

    def _faults(self, compose: ComposeFact) -> Sequence[tuple[bool, Message, Message]]:
        """Every fault that is looked for, worst first: whether it is there, what to say, what to do."""
        services = tuple(s for s in self.services if s not in compose.services)
        ports = tuple(p for p in self.ports if p not in compose.ports)
        return (
            (
                bool(services),
                msg("{path} lacks the services {services:list}.", path=self.path, services=services),
                msg("Ask the vendor for the complete compose file."),
            ),
            (
                bool(compose.unresolved),
                msg("Variables without a value: {names:list}.", names=compose.unresolved),
                msg("Set {names:list} in {env}.", names=compose.unresolved, env=self.env_path),
            ),
            (
                bool(compose.missing_paths),
                msg(
                    "{path} names files that are not there: {paths:list}.", path=self.path, paths=compose.missing_paths
                ),
                msg("Put {paths:list} beside the compose file.", paths=compose.missing_paths),
            ),
            (
                bool(ports),
                msg("{path} does not publish {ports:list}.", path=self.path, ports=ports),
                msg("Publish {ports:list} under ports in {path}.", ports=ports, path=self.path),
            ),
        )


class ComposePortsClosedRequirement(Requirement):
    """The compose file does not publish these host ports (test ports in production).  Nothing else is judged."""

    kind = "compose_ports_closed"
    path: FilePath
    env_path: FilePath
    closed: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("{ports:list} not published by {path}", ports=self.closed, path=self.path)

    def queries(self, known: Evidence) -> Sequence[ComposeQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ComposeQuery(path=self.path, env_path=self.env_path)]

    def judge(self, evidence: Evidence) -> Verdict:
        compose = evidence[ComposeQuery(path=self.path, env_path=self.env_path)]
        # a port may come from a variable; without an env file that is its default, or none
        gap = file_gap(self.wanted(), compose.file) or values_gap(self.wanted(), compose.env, missed=False)
        if gap is not None:
            return gap
        seen = msg("ports {ports:list}", ports=compose.ports or ("-",))
        opened = tuple(p for p in self.closed if p in compose.ports)
        if opened:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} publishes {ports:list}, which must stay closed.", path=self.path, ports=opened),
                fix=msg("Remove {ports:list} from ports in {path}.", ports=opened, path=self.path),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{path} does not publish {ports:list}.", path=self.path, ports=self.closed),
        )


class LicenceFact(Fact):
    """A licence file."""

    file: FileFact
    now: str
    """The host's time, RFC 3339 UTC; empty where the file could not be read."""
    not_after: str | None
    """Day of expiry, ISO 8601; None where there is none, or none in this form."""
    not_after_given: bool
    """Whether the field holds anything, a date or not."""
    users: int | None


@dataclass(frozen=True, kw_only=True)
class LicenceQuery(Query[LicenceFact]):
    """Until when, and for how many users, is the licence?"""

    kind = "package_licence"
    path: str
    not_after: str
    users: str

    def asks(self) -> Message:
        return msg("Until when and for how many users is the licence {path} valid?", path=self.path)

    def observe(self, host: Host) -> LicenceFact:
        read = host.package.licence(self.path, self.not_after, self.users)
        return LicenceFact(
            file=FileFact.of(read.file),
            now=read.now,
            not_after=read.not_after,
            not_after_given=read.not_after_given,
            users=read.users,
        )


class LicenceValidRequirement(Requirement):
    """The licence is valid for a while yet, and for as many users as are planned."""

    kind = "licence_valid"
    path: FilePath
    not_after: str
    """Dotted name of the field with the day of expiry: ``licence.valid_until``."""
    at_least: Duration
    """How long it must still be valid."""
    users_field: str = ""
    """Dotted name of the field with the number of users; empty where licences name none."""
    users: Annotated[int, Field(ge=0)] = 0
    """Planned users."""

    def wanted(self) -> Message:
        if self.users and self.users_field:
            return msg("a licence valid for {least:duration} and {users} users", least=self.at_least, users=self.users)
        return msg("a licence valid for {least:duration}", least=self.at_least)

    def queries(self, known: Evidence) -> Sequence[LicenceQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def _query(self) -> LicenceQuery:
        return LicenceQuery(path=self.path, not_after=self.not_after, users=self.users_field)

    def judge(self, evidence: Evidence) -> Verdict:
        licence = evidence[self._query()]
        if (gap := file_gap(self.wanted(), licence.file)) is not None:
            return gap
        faults = [*self._expiry_faults(licence), *self._users_faults(licence)]
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=self._seen(licence),
                because=sentences(faults),
                fix=msg("Ask the vendor for a licence file that fits."),
            )
        return met(
            wanted=self.wanted(),
            seen=self._seen(licence),
            because=msg("The licence is valid until {until:date}.", until=licence.not_after),
        )

    def _seen(self, licence: LicenceFact) -> Message:
        if licence.not_after is None:
            return msg("no date in {field}", field=self.not_after)
        if licence.users is None:
            return msg("valid until {until:date}", until=licence.not_after)
        return msg("valid until {until:date}, {users} users", until=licence.not_after, users=licence.users)

    def _expiry_faults(self, licence: LicenceFact) -> list[Message]:
        if licence.not_after is None and licence.not_after_given:
            return [msg("The day of expiry in {field} is not in the form YYYY-MM-DD.", field=self.not_after)]
        if licence.not_after is None:
            return [msg("The licence names no day of expiry in {field}.", field=self.not_after)]
        left = (date.fromisoformat(licence.not_after) - date.fromisoformat(licence.now[:10])).days
        if left < 0:
            return [msg("The licence ended on {until:date}.", until=licence.not_after)]
        if left * _DAY < self.at_least:
            return [
                msg("The licence ends on {until:date}, in {left:duration}.", until=licence.not_after, left=left * _DAY)
            ]
        return []

    def _users_faults(self, licence: LicenceFact) -> list[Message]:
        if not (self.users and self.users_field):
            return []
        if licence.users is None:
            return [msg("The licence names no number of users in {field}.", field=self.users_field)]
        if licence.users < self.users:
            return [msg("The licence is for {have} users, {need} are planned.", have=licence.users, need=self.users)]
        return []
