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
from vorflug.netprobe.target import Target, ascii_host, join
from vorflug.ports.net import LOOPBACK, SITE, Code, ProxySeen, ProxyVariable, Route

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
_SCHEMES = ("http", "https")
_DEFAULT_PORTS = {"http": 80, "https": 443}
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

    def authorization(self) -> str | None:
        """The value of Proxy-Authorization for Basic (RFC 7617); None without credentials."""
        if self.user is None:
            return None
        return "Basic " + b64encode(f"{self.user}:{self.password or ''}".encode()).decode()

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
    if parts.scheme not in _SCHEMES:
        raise ValueError("the scheme is neither http nor https")
    if not host or parts.path.strip("/") or parts.query:
        raise ValueError("no host name, or more than scheme, host and port")
    user = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    try:
        return Proxy(parts.scheme, ascii_host(host), port or _DEFAULT_PORTS[parts.scheme], user, password)
    except ValueError:
        raise ValueError("no valid host name") from None


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
        if name.lower() == "no_proxy" or "@" not in value:
            continue
        userinfo = value.rpartition("@")[0].rpartition("://")[2]
        user, _, password = userinfo.partition(":")
        found += [userinfo, password or user, unquote(password or user)]
        try:
            found += parse(value).secrets()
        except ValueError:
            continue
    return tuple(dict.fromkeys(s for s in found if s))


def choose(target: Target, environ: Mapping[str, str], site: str | None = None) -> Choice:
    """The way to *target*: the site's proxy, else that of the environment, less ``no_proxy`` and this machine itself.

    A site file names no exemptions, so those of the environment hold for its proxy, too.  Loopback goes direct as in
    Go's net/http: what a proxy would reach under that name is the proxy's own machine.
    """
    name, value = (SITE, site) if site is not None else _setting(target.scheme, environ)
    if not value:
        return Choice(None, "")
    exempting = next((n for n in ("no_proxy", "NO_PROXY") if environ.get(n, "").strip()), None)
    if exempting is not None and exempts(environ[exempting], target.host, target.port):
        return Choice(None, exempting)
    if is_loopback(target.host):
        return Choice(None, LOOPBACK)
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
    "ERR_ACCESS_DENIED": Code.PROXY_DENIED,
    "ERR_FORWARDING_DENIED": Code.PROXY_DENIED,
}
"""Squid's error pages (its errors/ folder), named in X-Squid-Error with the errno behind them."""
_ETIMEDOUT = "110"


def code_of(seen: ProxySeen, squid: str) -> Code:
    """What a proxy's refusal stands for.  *squid*: the value of X-Squid-Error."""
    page, _, number = squid.strip().partition(" ")
    if seen.status == 407:  # noqa: PLR2004 - RFC 9110, 15.5.8
        if seen.attempts > 1:
            return Code.PROXY_AUTH_REJECTED
        return Code.PROXY_AUTH_REQUIRED if "basic" in seen.schemes else Code.PROXY_AUTH_UNSUPPORTED
    if page == "ERR_CONNECT_FAIL" and number.strip() == _ETIMEDOUT:
        return Code.PROXY_UPSTREAM_TIMEOUT
    if page in _SQUID:
        return _SQUID[page]
    match seen.status:
        case 504:
            return Code.PROXY_UPSTREAM_TIMEOUT
        case 502 | 503:
            return Code.PROXY_UPSTREAM_REFUSED
        case _:
            return Code.PROXY_DENIED


def squid_page(squid: str) -> str:
    """The name of squid's error page."""
    return visible(squid.strip().partition(" ")[0], at_most=60)
