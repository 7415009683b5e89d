"""Targets: what speaks HTTP, or something on top of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

from fuzz.draw import Draw, scripted, shown
from vorflug.netprobe import answer as answers
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe import redirect, request, socks, stand_ins, stream, websocket
from vorflug.netprobe.events import EventParser
from vorflug.netprobe.limits import BODY_BYTES, WHOLE_BODY_BYTES, Deadline
from vorflug.netprobe.login import Logins
from vorflug.netprobe.request import Line
from vorflug.netprobe.target import parse
from vorflug.netprobe.unpacked import Unpacked
from vorflug.ports.net import Mode, ProbeAsk, ProxySeen

HERE = parse("https://service.lab.test/v1")
ASK = ProbeAsk(url=HERE.absolute, judged=True)


def reading(data):
    """One request: head, body, and the judgement over it."""
    draw = Draw(data)
    method = draw.pick("GET", "CONNECT", "HEAD", "POST")
    whole, genuine = draw.flag(), draw.flag()
    channel = scripted(draw)
    channel.data = draw.rest()
    line = Line(method, HERE.path, HERE.host_header)
    answer = request.fetch(channel, line, Deadline(5), whole=whole)
    assert len(answer.body) <= BODY_BYTES
    http = request.seen(answer, ("x",), ("x-odd",))
    shown(http, answer.detail)
    judged = answers.judge(ASK, HERE, answer, genuine=genuine)
    shown(judged.detail, judged.follow.shown if judged.follow else "")
    _as_proxy(answer)


def _as_proxy(answer):
    offered = proxies.schemes(answer.values("proxy-authenticate"))
    page = proxies.squid_page(next(iter(answer.values("x-squid-error")), ""))
    reported = proxies.reported(answer.values("proxy-status"))
    shown(offered, page, reported)
    proxies.is_own_word(answer.status, answer.headers)
    seen = ProxySeen(status=answer.status, schemes=offered, error=page, reported=reported)
    proxies.code_of(seen, answer, connecting=True)


def proxy_headers(data):
    """What a proxy says of itself."""
    draw = Draw(data)
    status = draw.pick(407, 502, 503, 504, 403, 400, 200)
    names = ("proxy-authenticate", "x-squid-error", "proxy-status", "server", "via", "proxy-agent")
    headers = tuple((name, draw.field()) for name in names)
    _as_proxy(request.Answer(None, "", status, headers, draw.rest()))


def unpacked(data):
    """A packed body."""
    draw = Draw(data)
    coding, piece = draw.pick("gzip", "deflate", "x-gzip ", "br", ""), draw.pick(1, 3, 100, 1 << 16)
    body = Unpacked()
    body.packed_by(coding)
    rest = draw.rest()
    for at in range(0, len(rest), piece):
        body.take(rest[at : at + piece])
        if body.size >= WHOLE_BODY_BYTES:
            break
    assert len(body.kept) <= BODY_BYTES and body.came <= len(rest) and body.size >= body.came


def events(data):
    """Server-sent events: cut anywhere, they are the same."""
    draw = Draw(data)
    piece = draw.pick(1, 2, 7, 1000)
    rest = draw.rest()
    cut = EventParser()
    found = [e for at in range(0, len(rest), piece) for e in cut.feed(rest[at : at + piece])]
    assert found == EventParser().feed(rest)
    for event in found:
        stream.sent_at(event)


def watching(data):
    """A whole event stream."""
    draw = Draw(data)
    channel = scripted(draw)
    if channel._end == "silent":
        channel._end = "eof"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" if draw.flag() else b""
    channel.data = head + draw.rest()
    came = stream.watch(channel, Line("GET", "/", "h"), Deadline(5), idle_s=draw.pick(0, 1))
    shown(came.detail, came.stream)


_KEY = re.compile(rb"Sec-WebSocket-Key: *([^\r\n]+)", re.IGNORECASE)
_RFC6455 = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frames(data):
    """A WebSocket after a good upgrade, or after whatever is said instead."""
    draw = Draw(data)
    good = not draw.flag()

    def upgrade(channel, sent):
        if (key := _KEY.search(sent)) is not None and good:
            token = base64.b64encode(hashlib.sha1(key[1] + _RFC6455).digest())
            head = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            channel.data = head + token + b"\r\n\r\n" + channel.data

    channel = scripted(draw, on_send=upgrade)
    channel.data = draw.rest()
    came = websocket.talk(channel, Line("GET", "/", "h"), Deadline(5), idle_s=0)
    shown(came.detail, came.stream)


def socks_replies(data):
    """SOCKS 5, with and without a login."""
    draw = Draw(data)
    proxy = proxies.parse(draw.pick("socks5h://p.test", "socks5h://user:word@p.test"))
    channel = scripted(draw)
    channel.data = draw.rest()
    opened = socks.open_way(channel, proxy, draw.pick("h.test", "2001:db8::1", "192.0.2.1"), 443, Deadline(5), Logins())
    shown(opened.detail, opened.schemes)


def redirects(data):
    """A Location field.  Followed only on the same host."""
    step = redirect.read(data.decode("latin-1"), HERE)
    shown(step.shown)
    if step.target is not None:
        assert step.target.host == HERE.host and step.target.scheme == "https"


def pages(data):
    """A page that may be a stand-in."""
    draw = Draw(data)
    status, location = draw.pick(200, 302, 403, 511), draw.field()
    body = draw.rest()
    stand_ins.suspicion(HERE, status, (("location", location),), body.decode("utf-8", "replace"))
    headers = (("location", location), ("content-type", location), ("retry-after", location))
    for mode in (Mode.HTTP, Mode.SSE):
        ask = ProbeAsk(url=HERE.absolute, judged=True, mode=mode)
        judged = answers.judge(ask, HERE, request.Answer(None, "", status, headers, body), genuine=False)
        shown(judged.follow.shown if judged.follow else "")


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b'Transfer-Encoding: chunked\r\n\r\n5;ext="a"\r\nhello\r\n0\r\nTrailer: x\r\n\r\n'
_GZIP = gzip.compress(b"<html>" + bytes(1000), mtime=0)

TARGETS = {
    reading: (
        b"\0\0\0\0\0" + _CHUNKED,
        b"\0\1\0\1\0" + _OK + b"Content-Length: 2\r\nServer: squid\x1b[2J\r\n\r\n{}",
        b'\1\0\0\0\0HTTP/1.1 407 P\r\nProxy-Authenticate: Basic realm="x", NTLM\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n',
        b"\0\1\0\0\0" + _OK + b"Content-Encoding: gzip\r\n\r\n" + _GZIP,
        b"\0\0\0\2\0HTTP/1.1 100 C\r\n\r\nHTTP/1.1 302 F\r\nLocation: //[::ffff:169.254.169.254]/\r\n\r\n",
    ),
    proxy_headers: (
        b'\0Basic realm="a, b", Negotiate, NTLM TlRMTVNTUAAC\0\nERR_CONNECT_FAIL 110\0\nsquid; error=dns_error\0\nsquid\0\n1.1 p\0\n\0\n',
        b'\1\0\n\0\np; error="connection_timeout"; details="\x1b"\0\nzscaler\0\n\0\n\0\nname or service not known',
    ),
    unpacked: (b"\0\0" + _GZIP, b"\0\3" + gzip.compress(_GZIP, mtime=0) + b"garbage", b"\1\1" + _GZIP[2:], b"\0\2" + gzip.compress(bytes(1 << 20), mtime=0)),
    events: (b'\0data: {"sent": 1764.5}\r\n\r\nevent: x\rdata\rdata: [DONE]\n\n', b"\2\xef\xbb\xbf: c\n\ndata:\xff\0\n\n"),
    watching: (b"\0\0\1\0data: 1\n\ndata: 2\n\n", b"\1\1\0" + _OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n"),
    frames: (
        b"\0\0\0\x81\x05hello\x8a\x05first\x88\x02\x03\xe8",
        b"\0\1\0\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\0\2\1\x01\x01a\x80\x01b\x89\x00\x88\x20\x0b\xb8\x1b[2J" + bytes(26),
        b"\1\0\0HTTP/1.1 101 S\r\n\r\n",
    ),
    socks_replies: (b"\0\0\0\5\0\5\0\0\1\1\2\3\4\0\x50", b"\1\1\0\5\2\1\0\5\4\0\3\3abc\0\x50", b"\0\0\0HTTP/1.1 400"),
    redirects: (
        b"/x?y#z", b"http://2852039166/", b"https://0251.0376.0251.0376/", b"//[::ffff:a9fe:a9fe]:80", b"https://u:p@service.lab.test:443/\x1b",
        b"https://[v1.x]/", b"http://%31/", b"https://xn--/", b"javascript:alert(1)",
    ),
    pages: (
        b"\0\0\n<html><script>x</script><form>Log in to the network</form>",
        b"\2\0\n<html>Access denied by company policy: category</html>",
        b"\1http://10.0.0.1/login?res=notyet\0\n",
        b"\2\0\nip address 192.0.2.1 is not allowed",
    ),
}  # fmt: skip
