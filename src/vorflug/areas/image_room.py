"""Room for the images of the delivery: what they take together, held against the space where the engine puts them.

Sources: OCI image specification 1.1 (``descriptor.md``: ``size`` is that of the compressed layer); Docker Engine API
(``/info``: ``DockerRootDir``).  Layers that images share are transferred and stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.container_engine import EngineFact, EngineQuery, engine_gap
from vorflug.model.docker_room import RoomQuery, stores
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Query
from vorflug.model.registry_content import OfImages
from vorflug.model.registry_manifest import unique
from vorflug.model.requirement import Gauge, Verdict, met, unknown, unmet
from vorflug.ports.containers import EngineState
from vorflug.ports.registry import PullEnd

TITLE = msg("Size of the images")


class RoomRequirement(OfImages):
    """The free space where images will lie takes all of them, compressed and unpacked."""

    kind = "image_room"
    times: Annotated[float, Field(ge=1, le=20)]
    """How much room a compressed byte needs in the end: the unpacked layer, and the compressed one while it comes."""
    usual: AbsolutePath | None = None
    """Where images will lie, judged as long as there is no engine to name its own folder."""

    def wanted(self) -> Message:
        return msg(
            "free space for {count} images: {times} times their compressed size",
            count=len(self.images),
            times=self.times,
        )

    def then(self) -> Message:
        hosts = (self.registry, *self.token_hosts)
        return msg(
            "the token service that the registry names, if it is on {hosts:or}, "
            "and the free space under the folder that the engine names for images",
            hosts=hosts,
        )

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [self.content_query(), EngineQuery()]
        if EngineQuery() in known and (paths := self._paths(known[EngineQuery()])):
            asked.append(RoomQuery(paths=paths))
        return asked

    def judge(self, evidence: Evidence) -> Verdict:
        content = evidence[self.content_query()].content
        engine = evidence[EngineQuery()]
        blobs = unique(blob for image in content.images for blob in image.blobs)
        total = sum(blob.size for blob in blobs)
        size = msg("{size:size} in {count} parts, shared ones once", size=total, count=len(blobs))
        # whatever kept a platform from being told, a size that was read is a size
        unread = [i for i in content.images if i.pull.end is not PullEnd.GRANTED or not i.blobs]
        if (gap := self.gap(content, unread, size)) is not None:
            return gap
        paths = self._paths(engine)
        if not self._expected(engine) and (no_engine := engine_gap(self.wanted(), engine.cause)) is not None:
            return no_engine
        if not paths:
            return self._nowhere(size)
        place = evidence[RoomQuery(paths=paths)].places[0]
        need, free = round(total * self.times), place.free_bytes
        seen = msg(
            "{size}; {free:size} free under {path} ({mount})",
            size=size,
            free=free,
            path=place.path,
            mount=place.mount_point,
        )
        gauge = Gauge(free, need, "B")
        says = msg(
            "The images take {size:size} compressed, {need:size} with what unpacking needs; {free:size} are free "
            "under {path}.",
            size=total,
            need=need,
            free=free,
            path=place.path,
        )
        if free >= need:
            return met(wanted=self.wanted(), seen=seen, because=says, gauge=gauge)
        fix = msg(
            "Enlarge {mount} so that {need:size} are free, or mount a volume of its own under {folders:list}.",
            mount=place.mount_point,
            need=need,
            folders=(place.path,),
        )
        return unmet(wanted=self.wanted(), seen=seen, because=says, fix=fix, gauge=gauge)

    def _nowhere(self, seen: Message) -> Verdict:
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=msg("Where the engine stores images could not be found out."),
            fix=msg("Run again as root, so that /etc/containerd/config.toml can be read."),
        )

    def _paths(self, engine: EngineFact) -> tuple[str, ...]:
        """Where images lie; empty where that is not known."""
        return stores(engine, self._expected(engine))[:1]

    def _expected(self, engine: EngineFact) -> tuple[str, ...]:
        """The folder of the profile, for an engine that is still to come; empty where it does not stand for it."""
        return (self.usual,) if self.usual is not None and engine.state is EngineState.ABSENT else ()
