"""The files by which a host resolves names: resolv.conf(5), hosts(5), nsswitch.conf(5)."""

from __future__ import annotations

import re

from vorflug.model.hosts import address

NAMESERVERS_AT_MOST = 3
"""MAXNS: the C library reads no more."""
NDOTS = 1
"""Without the option."""
NDOTS_AT_MOST = 15
"""The C library takes a larger one for this."""
_DOMAINS_AT_MOST = 6
"""What is read of a list; the C library itself read no more before glibc 2.26."""
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def nameservers(resolv_conf: str) -> tuple[str, ...]:
    """The nameservers in the text of a resolv.conf(5) that are read."""
    lines = (line.split() for line in resolv_conf.splitlines())
    found = [w[1] for w in lines if len(w) > 1 and w[0] == "nameserver" and address(w[1]) is not None]
    return tuple(found[:NAMESERVERS_AT_MOST])


def search_domains(resolv_conf: str) -> tuple[str, ...]:
    """The search domains in order; of several lines the last one counts (resolv.conf(5))."""
    found: list[str] = []
    for line in resolv_conf.splitlines():
        first, *words = line.split() or [""]
        if first == "search":
            found = words
        elif first == "domain":
            found = words[:1]
    names = [name for name in (word.strip(".") for word in found) if _NAME.fullmatch(name)]
    return tuple(dict.fromkeys(names))[:_DOMAINS_AT_MOST]


def ndots(resolv_conf: str) -> int:
    """How many dots a name must have to be asked for as it stands first (resolv.conf(5))."""
    found = NDOTS
    for line in resolv_conf.splitlines():
        first, *words = line.split() or [""]
        for value in (w.partition(":")[2] for w in words if first == "options" and w.startswith("ndots:")):
            if value.isascii() and value.isdigit():
                found = min(int(value), NDOTS_AT_MOST)
    return found


def host_addresses(hosts: str, name: str) -> tuple[str, ...]:
    """The addresses that the text of a hosts(5) file gives to *name*."""
    wanted = name.lower().rstrip(".")
    found = []
    for line in hosts.lower().splitlines():
        first, *names = line.partition("#")[0].split() or [""]
        here = address(first)
        if here is not None and wanted in (n.rstrip(".") for n in names):
            found.append(str(here))
    return tuple(dict.fromkeys(found))


def hosts_services(nsswitch: str) -> tuple[str, ...] | None:
    """The words of the ``hosts`` line of an nsswitch.conf(5), an action in brackets as one; None without a line."""
    found = None
    for line in nsswitch.splitlines():
        name, colon, rest = line.partition("#")[0].partition(":")
        if colon and name.strip() == "hosts":
            found = tuple(re.findall(r"\[[^\]]*\]|[^\s\[\]]+", rest))
    return found
