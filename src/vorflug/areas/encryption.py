"""Encryption: does an encrypted device lie below the paths, as far as this machine can see?

What a hypervisor, a storage array or a self-encrypting disk does is not visible here.  So an encrypted device that is
seen is an answer, and none is no proof of the contrary: that stays unknown, and a person confirms it.

Sources: cryptsetup(8) and the kernel's document dm-crypt; ABI/testing/sysfs-block-dm (``dm/uuid``); dm-verity and
dm-integrity of the same tool encrypt nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.file_system import OVERLAYS, FileSystemFact, FileSystemQuery, hidden_below
from vorflug.model.message import Message, listed, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown
from vorflug.ports import Host
from vorflug.ports.system import LayerKind

TITLE = msg("Encryption")


class LayerSeen(Frozen):
    """One block device on the way down to the disks."""

    name: str
    kind: LayerKind
    below: tuple[str, ...]
    """Names of the devices directly below."""
    backing_file: str
    """Of a loop device: the file that stands for the disk."""


class LayersFact(Fact):
    """The block devices below a file system, from the top down."""

    layers: Annotated[tuple[LayerSeen, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class LayersQuery(Query[LayersFact]):
    """Which block devices lie below this file system?"""

    kind = "layers"
    touches = ("@system.layers",)
    device: str
    """``major:minor`` of the file system."""
    source: str
    """What is mounted, which leads on where the number is of no block device."""

    def asks(self) -> Message:
        return msg("Which block devices lie below {source}, and is one of them encrypted?", source=self.source)

    def observe(self, host: Host) -> LayersFact:
        return LayersFact(
            layers=tuple(
                LayerSeen(name=one.name, kind=one.kind, below=one.below, backing_file=one.backing_file)
                for one in host.system.layers(self.device, self.source)
            )
        )


class StorageEncryptionRequirement(Requirement):
    """Every way from these paths down to the disks leads through an encrypted device that is visible here."""

    kind = "storage_encryption"
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("an encrypted device below {paths:list}", paths=self.paths)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked = self._asked()
        found = [known[query] for query in asked if query in known]
        return [*asked, *dict.fromkeys(_layers_below(fact) for fact in found if _has_device(fact))]

    def _asked(self) -> list[FileSystemQuery]:
        return [FileSystemQuery(path=path) for path in dict.fromkeys(self.paths)]

    def then(self) -> Message:
        return msg("which block devices lie below the file systems that hold these paths")

    def judge(self, evidence: Evidence) -> Verdict:
        systems = [(query.path, evidence[query]) for query in self._asked()]
        for path, fact in systems:
            if fact.file_system in OVERLAYS:
                return hidden_below(self.wanted(), path)
        lasting = [(path, fact) for path, fact in systems if not fact.in_memory]
        if not lasting:
            return not_applicable(
                wanted=self.wanted(),
                seen=listed(msg("{path} in memory", path=path) for path, _ in systems),
                because=msg("What lies there is gone when the machine is switched off."),
            )
        layers = [(path, evidence[_layers_below(fact)].layers) for path, fact in lasting]
        seen = listed(_seen(path, below) for path, below in layers)
        open_ = tuple(path for path, below in layers if not encrypted(below))
        if not open_:
            return met(
                wanted=self.wanted(), seen=seen, because=msg("An encrypted device lies below every one of these paths.")
            )
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "No encrypted device that covers everything is visible below {paths:list}. Encryption by the "
                "hypervisor, the storage array or the disk itself is not visible from here.",
                paths=open_,
            ),
            fix=msg(
                "Ask whoever runs the storage whether what lies at {paths:list} is encrypted at rest, and record the "
                "answer as the confirmation on encryption.",
                paths=open_,
            ),
        )


def _has_device(fact: FileSystemFact) -> bool:
    return fact.file_system not in OVERLAYS and not fact.in_memory


def _layers_below(fact: FileSystemFact) -> LayersQuery:
    return LayersQuery(device=fact.device, source=fact.source)


def encrypted(layers: Sequence[LayerSeen]) -> bool:
    """Whether every way from the top down to a disk leads through an encrypted device."""
    known = {layer.name: layer for layer in layers}
    inner = {name for layer in layers for name in layer.below}
    return all(_closed(layer, known) for layer in layers if layer.name not in inner)


def _closed(layer: LayerSeen, known: Mapping[str, LayerSeen]) -> bool:
    if layer.kind is LayerKind.ENCRYPTION:
        return True
    return bool(layer.below) and all(_closed(known[name], known) for name in layer.below)


def _seen(path: str, layers: Sequence[LayerSeen]) -> Message:
    return msg("{path}: {layers:list}", path=path, layers=tuple(_layer(layer) for layer in layers))


def _layer(layer: LayerSeen) -> Message:
    match layer.kind:
        case LayerKind.ENCRYPTION:
            return msg("{name} (encrypted)", name=layer.name)
        case LayerKind.LOOP:
            return msg("{name} (the file {file})", name=layer.name, file=layer.backing_file)
        case _:
            return msg("{name}", name=layer.name)
