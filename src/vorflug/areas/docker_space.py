"""Room for what the Docker Engine stores: images, volumes and logs, in the folders that the engine itself names.

Sources: Docker Engine API (``/info``: ``DockerRootDir``, ``DriverStatus``); docs.docker.com, "containerd image store".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vorflug.model.container_engine import EngineFact, EngineQuery, OfEngine
from vorflug.model.docker_room import RoomQuery, stores
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.quantity import Size
from vorflug.model.query import Query
from vorflug.model.requirement import Gauge, Verdict, met, unknown, unmet
from vorflug.ports.containers import EngineState

TITLE = msg("Docker storage")


class ImageSpaceRequirement(OfEngine):
    """Free space for images and for the rest of the engine's data; what shares a file system is added up.

    With the containerd image store (the default of new installations since Docker 29) images lie in containerd's root,
    otherwise in the engine's data root; volumes and logs lie in the data root in either case.
    """

    kind = "docker_image_space"
    at_least: Size
    """For images."""
    rest: Size = 0
    """For volumes, logs and layers of containers, in the data root."""
    containerd_root: AbsolutePath | None = None
    """Where images will go, judged as long as there is no engine to name its own folder."""
    data_root: AbsolutePath | None = None
    """Where the rest will go, likewise."""

    def wanted(self) -> Message:
        if self.rest == 0:
            return msg("{need:size} free for images", need=self.at_least)
        return msg(
            "{need:size} free for images and {rest:size} for volumes and logs", need=self.at_least, rest=self.rest
        )

    def then(self) -> Message:
        return msg("the free space under the folders that the engine names as its data root and containerd's root")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [EngineQuery()]
        if EngineQuery() in known and (paths := self._paths(known[EngineQuery()])):
            asked.append(RoomQuery(paths=paths))
        return asked

    def judge(self, evidence: Evidence) -> Verdict:
        engine = evidence[EngineQuery()]
        return self.judge_engine(engine, evidence) if self._usual(engine) else super().judge(evidence)

    def _usual(self, engine: EngineFact) -> tuple[str, ...]:
        """The folders of the profile, for an engine that is still to come; empty where they do not stand for it."""
        if engine.state is not EngineState.ABSENT or self.containerd_root is None or self.data_root is None:
            return ()
        return (self.containerd_root, self.data_root)  # as a new installation has it since Docker 29

    def judge_engine(self, engine: EngineFact, evidence: Evidence) -> Verdict:
        paths = self._paths(engine)
        if not paths:
            return unknown(
                wanted=self.wanted(),
                because=msg("Where the engine stores images could not be found out."),
                fix=msg("Run again as root, so that /etc/containerd/config.toml can be read."),
            )
        places = evidence[RoomQuery(paths=paths)].places
        needs = (self.at_least, self.rest) if len(paths) > 1 else (self.at_least + self.rest,)
        wanted_on: dict[str, int] = {}
        for place, need in zip(places, needs, strict=True):
            wanted_on[place.device] = wanted_on.get(place.device, 0) + need
        # the tightest file system speaks for all
        tightest = min(places, key=lambda p: p.free_bytes - wanted_on[p.device])
        need, free = wanted_on[tightest.device], tightest.free_bytes
        folders = tuple(p.path for p in places if p.device == tightest.device)
        seen = msg(
            "{free:size} free under {folders:list} ({mount})", free=free, folders=folders, mount=tightest.mount_point
        )
        if self._usual(engine):
            seen = msg("{seen}; no engine runs, so the usual folders were asked", seen=seen)
        gauge = Gauge(free, need, "B")
        says = msg(
            "{free:size} are free under {folders:list}, {need:size} are wanted there.",
            free=free,
            folders=folders,
            need=need,
        )
        if free >= need:
            return met(wanted=self.wanted(), seen=seen, because=says, gauge=gauge)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=says,
            fix=msg(
                "Enlarge {mount} so that {need:size} are free, or mount a volume of its own under {folders:list}.",
                mount=tightest.mount_point,
                need=need,
                folders=folders,
            ),
            gauge=gauge,
        )

    def _paths(self, engine: EngineFact) -> tuple[str, ...]:
        return stores(engine, self._usual(engine))
