"""What the images of a delivery consist of, as several areas ask for it: asked once, so that no login is tried often.

Source: OCI distribution specification 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.cause import Cause
from vorflug.model.message import Message, msg, sentences
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.registry import AtRegistry, Image
from vorflug.model.registry_texts import hangs, pull_says
from vorflug.model.requirement import Verdict, unknown
from vorflug.ports import Host
from vorflug.ports.registry import ImagesSeen, ManifestSeen, PullEnd, RegistryAsk


class ContentFact(Fact):
    """What each image consists of on the wanted platform."""

    content: ImagesSeen


@dataclass(frozen=True, kw_only=True)
class ContentQuery(Query[ContentFact]):
    """For which platforms are there images, and how large are they?"""

    kind = "registry_content"
    touches = ("@registry.manifests",)
    deadline = 60.0
    reach = Reach.NETWORK

    registry: str
    images: tuple[str, ...]
    architecture: str = ""
    """As images call it (``amd64``); empty for this host's."""
    token_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg(
            "For which platforms does {registry} have {count} images, and how large are they? "
            "(GET of each manifest, which counts as a pull; no layer)",
            count=len(self.images),
            registry=self.registry,
        )

    def observe(self, host: Host) -> ContentFact:
        ask = RegistryAsk(self.registry, self.token_hosts, self.proxy, self.ca_file)
        return ContentFact(content=host.registry.manifests(ask, self.images, self.architecture))


class OfImages(AtRegistry):
    """A demand on what the images of a delivery consist of."""

    images: Annotated[tuple[Image, ...], Field(min_length=1, max_length=100)]
    architecture: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{0,20}$")] = ""
    """As images call it (``amd64``, ``arm64``); empty for this host's."""

    def content_query(self) -> ContentQuery:
        """What is asked of the registry."""
        return ContentQuery(
            registry=self.registry,
            images=self.images,
            architecture=self.architecture,
            token_hosts=self.token_hosts,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def then(self) -> Message:
        hosts = (self.registry, *self.token_hosts)
        return msg(
            "the token service that the registry names, if it is on {hosts:or}, and the host that it sends layers from",
            hosts=hosts,
        )

    def gap(self, content: ImagesSeen, bad: Sequence[ManifestSeen], seen: Message) -> Verdict | None:
        """The verdict while *bad* could not be read; None where every image could."""
        if bad:
            says, fix, cause = self.why_not(bad[0], content)
            return unknown(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)
        if len(content.images) < len(self.images):
            because = msg("Not every image was asked for.")
            return unknown(wanted=self.wanted(), seen=seen, because=because, fix=msg("Run again."))
        return None

    def why_not(self, bad: ManifestSeen, content: ImagesSeen) -> tuple[Message, Message, Cause | None]:
        """What kept *bad* from being read, what to do, and who else would meet it."""
        says, fix, cause = pull_says(bad.pull, content.credential, self.registry)
        if bad.pull.end is PullEnd.UNREACHABLE and bad.blobs:  # the manifest was shown, what it names does not come
            says = sentences([hangs(bad.pull, bad.pull.at, self.registry), says])
        return says, fix, cause
