"""Healthy networks that are awkward: nothing here is a fault, and whoever calls it one is wrong."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
from contextlib import suppress
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lab import authority, netns
from lab.authority import DAY, NOW, Issued, issue, name, root
from lab.faults_http import redirect
from lab.faults_streams import strict_websocket
from lab.products import LOGIN, PASSWORD, PLAIN, TLS_PROXY, USER
from lab.row import CURL, DIRECT, DIRECT4, DIRECT6, EVERY_WAY, NONE, PROXIED, Row, curl
from lab.servers import Again, answer, head, respond, silent, tcp, tls
from lab.socks import socks
from lab.station import ZONE, healthy
from lab.streams import sse

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _https(handler=None):
    return lambda lab, site: lab.https(site, handler)


def _by_key(make_key):
    """A certificate with that key."""
    return lambda lab, site: lab.https(site, None, issue(site.names[0], root(), hosts=site.names, key=make_key()))


def _context(change):
    def make(lab, site) -> None:
        context = lab.context(lab.good)
        change(context)
        lab.https(site, context=context)

    return make


def _version(version):
    def change(context) -> None:
        context.minimum_version = context.maximum_version = version

    return _context(change)


def _asks_for_certificate(context) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=root().pem().decode())


def _chain_of(length: int, hosts: int = 0):
    """*length* issuing authorities between the leaf and the root."""

    def make(lab, site) -> None:
        issuers = [root()]
        for number in range(length):
            issuers.append(issue(f"Lab Issuing CA {number}", issuers[-1], ca=True))
        names = (*site.names, *(f"host-{n}.a-long-name-for-many-hosts.example.org" for n in range(hosts)))
        lab.https(site, None, issue(site.names[0], issuers[-1], hosts=names), *reversed(issuers[1:]))

    return make


@cache
def _young() -> Issued:
    """A root that no store holds yet."""
    return issue(name("Lab Young Root", "Lab"), ca=True)


def _crossed(issuer, **when) -> Issued:
    """Another certificate for the young root's key."""
    own = issue(_young().certificate.subject, issuer, ca=True, key=_young().key, **when)
    return Issued(own.certificate, _young().key)


def _cross_signed(lab, site) -> None:
    lab.https(site, None, issue(site.names[0], _young(), hosts=site.names), _crossed(root()))


def _cross_signed_and_root(lab, site) -> None:
    lab.https(site, None, issue(site.names[0], _young(), hosts=site.names), _crossed(root()), _young())


def _cross_expired(lab, site) -> None:
    """The known root, and an expired certificate of a stranger's for its key, which nobody needs (AddTrust, 2020)."""
    old = issue(
        root().certificate.subject, authority.stranger(), ca=True, key=root().key, begins=NOW - 90 * DAY, ends=NOW - DAY
    )
    lab.https(site, None, issue(site.names[0], root(), hosts=site.names), old)


def _slowly(lab, site) -> None:
    def handler(sock) -> None:
        time.sleep(1.5)
        tls(lab.good_context, healthy)(sock)

    lab.listen(site, 443, handler)


def _thinking(sock) -> None:
    head(sock)
    time.sleep(1.5)
    sock.sendall(_OK + b"Content-Length: 2\r\n\r\n{}")


def _dribbling(sock) -> None:
    head(sock)
    for byte in _OK + b"Content-Length: 2\r\n\r\n{}":
        sock.sendall(bytes((byte,)))
        time.sleep(0.005)


def _stays(sock) -> None:
    """Keep-alive: the connection stays open after the answer."""
    head(sock)
    sock.sendall(_OK + b"Content-Length: 2\r\n\r\n{}")
    silent(sock)


def _without_goodbye(data: bytes):
    """TLS without close_notify."""

    def make(lab, site) -> None:
        def handler(sock) -> None:
            with lab.good_context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True) as inside:
                head(inside)
                inside.sendall(data)
                with suppress(OSError):
                    socket.socket.shutdown(inside, socket.SHUT_WR)  # the socket's own, below TLS
                    time.sleep(0.2)

        lab.listen(site, 443, handler)

    return make


def _names(*records):
    def make(lab, site) -> None:
        lab.https(site)
        lab.name(site.names[1], *(r.format(v4=site.v4, v6=site.v6) for r in records))

    return make


def _aliases(lab, site) -> None:
    lab.https(site)
    for start in site.names:
        final = lab.zone[start]
        for number in range(5):
            lab.zone[start if not number else f"alias-{number}-{start}"] = f"CNAME alias-{number + 1}-{start}"
        lab.zone[f"alias-5-{start}"] = final


def _idn(lab, site) -> None:
    lab.https(site)
    lab.name(f"xn--bcher-kva.{ZONE}", site.v4)


def _idn_own(lab, site) -> None:
    own = f"xn--ber-goa.{ZONE}"
    lab.https(site, None, issue(own, root(), hosts=(own,)))
    lab.name(own, site.v4)


def _private(lab, site) -> None:
    lab.file("private.pem", authority.stranger().pem())
    lab.https(site, None, issue(site.names[0], authority.stranger(), hosts=site.names))


def _by_address(lab, site) -> None:
    lab.https(site, None, issue(site.names[0], root(), hosts=(site.v4, site.v6)))


def _upgrading(lab, site) -> None:
    lab.https(site)

    def handler(sock) -> None:
        asked = head(sock)
        host = next(line[6:].decode() for line in asked.split(b"\r\n") if line.lower().startswith(b"host: "))
        redirect(f"https://{host}/", "301 Moved Permanently")(Again(sock, asked))

    lab.http(site, handler)


def _within(sock) -> None:
    asked = head(sock)
    body = b"{}" if b"/v1/" in asked.split(b"\r\n")[0] else b""
    sock.sendall(
        _OK + b"Content-Length: 2\r\n\r\n{}"
        if body
        else b"HTTP/1.1 302 Found\r\nLocation: /v1/?a=b\r\nContent-Length: 0\r\n\r\n"
    )


def _behind(lab, site) -> None:
    """Only the proxy may go there."""
    lab.https(site)
    lab.forward += [f"ip daddr {site.v4} drop", f"ip6 daddr {site.v6} drop"]


def _by_socks(lab, site) -> None:
    _behind(lab, site)
    port, login = (4032, f"{USER}:{PASSWORD}") if "login" in site.id else (4031, "")
    with lab.net.gateway.inside():
        lab.stack.enter_context(tcp(socks(login=login, address=site.v4), netns.GATEWAY4, port=port))


_PRIVATE = ("--ca", "{folder}/private.pem")
_CHUNKED = (
    _OK
    + b'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4;a=b\r\n{"a"\r\n4;c="d"\r\n: 1}\r\n0\r\nX-Sum: 1\r\n\r\n'
)


def _row(id_: str, how: str, make=None, **more) -> Row:
    return Row(
        id=f"healthy-{id_}",
        fault=NONE,
        how=how,
        make=make or _https(),
        prove=more.pop("prove", CURL),
        proof=more.pop("proof", "^[23]"),
        **more,
    )


HEALTHY = (
    _row("plain", "http", lambda lab, site: lab.http(site), url="http://{host}/"),
    _row("v6-only", "an IPv6 address alone", ways=(DIRECT6, PROXIED)),
    _row("both-families", "IPv6 and IPv4", _names("{v6}", "{v4}"), ways=(DIRECT4,)),
    _row("slow-handshake", "1.5 s before the handshake", _slowly, deadline=8.0, prove=curl("--max-time", "6")),
    _row("slow-answer", "1.5 s before the answer", _https(_thinking), deadline=8.0),
    _row("long-chain", "four issuing authorities", _chain_of(4)),
    _row("large-chain", "certificates of 12 kB", _chain_of(2, hosts=200)),
    _row("cross-signed", "a young root, cross-signed by a known one", _cross_signed),
    _row("cross-signed-and-root", "the same, with the young root itself sent, too", _cross_signed_and_root),
    _row("cross-signed-expired", "a needless expired certificate in the chain", _cross_expired),
    _row("rsa", "RSA 2048", _by_key(lambda: rsa.generate_private_key(65537, 2048))),
    _row("rsa-4096", "RSA 4096", _by_key(lambda: rsa.generate_private_key(65537, 4096))),
    _row("p384", "ECDSA P-384", _by_key(lambda: ec.generate_private_key(ec.SECP384R1()))),
    _row("p521", "ECDSA P-521", _by_key(lambda: ec.generate_private_key(ec.SECP521R1()))),
    _row("ed25519", "Ed25519", _by_key(ed25519.Ed25519PrivateKey.generate)),
    _row("http10", "HTTP/1.0 without a length",
        _https(answer(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nok"))),
    _row("chunked", "chunks", _https(answer(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))),
    _row("chunked-trailers", "chunks with extensions and trailers", _https(answer(_CHUNKED))),
    _row("close", "Connection: close, no length", _https(answer(_OK + b"Connection: close\r\n\r\n{}"))),
    _row("empty", "a length of 0", _https(answer(_OK + b"Content-Length: 0\r\n\r\n"))),
    _row("204", "204", _https(answer(b"HTTP/1.1 204 No Content\r\n\r\n"))),
    _row("304", "304", _https(answer(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'))),
    _row("interim", "100 and 103 before the answer", _https(answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + _OK + b"Content-Length: 2\r\n\r\n{}"))),
    _row("no-reason", "a status line without a reason",
        _https(answer(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}"))),
    _row("bare-newlines", "lines that end with LF alone", _https(answer(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"))),
    _row("packed", "gzip, unasked",
        _https(answer(_OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"{}" * 500)))),
    _row("address-refused", "the first of three addresses refuses", _names("198.51.100.11", "{v4}", "198.51.100.11"),
        ways=(DIRECT4,)),
    _row("address-dead", "the first of two addresses is silent", _names("198.51.100.4", "{v4}"), ways=(DIRECT4,)),
    _row("no-v6-here", "an AAAA record, and no IPv6 route", _names(netns.NO_ROUTE6, "{v4}"), ways=(DIRECT4,)),
    _row("no-v4-here", "an A record, and no IPv4 route", _names("{v6}", netns.NO_ROUTE4), ways=(DIRECT4,)),
    _row("tls12", "TLS 1.2 alone", _version(ssl.TLSVersion.TLSv1_2)),
    _row("tls13", "TLS 1.3 alone", _version(ssl.TLSVersion.TLSv1_3)),
    _row("hello-retry", "HelloRetryRequest", _context(lambda context: context.set_ecdh_curve("secp384r1"))),
    _row("tickets", "eight session tickets", _context(lambda context: setattr(context, "num_tickets", 8))),
    _row("optional-certificate", "asks for a client certificate and needs none", _context(_asks_for_certificate)),
    _row("port", "another port", lambda lab, site: lab.https(site, port=8443), url="https://{host}:8443/"),
    _row("port-plain", "another port by http", lambda lab, site: lab.http(site, port=8008), url="http://{host}:8008/"),
    _row("idn", "a name with an umlaut", _idn, url=f"https://bücher.{ZONE}/", ways=(DIRECT4, PROXIED)),
    _row("idn-own", "a name with an umlaut, and a certificate for it alone", _idn_own, url=f"https://über.{ZONE}/",
        ways=(DIRECT4, PROXIED)),
    _row("upper-case", "a name in capitals", url="https://HEALTHY-UPPER-CASE.v4.lab.test/", ways=(DIRECT4,)),
    _row("trailing-dot", "a name with its last dot", url="https://{host}./", ways=(DIRECT4,)),
    _row("address", "an address in the certificate", _by_address, url="https://{v4}/", ways=(DIRECT4, PROXIED)),
    _row("address-v6", "an IPv6 address in the certificate", _by_address, url="https://[{v6}]/", ways=(DIRECT4,)),
    _row("wildcard", "a certificate with a wildcard"),
    _row("own-certificate", "a certificate with the names alone", lambda lab,
        site: lab.https(site, None, issue(site.names[0], root(), hosts=site.names))),
    _row("private-ca", "a private root by --ca", _private, options=_PRIVATE,
        prove=curl("--cacert", "{folder}/private.pem")),
    _row("big-headers", "headers of 30 kB", _https(respond(**{f"X_Big_{n}": "x" * 7500 for n in range(4)}))),
    _row("many-cookies", "a hundred fields", _https(respond(**{f"X_Field_{n}": "x" * 20 for n in range(100)}))),
    _row("body-3mb", "a body of 3 MB", _https(respond(body=b"x" * 3_000_000)), deadline=8.0),
    _row("dribble", "headers byte by byte", _https(_dribbling), deadline=8.0),
    _row("upgrade", "a redirect to https on the same host", _upgrading, url="http://{host}/", prove=curl("-L"),
        proof="^200"),
    _row("redirect", "a redirect within the host", _https(_within), prove=curl("-L"), proof="^200"),
    _row("expected-401", "401, as it was wanted", _https(respond("401 Unauthorized",
        WWW_Authenticate='Bearer realm="lab"')), options=("--expect-status", "401"), proof="^401"),
    _row("expected-type", "JSON, as it was wanted", _https(respond(Content_Type="application/json; charset=utf-8")),
        options=("--expect-type", "application/json")),
    _row("search", "a full name where search domains are set", resolver="search", ways=(DIRECT4,)),
    _row("cname", "five aliases in a row", _aliases),
    _row("hosts-same", "the hosts file says the same as DNS", hosts="{v4} {host}", ways=(DIRECT4,)),
    _row("slow-dns", "a nameserver that takes 0.9 s", resolver="slow", ways=(DIRECT4,), deadline=10.0,
        prove=curl("--max-time", "6")),
    _row("dns-formerr", "a nameserver that does not know EDNS", resolver="formerr", ways=(DIRECT4,)),
    _row("dns-no-tcp", "a nameserver without TCP", resolver="no-tcp", ways=(DIRECT4,)),
    _row("dns-v6", "a nameserver by IPv6", resolver="v6", ways=DIRECT),
    _row("no-close-notify", "TLS without close_notify, with a length",
        _without_goodbye(_OK + b"Content-Length: 2\r\n\r\n{}")),
    _row("no-close-notify-chunked", "TLS without close_notify, in chunks",
        _without_goodbye(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")),
    _row("no-close-notify-eof", "TLS without close_notify, up to the end",
        _without_goodbye(_OK + b"Connection: close\r\n\r\n{}"), proof="^2|eof"),
    _row("stays-open", "the connection stays open after the answer", _https(_stays)),
    _row("nginx", "nginx", lambda lab, site: lab.nginx(site, "return 200 'ok';")),
    _row("nginx-proxy", "nginx before a server", lambda lab, site: (lab.listen(site, 8080, healthy), lab.nginx(site,
        "proxy_pass http://{v4}:8080;"))),
    _row("haproxy", "haproxy before a server", lambda lab, site: (lab.listen(site, 8080, healthy), lab.haproxy(site))),
    _row("haproxy-12", "haproxy, TLS 1.2 alone", lambda lab, site: (lab.listen(site, 8080, healthy), lab.haproxy(site,
        bind="ssl-max-ver TLSv1.2"))),
    _row("proxy-resolves", "the proxy resolves, the host cannot", resolver="refused", ways=(PROXIED,),
         options=("--proxy", f"http://{netns.GATEWAY4}:{PLAIN}"),
         prove=curl("--proxy", f"http://{netns.GATEWAY4}:{PLAIN}")),
    _row("proxy-only", "the proxy is the only way", _behind, ways=(PROXIED,)),
    _row("proxy-environment", "a proxy by the environment", _behind, ways=(DIRECT4,),
        environ=(("https_proxy", f"http://proxy.{ZONE}:{PLAIN}"),)),
    _row("proxy-login", "a proxy with Basic authentication, by the environment", ways=(DIRECT4,),
         environ=(("https_proxy", f"http://{USER}:{PASSWORD}@proxy.{ZONE}:{LOGIN}"),)),
    _row("proxy-tls", "a proxy that is spoken to in TLS", ways=(PROXIED,),
        options=("--proxy", f"https://proxy.{ZONE}:{TLS_PROXY}"),
         prove=curl("--proxy", f"https://proxy.{ZONE}:{TLS_PROXY}")),
    _row("proxy-socks", "a SOCKS proxy", _by_socks, ways=(PROXIED,),
        options=("--proxy", f"socks5h://proxy.{ZONE}:4031"),
         resolver="good", prove=curl("--proxy", f"socks5h://proxy.{ZONE}:4031")),
    _row("proxy-socks-login", "a SOCKS proxy with a login, by the environment", _by_socks, ways=(DIRECT4,),
         environ=(("https_proxy", f"socks5h://{USER}:{PASSWORD}@proxy.{ZONE}:4032"),)),
    _row("proxy-via", "a proxy that adds Via", lambda lab, site: lab.http(site), url="http://{host}/", ways=(PROXIED,)),
    _row("no-proxy", "NO_PROXY exempts, and the proxy is dead", ways=(DIRECT4,),
         environ=(("https_proxy", f"http://proxy.{ZONE}:3997"), ("no_proxy", f".{ZONE}"))),
    _row("sse", "events as they are sent", _https(sse(events=5, gap=0.3)), url="https://{host}/events",
        options=("--mode", "sse"), deadline=7.0, prove=curl("-N")),
    _row("sse-haproxy", "events through haproxy", lambda lab, site: (lab.listen(site, 8080, sse(events=5, gap=0.3)),
        lab.haproxy(site)),
         url="https://{host}/events", options=("--mode", "sse"), deadline=7.0, prove=curl("-N")),
    _row("sse-nginx", "events through nginx that does not buffer",
         lambda lab, site: (lab.listen(site, 8080, sse(events=5, gap=0.3)),
         lab.nginx(site, "proxy_pass http://{v4}:8080; proxy_buffering off; proxy_http_version 1.1;")),
         url="https://{host}/events", options=("--mode", "sse"), deadline=7.0, prove=curl("-N")),
    _row("ws", "a WebSocket", _https(strict_websocket()), url="wss://{host}/socket", deadline=5.0, prove=(),
        ways=EVERY_WAY),
    _row("ws-haproxy", "a WebSocket through haproxy", lambda lab,
        site: (lab.listen(site, 8080, strict_websocket()), lab.haproxy(site)),
         url="wss://{host}/socket", deadline=5.0, prove=()),
)  # fmt: skip
