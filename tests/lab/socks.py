"""A small SOCKS 5 proxy (RFC 1928, RFC 1929), healthy or with one fault; a handler for `lab.servers.tcp`."""

from __future__ import annotations

import socket

from lab.proxies import splice

_NONE, _PASSWORD, _NO_METHOD = 0, 2, 0xFF


def socks(*, login: str = "", reply: int = 0, address: str | None = None):
    """*login*: ``user:password`` that is wanted.  *reply*: refuse with this number.  *address*: where every way leads."""

    def handler(sock) -> None:
        _, count = _exactly(sock, 2)
        methods = _exactly(sock, count)
        if login and _PASSWORD not in methods:
            sock.sendall(bytes([5, _NO_METHOD]))
            return
        sock.sendall(bytes([5, _PASSWORD if login else _NONE]))
        if login:
            _, size = _exactly(sock, 2)
            user = _exactly(sock, size)
            password = _exactly(sock, _exactly(sock, 1)[0])
            right = b":".join((user, password)).decode() == login
            sock.sendall(bytes([1, 0 if right else 1]))
            if not right:
                return
        _, _, _, kind = _exactly(sock, 4)
        host = _exactly(sock, _exactly(sock, 1)[0]) if kind == 3 else _exactly(sock, 4 if kind == 1 else 16)
        port = int.from_bytes(_exactly(sock, 2), "big")
        assert host
        sock.sendall(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if reply:
            return
        with socket.create_connection((address, port), timeout=10) as upstream:
            splice(sock, upstream)

    return handler


def _exactly(sock, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise OSError("hung up")
        data += more
    return data
