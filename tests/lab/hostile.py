"""Servers that mean harm: without end, drop by drop, packed, forged.  Handlers for `lab.servers.tcp`.

Each stops when the other side hangs up.
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from contextlib import suppress

from lab.servers import head

LIVE = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script><img src=x onerror=alert(2)>\x9b31m"
"""Acts on a terminal (ESC, OSC, C1) and on a browser."""
TURNED = LIVE + "\u202e\u2066\u200f\u0085\ufeff"
"""The same with controls of bidirectional text (Unicode, UAX 9)."""
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def says(*pieces, read=True):
    """These bytes, then nothing more until the other side goes."""

    def handler(sock):
        if read:
            head(sock)
        for piece in pieces:
            sock.sendall(piece)
        _listen(sock)

    return handler


def endless(start, piece, *, read=True):
    """*start*, then *piece* for ever."""
    many = piece * max(1, 16384 // len(piece))

    def handler(sock):
        if read:
            head(sock)
        sock.sendall(start)
        with suppress(OSError):
            while True:
                sock.sendall(many)

    return handler


def drip(start, slow, *, read=True, every=0.3):
    """*start* at once, then *slow* byte by byte: never silent for long, and never done."""

    def handler(sock):
        if read:
            head(sock)
        sock.sendall(start)
        with suppress(OSError):
            for place in range(len(slow)):
                sock.sendall(slow[place : place + 1])
                time.sleep(every)
        _listen(sock)

    return handler


def tunnel(inner, word=b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """A proxy that opens every way, at whose end *inner* is."""

    def handler(sock):
        head(sock)
        sock.sendall(word)
        inner(sock)

    return handler


def body(data, *, kind="text/html", coding=""):
    """A whole answer."""
    coding = f"Content-Encoding: {coding}\r\n" if coding else ""
    return says(OK + f"Content-Type: {kind}\r\n{coding}Content-Length: {len(data)}\r\n\r\n".encode() + data)


def endless_gzip():
    """A packed stream of nothing but zeros, that never ends: a thousand for one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    begins = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 22)) + packer.flush(zlib.Z_FULL_FLUSH)
    return endless(OK + b"Content-Encoding: gzip\r\n\r\n" + begins, again)


def bomb(size=1 << 30):
    """A gigabyte of zeros in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    parts = [packer.compress(bytes(1 << 22)) for _ in range(size >> 22)]
    return b"".join((*parts, packer.flush()))


def live_fields(status="200 OK", *names):
    """An answer all of whose fields that a report may show act on whoever shows them."""
    said = LIVE.encode("latin-1")
    lines = [f"HTTP/1.1 {status} ".encode() + said]
    lines += [name.encode() + b": " + said for name in names]
    page = b"<title>" + TURNED.encode() + b"</title>" + said
    lines += [b"Content-Type: text/html;" + said, f"Content-Length: {len(page)}".encode(), b"", page]
    return says(b"\r\n".join(lines))


FIELDS = (
    "Via", "Server", "X-Squid-Error", "Proxy-Status", "WWW-Authenticate", "Proxy-Authenticate", "Location", "Retry-After",
    "Proxy-Agent", "X-Amzn-ErrorType", "Apim-Request-Id", "Date", "X-<b>",
)  # fmt: skip


def redirect(location, status="302 Found"):
    return says(f"HTTP/1.1 {status}\r\nLocation: ".encode() + location + b"\r\nContent-Length: 0\r\n\r\n")


METADATA = {
    "dotted": b"http://169.254.169.254/latest/meta-data/",
    "decimal": b"http://2852039166/latest/meta-data/",
    "octal": b"http://0251.0376.0251.0376/latest/meta-data/",
    "hexadecimal": b"http://0xa9fea9fe/",
    "mixed": b"http://0xa9.0376.43518/",
    "mapped": b"http://[::ffff:169.254.169.254]/",
    "mapped in hex": b"http://[::ffff:a9fe:a9fe]/",
    "compatible": b"http://[::a9fe:a9fe]/",
    "behind NAT64": b"http://[64:ff9b::a9fe:a9fe]/",
    "6to4": b"http://[2002:a9fe:a9fe::]/",
    "with a dot": b"http://169.254.169.254./",
    "with userinfo": b"http://service.lab.test@169.254.169.254/",
    "relative scheme": b"//169.254.169.254/",
    "percent": b"http://%31%36%39.254.169.254/",
    "name": b"http://metadata.google.internal/",
    "IPv6 of AWS": b"http://[fd00:ec2::254]/",
}
"""Ways to write where clouds keep their metadata."""


# ---- TLS by hand -----------------------------------------------------------------------------------------------------


def record(kind, data, version=b"\x03\x03"):
    """One TLS record (RFC 8446, 5.1)."""
    return bytes([kind]) + version + len(data).to_bytes(2, "big") + data


def message(kind, data):
    """One handshake message (RFC 8446, 4), in as many records as it takes."""
    whole = bytes([kind]) + len(data).to_bytes(3, "big") + data
    return b"".join(record(22, whole[at : at + 16000]) for at in range(0, len(whole), 16000))


def server_hello(random=None, extensions=b"", cipher=b"\xc0\x2f"):
    """TLS 1.2 with ECDHE-RSA (RFC 5246, 7.4.1.3)."""
    data = b"\x03\x03" + (random or os.urandom(32)) + b"\0" + cipher + b"\0"
    return message(2, data + len(extensions).to_bytes(2, "big") + extensions)


_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest (RFC 8446, 4.1.3)."""


def hello_retry():
    """Asks for another key share (secp256r1)."""
    versions, share = b"\0\x2b\0\2\3\4", b"\0\x33\0\2\0\x17"
    return server_hello(_RETRY, versions + share, b"\x13\x01")


def presents(*ders):
    """A chain without any key for it: what a client is shown, it looks at before it learns that."""
    listed = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
    return after_hello(
        server_hello(extensions=b"\xff\x01\0\1\0") + message(11, len(listed).to_bytes(3, "big") + listed)
    )


def after_hello(*pieces):
    """These bytes once a ClientHello came, then nothing."""

    def handler(sock):
        sock.recv(16384)
        for piece in pieces:
            sock.sendall(piece)
        _listen(sock)

    return handler


def flood(piece, start=b""):
    """After a ClientHello the same record for ever."""

    def handler(sock):
        sock.recv(16384)
        endless(start, piece, read=False)(sock)

    return handler


def alert(number, level=2):
    return after_hello(record(21, bytes([level, number])))


# ---- names -----------------------------------------------------------------------------------------------------------


def nested_gzip():
    return gzip.compress(gzip.compress(bytes(1 << 24), mtime=0), mtime=0)


def _listen(sock):
    with suppress(OSError):
        while sock.recv(65536):
            pass
