"""A long request to the language model's endpoint: does it come through?

It is put without a key, and judged beside a short one to the same address: what stops both has nothing to do with the
length.  A service that refuses before it has read the whole proves no more than what it has read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model import netcause
from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.probing import ProxyUrl, RequestQuery, TraceFact, Url
from vorflug.model.quantity import Size
from vorflug.model.query import Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import HttpSeen, ProbeAsk, Trace

TITLE = msg("Long requests to the language model")

_TOO_LARGE = 413
"""RFC 9110, 15.5.14."""
_FORBIDDEN, _TOO_MANY, _SERVER_ERRORS = 403, 429, 500
_UPLOAD_S = 30.0
_LARGEST = 64 * 1024 * 1024

Path = Annotated[str, StringConstraints(pattern=r"^/[^\s#]*$", max_length=500)]
"""Path and query below an address."""


@dataclass(frozen=True, kw_only=True)
class UploadQuery(Query[TraceFact]):
    """How far does a long request come?  It holds blanks, and no key is sent."""

    kind = "upload"
    touches = ("@net.probe",)
    deadline = _UPLOAD_S + 5
    reach = Reach.NETWORK

    url: str
    size: int
    """Bytes of the body."""
    proxied: bool = True
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg("Does a request of {size:size} come through to {url}?", size=self.size, url=self.url)

    def observe(self, host: Host) -> TraceFact:
        return TraceFact(
            trace=host.net.probe(
                ProbeAsk(
                    url=self.url,
                    method="POST",
                    upload_bytes=self.size,
                    timeout_s=_UPLOAD_S,
                    proxied=self.proxied,
                    proxy=self.proxy,
                    ca_file=self.ca_file,
                )
            )
        )


class UploadRequirement(Requirement):
    """A request of this length comes through to the endpoint."""

    kind = "llm_upload"
    networked = True
    url: Url
    """Where the endpoint is; never with a key."""
    path: Path | None = None
    """Path and query that are asked below *url*."""
    size: Annotated[Size, Field(gt=0, le=_LARGEST)]
    """Of the request's body."""
    external: bool = True
    """It lies outside, where a proxy that nobody named may be the way."""
    proxied: bool = True
    """False where the way must not lead through the proxy of the environment."""
    proxy: ProxyUrl | None = None
    ca_file: str | None = None
    """Further trust anchors (PEM), besides the host's store."""

    @property
    def target(self) -> str:
        """The whole address that is asked."""
        return self.url if self.path is None else self.url.rstrip("/") + self.path

    def wanted(self) -> Message:
        return msg("a request of {size:size} comes through to {url}", size=self.size, url=self.target)

    def queries(self, known: Evidence) -> Sequence[Query[TraceFact]]:  # noqa: ARG002 - two questions, whatever is known
        return [self._short(), self._long()]

    def _short(self) -> RequestQuery:
        return RequestQuery(
            url=self.target, method="POST", proxied=self.proxied, proxy=self.proxy, ca_file=self.ca_file
        )

    def _long(self) -> UploadQuery:
        return UploadQuery(
            url=self.target, size=self.size, proxied=self.proxied, proxy=self.proxy, ca_file=self.ca_file
        )

    def judge(self, evidence: Evidence) -> Verdict:
        short = evidence[self._short()].trace
        if (stopped := netcause.stopped(short, self.target, external=self.external)) is not None:
            return unmet(
                wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
            )
        long = evidence[self._long()].trace
        if (stage := long.stopped_at) is not None:
            return self._broken(
                long,
                msg(
                    "A short request to {url} is answered; one of {size:size} is not ({detail}).",
                    url=self.target,
                    size=self.size,
                    detail=f"{stage.code} {stage.detail}".strip(),
                ),
            )
        if short.http is None or long.http is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its answer was not recorded.", url=self.target),
                fix=msg("Run again."),
            )
        return self._answered(long, short.http, long.http)

    def _answered(self, trace: Trace, short: HttpSeen, long: HttpSeen) -> Verdict:
        seen = msg("HTTP {status} from {host}", status=long.status, host=trace.host)
        if long.status == _TOO_LARGE:
            return self._broken(
                trace,
                msg(
                    "A request of {size:size} to {url} is refused as too large (HTTP 413).",
                    size=self.size,
                    url=self.target,
                ),
            )
        differs = long.status != short.status
        if differs and (long.status in (_FORBIDDEN, _TOO_MANY) or long.status >= _SERVER_ERRORS or long.looks_like):
            return self._broken(
                trace,
                msg(
                    "A short request to {url} gets HTTP {short}; one of {size:size} gets HTTP {long}.",
                    url=self.target,
                    short=short.status,
                    size=self.size,
                    long=long.status,
                ),
            )
        if long.looks_like is not None:
            stopped = netcause.explain(trace, self.target, long.looks_like, None)
            return unmet(wanted=self.wanted(), seen=seen, because=stopped.says, fix=stopped.fix, cause=stopped.cause)
        if long.sent_bytes < self.size:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{url} answered with HTTP {status} after {sent:size}, before it had the whole request.",
                    url=self.target,
                    status=long.status,
                    sent=long.sent_bytes,
                ),
                fix=msg("Try a long request with the key, once the product runs."),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "A request of {size:size} to {url} came through (HTTP {status}).",
                size=self.size,
                url=self.target,
                status=long.status,
            ),
        )

    def _broken(self, trace: Trace, says: Message) -> Verdict:
        fix = msg(
            "Ask whoever runs what stands between this host and {host} (proxy, web filter, gateway) to let requests of "
            "{size:size} pass; ask the service for its own limit, too.",
            host=trace.host,
            size=self.size,
        )
        cause = Cause("http.request_too_large", f"{trace.host}:{trace.port}", says, fix)
        return unmet(wanted=self.wanted(), seen=says, because=says, fix=fix, cause=cause)
