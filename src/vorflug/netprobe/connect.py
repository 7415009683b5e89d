"""TCP: every address in turn, a short time apart, the first that answers wins (RFC 8305)."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from vorflug.netprobe.channel import Plain
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.target import join
from vorflug.ports.net import Code

_ADDRESSES_AT_MOST = 8

_CODES = {
    errno.ECONNREFUSED: Code.TCP_REFUSED,
    errno.ECONNRESET: Code.TCP_RESET,
    errno.ETIMEDOUT: Code.TCP_TIMEOUT,
    # measured: icmp-admin-prohibited and host-unreachable give EHOSTUNREACH, `ip route prohibit` EACCES
    errno.EHOSTUNREACH: Code.TCP_PROHIBITED,
    errno.EHOSTDOWN: Code.TCP_PROHIBITED,
    errno.EACCES: Code.TCP_PROHIBITED,
    errno.EPERM: Code.TCP_PROHIBITED,
    # no route is ENETUNREACH, `ip route blackhole` EINVAL, no IPv6 in the kernel EAFNOSUPPORT or EADDRNOTAVAIL
    errno.ENETUNREACH: Code.TCP_NO_ROUTE,
    errno.EINVAL: Code.TCP_NO_ROUTE,
    errno.EAFNOSUPPORT: Code.TCP_NO_ROUTE,
    errno.EADDRNOTAVAIL: Code.TCP_NO_ROUTE,
}

_TELLING = (Code.TCP_REFUSED, Code.TCP_RESET, Code.TCP_PROHIBITED, Code.TCP_TIMEOUT, Code.TCP_NO_ROUTE)
"""Where addresses fail differently: what was answered says more than what was not."""


@dataclass(frozen=True)
class Attempt:
    """An address that could not be connected to."""

    address: str
    code: Code
    detail: str


@dataclass(frozen=True)
class Connected:
    """What came of it: a channel, or none and the code."""

    channel: Plain | None
    peer: str
    failed: tuple[Attempt, ...]

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
    """Connect to the first of *addresses* that answers."""
    return _Race(addresses[:_ADDRESSES_AT_MOST], port, limits, deadline.within(limits.connect)).run()


class _Race:
    def __init__(self, addresses: Sequence[str], port: int, limits: Limits, deadline: Deadline) -> None:
        self._waiting = list(addresses)
        self._port = port
        self._stagger = limits.stagger
        self._deadline = deadline
        self._failed: list[Attempt] = []
        self._running: dict[socket.socket, str] = {}

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
                next_at = monotonic() + self._stagger
                self._start(self._waiting.pop(0), selector)
                continue
            left = self._deadline.left()
            if left <= 0:
                break
            for key, _ in selector.select(min(left, max(0.0, next_at - monotonic())) if self._waiting else left):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)  # noqa: S101 - only sockets are registered
                address = self._running.pop(sock)
                selector.unregister(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number == 0:
                    return Connected(Plain(sock), join(address, self._port), tuple(self._failed))
                sock.close()
                self._fail(address, number)
        for address in [*self._running.values(), *self._waiting]:
            self._failed.append(Attempt(address, Code.TCP_TIMEOUT, f"timeout {join(address, self._port)}"))
        return Connected(None, "", tuple(self._failed))

    def _start(self, address: str, selector: selectors.BaseSelector) -> None:
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self._fail(address, error.errno or 0)
            return
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            number = sock.connect_ex((address, self._port))
        except OSError as error:  # an address that the C library does not take
            number = error.errno or errno.EINVAL
        if number in (0, errno.EINPROGRESS):
            self._running[sock] = address
            selector.register(sock, selectors.EVENT_WRITE)
        else:
            sock.close()
            self._fail(address, number)

    def _fail(self, address: str, number: int) -> None:
        name = errno.errorcode.get(number, str(number))
        self._failed.append(Attempt(address, code_of(number), f"{name} {join(address, self._port)}"))


def code_of(number: int) -> Code:
    """The code for an *errno* of a connection.

    Raises OSError for one that says nothing about the network (no descriptors or memory left).
    """
    if number not in _CODES:
        raise OSError(number, os.strerror(number))
    return _CODES[number]


def errno_name(error: OSError) -> str:
    """``ECONNRESET``; the words of the operating system where there is no such name."""
    number = error.errno or 0
    return errno.errorcode.get(number) or os.strerror(number)
