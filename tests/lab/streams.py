"""Servers of event streams and WebSockets on loopback, healthy and with one fault each; handlers for `lab.servers.tcp`."""

from __future__ import annotations

import json
import time
from contextlib import suppress

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import generate_accept_token

from lab.servers import head, reset, silent

SSE_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"


def sse(
    *,
    events=5,
    gap=0.2,
    think=0.0,
    held=False,
    stamp=True,
    milliseconds=False,
    chunked=True,
    then="end",
    quiet=0.0,
    after=(),
    comments=False,
):
    """An event stream.

    *held*: nothing is passed on before all events are there, as a buffering proxy does.  *quiet*: a silence after the
    events, then the texts of *after*, then *then*: ``end`` (as HTTP has it), ``cut``, ``reset`` or ``silent``.
    """

    def handler(sock):
        head(sock)
        sock.sendall((SSE_HEAD + ("Transfer-Encoding: chunked\r\n" if chunked else "") + "\r\n").encode())
        waiting = b""
        time.sleep(think)
        for number in range(events):
            if number:
                time.sleep(gap)
            now = time.time()
            data = json.dumps({"n": number} | ({"sent": now * 1000 if milliseconds else now} if stamp else {}))
            waiting += _chunk(f"id: {number}\ndata: {data}\n\n", chunked)
            if not held:
                sock.sendall(waiting)
                waiting = b""
        sock.sendall(waiting)
        ends = time.monotonic() + quiet
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, 0.1) if comments else left)
            if comments:
                sock.sendall(_chunk(": still here\n\n", chunked))
        for text in after:
            sock.sendall(_chunk(f"data: {text}\n\n", chunked))
        match then:
            case "end":
                sock.sendall(b"0\r\n\r\n" if chunked else b"")
            case "reset":
                reset(sock)
            case "silent":
                silent(sock)

    return handler


def _chunk(text, chunked):
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked else data


def websocket(
    *, echo=True, pong=True, token=None, upgrade="websocket", extra="", raw=b"", close=None, cut_after=None, dies=False,
    ping=False, pieces=False, greeting="", mute_after=None,
):  # fmt: skip
    """A WebSocket that echoes.

    *token*: instead of the right accept key.  *raw*: bytes sent after the upgrade instead of frames.  *close*: a close
    frame with this code at once.  *cut_after*: seconds of silence after which the connection is cut (*dies*: reset).
    *mute_after*: seconds after which nothing is answered any more.  *pieces*: echoes come in fragments.
    """

    def handler(sock):
        request = head(sock).decode("latin-1")
        key = next(
            line.partition(":")[2].strip()
            for line in request.split("\r\n")
            if line.lower().startswith("sec-websocket-key")
        )
        accept = token or generate_accept_token(key.encode()).decode()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Connection: keep-alive, Upgrade",
            f"Sec-WebSocket-Accept: {accept}",
        ]
        lines += [f"Upgrade: {upgrade}"] if upgrade else []
        lines += [extra] if extra else []
        ws = Connection(ConnectionType.SERVER)
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + raw
        if greeting:
            data += ws.send(TextMessage(data=greeting))
        if ping:
            data += ws.send(Ping(payload=b"server"))
        if close is not None:
            data += ws.send(CloseConnection(code=close, reason="no"))
        sock.sendall(data)
        began = time.monotonic()
        while True:
            if cut_after is not None:
                sock.settimeout(cut_after)
            try:
                got = sock.recv(65536)
            except TimeoutError:
                if dies:
                    reset(sock)
                return
            if not got:
                return
            if raw:
                continue
            ws.receive_data(got)
            muted = mute_after is not None and time.monotonic() - began > mute_after
            for event in ws.events():
                if isinstance(event, CloseConnection):
                    with suppress(OSError):
                        sock.sendall(ws.send(event.response()))
                    return
                if muted or close is not None:
                    continue
                if isinstance(event, Ping) and pong:
                    sock.sendall(ws.send(event.response()))
                if isinstance(event, TextMessage | BytesMessage) and echo:
                    for one in _parts(event) if pieces else (type(event)(data=event.data),):
                        sock.sendall(ws.send(one))

    return handler


def _parts(event):
    half = len(event.data) // 2
    yield type(event)(data=event.data[:half], message_finished=False)
    time.sleep(0.02)
    yield type(event)(data=event.data[half:], message_finished=True)
