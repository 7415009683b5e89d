"""TCP: every address in turn, the families alternating, a short time apart; the first that answers wins (RFC 8305)."""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from time import monotonic

from vorflug.netprobe.channel import Plain
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.target import join
from vorflug.ports.net import AttemptSeen, Code

_ADDRESSES_AT_MOST = 32
"""As many as a look-up gives: the only one that answers may be the last."""
_LEAST_STAGGER_S = 0.1
"""RFC 8305, 5: the least that is recommended."""

_CODES = {
    errno.ECONNREFUSED: Code.TCP_REFUSED,
    errno.ECONNRESET: Code.TCP_RESET,
    errno.ETIMEDOUT: Code.TCP_TIMEOUT,
    # measured: icmp-admin-prohibited and host-unreachable give EHOSTUNREACH, `ip route prohibit` EACCES
    errno.EHOSTUNREACH: Code.TCP_PROHIBITED,
    errno.EHOSTDOWN: Code.TCP_PROHIBITED,
    errno.EACCES: Code.TCP_PROHIBITED,
    errno.EPERM: Code.TCP_PROHIBITED,
    # the kernel's table of ICMP codes (icmp_err_convert): protocol unreachable, source route failed, host isolated
    errno.ENOPROTOOPT: Code.TCP_PROHIBITED,
    errno.EOPNOTSUPP: Code.TCP_PROHIBITED,
    errno.ENONET: Code.TCP_PROHIBITED,
    # no route is ENETUNREACH, `ip route blackhole` EINVAL, no IPv6 in the kernel EAFNOSUPPORT or EADDRNOTAVAIL
    errno.ENETUNREACH: Code.TCP_NO_ROUTE,
    errno.EINVAL: Code.TCP_NO_ROUTE,
    errno.EAFNOSUPPORT: Code.TCP_NO_ROUTE,
    errno.EADDRNOTAVAIL: Code.TCP_NO_ROUTE,
    errno.ENETDOWN: Code.TCP_NO_ROUTE,
}
_OUT_OF_MEANS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, 0)
_NO_NEIGHBOUR_S = 2.5
"""EHOSTUNREACH after this time is silence: no answer to three ARP requests a second apart (arp(7), mcast_solicit)."""
_IPV6_RECVERR = 25
"""linux/in6.h; the socket module does not have it."""
_IP_RECVERR = 11
_ERROR = struct.Struct("=IBBBxII")
"""struct sock_extended_err (ip(7)): errno, origin, type, code, padding, info, data; the offender's address follows."""

_TELLING = (Code.TCP_REFUSED, Code.TCP_RESET, Code.TCP_PROHIBITED, Code.TCP_TIMEOUT, Code.TCP_NO_ROUTE)
"""Where addresses fail differently: what was answered says more than what was not."""


@dataclass(frozen=True)
class Connected:
    """What came of it: a channel, or none and the code."""

    channel: Plain | None
    peer: str
    attempts: tuple[AttemptSeen, ...]
    """Those that ended, the one that won included; what still ran then is in *pending*."""
    pending: Pending | None = None
    """Attempts of the other family that had not ended when one won."""

    @property
    def failed(self) -> tuple[AttemptSeen, ...]:
        """Addresses that could not be connected to."""
        return tuple(attempt for attempt in self.attempts if attempt.code is not None)

    @property
    def code(self) -> Code | None:
        """The most telling failure; None where there is a connection."""
        if self.channel is not None:
            return None
        seen = {attempt.code for attempt in self.failed}
        return next((code for code in _TELLING if code in seen), Code.TCP_TIMEOUT)

    @property
    def detail(self) -> str:
        """Every attempt: ``ECONNREFUSED 127.0.0.1:443``."""
        return "; ".join(attempt.detail for attempt in self.failed)

    @property
    def v6_broken(self) -> bool:
        """An IPv6 address failed although this host has a route to it, and IPv4 works."""
        return self.channel is not None and any(
            ":" in attempt.address and attempt.code is not Code.TCP_NO_ROUTE for attempt in self.failed
        )


def connect(addresses: Sequence[str], port: int, limits: Limits, deadline: Deadline) -> Connected:
    """Connect to the first of *addresses* that answers.  Raises OSError where this host is out of means."""
    chosen = interleaved(addresses)[:_ADDRESSES_AT_MOST]
    # so that the last one, too, has half of the time
    most = max(_LEAST_STAGGER_S, deadline.left(limits.connect) / (2 * max(1, len(chosen))))
    stagger = min(limits.stagger, most)
    return _Race(chosen, port, replace(limits, stagger=stagger), deadline.within(limits.connect)).run()


def interleaved(addresses: Sequence[str]) -> list[str]:
    """The families in turn, beginning with that of the first address (RFC 8305, 4)."""
    first = [a for a in addresses if (":" in a) == (":" in addresses[0])]
    other = [a for a in addresses if a not in first]
    mixed = [a for pair in zip_longest(first, other) for a in pair if a is not None]
    return list(dict.fromkeys(mixed))


class Pending:
    """IPv6 attempts that an IPv4 one has overtaken: a slow network, or a broken one, as time tells."""

    def __init__(self, running: dict[socket.socket, tuple[str, float]], port: int, patience: float) -> None:
        self._running = running
        self._port = port
        self._patience = patience

    def verdict(self, deadline: Deadline) -> tuple[AttemptSeen, ...]:
        """How they ended; one that has had the time of a repeated SYN and no answer is a timeout.  Closes them."""
        ended: list[AttemptSeen] = []
        for sock, (address, began) in self._running.items():
            poller = select.poll()
            poller.register(sock, select.POLLOUT)
            wait = deadline.left(max(0.0, began + self._patience - monotonic()))
            code: Code | None = Code.TCP_TIMEOUT
            detail = f"timeout {join(address, self._port)}"
            if poller.poll(wait * 1000):
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                code = code_of(number) if number else None
                detail = f"{errno.errorcode.get(number, number)} {join(address, self._port)}" if number else ""
            ended.append(AttemptSeen(address, round(monotonic() - began, 4), code, detail))
        self.close()
        return tuple(ended)

    def close(self) -> None:
        """Give them up."""
        for sock in self._running:
            sock.close()


class _Race:
    def __init__(self, addresses: Sequence[str], port: int, limits: Limits, deadline: Deadline) -> None:
        self._waiting = list(addresses)
        self._port = port
        self._limits = limits
        self._deadline = deadline
        self._ended: list[AttemptSeen] = []
        self._running: dict[socket.socket, tuple[str, float]] = {}

    def run(self) -> Connected:
        with selectors.DefaultSelector() as selector:
            try:
                return self._race(selector)
            finally:
                for sock in self._running:
                    sock.close()

    def _race(self, selector: selectors.BaseSelector) -> Connected:
        next_at = monotonic()
        while self._waiting or self._running:
            if self._waiting and (monotonic() >= next_at or not self._running):
                next_at = monotonic() + self._limits.stagger
                self._start(self._waiting.pop(0), selector)
                continue
            left = self._deadline.left()
            if left <= 0:
                break
            for key, _ in selector.select(min(left, max(0.0, next_at - monotonic())) if self._waiting else left):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)  # noqa: S101 - only sockets are registered
                address, began = self._running.pop(sock)
                selector.unregister(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number == 0:
                    return self._won(sock, address, began)
                said = _said_by(sock)
                sock.close()
                self._fail(address, number, began, said)
        running = [(address, began) for address, began in self._running.values()]
        for address, began in [*running, *((a, monotonic()) for a in self._waiting)]:
            self._end(address, began, Code.TCP_TIMEOUT, f"timeout {join(address, self._port)}")
        return Connected(None, "", tuple(self._ended))

    def _won(self, sock: socket.socket, address: str, began: float) -> Connected:
        _hear_of_errors(sock, False)
        self._end(address, began, None, "")
        late = {s: row for s, row in self._running.items() if ":" in row[0] and ":" not in address}
        for other in late:
            del self._running[other]
        pending = Pending(late, self._port, self._limits.v6_patience) if late else None
        return Connected(Plain(sock), join(address, self._port), tuple(self._ended), pending)

    def _start(self, address: str, selector: selectors.BaseSelector) -> None:
        began = monotonic()
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self._fail(address, error.errno or 0, began)
            return
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _hear_of_errors(sock, True)
        try:
            number = sock.connect_ex((address, self._port))
        except OSError as error:  # an address that the C library does not take
            number = error.errno or errno.EINVAL
        if number in (0, errno.EINPROGRESS):
            self._running[sock] = address, began
            selector.register(sock, selectors.EVENT_WRITE)
        else:
            sock.close()
            self._fail(address, number, began)

    def _fail(self, address: str, number: int, began: float, said: _Said | None = None) -> None:
        code = code_of(number)
        at_once = monotonic() - began < _NO_NEIGHBOUR_S
        nobody = said is not None and said.is_no_neighbour
        if number == errno.EHOSTUNREACH and (nobody or not at_once):
            code = Code.TCP_TIMEOUT
        name = errno.errorcode.get(number, str(number))
        by = "" if said is None or nobody else f" (ICMP {said.kind}/{said.reason} from {said.by})"
        self._end(address, began, code, f"{name} {join(address, self._port)}{by}")

    def _end(self, address: str, began: float, code: Code | None, detail: str) -> None:
        self._ended.append(AttemptSeen(address, round(monotonic() - began, 4), code, detail))


def _hear_of_errors(sock: socket.socket, wanted: bool) -> None:
    """Ask the kernel to keep who said what (ip(7), IP_RECVERR); on a connection that stands, ICMP would then end it."""
    v6 = sock.family == socket.AF_INET6
    level, option = (socket.IPPROTO_IPV6, _IPV6_RECVERR) if v6 else (socket.IPPROTO_IP, _IP_RECVERR)
    with suppress(OSError):
        sock.setsockopt(level, option, int(wanted))


@dataclass(frozen=True)
class _Said:
    """An ICMP message that ended an attempt."""

    kind: int
    reason: int
    """Type and code (RFC 792, RFC 4443)."""
    by: str
    here: bool
    """By this host itself."""

    @property
    def is_no_neighbour(self) -> bool:
        """Nobody answered to ARP or neighbour discovery, now or a moment ago.

        Then this host says host or address unreachable; its own filters say something else.
        """
        return self.here and (self.kind, self.reason) in ((3, 1), (1, 3))


def _said_by(sock: socket.socket) -> _Said | None:
    """What ended the attempt; None where no ICMP did, and on kernels before 5.8, which keep no errors of TCP."""
    try:
        _, control, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        here = str(sock.getsockname()[0])
    except OSError:
        return None
    for _, kind, data in control:
        if kind not in (_IP_RECVERR, _IPV6_RECVERR) or len(data) < _ERROR.size + 8:
            continue
        _, _, what, why, _, _ = _ERROR.unpack_from(data)
        offender = data[_ERROR.size :]
        family = int.from_bytes(offender[:2], sys.byteorder)
        place = offender[4:8] if family == socket.AF_INET else offender[8:24]
        if family in (socket.AF_INET, socket.AF_INET6):
            by = socket.inet_ntop(family, place)
            return _Said(what, why, by, by == here)
    return None


def code_of(number: int) -> Code:
    """The code for an *errno* of a connection.

    Raises OSError for one that says nothing about the network (no descriptors or memory left).
    """
    if number in _OUT_OF_MEANS:
        raise OSError(number, os.strerror(number))
    return _CODES.get(number, Code.TCP_PROHIBITED)


def errno_name(error: OSError) -> str:
    """``ECONNRESET``; the words of the operating system where there is no such name."""
    number = error.errno or 0
    return errno.errorcode.get(number) or os.strerror(number)
