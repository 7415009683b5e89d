"""Faults of the connection."""

from __future__ import annotations

import socket

from lab.netns import NO_ROUTE4, NO_ROUTE6
from lab.row import CURL, DIRECT, DIRECT4, EVERY_WAY, Row, curl
from lab.servers import close, reset, silent

_CONNECT = "Failed to connect|[Cc]ouldn't connect|refused|unreachable|Permission denied|No route|timed out"


def _filtered(what):
    def make(lab, site) -> None:
        lab.https(site)
        lab.drop(site, what)

    return make


def _unrouted(lab, site) -> None:
    lab.name(site.names[1], NO_ROUTE4)
    lab.name(site.names[2], NO_ROUTE6)


def _routed(kind):
    def make(lab, site) -> None:
        lab.https(site)
        lab.net.client.run("ip", "route", "add", kind, site.v4)
        lab.net.client.run("ip", "-6", "route", "add", kind, site.v6)

    return make


def _full(lab, site) -> None:
    """Listeners whose queues are full: the kernel drops further SYNs."""
    for host in (site.v4, site.v6):
        listener = lab.stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, 443))
        listener.listen(0)
        for _ in range(6):
            one = lab.stack.enter_context(socket.socket(listener.family))
            one.setblocking(False)
            one.connect_ex(listener.getsockname())


def _v6_dead(lab, site) -> None:
    lab.https(site)
    lab.name(site.names[1], site.v6, site.v4)
    lab.rules.append(f"ip6 daddr {site.v6} drop")


FAULTS = (
    Row(
        id="tcp-refused", fault="refused", how="a closed port", code="tcp.refused",
        proxied_code="proxy.upstream_refused",
        never=("tcp.timeout", "tls.*"), never_words=(r"firewall",), prove=CURL,
        proof="refused|Failed to connect|response 503",
    ),
    Row(
        id="tcp-reject", fault="refused", how="nftables, reject with tcp reset",
        make=_filtered("meta l4proto tcp reject with tcp reset"),
        code="tcp.refused", proxied_code="proxy.upstream_refused", never=("tcp.timeout", "tls.*"),
        never_words=(r"firewall",), prove=CURL, proof="refused|Failed to connect|response 503",
    ),
    Row(
        id="tcp-blackhole", fault="blackhole", how="nftables, drop", make=_filtered("drop"), code="tcp.timeout",
        proxied_code="proxy.upstream_timeout", never=("tcp.refused", "tls.*"),
        prove=curl("--connect-timeout", "1.5"), proof="timed out|[Tt]imeout|response 50[34]",
    ),
    Row(
        id="tcp-prohibited", fault="REJECT icmp-admin-prohibited", how="nftables, reject with icmpx admin-prohibited",
        make=_filtered("reject with icmpx type admin-prohibited"), code="tcp.prohibited",
        proxied_code="proxy.upstream_refused", never=("tcp.timeout", "tcp.refused", "tls.*"), prove=CURL,
        proof=f"{_CONNECT}|response 503",
    ),
    Row(
        id="tcp-no-route", fault="no route", how="an address that the routing table does not hold", make=_unrouted,
        ways=DIRECT, code="tcp.no_route", never=("dns.*", "tcp.timeout"), prove=CURL, proof=_CONNECT,
    ),
    Row(
        id="tcp-route-prohibit", fault="no way by the host's own table", how="ip route add prohibit",
        make=_routed("prohibit"), ways=DIRECT, code="tcp.prohibited", never=("dns.*", "tcp.timeout"), prove=CURL,
        proof=_CONNECT,
    ),
    Row(
        id="tcp-route-blackhole", fault="no way by the host's own table", how="ip route add blackhole",
        make=_routed("blackhole"), ways=DIRECT, code="tcp.no_route", never=("dns.*", "tcp.timeout"), prove=CURL,
        proof=f"{_CONNECT}|Invalid argument",
    ),
    Row(
        id="tcp-reset", fault="accept then RST", how="SO_LINGER 0 at once", make=lambda lab,
        site: lab.listen(site, 443, reset),
        ways=DIRECT, code="tcp.reset", never=("tls.*",), prove=CURL, proof="reset|SSL_ERROR_SYSCALL|unexpected eof",
    ),
    Row(
        id="tcp-reset-http", fault="accept then RST", how="the same, asked by http", url="http://{host}/",
        make=lambda lab, site: lab.listen(site, 80, reset), ways=DIRECT, code="tcp.reset", never=("http.*",),
        prove=CURL,
        proof="reset|Empty reply",
    ),
    Row(
        id="tcp-closed-early", fault="accept, then close", how="closed at once",
        make=lambda lab, site: lab.listen(site, 443, close), ways=DIRECT, code="tcp.closed_early", never=("tls.*",),
        prove=CURL, proof="SSL_ERROR_SYSCALL|unexpected eof|reset",
    ),
    Row(
        id="tcp-backlog", fault="backlog full", how="listen(0), and nobody accepts", make=_full, code="tcp.timeout",
        proxied_code="proxy.upstream_timeout", never=("tcp.refused", "tls.*"), prove=curl("--connect-timeout", "1.5"),
        proof="timed out|[Tt]imeout|response 50[34]",
    ),
    Row(
        id="tcp-silent", fault="connect ok, then silent", how="accepted, and never answered",
        make=lambda lab, site: lab.listen(site, 443, silent), ways=EVERY_WAY, code="tls.stall", never=("tcp.timeout",),
        prove=curl("--max-time", "1.5"), proof="timed out|[Tt]imeout",
    ),
    Row(
        id="tcp-silent-http", fault="connect ok, then silent", how="the same, asked by http", url="http://{host}/",
        make=lambda lab, site: lab.listen(site, 80, silent), ways=DIRECT, code="http.no_response",
        never=("tcp.timeout",),
        prove=curl("--max-time", "1.5"), proof="timed out",
    ),
    Row(
        id="tcp-no-neighbour", fault="nobody at that address of the own network",
        how="an address of the client's own net",
        make=lambda lab, site: lab.name(site.names[1], "192.0.2.77"), ways=(DIRECT4,), code="tcp.timeout", deadline=8.0,
        never=("tcp.refused", "tcp.prohibited"), prove=curl("--max-time", "5"), proof=_CONNECT,
    ),
    Row(
        id="tcp-v6-broken", fault="IPv6 dead, IPv4 well", how="an AAAA record whose address is dropped", make=_v6_dead,
        ways=(DIRECT4,), warnings=("tcp.v6_broken",), prove=curl("-6", "--connect-timeout", "1"),
        proof="timed out|[Tt]imeout",
    ),
)  # fmt: skip
