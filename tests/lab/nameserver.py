"""A nameserver on loopback whose answers a test gives."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


def records(**names):
    """A behaviour: name → list of addresses, or an rcode's name.  Dots are written as double underscores."""
    table = {k.replace("__", "."): v for k, v in names.items()}

    def behave(query):
        response = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        said = table.get(name, table.get("*", "NXDOMAIN"))
        if isinstance(said, str):
            response.set_rcode(dns.rcode.from_text(said))
            return response
        kind = "AAAA" if question.rdtype == dns.rdatatype.AAAA else "A"
        fitting = [a for a in said if (":" in a) == (kind == "AAAA")]
        if fitting:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *fitting))
        return response

    return behave


def aliases(*, chased=True, **names):
    """A behaviour: name → the name that it is an alias of, or a list of addresses.

    *chased*: the answer holds all aliases up to the end, as that of a resolver does; else only the first.
    """
    table = {k.replace("__", "."): v for k, v in names.items()}

    def behave(query):
        response = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if name not in table:
            response.set_rcode(dns.rcode.NXDOMAIN)
        for _ in range(2 * len(table)):
            said = table.get(name, [])
            if isinstance(said, str):
                response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{said}."))
                name = said
            elif said and question.rdtype == dns.rdatatype.A:
                response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "A", *said))
            if not isinstance(said, str) or not chased or question.rdtype == dns.rdatatype.CNAME:
                break
        return response

    return behave


def only_aliases(behave):
    """SERVFAIL for addresses, as resolvers say that meet a circle of aliases; the aliases themselves are given."""

    def respond(query):
        if query.question[0].rdtype == dns.rdatatype.CNAME:
            return behave(query)
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    return respond


def without(kind, behave, *, rcode=None):
    """Silent about records of *kind* (``AAAA``), or with an *rcode* about them."""

    def respond(query):
        if query.question[0].rdtype != dns.rdatatype.from_text(kind):
            return behave(query)
        if rcode is None:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.from_text(rcode))
        return response

    return respond


def lame(query):
    """A nameserver that is not for this name and does not look further: no error, and nothing."""
    return dns.message.make_response(query)


def counted(behave, asked):
    """Every question's name and kind is put into *asked*."""

    def respond(query):
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        return behave(query)

    return respond


def truncated(query):
    """Too long for UDP."""
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC | dns.flags.RA  # without RA the C library takes the server for lame
    return response


def mute(_query):
    """No answer."""
    return None


@contextmanager
def nameserver(behave, *, host="127.0.0.1", port=0, over_tcp=None):
    """Yields the port.  *over_tcp* is the behaviour over TCP; without it that port is closed."""
    udp, listener = _bound(host, port, over_tcp is not None)
    port = udp.getsockname()[1]
    threads = [threading.Thread(target=_udp, args=(udp, behave), daemon=True)]
    if listener is not None:
        threads.append(threading.Thread(target=_tcp, args=(listener, over_tcp), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield port
    finally:
        with suppress(OSError):
            udp.shutdown(socket.SHUT_RDWR)
        udp.close()
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in threads:
            thread.join(5)


def _bound(host, port, tcp):
    """Sockets on one number; a free port of UDP may be somebody's of TCP, so another one is tried then."""
    for last in [False] * 19 + [True]:
        # a link-local address has the number of its scope in the socket address only
        kind, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
        udp = socket.socket(kind, socket.SOCK_DGRAM)
        try:
            udp.bind(place)
            return udp, socket.create_server((host, udp.getsockname()[1]), family=udp.family) if tcp else None
        except OSError:
            udp.close()
            if last or port:
                raise
    raise AssertionError("not reached")


def _udp(udp, behave):
    while True:
        try:
            data, peer = udp.recvfrom(4096)
        except OSError:
            return
        if not data:
            return
        response = behave(dns.message.from_wire(data))
        if response is not None:
            with suppress(OSError):
                # a behaviour may give bytes, to send what is no message
                udp.sendto(response if isinstance(response, bytes) else response.to_wire(), peer)


def _tcp(listener, behave):
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock, suppress(OSError):
            sock.settimeout(5)
            _conversation(sock, behave)


def _conversation(sock, behave):
    """Several questions on one connection (RFC 7766, 6.2.1): the C library asks for A and AAAA so."""
    while len(size := sock.recv(2, socket.MSG_WAITALL)) == 2:
        data = sock.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        response = behave(dns.message.from_wire(data))
        if response is None:
            return
        wire = response.to_wire()
        sock.sendall(len(wire).to_bytes(2, "big") + wire)
