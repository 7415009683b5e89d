"""Which proxy a request takes, and what that proxy says to it.

Variables as curl(1) and Python's urllib read them: the lower-case spelling wins, ``all_proxy`` stands in for a missing
one, and ``no_proxy`` exempts (`vorflug.model.hosts`).  Programs differ: Go reads upper case first, and curl ignores
HTTP_PROXY in capitals; so contradictions are shown.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from vorflug.model.hosts import NO_PROXY_AT_MOST, exempts, is_loopback
from vorflug.model.message import visible
from vorflug.netprobe.request import Answer
from vorflug.netprobe.target import Target, ascii_host, join
from vorflug.ports.net import LOOPBACK, OPTION, SITE, Code, ProxySeen, ProxyVariable, Route

NAMES = (
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
_SOCKS = ("socks5", "socks5h")
"""Both leave the name to the proxy here: what a host resolves is no proof of what its proxy does."""
_SOCKS_LOGIN_BYTES = 255
"""RFC 1929, 2: of user name and of password."""
_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""The schemes that can be used, with curl's default ports; port 1080 is RFC 1928's."""
_CHALLENGE = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{1,30})(?=\s+[^=,\s]|\s*(?:,|$))")
"""An authentication scheme at the start of a challenge (RFC 9110, 11.6.1), not a parameter ``name=…``."""


@dataclass(frozen=True)
class Proxy:
    """A proxy as a setting names it.  Credentials show in no repr."""

    scheme: str
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def authority(self) -> str:
        """``host:port``."""
        return join(self.host, self.port)

    @property
    def is_socks(self) -> bool:
        """Whether it is spoken to by RFC 1928."""
        return self.scheme in _SOCKS

    def authorization(self) -> str | None:
        """The value of Proxy-Authorization for Basic (RFC 7617); None without credentials."""
        if self.user is None:
            return None
        return "Basic " + b64encode(b":".join(self.login_bytes())).decode()

    def login_bytes(self) -> tuple[bytes, bytes]:
        """User name and password as they are sent: bytes that are no UTF-8 as they came.  Raises UnicodeEncodeError."""
        user, password = (text.encode("utf-8", "surrogateescape") for text in (self.user or "", self.password or ""))
        return user, password

    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be written."""
        if self.user is None:
            return ()
        token = (self.authorization() or "").removeprefix("Basic ")
        return tuple(s for s in (self.password or self.user, token) if s)


@dataclass(frozen=True)
class Choice:
    """The way of one request."""

    proxy: Proxy | None
    why: str
    """As in `Route`."""
    problem: str = ""
    """Why the setting cannot be used, without quoting it; empty where it can."""

    @property
    def route(self) -> Route:
        """The same, without credentials."""
        return Route(self.proxy.authority if self.proxy is not None else None, self.why)


def parse(value: str) -> Proxy:
    """Read a proxy setting.  Raises ValueError, which never quotes the value."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("no valid host or port") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("the scheme is none of http, https and socks5h")
    if not host or parts.path.strip("/") or parts.query:
        raise ValueError("no host name, or more than scheme, host and port")
    user = _unquoted(parts.username) if parts.username is not None else None
    password = _unquoted(parts.password) if parts.password is not None else None
    try:
        proxy = Proxy(parts.scheme, ascii_host(host), port or _DEFAULT_PORTS[parts.scheme], user, password)
    except ValueError:
        raise ValueError("no valid host name") from None
    try:
        login = proxy.login_bytes()
    except UnicodeEncodeError:  # its text quotes the login
        raise ValueError("the login holds characters that cannot be sent") from None
    if proxy.is_socks and max(map(len, login)) > _SOCKS_LOGIN_BYTES:
        raise ValueError("user name or password is longer than RFC 1929 allows (255 bytes)")
    return proxy


def _unquoted(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def variables(environ: Mapping[str, str]) -> tuple[ProxyVariable, ...]:
    """The proxy variables that are set and not empty."""
    return tuple(_variable(name, environ[name]) for name in NAMES if environ.get(name, "").strip())


def _variable(name: str, value: str) -> ProxyVariable:
    if name.lower() == "no_proxy":
        return ProxyVariable(name, visible(value.strip(), at_most=NO_PROXY_AT_MOST), has_credentials=False, valid=True)
    try:
        proxy = parse(value.strip())
    except ValueError:
        # what it says is not shown: a password may stand anywhere in a value that nobody can read
        return ProxyVariable(name, "", has_credentials="@" in value, valid=False)
    shown = f"{proxy.scheme}://{proxy.authority}"
    return ProxyVariable(name, shown, has_credentials=proxy.user is not None, valid=True)


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Every secret in the proxy variables."""
    found: list[str] = []
    for name in NAMES:
        value = environ.get(name, "").strip()
        if "@" not in value:
            continue
        if name.lower() == "no_proxy":  # an entry has no userinfo, and people copy a proxy with its password into it
            parts = (part.rpartition("@")[0].rpartition("://")[2] for part in re.split(r"[,|\s]", value))
            found += [secret for part in parts for secret in (part, part.partition(":")[2])]
            continue
        userinfo = value.rpartition("@")[0].rpartition("://")[2]
        user, _, password = userinfo.partition(":")
        found += [userinfo, password or user, _unquoted(password or user)]
        try:
            found += parse(value).secrets()
        except ValueError:
            continue
    return tuple(dict.fromkeys(s for s in found if s))


def choose(target: Target, environ: Mapping[str, str], site: str | None = None, *, always: bool = False) -> Choice:
    """The way to *target*: the site's proxy, else that of the environment, less ``no_proxy`` and this machine itself.

    A site file names no exemptions, so those of the environment hold for its proxy, too.  Loopback goes direct as in
    Go's net/http: what a proxy would reach under that name is the proxy's own machine.
    *always*: *site* has no exemption.
    """
    name, value = (SITE, site) if site is not None else _setting(target.scheme, environ)
    if not value:
        return Choice(None, "")
    if always and site is not None:
        return _chosen(OPTION, value)
    exempting = next((n for n in ("no_proxy", "NO_PROXY") if environ.get(n, "").strip()), None)
    if exempting is not None and exempts(environ[exempting], target.host, target.port):
        return Choice(None, exempting)
    if is_loopback(target.host):
        return Choice(None, LOOPBACK)
    return _chosen(name, value)


def without_exemptions(target: Target, environ: Mapping[str, str]) -> Choice:
    """The way that the environment names for *target* where nothing exempts it."""
    name, value = _setting(target.scheme, environ)
    return _chosen(name, value) if value else Choice(None, "")


def _chosen(name: str, value: str) -> Choice:
    try:
        return Choice(parse(value.strip()), name)
    except ValueError as error:
        return Choice(None, name, str(error))


def _setting(scheme: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    for base in (f"{scheme}_proxy", "all_proxy"):
        for name in (base, base.upper()):
            if environ.get(name, "").strip():
                return name, environ[name]
    return "", None


def schemes(challenges: list[str]) -> tuple[str, ...]:
    """The authentication schemes in the values of Proxy-Authenticate, in order, lower case."""
    found = [s.lower() for value in challenges for s in _CHALLENGE.findall(value)]
    return tuple(dict.fromkeys(found))[:10]


_SQUID = {
    "ERR_DNS_FAIL": Code.PROXY_UPSTREAM_DNS,
    "ERR_READ_TIMEOUT": Code.PROXY_UPSTREAM_TIMEOUT,
    "ERR_LIFETIME_EXP": Code.PROXY_UPSTREAM_TIMEOUT,
    "ERR_GATEWAY_FAILURE": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_CANNOT_FORWARD": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_CONNECT_FAIL": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_SECURE_CONNECT_FAIL": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_READ_ERROR": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_WRITE_ERROR": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_ZERO_SIZE_OBJECT": Code.PROXY_UPSTREAM_REFUSED,
    "ERR_ACCESS_DENIED": Code.PROXY_DENIED,
    "ERR_FORWARDING_DENIED": Code.PROXY_DENIED,
    "ERR_CONFLICT_HOST": Code.PROXY_DENIED,
}
"""Squid's error pages (its errors/ folder), named in X-Squid-Error with the errno behind them."""
_ETIMEDOUT = "110"

_REPORTED = {
    "dns_timeout": Code.PROXY_UPSTREAM_DNS,
    "dns_error": Code.PROXY_UPSTREAM_DNS,
    "destination_not_found": Code.PROXY_UPSTREAM_DNS,
    "destination_unavailable": Code.PROXY_UPSTREAM_REFUSED,
    "destination_ip_prohibited": Code.PROXY_DENIED,
    "destination_ip_unroutable": Code.PROXY_UPSTREAM_REFUSED,
    "connection_refused": Code.PROXY_UPSTREAM_REFUSED,
    "connection_terminated": Code.PROXY_UPSTREAM_REFUSED,
    "connection_timeout": Code.PROXY_UPSTREAM_TIMEOUT,
    "connection_read_timeout": Code.PROXY_UPSTREAM_TIMEOUT,
    "connection_write_timeout": Code.PROXY_UPSTREAM_TIMEOUT,
    "http_response_timeout": Code.PROXY_UPSTREAM_TIMEOUT,
    "http_request_denied": Code.PROXY_DENIED,
    "tls_protocol_error": Code.PROXY_UPSTREAM_REFUSED,
    "tls_certificate_error": Code.PROXY_UPSTREAM_REFUSED,
    "tls_alert_received": Code.PROXY_UPSTREAM_REFUSED,
    "proxy_loop_detected": Code.PROXY_CLOSED,
    "proxy_internal_error": Code.PROXY_CLOSED,
    "proxy_internal_response": Code.PROXY_CLOSED,
    "proxy_configuration_error": Code.PROXY_CLOSED,
}
"""The error types of Proxy-Status (RFC 9209, 2.3)."""
_UPSTREAM = (Code.PROXY_UPSTREAM_DNS, Code.PROXY_UPSTREAM_TIMEOUT, Code.PROXY_UPSTREAM_REFUSED)
_ERROR = re.compile(r";\s*error=\"?([a-z_]{3,40})")

_DNS_WORDS = re.compile(
    r"name or service not known|(?:could not|cannot|can't|unable to|failed to|not be) resolve|resol(?:ution|ving) fail"
    r"|host(?:name)?[^.]{0,20} not (?:be )?found|unknown host|no such (?:host|domain)|nodename nor servname|unresolved"
    r"|nxdomain|dns[\s_-]*(?:error|fail|lookup|resol|server)|name does not resolve|temporary failure in name",
    re.IGNORECASE,
)
_TIME_WORDS = re.compile(r"timed?[\s-]?out|took too long|zeitüberschreitung", re.IGNORECASE)
_OWN_SERVERS = re.compile(
    r"squid|tinyproxy|privoxy|blue\s?coat|proxysg|mitmproxy|zscaler|wingate|ccproxy|polipo|dante|3proxy|mcafee|ironport",
    re.IGNORECASE,
)
"""Proxies that name themselves in Server or Proxy-Agent."""
_NO_PROXY_THERE = (400, 404, 405, 501)
"""How web servers answer a CONNECT, which they do not know."""
_GATEWAY = (500, 502, 503, 504)


def reported(values: list[str]) -> str:
    """The error type that the last Proxy-Status field names; empty where there is none."""
    found = _ERROR.findall(values[-1][:2000]) if values else []
    return found[-1] if found else ""


def went_on(answer: Answer) -> bool:
    """Whether the proxy itself says that it went on to the target, which it does only after the login."""
    page = next(iter(answer.values("x-squid-error")), "").strip().partition(" ")[0]
    named = (_SQUID.get(page), _REPORTED.get(reported(answer.values("proxy-status"))))
    return any(code in _UPSTREAM for code in named)


def is_own_word(status: int, headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether the answer to a plain request is marked as the proxy's own, not the service's."""
    fields = dict(headers)
    if "x-squid-error" in fields or _ERROR.search(fields.get("proxy-status", "")[:2000]):
        return True
    named = f"{fields.get('server', '')} {fields.get('proxy-agent', '')}"
    return status in (403, *_GATEWAY) and bool(_OWN_SERVERS.search(named))


def code_of(seen: ProxySeen, answer: Answer, *, connecting: bool) -> Code:
    """What a proxy's refusal stands for.

    In the order of how much it proves: squid's word with its errno, Proxy-Status, words in the page, the status alone.
    """
    page, _, number = next(iter(answer.values("x-squid-error")), "").strip().partition(" ")
    if seen.status == 407:  # noqa: PLR2004 - RFC 9110, 15.5.8
        if seen.attempts > 1:
            return Code.PROXY_AUTH_REJECTED
        return Code.PROXY_AUTH_REQUIRED if "basic" in seen.schemes else Code.PROXY_AUTH_UNSUPPORTED
    if page == "ERR_CONNECT_FAIL" and number.strip() == _ETIMEDOUT:
        return Code.PROXY_UPSTREAM_TIMEOUT
    if page in _SQUID:
        return _SQUID[page]
    if seen.reported in _REPORTED:
        return _REPORTED[seen.reported]
    text = answer.body[:8192].decode("utf-8", "replace")
    fields = dict(answer.headers)
    named = f"{fields.get('server', '')} {fields.get('proxy-agent', '')} {fields.get('via', '')}"
    if seen.status in _GATEWAY or (seen.status in _NO_PROXY_THERE and _OWN_SERVERS.search(named)):
        if _DNS_WORDS.search(text):
            return Code.PROXY_UPSTREAM_DNS
        if seen.status == 504 or _TIME_WORDS.search(text):  # noqa: PLR2004 - RFC 9110, 15.6.5
            return Code.PROXY_UPSTREAM_TIMEOUT
        return Code.PROXY_UPSTREAM_REFUSED
    if connecting and seen.status in _NO_PROXY_THERE:
        return Code.PROXY_CONFIG
    return Code.PROXY_DENIED


def code_of_plain(seen: ProxySeen | None, answer: Answer | None) -> Code:
    """The same for the answer to a plain request that has turned out to be the proxy's own word."""
    if seen is None or answer is None:
        return Code.PROXY_DENIED
    return code_of(seen, answer, connecting=False)


def exempting_entry(target: Target, no_proxy: str) -> str:
    """The entry of *no_proxy* that exempts *target* for one of curl, Go and Python; empty where none does."""
    from vorflug.model.no_proxy import Dialect, matching
    from vorflug.model.no_proxy import parse as asked

    found = (matching(d, no_proxy, asked(target.absolute)) for d in (Dialect.CURL, Dialect.GO, Dialect.PYTHON))
    return next((visible(entry, at_most=100) for entry in found if entry), "")


def squid_page(squid: str) -> str:
    """The name of squid's error page."""
    return visible(squid.strip().partition(" ")[0], at_most=60)
