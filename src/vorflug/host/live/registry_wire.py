"""Requests to a registry and to the hosts that it sends us to, each way tried by the staged probe before it is used.

The probe names the layer that fails and minds how often a proxy's login is tried; httpx then puts the request.
A registry keeps its layers elsewhere, so redirects are followed here: over TLS only, to no address that only this
link, this machine or its cloud answers (`vorflug.netprobe.redirect`), and no credential crosses to another origin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from vorflug.host.live import Patience
from vorflug.model.hosts import is_loopback
from vorflug.model.message import visible
from vorflug.netprobe.redirect import STATUS as MOVED
from vorflug.netprobe.redirect import is_forbidden
from vorflug.ports.net import Code, Net, ProbeAsk, Stage, StageSeen, Trace
from vorflug.ports.registry import PullEnd, RateSeen, RegistryAsk

if TYPE_CHECKING:
    from httpx import URL, Client, Headers, Response

STEP_SECONDS = 10.0
"""Of silence, after which a request is given up; a manifest or a token takes no longer in all."""
_TOO_MANY = 429
_REDIRECTS = 5
_QUOTA = re.compile(r"(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?")
"""``100;w=21600``, as Docker Hub has it."""


class Ended(Exception):
    """Not an error: the answer, where a pull ends before its image was seen."""

    def __init__(
        self,
        end: PullEnd,
        status: int | None = None,
        at: str = "",
        *,
        trace: Trace | None = None,
        rate: RateSeen | None = None,
    ) -> None:
        super().__init__(end.value)
        self.end, self.status, self.at, self.trace, self.rate = end, status, at, trace, rate


@dataclass(frozen=True)
class Answer:
    """What came back, its body read up to a limit."""

    status: int
    headers: Headers
    body: bytes
    at: str
    """``host[:port]`` that gave it."""
    whole: bool
    """Whether the body ended before the limit."""

    @property
    def rate(self) -> RateSeen | None:
        """What it says about limits."""
        return rate(self.headers)


@dataclass(frozen=True)
class Opened:
    """An answer whose body is still to be read."""

    response: Response
    at: str
    redirected: bool
    asked_at: float
    """When the request to this host was put, in monotonic time."""


class Wire:
    """One question's way to a registry."""

    def __init__(self, client: Client, net: Net, ask: RegistryAsk, patience: Patience) -> None:
        self._client = client
        self._net = net
        self._ask = ask
        self._patience = patience
        self._ways: dict[str, Trace] = {}
        self._lost: dict[str, Ended] = {}

    def base(self, url: str) -> Trace:
        """The probe of *url*, the registry's own address, with its challenges.  Raises Ended."""
        import httpx

        return self._way(httpx.URL(url), "GET")

    def send(
        self,
        method: str,
        url: str,
        *,
        limit: int,
        authorization: str = "",
        accept: str = "",
        follow: bool = True,
        data: dict[str, str] | None = None,
        may_send: Callable[[], bool] | None = None,
    ) -> Answer:
        """One request, its redirects followed, its body read up to *limit*.  Raises Ended where no answer came.

        *may_send*: asked before every request that holds a login.
        """
        import httpx

        extra = {"accept": accept} if accept else {}
        with self.opened(
            method, url, extra, authorization=authorization, follow=follow, data=data, may_send=may_send
        ) as opened:
            body = bytearray()
            try:
                for part in opened.response.iter_raw():
                    body += part
                    self._patience.left()
                    if len(body) > limit:
                        break
                    if monotonic() - opened.asked_at > STEP_SECONDS:
                        raise self._gone(opened.response.url, TimeoutError(), Code.HTTP_SLOW_BODY)
            except httpx.HTTPError as error:
                raise self._gone(opened.response.url, error, Code.HTTP_TRUNCATED) from None
            headers = opened.response.headers
            return Answer(opened.response.status_code, headers, bytes(body[:limit]), opened.at, len(body) <= limit)

    @contextmanager
    def opened(
        self,
        method: str,
        url: str,
        extra: dict[str, str],
        *,
        authorization: str = "",
        follow: bool = True,
        data: dict[str, str] | None = None,
        may_send: Callable[[], bool] | None = None,
    ) -> Iterator[Opened]:
        """The last answer of *url*'s redirects.  Raises Ended where there is none."""
        import httpx

        here = httpx.URL(url)
        headers = extra | ({"authorization": authorization} if authorization else {})
        for step in range(_REDIRECTS + 1):
            at = place(here)
            self._way(here)
            holds_login = data is not None or "authorization" in headers
            if may_send is not None and holds_login and not may_send():
                raise Ended(PullEnd.UNPROVED, at=at)
            asked_at = monotonic()
            self._client.cookies.clear()  # what one host set is not told to another
            request = self._client.build_request(
                method, here, headers=headers, data=data, timeout=min(STEP_SECONDS, self._patience.left())
            )
            try:
                response = self._client.send(request, stream=True)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if isinstance(error.__context__, httpx.InvalidURL):  # it looks at Location before we do
                    raise Ended(PullEnd.REDIRECT_REFUSED, at=at) from None
                raise self._gone(here, error, Code.HTTP_NO_RESPONSE) from None
            try:
                if response.status_code == _TOO_MANY:
                    raise Ended(PullEnd.RATE_LIMITED, _TOO_MANY, at, rate=rate(response.headers) or RateSeen())
                if not follow or response.status_code not in MOVED or "location" not in response.headers:
                    yield Opened(response, at, step > 0, asked_at)
                    return
                status, location = response.status_code, response.headers["location"]
            finally:
                response.close()
            here = self._next(here, location, status)
            if place(here) != at:
                # a signed address needs no credential, and its host must not get ours
                headers.pop("authorization", None)
        raise Ended(PullEnd.REDIRECT_REFUSED, status, place(here))

    def _next(self, here: URL, location: str, status: int) -> URL:
        """The target of a redirect.  Raises Ended where it is not followed."""
        import httpx

        try:
            there = here.join(location)
        except (httpx.InvalidURL, ValueError):
            raise Ended(PullEnd.REDIRECT_REFUSED, status, place(here)) from None
        at = place(there)
        if there.scheme != "https" or there.userinfo or not there.host:
            raise Ended(PullEnd.REDIRECT_REFUSED, status, at)
        name = there.host.rstrip(".")
        try:
            inside = there.host != here.host and (is_forbidden(name) or self._leads_inside(there))
        except ValueError:  # no name that anything could be sent to
            inside = True
        if inside:
            raise Ended(PullEnd.REDIRECT_REFUSED, status, at)
        return there

    def _leads_inside(self, url: URL) -> bool:
        """Whether the name is one of a forbidden address; behind a proxy only the proxy knows."""
        if place(url) in self._ways or self._net.route(f"https://{place(url)}/", self._ask.proxy).proxy is not None:
            return False
        # that a name leads to this machine is its own hosts file's affair
        return any(is_forbidden(a) and not is_loopback(a) for a in self._net.resolve(url.host).addresses)

    def _way(self, url: URL, method: str = "HEAD") -> Trace:
        """Try the way to *url*'s host, once.  Raises Ended where it does not lead there."""
        at = place(url)
        if (lost := self._lost.get(at)) is not None:
            raise lost
        if at not in self._ways:
            self._ways[at] = self._probe(at, url.path if method == "GET" else "/", method)
        trace = self._ways[at]
        stage = trace.stopped_at
        # what it says over HTTP to a request without a name and a signature is its own affair
        if stage is not None and stage.stage not in {Stage.HTTP, Stage.STREAM}:
            raise self._lose(at, trace)
        return trace

    def _probe(self, at: str, path: str, method: str) -> Trace:
        try:
            return self._net.probe(
                ProbeAsk(
                    url=f"https://{at}{path}",
                    method=method,
                    proxy=self._ask.proxy,
                    ca_file=self._ask.ca_file,
                    keep_headers=("www-authenticate",),
                )
            )
        except ValueError:  # no address that anything could be sent to
            raise Ended(PullEnd.REDIRECT_REFUSED, at=at) from None

    def _gone(self, url: URL, error: Exception, otherwise: Code) -> Ended:
        """No answer where the way was open before: is it still?"""
        at = place(url)
        trace = self._ways[at]
        if trace.code is None:
            trace = self._probe(at, "/", "HEAD")
        if trace.code is None:
            stages = tuple(s for s in trace.stages if s.stage is not Stage.HTTP)
            trace = replace(trace, stages=(*stages, StageSeen(Stage.HTTP, 0.0, otherwise, type(error).__name__)))
        return self._lose(at, trace)

    def _lose(self, at: str, trace: Trace) -> Ended:
        ended = self._lost[at] = Ended(PullEnd.UNREACHABLE, at=at, trace=trace)
        return ended


def place(url: URL) -> str:
    """``host[:port]`` of *url*, without userinfo."""
    return visible(url.netloc.decode("ascii", "replace"), at_most=300)


def rate(headers: Any) -> RateSeen | None:
    """The limits that an answer names; None where it names none."""
    quota = _QUOTA.match(headers.get("ratelimit-limit", ""))
    left = _QUOTA.match(headers.get("ratelimit-remaining", ""))
    after = visible(headers.get("retry-after", ""), at_most=60)
    if quota is None and left is None and not after:
        return None
    window = quota[2] if quota is not None else None
    return RateSeen(
        limit=int(quota[1]) if quota is not None else None,
        remaining=int(left[1]) if left is not None else None,
        window_s=int(window) if window else None,
        retry_after=after,
    )
