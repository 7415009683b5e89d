"""Faults of name resolution."""

from __future__ import annotations

from lab.netns import NO_ROUTE4, NO_ROUTE6
from lab.row import CURL, DIRECT4, PROXIED, Row, dig
from lab.servers import respond
from lab.station import DNSDIST, NO_AAAA, NOBODY, SILENT, TC_CLOSED, WILDCARD


def _https(lab, site) -> None:
    lab.https(site)


def _nameless(lab, site) -> None:
    for name in site.names:
        del lab.zone[name]


def _records(*records):
    def make(lab, site) -> None:
        lab.https(site)
        for name in site.names:
            lab.zone[name] = [r.format(v4=site.v4, v6=site.v6) for r in records]

    return make


def _aliases(lab, site) -> None:
    lab.zone[site.names[1]] = f"CNAME alias-{site.names[1]}"
    lab.zone[f"alias-{site.names[1]}"] = f"CNAME {site.names[1]}"


def _refusing(lab, site) -> None:
    lab.zone[site.names[1]] = "REFUSED"


def _elsewhere(lab, site) -> None:
    """The nameserver leads elsewhere; the hosts file leads here."""
    lab.https(site)
    lab.name(site.names[1], NO_ROUTE4)


def _hijacker(lab, site) -> None:
    """What a hijacked name leads to: somebody's search page."""
    _nameless(lab, site)
    page = respond(body=b"<html><body><h1>Did you mean...</h1></body></html>", Content_Type="text/html")
    if "hijacker" not in lab.seen:
        from lab.servers import tcp, tls

        lab.seen["hijacker"] = 0
        for host in ("198.51.100.10", "2001:db8:51::a"):
            lab.stack.enter_context(tcp(page, host, port=80))
            lab.stack.enter_context(tcp(tls(lab.good_context, page), host, port=443))


def _searched(lab, site) -> None:
    from lab import authority

    lab.https(site, None, authority.issue(site.id, authority.root(), hosts=(site.id, f"{site.id}.inner.lab.test")))
    lab.name(f"{site.id}.inner.lab.test", site.v4)


FAULTS = (
    Row(
        id="dns-nxdomain", fault="NXDOMAIN", how="no such name in the zone", make=_nameless, ways=(DIRECT4, PROXIED),
        code="dns.nxdomain", proxied_code="proxy.upstream_dns", never=("dns.timeout", "tcp.*"),
        prove=dig("{host}"), proof="status: NXDOMAIN",
    ),
    Row(
        id="dns-servfail", fault="SERVFAIL", how="dnsdist, RCodeAction", make=_https, ways=(DIRECT4,),
        resolver="servfail",
        code="dns.servfail", never=("dns.nxdomain", "dns.timeout"),
        prove=dig(f"@{DNSDIST['servfail']}", "{host}"), proof="status: SERVFAIL",
    ),
    Row(
        id="dns-timeout", fault="no answer (drop udp/53)", how="nftables drops what goes to the nameserver",
        make=_https,
        ways=(DIRECT4,), resolver="silent", code="dns.timeout", never=("dns.nxdomain", "dns.servfail"),
        prove=dig(f"@{SILENT}", "{host}"), proof="no servers could be reached|timed out",
    ),
    Row(
        id="dns-truncated", fault="TC bit, TCP/53 closed", how="a nameserver that sets TC and does not listen on TCP",
        make=_https, ways=(DIRECT4,), resolver="tc-closed", code="dns.truncated_tcp_blocked", never=("dns.timeout",),
        prove=("sh", "-c", f"dig +tries=1 +ignore @{TC_CLOSED} {{host}}; dig +tries=1 +tcp @{TC_CLOSED} {{host}}"),
        proof=r"(?s)flags: qr[a-z ]* tc.*refused",
    ),
    Row(
        id="dns-truncated-tcp-open", fault="TC bit, TCP ok (control)",
        how="a nameserver that sets TC and listens on TCP",
        make=_https, ways=(DIRECT4,), resolver="tc-open", never=("*",),
        prove=dig("@198.51.100.6", "{host}"), proof=r"(?s)Truncated, retrying in TCP.*status: NOERROR",
    ),
    Row(
        id="dns-hijack", fault="wildcard hijack (random label resolves)", how="dnsdist, SpoofAction for every name",
        make=_hijacker, url="http://{host}/", ways=(DIRECT4,), resolver="hijack", code="dns.hijack",
        never=("tcp.*", "tls.*"),
        prove=dig("+short", f"@{DNSDIST['hijack']}", "no-such-label-4711.invalid"), proof=r"198\.51\.100\.10",
    ),
    Row(
        id="dns-hijack-https", fault="wildcard hijack (random label resolves)", how="the same, asked by https",
        make=_hijacker, url="https://{host}/", ways=(DIRECT4,), resolver="hijack", code="dns.hijack", never=("tcp.*",),
        prove=dig("+short", f"@{DNSDIST['hijack']}", "no-such-label-4712.invalid"), proof=r"198\.51\.100\.10",
    ),
    Row(
        id="dns-v6-only", fault="AAAA only, no v6 route", how="an AAAA record alone, and no route there",
        make=lambda lab, site: lab.name(site.names[1], NO_ROUTE6), ways=(DIRECT4,), code="tcp.no_route",
        never=("dns.*",),
        shows=("no IPv4 address",),
        prove=CURL, proof="Network is unreachable|[Cc]ouldn't connect|Failed to connect",
    ),
    Row(
        id="dns-first-dead", fault="first nameserver dead, second ok", how="nftables drops what goes to the first one",
        make=_https, ways=(DIRECT4,), resolver="first-dead", warnings=("dns.slow_fallback",), deadline=8.0,
        prove=dig(f"@{SILENT}", "{host}"), proof="no servers could be reached|timed out",
    ),
    Row(
        id="dns-refused", fault="REFUSED", how="dnsdist, RCodeAction", make=_https, ways=(DIRECT4,), resolver="refused",
        code="dns.refused", never=("dns.nxdomain", "dns.servfail", "tcp.*"),
        prove=dig(f"@{DNSDIST['refused']}", "{host}"), proof="status: REFUSED",
    ),
    Row(
        id="dns-nodata", fault="a name without an address", how="the name exists, but has neither A nor AAAA",
        make=_records(), ways=(DIRECT4, PROXIED), code="dns.nodata", proxied_code="proxy.upstream_dns",
        never=("dns.nxdomain", "dns.timeout"), prove=dig("{host}"), proof=r"(?s)status: NOERROR.*ANSWER: 0",
    ),
    Row(
        id="dns-unreachable", fault="nobody listens at the nameserver's address", how="a closed port", make=_https,
        ways=(DIRECT4,), resolver="nobody", code="dns.unreachable", never=("dns.timeout", "dns.nxdomain"),
        prove=dig(f"@{NOBODY}", "{host}"), proof="connection refused|no servers could be reached",
    ),
    Row(
        id="dns-bogon", fault="a block list leads a public name to 0.0.0.0", how="an A record 0.0.0.0",
        make=lambda lab, site: lab.name("blocked.example.com", "0.0.0.0"), url="https://blocked.example.com/",
        ways=(DIRECT4,), code="dns.bogon", never=("tcp.refused",), prove=dig("+short", "blocked.example.com"),
        proof=r"0\.0\.0\.0",
    ),
    Row(
        id="dns-bogon-loopback", fault="a block list leads a public name to 127.0.0.1", how="an A record 127.0.0.1",
        make=lambda lab, site: lab.name("sunk.example.com", "127.0.0.1"), url="https://sunk.example.com/",
        ways=(DIRECT4,), code="dns.bogon", never=("tcp.refused",), prove=dig("+short", "sunk.example.com"),
        proof=r"127\.0\.0\.1",
    ),
    Row(
        id="dns-cname-loop", fault="aliases in a circle", how="two CNAME records that lead to each other",
        make=_aliases,
        ways=(DIRECT4,), code="dns.cname_loop", never=("dns.nxdomain", "dns.timeout"),
        prove=dig("{host}"), proof=r"(?s)CNAME.*CNAME",
    ),
    Row(
        id="dns-name-refused", fault="REFUSED for one name", how="the nameserver refuses this zone", make=_refusing,
        ways=(DIRECT4,), code="dns.refused", never=("dns.nxdomain", "tcp.*"), prove=dig("{host}"),
        proof="status: REFUSED",
    ),
    Row(
        id="dns-hosts", fault="the hosts file says otherwise", how="a line in the hosts file, another address in DNS",
        make=_elsewhere, hosts="{v4} {host}", ways=(DIRECT4,), warnings=("dns.hosts_override",),
        prove=("getent", "ahostsv4", "{host}"), proof=r"198\.18\.",
    ),
    Row(
        id="dns-hosts-wrong", fault="the hosts file is out of date", how="it leads to an address where nobody listens",
        make=_https, hosts="198.51.100.11 {host}", ways=(DIRECT4,), code="tcp.refused",
        warnings=("dns.hosts_override",),
        prove=CURL, proof="refused|Failed to connect",
    ),
    Row(
        id="dns-search", fault="a short name", how="only with the search domain is it a name", make=_searched,
        url="https://{id}/", resolver="search", ways=(DIRECT4,), warnings=("dns.search_domain",),
        prove=dig("+short", "+nosearch", "dns-search.inner.lab.test"), proof=r"198\.18\.",
    ),
    Row(
        id="dns-no-aaaa", fault="a nameserver that is silent about AAAA", how="it answers for A alone", make=_https,
        resolver="no-aaaa",
        ways=(DIRECT4,), warnings=("dns.timeout",), deadline=10.0, prove=dig(f"@{NO_AAAA}", "{host}", "AAAA"),
        proof="timed out|no servers",
    ),
    Row(
        id="dns-wildcard", fault="wildcard hijack (random label resolves)",
        how="an address in place of every NXDOMAIN; the name itself is right",
        make=_https, resolver="wildcard", ways=(DIRECT4,), warnings=("dns.hijack",),
        prove=dig("+short", f"@{WILDCARD}", "no-such-label-4713.invalid"), proof=r"198\.51\.100\.10",
    ),
)  # fmt: skip
