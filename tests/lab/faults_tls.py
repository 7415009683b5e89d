"""Faults of the handshake and of certificates."""

from __future__ import annotations

import socket
import ssl
import warnings
from email.utils import format_datetime

from lab import authority
from lab.authority import DAY, NOW, issue, root
from lab.products import BUMPING, TRANSPARENT
from lab.row import CURL, DIRECT, DIRECT4, PROXIED, Row, curl, shake
from lab.servers import reset_after_hello, respond, silent, tls

EXPIRED, FUTURE = NOW - 2 * DAY, NOW + 2 * DAY


def _chain(*, sent=(), **how):
    """A server whose certificate is issued so; *sent* is what it presents besides."""

    def make(lab, site) -> None:
        how.setdefault("issuer", root)
        given = {k: v() if callable(v) else v for k, v in how.items()}
        issuer = given.pop("issuer")
        hosts = given.pop("hosts", site.names)
        leaf = issue(given.pop("subject", site.names[0]), issuer, hosts=hosts, **given)
        lab.https(site, None, leaf, *(one() for one in sent))

    return make


def _context(change, handler=None):
    """A server with the lab's good certificate and a context that *change* has changed."""

    def make(lab, site) -> None:
        context = lab.context(lab.good)
        change(context)
        lab.https(site, handler, context=context)

    return make


def _old(context) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are deprecated is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _odd_cipher(context) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0")


def _wants_certificate(version):
    def change(context) -> None:
        context.minimum_version = context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=root().pem().decode())

    return change


def _plain(sock) -> None:
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>400</html>")


def _hello_then_silent(sock) -> None:
    sock.recv(4096)
    silent(sock)


def _old_digest(digest):
    def make(lab, site) -> None:
        lab.https(site, None, authority.issue_old(lab.folder, digest, site.names))

    return make


def _impostor():
    """A root's name with another key."""
    return authority.Issued(root().certificate, issue("Lab Root CA", ca=True).key)


def _named_filter(lab, site) -> None:
    """A filter on the way that cuts a handshake that names the host."""

    def handler(sock) -> None:
        hello = sock.recv(16384, socket.MSG_PEEK)
        if b".lab.test" in hello:
            reset_after_hello(sock)
        else:
            tls(lab.good_context, respond())(sock)

    lab.listen(site, 443, handler)


def _heavy(lab, site) -> None:
    filler = [issue(authority.name(f"Filler {n}" + "x" * 30000), ca=True) for n in range(6)]
    lab.https(site, None, lab.good, *filler)


def _taken(lab, site) -> None:
    """The gateway takes the connection off its way and reads it."""
    lab.https(site)
    lab.redirects.append(f"ip daddr {site.v4} tcp dport 443 redirect to :{TRANSPARENT}")


def _of_another_time(offset):
    """Servers that agree on another time than this host, which is what a wrong clock sees."""

    def make(lab, site) -> None:
        there = NOW + offset
        leaf = issue(site.names[0], root(), hosts=site.names, begins=there - 30 * DAY, ends=there + 30 * DAY)
        handler = respond(Date=format_datetime(there, usegmt=True), Content_Type="application/json")
        lab.https(site, handler, leaf)
        lab.http(site, handler)

    return make


def _bumped(*, store: str):
    return {"options": ("--proxy", f"http://proxy.lab.test:{BUMPING}"), "ways": (PROXIED,), "store": store}


_NAMES_ISSUER = shake("-showcerts")
_BUMP_PROOF = curl("--proxy", f"http://proxy.lab.test:{BUMPING}", "-k", "-v")

FAULTS = (
    Row(
        id="tls-stall", fault="handshake stall after ClientHello", how="the ClientHello is read, then nothing",
        make=lambda lab, site: lab.listen(site, 443, _hello_then_silent), code="tls.stall", never=("tcp.timeout",),
        prove=curl("--max-time", "1.5"), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="tls-reset", fault="RST on ClientHello", how="the ClientHello is read, then RST",
        make=lambda lab, site: lab.listen(site, 443, reset_after_hello), code="tls.reset",
        never=("tcp.reset", "tls.unknown_ca", "tls.host_mismatch"), never_words=(r"certificate is",),
        prove=CURL, proof="reset|SSL_ERROR_SYSCALL|unexpected eof",
    ),
    Row(
        id="tls-not-tls", fault="plaintext HTTP on TLS port", how="HTTP in plain text on 443",
        make=lambda lab, site: lab.listen(site, 443, _plain), code="tls.not_tls", never=("tls.version", "tls.reset"),
        prove=CURL, proof="wrong version number",
    ),
    Row(
        id="tls-wrong-host", fault="wrong host cert", how="a good certificate for another name",
        make=_chain(hosts=("other.example.org", "more.example.org")), code="tls.host_mismatch",
        never=("tls.unknown_ca",),
        shows=("other.example.org",), prove=CURL, proof="no alternative certificate subject name",
    ),
    Row(
        id="tls-common-name-only", fault="wrong host cert", how="the name stands in the common name alone",
        make=_chain(hosts=()), code="tls.host_mismatch", never=("tls.unknown_ca",),
        prove=shake(), proof=r"(?s)subject=.*CN = .*Verify return code: 0|Verification: OK",
    ),
    Row(
        id="tls-expired", fault="expired", how="ended two days ago",
        make=_chain(begins=NOW - 90 * DAY, ends=EXPIRED), code="tls.expired",
        never=("host.clock_wrong", "tls.not_yet_valid"),
        shows=(EXPIRED.strftime("%Y-%m-%d"),), never_words=(r"\bclock\b",), prove=CURL, proof="certificate has expired",
    ),
    Row(
        id="tls-expired-http-date", fault="expired", how="the same, with a second witness of the time on port 80",
        make=lambda lab, site: (lab.http(site), _chain(begins=NOW - 90 * DAY, ends=EXPIRED)(lab, site)),
        code="tls.expired", never=("host.clock_wrong",), prove=CURL, proof="certificate has expired",
    ),
    Row(
        id="tls-not-yet-valid", fault="not yet valid", how="begins in two days",
        make=_chain(begins=FUTURE, ends=NOW + 90 * DAY), code="tls.not_yet_valid", never=("tls.expired",),
        shows=(r"clock",), prove=CURL, proof="not yet valid",
    ),
    Row(
        id="tls-self-signed", fault="self-signed leaf", how="signed with its own key", make=_chain(issuer=lambda: None),
        code="tls.self_signed", never=("tls.intercepted",), prove=CURL, proof="self-signed certificate",
    ),
    Row(
        id="tls-unknown-ca", fault="unknown private root", how="a root that nobody knows, not sent",
        make=_chain(issuer=authority.stranger), code="tls.unknown_ca", never=("tls.missing_intermediate",),
        shows=("Stranger CA",), prove=CURL, proof="unable to get local issuer",
    ),
    Row(
        id="tls-unknown-ca-sent", fault="unknown private root", how="a root that nobody knows, sent along",
        make=_chain(issuer=authority.stranger, sent=(authority.stranger,)), code="tls.unknown_ca",
        never=("tls.missing_intermediate",), shows=("Stranger CA",), prove=CURL,
        proof="self-signed certificate in certificate chain",
    ),
    Row(
        id="tls-missing-intermediate", fault="missing intermediate", how="the issuing CA of a known root is not sent",
        make=_chain(issuer=authority.intermediate), code="tls.missing_intermediate",
        never=("tls.intercepted", "tls.unknown_ca"),
        prove=CURL, proof="unable to get local issuer",
    ),
    Row(
        id="tls-missing-intermediate-aia", fault="missing intermediate",
        how="the same, with the place where the issuer is to be had",
        make=_chain(issuer=authority.intermediate, aia="http://aia.example.org/issuing.crt"),
        code="tls.missing_intermediate",
        never=("tls.intercepted", "tls.unknown_ca"), prove=CURL, proof="unable to get local issuer",
    ),
    Row(
        id="tls-intercepted-trusted", fault="interception, CA in host store",
        how="squid reads TLS (ssl-bump); the host trusts its CA",
        make=lambda lab, site: lab.https(site), **_bumped(store="bumped"), warnings=("tls.intercepted",),
        shows=("Corporate Gateway CA",), prove=_BUMP_PROOF, proof="issuer:.*Corporate Gateway CA",
    ),
    Row(
        id="tls-intercepted-untrusted", fault="interception, CA absent",
        how="the same; the host does not know its CA, but the service's",
        make=lambda lab, site: lab.https(site), **_bumped(store="host"), code="tls.intercepted",
        never=("tls.self_signed", "tls.unknown_ca"), shows=("Corporate Gateway CA",), prove=_BUMP_PROOF,
        proof="issuer:.*Corporate Gateway CA",
    ),
    Row(
        id="tls-intercepted-direct", fault="interception, CA in host store",
        how="a gateway on the way, without a proxy setting",
        make=_chain(issuer=authority.bumper), ways=DIRECT, store="bumped", warnings=("tls.intercepted",),
        shows=("Corporate Gateway CA",), prove=_NAMES_ISSUER, proof="Corporate Gateway CA",
    ),
    Row(
        id="tls-stranger-pinned", fault="unknown private root",
        how="a chain of somebody else, and the service's own CA is given: that alone proves no gateway on the way",
        make=_chain(issuer=authority.bumper), ways=DIRECT, options=("--ca", "{ca}"), code="tls.unknown_ca",
        never=("tls.self_signed", "tls.missing_intermediate"), shows=("Corporate Gateway CA",), prove=_NAMES_ISSUER, proof="Corporate Gateway CA",
    ),
    Row(
        id="tls-intercepted-transparent", fault="interception, CA in host store",
        how="squid takes the connection off its way (nftables, ssl-bump)",
        make=_taken, ways=(DIRECT4,), store="bumped", warnings=("tls.intercepted",), shows=("Corporate Gateway CA",),
        prove=_NAMES_ISSUER, proof="Corporate Gateway CA",
    ),
    Row(
        id="tls-intercepted-transparent-untrusted", fault="interception, CA absent",
        how="the same; nobody knows its CA, nor which one is right",
        make=_taken, ways=(DIRECT4,), code="tls.intercepted", never=("tls.self_signed", "tls.missing_intermediate"),
        shows=("Corporate Gateway CA",),
        prove=_NAMES_ISSUER, proof="Corporate Gateway CA",
    ),
    Row(
        id="tls-old-version", fault="TLS 1.0/1.1 only", how="a server that speaks at most TLS 1.1", make=_context(_old),
        code="tls.version", never=("tls.reset", "tls.stall", "tls.cipher"), prove=shake("-tls1_2"),
        proof="alert protocol version|unsupported protocol",
    ),
    Row(
        id="tls-no-cipher", fault="no shared cipher", how="a server with ciphers that nobody offers",
        make=_context(_odd_cipher),
        code="tls.cipher", never=("tls.reset", "tls.version"), prove=CURL, proof="handshake failure",
    ),
    Row(
        id="tls-client-certificate-12", fault="client certificate required (1.2 and 1.3)", how="TLS 1.2",
        make=_context(_wants_certificate(ssl.TLSVersion.TLSv1_2)), code="tls.client_cert_required",
        never=("http.*", "tls.reset"),
        prove=shake("-tls1_2"), proof="Requested Signature Algorithms",
    ),
    Row(
        id="tls-client-certificate-13", fault="client certificate required (1.2 and 1.3)", how="TLS 1.3",
        make=_context(_wants_certificate(ssl.TLSVersion.TLSv1_3)), code="tls.client_cert_required",
        never=("http.*", "tls.reset"),
        prove=shake("-tls1_3"), proof="Requested Signature Algorithms",
    ),
    Row(
        id="tls-weak-key", fault="RSA-1024 / SHA-1 / MD5", how="a key of RSA with 1024 bits",
        make=_chain(key=authority.weak_rsa),
        code="tls.weak_key", never=("tls.unknown_ca",), prove=CURL, proof="key too (small|weak)",
    ),
    Row(
        id="tls-sha1", fault="RSA-1024 / SHA-1 / MD5", how="signed with SHA-1", make=_old_digest("sha1"),
        code="tls.weak_signature", never=("tls.unknown_ca",), prove=CURL,
        proof="md too weak|CA signature digest algorithm too weak",
    ),
    Row(
        id="tls-md5", fault="RSA-1024 / SHA-1 / MD5", how="signed with MD5", code="tls.weak_signature",
        never=("tls.unknown_ca",),
        make=_old_digest("md5"), prove=shake(),
        proof="md too weak|digest algorithm too weak",
    ),
    Row(
        id="tls-hostile-subject", fault="cert subject with <script>, ESC, 64 KiB",
        how="a script and escape sequences as names",
        make=_chain(issuer=lambda: None,
        subject=lambda: authority.name("<script>alert(1)</script>\x1b[2J\x1b]0;owned\x07\u202e")),
        code="tls.self_signed", prove=shake(), proof=r"script",
    ),
    Row(
        id="tls-huge-subject", fault="cert subject with <script>, ESC, 64 KiB", how="a subject of 64 KiB, expired",
        make=_chain(subject=lambda: authority.name("x" * 65536), begins=NOW - 9 * DAY, ends=EXPIRED),
        code="tls.expired",
        prove=("timeout", "3", "openssl", "s_client", "-connect", "{host}:443", "-CAfile", "{ca}"),
        proof="certificate has expired",
    ),
    Row(
        id="tls-sni-filtered", fault="a filter by the server's name", how="RST where the ClientHello names the host",
        make=_named_filter, ways=DIRECT, code="tls.sni_filtered", never=("tcp.*",), prove=CURL,
        proof="reset|SSL_ERROR_SYSCALL",
    ),
    Row(
        id="tls-invalid-chain", fault="a signature that does not hold", how="a root's name, another key",
        make=_chain(issuer=_impostor, bare=True), code="tls.invalid_chain", never=("tls.expired",), prove=CURL,
        proof="signature failure|invalid|bad signature|EVP lib",
    ),
    Row(
        id="tls-chain-too-large", fault="certificates of 180 kB", how="six fillers of 30 kB", make=_heavy,
        code="tls.chain_too_large", never=("tls.reset", "tls.unknown_ca"), prove=CURL, proof="excessive message size",
    ),
    Row(
        id="tls-strict-only", fault="not quite as RFC 5280 has it", how="no authority key identifier",
        make=_chain(bare=True), warnings=("tls.strict_only",), prove=shake("-x509_strict"),
        proof="[Mm]issing [Aa]uthority [Kk]ey|verify error",
    ),
    Row(
        id="host-clock-behind", fault="the host's clock is wrong",
        how="servers that are 400 days ahead of it, with their Date",
        make=_of_another_time(400 * DAY), ways=DIRECT, code="host.clock_wrong", never=("tls.not_yet_valid",),
        prove=CURL, proof="not yet valid",
    ),
    Row(
        id="host-clock-ahead", fault="the host's clock is wrong",
        how="servers that are 400 days behind it, with their Date",
        make=_of_another_time(-400 * DAY), ways=DIRECT, code="host.clock_wrong", never=("tls.expired",),
        prove=CURL, proof="has expired",
    ),
    Row(
        id="host-clock", fault="the host's clock is wrong", how="faketime, 400 days ahead", clock="+400d",
        ways=(DIRECT4,),
        make=lambda lab, site: (lab.https(site), lab.http(site)), code="host.clock_wrong", deadline=15.0,
        prove=("faketime", "-f", "+400d", *CURL), proof="certificate has expired",
    ),
)  # fmt: skip
