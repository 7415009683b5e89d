"""Outbound reachability: does a service out there answer this host, and is it the service that was meant?

The request is made without credentials, so that the healthy answer is often a refusal to log in: that is its
fingerprint.  The first layer that fails is named; sources of the fingerprints stand in the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from vorflug.model import netcause
from vorflug.model.base import Frozen
from vorflug.model.cause import Cause, Team
from vorflug.model.contact import IDENTITY_EXEMPT, Contact
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.fingerprint import Confidence, Fingerprint, HeaderMark
from vorflug.model.message import Message, Text, listed, msg, sentences
from vorflug.model.probing import ProxyUrl, RequestQuery, Url
from vorflug.model.quantity import Duration
from vorflug.model.requirement import LocalText, Requirement, Verdict, met, unmet
from vorflug.ports.net import Code, HttpSeen, Trace

TITLE = msg("Outbound connections")


class Variant(Frozen):
    """An answer that is known to mean something else: reached, but shut out by the service's own rules."""

    status: Annotated[int, Field(ge=100, le=599)]
    body: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    """Text that the body holds; None where the status says it all."""
    says: LocalText
    fix: LocalText
    team: Team

    def fits(self, http: HttpSeen) -> bool:
        """Whether *http* is this answer."""
        return http.status == self.status and (self.body is None or self.body in http.found)


class Endpoint(Frozen):
    """One address and its healthy answer."""

    url: Url
    method: Literal["GET", "HEAD", "POST"] = "GET"
    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    """Any of these; empty where every HTTP answer proves the way to be open."""
    headers: tuple[HeaderMark, ...] = ()
    body: tuple[Annotated[str, StringConstraints(min_length=1, max_length=300)], ...] = ()
    confidence: Confidence = Confidence.CITED
    """An unverified fingerprint never makes this unmet alone."""
    variants: tuple[Variant, ...] = ()
    public_ca: bool = False
    """Its certificate is known to come from a public authority: any other chain is interception."""
    timeout: Duration | None = None
    """For the whole request; None is 20 s."""

    @property
    def fingerprint(self) -> Fingerprint:
        """The healthy answer."""
        return Fingerprint(status=self.status, headers=self.headers, body=self.body, confidence=self.confidence)

    def query(self, proxy: str | None, ca_file: str | None) -> RequestQuery:
        """The request that shows it."""
        marks = tuple(v.body for v in self.variants if v.body is not None)
        look_for = Fingerprint(body=tuple(dict.fromkeys(self.body + marks)), headers=self.headers)
        return RequestQuery.expecting(
            look_for,
            url=self.url,
            method=self.method,
            proxy=proxy,
            ca_file=ca_file,
            public_ca=self.public_ca,
            timeout_s=self.timeout,
        )


@dataclass(frozen=True)
class _Judged:
    """What came of one endpoint."""

    seen: Message
    because: Message
    fix: Message | None = None
    cause: Cause | None = None


class EgressEndpoint(Requirement, Endpoint):
    """An endpoint, and those listed besides it, answer as the service does."""

    kind = "egress_endpoint"
    networked = True
    also: tuple[Endpoint, ...] = ()
    """Further addresses that the same service needs."""
    proxy: ProxyUrl | None = None
    """A proxy that wins over the environment."""
    external: bool = True
    """It lies outside, where a proxy may be the way; False for the product's own address."""
    ca_file: str | None = None
    """Further trust anchors (PEM), for services with an internal certificate."""

    def wanted(self) -> Message:
        urls = tuple(e.url for e in self._endpoints())
        if len(urls) > 1:
            return msg("{urls:list} answer", urls=urls)
        if self.status:
            return msg("{url} answers with {status:or}", url=self.url, status=tuple(str(s) for s in self.status))
        return msg("{url} answers", url=self.url)

    def queries(self, known: Evidence) -> Sequence[RequestQuery]:  # noqa: ARG002 - nothing follows from an answer
        return [e.query(self.proxy, self.ca_file) for e in self._endpoints()]

    def flows(self) -> tuple[Contact, ...]:
        return super().flows() if self.external else ()  # to the product's own address others connect

    def tls_exempt(self) -> Message | None:
        return IDENTITY_EXEMPT if self.external and self.public_ca else None

    def judge(self, evidence: Evidence) -> Verdict:
        judged: list[_Judged] = []
        gap: NotSeen | None = None
        for endpoint in self._endpoints():
            try:
                judged.append(
                    _judge(endpoint, evidence[endpoint.query(self.proxy, self.ca_file)].trace, external=self.external)
                )
            except NotSeen as unseen:
                gap = gap or unseen
        failed = [j for j in judged if j.fix is not None]
        fixes = [j.fix for j in judged if j.fix is not None]
        if fixes:
            return unmet(
                wanted=self.wanted(),
                seen=listed(j.seen for j in failed),
                because=sentences(j.because for j in failed),
                fix=sentences(fixes),
                cause=failed[0].cause,
            )
        if gap is not None:
            raise gap
        return met(
            wanted=self.wanted(),
            seen=listed(j.seen for j in judged),
            because=sentences(j.because for j in judged),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """Only where the fault is at the service itself: the way there is the business of dns and proxy."""
        cause = self.judge(evidence).cause
        return cause if cause is not None and cause.kind.startswith("http.") else None

    def _endpoints(self) -> tuple[Endpoint, ...]:
        return (self, *self.also)


def _judge(endpoint: Endpoint, trace: Trace, *, external: bool) -> _Judged:
    stopped = netcause.stopped(trace, endpoint.url, external=external)
    if stopped is not None:
        return _Judged(stopped.says, stopped.says, stopped.fix, stopped.cause)
    http = trace.http
    if http is None:  # a trace without a code has an answer
        raise ValueError(f"a trace without a code and without an answer: {endpoint.url}")
    seen = _seen(trace, http, endpoint.url)
    for variant in endpoint.variants:
        if variant.fits(http):
            says = msg("{says}", says=Text(variant.says.en, variant.says.de))
            fix = msg("{fix}", fix=Text(variant.fix.en, variant.fix.de))
            cause = Cause(Code.HTTP_STATUS.value, f"{trace.host}:{trace.port}", says, fix, variant.team)
            return _Judged(seen, says, fix, cause)
    wrong = endpoint.fingerprint.compare(http)
    if wrong and endpoint.confidence is Confidence.CITED:
        says = msg("{url} was reached, but the answer is not the service's: {wrong}.", url=endpoint.url, wrong=wrong)
        other = netcause.explain(trace, endpoint.url, http.looks_like or Code.HTTP_WRONG_TARGET, None)
        if http.looks_like is not None:
            says = sentences([says, other.says])
        return _Judged(
            seen, says, other.fix, Cause(other.cause.kind, other.cause.subject, says, other.fix, other.cause.team)
        )
    if wrong:
        return _Judged(
            seen,
            msg(
                "{url} was reached; the answer is not as expected ({wrong}), but what was expected is not certain.",
                url=endpoint.url,
                wrong=wrong,
            ),
        )
    if Code.TLS_INTERCEPTED in trace.warnings and endpoint.public_ca:
        other = netcause.warned(trace, endpoint.url, Code.TLS_INTERCEPTED)
        return _Judged(seen, msg("{url} answers as it should. {note}", url=endpoint.url, note=other.says))
    return _Judged(seen, msg("{url} answers as it should.", url=endpoint.url))


def _seen(trace: Trace, http: HttpSeen, url: str) -> Message:
    if trace.route.proxy is not None:
        return msg(
            "status {status} from {url}, by the proxy {proxy}", status=http.status, url=url, proxy=trace.route.proxy
        )
    return msg("status {status} from {url}", status=http.status, url=url)
