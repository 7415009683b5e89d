"""The question that several areas put: how far does one request come?  Equal requests are asked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from vorflug.model.fingerprint import Fingerprint
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query, Reach
from vorflug.ports import Host
from vorflug.ports.net import ProbeAsk, Route, Trace

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]+(/[^\s@]*)?$", max_length=500)]
"""An address to ask, without user name and password."""

ProxyUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]+/?$", max_length=300)]
"""A proxy, ``http://host:port``, without user name and password: those belong in the environment."""

HostName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?$", max_length=253),
]
"""A DNS name in its ASCII form (RFC 1123, 2.1)."""


class TraceFact(Fact):
    """How far a request came."""

    trace: Trace


@dataclass(frozen=True, kw_only=True)
class RequestQuery(Query[TraceFact]):
    """One request to one URL without credentials, layer by layer.  The fields are those of `ProbeAsk`."""

    kind = "request"
    touches = ("@net.probe",)
    deadline = 20.0
    reach = Reach.NETWORK

    url: str
    method: str = "GET"
    look_for: tuple[str, ...] = ()
    proxied: bool = True
    proxy: str | None = None
    ca_file: str | None = None
    keep_headers: tuple[str, ...] = ()
    public_ca: bool = False
    timeout_s: float | None = None

    @classmethod
    def expecting(
        cls,
        fingerprint: Fingerprint,
        *,
        url: str,
        method: str = "GET",
        proxied: bool = True,
        proxy: str | None = None,
        ca_file: str | None = None,
        public_ca: bool = False,
        timeout_s: float | None = None,
    ) -> RequestQuery:
        """A request whose answer can be held against *fingerprint*."""
        return cls(
            url=url,
            method=method,
            look_for=fingerprint.body,
            proxied=proxied,
            proxy=proxy,
            ca_file=ca_file,
            keep_headers=fingerprint.kept_headers(),
            public_ca=public_ca,
            timeout_s=timeout_s,
        )

    def asks(self) -> Message:
        if self.proxy is not None:
            return msg("How far does {method} {url} come, by the proxy {proxy}?", **self._words(), proxy=self.proxy)
        if not self.proxied:
            return msg("How far does {method} {url} come, without a proxy?", **self._words())
        return msg("How far does {method} {url} come?", **self._words())

    def observe(self, host: Host) -> TraceFact:
        return TraceFact(
            trace=host.net.probe(
                ProbeAsk(
                    url=self.url,
                    method=self.method,
                    look_for=self.look_for,
                    proxied=self.proxied,
                    proxy=self.proxy,
                    ca_file=self.ca_file,
                    keep_headers=self.keep_headers,
                    public_ca=self.public_ca,
                    timeout_s=self.timeout_s,
                )
            )
        )

    def _words(self) -> dict[str, str]:
        return {"method": self.method, "url": self.url}


class RouteFact(Fact):
    """Which way a request takes from here."""

    route: Route


@dataclass(frozen=True, kw_only=True)
class RouteQuery(Query[RouteFact]):
    """By which proxy, or directly?  Nothing is sent."""

    kind = "route"
    touches = ("@net.route",)

    url: str
    proxy: str | None = None

    def asks(self) -> Message:
        return msg("Does a request to {url} go by a proxy?", url=self.url)

    def observe(self, host: Host) -> RouteFact:
        return RouteFact(route=host.net.route(self.url, self.proxy))
