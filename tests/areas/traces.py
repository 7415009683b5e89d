"""Traces as the network port gives them, for the tests of areas."""

from __future__ import annotations

from vorflug.model.evidence import Evidence
from vorflug.model.query import Observation, Seen, Unseen
from vorflug.ports.net import CertificateSeen, HttpSeen, ProxySeen, Route, Stage, StageSeen, TlsSeen, Trace

ORDER = tuple(Stage)
DIRECT = Route(None, "")
BY_PROXY = Route("proxy.corp:3128", "https_proxy")


def certificate(issuer="CN=Public Root"):
    return CertificateSeen(
        "CN=leaf",
        issuer,
        ("service.lab.test",),
        "2026-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
        "RSA 2048",
        "sha256",
        "00",
        (),
    )


def tls(*, trusted=True, public=True, issuer="CN=Public Root", faults=()):
    return TlsSeen(
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        (certificate(issuer),),
        issuer,
        trusted,
        public,
        "/store.pem",
        tuple(faults),
    )


def http(status=200, found=(), body_kind="json", **headers):
    given = {k.replace("_", "-"): v for k, v in headers.items()}
    return HttpSeen(status, tuple(given), tuple(given.items()), body_kind, tuple(found), 10)


def trace(
    code=None,
    at=Stage.HTTP,
    *,
    host="service.lab.test",
    port=443,
    route=DIRECT,
    tls=None,
    http=None,
    warnings=(),
    proxy=None,
    detail="",
):
    """A request that came as far as *at*."""
    passed = [s for s in ORDER[: ORDER.index(at)] if s is not Stage.PROXY or route.proxy is not None]
    stages = (*(StageSeen(s, 0.01) for s in passed), StageSeen(at, 0.5, code, detail))
    return Trace(host, port, route, (), "192.0.2.1:443", stages, tls, http, tuple(warnings), proxy or (ProxySeen(200) if route.proxy else None), ("10.1.0.53",))  # fmt: skip


def known(answers):
    """Evidence from pairs of a query and its fact (or Unseen)."""
    return Evidence([Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in answers])
