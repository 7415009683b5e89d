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
from vorflug.model.message import Message, msg
from vorflug.model.package_file import FileFact, file_cause, file_gap
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
    services: tuple[str, ...]
    ports: tuple[int, ...]
    """Published host ports, sorted."""
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
    closed: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Host ports that must not be published (test ports in production)."""

    def wanted(self) -> Message:
        return msg("{path} valid and complete", path=self.path)

    def queries(self, known: Evidence) -> Sequence[ComposeQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ComposeQuery(path=self.path, env_path=self.env_path)]

    def judge(self, evidence: Evidence) -> Verdict:
        compose = evidence[ComposeQuery(path=self.path, env_path=self.env_path)]
        if (gap := file_gap(self.wanted(), compose.file)) is not None:
            return gap
        seen = msg(
            "services {services:list}; ports {ports:list}", services=compose.services, ports=compose.ports or ("-",)
        )
        for found, because, fix in self._faults(compose):
            if found:
                return unmet(wanted=self.wanted(), seen=seen, because=because, fix=fix)
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{path} parses, and lacks no service, variable or file.", path=self.path),
        )

    def _faults(self, compose: ComposeFact) -> Sequence[tuple[bool, Message, Message]]:
        """Every fault that is looked for, worst first: whether it is there, what to say, what to do."""
        services = tuple(s for s in self.services if s not in compose.services)
        ports = tuple(p for p in self.ports if p not in compose.ports)
        opened = tuple(p for p in self.closed if p in compose.ports)
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
            (
                bool(opened),
                msg("{path} publishes {ports:list}, which must stay closed.", path=self.path, ports=opened),
                msg("Remove {ports:list} from ports in {path}.", ports=opened, path=self.path),
            ),
        )


class LicenceFact(Fact):
    """A licence file."""

    file: FileFact
    now: str
    """The host's time, RFC 3339 UTC; empty where the file could not be read."""
    not_after: str | None
    """Day of expiry, ISO 8601."""
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
        return LicenceFact(file=FileFact.of(read.file), now=read.now, not_after=read.not_after, users=read.users)


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
        renew = msg("Ask the vendor for a licence file that fits.")
        if licence.not_after is None:
            return unmet(
                wanted=self.wanted(),
                seen=msg("no date in {field}", field=self.not_after),
                because=msg("The licence names no day of expiry in {field}.", field=self.not_after),
                fix=renew,
            )
        seen = (
            msg("valid until {until:date}, {users} users", until=licence.not_after, users=licence.users)
            if licence.users is not None
            else msg("valid until {until:date}", until=licence.not_after)
        )
        left = (date.fromisoformat(licence.not_after) - date.fromisoformat(licence.now[:10])).days
        if left * _DAY < self.at_least:
            because = (
                msg("The licence ended on {until:date}.", until=licence.not_after)
                if left < 0
                else msg(
                    "The licence ends on {until:date}, in {left:duration}.", until=licence.not_after, left=left * _DAY
                )
            )
            return unmet(wanted=self.wanted(), seen=seen, because=because, fix=renew)
        if self.users and self.users_field and (licence.users is None or licence.users < self.users):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=(
                    msg("The licence names no number of users in {field}.", field=self.users_field)
                    if licence.users is None
                    else msg(
                        "The licence is for {have} users, {need} are planned.", have=licence.users, need=self.users
                    )
                ),
                fix=renew,
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The licence is valid until {until:date}.", until=licence.not_after),
        )
