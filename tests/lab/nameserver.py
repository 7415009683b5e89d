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
        response = dns.message.make_response(query)
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


def truncated(query):
    """Too long for UDP."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
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
        udp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((host, port))
            return udp, socket.create_server((host, udp.getsockname()[1])) if tcp else None
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
                udp.sendto(response.to_wire(), peer)


def _tcp(listener, behave):
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            length = int.from_bytes(sock.recv(2), "big")
            wire = behave(dns.message.from_wire(sock.recv(length))).to_wire()
            sock.sendall(len(wire).to_bytes(2, "big") + wire)
