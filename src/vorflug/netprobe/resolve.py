"""Names to addresses, as one nameserver answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.model.message import visible
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.nameserver import DNS_PORT, At, Reply, exchange
from vorflug.ports.net import Code, Resolved

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rdatatype import RdataType

ADDRESSES_AT_MOST = 32
_ALIASES_AT_MOST = 8
_NO_ADDRESS = (None, Code.DNS_NODATA)


@dataclass(frozen=True)
class Said:
    """What one nameserver said about a name."""

    resolved: Resolved
    half: Code | None = None
    """It gave addresses of one family, and failed so about the other: a program that wants both waits for it."""

    @property
    def code(self) -> Code | None:
        """Why there is no address."""
        return self.resolved.code

    @property
    def is_silent(self) -> bool:
        """Nothing came from it at all."""
        return self.code in (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)


def ask(name: str, server: str, limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> Resolved:
    """Ask one nameserver for A and AAAA, recursively; no search domain is added."""
    return ask_both(name, server, limits, deadline, dns_port).resolved


def ask_both(name: str, server: str, limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> Said:
    """The same, with what became of each family.  Raises OSError where this host is out of means."""
    import dns.exception
    from dns.rdatatype import AAAA, A

    began = monotonic()
    at = At(server, dns_port)
    kinds = (A, AAAA)
    try:
        questions = questions_for(name, kinds)
    except dns.exception.DNSException as error:
        detail = f"no DNS name: {type(error).__name__}"
        return Said(Resolved(name, server, (), "", Code.DNS_NXDOMAIN, 0.0, detail))
    replies = exchange(questions, at, limits.nameserver, deadline)
    first, second = (read(name, server, kind, reply) for kind, reply in zip(kinds, replies, strict=True))
    found = (first.addresses + second.addresses)[:ADDRESSES_AT_MOST]
    took = monotonic() - began
    if found:
        failed, kind = (first, "A") if second.addresses else (second, "AAAA")
        # some nameservers are silent about AAAA alone: the name resolves, and that is worth a word
        half = None if failed.code in _NO_ADDRESS else failed.code
        detail = "" if half is None else f"{kind}: {half} {failed.detail}"
        return Said(Resolved(name, server, found, first.canonical or second.canonical, None, took, detail), half)
    worst = second if first.code in _NO_ADDRESS and second.code not in _NO_ADDRESS else first
    if worst.code in (Code.DNS_NODATA, Code.DNS_SERVFAIL) and (loop := _loop(name, at, limits, deadline)):
        worst = replace(worst, code=Code.DNS_CNAME_LOOP, detail=loop)
    return Said(replace(worst, took_s=monotonic() - began))


def questions_for(name: str, kinds: Sequence[RdataType]) -> list[Message]:
    """One question for each of *kinds*, without EDNS, as the C library asks (resolv.conf(5), ``edns0``).

    Raises dns.exception.DNSException for what is no name.
    """
    import dns.message
    import dns.name

    absolute = dns.name.from_text(name)
    found: dict[int, Message] = {}
    for kind in kinds:
        question = dns.message.make_query(absolute, kind)
        while question.id in found:
            question = dns.message.make_query(absolute, kind)
        found[question.id] = question
    return list(found.values())


def read(name: str, server: str, kind: RdataType, reply: Reply) -> Resolved:
    """What *reply* says about records of *kind*; only addresses are taken out of it."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rcode
    from dns.rdatatype import AAAA, A

    def without(code: Code, detail: str) -> Resolved:
        return Resolved(name, server, (), "", code, 0.0, visible(detail, at_most=200))

    if reply.message is None:
        return without(reply.code or Code.DNS_SERVFAIL, reply.detail)
    rcode = reply.message.rcode()
    match rcode:
        case dns.rcode.NOERROR:
            pass
        case dns.rcode.NXDOMAIN:
            return without(Code.DNS_NXDOMAIN, "NXDOMAIN")
        case dns.rcode.REFUSED:
            return without(Code.DNS_REFUSED, "REFUSED")
        case _:
            return without(Code.DNS_SERVFAIL, dns.rcode.to_text(rcode))
    if not isinstance(reply.message, dns.message.QueryMessage):
        return without(Code.DNS_SERVFAIL, "no answer to a query")
    if not (reply.message.answer or reply.message.flags & (dns.flags.AA | dns.flags.RA)):
        # neither its own zone nor looked up for us: the C library, too, takes that for a failure
        return without(Code.DNS_SERVFAIL, "no recursion (RA), and nothing of its own")
    try:
        chain = reply.message.resolve_chaining()
    except dns.message.ChainTooLong:
        return without(Code.DNS_CNAME_LOOP, "the aliases do not end")
    except dns.exception.DNSException as error:  # an answer to another question
        return without(Code.DNS_NODATA, type(error).__name__)
    found = tuple(str(row.address) for row in chain.answer or () if row.rdtype == kind and kind in (A, AAAA))
    canonical = visible(chain.canonical_name.to_text(omit_final_dot=True), at_most=253)
    return Resolved(name, server, found, canonical, None if found else Code.DNS_NODATA, 0.0)


def _loop(name: str, at: At, limits: Limits, deadline: Deadline) -> str:
    """The aliases of *name* where they lead in a circle; else empty.

    Nameservers that meet a circle answer SERVFAIL, or with the first alias only: each alias is asked for by itself.
    """
    import dns.name
    import dns.rdataclass
    from dns.rdatatype import CNAME

    seen = [dns.name.from_text(name)]
    while len(seen) <= _ALIASES_AT_MOST:
        reply = exchange(questions_for(seen[-1].to_text(), (CNAME,)), at, limits.nameserver, deadline)[0]
        if reply.message is None:
            return ""
        rows = reply.message.get_rrset(reply.message.answer, seen[-1], dns.rdataclass.IN, CNAME)
        if not rows:
            return ""
        again = rows[0].target in seen
        seen.append(rows[0].target)
        if again:
            return visible(" -> ".join(n.to_text(omit_final_dot=True) for n in seen), at_most=200)
    return ""
