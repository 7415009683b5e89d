"""Traces made by hand: one for every picture that a path can give."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from vorflug.model.message import msg
from vorflug.model.probing import RequestQuery
from vorflug.model.report import FactInfo, Sentence
from vorflug.ports.net import (
    AttemptSeen,
    CertificateSeen,
    Check,
    CheckSeen,
    Code,
    HttpSeen,
    Route,
    Stage,
    StageSeen,
    StreamSeen,
    TlsSeen,
    Trace,
)

ESC = "\x1b[31mred\x1b]8;;http://x\x07<script>alert(1)</script>\u202e"
HTTP = HttpSeen(200, ("server",), (("location", "https://a.example/x?token=geheim"),), "json", (), 512)
LEAF = CertificateSeen(
    "CN=registry.corp", "CN=Corp Inspection CA", ("registry.corp",), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
    "EC secp256r1", "sha256", "ab" * 32, (),
)  # fmt: skip
TLS = TlsSeen("TLSv1.3", "AES", (LEAF,), "CN=Corp Inspection CA", True, False, "/etc/ssl", ())
DIRECT = Route(None, "")
PROXY = Route("proxy.corp:3128", "https_proxy")


def passed(host: str = "registry.corp", **more) -> Trace:
    whole = Trace(
        host=host,
        port=443,
        route=DIRECT,
        addresses=("10.1.2.3", "10.1.2.4"),
        peer="10.1.2.3:443",
        stages=(
            StageSeen(Stage.RESOLVE, 0.012),
            StageSeen(Stage.CONNECT, 0.003),
            StageSeen(Stage.TLS, 0.041),
            StageSeen(Stage.HTTP, 0.2),
        ),
        tls=TLS,
        http=HTTP,
        resolvers=("10.1.0.53",),
        took_s=0.256,
    )
    return replace(whole, **more)


def intercepted() -> Trace:
    """By a proxy, stopped in the handshake, with controls and a warning."""
    return passed(
        route=PROXY,
        addresses=(),
        peer="10.1.9.9:3128",
        stages=(
            StageSeen(Stage.RESOLVE, 0.002),
            StageSeen(Stage.CONNECT, 0.255),
            StageSeen(Stage.PROXY, 0.031, None, "HTTP 200"),
            StageSeen(Stage.TLS, 0.041, Code.TLS_INTERCEPTED, "verify 20 at depth 1"),
        ),
        http=None,
        warnings=(Code.TCP_V6_BROKEN, Code.DNS_SLOW_FALLBACK),
        attempts=(
            AttemptSeen("2001:db8::9", 0.25, Code.TCP_NO_ROUTE, "ENETUNREACH"),
            AttemptSeen("10.1.9.9", 0.003, None),
        ),
        checks=(
            CheckSeen(Check.CLOCK, "same", "Date 2026-11-24T10:12:01Z, here 2026-11-24T10:12:00Z", 0.2),
            CheckSeen(Check.DIRECT, "failed", "tcp.timeout", 2.0),
        ),
        took_s=2.6,
    )


def silent(host: str = "registry.corp", server: str = "10.1.0.53") -> Trace:
    """The resolver says nothing."""
    return Trace(
        host, 443, DIRECT, (), "", (StageSeen(Stage.RESOLVE, 5.0, Code.DNS_TIMEOUT, "EAI_AGAIN"),), resolvers=(server,)
    )


def hostile() -> Trace:
    """ESC, markup and direction marks in every field that comes from outside."""
    return passed(
        host=ESC,
        addresses=(ESC,),
        peer=ESC,
        stages=(StageSeen(Stage.RESOLVE, 0.1), StageSeen(Stage.CONNECT, 0.1), StageSeen(Stage.TLS, 0.1, Code.TLS_RESET, ESC)),
        tls=replace(TLS, version=ESC, issuer=ESC),
        attempts=(AttemptSeen(ESC, 0.1, Code.TCP_REFUSED, ESC), AttemptSeen(ESC, 0.1, None, ESC)),
        checks=(CheckSeen(Check.WITHOUT_SNI, ESC, ESC),),
        redirects=(ESC,),
        resolvers=(ESC,),
        http=replace(HTTP, headers=(("server", ESC),)),
        warnings=(Code.TLS_STRICT_ONLY,),
        route=Route(ESC, ESC),
    )  # fmt: skip


def streamed() -> Trace:
    """Five events, then a silence of 40 s."""
    stages = (*passed().stages, StageSeen(Stage.STREAM, 45.0))
    return passed(stages=stages, stream=StreamSeen(5, (0.1, 1.1, 2.1, 3.1, 4.1), 40.0, "complete"), took_s=45.3)


def fact(trace: Trace, url: str) -> FactInfo:
    """The same as a report holds it."""
    query = RequestQuery(url=url)
    return FactInfo(
        query={"kind": "request", "url": url},
        asks=Sentence.of(query.asks()),
        fact={"trace": TypeAdapter(Trace).dump_python(trace, mode="json")},
        took_s=0.3,
    )


def unseen(url: str) -> FactInfo:
    """A request that there was no time for."""
    return FactInfo(
        query={"kind": "request", "url": url},
        asks=Sentence.of(msg("How far does {method} {url} come?", method="GET", url=url)),
        unseen={"reason": "timeout", "detail": "20 s"},
        took_s=20.0,
    )
