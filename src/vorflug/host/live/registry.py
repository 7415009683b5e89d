"""The exchange with an image registry: challenge, token, manifest, and a layer's first bytes.

Sources: the OCI distribution specification 1.1 (``/v2/<name>/manifests/<reference>``), the distribution project's
token authentication specification, RFC 9110 for challenges and ranges.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

from vorflug.host.live import Patience
from vorflug.host.live.commands import TRUSTED, LiveCommands
from vorflug.host.live.registry_login import Login, login
from vorflug.host.secrets import remember
from vorflug.model.challenge import Challenge, challenges
from vorflug.ports.registry import (
    CredentialSeen,
    CredentialState,
    DownloadSeen,
    PullEnd,
    PullRights,
    PullSeen,
    RegistryAsk,
)

if TYPE_CHECKING:
    from httpx import Client, Response

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join((*_INDEXES, *_MANIFESTS))
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What the kernel calls a machine, and what images call it (GOARCH)."""
_TOKEN_AT_MOST = 1 << 17
_MANIFEST_AT_MOST = 4 << 20
"""Bytes; the size that registries must take (OCI distribution specification)."""
_REDIRECTS = 3
_STEP_SECONDS = 10.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1."""
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


Refused = set[tuple[str, bytes]]
"""Places and hashes of logins that were refused there."""

_REFUSED: Refused = set()
"""One for the process: what one question saw refused is not tried by another, so that no account gets locked."""


class LiveRegistry:
    """The registry port of this machine."""

    def __init__(self, patience: Patience, helpers: Sequence[str] = TRUSTED, refused: Refused = _REFUSED) -> None:
        """*helpers*: the folders in which credential helpers are looked for."""
        self._patience = patience
        self._refused = refused
        self._commands = LiveCommands(patience, helpers)

    def credential(self, registry: str) -> CredentialSeen:
        return login(registry, self._commands).seen

    def pull_rights(self, ask: RegistryAsk, images: tuple[str, ...]) -> PullRights:
        known = login(ask.registry, self._commands)
        with self._exchange(ask, known) as exchange:
            return PullRights(known.seen, tuple(exchange.look(image) for image in images))

    def download(self, ask: RegistryAsk, image: str, at_most: int) -> DownloadSeen:
        known = login(ask.registry, self._commands)
        with self._exchange(ask, known) as exchange:
            return exchange.download(image, at_most)

    @contextmanager
    def _exchange(self, ask: RegistryAsk, known: Login) -> Iterator[_Exchange]:
        from vorflug.host.live import routed

        with routed.client(ask.proxy, ask.ca_file) as client:
            yield _Exchange(client, ask, known, self._patience, self._refused)


class _Ended(Exception):
    """Not an error: the answer."""

    def __init__(self, end: PullEnd, status: int | None = None, at: str = "") -> None:
        super().__init__(end.value)
        self.end, self.status, self.at = end, status, at


class _Exchange:
    """One registry, one credential, no more tries with it after it was refused."""

    def __init__(self, client: Client, ask: RegistryAsk, known: Login, patience: Patience, refused: Refused) -> None:
        self._client = client
        self._ask = ask
        self._login = known
        self._patience = patience
        self._refused = refused
        self._authorization = ""

    def look(self, image: str) -> PullSeen:
        """HEAD the manifest of *image*, without a credential first."""
        self._authorization = ""  # what was granted for another image is not sent for this one
        try:
            answer = self._manifest("HEAD", image)
            anonymous = True
            if answer.status_code == _UNAUTHORIZED:
                anonymous = self._authorise(image, answer)
                answer = self._manifest("HEAD", image)
            self._judge(answer, anonymous)
        except _Ended as ended:
            return PullSeen(image, ended.end, ended.status, at=ended.at)
        digest = answer.headers.get("docker-content-digest", "")
        shown = digest if _is_digest(digest) else ""
        return PullSeen(image, PullEnd.GRANTED, answer.status_code, shown, self._ask.registry, anonymous)

    def _judge(self, answer: Response, anonymous: bool) -> None:
        status = answer.status_code
        match status:
            case 200:
                return
            case 401 | 403 if anonymous:
                end = PullEnd.NO_CREDENTIAL
            case 401 if self._authorization.startswith("Basic "):
                self._give_up(status, self._ask.registry)
            case 401 | 403:
                end = PullEnd.DENIED
            case 404:
                end = PullEnd.MISSING
            case _:
                end = PullEnd.STATUS
        raise _Ended(end, status, self._ask.registry)

    def _may_try(self, at: str) -> None:
        """To be asked before the login is sent to *at*."""
        if (at, self._login.mark) in self._refused:
            raise _Ended(PullEnd.NOT_TRIED, at=at)

    def _give_up(self, status: int, at: str) -> NoReturn:
        self._refused.add((at, self._login.mark))
        raise _Ended(PullEnd.REFUSED, status, at)

    def _authorise(self, image: str, answer: Response) -> bool:
        """Get what the challenge asks for; whether that was without a credential."""
        offered = challenges(answer.headers.get_list("www-authenticate"))
        bearer = next((c for c in offered if c.scheme == "bearer" and "realm" in c.parameters), None)
        if bearer is not None:
            return self._bearer(bearer, image)
        if not any(c.scheme == "basic" for c in offered):
            raise _Ended(PullEnd.NO_CHALLENGE, answer.status_code, self._ask.registry)
        if not self._login.basic:
            raise _Ended(PullEnd.NO_CREDENTIAL, answer.status_code, self._ask.registry)
        self._may_try(self._ask.registry)
        self._authorization = self._login.basic
        return False

    def _bearer(self, challenge: Challenge, image: str) -> bool:
        import httpx

        try:
            realm = httpx.URL(challenge.parameters["realm"])
        except httpx.InvalidURL:
            raise _Ended(PullEnd.NO_CHALLENGE, _UNAUTHORIZED, self._ask.registry) from None
        at = realm.netloc.decode("ascii", "replace")[:300]
        if realm.scheme != "https":
            raise _Ended(PullEnd.REALM_INSECURE, at=at)
        # an address with userinfo is nobody's token service, so it is not looked up either
        if realm.userinfo or at not in {self._ask.registry, *self._ask.token_hosts}:
            raise _Ended(PullEnd.REALM_FOREIGN, at=at)
        usable = self._login.seen.state is CredentialState.USABLE
        if usable:
            self._may_try(at)
        asks = {"scope": f"repository:{_split(image)[0]}:pull"}
        if "service" in challenge.parameters:
            asks["service"] = challenge.parameters["service"]
        if usable and self._login.identity_token:
            form = asks | {
                "grant_type": "refresh_token",
                "client_id": "vorflug",
                "refresh_token": self._login.identity_token,
            }
            status, body = self._fetch("POST", realm, at, data=form)
        else:
            headers = {"authorization": self._login.basic} if usable else {}
            status, body = self._fetch("GET", realm.copy_merge_params(asks), at, headers=headers)
        if status == _UNAUTHORIZED and usable:
            self._give_up(status, at)
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            raise _Ended(PullEnd.DENIED if usable else PullEnd.NO_CREDENTIAL, status, at)
        if status != _OK:
            raise _Ended(PullEnd.STATUS, status, at)
        self._authorization = f"Bearer {_token(body, at)}"
        return not usable

    def _manifest(self, method: str, image: str, digest: str | None = None) -> Response:
        repository, reference = _split(image)
        url = f"https://{self._ask.registry}/v2/{repository}/manifests/{digest or reference}"
        return self._send(method, url, self._ask.registry, headers=self._headers() | {"accept": _ACCEPT})

    def _headers(self) -> dict[str, str]:
        return {"authorization": self._authorization} if self._authorization else {}

    def _send(self, method: str, url: Any, at: str, *, limit: int = _MANIFEST_AT_MOST, **parts: Any) -> Response:
        """One request whose body, read up to *limit*, is left in ``extensions["body"]``."""
        import httpx

        try:
            with self._client.stream(method, url, timeout=min(_STEP_SECONDS, self._patience.left()), **parts) as answer:
                body = b""
                for part in answer.iter_raw():
                    body += part
                    self._patience.left()
                    if len(body) > limit:
                        break
                answer.extensions["body"] = body[:limit]
                return answer
        except httpx.HTTPError:
            raise _Ended(PullEnd.UNREACHABLE, at=at) from None

    def _fetch(self, method: str, url: Any, at: str, **parts: Any) -> tuple[int, bytes]:
        answer = self._send(method, url, at, limit=_TOKEN_AT_MOST, **parts)
        body: bytes = answer.extensions["body"]
        return answer.status_code, body

    def download(self, image: str, at_most: int) -> DownloadSeen:
        """Read the first *at_most* bytes of the largest layer."""
        pull = self.look(image)
        if pull.end is not PullEnd.GRANTED:
            return DownloadSeen(pull)
        try:
            layer = self._largest_layer(image)
        except _Ended as ended:
            return DownloadSeen(PullSeen(image, ended.end, ended.status, at=ended.at))
        return self._read(pull, f"https://{self._ask.registry}/v2/{_split(image)[0]}/blobs/{layer}", at_most)

    def _largest_layer(self, image: str) -> str:
        manifest = self._json(self._manifest("GET", image))
        if isinstance(listed := manifest.get("manifests"), list):
            machine = _MACHINES.get(platform.machine(), platform.machine())
            fitting = [
                m
                for m in listed
                if isinstance(m, dict)
                and isinstance(p := m.get("platform"), dict)
                and (p.get("os"), p.get("architecture")) == ("linux", machine)
            ]
            if not fitting or not _is_digest(digest := fitting[0].get("digest")):
                raise _Ended(PullEnd.MISSING, at=self._ask.registry)
            manifest = self._json(self._manifest("GET", image, digest))
        layers = manifest.get("layers")
        sizes = [
            (layer["size"], layer["digest"])
            for layer in (layers if isinstance(layers, list) else [])
            if isinstance(layer, dict) and isinstance(layer.get("size"), int) and _is_digest(layer.get("digest"))
        ]
        if not sizes:
            raise _Ended(PullEnd.MISSING, at=self._ask.registry)
        return str(max(sizes)[1])

    def _json(self, answer: Response) -> dict[str, Any]:
        if answer.status_code != _OK:
            raise _Ended(PullEnd.STATUS, answer.status_code, self._ask.registry)
        try:
            value = json.loads(answer.extensions["body"])
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise _Ended(PullEnd.STATUS, answer.status_code, self._ask.registry)
        return value

    def _read(self, pull: PullSeen, address: str, at_most: int) -> DownloadSeen:
        import httpx

        began = monotonic()
        url = httpx.URL(address)
        headers = self._headers() | {"range": f"bytes=0-{at_most - 1}"}
        for redirects in range(_REDIRECTS + 1):
            at = url.netloc.decode("ascii", "replace")[:300]
            try:
                with self._client.stream(
                    "GET", url, headers=headers, timeout=min(_STEP_SECONDS, self._patience.left())
                ) as answer:
                    target = answer.headers.get("location")
                    if not answer.has_redirect_location or redirects == _REDIRECTS:
                        done = 0
                        for part in answer.iter_raw():
                            done += len(part)
                            self._patience.left()
                            if done >= at_most:
                                break
                        return DownloadSeen(pull, answer.status_code, at, redirects > 0, done, monotonic() - began)
                    url = url.join(target)
                    status = answer.status_code
            except (httpx.HTTPError, httpx.InvalidURL):
                return DownloadSeen(pull, None, at, redirects > 0, took_s=monotonic() - began)
            if url.scheme != "https" or url.userinfo:
                return DownloadSeen(pull, status, url.host[:300], redirected=True, took_s=monotonic() - began)
            if url.netloc.decode("ascii", "replace") != at:
                # a signed address needs no credential, and its host must not get ours
                headers.pop("authorization", None)
        raise AssertionError("the last turn of the loop returns")


def _split(image: str) -> tuple[str, str]:
    """``repository:tag`` or ``repository@sha256:…`` in two; without either the tag is ``latest``, as docker has it."""
    repository, at, digest = image.partition("@")
    if at:
        return repository.partition(":")[0], digest
    repository, _, tag = image.partition(":")
    return repository, tag or "latest"


def _token(body: bytes, at: str) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    # the specification has "token", OAuth 2 "access_token"; a server may send either
    token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise _Ended(PullEnd.NO_TOKEN, _OK, at)
    remember(token)
    return token


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"sha(256|512):[0-9a-f]{64,128}", value) is not None
