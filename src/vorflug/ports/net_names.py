"""What resolvers and nameservers say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vorflug.ports.net_codes import Code


@dataclass(frozen=True)
class Resolved:
    """What one resolver said about a name."""

    name: str
    server: str
    """``system`` for the C library's resolver, else the nameserver's address."""
    addresses: tuple[str, ...]
    canonical: str
    code: Code | None
    took_s: float
    detail: str = ""


class Edns(StrEnum):
    """What a nameserver makes of a question with EDNS (RFC 6891)."""

    TAKEN = "taken"
    NOT_KNOWN = "not_known"
    """It answers as if there were none, or with an error (RFC 6891, 7)."""
    NO_ANSWER = "no_answer"
    """It answers without EDNS, and is silent with it."""


@dataclass(frozen=True)
class NameserverSeen:
    """How one nameserver answers."""

    server: str
    name: str
    """What it was asked about (A)."""
    code: Code | None
    """Over UDP; that there is no such name or address is an answer, too.  None: it gave an address."""
    took_s: float
    """The quicker of two questions over UDP: the second can be answered from its cache."""
    detail: str = ""
    """Raw evidence for *code*."""
    tcp: bool = False
    """It answers over TCP, too (RFC 7766)."""
    tcp_detail: str = ""
    """Why not: ``ECONNREFUSED 10.0.0.1:53 over TCP``."""
    edns: Edns = Edns.NO_ANSWER
    udp_bytes: int = 0
    """The longest UDP message that it says it takes (RFC 6891, 6.2.3); 0 without EDNS."""
    bogus: bool = False
    """SERVFAIL, and an answer where validation is switched off (CD; RFC 4035, 3.2.2): the signatures do not hold."""


@dataclass(frozen=True)
class Pointer:
    """Which names an address has, as one nameserver says."""

    address: str
    server: str
    names: tuple[str, ...]
    """Capped in number, and visible."""
    code: Code | None
    detail: str = ""
