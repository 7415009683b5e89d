"""Where a redirect leads, and whether it is followed (RFC 9110, 15.4; RFC 6454 for origins).

Followed: the same origin, and the step from http to https on the same host.  Nothing else, because whoever answers
decides where it leads: to another origin nothing of ours belongs, and to a metadata service nobody's request does.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from string import punctuation
from unicodedata import normalize
from urllib.parse import quote, unquote, urljoin, urlsplit

from vorflug.model.message import visible
from vorflug.netprobe.target import PORTS, Target, parse

STATUS = (301, 302, 303, 307, 308)
AT_MOST = 10
"""Browsers and curl's users stop between 10 and 50; a sound service needs two or three."""

_METADATA = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"), ip_network("fd00:ec2::254/128"))
"""Link-local addresses (RFC 3927, RFC 4291), where clouds keep their metadata services, and the IPv6 one of AWS."""
_METADATA_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "metadata", "instance-data", "metadata.azure.internal"}
)


class Leads(StrEnum):
    """What kind of place it is."""

    HERE = "here"
    """The same origin, or its https form: it is followed."""
    ELSEWHERE = "elsewhere"
    """Another origin: an answer like any other, but not followed."""
    FORBIDDEN = "forbidden"
    """A place that no public service sends a client to."""
    NOWHERE = "nowhere"
    """There is no usable Location."""


@dataclass(frozen=True)
class Redirect:
    """One step."""

    leads: Leads
    shown: str
    """The target without query and userinfo, capped and visible."""
    target: Target | None = None
    """To be asked next, where it is followed."""


def read(location: str | None, at: Target) -> Redirect:
    """What *location*, the value of the field, stands for in the answer of *at*."""
    if location is None or not location.strip():
        return Redirect(Leads.NOWHERE, "")
    try:
        # blanks and bytes beyond ASCII are no part of a URL, but every browser and curl send them encoded
        whole = urljoin(at.absolute, quote(location.strip().encode("latin-1", "replace"), safe=punctuation))
        parts = urlsplit(whole)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return Redirect(Leads.NOWHERE, visible(location, at_most=200))
    shown = visible(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", at_most=200)
    if parts.scheme not in PORTS:
        return Redirect(Leads.FORBIDDEN, shown)
    here = at.host.rstrip(".")
    if host != here and is_forbidden(host):
        return Redirect(Leads.FORBIDDEN, shown)
    port = port or PORTS[parts.scheme]
    same = host == here and (parts.scheme, port) == (at.scheme, at.port)
    upgrade = host == here and (at.scheme, parts.scheme) == ("http", "https")
    downgrade = host == here and (at.scheme, parts.scheme) == ("https", "http")
    if downgrade:
        return Redirect(Leads.FORBIDDEN, shown)
    if not same and not upgrade:
        return Redirect(Leads.ELSEWHERE, shown)
    try:
        path = parts.path or "/"
        return Redirect(
            Leads.HERE, shown, parse(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}{_query(parts.query)}")
        )
    except ValueError:
        return Redirect(Leads.NOWHERE, shown)


def _query(query: str) -> str:
    return f"?{query}" if query else ""


def is_forbidden(host: str) -> bool:
    """Link-local, loopback, unspecified, multicast, or a metadata service, in every spelling that a client takes."""
    # a browser decodes and normalises the host before it looks at it (WHATWG URL, "host parser")
    host = normalize("NFKC", unquote(host)).lower().rstrip(".")
    if host in _METADATA_NAMES or host == "localhost":
        return True
    found = _address(host)
    if found is None:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or _embedded(found)
        found = inner or found
    if any(found in network for network in _METADATA if network.version == found.version):
        return True
    return found.is_loopback or found.is_unspecified or found.is_multicast


def _embedded(here: IPv6Address) -> IPv4Address | None:
    """The IPv4 address in an IPv4-compatible one (RFC 4291, 2.5.5.1) or behind NAT64's prefix (RFC 6052, 2.1)."""
    value = int(here)
    if value >> 32 == 0 and value > 1:
        return IPv4Address(value)
    if here in ip_network("64:ff9b::/96"):
        return IPv4Address(value & 0xFFFFFFFF)
    return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        # decimal, octal, hexadecimal and short forms, as inet_aton(3) and the URL standard take them
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_metadata(here: str) -> bool:
    """Whether the address is a cloud's metadata service: AWS, Azure, Google and others; ECS; Alibaba; AWS over IPv6."""
    found = _address(here)
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return found is not None and str(found) in _SERVICES


_SERVICES = frozenset({"169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"})
