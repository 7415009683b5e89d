"""Faults of the way through a proxy."""

from __future__ import annotations

from lab import netns
from lab.products import CLOSED, LOGIN, PLAIN, USER
from lab.proxies import proxy, refuse
from lab.row import CURL, DIRECT4, PROXIED, Row, curl
from lab.servers import close, head, reset, silent, tcp
from lab.socks import socks

_SQUID = "http://proxy.lab.test"
_NOBODY = 3999
_WAY = (PROXIED,)


def _https(lab, site) -> None:
    lab.https(site)
    lab.http(site)


def _nameless(lab, site) -> None:
    for name in site.names:
        del lab.zone[name]


def _dropped(lab, site) -> None:
    lab.https(site)
    lab.drop(site)


def _behind(lab, site) -> None:
    """Reached by the proxy alone: the gateway passes nothing on from the client."""
    _https(lab, site)
    lab.forward += [f"ip daddr {site.v4} drop", f"ip6 daddr {site.v6} drop"]


def _raw(handler, port: int):
    """A proxy of its own on the gateway."""

    def make(lab, site) -> None:
        _https(lab, site)
        with lab.net.gateway.inside():
            lab.stack.enter_context(tcp(handler, netns.GATEWAY4, port=port))

    return make


def _demanding(schemes, port: int):
    def make(lab, site) -> None:
        _https(lab, site)
        with lab.net.gateway.inside():
            lab.stack.enter_context(proxy(login="nobody:knows", schemes=schemes, host=netns.GATEWAY4, port=port))

    return make


def _says(data: bytes):
    def handler(sock) -> None:
        head(sock)
        sock.sendall(data)

    return handler


def _opens_and_stalls(sock) -> None:
    head(sock)
    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    silent(sock)


def _half_an_answer(sock) -> None:
    head(sock)
    sock.sendall(b"HTTP/1.1 200 Connection est")
    silent(sock)


def _socks(port: int, **how):
    """A SOCKS proxy of its own on the gateway."""
    return lambda lab, site: _raw(socks(address=site.v4, **how), port)(lab, site)


def _by_socks(port: int) -> dict:
    url = f"socks5h://proxy.lab.test:{port}"
    return {"options": ("--proxy", url), "ways": _WAY, "prove": curl("--proxy", url)}


def _at(port: int) -> dict:
    """Options and proof for a proxy on *port*."""
    url = f"http://proxy.lab.test:{port}"
    return {"options": ("--proxy", url), "ways": _WAY, "prove": curl("--proxy", url)}


def _by_environment(**variables: str) -> dict:
    return {"environ": tuple(variables.items()), "ways": (DIRECT4,), "prove": CURL}


FAULTS = (
    Row(
        id="proxy-login", fault="407 Basic (no creds) / wrong creds loop", how="squid wants Basic, none is given",
        make=_https,
        **_at(LOGIN), code="proxy.auth_required", shows=("basic",), never=("http.status", "proxy.denied"), proof="407",
    ),
    Row(
        id="proxy-login-plain", fault="407 Basic (no creds) / wrong creds loop", how="the same, asked by http",
        make=_https,
        url="http://{host}/", **_at(LOGIN), code="proxy.auth_required", shows=("basic",),
        never=("http.status", "proxy.denied"), proof="407",
    ),
    Row(
        id="proxy-login-wrong", fault="407 Basic (no creds) / wrong creds loop",
        how="squid wants Basic, and the password is wrong",
        make=_https, **_by_environment(https_proxy=f"http://{USER}:battery-staple@proxy.lab.test:{LOGIN}"),
        code="proxy.auth_rejected", shows=('"attempts": [12]',),
        never=("http.status", "proxy.denied", "proxy.auth_required"), never_words=("battery",), proof="407",
    ),
    Row(
        id="proxy-denied", fault="403 on CONNECT (ACL or port)", how="squid's ACL denies all", make=_https,
        **_at(CLOSED),
        code="proxy.denied", shows=("ERR_ACCESS_DENIED",), never=("http.status",), proof="403",
    ),
    Row(
        id="proxy-denied-port", fault="403 on CONNECT (ACL or port)", how="a port that squid's ACL denies", make=_https,
        url="https://{host}:8444/", **_at(PLAIN), code="proxy.denied", shows=("ERR_ACCESS_DENIED",),
        never=("http.status",), proof="403",
    ),
    Row(
        id="proxy-denied-plain", fault="403 on CONNECT (ACL or port)", how="squid's ACL denies all, asked by http",
        make=_https,
        url="http://{host}/", **_at(CLOSED), code="proxy.denied", shows=("ERR_ACCESS_DENIED",), never=("http.status",),
        proof="403",
    ),
    Row(
        id="proxy-upstream-dns", fault="503/504 on CONNECT: upstream DNS / timeout", how="squid finds no such name",
        make=_nameless,
        **_at(PLAIN), code="proxy.upstream_dns", never=("dns.*",), proof="50[0-9]",
    ),
    Row(
        id="proxy-upstream-dns-plain", fault="503/504 on CONNECT: upstream DNS / timeout",
        how="the same, asked by http", make=_nameless,
        url="http://{host}/", **_at(PLAIN), code="proxy.upstream_dns", never=("dns.*", "http.status"), proof="50[0-9]",
    ),
    Row(
        id="proxy-upstream-timeout", fault="503/504 on CONNECT: upstream DNS / timeout", how="squid gets no answer",
        make=_dropped,
        **_at(PLAIN), code="proxy.upstream_timeout", never=("dns.*", "tcp.*", "http.status"), proof="50[34]",
        deadline=6.0,
    ),
    Row(
        id="proxy-upstream-refused", fault="503/504 on CONNECT: upstream DNS / timeout", how="squid is refused",
        **_at(PLAIN),
        code="proxy.upstream_refused", never=("dns.*", "tcp.*", "http.status"), proof="503",
    ),
    Row(
        id="proxy-refused", fault="proxy unreachable", how="a closed port", make=_https, **_at(_NOBODY),
        code="proxy.refused",
        never=("tcp.*",), proof="refused|Failed to connect",
    ),
    Row(
        id="proxy-timeout", fault="proxy unreachable", how="nftables drops what goes to the proxy", make=_dropped,
        options=("--proxy", "http://{v4}:3128"), ways=_WAY, prove=curl("--proxy", "http://{v4}:3128",
        "--connect-timeout", "1"),
        code="proxy.timeout", never=("tcp.*",), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="proxy-dns", fault="proxy name NXDOMAIN", how="no such name", make=_https,
        options=("--proxy", "http://no-proxy.lab.test:3128"),
        ways=_WAY, prove=curl("--proxy", "http://no-proxy.lab.test:3128"), code="proxy.dns", never=("dns.*",),
        proof="Could not resolve proxy",
    ),
    Row(
        id="proxy-setting", fault="env vs NO_PROXY mismatch", how="a proxy setting that names no host", make=_https,
        **_by_environment(https_proxy="http://:3128:x"), code="proxy.config", shows=("https_proxy",),
        never=("tcp.*", "tls.*"),
        proof="proxy|port",
    ),
    Row(
        id="proxy-exempted", fault="env vs NO_PROXY mismatch",
        how="NO_PROXY exempts what only the proxy reaches (leading dot)",
        make=_behind, **_by_environment(https_proxy=f"{_SQUID}:{PLAIN}", NO_PROXY="localhost,.lab.test"),
        code="proxy.config",
        shows=("NO_PROXY",), never=("tcp.*",), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="proxy-exempted-lower", fault="env vs NO_PROXY mismatch", how="the same in lower case, by the bare domain",
        make=_behind,
        **_by_environment(https_proxy=f"{_SQUID}:{PLAIN}", no_proxy="localhost,lab.test"), code="proxy.config",
        shows=("no_proxy",),
        never=("tcp.*",), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="proxy-exempted-network", fault="env vs NO_PROXY mismatch", how="the same by a network (CIDR)",
        make=_behind, url="http://{v4}/",
        **_by_environment(http_proxy=f"{_SQUID}:{PLAIN}", no_proxy="198.18.0.0/15"), code="proxy.config",
        shows=("no_proxy",),
        never=("tcp.*",), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="proxy-exempted-port", fault="env vs NO_PROXY mismatch", how="the same by name and port", make=_behind,
        **{**_by_environment(https_proxy=f"{_SQUID}:{PLAIN}", no_proxy="{host}:443"),
        "prove": curl("--noproxy", "{host}")},
        code="proxy.config", shows=("no_proxy",), never=("tcp.*",), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="proxy-negotiate", fault="a proxy with Negotiate", how="407 with Negotiate alone",
        make=_demanding(("Negotiate",), 4001),
        **_by_environment(https_proxy="http://user:secret-word@proxy.lab.test:4001"), code="proxy.auth_unsupported",
        shows=("negotiate",), never=("http.status",),
        never_words=("secret-word",), proof="407",
    ),
    Row(
        id="proxy-ntlm", fault="a proxy with NTLM", how="407 with NTLM alone", make=_demanding(("NTLM",), 4002),
        **_at(4002),
        code="proxy.auth_unsupported", shows=("ntlm",), never=("http.status",), proof="407",
    ),
    Row(
        id="proxy-closes", fault="a proxy that hangs up", how="closed after CONNECT", make=_raw(_says(b""), 4003),
        **_at(4003),
        code="proxy.closed", never=("tls.*", "tcp.*"), proof="aborted|empty|reset|closed",
    ),
    Row(
        id="proxy-closes-at-once", fault="a proxy that hangs up", how="closed before anything was said",
        make=_raw(close, 4004), **_at(4004),
        code="proxy.closed", never=("tls.*", "tcp.*"), proof="aborted|empty|reset|closed|send|connect to",
    ),
    Row(
        id="proxy-resets", fault="a proxy that hangs up", how="RST", make=_raw(reset, 4005), **_at(4005),
        code="proxy.closed", never=("tls.*", "tcp.*"), proof="aborted|empty|reset|closed|send|connect to",
    ),
    Row(
        id="proxy-silent", fault="a proxy that does not answer", how="accepts and says nothing",
        make=_raw(silent, 4006), **_at(4006),
        code="proxy.timeout", never=("tls.*", "tcp.*"), proof="timed out",
    ),
    Row(
        id="proxy-half", fault="a proxy that does not answer", how="half a status line",
        make=_raw(_half_an_answer, 4007), **_at(4007),
        code="proxy.timeout", never=("tls.*", "tcp.*"), proof="timed out",
    ),
    Row(
        id="proxy-tunnel-stall", fault="200 on CONNECT, then nothing",
        how="the way is said to be open, and nothing comes through",
        make=_raw(_opens_and_stalls, 4008), **_at(4008), code="proxy.tunnel_stall", never=("tls.stall", "tcp.*"),
        proof="timed out", deadline=6.0,
    ),
    Row(
        id="proxy-no-proxy", fault="a web server where a proxy is wanted", how="400 in HTML", ways=_WAY,
        make=_raw(_says(refuse("400 Bad Request", "Server: nginx", body=b"<html>400</html>")), 4009),
        options=_at(4009)["options"],
        prove=_at(4009)["prove"], code="proxy.config", never=("http.status", "tls.*"), proof="400",
    ),
    Row(
        id="proxy-504", fault="503/504 on CONNECT: upstream DNS / timeout", how="504 without further words",
        make=_raw(_says(refuse("504 Gateway Timeout")), 4010), **_at(4010), code="proxy.upstream_timeout",
        never=("http.status",), proof="504",
    ),
    Row(
        id="proxy-status-field", fault="503/504 on CONNECT: upstream DNS / timeout",
        how="502 with Proxy-Status (RFC 9209)",
        make=_raw(_says(refuse("502 Bad Gateway", 'Proxy-Status: edge; error=dns_error; rcode="NXDOMAIN"')), 4011),
        **_at(4011),
        code="proxy.upstream_dns", never=("dns.*", "http.status"), proof="502",
    ),
    Row(
        id="proxy-block-page", fault="403 on CONNECT (ACL or port)", how="403 with a page full of escapes",
        make=_raw(_says(refuse("403 \x1b[31mForbidden", "Server: <script>\x1b[2J",
        body=b"<html>\x1b[2J blocked</html>")), 4012), **_at(4012),
        code="proxy.denied", never=("http.status",), proof="403|invalid",
    ),
    Row(
        id="socks-login", fault="SOCKS: a login is wanted", how="no method is acceptable",
        make=_socks(4021, login="a:b"), **_by_socks(4021),
        code="proxy.auth_required", never=("tls.*", "tcp.*"), proof="authentication|SOCKS|proxy",
    ),
    Row(
        id="socks-login-wrong", fault="SOCKS: a login is wanted", how="the password is wrong",
        make=_socks(4022, login="a:b"),
        **_by_environment(https_proxy="socks5h://a:secret-word@proxy.lab.test:4022"), code="proxy.auth_rejected",
        never=("tls.*", "tcp.*"),
        proof="rejected|SOCKS|proxy",
    ),
    Row(
        id="socks-denied", fault="SOCKS: refusals", how="reply 2, not allowed", make=_socks(4023, reply=2),
        **_by_socks(4023),
        code="proxy.denied", never=("tls.*", "tcp.*"), proof=r"\(2\)|cannot complete|can.t complete",
    ),
    Row(
        id="socks-refused", fault="SOCKS: refusals", how="reply 5, connection refused", make=_socks(4024, reply=5),
        **_by_socks(4024),
        code="proxy.upstream_refused", never=("tls.*", "tcp.*"), proof=r"\(5\)|cannot complete|can.t complete",
    ),
    Row(
        id="socks-http", fault="a web proxy where SOCKS is wanted", how="squid, which waits for more", make=_https,
        **_by_socks(PLAIN),
        code="proxy.timeout", never=("tls.*", "tcp.*"), proof="SOCKS|proxy|connection",
    ),
    Row(
        id="socks-silent", fault="SOCKS: no answer", how="accepts and says nothing", make=_raw(silent, 4025),
        **_by_socks(4025), code="proxy.timeout",
        never=("tls.*", "tcp.*"), proof="timed out",
    ),
)  # fmt: skip
