"""One nameserver on its own: how does it answer, and in which ways can it be asked?"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.model.message import visible
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.nameserver import DNS_PORT, At, Reply, exchange, over_tcp
from vorflug.netprobe.resolve import questions_for, read
from vorflug.ports.net import Code, NameserverSeen, Pointer
from vorflug.ports.net_names import Edns

if TYPE_CHECKING:
    from dns.message import Message

_PAYLOAD = 1232
"""Of our own questions: what fits into an IPv6 packet everywhere (RFC 9715, 3; DNS flag day 2020)."""
_NAMES_AT_MOST = 10
_SILENT = (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)


def look(server: str, name: str, limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> NameserverSeen:
    """Ask *server* about *name* in several ways.  Raises OSError where this host is out of means."""
    import dns.exception
    from dns.rdatatype import A

    look_ = _Look(At(server, dns_port), limits, deadline)
    try:
        plain = questions_for(name, (A,))[0]
    except dns.exception.DNSException as error:
        return NameserverSeen(server, name, Code.DNS_NXDOMAIN, 0.0, f"no DNS name: {type(error).__name__}")
    first, first_s = look_.timed(plain)
    said = read(name, server, A, first)
    if said.code in _SILENT:
        tcp = look_.over_tcp(plain)
        return NameserverSeen(server, name, said.code, first_s, said.detail, tcp.code is None, tcp.detail)
    again, again_s = look_.timed(questions_for(name, (A,))[0])
    took_s = min(first_s, again_s) if again.message is not None else first_s
    tcp = look_.over_tcp(plain)
    edns, udp_bytes = look_.edns(name)
    bogus = said.code is Code.DNS_SERVFAIL and look_.without_validation(name)
    return NameserverSeen(
        server, name, said.code, round(took_s, 4), said.detail, tcp.code is None, tcp.detail, edns, udp_bytes, bogus
    )


def pointer(address: str, server: str, limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> Pointer:
    """Ask *server* for the names of *address*, an IP address.  Raises OSError where this host is out of means."""
    import dns.message
    import dns.reversename
    from dns.rdatatype import PTR

    name = dns.reversename.from_address(address).to_text()
    reply = exchange(questions_for(name, (PTR,)), At(server, dns_port), limits.nameserver, deadline)[0]
    said = read(name, server, PTR, reply)
    if said.code not in (None, Code.DNS_NODATA) or not isinstance(reply.message, dns.message.QueryMessage):
        return Pointer(address, server, (), said.code, said.detail)
    # aliases are usual here (RFC 2317)
    rows = reply.message.resolve_chaining().answer
    names = tuple(visible(str(row).rstrip("."), at_most=253) for row in rows or ())
    return Pointer(address, server, names[:_NAMES_AT_MOST], None if names else Code.DNS_NODATA)


@dataclass(frozen=True)
class _Look:
    at: At
    limits: Limits
    deadline: Deadline

    def timed(self, question: Message) -> tuple[Reply, float]:
        began = monotonic()
        return exchange((question,), self.at, self.limits.nameserver, self.deadline)[0], monotonic() - began

    def over_tcp(self, question: Message) -> Reply:
        return over_tcp(question, self.at, self.limits.nameserver, self.deadline)

    def edns(self, name: str) -> tuple[Edns, int]:
        import dns.message

        question = dns.message.make_query(name, "A", use_edns=0, payload=_PAYLOAD)
        message = self.timed(question)[0].message
        if message is None:
            return Edns.NO_ANSWER, 0
        return (Edns.TAKEN, message.payload) if message.edns >= 0 else (Edns.NOT_KNOWN, 0)

    def without_validation(self, name: str) -> bool:
        import dns.flags
        import dns.message
        import dns.rcode

        question = dns.message.make_query(name, "A", use_edns=0, payload=_PAYLOAD)
        question.flags |= dns.flags.CD
        message = self.timed(question)[0].message
        return message is not None and message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
