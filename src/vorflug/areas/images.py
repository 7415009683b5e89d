"""Container images: is there a login, may it pull every image, and how fast do layers come?

Sources: docker-login(1) for where logins lie; the OCI distribution specification 1.1 for manifests and blobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.quantity import Rate, Size
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.registry import AtRegistry, Image
from vorflug.model.registry_texts import (
    credential_cause,
    credential_fix,
    credential_says,
    credential_seen,
    hangs,
    pull_says,
    rate_limited,
    rate_seen,
    redirect_refused,
    way,
)
from vorflug.model.requirement import Gauge, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.registry import (
    CredentialSeen,
    CredentialState,
    DownloadSeen,
    PullEnd,
    PullRights,
    RateSeen,
    ReadEnd,
    RegistryAsk,
)

TITLE = msg("Container images")

_SAYS_NOTHING = frozenset({PullEnd.UNREACHABLE, PullEnd.RATE_LIMITED, PullEnd.SPARED, PullEnd.UNPROVED})
"""Of a right to pull."""


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
    touches = ("@registry.credential",)
    registry: str

    def asks(self) -> Message:
        return msg("Does docker's configuration of this user hold a login for {registry}?", registry=self.registry)

    def observe(self, host: Host) -> CredentialFact:
        return CredentialFact(credential=host.registry.credential(self.registry))


@dataclass(frozen=True, kw_only=True)
class PullQuery(Query[PullFact]):
    """May this host's login pull these images?  All in one question, so that a wrong password is not tried often."""

    kind = "registry_pull"
    touches = ("@registry.pull_rights",)
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
    touches = ("@registry.download",)
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


class ImageRequirement(AtRegistry):
    """The login of this host may pull every image."""

    kind = "registry_image"
    images: Annotated[tuple[Image, ...], Field(min_length=1, max_length=100)]

    def wanted(self) -> Message:
        return msg("{count} images of {registry} may be pulled", count=len(self.images), registry=self.registry)

    def queries(self, known: Evidence) -> Sequence[PullQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

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
        if (left := rate_seen(_last_rate(rights))) is not None:
            seen = listed([seen, left])
        bad = [i for i in rights.images if i not in granted]
        if not bad and len(granted) == len(self.images):
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{registry} shows the manifest of every image to this login.", registry=self.registry),
            )
        if not bad:
            return unknown(
                wanted=self.wanted(), seen=seen, because=msg("Not every image was asked for."), fix=msg("Run again.")
            )
        # what the registry said of one image decides, however many others it could not be asked for
        said = [i for i in bad if i.end not in _SAYS_NOTHING]
        told = [i for i in said if i.end is not PullEnd.NOT_TRIED] or said or bad
        all_says = sentences(pull_says(i, rights.credential, self.registry)[0] for i in told)
        _, fix, cause = pull_says(told[0], rights.credential, self.registry)
        if not said:
            return unknown(wanted=self.wanted(), seen=seen, because=all_says, fix=fix, cause=cause)
        return unmet(wanted=self.wanted(), seen=seen, because=all_says, fix=fix, cause=cause)


class ThroughputRequirement(AtRegistry):
    """Layers come fast enough, from the host that keeps them."""

    kind = "registry_throughput"
    image: Image
    at_least: Rate
    read: Annotated[Size, Field(ge=1 << 16, le=64 << 20)]
    """How much to read."""

    def wanted(self) -> Message:
        return msg("layers of {image} come at {need:rate} or more", image=self.image, need=self.at_least)

    def queries(self, known: Evidence) -> Sequence[DownloadQuery | CredentialQuery]:  # noqa: ARG002 - whatever is known
        return [self._query(), CredentialQuery(registry=self.registry)]

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
            says, fix, cause = pull_says(done.pull, credential, self.registry)
            return unknown(
                wanted=wanted,
                because=sentences(
                    [msg("Nothing could be measured: {image} could not be pulled.", image=self.image), says]
                ),
                fix=fix,
                cause=cause,
            )
        if done.ended is ReadEnd.REFUSED:
            says, fix, cause = redirect_refused(done.data_host, self.registry)
            return unmet(wanted=wanted, seen=_from(done), because=says, fix=fix, cause=cause)
        if done.status not in {200, 206}:
            return self._hangs(done)
        if done.ended is ReadEnd.CUT:
            return self._cut(done)
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

    def _hangs(self, done: DownloadSeen) -> Verdict:
        """The login works, and no layer comes."""
        at, status = done.data_host, done.status
        allow = msg(
            "Allow {endpoint} from this host, as the place from which layers come.",
            endpoint=at if ":" in at else f"{at}:443",
        )
        stuck = hangs(done.pull, at, self.registry)
        if status == 429:  # noqa: PLR2004 - RFC 6585, 4
            says, fix, cause = rate_limited(at, done.rate, self.registry)
            return unmet(wanted=self.wanted(), seen=_from(done), because=sentences([stuck, says]), fix=fix, cause=cause)
        if status is not None:
            says = msg("{host} answered {status} when the layer was asked for.", host=at, status=status)
            return unmet(wanted=self.wanted(), seen=_from(done), because=says, fix=allow)
        stopped = way(done.trace, at, self.registry)
        if stopped is None:
            says = msg("{host} gave no answer when the layer was asked for.", host=at)
            return unmet(wanted=self.wanted(), seen=_from(done), because=sentences([stuck, says]), fix=allow)
        return unmet(
            wanted=self.wanted(),
            seen=_from(done),
            because=sentences([stuck, stopped.says]),
            fix=stopped.fix,
            cause=stopped.cause,
        )

    def _cut(self, done: DownloadSeen) -> Verdict:
        """It begins, and breaks off."""
        return unmet(
            wanted=self.wanted(),
            seen=msg("{size:size} from {host}, then nothing", size=done.read_bytes, host=done.data_host),
            because=msg(
                "After {size:size} of the layer nothing more came from {host}.",
                size=done.read_bytes,
                host=done.data_host,
            ),
            fix=msg(
                "Find what ends large downloads from {host}: a proxy that scans them, a limit of size or of time.",
                host=done.data_host,
            ),
        )


def _from(done: DownloadSeen) -> Message:
    """What came back when the layer was asked for."""
    if done.status is None:
        return msg("no answer from {host}", host=done.data_host)
    return msg("HTTP {status} from {host}", status=done.status, host=done.data_host)


def _last_rate(rights: PullRights) -> RateSeen | None:
    """What the registry said last about its limits."""
    return next((i.rate for i in reversed(rights.images) if i.rate is not None), None)
