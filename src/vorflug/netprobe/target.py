"""Where a URL leads (RFC 3986)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vorflug.model.hosts import address

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """One place to ask."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """Name in its ASCII form (RFC 5891), or an IP address without brackets."""
    port: int
    path: str
    """Path and query."""

    @property
    def authority(self) -> str:
        """``host:port``, IPv6 in brackets."""
        return join(self.host, self.port)

    @property
    def host_header(self) -> str:
        """RFC 9110, 7.2: the default port is left out."""
        return join(self.host, None if self.port == PORTS[self.scheme] else self.port)

    @property
    def absolute(self) -> str:
        """The absolute form that a proxy wants (RFC 9112, 3.2.2)."""
        return f"{self.scheme}://{self.host_header}{self.path}"


def parse(url: str) -> Target:
    """Take *url* apart.  Raises ValueError, without quoting userinfo."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError("wanted a URL that begins with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("wanted a URL without user name and password")
    if not parts.hostname:
        raise ValueError("wanted a URL with a host name")
    path = parts.path or "/"
    if parts.query:
        path += f"?{parts.query}"
    if not path.isascii() or any(c <= " " or c == "\x7f" for c in path):
        raise ValueError("wanted a path in ASCII without blanks: write others as %20")
    return Target(parts.scheme, ascii_host(parts.hostname), parts.port or PORTS[parts.scheme], path)


def ascii_host(host: str) -> str:
    """The name as DNS and TLS know it.  Raises ValueError.

    Only IPv6 has zones (RFC 6874), and an IPv4 address is written without a dot behind it (RFC 3986, 3.2.2): what
    programs make of such a host differs, and a check that sees another host than they is none.
    """
    if "%" in host and ":" not in host:
        raise ValueError("wanted a host without percent signs: only IPv6 addresses in brackets have zones")
    if host.endswith(".") and address(host[:-1]) is not None:
        raise ValueError("wanted an IP address without a dot behind it")
    if address(host) is not None:
        return host.partition("%")[0]
    if not host.isascii():
        import idna

        try:
            return ascii_host(idna.encode(host, uts46=True).decode())
        except idna.IDNAError as error:
            raise ValueError(f"not a host name: {error}") from None
    if not all(c.isalnum() or c in "-._" for c in host):
        raise ValueError("wanted a host name of letters, digits, hyphens and dots")
    if not all(host.removesuffix(".").split(".")):
        raise ValueError("wanted a host name with single dots between its labels")  # RFC 1035, 3.1
    return host.lower()


def join(host: str, port: int | None) -> str:
    """``host:port``, IPv6 in brackets."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
