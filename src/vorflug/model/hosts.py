"""Hosts as URLs and NO_PROXY write them.

How each program reads NO_PROXY is in `vorflug.model.no_proxy`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from vorflug.model.no_proxy.asked import PORTS, Asked
from vorflug.model.no_proxy.curl import SPACES_SEPARATE
from vorflug.model.no_proxy.decision import Dialect, matching

NO_PROXY_AT_MOST = 4000
"""Characters of a list that are read and shown."""
_READERS = (Dialect.CURL, Dialect.GO, Dialect.PYTHON)


def address(host: str) -> IPv4Address | IPv6Address | None:
    """*host* as an IP address; None where it is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_bogon(text: str) -> bool:
    """Whether no public host can have this address: loopback, unspecified, link-local, multicast, 240.0.0.0/4.

    Lists of blocked names send them there.  Private ranges are no fault, as split horizons use them.  Raises ValueError
    for what is no address.
    """
    here = ip_address(text.partition("%")[0])
    reserved = here.version == 4 and here.is_reserved  # noqa: PLR2004 - RFC 1112, 4; of IPv6 64:ff9b:: is used
    return here.is_loopback or here.is_unspecified or here.is_link_local or here.is_multicast or reserved


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine itself (RFC 6761, 6.3; RFC 1122, 3.2.1.3): never behind a proxy."""
    here = address(host)
    name = host.lower().rstrip(".")
    return here.is_loopback if here is not None else name == "localhost" or name.endswith(".localhost")


def exempts(no_proxy_list: str, host: str, port: int) -> bool:
    """Whether *no_proxy_list* lists *host*, which is asked on *port*, for any of curl, Go and Python's urllib.

    Where they differ, the area proxy_dialects says so.
    """
    asked = Asked("https", host.strip("[]"), port, explicit=port != PORTS["https"])
    return any(
        matching(dialect, no_proxy_list[:NO_PROXY_AT_MOST], asked, SPACES_SEPARATE) is not None for dialect in _READERS
    )
