"""Container images: is there a login, may it pull every image, and how fast do layers come?

Sources: docker-login(1) for where logins lie; the OCI distribution specification 1.1 for manifests and blobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, assert_never

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.probing import RequestQuery
from vorflug.model.quantity import Rate, Size
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.registry import AtRegistry, Image
from vorflug.model.requirement import Gauge, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.registry import (
    CredentialSeen,
    CredentialState,
    DownloadSeen,
    PullEnd,
    PullRights,
    PullSeen,
    RegistryAsk,
)

TITLE = msg("Container images")


class CredentialFact(Fact):
    """What docker's configuration keeps for a registry, without values."""

    credential: CredentialSeen


class PullFact(Fact):
    """What this host's login may pull."""

    rights: PullRights


class DownloadFact(Fact):
    """The first bytes of a layer."""

    download: DownloadSeen


@dataclass(frozen=True, kw_only=True)
class CredentialQuery(Query[CredentialFact]):
    """Is there a login for this registry?"""

    kind = "registry_credential"
    registry: str

    def asks(self) -> Message:
        return msg("Does docker's configuration of this user hold a login for {registry}?", registry=self.registry)

    def observe(self, host: Host) -> CredentialFact:
        return CredentialFact(credential=host.registry.credential(self.registry))


@dataclass(frozen=True, kw_only=True)
class PullQuery(Query[PullFact]):
    """May this host's login pull these images?  All in one question, so that a wrong password is not tried often."""

    kind = "registry_pull"
    deadline = 45.0
    reach = Reach.NETWORK

    registry: str
    images: tuple[str, ...]
    token_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg(
            "May the login of this user pull {count} images from {registry}? (HEAD of each manifest, no download)",
            count=len(self.images),
            registry=self.registry,
        )

    def observe(self, host: Host) -> PullFact:
        ask = RegistryAsk(self.registry, self.token_hosts, self.proxy, self.ca_file)
        return PullFact(rights=host.registry.pull_rights(ask, self.images))


@dataclass(frozen=True, kw_only=True)
class DownloadQuery(Query[DownloadFact]):
    """How fast does a layer come?"""

    kind = "registry_download"
    deadline = 60.0
    exclusive = True
    reach = Reach.NETWORK

    registry: str
    image: str
    at_most: int
    """Bytes."""
    token_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg(
            "How fast do the first {size:size} of the largest layer of {image} come?",
            size=self.at_most,
            image=self.image,
        )

    def observe(self, host: Host) -> DownloadFact:
        ask = RegistryAsk(self.registry, self.token_hosts, self.proxy, self.ca_file)
        return DownloadFact(download=host.registry.download(ask, self.image, self.at_most))


class CredentialsRequirement(AtRegistry):
    """A login for the registry is on this host."""

    kind = "registry_credentials"

    def wanted(self) -> Message:
        return msg("a login for {registry} in docker's configuration of this user", registry=self.registry)

    def queries(self, known: Evidence) -> Sequence[CredentialQuery]:  # noqa: ARG002 - one question, whatever is known
        return [CredentialQuery(registry=self.registry)]

    def judge(self, evidence: Evidence) -> Verdict:
        seen = evidence[CredentialQuery(registry=self.registry)].credential
        if seen.state is CredentialState.USABLE:
            where = msg("{file} ({source})", file=seen.file, source=seen.helper or seen.source.value)
            return met(
                wanted=self.wanted(),
                seen=where,
                because=msg(
                    "There is a login for {registry}; whether it is accepted is another question.",
                    registry=self.registry,
                ),
            )
        says = _credential_says(seen, self.registry)
        return unmet(
            wanted=self.wanted(),
            seen=says,
            because=says,
            fix=_login_fix(self.registry),
            cause=_credential_cause(seen, self.registry),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        seen = evidence[CredentialQuery(registry=self.registry)].credential
        return None if seen.state is CredentialState.USABLE else _credential_cause(seen, self.registry)


class ImageRequirement(AtRegistry):
    """The login of this host may pull every image."""

    kind = "registry_image"
    images: Annotated[tuple[Image, ...], Field(min_length=1, max_length=100)]

    def wanted(self) -> Message:
        return msg("{count} images of {registry} may be pulled", count=len(self.images), registry=self.registry)

    def queries(self, known: Evidence) -> Sequence[PullQuery | RequestQuery]:  # noqa: ARG002 - whatever is known
        return [self._query(), self._request()]

    def _request(self) -> RequestQuery:
        """The way there, without a login: it names the layer that fails."""
        return RequestQuery(
            url=f"https://{self.registry}/v2/",
            proxy=self.proxy,
            ca_file=self.ca_file,
            keep_headers=("www-authenticate",),
        )

    def _query(self) -> PullQuery:
        return PullQuery(
            registry=self.registry,
            images=self.images,
            token_hosts=self.token_hosts,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def judge(self, evidence: Evidence) -> Verdict:
        rights = evidence[self._query()].rights
        granted = [i for i in rights.images if i.end is PullEnd.GRANTED and i.digest]
        seen = msg("{granted} of {count} images", granted=len(granted), count=len(self.images))
        bad = next((i for i in rights.images if i not in granted), None)
        if bad is None and len(granted) == len(self.images):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{registry} shows the manifest of every image to this login.", registry=self.registry),
            )
        if bad is None:
            return unknown(
                wanted=self.wanted(), seen=seen, because=msg("Not every image was asked for."), fix=msg("Run again.")
            )
        says, fix, cause = _pull_says(bad, rights, self.registry)
        if bad.end is PullEnd.UNREACHABLE:
            request = self._request()
            stopped = netcause.stopped(evidence[request].trace, request.url)
            if stopped is not None:
                says, fix, cause = stopped.says, stopped.fix, stopped.cause
            return unknown(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)
        return unmet(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)


class ThroughputRequirement(AtRegistry):
    """Layers come fast enough, from the host that keeps them."""

    kind = "registry_throughput"
    image: Image
    at_least: Rate
    read: Annotated[Size, Field(ge=1 << 16, le=64 << 20)]
    """How much to read."""

    def wanted(self) -> Message:
        return msg("layers of {image} come at {need:rate} or more", image=self.image, need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[DownloadQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def _query(self) -> DownloadQuery:
        return DownloadQuery(
            registry=self.registry,
            image=self.image,
            at_most=self.read,
            token_hosts=self.token_hosts,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def judge(self, evidence: Evidence) -> Verdict:
        done = evidence[self._query()].download
        wanted = self.wanted()
        if done.pull.end is not PullEnd.GRANTED:
            return unknown(
                wanted=wanted,
                because=msg("Nothing could be measured: {image} may not be pulled from here.", image=self.image),
                fix=msg("First make the image pullable, then run again."),
            )
        if done.status not in {200, 206}:
            says = (
                msg("{host} gave no answer when the layer was asked for.", host=done.data_host)
                if done.status is None
                else msg(
                    "{host} answered {status} when the layer was asked for.", host=done.data_host, status=done.status
                )
            )
            return unmet(
                wanted=wanted,
                seen=says,
                because=says,
                fix=msg(
                    "Allow {host}:443 from this host, as the place from which layers come.",
                    host=done.data_host.partition(":")[0],
                ),
            )
        if done.read_bytes == 0 or done.took_s <= 0:
            return unknown(
                wanted=wanted, because=msg("{host} sent an empty layer.", host=done.data_host), fix=msg("Run again.")
            )
        rate = done.read_bytes * 8 / done.took_s
        seen = msg(
            "{rate:rate} from {host} ({size:size} in {took:duration})",
            rate=rate,
            host=done.data_host,
            size=done.read_bytes,
            took=done.took_s,
        )
        gauge = Gauge(rate, self.at_least, "bit/s")
        if rate >= self.at_least:
            return met(wanted=wanted, seen=seen, because=msg("Layers come at {rate:rate}.", rate=rate), gauge=gauge)
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("Layers come at {rate:rate}, {need:rate} wanted.", rate=rate, need=self.at_least),
            fix=msg(
                "Find what slows {host} down: the line, or a proxy that scans large downloads.", host=done.data_host
            ),
            gauge=gauge,
        )


def _login_fix(registry: str) -> Message:
    return msg("Ask the vendor for a read-only login, then as this user: docker login {registry}", registry=registry)


def _credential_cause(seen: CredentialSeen, registry: str) -> Cause:
    return Cause("registry.no_login", registry, _credential_says(seen, registry), _login_fix(registry), Team.PLATFORM)


def _credential_says(seen: CredentialSeen, registry: str) -> Message:
    match seen.state:
        case CredentialState.USABLE:
            return msg("There is a login for {registry}.", registry=registry)
        case CredentialState.MISSING:
            return msg("There is no login for {registry} ({file}).", registry=registry, file=seen.file)
        case CredentialState.UNREADABLE:
            return msg("The login for {registry} in {file} cannot be decoded.", registry=registry, file=seen.file)
        case CredentialState.NO_HELPER:
            return msg(
                "{file} leaves the login to {helper}, which is not installed.", file=seen.file, helper=seen.helper
            )
        case CredentialState.HELPER_FAILED:
            return msg("{helper} could not give the login for {registry}.", helper=seen.helper, registry=registry)
        case CredentialState.BAD_FILE:
            return msg("{file} is not the JSON that docker writes.", file=seen.file)
        case _:
            assert_never(seen.state)


def _pull_says(bad: PullSeen, rights: PullRights, registry: str) -> tuple[Message, Message, Cause | None]:
    """What kept an image from being seen, what to do, and who else would meet it."""
    image, at, status = bad.image, bad.at or registry, bad.status if bad.status is not None else 0
    grant = msg("Ask the vendor to give this login the right to pull {image}.", image=image)
    service = msg("Check the registry's own configuration of its token service.")
    match bad.end:
        case PullEnd.NO_CREDENTIAL:
            return (
                msg("{registry} shows {image} to nobody without a login.", registry=registry, image=image),
                _login_fix(registry),
                None
                if rights.credential.state is CredentialState.USABLE
                else _credential_cause(rights.credential, registry),
            )
        case PullEnd.REFUSED:
            says = msg("{at} refuses the login (HTTP {status}); it was not tried again.", at=at, status=status)
            return (
                says,
                _login_fix(registry),
                Cause("registry.login_refused", registry, says, _login_fix(registry), Team.PLATFORM),
            )
        case PullEnd.DENIED:
            return (
                msg("{at} denies this login {image} (HTTP {status}).", at=at, image=image, status=status),
                grant,
                None,
            )
        case PullEnd.MISSING:
            return (
                msg("{at} knows no {image}, or does not show it to this login.", at=at, image=image),
                msg("Correct the name or tag {image}, or ask the vendor for the right to pull it.", image=image),
                None,
            )
        case PullEnd.NO_CHALLENGE:
            return msg("{at} wants a login, but says no way to log in that is known here.", at=at), service, None
        case PullEnd.REALM_INSECURE:
            return (
                msg("The registry names a token service without TLS ({at}): the login was not sent there.", at=at),
                service,
                None,
            )
        case PullEnd.REALM_FOREIGN:
            return (
                msg(
                    "The registry names a token service on {at}, which is not allowed: the login was not sent there.",
                    at=at,
                ),
                msg(
                    "If {place} belongs to the registry, name it as a token host; "
                    "otherwise find out who answers for {registry}.",
                    place=at,
                    registry=registry,
                ),
                None,
            )
        case PullEnd.NO_TOKEN:
            return msg("The token service {at} answered without a token.", at=at), service, None
        case PullEnd.UNREACHABLE:
            return (
                msg("{at} gave no answer.", at=at),
                msg("See the finding about reaching {registry}: it names the layer that fails.", registry=registry),
                None,
            )
        case PullEnd.STATUS:
            return (
                msg("{at} answered {status} for {image}.", at=at, status=status, image=image),
                msg("Try again later; if it stays so, send this finding to the vendor."),
                None,
            )
        case PullEnd.NOT_TRIED:
            return (
                msg("{image} was not tried, because the login had been refused.", image=image),
                _login_fix(registry),
                None,
            )
        case PullEnd.GRANTED:
            return msg("{at} shows {image}, but not its digest.", at=at, image=image), service, None
        case _:
            assert_never(bad.end)
