"""Hosts as URLs and NO_PROXY write them.

NO_PROXY as curl(1) and Python's urllib read it: names (with everything under them), addresses, CIDR ranges and ``*``,
each with an optional port.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

NO_PROXY_AT_MOST = 4000
"""Characters of a list that are read and shown."""


def address(host: str) -> IPv4Address | IPv6Address | None:
    """*host* as an IP address; None where it is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine itself (RFC 6761, 6.3; RFC 1122, 3.2.1.3): never behind a proxy."""
    here = address(host)
    name = host.lower().rstrip(".")
    return here.is_loopback if here is not None else name == "localhost" or name.endswith(".localhost")


def exempts(no_proxy: str, host: str, port: int) -> bool:
    """Whether *no_proxy* lists *host*, which is asked on *port*."""
    entries = re.split(r"[,\s]+", no_proxy[:NO_PROXY_AT_MOST])
    return any(_matches(entry.strip(), host.lower(), port) for entry in entries if entry)


def _matches(entry: str, host: str, asked: int) -> bool:
    if entry == "*":
        return True
    here = address(host)
    if "/" in entry and here is not None:
        try:
            return here in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, _, port = entry.rpartition(":")
    if name and port.isdigit() and (":" not in name or name.startswith("[")):
        if int(port) != asked:
            return False
        entry = name
    entry = entry.strip("[]").lower()
    if (listed := address(entry)) is not None:
        return here == listed
    bare = entry.removeprefix("*").strip(".")
    return bool(bare) and here is None and (host == bare or host.endswith(f".{bare}"))
