"""A small forward proxy: CONNECT and absolute form, with the faults of real ones."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from lab.servers import head, tcp
from lab.servers import tls as in_tls


class Seen:
    """What the proxy was asked."""

    def __init__(self):
        self.lines = []
        self.logins = []


def refuse(status, *headers, body=b""):
    """An answer that opens nothing."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def proxy(*, login=None, schemes=('Basic realm="lab"',), always=None, to=None, host="127.0.0.1", tls=None, port=0):
    """Yields (port, Seen).  *login* is ``user:password``; *always* is sent whatever is asked; *to*: ask there instead; *tls*: a context.

    Names below lab.test lead to loopback: no request to loopback itself is given to a proxy.
    """
    seen = Seen()

    def handler(sock):
        asked = head(sock)
        line, *fields = asked.decode("latin-1").split("\r\n")
        seen.lines.append(line)
        given = next(
            (f.partition(":")[2].strip() for f in fields if f.lower().startswith("proxy-authorization:")), None
        )
        seen.logins.append(given)
        if always is not None:
            sock.sendall(always)
            return
        if login is not None and given != "Basic " + b64encode(login.encode()).decode():
            challenges = [f"Proxy-Authenticate: {s}" for s in schemes]
            sock.sendall(refuse("407 Proxy Authentication Required", *challenges, body=b"log in"))
            return
        method, target, _ = line.split(" ")
        if method == "CONNECT":
            name, _, port = target.rpartition(":")
            with socket.create_connection(to or (_place(name.strip("[]")), int(port)), timeout=10) as upstream:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                splice(sock, upstream)
            return
        parts = urlsplit(target)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        with socket.create_connection(to or (_place(parts.hostname), parts.port or 80), timeout=10) as upstream:
            upstream.sendall(asked.replace(target.encode(), path.encode(), 1))
            while data := upstream.recv(4096):
                sock.sendall(data)

    with tcp(in_tls(tls, handler) if tls else handler, host, port=port) as bound:
        yield bound, seen


def _place(name):
    return "127.0.0.1" if name.endswith(".lab.test") else name


def splice(one, other):
    """Pass on what either side says until both are done."""

    def pump(source, sink):
        with suppress(OSError):
            while data := source.recv(16384):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join(10)
