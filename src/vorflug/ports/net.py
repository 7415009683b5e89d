"""The network, stage by stage: resolve, connect, CONNECT through a proxy, TLS handshake, HTTP request.

What a stage met is one `Code` of a closed vocabulary; nothing here says whether that is good or bad for anybody.
Answer bytes never cross this port as they are: only a status, a few named headers with control characters shown, and
which of the asked marks the body holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """How far a connection comes, in this order."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    PROXY = "proxy"
    TLS = "tls"
    HTTP = "http"


class Code(StrEnum):
    """What stopped a connection, or is worth a word.  One documented page each.

    Whether an answer's status, redirect or content is the wanted one (``http.status``, ``http.redirect_blocked``,
    ``http.wrong_target``) is for who judges it: a probe follows no redirect and gives none of these.
    """

    DNS_NXDOMAIN = "dns.nxdomain"
    DNS_SERVFAIL = "dns.servfail"
    DNS_REFUSED = "dns.refused"
    DNS_TIMEOUT = "dns.timeout"
    DNS_NODATA = "dns.nodata"
    DNS_UNREACHABLE = "dns.unreachable"
    """No packet came as far as the nameserver: no route, or its port is closed."""
    DNS_TRUNCATED_TCP_BLOCKED = "dns.truncated_tcp_blocked"
    """The answer was too long for UDP, and the nameserver cannot be asked over TCP (RFC 7766)."""
    DNS_HIJACK = "dns.hijack"
    """A name that cannot exist (RFC 6761, 6.4: ``.invalid``) has an address."""
    DNS_BOGON = "dns.bogon"
    """A public name has an address that no public host can have (loopback, unspecified)."""
    TCP_REFUSED = "tcp.refused"
    TCP_TIMEOUT = "tcp.timeout"
    TCP_PROHIBITED = "tcp.prohibited"
    TCP_NO_ROUTE = "tcp.no_route"
    TCP_RESET = "tcp.reset"
    TCP_CLOSED_EARLY = "tcp.closed_early"
    TCP_V6_BROKEN = "tcp.v6_broken"
    """An IPv6 address failed where an IPv4 address of the same name works."""
    PROXY_REFUSED = "proxy.refused"
    PROXY_DNS = "proxy.dns"
    PROXY_TIMEOUT = "proxy.timeout"
    PROXY_AUTH_REQUIRED = "proxy.auth_required"
    PROXY_AUTH_REJECTED = "proxy.auth_rejected"
    PROXY_AUTH_UNSUPPORTED = "proxy.auth_unsupported"
    PROXY_DENIED = "proxy.denied"
    PROXY_UPSTREAM_DNS = "proxy.upstream_dns"
    PROXY_UPSTREAM_TIMEOUT = "proxy.upstream_timeout"
    PROXY_UPSTREAM_REFUSED = "proxy.upstream_refused"
    PROXY_CLOSED = "proxy.closed"
    PROXY_CONFIG = "proxy.config"
    TLS_STALL = "tls.stall"
    TLS_RESET = "tls.reset"
    TLS_NOT_TLS = "tls.not_tls"
    TLS_HOST_MISMATCH = "tls.host_mismatch"
    TLS_EXPIRED = "tls.expired"
    TLS_NOT_YET_VALID = "tls.not_yet_valid"
    TLS_SELF_SIGNED = "tls.self_signed"
    TLS_UNKNOWN_CA = "tls.unknown_ca"
    TLS_MISSING_INTERMEDIATE = "tls.missing_intermediate"
    TLS_INTERCEPTED = "tls.intercepted"
    TLS_VERSION = "tls.version"
    TLS_CIPHER = "tls.cipher"
    TLS_CLIENT_CERT_REQUIRED = "tls.client_cert_required"
    TLS_WEAK_KEY = "tls.weak_key"
    TLS_WEAK_SIGNATURE = "tls.weak_signature"
    TLS_INVALID_CHAIN = "tls.invalid_chain"
    """The presented certificates do not prove one another (signature, purpose, path length)."""
    TLS_CHAIN_TOO_LARGE = "tls.chain_too_large"
    TLS_STRICT_ONLY = "tls.strict_only"
    """The chain holds only where RFC 5280 is not read strictly (Python 3.13 reads it so by default)."""
    HTTP_STATUS = "http.status"
    HTTP_REDIRECT_BLOCKED = "http.redirect_blocked"
    HTTP_HEADER_TOO_LARGE = "http.header_too_large"
    HTTP_SLOW_HEADERS = "http.slow_headers"
    HTTP_SLOW_BODY = "http.slow_body"
    HTTP_TRUNCATED = "http.truncated"
    HTTP_NO_RESPONSE = "http.no_response"
    HTTP_NOT_HTTP = "http.not_http"
    HTTP_WRONG_TARGET = "http.wrong_target"


@dataclass(frozen=True)
class ProbeAsk:
    """One request to one URL, without credentials."""

    url: str
    """``https://host[:port]/path`` or ``http://…``; never with userinfo."""
    method: str = "GET"
    look_for: tuple[str, ...] = ()
    """Substrings whose presence in the body (first 64 KiB) is reported."""
    proxied: bool = True
    """Use the proxy that the environment names for this URL; False goes direct whatever it says."""
    proxy: str | None = None
    """A proxy that the site file names (``http://host:port``): it wins over the one of the environment."""
    ca_file: str | None = None
    """Further trust anchors (PEM), besides the host's store."""
    keep_headers: tuple[str, ...] = ()
    """Names (lower case) of response headers whose values are reported besides the usual ones."""
    public_ca: bool = False
    """The endpoint is known to have a certificate from a public authority: any other chain is interception."""


SITE = "site"
"""`Route.why` where the site file names the proxy."""
LOOPBACK = "loopback"
"""`Route.why` where a proxy is set, but the target is this machine itself."""


@dataclass(frozen=True)
class Route:
    """Which way a request takes, and why."""

    proxy: str | None
    """``host:port`` of the proxy, without credentials; None is direct."""
    why: str
    """The variable that decided (``https_proxy``, ``NO_PROXY``), ``site``, ``loopback``; empty where nothing is set."""


@dataclass(frozen=True)
class StageSeen:
    """One stage: how long it took, and the code that ended it (None: passed)."""

    stage: Stage
    took_s: float
    code: Code | None = None
    detail: str = ""
    """Raw evidence, capped and without secrets: ``ECONNREFUSED 127.0.0.1:443``, ``HTTP/1.1 407``."""


@dataclass(frozen=True)
class CertificateSeen:
    """One certificate as presented; names are data from outside, capped and made visible."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """dNSNames of the subject alternative name."""
    not_before: str
    """RFC 3339, UTC."""
    not_after: str
    key: str
    """``RSA 2048``, ``EC secp256r1``, ``Ed25519``."""
    signature: str
    """The hash of the signature: ``sha256``."""
    sha256: str
    """Fingerprint of the DER form, hex."""
    addresses: tuple[str, ...]
    """iPAddresses of the subject alternative name."""


@dataclass(frozen=True)
class TlsSeen:
    """What the handshake showed."""

    version: str
    """``TLSv1.3``; empty where the handshake did not come that far."""
    cipher: str
    chain: tuple[CertificateSeen, ...]
    """As presented, leaf first."""
    issuer: str
    """Who issued the last certificate that the leaf leads to by signatures; what else a server sends proves nothing."""
    trusted: bool
    """The host's store (with ``ca_file``) ends the chain."""
    trusted_publicly: bool
    """Mozilla's public roots (certifi) end the chain."""
    store: str
    """Which host store was used; empty where none was found."""
    faults: tuple[Code, ...]
    """Every verification fault, not only the first."""


@dataclass(frozen=True)
class HttpSeen:
    """What the answer showed."""

    status: int
    header_names: tuple[str, ...]
    """All of them, lower case, capped in number."""
    headers: tuple[tuple[str, str], ...]
    """Only those that a judgement needs (challenge, date, location, server, via, content-type …), capped, visible."""
    body_kind: str
    """``json``, ``html``, ``xml``, ``text``, ``binary`` or ``empty``, by content, not by its label."""
    found: tuple[str, ...]
    """Which of ``look_for`` the body holds."""
    body_bytes: int


@dataclass(frozen=True)
class ProxySeen:
    """What the proxy said about the request."""

    status: int
    """Of its answer to CONNECT, or of its own answer to a plain request; 0 where it gave none."""
    schemes: tuple[str, ...] = ()
    """Authentication schemes it offers (RFC 9110, 11.7.1), lower case: ``basic``, ``negotiate``, ``ntlm``."""
    error: str = ""
    """The first word of X-Squid-Error: ``ERR_DNS_FAIL``."""
    attempts: int = 1
    """How often the request was put: 2 where credentials were asked for and given."""
    had_credentials: bool = False
    """Whether the setting that names the proxy holds credentials."""


@dataclass(frozen=True)
class Trace:
    """How far one request came."""

    host: str
    port: int
    route: Route
    addresses: tuple[str, ...]
    """What the name resolved to here; empty when a proxy resolves it."""
    peer: str
    """``address:port`` that the connection was made to (the proxy's when there is one); empty where there was none."""
    stages: tuple[StageSeen, ...]
    tls: TlsSeen | None = None
    http: HttpSeen | None = None
    warnings: tuple[Code, ...] = ()
    """Seen besides, without stopping the connection."""
    proxy: ProxySeen | None = None
    """None where no proxy was asked."""
    resolvers: tuple[str, ...] = ()
    """The nameservers of this host while the name was resolved."""

    @property
    def code(self) -> Code | None:
        """The first failing layer; None where the whole request passed."""
        return next((s.code for s in self.stages if s.code is not None), None)

    @property
    def stopped_at(self) -> StageSeen | None:
        """The stage that *code* comes from."""
        return next((s for s in self.stages if s.code is not None), None)


@dataclass(frozen=True)
class Resolved:
    """What one resolver said about a name."""

    name: str
    server: str
    """``system`` for the C library's resolver, else the nameserver's address."""
    addresses: tuple[str, ...]
    canonical: str
    code: Code | None
    took_s: float
    detail: str = ""


@dataclass(frozen=True)
class ProxyVariable:
    """One proxy variable of the environment, without credentials."""

    name: str
    """As it is spelled: ``https_proxy`` and ``HTTPS_PROXY`` are two."""
    value: str
    """``scheme://host:port``, or the list of NO_PROXY."""
    has_credentials: bool
    valid: bool
    """Whether it names a host and a usable scheme."""


class Net(Protocol):
    """Staged probing."""

    def probe(self, ask: ProbeAsk) -> Trace:
        """Make one request.  A stage that fails is in the trace, not an exception."""
        ...

    def resolve(self, name: str, server: str | None = None) -> Resolved:
        """Ask the system's resolver, or one *server* of `nameservers`, for A and AAAA."""
        ...

    def nameservers(self) -> tuple[str, ...]:
        """The addresses in /etc/resolv.conf (resolv.conf(5)), in order."""
        ...

    def proxy_variables(self) -> tuple[ProxyVariable, ...]:
        """The proxy variables that are set, in every spelling, in the order they were found."""
        ...

    def route(self, url: str, proxy: str | None = None) -> Route:
        """Which way a request to *url* takes from here, and which variable decides."""
        ...
