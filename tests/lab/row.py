"""What one row of the lab is: a fault (or an awkward but healthy network), how it is made, and the right answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DIRECT4, DIRECT6, PROXIED = "IPv4", "IPv6", "proxy"
EVERY_WAY = (DIRECT4, DIRECT6, PROXIED)
DIRECT = (DIRECT4, DIRECT6)
NONE = "none"
"""`Row.fault` of what is healthy."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.  In texts ``{host}``, ``{v4}``, ``{v6}`` and ``{ca}`` stand for those of its server."""

    id: str
    fault: str
    """In the words of the list of faults."""
    how: str
    """How it is made, in words."""
    make: Callable[[Any, Any], None] | None = None
    """``make(lab, site)`` starts its servers and lays its traps."""
    url: str = "https://{host}/"
    options: tuple[str, ...] = ()
    code: str = "ok"
    warnings: tuple[str, ...] = ()
    proxied_code: str | None = None
    """Through a proxy, where that sees something else."""
    ways: tuple[str, ...] = EVERY_WAY
    """Where it makes sense."""
    shows: tuple[str, ...] = ()
    """Regular expressions that the JSON document must match: the details of the right answer."""
    never: tuple[str, ...] = ()
    """Codes (``tls.*`` for all of a layer) that must not be said."""
    never_words: tuple[str, ...] = ()
    """Regular expressions that no sentence of what was seen, what it means or what to do may match."""
    prove: tuple[str, ...] = ()
    """An independent program that sees the fault, asked the same way,"""
    proof: str = ""
    """and a regular expression for what it must say (output, then ``exit=N``)."""
    deadline: float = 4.0
    resolver: str = "good"
    """Which resolv.conf, see `lab.station.RESOLVERS`."""
    environ: tuple[tuple[str, str], ...] = ()
    hosts: str = ""
    """Lines of the hosts file."""
    store: str = "host"
    """The host's trust store, see `lab.station.Lab.stores`."""
    clock: str = ""
    """What the host's clock is off, as faketime(1) takes it."""

    def wanted(self, way: str) -> str:
        """The right code on *way*."""
        return self.proxied_code if way == PROXIED and self.proxied_code is not None else self.code


CURL = ("curl", "-sS", "--max-time", "3", "-o", "/dev/null", "-w", "%{http_code} %{errormsg}", "{url}")
"""Proves most things: the status, or the words of libcurl."""


def curl(*more: str) -> tuple[str, ...]:
    """The same with other options."""
    return (*CURL[:-1], *more, "{url}")


def shake(*more: str) -> tuple[str, ...]:
    """openssl-s_client(1): one handshake."""
    return (
        "timeout",
        "3",
        "openssl",
        "s_client",
        "-connect",
        "{host}:443",
        "-servername",
        "{host}",
        "-CAfile",
        "{ca}",
        *more,
    )


def dig(*more: str) -> tuple[str, ...]:
    """dig(1): one try."""
    return ("dig", "+tries=1", "+time=1", *more)
