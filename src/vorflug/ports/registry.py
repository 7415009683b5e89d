"""An image registry, asked with the credentials of the host, which are used there and never cross this port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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
    """``config.json`` is no JSON object, or larger than 1 MiB."""


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
    NO_TOKEN = "no_token"  # noqa: S105 - a word, not a token
    """The token service gave an answer without a token."""
    UNREACHABLE = "unreachable"
    """No answer; which layer failed is for `Net.probe` to say."""
    STATUS = "status"
    """Any other answer."""
    NOT_TRIED = "not_tried"
    """Left out after the credential had been refused, so that no account gets locked."""


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


@dataclass(frozen=True)
class PullRights:
    """What the credential of this host may pull."""

    credential: CredentialSeen
    images: tuple[PullSeen, ...]


@dataclass(frozen=True)
class DownloadSeen:
    """One layer's first bytes."""

    pull: PullSeen
    status: int | None = None
    """206 where the range was honoured (RFC 9110, 15.3.7); 200 where all was sent."""
    data_host: str = ""
    """The host that sent the bytes."""
    redirected: bool = False
    read_bytes: int = 0
    took_s: float = 0.0
    """From the request to the last byte, redirects included."""


class Registry(Protocol):
    """Looks at a registry as the container engine would."""

    def credential(self, registry: str) -> CredentialSeen:
        """What is kept for *registry* (``host[:port]``)."""
        ...

    def pull_rights(self, ask: RegistryAsk, images: tuple[str, ...]) -> PullRights:
        """HEAD every manifest of *images* (``repository:tag`` or ``repository@sha256:…``); nothing is downloaded."""
        ...

    def download(self, ask: RegistryAsk, image: str, at_most: int) -> DownloadSeen:
        """Read up to *at_most* bytes of the largest layer of *image*."""
        ...
