"""Container images: is there a login, may it pull every image, and how fast do layers come?

Sources: docker-login(1) for where logins lie; the OCI distribution specification 1.1 for manifests and blobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, sentences
from vorflug.model.probing import RequestQuery
from vorflug.model.quantity import Rate, Size
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.registry import AtRegistry, Image
from vorflug.model.registry_texts import credential_cause, credential_fix, credential_says, credential_seen, pull_says
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
            return met(
                wanted=self.wanted(),
                seen=credential_seen(seen),
                because=msg(
                    "There is a login for {registry}; whether it is accepted is another question.",
                    registry=self.registry,
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=credential_seen(seen),
            because=credential_says(seen, self.registry),
            fix=credential_fix(seen, self.registry),
            cause=credential_cause(seen, self.registry),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        seen = evidence[CredentialQuery(registry=self.registry)].credential
        return None if seen.state is CredentialState.USABLE else credential_cause(seen, self.registry)


class _Pulling(AtRegistry):
    """Pulls by the token service that the registry names."""

    def _request(self) -> RequestQuery:
        """The way there, without a login: it names the layer that fails."""
        return RequestQuery(
            url=f"https://{self.registry}/v2/",
            proxy=self.proxy,
            ca_file=self.ca_file,
            keep_headers=("www-authenticate",),
        )

    def _why_not(
        self, bad: PullSeen, credential: CredentialSeen, evidence: Evidence
    ) -> tuple[Message, Message, Cause | None]:
        """What kept *bad* from being seen, what to do, and who else would meet it."""
        if bad.end is PullEnd.UNREACHABLE:
            request = self._request()
            stopped = netcause.stopped(evidence[request].trace, request.url, external=True)
            if stopped is not None:
                return stopped.says, stopped.fix, stopped.cause
        return pull_says(bad, credential, self.registry)


class ImageRequirement(_Pulling):
    """The login of this host may pull every image."""

    kind = "registry_image"
    images: Annotated[tuple[Image, ...], Field(min_length=1, max_length=100)]

    def wanted(self) -> Message:
        return msg("{count} images of {registry} may be pulled", count=len(self.images), registry=self.registry)

    def queries(self, known: Evidence) -> Sequence[PullQuery | RequestQuery]:  # noqa: ARG002 - whatever is known
        return [self._query(), self._request()]

    def then(self) -> Message:
        hosts = (self.registry, *self.token_hosts)
        return msg("the token service that the registry names, if it is on {hosts:or}", hosts=hosts)

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
        says, fix, cause = self._why_not(bad, rights.credential, evidence)
        if bad.end is PullEnd.UNREACHABLE:
            return unknown(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)
        return unmet(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)


class ThroughputRequirement(_Pulling):
    """Layers come fast enough, from the host that keeps them."""

    kind = "registry_throughput"
    image: Image
    at_least: Rate
    read: Annotated[Size, Field(ge=1 << 16, le=64 << 20)]
    """How much to read."""

    def wanted(self) -> Message:
        return msg("layers of {image} come at {need:rate} or more", image=self.image, need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[DownloadQuery | RequestQuery | CredentialQuery]:  # noqa: ARG002 - whatever is known
        return [self._query(), self._request(), CredentialQuery(registry=self.registry)]

    def then(self) -> Message:
        hosts = (self.registry, *self.token_hosts)
        return msg(
            "the token service that the registry names, if it is on {hosts:or}, and the host that it sends layers from",
            hosts=hosts,
        )

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
            credential = evidence[CredentialQuery(registry=self.registry)].credential
            says, fix, cause = self._why_not(done.pull, credential, evidence)
            return unknown(
                wanted=wanted,
                because=sentences(
                    [msg("Nothing could be measured: {image} could not be pulled.", image=self.image), says]
                ),
                fix=fix,
                cause=cause,
            )
        if done.status not in {200, 206}:
            host, status = done.data_host, done.status
            if status is None:
                seen = msg("no answer from {host}", host=host)
                says = msg("{host} gave no answer when the layer was asked for.", host=host)
            else:
                seen = msg("HTTP {status} from {host}", status=status, host=host)
                says = msg("{host} answered {status} when the layer was asked for.", host=host, status=status)
            return unmet(
                wanted=wanted,
                seen=seen,
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
