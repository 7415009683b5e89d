"""The network, stage by stage: resolve, connect, CONNECT through a proxy, TLS handshake, HTTP request.

What a stage met is one `Code` of a closed vocabulary; nothing here says whether that is good or bad for anybody.
Answer bytes never cross this port as they are: only a status, a few named headers with control characters shown, and
which of the asked marks the body holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vorflug.ports.net_codes import Check as Check
from vorflug.ports.net_codes import Code as Code
from vorflug.ports.net_codes import Stage as Stage
from vorflug.ports.net_key import KeyPlace, KeyState
from vorflug.ports.net_names import NameserverSeen as NameserverSeen
from vorflug.ports.net_names import Pointer as Pointer
from vorflug.ports.net_names import Resolved as Resolved


class Mode(StrEnum):
    """What is asked for once the way is open."""

    HTTP = "http"
    SSE = "sse"
    """Server-sent events (WHATWG HTML, 9.2): do they arrive as they are sent, and does an idle stretch survive?"""
    WS = "ws"
    """A WebSocket (RFC 6455): upgrade, frames both ways, an idle stretch."""


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
    mode: Mode = Mode.HTTP
    timeout_s: float | None = None
    """The deadline of the whole request with its controls; None leaves it to the caller."""
    judged: bool = False
    """Judge the answer, too: follow redirects on the same host, and give codes for status and content."""
    expect_status: tuple[int, ...] = ()
    """Where *judged*: any of these is right.  Empty: every status below 400."""
    expect_type: str = ""
    """Where *judged*: the media type that the answer must have (``application/json``)."""
    upload_bytes: int = 0
    """A body of this many bytes is sent (with POST)."""
    body: str = ""
    """JSON that asks for a stream (with POST and `Mode.SSE`); never a secret."""
    idle_s: float = 0.0
    """For streams: how long a connection must survive on which nothing is said."""
    direct_too: bool = False
    """Where a proxy fails, a direct connection may be tried to tell whose fault it is."""
    proxy_always: bool = False
    """*proxy* holds whatever NO_PROXY says, and for this machine itself: a person named it for this one request."""


SITE = "site"
"""`Route.why` where the site file names the proxy."""
OPTION = "--proxy"
"""`Route.why` where it was named for this one request."""
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
class AttemptSeen:
    """A connection attempt to one address."""

    address: str
    took_s: float
    """From its own start; for one that was given up, until then."""
    code: Code | None
    """None where it was connected."""
    detail: str = ""


@dataclass(frozen=True)
class CheckSeen:
    """What a control showed."""

    check: Check
    outcome: str
    """One of a few plain words of each check: ``passed``, ``failed``, ``same``, ``differs``, ``not_possible``."""
    detail: str = ""
    """Raw evidence, capped and visible."""
    took_s: float = 0.0


@dataclass(frozen=True)
class StreamSeen:
    """What came of a stream or a WebSocket."""

    events: int
    """Events, or frames echoed."""
    arrived_s: tuple[float, ...] = ()
    """When each came, since the request was sent; capped in number."""
    idle_s: float = 0.0
    """The longest silence that the connection survived, or after which it broke."""
    ended: str = ""
    """``complete``, ``eof``, ``reset``, ``timeout`` or ``enough``."""
    flowing: bool = False
    """It was proved that events come as they are sent, or that frames come back."""
    detail: str = ""


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
    sent_bytes: int = 0
    """Of a body that was to be sent (`ProbeAsk.upload_bytes`): so much was taken before the answer came."""
    looks_like: Code | None = None
    """`HTTP_CAPTIVE_PORTAL` or `HTTP_BLOCK_PAGE` where headers and body bear its marks; no proof by itself.

    None where a public authority vouches that the service itself speaks.
    """
    title: str = ""
    """Of an HTML page that bears such marks; capped and visible."""


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
    reported: str = ""
    """The error of the last Proxy-Status field (RFC 9209, 2.3): ``dns_error``; empty where there is none."""
    via: str = ""
    """Its Via field, capped and visible."""


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
    attempts: tuple[AttemptSeen, ...] = ()
    """Every address that was tried, in the order of their starts."""
    checks: tuple[CheckSeen, ...] = ()
    """The controls that were made."""
    redirects: tuple[str, ...] = ()
    """Where the answer led on the same host, in order, without queries."""
    stream: StreamSeen | None = None
    took_s: float = 0.0
    """The whole, controls included."""

    @property
    def code(self) -> Code | None:
        """The first failing layer; None where the whole request passed."""
        return next((s.code for s in self.stages if s.code is not None), None)

    @property
    def stopped_at(self) -> StageSeen | None:
        """The stage that *code* comes from."""
        return next((s for s in self.stages if s.code is not None), None)


@dataclass(frozen=True)
class Keyed:
    """What came of a request with a key."""

    state: KeyState
    trace: Trace | None = None
    """None where no request was made."""


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


class ProxyReader(StrEnum):
    """Who reads a place where proxy settings stand."""

    PROCESS = "process"
    """Whatever is started here: the environment of this process."""
    SERVICES = "services"
    """Every systemd service: DefaultEnvironment= of the manager (systemd-system.conf(5))."""
    DOCKERD = "dockerd"
    CONTAINERD = "containerd"
    CONTAINERS = "containers"
    """Containers that this user's docker command starts."""
    LOGIN = "login"
    """Every login by PAM: /etc/environment (pam_env(8))."""
    WGET = "wget"
    APT = "apt"


class PlaceState(StrEnum):
    """What became of looking into a place."""

    READ = "read"
    ABSENT = "absent"
    DENIED = "denied"
    BROKEN = "broken"
    """It is there, but cannot be read as what it should be."""


@dataclass(frozen=True)
class ProxyPlace:
    """A place where proxy settings stand, as one reader sees it."""

    reader: ProxyReader
    path: str
    """The file; empty for the environment of this process."""
    state: PlaceState
    variables: tuple[ProxyVariable, ...] = ()
    """By the names that the file has for them: ``https-proxy`` in daemon.json is HTTPS_PROXY."""
    empty: tuple[str, ...] = ()
    """Names that are set to nothing."""
    cgi: bool = False
    """Whether REQUEST_METHOD is set, too."""
    pac: tuple[str, ...] = ()
    """Names of variables that name a PAC file; nothing evaluates it."""


class Net(Protocol):
    """Staged probing."""

    def probe(self, ask: ProbeAsk) -> Trace:
        """Make one request.  A stage that fails is in the trace, not an exception."""
        ...

    def probe_with_key(self, ask: ProbeAsk, place: KeyPlace) -> Keyed:
        """Make one request with the key that lies at *place*: to the origin of *ask* alone, never without TLS."""
        ...

    def resolve(self, name: str, server: str | None = None) -> Resolved:
        """Ask the system's resolver, or one *server* of `nameservers`, for A and AAAA."""
        ...

    def nameserver(self, server: str, name: str) -> NameserverSeen:
        """Ask one *server* about *name* in several ways: over UDP and TCP, with EDNS, without DNSSEC validation."""
        ...

    def pointer(self, address: str, server: str) -> Pointer:
        """Ask one *server* which names *address* has (PTR; RFC 1035, 3.5)."""
        ...

    def nameservers(self) -> tuple[str, ...]:
        """The addresses in /etc/resolv.conf (resolv.conf(5)), in order."""
        ...

    def proxy_variables(self) -> tuple[ProxyVariable, ...]:
        """The proxy variables that are set, in every spelling, in the order they were found."""
        ...

    def proxy_places(self) -> tuple[ProxyPlace, ...]:
        """Every place where proxy settings are looked for, of one reader the one that wins last."""
        ...

    def route(self, url: str, proxy: str | None = None) -> Route:
        """Which way a request to *url* takes from here, and which variable decides."""
        ...
