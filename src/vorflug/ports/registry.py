"""An image registry, asked with the credentials of the host, which are used there and never cross this port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vorflug.ports.net import Code, Trace


class CredentialSource(StrEnum):
    """Where docker's ``config.json`` keeps what it knows of a registry (docker-login(1))."""

    AUTHS = "auths"
    HELPER = "credHelpers"
    STORE = "credsStore"
    NONE = "none"


class CredentialState(StrEnum):
    """Whether there is something to log in with."""

    USABLE = "usable"
    """A name and a password, or a token."""
    MISSING = "missing"
    """Nothing is kept for this registry."""
    UNREADABLE = "unreadable"
    """An entry that is no base64 of ``name:password``."""
    NO_HELPER = "no_helper"
    """The helper program is not in a trusted folder."""
    HELPER_FAILED = "helper_failed"
    """The helper program ended with an error or printed no credential."""
    BAD_FILE = "bad_file"
    """``config.json`` is no regular file, no JSON object, or larger than 1 MiB."""


@dataclass(frozen=True)
class CredentialSeen:
    """What is kept for one registry, without its values."""

    state: CredentialState
    source: CredentialSource
    file: str
    """The ``config.json`` that was read; where there is none, the place where it would lie."""
    helper: str = ""
    """The program that keeps it: ``docker-credential-pass``."""
    line: int | None = None
    """Where a file that is no JSON goes wrong."""


@dataclass(frozen=True)
class RegistryAsk:
    """Which registry, and what may be told to whom."""

    registry: str
    """``host[:port]`` of its API."""
    token_hosts: tuple[str, ...] = ()
    """``host[:port]`` of token services that may be sent the credential, besides the registry itself."""
    proxy: str | None = None
    """A proxy that the site file names (``http://host:port``): it wins over the environment."""
    ca_file: str | None = None
    """Further trust anchors (PEM), besides the host's store."""


class PullEnd(StrEnum):
    """How an attempt to see an image ended."""

    GRANTED = "granted"
    MISSING = "missing"
    """404: no such repository or tag, or not shown to this credential."""
    DENIED = "denied"
    """401 or 403 with a token or credential."""
    REFUSED = "refused"
    """The credential itself was refused (401)."""
    NO_CREDENTIAL = "no_credential"
    """The registry wants a credential, and none that can be used is here."""
    NO_CHALLENGE = "no_challenge"
    """401 without a way to authenticate that is known here (Basic, Bearer)."""
    REALM_INSECURE = "realm_insecure"
    """The token service is named with http://: nothing was sent there."""
    REALM_FOREIGN = "realm_foreign"
    """The token service is on a host that was not allowed: nothing was sent there."""
    RATE_LIMITED = "rate_limited"
    """429: too many requests, for this login or for this network address (RFC 6585, 4)."""
    SPARED = "spared"
    """Not asked for, because few pulls are left and the installation needs them."""
    REDIRECT_REFUSED = "redirect_refused"
    """It leads to http://, to an address of this link or of a cloud's metadata, or in a circle: not followed."""
    NO_MANIFEST = "no_manifest"
    """The answer is no image manifest or index that is known here, or larger than 4 MiB."""
    WRONG_PLATFORM = "wrong_platform"
    """There is an image of this name, but none for the wanted platform."""
    NO_TOKEN = "no_token"  # noqa: S105 - a word, not a token
    """The token service gave an answer without a token."""
    UNREACHABLE = "unreachable"
    """No answer; which layer failed is for `Net.probe` to say."""
    STATUS = "status"
    """Any other answer."""
    NOT_TRIED = "not_tried"
    """Left out after the credential had been refused, so that no account gets locked."""
    UNPROVED = "unproved"
    """The credential was sent twice, no answer told whether it is good, and it was not sent again."""


@dataclass(frozen=True)
class RateSeen:
    """What the registry says about how much may still be pulled (draft-ietf-httpapi-ratelimit-headers, Docker Hub)."""

    limit: int | None = None
    remaining: int | None = None
    window_s: int | None = None
    """Over how many seconds *limit* counts."""
    retry_after: str = ""
    """Retry-After (RFC 9110, 10.2.3): seconds or a date, as it came, capped and visible."""


@dataclass(frozen=True)
class PullSeen:
    """What came of one image."""

    image: str
    end: PullEnd
    status: int | None = None
    """The HTTP status that decided."""
    digest: str = ""
    """``Docker-Content-Digest`` of the manifest."""
    at: str = ""
    """``host[:port]`` that gave the deciding answer, or that nothing was sent to."""
    anonymous: bool = False
    """Whether it was seen without any credential."""
    trace: Trace | None = None
    """Where no answer came: how far the way to *at* leads."""
    rate: RateSeen | None = None
    """None where the registry says nothing about limits."""

    @property
    def code(self) -> Code | None:
        """The layer that failed on the way to *at*; None where an answer came."""
        return self.trace.code if self.trace is not None else None


@dataclass(frozen=True)
class PullRights:
    """What the credential of this host may pull."""

    credential: CredentialSeen
    images: tuple[PullSeen, ...]


@dataclass(frozen=True)
class BlobSeen:
    """One part of an image, as the manifest names it."""

    digest: str
    size: int
    """Bytes as they are transferred, compressed."""


@dataclass(frozen=True)
class ManifestSeen:
    """What an image consists of on one platform."""

    pull: PullSeen
    """`PullEnd.GRANTED` only where an image for the wanted platform was read."""
    platform: str = ""
    """Of that image: ``linux/amd64``, ``linux/arm64/v8``."""
    offered: tuple[str, ...] = ()
    """Every platform there is an image for, capped in number; attestations are none."""
    blobs: tuple[BlobSeen, ...] = ()
    """Its configuration and its layers, each once."""


@dataclass(frozen=True)
class ImagesSeen:
    """What several images consist of."""

    credential: CredentialSeen
    wanted: str
    """The platform that was looked for: ``linux/amd64``."""
    images: tuple[ManifestSeen, ...]


class ReadEnd(StrEnum):
    """How the reading of a layer ended."""

    COMPLETE = "complete"
    """All that was asked for came."""
    TIME = "time"
    """The time for the question was over while bytes still came."""
    CUT = "cut"
    """The connection broke, or nothing came any more."""
    REFUSED = "refused"
    """A redirect that is not followed: to http://, to an address of this link or of a cloud's metadata, in a circle."""


@dataclass(frozen=True)
class DownloadSeen:
    """One layer's first bytes."""

    pull: PullSeen
    status: int | None = None
    """206 where the range was honoured (RFC 9110, 15.3.7); 200 where all was sent; None where no answer came."""
    data_host: str = ""
    """``host[:port]`` that sent the bytes, or should have."""
    redirected: bool = False
    read_bytes: int = 0
    took_s: float = 0.0
    """From the request to *data_host* to the last byte."""
    ended: ReadEnd = ReadEnd.COMPLETE
    trace: Trace | None = None
    """Where no answer came: how far the way to *data_host* leads."""
    rate: RateSeen | None = None
    """What *data_host* says about limits, where it is for them that it sends nothing (429)."""

    @property
    def code(self) -> Code | None:
        """The layer that failed on the way to *data_host*; None where an answer came."""
        return self.trace.code if self.trace is not None else None


class Registry(Protocol):
    """Looks at a registry as the container engine would."""

    def credential(self, registry: str) -> CredentialSeen:
        """What is kept for *registry* (``host[:port]``)."""
        ...

    def pull_rights(self, ask: RegistryAsk, images: tuple[str, ...]) -> PullRights:
        """HEAD every manifest of *images* (``repository:tag`` or ``repository@sha256:…``); nothing is downloaded."""
        ...

    def manifests(self, ask: RegistryAsk, images: tuple[str, ...], architecture: str = "") -> ImagesSeen:
        """GET every manifest of *images* for *architecture* (``amd64``; empty: this host's); no layer is downloaded.

        Docker Hub counts each as a pull: where the registry says that fewer are left than these images take, the rest
        is not asked for (`PullEnd.SPARED`).
        """
        ...

    def download(self, ask: RegistryAsk, image: str, at_most: int) -> DownloadSeen:
        """Read up to *at_most* bytes of the largest layer of *image*."""
        ...
