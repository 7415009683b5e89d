"""Where the Docker Engine stores, and how much room there is, as several areas ask for it.

Sources: Docker Engine API (``/info``: ``DockerRootDir``, ``DriverStatus``); docs.docker.com, "containerd image store".
"""

from __future__ import annotations

from dataclasses import dataclass

from vorflug.model.container_engine import EngineFact
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.ports import Host


class RoomFact(Fact):
    """Free space where images and volumes go, in the order of the question's paths."""

    class Place(Fact):
        """One folder and the file system under it."""

        path: str
        mount_point: str
        device: str
        """``major:minor``: equal for folders that share their space."""
        free_bytes: int

    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class RoomQuery(Query[RoomFact]):
    """How much space is free where the engine stores?"""

    kind = "docker_room"
    touches = ("@files.file_system",)
    paths: tuple[str, ...]

    def asks(self) -> Message:
        return msg("How much space is free under {paths:list}?", paths=self.paths)

    def observe(self, host: Host) -> RoomFact:
        found = [(path, host.files.file_system(path)) for path in self.paths]
        return RoomFact(
            places=tuple(
                RoomFact.Place(path=path, mount_point=fs.mount_point, device=fs.device, free_bytes=fs.free_bytes)
                for path, fs in found
            )
        )


def stores(engine: EngineFact, usual: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Where images go, then where the rest goes if that is another folder; empty where that is not known.

    *usual*: the folders of an engine that is still to come.
    """
    if not engine.data_root:  # nor does an engine that is silent name it
        return usual
    if not engine.driver_type:
        return (engine.data_root,)
    return (engine.containerd_root, engine.data_root) if engine.containerd_root else ()
