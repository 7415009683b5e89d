"""A connection that bytes go through, bare or inside TLS, each call with a deadline."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from typing import Protocol

from vorflug.netprobe.limits import Deadline


class Silent(Exception):
    """Nothing came before the deadline."""


class Alert(Exception):
    """The peer ended TLS with an alert after the handshake; carries OpenSSL's reason."""


class Channel(Protocol):
    """Both ways of a connection."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of *data*.  Raises Silent, OSError or Alert."""
        ...

    def receive(self, deadline: Deadline, at_most: int = 16384) -> bytes:
        """Some bytes; none at the end.  Raises Silent, OSError or Alert."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Plain:
    """A TCP connection.  The socket is non-blocking."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)

    def send(self, data: bytes, deadline: Deadline) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(deadline, reading=False)
            rest = rest[self._sock.send(rest) :]

    def receive(self, deadline: Deadline, at_most: int = 16384) -> bytes:
        self._wait(deadline, reading=True)
        return self._sock.recv(at_most)

    def greeted(self, deadline: Deadline) -> bytes | None:
        """What the peer does unasked: bytes it says (left to be received), ``b""`` where it hangs up, None for nothing.

        Raises OSError where it resets the connection.
        """
        try:
            self._wait(deadline, reading=True)
        except Silent:
            return None
        return self._sock.recv(64, socket.MSG_PEEK)

    def close(self) -> None:
        with suppress(OSError):
            self._sock.close()

    def _wait(self, deadline: Deadline, *, reading: bool) -> None:
        # poll, not select: a descriptor above 1023 is no error with many probes at once
        poller = select.poll()
        poller.register(self._sock, select.POLLIN if reading else select.POLLOUT)
        if not poller.poll(deadline.left() * 1000):
            raise Silent


class Ahead:
    """A channel of which some bytes have been received already."""

    def __init__(self, inner: Channel, data: bytes) -> None:
        self._inner = inner
        self._data = data

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._inner.send(data, deadline)

    def receive(self, deadline: Deadline, at_most: int = 16384) -> bytes:
        if self._data:
            first, self._data = self._data[:at_most], self._data[at_most:]
            return first
        return self._inner.receive(deadline, at_most)

    def close(self) -> None:
        self._inner.close()
