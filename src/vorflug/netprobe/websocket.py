"""A WebSocket (RFC 6455): the upgrade, a text and a binary frame there and back, and a silence that it must bear.

A service need not echo; that it answers a ping (which every endpoint must, RFC 6455, 5.5.2) proves that frames pass in
both directions as well.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.model.message import visible
from vorflug.netprobe import request
from vorflug.netprobe.channel import Alert, Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline
from vorflug.ports.net import Code, StreamSeen

if TYPE_CHECKING:
    from wsproto.connection import Connection

SWITCHED = 101
_READ_BYTES = 1024 * 1024
"""No more is read of what the other side says,"""
_FRAMES_AT_MOST = 1000
"""and no more frames."""
_TEXT = "vorflug: preflight echo"
_BINARY = bytes(range(256))
"""Every byte, so that whatever takes frames for text breaks one."""
_KEPT = 4096
_FIRST, _LAST = b"first", b"last"
"""What the pings before and after the silence carry."""
_GOODBYE_S = 1.0
_OWN_CODES = (1003, 1008)
"""RFC 6455, 7.4.1: the service does not take such data, or its policy is against it."""
_OWN_CODES_FROM = 3000
"""RFC 6455, 7.4.2: from here on codes are of libraries and applications."""


@dataclass(frozen=True)
class Rules:
    """Seconds."""

    answer_s: float = 8.0
    """For the answer to frames."""
    echo_s: float = 1.0
    """For an echo, once a ping was answered: whoever echoes does so in order."""
    pong_s: float = 5.0
    """For the answer to the ping after the silence."""
    silence_s: float = 1.0
    """A connection that breaks after so long a silence broke for the silence."""


RULES = Rules()


@dataclass(frozen=True)
class Talked:
    """What came of it."""

    status: int
    """0 where there was no HTTP answer."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, values as they came."""
    code: Code | None
    detail: str
    stream: StreamSeen
    """Its events are the frames that came back: echoes and answers to pings."""
    answer: request.Answer
    """The answer to the upgrade, with its body where that was refused."""
    head_s: float | None = None
    """When the upgrade was granted, since the request; None where it was not."""


class _End(StrEnum):
    """How a connection was over before we were done."""

    EOF = "eof"
    RESET = "reset"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    """By a close frame of the service."""
    BROKEN = "broken"
    """What came is no frame, or too much of it."""


class _Ended(Exception):
    """The connection is over."""

    def __init__(self, how: _End, detail: str, close_code: int = 0) -> None:
        super().__init__(detail)
        self.how = how
        self.detail = detail
        self.close_code = close_code


def talk(channel: Channel, line: request.Line, deadline: Deadline, *, idle_s: float, rules: Rules = RULES) -> Talked:
    """Ask for the upgrade, exchange frames, and where *idle_s* is not 0, be silent for that long and ping.

    No extension and no subprotocol is offered.  Raises channel.Alert where TLS ends the connection before an answer
    came.
    """
    from wsproto.connection import Connection, ConnectionType
    from wsproto.utilities import generate_accept_token, generate_nonce

    began = monotonic()
    nonce = generate_nonce()
    headers = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", nonce.decode()),
        ("Sec-WebSocket-Version", "13"),
    )
    exchange = request.Exchange(channel, line, deadline, headers)
    answer = exchange.head()
    head_s = monotonic() - began
    if answer.code is not None:
        return Talked(answer.status, answer.headers, answer.code, answer.detail, StreamSeen(0), answer)
    if answer.status != SWITCHED:
        answer = exchange.whole()
        return _refused(answer, f"HTTP {answer.status}")
    if fault := _upgrade_fault(answer, generate_accept_token(nonce).decode()):
        return _refused(answer, fault)
    connection = Connection(ConnectionType.CLIENT, trailing_data=bytes(exchange.protocol.trailing_data[0]))
    talked = _Talking(channel, deadline, answer, began, idle_s, rules, connection).run()
    return replace(talked, head_s=head_s)


def _refused(answer: request.Answer, detail: str) -> Talked:
    return Talked(answer.status, answer.headers, Code.WS_UPGRADE_REFUSED, detail, StreamSeen(0), answer)


def _upgrade_fault(answer: request.Answer, token: str) -> str:
    """What RFC 6455, 4.1 has against the server's handshake; empty where nothing."""
    if [v.strip().lower() for v in answer.values("upgrade")] != ["websocket"]:
        return f"HTTP {SWITCHED} without Upgrade: websocket"
    tokens = {t.strip().lower() for value in answer.values("connection") for t in value.split(",")}
    if "upgrade" not in tokens:
        return f"HTTP {SWITCHED} without Connection: Upgrade"
    if [v.strip() for v in answer.values("sec-websocket-accept")] != [token]:
        return f"HTTP {SWITCHED} with a wrong Sec-WebSocket-Accept"
    for name in ("sec-websocket-extensions", "sec-websocket-protocol"):
        if any(v.strip() for v in answer.values(name)):
            return f"HTTP {SWITCHED} with {name} that was not asked for"
    return ""


@dataclass
class _Talking:
    channel: Channel
    deadline: Deadline
    answer: request.Answer
    began: float
    idle_s: float
    rules: Rules
    connection: Connection
    arrived: list[float] = field(default_factory=list)
    echoed: set[str | bytes] = field(default_factory=set)
    ponged: set[bytes] = field(default_factory=set)
    idle: bool = False
    """Frames have passed; now the silence is tried."""
    quiet_since: float = 0.0
    longest: float = 0.0
    size: int = 0
    frames: int = 0
    text: str = ""
    binary: bytes = b""

    def run(self) -> Talked:
        from wsproto.events import CloseConnection

        self.quiet_since = self._now()
        try:
            result = self._both_ways() or self._silence()
        except _Ended as end:
            return self._over(end)
        with suppress(Silent, OSError, Alert):
            self.channel.send(self.connection.send(CloseConnection(code=1000)), self.deadline.within(_GOODBYE_S))
        return result

    # ---- phases ------------------------------------------------------------------------------------------------------

    def _both_ways(self) -> Talked | None:
        from wsproto.events import BytesMessage, Ping, TextMessage

        said = (TextMessage(data=_TEXT), BytesMessage(data=_BINARY), Ping(payload=_FIRST))
        self._send(b"".join(self.connection.send(event) for event in said))
        self._receive(self.deadline.within(self.rules.answer_s), lambda: self._echoes() or _FIRST in self.ponged)
        if not self._passed():
            return self._end("timeout", Code.WS_FRAMES_BLOCKED, "no frame was answered")
        self._receive(self.deadline.within(self.rules.echo_s), self._echoes)
        return None

    def _silence(self) -> Talked:
        from wsproto.events import Ping

        if self.idle_s <= 0:
            return self._end("enough")
        self.idle = True
        # of a short deadline something must be left for the ping
        left = self.deadline.left()
        possible = left - min(self.rules.pong_s, left / 4)
        self._receive(self.deadline.within(min(self.idle_s, possible)), lambda: False)
        waited = self._now() - self.quiet_since
        self.longest = max(self.longest, waited)
        self._send(self.connection.send(Ping(payload=_LAST)))
        self._receive(self.deadline.within(self.rules.pong_s), lambda: _LAST in self.ponged)
        if _LAST not in self.ponged:
            self.longest = waited
            return self._end("timeout", Code.STREAM_IDLE_CUT, f"no answer after {waited:.1f} s of silence")
        return self._end("enough" if self.idle_s <= possible else "timeout")

    def _echoes(self) -> bool:
        return self.echoed == {_TEXT, _BINARY}

    def _passed(self) -> bool:
        return bool(self.echoed or self.ponged)

    # ---- bytes -------------------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        try:
            self.channel.send(data, self.deadline)
        except Silent:
            raise _Ended(_End.TIMEOUT, "frames could not be sent in time") from None
        except OSError as error:
            raise _Ended(_End.RESET, errno_name(error)) from None
        except Alert as alert:
            raise _Ended(_End.RESET, str(alert)) from None

    def _receive(self, until: Deadline, done: Callable[[], bool]) -> None:
        """Take frames until *done* says so or *until*.  Raises _Ended."""
        while True:
            self._take()
            if done() or until.left() <= 0:  # a poll of no time at all still finds what never ceases
                return
            try:
                data = self.channel.receive(until)
            except Silent:
                return
            except OSError as error:
                raise _Ended(_End.RESET, errno_name(error)) from None
            except Alert as alert:
                raise _Ended(_End.RESET, str(alert)) from None
            if not data:
                raise _Ended(_End.EOF, "EOF")
            now = self._now()
            self.longest = max(self.longest, now - self.quiet_since)
            self.quiet_since = now
            self.size += len(data)
            if self.size > _READ_BYTES:
                raise _Ended(_End.BROKEN, f"more than {_READ_BYTES} bytes of frames")
            self.connection.receive_data(data)

    def _take(self) -> None:
        from wsproto.connection import ConnectionState
        from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

        for event in self.connection.events():
            self.frames += 1
            if self.frames > _FRAMES_AT_MOST:
                raise _Ended(_End.BROKEN, f"more than {_FRAMES_AT_MOST} frames")
            match event:
                case TextMessage():
                    self.text = (self.text + event.data)[-_KEPT:]
                    if event.message_finished:
                        self._came(self.text, _TEXT)
                        self.text = ""
                case BytesMessage():
                    self.binary = (self.binary + bytes(event.data))[-_KEPT:]
                    if event.message_finished:
                        self._came(self.binary, _BINARY)
                        self.binary = b""
                case Ping():
                    self._send(self.connection.send(event.response()))
                case Pong():
                    self.ponged.add(bytes(event.payload))
                    self.arrived.append(self._now())
                case CloseConnection():
                    if self.connection.state is ConnectionState.OPEN:  # wsproto's word for what is no frame
                        raise _Ended(_End.BROKEN, visible(event.reason or "no frame", at_most=200))
                    raise _Ended(_End.CLOSED, f"close {event.code}", event.code)

    def _came(self, message: str | bytes, wanted: str | bytes) -> None:
        if message == wanted:
            self.echoed.add(message)
            self.arrived.append(self._now())

    def _now(self) -> float:
        return monotonic() - self.began

    # ---- what it means -----------------------------------------------------------------------------------------------

    def _over(self, end: _Ended) -> Talked:
        how = "complete" if end.how is _End.CLOSED else "eof" if end.how is _End.BROKEN else end.how.value
        quiet = self._now() - self.quiet_since
        if end.how is _End.BROKEN:
            return self._end(how, Code.WS_FRAMES_BLOCKED, end.detail)
        if not self._passed():
            # a refusal in the service's own words says nothing against the way
            own = end.close_code in _OWN_CODES or end.close_code >= _OWN_CODES_FROM
            return self._end(how, None if own else Code.WS_FRAMES_BLOCKED, f"{end.detail} before a frame was answered")
        if self.idle and quiet >= self.rules.silence_s:
            self.longest = quiet
            return self._end(how, Code.STREAM_IDLE_CUT, f"{end.detail} after {quiet:.1f} s of silence")
        if end.how is _End.CLOSED:
            return self._end(how, None, end.detail)
        return self._end(how, Code.HTTP_TRUNCATED, f"{end.detail} after {len(self.arrived)} frames")

    def _end(self, how: str, code: Code | None = None, detail: str = "") -> Talked:
        seen = StreamSeen(
            events=len(self.arrived),
            arrived_s=tuple(round(when, 3) for when in self.arrived),
            idle_s=round(self.longest, 3),
            ended=how,
            flowing=self._passed(),
            detail=detail,
        )
        return Talked(self.answer.status, self.answer.headers, code, detail, seen, self.answer)
