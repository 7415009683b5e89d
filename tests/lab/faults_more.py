"""Faults beyond the list that the design began with: what networks do besides."""

from __future__ import annotations

import socket

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from lab import authority
from lab.authority import DAY, NOW, issue, root
from lab.faults_http import redirect
from lab.faults_proxy import _at, _raw, _says
from lab.faults_tls import EXPIRED
from lab.proxies import refuse
from lab.row import CURL, DIRECT, DIRECT4, Row, curl, dig
from lab.servers import Again, answer, head, respond, silent
from lab.station import LAME, NOBODY, REJECTED

_FIRST_BROKEN = "no alternative certificate subject name"


def _lossy(rule: str):
    """A healthy server, and the gateway drops some of its packets."""

    def make(lab, site) -> None:
        lab.https(site)
        for family, address in (("ip", site.v4), ("ip6", site.v6)):
            lab.forward.append(rule.format(family=family, address=address))

    return make


def _says_hello_and_stops(sock) -> None:
    sock.recv(16384)
    sock.sendall(bytes.fromhex("160303007a02000076"))
    silent(sock)


def _alert(number: int):
    def handler(sock) -> None:
        sock.recv(16384)
        sock.sendall(bytes([21, 3, 3, 0, 2, 2, number]))
        sock.shutdown(socket.SHUT_WR)

    return handler


def _hangs_up_after_hello(sock) -> None:
    sock.recv(16384)


def _issued(*, between=None, sent=(), hosts=None, more=(), **how):
    """A certificate by a chain with one flaw."""

    def make(lab, site) -> None:
        issuer = between() if between else root()
        leaf = issue(site.names[0], issuer, hosts=hosts or site.names, more=tuple(m() for m in more), **how)
        lab.https(site, None, leaf, *([issuer] if between else []), *(one() for one in sent))

    return make


def _expired_intermediate():
    return issue("Lab Old Issuing CA", root(), ca=True, begins=NOW - 90 * DAY, ends=EXPIRED)


def _no_authority():
    """A server's certificate that plays the issuer."""
    return issue("Lab Server", root(), hosts=("other.example.org",))


def _other_purpose():
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def _unknown_critical():
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def _longer_and_longer(sock) -> None:
    asked = head(sock)
    path = asked.split(b" ")[1].decode()
    redirect(f"{path}a", "302 Found")(Again(sock, asked))


def _http2(sock) -> None:
    head(sock)
    sock.sendall(bytes.fromhex("00000604000000000000040000ffff") + b"\0\0\x08\x07" + b"\0" * 13)


def _dangling(lab, site) -> None:
    lab.zone[site.names[1]] = "CNAME nowhere.lab.test"


def _two_levels(lab, site) -> None:
    lab.https(site, None, issue("wild", root(), hosts=("*.lab.test",)))


def _port_of_tls(lab, site) -> None:
    lab.https(site, port=8443)


def _loopback(lab, site) -> None:
    lab.https(site)


MORE = (
    Row(
        id="more-big-packets", fault="big packets are lost (path MTU)",
        how="the gateway drops what is longer than 500 bytes from the server",
        make=_lossy("{family} saddr {address} meta length > 500 drop"), ways=DIRECT, code="tls.stall",
        never=("tcp.timeout",),
        prove=curl("--max-time", "1.5"), proof="timed out|timeout",
    ),
    Row(
        id="more-big-hello", fault="a ClientHello that is too long for the way",
        how="the gateway drops what is longer than 400 bytes to the server",
        make=_lossy("{family} daddr {address} meta length > 400 drop"), ways=DIRECT, code="tls.stall",
        never=("tcp.timeout",),
        prove=curl("--max-time", "1.5"), proof="timed out|timeout",
    ),
    Row(
        id="more-data-dropped", fault="only the connection itself passes",
        how="the gateway drops whatever carries data",
        make=_lossy("{family} daddr {address} tcp flags & psh == psh drop"), ways=DIRECT, code="tls.stall",
        never=("tcp.timeout", "tcp.refused"),
        prove=curl("--max-time", "1.5"), proof="timed out|timeout",
    ),
    Row(
        id="more-half-hello", fault="half a ServerHello", how="a record that never ends", make=lambda lab,
        site: lab.listen(site, 443, _says_hello_and_stops),
        code="tls.stall", never=("tls.not_tls", "tcp.timeout"), prove=curl("--max-time", "1.5"),
        proof="timed out|timeout",
    ),
    Row(
        id="more-eof-hello", fault="closed on ClientHello", how="the ClientHello is read, then closed",
        make=lambda lab, site: lab.listen(site, 443, _hangs_up_after_hello), code="tls.reset",
        never=("tcp.*", "tls.not_tls"), prove=CURL,
        proof="SSL_ERROR_SYSCALL|unexpected eof|reset",
    ),
    Row(
        id="more-alert-handshake", fault="no shared cipher", how="alert 40", make=lambda lab,
        site: lab.listen(site, 443, _alert(40)),
        code="tls.cipher", never=("tls.version", "tcp.*"), prove=CURL, proof="handshake failure",
    ),
    Row(
        id="more-alert-version", fault="TLS 1.0/1.1 only", how="alert 70", make=lambda lab,
        site: lab.listen(site, 443, _alert(70)),
        code="tls.version", never=("tls.cipher", "tcp.*"), prove=CURL, proof="protocol version",
    ),
    Row(
        id="more-expired-intermediate", fault="expired", how="the issuing authority ended two days ago",
        make=_issued(between=_expired_intermediate),
        code="tls.expired", never=("tls.unknown_ca", "tls.missing_intermediate"), prove=CURL, proof="expired",
    ),
    Row(
        id="more-no-authority", fault="a signature that does not count", how="issued by a server's certificate",
        make=_issued(between=_no_authority),
        code="tls.invalid_chain", never=("tls.unknown_ca", "tls.missing_intermediate"), prove=CURL,
        proof="invalid CA|path length|certificate",
    ),
    Row(
        id="more-purpose", fault="a certificate for another purpose", how="extended key usage: clients only",
        make=_issued(more=(_other_purpose,)),
        code="tls.invalid_chain", never=("tls.unknown_ca",), prove=CURL, proof="purpose",
    ),
    Row(
        id="more-critical", fault="a critical extension that nobody knows", how="an extension of its own, critical",
        make=_issued(more=(_unknown_critical,)),
        code="tls.invalid_chain", never=("tls.unknown_ca",), prove=CURL, proof="critical extension",
    ),
    Row(
        id="more-wildcard-levels", fault="wrong host cert", how="a wildcard covers one label, not two",
        make=_two_levels, ways=DIRECT,
        code="tls.host_mismatch", shows=(r"\*\.lab\.test",), prove=CURL, proof=_FIRST_BROKEN,
    ),
    Row(
        id="more-address-not-named", fault="wrong host cert",
        how="asked by an address that the certificate does not hold", url="https://{v4}/",
        make=lambda lab, site: lab.https(site), ways=(DIRECT4,), code="tls.host_mismatch", prove=CURL,
        proof=_FIRST_BROKEN,
    ),
    Row(
        id="more-hundred-certificates", fault="100 certificates",
        how="the leaf, and 100 others that have nothing to do with it",
        make=_issued(between=authority.stranger, sent=tuple([authority.stranger] * 99)), code="tls.unknown_ca",
        prove=CURL, proof="certificate",
    ),
    Row(
        id="more-http-on-tls", fault="http to a port of TLS", how="asked by http", url="http://{host}:8443/",
        make=_port_of_tls, ways=DIRECT,
        code="http.no_response", never=("tcp.*",), prove=curl("--http0.9"), proof="^000|reset|empty",
    ),
    Row(
        id="more-http2", fault="HTTP/2 where HTTP/1.1 was asked for", how="a SETTINGS frame", make=lambda lab,
        site: lab.https(site, _http2),
        code="http.not_http", prove=CURL, proof="HTTP/0.9|unsupported|weird",
    ),
    Row(
        id="more-redirect-growing", fault="redirect loop", how="every answer leads one step further", make=lambda lab,
        site: lab.https(site, _longer_and_longer),
        code="http.redirect_loop", prove=curl("-L", "--max-redirs", "5"), proof=r"redirects|curl: \(47\)", deadline=8.0,
    ),
    Row(
        id="more-429", fault="429 from origin", how="429 with Retry-After", make=lambda lab,
        site: lab.https(site, respond("429 Too Many Requests", Retry_After="7")),
        code="http.status", shows=("429",), never=("proxy.*",), prove=CURL, proof="^429",
    ),
    Row(
        id="more-length-lies", fault="truncated body", how="closed in mid-body, by TLS", make=lambda lab,
        site: lab.https(site, answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 100000)),
        code="http.truncated", prove=CURL, proof="closed|remaining",
    ),
    Row(
        id="more-proxy-redirect", fault="a proxy's sign-in page", how="302 to CONNECT", **_at(4041),
        make=_raw(_says(refuse("302 Found", "Location: https://login.proxy.lab.test/?url=x")), 4041),
        code="proxy.denied", never=("http.*", "tls.*"), proof="302",
    ),
    Row(
        id="more-proxy-502", fault="503/504 on CONNECT: upstream DNS / timeout", how="502 without further words",
        **_at(4042),
        make=_raw(_says(refuse("502 Bad Gateway")), 4042), code="proxy.upstream_refused", never=("http.*",),
        proof="502",
    ),
    Row(
        id="more-proxy-407-digest", fault="407 Basic (no creds) / wrong creds loop", how="407 with Digest alone",
        **_at(4043),
        make=_raw(_says(refuse("407 Proxy Authentication Required",
        'Proxy-Authenticate: Digest realm="x", nonce="y"')), 4043),
        code="proxy.auth_unsupported", shows=("digest",), proof="407",
    ),
    Row(
        id="more-proxy-huge", fault="300 kB header", how="a proxy that answers with 300 kB of headers", **_at(4044),
        make=_raw(_says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n"), 4044), code="proxy.closed",
        never=("http.*", "tls.*"),
        proof="200|header|response|proxy",
    ),
    Row(
        id="more-cname-nowhere", fault="NXDOMAIN", how="an alias of a name that does not exist", make=_dangling,
        ways=(DIRECT4,), code="dns.nxdomain",
        never=("dns.timeout",), prove=dig("{host}"), proof="(?s)CNAME|NXDOMAIN",
    ),
    Row(
        id="more-dns-first-refuses", fault="first nameserver refuses, second ok", how="dnsdist, RCodeAction",
        make=lambda lab, site: lab.https(site),
        resolver="first-refuses", ways=(DIRECT4,), prove=dig("@198.51.100.8", "{host}"), proof="REFUSED", deadline=8.0,
    ),
    Row(
        id="more-dns-first-closed", fault="first nameserver closed, second ok", how="a closed port", make=lambda lab,
        site: lab.https(site),
        resolver="first-closed", ways=(DIRECT4,), warnings=("dns.slow_fallback",), prove=dig(f"@{NOBODY}", "{host}"), proof="refused|no servers",
        deadline=8.0,
    ),
    Row(
        id="more-dns-rejected", fault="the nameserver is filtered", how="nftables, reject with icmpx admin-prohibited",
        make=lambda lab, site: lab.https(site),
        resolver="rejected", ways=(DIRECT4,), code="dns.unreachable", never=("dns.nxdomain", "dns.timeout"),
        prove=dig(f"@{REJECTED}", "{host}"), proof="unreachable|no servers|timed out",
    ),
    Row(
        id="more-dns-lame", fault="a nameserver that says nothing of use", how="NOTIMP for every question",
        make=lambda lab, site: lab.https(site),
        resolver="lame", ways=(DIRECT4,), code="dns.servfail", never=("dns.nxdomain",),
        prove=dig(f"@{LAME}", "{host}"), proof="NOTIMP",
    ),
    Row(
        id="more-hosts-loopback", fault="the hosts file is out of date", how="it leads to loopback", make=_loopback,
        hosts="127.0.0.1 {host}",
        ways=(DIRECT4,), code="tcp.refused", warnings=("dns.hosts_override",), prove=CURL, proof="refused|connect to",
    ),
)  # fmt: skip
