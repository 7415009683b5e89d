"""Faults of event streams and WebSockets."""

from __future__ import annotations

from lab.row import DIRECT, Row, curl
from lab.servers import Again, head, respond
from lab.streams import sse, websocket

_SSE = ("--mode", "sse")
_WS = ("--mode", "ws")
_UPGRADE = ("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
            "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "--http1.1")  # fmt: skip


def strict_websocket(**how):
    """A WebSocket that wants the upgrade as RFC 6455, 4.2.1 has it."""

    def handler(sock) -> None:
        asked = head(sock)
        if b"upgrade: websocket" in asked.lower():
            websocket(**how)(Again(sock, asked))
        else:
            respond("426 Upgrade Required", b"", Upgrade="websocket")(Again(sock, asked))

    return handler


def nginx(location: str):
    """nginx before a server on 8080 of the same address."""
    return lambda backend: lambda lab, site: (lab.listen(site, 8080, backend), lab.nginx(site, location))


_BUFFERING = nginx("proxy_pass http://{v4}:8080; proxy_buffering on;")
_STRIPPING = nginx("proxy_pass http://{v4}:8080;")


def _impatient(lab, site) -> None:
    """haproxy with a short patience for tunnels."""
    lab.listen(site, 8080, strict_websocket())
    lab.haproxy(site, tunnel="2s")


FAULTS = (
    Row(
        id="stream-buffered", fault="SSE buffered until close", how="nginx with proxy_buffering",
        url="https://{host}/events", options=_SSE,
        make=_BUFFERING(sse(events=5, gap=0.5)), code="stream.buffered", deadline=8.0,
        prove=curl("-N", "-w", "first %{time_starttransfer} all %{time_total}"),
        proof=r"first 2\.|first [3-9]",
    ),
    Row(
        id="stream-held", fault="SSE buffered until close", how="a server that holds the events back",
        url="https://{host}/events", options=_SSE,
        make=lambda lab, site: lab.https(site, sse(events=5, gap=0.5, held=True)), code="stream.buffered",
        deadline=8.0, ways=DIRECT,
        prove=curl("-N"), proof="^200",
    ),
    Row(
        id="stream-idle-cut", fault="an idle stream is cut", how="closed after 2.5 s of silence, in mid-stream",
        url="https://{host}/events", options=_SSE,
        make=lambda lab, site: lab.https(site, sse(events=5, gap=0.3, quiet=2.5, then="cut")), code="stream.idle_cut",
        deadline=9.0,
        never=("http.truncated", "stream.buffered"), prove=curl("-N", "--max-time", "6"),
        proof="closed|remaining|chunk",
    ),
    Row(
        id="stream-idle-reset", fault="an idle stream is cut", how="RST after 2.5 s of silence",
        url="https://{host}/events", options=_SSE,
        make=lambda lab, site: lab.https(site, sse(events=5, gap=0.3, quiet=2.5, then="reset")),
        code="stream.idle_cut", deadline=9.0, ways=DIRECT,
        never=("tcp.reset", "stream.buffered"), prove=curl("-N", "--max-time", "6"), proof="reset|closed|SYSCALL|eof",
    ),
    Row(
        id="ws-stripped", fault="WebSocket Upgrade stripped", how="nginx without upgrade", url="https://{host}/socket",
        options=_WS,
        make=_STRIPPING(strict_websocket()), code="ws.upgrade_refused", never=("tls.*", "http.status"),
        prove=curl(*_UPGRADE), proof="^(426|400)",
    ),
    Row(
        id="ws-refused", fault="WebSocket Upgrade stripped", how="403 to the upgrade", url="wss://{host}/socket",
        make=lambda lab, site: lab.https(site, respond("403 Forbidden")), code="ws.upgrade_refused", never=("tls.*",),
        prove=("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *_UPGRADE, "https://{host}/socket"),
        proof="^403",
    ),
    Row(
        id="ws-wrong-key", fault="WebSocket Upgrade stripped", how="101 with a wrong accept key",
        url="https://{host}/socket", options=_WS,
        make=lambda lab, site: lab.https(site, websocket(token="d3Jvbmc=")), code="ws.upgrade_refused",
        never=("tls.*",),
        prove=curl(*_UPGRADE, "--max-time", "1"), proof="^101",
    ),
    Row(
        id="ws-frames", fault="WebSocket frames do not pass", how="101, and no frame is answered",
        url="https://{host}/socket", options=_WS,
        make=lambda lab, site: lab.https(site, websocket(mute_after=0)), code="ws.frames_blocked",
        never=("tls.*", "http.*"), deadline=10.0,
        prove=curl(*_UPGRADE, "--max-time", "1"), proof="^101",
    ),
    Row(
        id="ws-idle-cut", fault="an idle WebSocket is cut", how="haproxy, timeout tunnel 2s",
        url="https://{host}/socket", options=_WS,
        make=_impatient, code="stream.idle_cut", never=("tls.*", "http.*", "ws.*"), deadline=9.0,
        prove=curl(*_UPGRADE, "--max-time", "5", "-w", "%{http_code} after %{time_total}"), proof=r"101 after 2\.",
    ),
)  # fmt: skip
