"""What is asked for: a URL, taken apart as the programs compare its host."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote, urlsplit

Address = IPv4Address | IPv6Address

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Asked:
    """A URL's scheme, host and port."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """As the URL writes it, without brackets; an IPv6 zone after ``%``."""
    port: int
    explicit: bool
    """Whether the URL names the port; some programs compare only what is written."""

    @property
    def bracketed(self) -> str:
        """The host as a URL writes it."""
        return f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host

    @property
    def written(self) -> str:
        """``host`` or ``host:port``, as the URL writes it."""
        return f"{self.bracketed}:{self.port}" if self.explicit else self.bracketed

    @property
    def shown(self) -> str:
        """``host:port``, for people."""
        return f"{self.bracketed}:{self.port}"

    @property
    def ascii(self) -> str:
        """The host in lower case, a name with other letters in its IDNA form."""
        return ascii_name(self.host.lower())

    @property
    def address(self) -> Address | None:
        """The address that the host is, without its zone; None where it is a name."""
        return address(self.host.partition("%")[0])


def parse(url: str) -> Asked:
    """Take *url* apart.  Raises ValueError, which never quotes it, unless it is ``http[s]://host[:port]…``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("no valid host or port") from None
    if parts.scheme not in PORTS:
        raise ValueError("the scheme is neither http nor https")
    if not host:
        raise ValueError("no host name")
    if "@" in parts.netloc:
        raise ValueError("user name or password in the URL")
    if "[" not in parts.netloc:  # urlsplit writes names in lower case, and some programs see the difference
        host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    return Asked(parts.scheme, unquote(host), port or PORTS[parts.scheme], port is not None)


def address(text: str) -> Address | None:
    """*text* as an address in its usual form; None where it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def ascii_name(name: str) -> str:
    """The IDNA form of a name (UTS #46), which may begin with a dot; *name* itself where it has none."""
    if name.isascii():
        return name
    import idna

    dot = "." if name.startswith(".") else ""
    try:
        return dot + idna.encode(name[len(dot) :], uts46=True).decode()
    except idna.IDNAError:
        return name


def unmapped(one: Address) -> Address:
    """The IPv4 address in an IPv4-mapped one (RFC 4291, 2.5.5.2); any other as it is."""
    mapped = one.ipv4_mapped if isinstance(one, IPv6Address) else None
    return mapped or one
