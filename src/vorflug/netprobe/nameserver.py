"""Questions to one nameserver, over UDP, and over TCP where the answer is too long (RFC 1035, 4.2; RFC 7766)."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vorflug.model.message import visible
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.target import join
from vorflug.ports.net import Code

if TYPE_CHECKING:
    from dns.message import Message

DNS_PORT = 53
_TRIES = 2
"""A packet may be lost; the C library, too, tries twice (resolv.conf(5), ``attempts``)."""
_DATAGRAM_BYTES = 65535
_DETAIL_CHARS = 200


@dataclass(frozen=True)
class At:
    """Where a nameserver listens."""

    server: str
    """Its address, an IPv6 one with its scope where it has one (RFC 4007, 11)."""
    port: int = DNS_PORT

    def __str__(self) -> str:
        return join(self.server, self.port)


@dataclass(frozen=True)
class Reply:
    """What came of one question: a message, or a code that says why there is none."""

    message: Message | None
    code: Code | None = None
    detail: str = ""
    """Raw evidence, capped and visible."""


def prepare() -> None:
    """Import what the threads of a look-up need: modules that import each other can be seen half-made by two."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rcode
    import dns.rdtypes.IN.A
    import dns.rdtypes.IN.AAAA  # noqa: F401


def exchange(questions: Sequence[Message], at: At, patience: float, deadline: Deadline) -> list[Reply]:
    """Put *questions*, whose ids differ, all at once; what is unanswered after *patience* seconds is put once more.

    An answer may be late: until the end every one is taken.  Raises OSError where this host is out of means.
    """
    replies: dict[int, Reply] = {}
    kind, address = _address(at)
    with socket.socket(kind, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            # connected, so that ICMP errors are heard (udp(7))
            sock.connect(address)
            for _ in range(_TRIES):
                _try(sock, questions, replies, deadline.within(patience))
        except OSError as error:
            lost = _lost(error, at)
        else:
            lost = Reply(None, Code.DNS_TIMEOUT, f"no answer from {at} over UDP")
    return [_whole(q, replies.get(q.id, lost), at, patience, deadline) for q in questions]


def over_tcp(question: Message, at: At, patience: float, deadline: Deadline) -> Reply:
    """Put one *question* over TCP."""
    import dns.exception
    import dns.query

    try:
        return Reply(dns.query.tcp(question, at.server, timeout=deadline.left(patience), port=at.port))
    except (dns.exception.DNSException, OSError, EOFError) as error:
        name = errno_name(error) if isinstance(error, OSError) and error.errno else type(error).__name__
        return Reply(None, Code.DNS_TRUNCATED_TCP_BLOCKED, f"{name} {at} over TCP")


def _address(at: At) -> tuple[int, Any]:
    """Family and socket address; a tuple without the number of its scope would lose the scope."""
    row = socket.getaddrinfo(at.server, at.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    return row[0], row[4]


def _try(sock: socket.socket, questions: Sequence[Message], replies: dict[int, Reply], ends: Deadline) -> None:
    import dns.exception
    import dns.message

    pending = {q.id: q for q in questions if q.id not in replies}
    for question in pending.values():
        sock.send(question.to_wire())
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    while pending and poller.poll(ends.left() * 1000):
        data = sock.recv(_DATAGRAM_BYTES)
        number = int.from_bytes(data[:2], "big")
        if number not in pending:
            continue
        try:
            message = dns.message.from_wire(data, ignore_trailing=True)
        except dns.exception.DNSException as error:
            replies[number] = Reply(None, Code.DNS_SERVFAIL, f"no DNS answer: {type(error).__name__}")
        else:
            if not pending[number].is_response(message):
                continue
            replies[number] = Reply(message)
        del pending[number]


def _lost(error: OSError, at: At) -> Reply:
    detail = visible(f"{errno_name(error)} {at}", at_most=_DETAIL_CHARS)
    # measured: a packet that this host's own nftables drop gives EPERM: that, too, is no answer
    return Reply(None, Code.DNS_TIMEOUT if error.errno == errno.EPERM else Code.DNS_UNREACHABLE, detail)


def _whole(question: Message, reply: Reply, at: At, patience: float, deadline: Deadline) -> Reply:
    import dns.flags

    if reply.message is None or not reply.message.flags & dns.flags.TC:
        return reply
    return over_tcp(question, at, patience, deadline)
