"""A Docker Engine's answer as the areas that ask it see it."""

from __future__ import annotations

from vorflug.model.container_engine import EngineFact, EngineQuery
from vorflug.model.evidence import Evidence
from vorflug.model.query import Observation, Seen, Unseen
from vorflug.ports.containers import EngineState

SOCKET = "/var/run/docker.sock"


def engine(state=EngineState.ANSWERING, **fields):
    """An engine of today, or one that does not answer, of which nothing is known."""
    good = {
        "product": "Docker Engine - Community",
        "version": "29.0.1",
        "driver": "overlay2",
        "backing_file_system": "extfs",
        "data_root": "/var/lib/docker",
        "containerd_root": "/var/lib/containerd",
    }
    return EngineFact(state=state, socket=SOCKET, **({**good, **fields} if state is EngineState.ANSWERING else {}))


def evidence(*pairs):
    """Of (query, fact or Unseen)."""
    return Evidence([Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in pairs])


def known(fact, *more):
    """That, with the engine's answer first."""
    return evidence((EngineQuery(), fact), *more)
