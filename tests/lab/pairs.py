"""Two faults at once: the first failing layer is the code, the other one a warning where it was seen."""

from __future__ import annotations

from lab import authority
from lab.authority import DAY, NOW, issue
from lab.faults_dns import _hijacker
from lab.faults_http import redirect
from lab.faults_streams import nginx
from lab.faults_tls import EXPIRED, _bumped, _old
from lab.products import LOGIN
from lab.row import CURL, DIRECT, DIRECT4, PROXIED, Row, curl, dig
from lab.servers import respond
from lab.station import DNSDIST, SILENT, TC_CLOSED
from lab.streams import sse

_OLD = {"begins": NOW - 90 * DAY, "ends": EXPIRED}
_EXPIRED = "certificate has expired"
_UNAVAILABLE = respond("503 Service Unavailable")


def _issued(*, issuer=authority.root, handler=None, hosts=None, **how):
    def make(lab, site) -> None:
        given = {k: v() if callable(v) else v for k, v in how.items()}
        lab.https(site, handler, issue(site.names[0], issuer(), hosts=hosts or site.names, **given))

    return make


def _v6_dead(make):
    """The name has an AAAA record besides, and what goes there is dropped."""

    def both(lab, site) -> None:
        make(lab, site)
        lab.name(site.names[1], site.v6, site.v4)
        lab.rules.append(f"ip6 daddr {site.v6} drop")

    return both


def _second_address(lab, site) -> None:
    _issued(**_OLD)(lab, site)
    lab.name(site.names[1], "198.51.100.11", site.v4)


def _old_and_expired(lab, site) -> None:
    context = authority.context(lab.folder, issue(site.names[0], authority.root(), hosts=site.names, **_OLD))
    _old(context)
    lab.https(site, context=context)


def _nameless(lab, site) -> None:
    for name in site.names:
        del lab.zone[name]


def _nothing(lab, site) -> None:
    """Nobody listens."""


def _proxy(url: str) -> dict:
    return {"options": ("--proxy", url), "ways": (PROXIED,), "prove": curl("--proxy", url)}


_LOGIN = _proxy(f"http://proxy.lab.test:{LOGIN}")

PAIRS = (
    Row(
        id="pair-slow-dns-expired", fault="first nameserver dead + expired", how="nftables; ended two days ago",
        make=_issued(**_OLD),
        resolver="first-dead", ways=(DIRECT4,), code="tls.expired", warnings=("dns.slow_fallback",), deadline=8.0,
        prove=("sh", "-c", f"dig +tries=1 +time=1 @{SILENT} {{host}}; curl -sS --max-time 4 {{url}}"),
        proof=f"(?s)timed out.*{_EXPIRED}",
    ),
    Row(
        id="pair-slow-dns-refused", fault="first nameserver dead + refused", how="nftables; a closed port",
        make=_nothing,
        resolver="first-dead", ways=(DIRECT4,), code="tcp.refused", warnings=("dns.slow_fallback",), deadline=8.0,
        prove=curl("--max-time", "4"), proof="connect",
    ),
    Row(
        id="pair-login-down", fault="proxy 407 + target down", how="squid wants Basic; a closed port", make=_nothing,
        **_LOGIN,
        code="proxy.auth_required", never=("proxy.upstream_*",), proof="407",
    ),
    Row(
        id="pair-login-nxdomain", fault="proxy 407 + no such name", how="squid wants Basic; NXDOMAIN", make=_nameless,
        **_LOGIN,
        code="proxy.auth_required", never=("proxy.upstream_*", "dns.*"), proof="407",
    ),
    Row(
        id="pair-proxy-name-expired", fault="proxy name NXDOMAIN + expired", how="no such name; ended two days ago",
        make=_issued(**_OLD),
        **_proxy("http://no-proxy.lab.test:3128"), code="proxy.dns", never=("tls.*", "dns.*"), proof="resolve proxy",
    ),
    Row(
        id="pair-proxy-refused-nxdomain", fault="proxy refused + no such name", how="a closed port; NXDOMAIN",
        make=_nameless,
        **_proxy("http://proxy.lab.test:3998"), code="proxy.refused", never=("dns.*", "tcp.*"), proof="connect",
    ),
    Row(
        id="pair-expired-wrong-host", fault="expired + wrong host", how="both in one certificate",
        make=_issued(hosts=("other.example.org",), **_OLD),
        code="tls.host_mismatch", warnings=("tls.expired",), prove=CURL, proof=_EXPIRED,
    ),
    Row(
        id="pair-expired-unknown", fault="expired + unknown private root", how="both in one certificate",
        make=_issued(issuer=authority.stranger, **_OLD), code="tls.unknown_ca", warnings=("tls.expired",), prove=CURL,
        proof="unable to get local issuer",
    ),
    Row(
        id="pair-expired-missing", fault="expired + missing intermediate", how="both in one certificate",
        make=_issued(issuer=authority.intermediate, **_OLD), code="tls.missing_intermediate", warnings=("tls.expired",),
        prove=CURL, proof="unable to get local issuer",
    ),
    Row(
        id="pair-weak-self-signed", fault="self-signed + RSA-1024", how="both in one certificate",
        make=_issued(issuer=lambda: None, key=authority.weak_rsa),
        code="tls.self_signed", warnings=("tls.weak_key",), prove=CURL, proof="self-signed|key too",
    ),
    Row(
        id="pair-unknown-503", fault="unknown private root + 503", how="a stranger's certificate; 503",
        make=_issued(issuer=authority.stranger, handler=_UNAVAILABLE), code="tls.unknown_ca", never=("http.*",),
        prove=curl("-k"), proof="^503",
    ),
    Row(
        id="pair-intercepted-503", fault="interception + 503", how="squid reads TLS; 503", make=lambda lab,
        site: lab.https(site, _UNAVAILABLE),
        **_bumped(store="bumped"), code="http.status", warnings=("tls.intercepted",),
        shows=("Corporate Gateway CA", "503"),
        prove=curl("--proxy", "http://proxy.lab.test:3131"), proof="^503",
    ),
    Row(
        id="pair-intercepted-metadata", fault="interception + redirect to 169.254.169.254",
        how="a gateway on the way; 302",
        make=_issued(issuer=authority.bumper, handler=redirect("http://169.254.169.254/")), store="bumped", ways=DIRECT,
        code="http.redirect_blocked", warnings=("tls.intercepted",), prove=CURL, proof="^302",
    ),
    Row(
        id="pair-v6-dead-expired", fault="IPv6 blackhole + expired over IPv4", how="nftables; ended two days ago",
        make=_v6_dead(_issued(**_OLD)),
        ways=(DIRECT4,), code="tls.expired", warnings=("tcp.v6_broken",), prove=curl("-4"), proof=_EXPIRED,
    ),
    Row(
        id="pair-v6-dead-refused", fault="IPv6 blackhole + refused over IPv4", how="nftables; a closed port",
        make=_v6_dead(_nothing),
        ways=(DIRECT4,), code="tcp.refused", prove=curl("-4"), proof="connect",
    ),
    Row(
        id="pair-v6-dead-503", fault="IPv6 blackhole + 503", how="nftables; 503",
        make=_v6_dead(lambda lab, site: lab.https(site, _UNAVAILABLE)),
        ways=(DIRECT4,), code="http.status", warnings=("tcp.v6_broken",), prove=curl("-4"), proof="^503",
    ),
    Row(
        id="pair-address-dead-expired", fault="one of two addresses refused + expired at the other",
        how="two A records", make=_second_address,
        ways=(DIRECT4,), code="tls.expired", prove=CURL, proof=_EXPIRED,
    ),
    Row(
        id="pair-truncated-down", fault="TC bit with TCP/53 closed + target down",
        how="a nameserver without TCP; a closed port", make=_nothing,
        resolver="tc-closed", ways=(DIRECT4,), code="dns.truncated_tcp_blocked",
        prove=dig("+tcp", f"@{TC_CLOSED}", "{host}"), proof="refused",
    ),
    Row(
        id="pair-servfail-down", fault="SERVFAIL + target down", how="dnsdist; a closed port", make=_nothing,
        resolver="servfail", ways=(DIRECT4,),
        code="dns.servfail", never=("tcp.*",), prove=dig(f"@{DNSDIST['servfail']}", "{host}"), proof="SERVFAIL",
    ),
    Row(
        id="pair-hijack-wrong-host", fault="wildcard hijack + wrong host", how="dnsdist; somebody's own certificate",
        make=_hijacker,
        url="https://elsewhere.example.com/", resolver="hijack", ways=(DIRECT4,), code="dns.hijack",
        prove=CURL, proof="no alternative certificate subject name",
    ),
    Row(
        id="pair-old-expired", fault="TLS 1.1 only + expired", how="both in one server", make=_old_and_expired,
        code="tls.version",
        prove=("timeout", "3", "openssl", "s_client", "-tls1_2", "-connect", "{host}:443"),
        proof="alert protocol version|unsupported protocol",
    ),
    Row(
        id="pair-buffered-v6-dead", fault="SSE buffered + IPv6 blackhole", how="nginx with proxy_buffering; nftables",
        url="https://{host}/events",
        options=("--mode", "sse"), make=_v6_dead(nginx("proxy_pass http://{v4}:8080;")(sse(events=5, gap=0.5))),
        ways=(DIRECT4,),
        code="stream.buffered", warnings=("tcp.v6_broken",), deadline=8.0,
        prove=curl("-4", "-N", "-w", "first %{time_starttransfer}"), proof=r"first 2\.",
    ),
)  # fmt: skip
