"""Real servers on loopback, each with one behaviour.  Threads and port 0; nothing is left when the context ends."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress


@contextmanager
def tcp(handler, host="127.0.0.1", backlog=32, port=0):
    """Accept connections and give each to *handler(sock)* in a thread of its own.  Yields the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    if port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(backlog)
    stop = threading.Event()
    workers = []

    def work(sock):
        with sock, suppress(OSError, ValueError):
            sock.settimeout(20)
            handler(sock)

    def accept():
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            open_.append(sock)
            worker = threading.Thread(target=work, args=(sock,), daemon=True)
            workers.append(worker)
            worker.start()

    open_ = []
    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for sock in open_:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join(5)
        for sock in open_:
            sock.close()


def tls(context, handler):
    """A handler that speaks TLS first."""

    def wrapped(sock):
        with context.wrap_socket(sock, server_side=True) as inside:
            handler(inside)

    return wrapped


def answer(data, *, until_head=True):
    """A handler that reads a request and sends *data*."""

    def handler(sock):
        if until_head:
            head(sock)
        sock.sendall(data)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        _drain(sock)

    return handler


def respond(status="200 OK", body=b"{}", **headers):
    """A healthy HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return answer("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def head(sock):
    """Read to the end of a request's head."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            raise OSError("hung up")
        data += more
    return data


class Again:
    """A socket whose request was read already, to be read once more by another handler."""

    def __init__(self, sock, request):
        self._sock = sock
        self._request = request

    def recv(self, size):
        given, self._request = self._request[:size], self._request[size:]
        return given or self._sock.recv(size)

    def __getattr__(self, name):
        return getattr(self._sock, name)


def reset(sock):
    """Close with RST (SO_LINGER 0, socket(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def reset_after_hello(sock):
    sock.recv(4096)
    reset(sock)


def close(_sock):
    """Hang up at once."""


def silent(sock):
    """Say nothing until the other side goes."""
    _drain(sock)


def _drain(sock):
    with suppress(OSError):
        while sock.recv(4096):
            pass


@contextmanager
def closed_port(host="127.0.0.1"):
    """A port that nobody listens on, kept from others while the test runs."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as holder:
        holder.bind((host, 0))
        yield holder.getsockname()[1]


@contextmanager
def full_backlog():
    """A listener whose queue is full: the kernel drops further SYNs, as a filter that drops would."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        try:
            for _ in range(8):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
                waiting.append(one)
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()
