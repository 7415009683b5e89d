"""The lab with all of its servers running: names, certificates, packet filters, proxies, and one address for each row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import certifi
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from lab import authority, netns, products
from lab.client import Client, Done
from lab.nameserver import nameserver, truncated
from lab.row import DIRECT4, DIRECT6, PROXIED, Row
from lab.servers import respond, tcp, tls

NET = "198.51.100"
ZONE = "lab.test"
NAMESERVER = f"{NET}.2"
DNSDIST = {"servfail": f"{NET}.3", "hijack": f"{NET}.7", "refused": f"{NET}.8", "slow": f"{NET}.13"}
SILENT, TC_CLOSED, TC_OPEN, NOBODY, FORMERR, NO_TCP, NO_AAAA, WILDCARD, LAME, REJECTED = (
    f"{NET}.{n}" for n in (4, 5, 6, 9, 14, 15, 16, 17, 18, 19)
)
_PATIENCE = "options timeout:1 attempts:2\n"
RESOLVERS = {
    "good": f"nameserver {NAMESERVER}\n",
    "none": f"nameserver {NAMESERVER}\n",
    **{name: f"nameserver {address}\n{_PATIENCE}" for name, address in DNSDIST.items()},
    "silent": f"nameserver {SILENT}\n{_PATIENCE}",
    "tc-closed": f"nameserver {TC_CLOSED}\n{_PATIENCE}",
    "tc-open": f"nameserver {TC_OPEN}\n",
    "nobody": f"nameserver {NOBODY}\n{_PATIENCE}",
    "first-dead": f"nameserver {SILENT}\nnameserver {NAMESERVER}\n{_PATIENCE}",
    "search": f"nameserver {NAMESERVER}\nsearch inner.{ZONE}\n",
    "no-aaaa": f"nameserver {NO_AAAA}\n{_PATIENCE}",
    "wildcard": f"nameserver {WILDCARD}\n",
    "lame": f"nameserver {LAME}\n{_PATIENCE}",
    "rejected": f"nameserver {REJECTED}\n{_PATIENCE}",
    "first-refuses": f"nameserver {DNSDIST['refused']}\nnameserver {NAMESERVER}\n{_PATIENCE}",
    "first-closed": f"nameserver {NOBODY}\nnameserver {NAMESERVER}\n{_PATIENCE}",
    "formerr": f"nameserver {FORMERR}\n",
    "no-tcp": f"nameserver {NO_TCP}\n",
    "v6": "nameserver 2001:db8:51::2\n",
}
"""Name → resolv.conf(5)."""
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
_FIRST_SITE = 20


def healthy(sock) -> None:
    """An answer with the time of now."""
    respond(Date=authority.http_date(), Content_Type="application/json")(sock)


@dataclass(frozen=True)
class Site:
    """The place of one row."""

    id: str
    number: int

    @property
    def v4(self) -> str:
        return f"198.18.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def v6(self) -> str:
        return f"2001:db8:51::{self.number:x}"

    @property
    def names(self) -> tuple[str, str, str]:
        """By IPv4 (also for proxies), by IPv4, by IPv6."""
        return f"{self.id}.{ZONE}", f"{self.id}.v4.{ZONE}", f"{self.id}.v6.{ZONE}"

    def host(self, way: str) -> str:
        return self.names[(PROXIED, DIRECT4, DIRECT6).index(way)]


@dataclass
class Lab:
    """What rows are made with."""

    net: netns.Network
    folder: Path
    stack: ExitStack
    zone: dict[str, object] = field(default_factory=dict)
    """Name → addresses, an rcode's name, or ``CNAME name``."""
    rules: list[str] = field(default_factory=list)
    """nftables: of the servers' input."""
    forward: list[str] = field(default_factory=list)
    """nftables: of what the gateway passes on."""
    redirects: list[str] = field(default_factory=list)
    """nftables: of what the gateway takes for itself (``prerouting``)."""
    nginx_blocks: list[str] = field(default_factory=list)
    haproxy_blocks: list[str] = field(default_factory=list)
    fronts: list[Site] = field(default_factory=list)
    """Where one of both listens."""
    seen: dict[str, int] = field(default_factory=dict)
    """How often something was asked that must not be."""
    sites: dict[str, Site] = field(default_factory=dict)

    # ---- making ------------------------------------------------------------------------------------------------------

    def site(self, row: Row) -> Site:
        """A place for *row*, with its names, and its servers started."""
        made = Site(row.id, _FIRST_SITE + len(self.sites))
        self.sites[row.id] = made
        for name, address in zip(made.names, (made.v4, made.v4, made.v6), strict=True):
            self.zone[name] = [address]
        if row.make is not None:
            row.make(self, made)
        return made

    def listen(self, site: Site, port: int, handler, backlog: int = 32) -> None:
        """*handler* on both of its addresses."""
        for host in (site.v4, site.v6):
            self.stack.enter_context(tcp(handler, host, backlog, port))

    def http(self, site: Site, handler=None, port: int = 80) -> None:
        self.listen(site, port, handler or healthy)

    def https(self, site: Site, handler=None, *chain, context=None, port: int = 443) -> None:
        """TLS with *chain* (default: a good one), or with a whole *context*."""
        chosen = context or self.context(*chain)
        self.listen(site, port, tls(chosen, handler or healthy))

    def context(self, *chain):
        """A server's TLS context."""
        return authority.context(self.folder, *chain) if chain else self.good_context

    @cached_property
    def good_context(self):
        return authority.context(self.folder, self.good)

    @cached_property
    def good(self):
        """A good certificate for every name of the lab."""
        hosts = (f"*.{ZONE}", f"*.v4.{ZONE}", f"*.v6.{ZONE}", f"*.inner.{ZONE}")
        return authority.issue("The lab", authority.root(), hosts=hosts)

    def drop(self, site: Site, what: str = "drop") -> None:
        """A packet filter before its servers."""
        self.rules += [f"ip daddr {site.v4} {what}", f"ip6 daddr {site.v6} {what}"]

    def nginx(self, site: Site, location: str, more: str = "") -> None:
        """nginx with the good certificate on 443 of *site*; *location* is what it does with every path."""
        done = location.replace("{v4}", site.v4)
        self.fronts.append(site)
        self.nginx_blocks.append(products.nginx_server(self, site, f"{more} location / {{ {done} }}"))

    def haproxy(self, site: Site, *, tunnel: str = "60s", bind: str = "", backend: str = "") -> None:
        """haproxy with the good certificate on 443 of *site* before a server on its port 8080."""
        self.fronts.append(site)
        self.haproxy_blocks.append(products.haproxy_proxy(self, site, tunnel, bind, backend))

    @cached_property
    def good_files(self) -> tuple[str, str]:
        """The good certificate and its key."""
        return authority.write(self.folder, self.good, stem="good")

    def name(self, name: str, *records: str) -> None:
        self.zone[name] = list(records)

    def file(self, name: str, data: bytes | str) -> str:
        """A file that the client can read."""
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    # ---- asking ------------------------------------------------------------------------------------------------------

    def binds(self, row: Row) -> dict[str, str]:
        """The files of the host as *row* has them."""
        hosts = self.hosts_file(row)
        public = str(self.folder / "store-public.pem")
        return {
            "/etc/resolv.conf": str(self.folder / f"resolv-{row.resolver}"),
            "/etc/hosts": hosts,
            "/etc/nsswitch.conf": str(self.folder / "nsswitch.conf"),
            "/etc/ssl/certs/ca-certificates.crt": str(self.folder / f"store-{row.store}.pem"),
            certifi.where(): public,
        }

    def hosts_file(self, row: Row) -> str:
        if not row.hosts:
            return str(self.folder / "hosts")
        path = self.folder / f"hosts-{row.id}"
        if not path.exists():
            path.write_text(_HOSTS + self.fill(row, row.hosts, DIRECT4) + "\n")
        return str(path)

    def fill(self, row: Row, text: str, way: str) -> str:
        """Put the row's own names into *text*."""
        site = self.sites[row.id]
        values = {"host": site.host(way), "v4": site.v4, "v6": site.v6, "ca": str(self.folder / "store-public.pem"),
                  "folder": str(self.folder), "id": row.id}  # fmt: skip
        filled = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), text)
        return filled if "{url}" not in filled else filled.replace("{url}", self.fill(row, row.url, way))

    def diagnose(self, row: Row, way: str, format_: str = "json", lang: str = "en") -> Done:
        """``vorflug diagnose`` as *row* wants it."""
        fill = [self.fill(row, word, way) for word in (row.url, *row.options)]
        argv = ["vorflug", "diagnose", *fill, "--deadline", str(row.deadline), "--format", format_, "--lang", lang]
        if way == PROXIED and "--proxy" not in argv:
            argv += ["--proxy", f"http://proxy.{ZONE}:{products.PLAIN}"]
        if row.clock:
            # the library that fakes the clock must be there from the start
            argv = ["faketime", "-m", "--exclude-monotonic", "-f", row.clock, *products.true_program(), *argv[1:]]
        return self.client.run(*argv, environ=self.environ(row, way), binds=self.binds(row), timeout=row.deadline + 25)

    def environ(self, row: Row, way: str) -> dict[str, str]:
        return {"TMPDIR": str(self.folder), **{name: self.fill(row, value, way) for name, value in row.environ}}

    def prove(self, row: Row, way: str) -> str:
        """What the independent program says."""
        argv = [self.fill(row, word, way) for word in row.prove]
        if way == PROXIED and argv[0] == "curl" and not {"--proxy", "--noproxy"} & set(argv):
            argv[1:1] = ["--proxy", f"http://proxy.{ZONE}:{products.PLAIN}"]
        if way == PROXIED and "s_client" in argv:
            argv += ["-proxy", f"{netns.GATEWAY4}:{products.PLAIN}"]
        done = self.client.run(*argv, environ=self.environ(row, way), binds=self.binds(row), timeout=20)
        return f"{done.out}\n{done.err}\nexit={done.code}"

    @cached_property
    def client(self) -> Client:
        made = Client(self.net.client, self.folder)
        self.stack.callback(made.close)
        return made


@contextmanager
def station(folder: Path, rows: tuple[Row, ...]) -> Iterator[Lab]:
    """The lab with everything that *rows* need."""
    folder.chmod(0o755)
    with netns.network() as net, ExitStack() as stack:
        lab = Lab(net, folder, stack)
        _ = lab.client  # loads while the servers start
        _files(lab)
        lab.name(f"proxy.{ZONE}", netns.GATEWAY4)
        with net.client.inside():
            _traps(lab)
        with net.gateway.inside():
            products.make_gateway(lab)
        with net.servers.inside():
            for row in rows:
                lab.site(row)
            _nameservers(lab)
            products.make_servers(lab)
        _filters(lab)
        products.wait(lab)
        yield lab


def _files(lab: Lab) -> None:
    for name, text in RESOLVERS.items():
        lab.file(f"resolv-{name}", text)
    lab.file("hosts", _HOSTS)
    lab.file("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    public, bumper = authority.root().pem() + authority.rsa_root().pem(), authority.bumper().pem()
    lab.file("store-public.pem", public)
    lab.file("store-host.pem", public)
    lab.file("store-bumped.pem", public + bumper)


def _traps(lab: Lab) -> None:
    """A metadata service on the client's own link-local address: nobody may ask it."""
    lab.net.client.run("ip", "address", "add", "169.254.169.254/32", "dev", "lo")

    def metadata(sock) -> None:
        lab.seen["metadata"] = lab.seen.get("metadata", 0) + 1
        respond(body=b"secret")(sock)

    lab.stack.enter_context(tcp(metadata, "169.254.169.254", port=80))


def _nameservers(lab: Lab) -> None:
    def behave(query):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        for _ in range(12):
            said = lab.zone.get(name, "NXDOMAIN")
            if isinstance(said, str) and said.startswith("CNAME "):
                target = dns.name.from_text(said.removeprefix("CNAME "))
                response.answer.append(dns.rrset.from_text(dns.name.from_text(name), 60, "IN", "CNAME", str(target)))
                name = target.to_text(omit_final_dot=True)
                if name == question.name.to_text(omit_final_dot=True).lower():
                    return response
                continue
            break
        if isinstance(said, str):
            if not said.startswith("CNAME "):
                response.set_rcode(dns.rcode.from_text(said))
            return response
        fitting = [a for a in said if (":" in a) == (question.rdtype == dns.rdatatype.AAAA)]
        if fitting and question.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            kind = dns.rdatatype.to_text(question.rdtype)
            response.answer.append(dns.rrset.from_text(dns.name.from_text(name), 60, "IN", kind, *fitting))
        return response

    def plain(query):
        """Of before 1999: no EDNS (RFC 6891, 7)."""
        if query.edns < 0:
            return behave(query)
        response = dns.message.make_response(query)
        response.use_edns(False)
        response.set_rcode(dns.rcode.FORMERR)
        return response

    def without_aaaa(query):
        """Silent about AAAA."""
        return None if query.question[0].rdtype == dns.rdatatype.AAAA else behave(query)

    def wildcard(query):
        """An address instead of NXDOMAIN."""
        response = behave(query)
        if response.rcode() == dns.rcode.NXDOMAIN:
            response.set_rcode(dns.rcode.NOERROR)
            if query.question[0].rdtype == dns.rdatatype.A:
                response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", f"{NET}.10"))
        return response

    def lame(query):
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NOTIMP)
        return response

    for host, over_udp, over_tcp in (
        (LAME, lame, lame),
        (NO_AAAA, without_aaaa, without_aaaa),
        (WILDCARD, wildcard, wildcard),
        (FORMERR, plain, plain),
        (NO_TCP, behave, None),
        (NAMESERVER, behave, behave),
        ("2001:db8:51::2", behave, behave),
        (TC_CLOSED, truncated, None),
        (TC_OPEN, truncated, behave),
    ):
        lab.stack.enter_context(nameserver(over_udp, host=host, port=53, over_tcp=over_tcp))
    lab.rules += [f"ip daddr {SILENT} drop", f"ip daddr {REJECTED} reject with icmpx type admin-prohibited"]


def _filters(lab: Lab) -> None:
    for space, kind, hook, rules in (
        (lab.net.servers, "filter", "input", lab.rules),
        (lab.net.gateway, "filter", "forward", lab.forward),
        (lab.net.gateway, "nat", "prerouting", lab.redirects),
    ):
        if not rules:
            continue
        lines = [
            f"table inet lab_{hook} {{",
            f"chain {hook} {{",
            f"type {kind} hook {hook} priority 0;",
            *rules,
            "}",
            "}",
        ]
        space.run("nft", "-f", "-", text="\n".join(lines) + "\n")
