"""Faults of the answer."""

from __future__ import annotations

import socket
import time
import zlib
from contextlib import suppress

from lab.row import CURL, DIRECT, Row, curl
from lab.servers import Again, answer, head, respond, silent

_HTML = "text/html; charset=utf-8"
_JSON = "application/json"
PORTAL = (
    b"<html><head><title>Guest Wi-Fi login</title></head><body><h1>Welcome to our guest network</h1>"
    b"<form action='/login' method='post'><input name='user'><input type='password' name='pass'></form></body></html>"
)
BLOCKED = (
    b"<html><head><title>Web Filter</title></head><body><h1>Access denied</h1><p>FortiGuard: this page has been "
    b"blocked by your company's internet policy. Category: Artificial Intelligence</p></body></html>"
)
_FIREWALLED = b'{"error": {"code": "AccessDenied", "message": "Access denied due to Virtual Network/Firewall rules."}}'


def _answers(handler, *, plain: bool = True):
    """The same by https and by http."""

    def make(lab, site) -> None:
        lab.https(site, handler)
        if plain:
            lab.http(site, handler)

    return make


def redirect(location: str, status: str = "302 Found"):
    return respond(status, b"", Location=location)


def _endless_body(sock) -> None:
    head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
    block = b"x" * 65536
    for _ in range(4096):
        sock.sendall(block)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = b"\0" * (1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(256)) + packer.flush()
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed


def _dripping(start: bytes, drop: bytes):
    """*start*, then *drop* again and again."""

    def handler(sock) -> None:
        head(sock)
        sock.sendall(start)
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            time.sleep(0.2)
            sock.sendall(drop)

    return handler


def _banner(data: bytes):
    """Speaks first."""

    def handler(sock) -> None:
        sock.sendall(data)
        with suppress(OSError):
            sock.settimeout(3)
            sock.recv(4096)

    return handler


def _silent_after_request(sock) -> None:
    head(sock)
    silent(sock)


def _hang_up(sock) -> None:
    head(sock)
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)


def _loop(sock) -> None:
    asked = head(sock)
    respond("302 Found", b"", Location="/a" if asked.startswith(b"GET / ") else "/")(Again(sock, asked))


def _metadata(location: str):
    return {
        "fault": "redirect to 169.254.169.254", "how": f"302 to {location}", "make": _answers(redirect(location)),
        "code": "http.redirect_blocked", "never": ("tcp.*", "http.status"), "prove": (*CURL[:-1], "-I", "-v", "{url}"),
        "proof": "location: http",
    }  # fmt: skip


_TRUNCATED = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"short":'
_CHUNK_CUT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{"short":'

FAULTS = (
    Row(
        id="http-503", fault="503 + Retry-After", how="503 with Retry-After",
        make=_answers(respond("503 Service Unavailable", Retry_After="120")),
        code="http.status", shows=("503", "120"), never=("proxy.*",), prove=CURL, proof="^503",
    ),
    Row(
        id="http-503-plain", fault="503 + Retry-After", how="the same by http", url="http://{host}/",
        make=_answers(respond("503 Service Unavailable", Retry_After="120")), code="http.status", shows=("503",),
        never=("proxy.*",), prove=CURL, proof="^503",
    ),
    Row(
        id="http-401", fault="401/403 from origin", how="401 with a challenge",
        make=_answers(respond("401 Unauthorized", WWW_Authenticate='Bearer realm="lab"')), code="http.status",
        shows=("401",),
        never=("proxy.*",), prove=CURL, proof="^401",
    ),
    Row(
        id="http-403", fault="401/403 from origin", how="403", make=_answers(respond("403 Forbidden")),
        code="http.status",
        shows=("403", r"reached"), never=("proxy.*",), prove=CURL, proof="^403",
    ),
    Row(
        id="http-403-plain", fault="401/403 from origin", how="403 by http", url="http://{host}/",
        make=_answers(respond("403 Forbidden")),
        code="http.status", shows=("403",), never=("proxy.*",), prove=CURL, proof="^403",
    ),
    Row(
        id="http-500", fault="500 from origin", how="500", make=_answers(respond("500 Internal Server Error")),
        code="http.status",
        shows=("500",), never=("proxy.*",), prove=CURL, proof="^500",
    ),
    Row(
        id="http-404", fault="404 from origin", how="404", make=_answers(respond("404 Not Found")), code="http.status",
        shows=("404",),
        never=("proxy.*",), prove=CURL, proof="^404",
    ),
    Row(
        id="http-expected-401", fault="another status than the one that was wanted", how="200 where 401 is wanted",
        make=_answers(respond()), options=("--expect-status", "401"), code="http.status", shows=("200",), prove=CURL,
        proof="^200",
    ),
    Row(
        id="http-redirect-loop", fault="redirect loop", how="/ leads to /a, /a to /",
        make=_answers(_loop), code="http.redirect_loop", never=("http.slow_*", "http.no_response"),
        prove=curl("-L", "--max-redirs", "5"), proof=r"redirects|curl: \(47\)",
    ),
    Row(id="http-metadata", **_metadata("http://169.254.169.254/latest/meta-data/")),
    Row(id="http-metadata-decimal", **_metadata("http://2852039166/")),
    Row(id="http-metadata-octal", **_metadata("http://0251.0376.0251.0376/")),
    Row(id="http-metadata-mapped", **_metadata("http://[::ffff:169.254.169.254]/")),
    Row(id="http-metadata-hex", **_metadata("http://0xa9fea9fe/")),
    Row(
        id="http-huge-header", fault="300 kB header", how="one field of 300 kB",
        make=_answers(respond(X_Big="x" * 300_000)),
        code="http.header_too_large", never=("tcp.reset", "http.no_response", "tls.*"),
        proxied_code="http.header_too_large",
        prove=curl(), proof="^200|header|response",
    ),
    Row(
        id="http-many-headers", fault="300 kB header", how="10 000 fields",
        make=_answers(answer(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %030d\r\n" % (n,
        n) for n in range(10_000)) + b"\r\n")),
        code="http.header_too_large", never=("tcp.reset",), prove=curl(), proof="^200|header",
    ),
    Row(
        id="http-endless-body", fault="infinite body / gzip bomb", how="256 MB without an end",
        make=_answers(_endless_body),
        code="http.body_too_large", never=("http.slow_body", "http.truncated"), deadline=8.0,
        prove=curl("-w", "%{http_code} %{size_download}"), proof=r"200 \d{8,9}",
    ),
    Row(
        id="http-gzip-bomb", fault="infinite body / gzip bomb", how="256 MiB of zeros as 255 kB",
        make=_answers(answer(_bomb())),
        code="http.body_too_large", never=("http.truncated",), deadline=8.0,
        prove=curl("--compressed", "-w", "%{http_code} %{size_download}"), proof="200 2",
    ),
    Row(
        id="http-slow-headers", fault="slow-loris headers", how="a field every 0.2 s, without an end",
        make=_answers(_dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n")), code="http.slow_headers",
        never=("http.no_response", "tcp.*"),
        prove=curl("--max-time", "1.5"), proof="timed out",
    ),
    Row(
        id="http-slow-body", fault="a body that drips", how="a byte every 0.2 s of 100 000",
        make=_answers(_dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")), code="http.slow_body",
        never=("http.slow_headers", "http.truncated"), prove=curl("--max-time", "1.5"), proof="timed out",
    ),
    Row(
        id="http-truncated", fault="truncated body", how="9 of 1000 bytes, then closed",
        make=_answers(answer(_TRUNCATED)),
        code="http.truncated", prove=CURL, proof="transfer closed|remaining",
    ),
    Row(
        id="http-truncated-chunk", fault="truncated body", how="half a chunk, then closed",
        make=_answers(answer(_CHUNK_CUT)),
        code="http.truncated", prove=CURL, proof="transfer closed|remaining|chunk",
    ),
    Row(
        id="http-ssh", fault="SSH banner on port / invalid UTF-8 / garbage status", how="a banner of SSH",
        url="http://{host}:8022/",
        make=lambda lab, site: lab.listen(site, 8022, _banner(b"SSH-2.0-OpenSSH_9.2p1\r\n")), ways=DIRECT,
        code="http.not_http",
        shows=("SSH-2.0",), prove=curl("--http0.9"), proof="SSH|Received HTTP/0.9|^200|^000",
    ),
    Row(
        id="http-binary", fault="SSH banner on port / invalid UTF-8 / garbage status",
        how="bytes that are no text, with escapes",
        make=_answers(answer(b"\xff\xfe\x1b[2J\x1b]0;owned\x07<script>\xc3\x28\r\n\r\n")), code="http.not_http",
        prove=CURL, proof="HTTP/0.9|Weird|invalid|unsupported",
    ),
    Row(
        id="http-garbage-status", fault="SSH banner on port / invalid UTF-8 / garbage status",
        how="HTTP/1.1 abc \\x1b[31m",
        make=_answers(answer(b"HTTP/1.1 abc \x1b[31mred\r\nX: \x1b[2J\r\n\r\n")), code="http.not_http",
        prove=CURL, proof="HTTP|weird|invalid",
    ),
    Row(
        id="http-hostile-fields", fault="escapes and HTML in every field",
        how="503 with escapes in Server and Location",
        make=_answers(answer(b"HTTP/1.1 503 <script>\x1b[2J\r\nServer: \x1b]0;owned\x07<img src=x>\r\nRetry-After: \xff\x1b[2J\r\nContent-Length: 0\r\n\r\n")),
        code="http.status", ways=DIRECT, prove=curl(), proof="^503|invalid|weird",
    ),
    Row(
        id="http-portal", fault="captive portal 200 HTML or 302", how="a page to log in to the guest network",
        url="http://{host}/api",
        make=_answers(respond(body=PORTAL, Content_Type=_HTML), plain=True), ways=DIRECT, code="http.captive_portal",
        prove=CURL, proof="^200",
    ),
    Row(
        id="http-portal-redirect", fault="captive portal 200 HTML or 302", how="302 to the portal's login",
        url="http://{host}/api",
        make=_answers(redirect("http://portal.lab.test/login?res=notyet&uamip=10.0.0.1")), ways=DIRECT,
        code="http.captive_portal",
        never=("http.redirect_blocked",), prove=CURL, proof="^302",
    ),
    Row(
        id="http-portal-511", fault="captive portal 200 HTML or 302", how="511 (RFC 6585)", url="http://{host}/",
        make=_answers(respond("511 Network Authentication Required", PORTAL, Content_Type=_HTML)), ways=DIRECT,
        code="http.captive_portal", never=("http.status",), prove=CURL, proof="^511",
    ),
    Row(
        id="http-block-page", fault="a filter's page", how="403 with the page of a web filter", url="http://{host}/",
        make=_answers(respond("403 Forbidden", BLOCKED, Content_Type=_HTML)), code="http.block_page",
        never=("http.status",), prove=CURL, proof="^403",
    ),
    Row(
        id="http-block-page-200", fault="a filter's page", how="200 with the page of a web filter",
        url="http://{host}/",
        make=_answers(respond("200 OK", BLOCKED, Content_Type=_HTML)), ways=DIRECT, code="http.block_page", prove=CURL,
        proof="^200",
    ),
    Row(
        id="http-wrong-target", fault="another service answers", how="a default page where JSON is wanted",
        make=_answers(respond(body=b"<html><title>Welcome to nginx!</title></html>", Content_Type=_HTML)),
        options=("--expect-type", _JSON), code="http.wrong_target", prove=CURL, proof="^200",
    ),
    Row(
        id="http-denied-by-service", fault="the service's own network rules", how="403 in the words of the service",
        make=_answers(respond("403 Forbidden", _FIREWALLED, Content_Type=_JSON)), code="http.denied_by_service",
        never=("proxy.*", "http.block_page"), prove=CURL, proof="^403",
    ),
    Row(
        id="http-no-response", fault="the request is read, then nothing", how="silent after the request",
        make=_answers(_silent_after_request), code="http.no_response", never=("tls.*", "tcp.*"),
        prove=curl("--max-time", "1.5"), proof="timed out",
    ),
    Row(
        id="http-hangs-up", fault="the request is read, then closed", how="closed after the request",
        make=_answers(_hang_up),
        code="http.no_response", never=("tls.*", "tcp.*"), prove=CURL, proof="Empty reply",
    ),
    Row(
        id="http-interim-forever", fault="interim answers without end", how="100 Continue again and again",
        make=_answers(_dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, b"HTTP/1.1 100 Continue\r\n\r\n")),
        code="http.not_http",
        prove=curl("--max-time", "1.5"), proof="timed out",
    ),
)  # fmt: skip
