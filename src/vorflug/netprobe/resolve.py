"""Names to addresses: as this host resolves them, and as each nameserver answers."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.model.hosts import address
from vorflug.model.message import visible
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.target import join
from vorflug.ports.net import Code, Resolved

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rdatatype import RdataType

SYSTEM = "system"
DNS_PORT = 53
_ADDRESSES_AT_MOST = 32

_UNAMBIGUOUS = {socket.EAI_NONAME: Code.DNS_NXDOMAIN, socket.EAI_NODATA: Code.DNS_NODATA}
"""getaddrinfo(3).  EAI_AGAIN and EAI_FAIL do not say whether a nameserver was silent, closed or failing."""


def nameservers(resolv_conf: str) -> tuple[str, ...]:
    """The nameservers in the text of a resolv.conf(5).  The C library reads the first three."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and address(words[1]) is not None:
            found.append(words[1])
    return tuple(found[:3])


def system(name: str, servers: Sequence[str], limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> Resolved:
    """Ask the C library's resolver, as every program on this host does.

    Where its answer leaves open what went wrong, or where it hangs, the nameservers are asked for the code.
    """
    began = monotonic()
    if address(name) is not None:
        return Resolved(name, SYSTEM, (name.partition("%")[0],), name, None, 0.0)
    answers: SimpleQueue[Resolved | OSError | UnicodeError] = SimpleQueue()
    # a hung resolver cannot be cancelled, only left behind
    Thread(target=_getaddrinfo, args=(name, answers), name="getaddrinfo", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left(limits.resolve))
    except Empty:
        code, detail = Code.DNS_TIMEOUT, "getaddrinfo"
    else:
        if isinstance(answer, Resolved):
            return replace(answer, took_s=monotonic() - began)
        if isinstance(answer, UnicodeError):
            return Resolved(name, SYSTEM, (), "", Code.DNS_NXDOMAIN, monotonic() - began, "no DNS name")
        detail = _eai(answer)
        known = _UNAMBIGUOUS.get(answer.errno or 0)
        if known is Code.DNS_NXDOMAIN and _exists(name, servers, limits, deadline, dns_port):
            known = Code.DNS_NODATA  # the C library gives EAI_NONAME for names without an address, too
        if known is not None:
            return Resolved(name, SYSTEM, (), "", known, monotonic() - began, detail)
        code = Code.DNS_SERVFAIL
    for server in servers:
        said = ask(name, server, limits, deadline, dns_port)
        if said.code is not None:
            code, detail = said.code, f"{detail}; {server}: {said.detail or said.code}"
            break
    return Resolved(name, SYSTEM, (), "", code, monotonic() - began, detail)


def _exists(name: str, servers: Sequence[str], limits: Limits, deadline: Deadline, dns_port: int) -> bool:
    return any(ask(name, s, limits, deadline, dns_port).code is Code.DNS_NODATA for s in servers[:1])


def _getaddrinfo(name: str, answers: SimpleQueue[Resolved | OSError | UnicodeError]) -> None:
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError) as error:
        answers.put(error)
        return
    found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))[:_ADDRESSES_AT_MOST]
    canonical = visible(next((row[3] for row in rows if row[3]), ""), at_most=253)
    answers.put(Resolved(name, SYSTEM, found, canonical, None, 0.0))


def _eai(error: OSError) -> str:
    for known in ("EAI_AGAIN", "EAI_FAIL", "EAI_NONAME", "EAI_NODATA", "EAI_SYSTEM"):
        if error.errno == getattr(socket, known, None):
            return known
    return errno_name(error)


@dataclass(frozen=True)
class _At:
    """Where a nameserver listens."""

    server: str
    port: int

    def __str__(self) -> str:
        return join(self.server, self.port)


def ask(name: str, server: str, limits: Limits, deadline: Deadline, dns_port: int = DNS_PORT) -> Resolved:
    """Ask one nameserver for A and AAAA, recursively; no search domain is added."""
    from dns.rdatatype import AAAA, A

    began = monotonic()
    at = _At(server, dns_port)
    first = _ask(name, A, at, limits, deadline)
    if first.code not in (None, Code.DNS_NODATA):
        return replace(first, took_s=monotonic() - began)
    second = _ask(name, AAAA, at, limits, deadline)
    found = (first.addresses + second.addresses)[:_ADDRESSES_AT_MOST]
    took = monotonic() - began
    if found:
        # some nameservers are silent about AAAA alone: the name resolves, and that is worth a word
        detail = "" if second.code in (None, Code.DNS_NODATA) else f"AAAA: {second.code} {second.detail}"
        return Resolved(name, server, found, first.canonical or second.canonical, None, took, detail)
    worst = second if second.code not in (None, Code.DNS_NODATA) else first
    return replace(worst, took_s=took)


def _ask(name: str, kind: RdataType, at: _At, limits: Limits, deadline: Deadline) -> Resolved:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query

    def without(code: Code, detail: str) -> Resolved:
        return Resolved(name, at.server, (), "", code, 0.0, visible(detail, at_most=200))

    try:
        question = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0, payload=1232)
    except dns.exception.DNSException as error:
        return without(Code.DNS_NXDOMAIN, f"no DNS name: {type(error).__name__}")
    try:
        answer = _udp(question, at, limits, deadline)
    except dns.exception.Timeout:
        return without(Code.DNS_TIMEOUT, f"no answer from {at} over UDP")
    except OSError as error:
        return without(Code.DNS_UNREACHABLE, f"{errno_name(error)} {at}")
    except dns.exception.DNSException as error:
        return without(Code.DNS_SERVFAIL, f"no DNS answer: {type(error).__name__}")
    if answer.flags & dns.flags.TC:
        try:
            answer = dns.query.tcp(question, at.server, timeout=deadline.left(limits.nameserver), port=at.port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            return without(
                Code.DNS_TRUNCATED_TCP_BLOCKED,
                errno_name(error) if isinstance(error, OSError) and error.errno else type(error).__name__,
            )
    return _read(answer, name, at.server, kind)


def _udp(question: Message, at: _At, limits: Limits, deadline: Deadline) -> Message:
    """Two tries, as a packet may be lost.  A connected socket, so that ICMP errors are heard (udp(7))."""
    import dns.exception
    import dns.query

    family = socket.AF_INET6 if ":" in at.server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((at.server, at.port))
        for last in (False, True):
            try:
                return dns.query.udp(
                    question, at.server.partition("%")[0], deadline.left(limits.nameserver), at.port, sock=sock
                )
            except dns.exception.Timeout:
                if last:
                    raise
    raise OSError(errno.ETIMEDOUT, "no try was made")


def _read(answer: Message, name: str, server: str, kind: RdataType) -> Resolved:
    import dns.exception
    import dns.message
    import dns.rcode

    rcode = answer.rcode()
    match rcode:
        case dns.rcode.NOERROR:
            pass
        case dns.rcode.NXDOMAIN:
            return Resolved(name, server, (), "", Code.DNS_NXDOMAIN, 0.0, "NXDOMAIN")
        case dns.rcode.REFUSED:
            return Resolved(name, server, (), "", Code.DNS_REFUSED, 0.0, "REFUSED")
        case _:
            return Resolved(name, server, (), "", Code.DNS_SERVFAIL, 0.0, dns.rcode.to_text(rcode))
    if not isinstance(answer, dns.message.QueryMessage):
        return Resolved(name, server, (), "", Code.DNS_SERVFAIL, 0.0, "no answer to a query")
    try:
        chain = answer.resolve_chaining()
    except dns.exception.DNSException as error:  # a loop of aliases, or an answer to another question
        return Resolved(name, server, (), "", Code.DNS_NODATA, 0.0, type(error).__name__)
    found = tuple(str(row.address) for row in chain.answer or () if row.rdtype == kind)
    canonical = visible(chain.canonical_name.to_text(omit_final_dot=True), at_most=253)
    return Resolved(name, server, found, canonical, None if found else Code.DNS_NODATA, 0.0)
