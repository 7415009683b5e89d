"""The exchange with an image registry: challenge, token, manifest, and a layer's first bytes.

Sources: the OCI distribution specification 1.1 (``/v2/``, ``/v2/<name>/manifests/<reference>``,
``/v2/<name>/blobs/<digest>``), RFC 9110 for challenges and ranges.  That a token was given proves no right: only the
manifest does.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.host.live import Patience
from vorflug.host.live.commands import TRUSTED, LiveCommands
from vorflug.host.live.registry_login import Login, login
from vorflug.host.live.registry_token import UNAUTHORIZED, Grant, MaySend, Tokens
from vorflug.host.live.registry_wire import Answer, Ended, Opened, Wire
from vorflug.model.challenge import Challenge, challenges
from vorflug.model.registry import api_host, repository_path
from vorflug.model.registry_manifest import (
    INDEXES,
    MANIFESTS,
    Index,
    Manifest,
    Platform,
    is_digest,
    is_of,
    read,
    read_object,
)
from vorflug.netprobe.login import Came, Logins
from vorflug.ports.net import Net
from vorflug.ports.registry import (
    BlobSeen,
    CredentialSeen,
    DownloadSeen,
    ImagesSeen,
    ManifestSeen,
    PullEnd,
    PullRights,
    PullSeen,
    RateSeen,
    ReadEnd,
    RegistryAsk,
)

if TYPE_CHECKING:
    from httpx import Response

_ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
_MANIFEST_AT_MOST = 4 << 20
"""Bytes; the size that registries must take (OCI distribution specification)."""
_MARGIN_S = 1.0
"""Left of a question's time when a layer is read no further, so that what came is still told."""

_LOGINS = Logins()
"""One for the process: what one question saw refused is not tried by another, so that no account gets locked."""


class LiveRegistry:
    """The registry port of this machine."""

    def __init__(
        self,
        patience: Patience,
        helpers: Sequence[str] = TRUSTED,
        *,
        logins: Logins = _LOGINS,
        net: Net | None = None,
    ) -> None:
        """*helpers*: the folders in which credential helpers are looked for; *net*: who probes the ways."""
        self._patience = patience
        self._logins = logins
        self._net = net
        self._commands = LiveCommands(patience, helpers)

    def credential(self, registry: str) -> CredentialSeen:
        return login(registry, self._commands).seen

    def pull_rights(self, ask: RegistryAsk, images: tuple[str, ...]) -> PullRights:
        known = login(ask.registry, self._commands)
        with self._exchange(ask, known) as exchange:
            return PullRights(known.seen, tuple(exchange.look(image) for image in images))

    def manifests(self, ask: RegistryAsk, images: tuple[str, ...], architecture: str = "") -> ImagesSeen:
        wanted = Platform.of_architecture(architecture) if architecture else _here()
        known = login(ask.registry, self._commands)
        with self._exchange(ask, known) as exchange:
            return ImagesSeen(
                known.seen, str(wanted), tuple(exchange.content(image, wanted, 2 * len(images)) for image in images)
            )

    def download(self, ask: RegistryAsk, image: str, at_most: int) -> DownloadSeen:
        with self._exchange(ask, login(ask.registry, self._commands)) as exchange:
            return exchange.download(image, at_most)

    @contextmanager
    def _exchange(self, ask: RegistryAsk, known: Login) -> Iterator[_Exchange]:
        from vorflug.host.live import routed
        from vorflug.host.live.net import LiveNet

        ask = replace(ask, registry=api_host(ask.registry), token_hosts=tuple(map(api_host, ask.token_hosts)))
        net = self._net if self._net is not None else LiveNet(self._patience)
        with routed.client(ask.proxy, ask.ca_file) as client:
            wire = Wire(client, net, ask, self._patience)
            yield _Exchange(wire, ask, Tokens(wire, ask, known, self._logins, self._patience), self._patience)


def _here() -> Platform:
    return Platform.of_machine(platform.machine())


class _Exchange:
    """One registry, one login, one image after the other."""

    def __init__(self, wire: Wire, ask: RegistryAsk, tokens: Tokens, patience: Patience) -> None:
        self._wire = wire
        self._ask = ask
        self._tokens = tokens
        self._patience = patience
        self._grant = Grant()
        self._rate: RateSeen | None = None

    def look(self, image: str) -> PullSeen:
        """HEAD the manifest of *image*, without a credential first."""
        try:
            return self._granted(image, self._enter("HEAD", image))
        except Ended as ended:
            return _pull(image, ended)

    def content(self, image: str, wanted: Platform, spare: int) -> ManifestSeen:
        """GET the manifest of *image*, and where it is an index the one for *wanted*.

        With fewer than *spare* pulls left, none is used up.
        """
        left = self._rate.remaining if self._rate is not None else None
        if left is not None and left < spare:
            return ManifestSeen(PullSeen(image, PullEnd.SPARED, at=self._ask.registry, rate=self._rate))
        try:
            answer = self._enter("GET", image)
            self._rate = answer.rate
            pull = self._granted(image, answer)
            found = self._read(answer)
        except Ended as ended:
            return ManifestSeen(_pull(image, ended))
        try:
            return self._fitting(image, pull, found, wanted)
        except Ended as ended:
            return ManifestSeen(_pull(image, ended), offered=found.offered() if isinstance(found, Index) else ())

    def download(self, image: str, at_most: int) -> DownloadSeen:
        """Read the first *at_most* bytes of the largest layer."""
        try:
            answer = self._enter("GET", image)
            pull = self._granted(image, answer)
            layer = self._largest(image, answer)
        except Ended as ended:
            return DownloadSeen(_pull(image, ended))
        return self._layer(pull, self._url(image, "blobs", layer.digest), at_most)

    # ---- the manifest ------------------------------------------------------------------------------------------------

    def _enter(self, method: str, image: str) -> Answer:
        """The first manifest behind the name of *image*.  Raises Ended where it is not shown."""
        self._grant = Grant()  # what was granted for another image is not sent for this one
        trace = self._wire.base(f"https://{self._ask.registry}/v2/")
        answer = self._manifest(method, image)
        if answer.status == UNAUTHORIZED:
            offered = challenges(answer.headers.get_list("www-authenticate"))
            if not offered and trace.http is not None:
                offered = challenges(value for name, value in trace.http.headers if name == "www-authenticate")
            closed = trace.http is not None and trace.http.status == UNAUTHORIZED
            answer = self._authorised(method, image, offered, closed=closed)
        self._judge(answer)
        return answer

    def _authorised(self, method: str, image: str, offered: Sequence[Challenge], *, closed: bool) -> Answer:
        """The same once more, with what the challenge asks for.

        *closed*: without a login the registry's base address answers 401, so that another answer proves the login.
        """
        if not self._tokens.basic(offered):
            self._grant = self._tokens.bearer(offered, self._repository(image))
            return self._manifest(method, image)
        answers: list[Answer] = []

        def put(authorization: str, may_send: MaySend) -> Answer:
            self._grant = Grant(authorization, anonymous=False)
            answers.append(self._manifest(method, image, may_send=may_send))
            return answers[-1]

        def check(authorization: str, may_send: MaySend) -> Came:
            base = f"https://{self._ask.registry}/v2/"
            answer = self._wire.send(
                "GET", base, limit=_MANIFEST_AT_MOST, follow=False, authorization=authorization, may_send=may_send
            )
            if answer.status == UNAUTHORIZED:
                return Came.REJECTED
            return Came.ACCEPTED if closed and answer.status == 200 else Came.OPEN  # noqa: PLR2004 - RFC 9110, 15.3.1

        self._grant = self._tokens.with_login(self._ask.registry, put, check)
        return answers[-1]

    def _judge(self, answer: Answer) -> None:
        """Raises Ended unless *answer* shows the manifest."""
        match answer.status:
            case 200:
                return
            case 401 | 403:
                end = PullEnd.NO_CREDENTIAL if self._grant.anonymous else PullEnd.DENIED
            case 404:
                end = PullEnd.MISSING
            case _:
                end = PullEnd.STATUS
        raise Ended(end, answer.status, answer.at, rate=answer.rate)

    def _granted(self, image: str, answer: Answer) -> PullSeen:
        digest = answer.headers.get("docker-content-digest", "")
        return PullSeen(
            image,
            PullEnd.GRANTED,
            answer.status,
            digest if is_digest(digest) else "",
            self._ask.registry,
            self._grant.anonymous,
            rate=answer.rate,
        )

    def _manifest(self, method: str, image: str, digest: str = "", may_send: MaySend | None = None) -> Answer:
        url = self._url(image, "manifests", digest or _split(image)[1])
        return self._wire.send(
            method,
            url,
            limit=_MANIFEST_AT_MOST,
            authorization=self._grant.authorization,
            accept=_ACCEPT,
            may_send=may_send,
        )

    def _url(self, image: str, what: str, name: str) -> str:
        return f"https://{self._ask.registry}/v2/{self._repository(image)}/{what}/{name}"

    def _repository(self, image: str) -> str:
        return repository_path(self._ask.registry, _split(image)[0])

    def _read(self, answer: Answer, digest: str = "") -> Index | Manifest:
        """What *answer* holds.  Raises Ended where it is neither, is cut, or is not what *digest* names."""
        try:
            if answer.whole and (not digest or is_of(answer.body, digest)):
                return read(answer.body)
        except ValueError:
            pass  # as any other text that is no manifest
        raise Ended(PullEnd.NO_MANIFEST, answer.status, answer.at)

    # ---- its platform ------------------------------------------------------------------------------------------------

    def _fitting(self, image: str, pull: PullSeen, found: Index | Manifest, wanted: Platform) -> ManifestSeen:
        if isinstance(found, Index):
            entry = found.choose(wanted)
            manifest, offered = self._of_index(image, found, wanted), found.offered()
            named = entry.platform if entry is not None else None
        else:
            manifest, offered, named = found, (), None
        seen = ManifestSeen(pull, str(named or ""), offered, manifest.blobs)
        if named is not None:
            return seen
        return self._by_config(image, seen, manifest.config, wanted)

    def _largest(self, image: str, answer: Answer) -> BlobSeen:
        found = self._read(answer)
        manifest = self._of_index(image, found, _here()) if isinstance(found, Index) else found
        if manifest.largest is None:
            raise Ended(PullEnd.NO_MANIFEST, answer.status, answer.at)
        return manifest.largest

    def _of_index(self, image: str, index: Index, wanted: Platform) -> Manifest:
        entry = index.choose(wanted)
        if entry is None:
            raise Ended(PullEnd.WRONG_PLATFORM, at=self._ask.registry)
        answer = self._manifest("GET", image, entry.digest)
        self._judge(answer)
        manifest = self._read(answer, entry.digest)
        if isinstance(manifest, Index):
            raise Ended(PullEnd.NO_MANIFEST, answer.status, answer.at)
        return manifest

    def _by_config(self, image: str, seen: ManifestSeen, config: BlobSeen, wanted: Platform) -> ManifestSeen:
        """Where no index says for what an image is, its own configuration does."""
        try:
            named = self._named(image, config)
        except Ended as ended:
            return replace(seen, pull=replace(_pull(image, ended), anonymous=self._grant.anonymous))
        offered = seen.offered or (str(named),)
        if named.rank(wanted) is None:
            pull = PullSeen(image, PullEnd.WRONG_PLATFORM, at=self._ask.registry)
            return replace(seen, pull=pull, offered=offered)
        return replace(seen, platform=str(named), offered=offered)

    def _named(self, image: str, config: BlobSeen) -> Platform:
        """The platform in an image's configuration.  Raises Ended where none can be read."""
        url = self._url(image, "blobs", config.digest)
        answer = self._wire.send("GET", url, limit=_MANIFEST_AT_MOST, authorization=self._grant.authorization)
        if answer.status != 200:  # noqa: PLR2004 - RFC 9110, 15.3.1
            raise Ended(PullEnd.STATUS, answer.status, answer.at)
        try:
            named = Platform.read(read_object(answer.body)) if is_of(answer.body, config.digest) else None
        except ValueError:
            named = None
        if named is None:
            raise Ended(PullEnd.NO_MANIFEST, answer.status, answer.at)
        return named

    # ---- a layer -----------------------------------------------------------------------------------------------------

    def _layer(self, pull: PullSeen, url: str, at_most: int) -> DownloadSeen:
        extra = {"range": f"bytes=0-{at_most - 1}"}
        try:
            with self._wire.opened("GET", url, extra, authorization=self._grant.authorization) as opened:
                return self._bytes(pull, opened, at_most)
        except Ended as ended:
            # the login works, and still nothing comes: from here on it is the data host's affair
            refused = ended.end is PullEnd.REDIRECT_REFUSED
            return DownloadSeen(
                pull,
                ended.status,
                ended.at,
                ended.at != self._ask.registry,
                ended=ReadEnd.REFUSED if refused else ReadEnd.CUT,
                trace=ended.trace,
                rate=ended.rate,
            )

    def _bytes(self, pull: PullSeen, opened: Opened, at_most: int) -> DownloadSeen:
        import httpx

        response = opened.response
        wanted = min(at_most, _length(response) or at_most)
        done, ended = 0, ReadEnd.COMPLETE
        try:
            for part in response.iter_raw(1 << 16):
                done += len(part)
                if done >= wanted:
                    break
                if self._patience.left() < _MARGIN_S:
                    ended = ReadEnd.TIME
                    break
        except httpx.HTTPError:
            ended = ReadEnd.CUT
        return DownloadSeen(
            pull,
            response.status_code,
            opened.at,
            opened.redirected,
            done,
            monotonic() - opened.asked_at,
            ended=ended,
        )


def _length(response: Response) -> int | None:
    """How long the body says it is."""
    value = response.headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None  # noqa: PLR2004 - no number is longer


def _pull(image: str, ended: Ended) -> PullSeen:
    return PullSeen(image, ended.end, ended.status, at=ended.at, trace=ended.trace, rate=ended.rate)


def _split(image: str) -> tuple[str, str]:
    """``repository:tag`` or ``repository@sha256:…`` in two; without either the tag is ``latest``, as docker has it."""
    repository, at, digest = image.partition("@")
    if at:
        return repository.partition(":")[0], digest
    repository, _, tag = image.partition(":")
    return repository, tag or "latest"
