"""Image manifests and indexes: which platforms there are, and what an image consists of.

Sources: OCI image specification 1.1 (``manifest.md``, ``image-index.md``, ``config.md``), Docker's image manifest
version 2, schema 2; containerd's ``platforms`` for which variants run where; BuildKit's attestation storage for the
entries of an index that are no images.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Any

from vorflug.model.message import visible
from vorflug.ports.registry import BlobSeen

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ATTESTATION = "vnd.docker.reference.type"
"""The annotation by which BuildKit marks what describes another image."""
_MACHINES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "i386": ("386", ""),
}
"""What the kernel calls a machine (uname(2)), and what images call it (GOARCH, and the variant)."""
_ARM = ("v5", "v6", "v7", "v8")
_PARTS_AT_MOST = 500
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LARGEST = 1 << 50
"""Bytes; a larger number is no size of a layer."""


@dataclass(frozen=True)
class Platform:
    """What an image runs on."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def of_machine(cls, machine: str) -> Platform:
        """The platform of Linux on *machine*, as uname(2) calls it; most other names are the same for images."""
        return cls("linux", *_MACHINES.get(machine, (machine, "")))

    @classmethod
    def of_architecture(cls, architecture: str) -> Platform:
        """Linux on *architecture*, as images call it (GOARCH)."""
        return cls("linux", architecture, "v8" if architecture == "arm64" else "")

    @classmethod
    def read(cls, value: object) -> Platform | None:
        """The platform in an index or in a configuration; None where none is named, or none that can be."""
        if not isinstance(value, dict):
            return None
        os, architecture, variant = (value.get(k, "") for k in ("os", "architecture", "variant"))
        if not (isinstance(os, str) and os and isinstance(architecture, str) and architecture):
            return None
        return cls(os, architecture, variant if isinstance(variant, str) else "")

    def rank(self, wanted: Platform) -> int | None:
        """How well an image for this platform runs on *wanted*, less being better; None where it does not run."""
        if (self.os, self.architecture) != (wanted.os, wanted.architecture):
            return None
        match self.architecture:
            case "arm64":
                return 0 if self.variant in {"", "v8"} else None
            case "amd64":
                # v2 to v4 want instructions that not every processor has
                return {"": 0, "v1": 1}.get(self.variant)
            case "arm":
                own, theirs = self.variant or "v7", wanted.variant or "v7"
                if own not in _ARM or theirs not in _ARM or _ARM.index(own) > _ARM.index(theirs):
                    return None
                return _ARM.index(theirs) - _ARM.index(own)
            case _:
                return 0

    def __str__(self) -> str:
        variant = "" if self.architecture == "arm64" and self.variant == "v8" else self.variant
        return visible("/".join(p for p in (self.os, self.architecture, variant) if p), at_most=60)


@dataclass(frozen=True)
class Entry:
    """One image of an index."""

    digest: str
    platform: Platform | None
    """None where the index does not say; the image's own configuration does."""


@dataclass(frozen=True)
class Index:
    """Several images under one name."""

    entries: tuple[Entry, ...]
    """Without attestations."""

    def choose(self, wanted: Platform) -> Entry | None:
        """The image for *wanted*; None where there is none."""
        ranked = [
            (rank, place)
            for place, e in enumerate(self.entries)
            if e.platform is not None and (rank := e.platform.rank(wanted)) is not None
        ]
        if ranked:
            return self.entries[min(ranked)[1]]
        return next((e for e in self.entries if e.platform is None), None)

    def offered(self) -> tuple[str, ...]:
        """The platforms that the index names, each once."""
        return tuple(dict.fromkeys(str(e.platform) for e in self.entries if e.platform is not None))[:20]


@dataclass(frozen=True)
class Manifest:
    """One image."""

    config: BlobSeen
    layers: tuple[BlobSeen, ...]

    @property
    def largest(self) -> BlobSeen | None:
        """The layer that is transferred longest; None where there is none."""
        return max(self.layers, key=lambda layer: layer.size, default=None)

    @property
    def blobs(self) -> tuple[BlobSeen, ...]:
        """Everything that is transferred, each once."""
        return unique((self.config, *self.layers))


def unique(blobs: Iterable[BlobSeen]) -> tuple[BlobSeen, ...]:
    """Each digest once: what two images share is transferred and stored once."""
    return tuple({blob.digest: blob for blob in blobs}.values())


def is_digest(value: object) -> bool:
    """Whether *value* is a digest that can be checked (OCI image specification, ``descriptor.md``)."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_of(data: bytes, digest: str) -> bool:
    """Whether *digest* is that of *data*."""
    name, _, value = digest.partition(":")
    return {"sha256": sha256, "sha512": sha512}[name](data).hexdigest() == value if is_digest(digest) else False


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object.  Raises ValueError, which quotes nothing."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("wanted a JSON object")  # noqa: TRY004 - it is the text that is wrong
    return value


def read(data: bytes) -> Index | Manifest:
    """A manifest or an index.  Raises ValueError for anything else."""
    value = read_object(data)
    if isinstance(listed := value.get("manifests"), list):
        return Index(tuple(_entry(one) for one in listed[:_PARTS_AT_MOST] if not _is_attestation(one)))
    layers = value.get("layers")
    if not isinstance(layers, list) or len(layers) > _PARTS_AT_MOST:
        raise ValueError("wanted layers or manifests")
    return Manifest(_blob(value.get("config")), tuple(_blob(layer) for layer in layers))


def _is_attestation(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    notes = entry.get("annotations")
    platform = entry.get("platform")
    marked = isinstance(notes, Mapping) and _ATTESTATION in notes
    return marked or (isinstance(platform, dict) and platform.get("architecture") == "unknown")


def _entry(value: object) -> Entry:
    if not isinstance(value, dict) or not is_digest(value.get("digest")):
        raise ValueError("wanted an entry with a digest")
    return Entry(value["digest"], Platform.read(value.get("platform")))


def _blob(value: object) -> BlobSeen:
    size = value.get("size") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not is_digest(value.get("digest")):
        raise ValueError("wanted a digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LARGEST:
        raise ValueError("wanted a size")
    return BlobSeen(value["digest"], size)
