"""Go: everything that uses net/http's default transport, among it dockerd, containerd, kubelet, buildkitd and podman.

Source: golang.org/x/net/http/httpproxy (proxy.go: ``FromEnvironment``, ``useProxy``, ``init``), which net/http carries.
Upper case comes before lower case.  ``REQUEST_METHOD`` marks a CGI program, in which a proxy for http is refused.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from vorflug.model.no_proxy.asked import Address, Asked, address, ascii_name, unmapped

PROXIES = {"http": ("HTTP_PROXY", "http_proxy"), "https": ("HTTPS_PROXY", "https_proxy")}
LISTS = ("NO_PROXY", "no_proxy")


def never_proxied(asked: Asked) -> bool:
    """``localhost``, in just this spelling, and loopback addresses go direct, whatever is set."""
    here = asked.address
    return asked.host == "localhost" or (here is not None and unmapped(here).is_loopback)


def matching(no_proxy: str, asked: Asked) -> str | None:
    """The entry that exempts what is *asked* for; None where none does."""
    entries = [entry for part in no_proxy.split(",") if (entry := part.strip())]
    if "*" in entries:
        return "*"
    return next((entry for entry in entries if _matches(entry.lower(), asked)), None)


def _matches(entry: str, asked: Asked) -> bool:
    here = asked.address
    if (network := _network(entry)) is not None:
        return here is not None and unmapped(here) in network
    host, port = _split(entry)
    if not host or (port and port != str(asked.port)):
        return False
    if (there := address(host)) is not None and "%" not in host:
        return here is not None and unmapped(here) == unmapped(there)
    return here is None and _covers(host, asked.ascii)


def _covers(entry: str, host: str) -> bool:
    """``lab.test`` covers itself and what is below, ``.lab.test`` and ``*.lab.test`` only what is below."""
    below = entry[1:] if entry.startswith("*.") else entry
    itself = not below.startswith(".")
    suffix = ascii_name(f".{below}" if itself else below)
    return host.endswith(suffix) or (itself and host == suffix[1:])


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """As net.ParseCIDR: an address and a number of bits, no mask in dots."""
    base, _, bits = entry.partition("/")
    here = address(base)
    if here is None or "%" in base or not re.fullmatch(r"[0-9]{1,3}", bits) or int(bits) > here.max_prefixlen:
        return None
    return _plain(here, int(bits))


def _plain(base: Address, bits: int) -> IPv4Network | IPv6Network:
    inner = unmapped(base)
    if isinstance(inner, IPv4Address) and base.version == 6 and bits >= 96:  # noqa: PLR2004 - ::ffff:0:0/96
        bits -= 96
    elif inner is not base:
        inner = base
    return ip_network(f"{inner}/{bits}", strict=False)


def _split(entry: str) -> tuple[str, str]:
    """As net.SplitHostPort; an entry without a port is a host as it is."""
    found = re.fullmatch(r"\[([^\[\]]*)\]:([^:\[\]]*)|([^:\[\]]*):([^:\[\]]*)", entry)
    if found is None:
        return entry, ""
    return found[1] if found[1] is not None else found[3], found[2] if found[2] is not None else found[4]
