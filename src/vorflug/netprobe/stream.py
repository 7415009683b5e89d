"""An event stream watched as it comes: is it held back on its way, and does it bear silence?

What proves that a stream was held back: events that tell when they were sent (``data: {"sent": 1764.5}``) arrive with
under half of the spread that they were sent with.  Where they tell nothing, only this does: after a long wait all of
them come in one or two bursts.  Whoever thinks long and then speaks word by word is not held back, and whoever says
everything at once proves nothing.

A silence counts as survived where the connection was not seen to end: this side cannot say anything on an event stream,
so that a connection whose state was quietly forgotten on the way shows only with the next event.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from vorflug.model.message import visible
from vorflug.netprobe import request
from vorflug.netprobe.channel import Alert, Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.events import Event, EventParser
from vorflug.netprobe.limits import Deadline
from vorflug.ports.net import Code, StreamSeen

if TYPE_CHECKING:
    import h11

MEDIA_TYPE = "text/event-stream"
_HEADERS = (("Accept", MEDIA_TYPE), ("Accept-Encoding", "identity"), ("Cache-Control", "no-store"))
"""WHATWG HTML, 9.2.2: what an EventSource asks with."""
_OK = 200
_STREAM_BYTES = 1024 * 1024
_ARRIVALS_AT_MOST = 100
_STAMP_CHARS = 4096
_MILLISECONDS_FROM = 1e11
"""As seconds, that is the year 5138."""
_LATEST = 1e14
"""As milliseconds, that is it, too."""
_LAST_DATA = "[DONE]"
"""How OpenAI and those who speak its language end a stream ("Streaming API responses")."""
_LAST_NAME = "message_stop"
"""How Anthropic does ("Streaming messages")."""


@dataclass(frozen=True)
class Rules:
    """What counts; seconds."""

    events: int = 5
    """So many events are enough for a judgement."""
    spread_s: float = 1.0
    """They must have been sent over at least this time: less may be joined by the kernels on both ends."""
    burst_s: float = 0.015
    """Events within this time came together; a fast model needs that long for one word."""
    wait_s: float = 2.0
    """A wait for the first event is long from here on."""
    silence_s: float = 1.5
    """A connection that breaks after so long a silence broke for the silence."""


RULES = Rules()
_STAMPED_GROUPS = 3
_HALF = 0.5
_MOSTLY = 0.8
_BLOCK = 3
"""A block is of at least so many events, on average."""
_BURSTS = 2


@dataclass(frozen=True)
class Watched:
    """What came of it."""

    answer: request.Answer
    """Status, headers, and, of an answer that is no stream, the body.  Its own code says why there was no answer."""
    code: Code | None
    """None also where the answer is no stream: that is told by *is_stream* and for the caller to judge."""
    detail: str
    stream: StreamSeen
    is_stream: bool = False
    """The answer was 200 with text/event-stream."""
    head_s: float | None = None
    """When its status and headers were there, since the request; None where it never became a stream."""


def watch(
    channel: Channel,
    line: request.Line,
    deadline: Deadline,
    *,
    idle_s: float,
    body: bytes = b"",
    extra: tuple[tuple[str, str], ...] = (),
    rules: Rules = RULES,
) -> Watched:
    """Ask for an event stream and watch it until enough was seen, it ended, or *deadline*.

    *idle_s*: how long a silence is waited for, 0 for not at all.  *body*: JSON to be sent (with POST).  *extra*:
    further header fields.  Raises channel.Alert where TLS ends the connection before an answer came.
    """
    began = monotonic()
    exchange = request.Exchange(channel, line, deadline, (*_HEADERS, *extra), body)
    answer = exchange.head()
    head_s = monotonic() - began
    if answer.code is not None:
        return Watched(answer, answer.code, answer.detail, StreamSeen(0))
    if answer.status != _OK or media_type(answer) != MEDIA_TYPE:
        answer = exchange.whole()
        said = f"HTTP {answer.status} {visible(media_type(answer), at_most=100)}".strip()
        return Watched(answer, answer.code, f"{said} {answer.detail}".strip(), StreamSeen(0))
    watched = _Watching(channel, exchange.protocol, deadline, answer, began, idle_s, rules).run()
    return replace(watched, head_s=head_s)


def media_type(answer: request.Answer) -> str:
    """Of the answer, without parameters, in lower case; empty where it has none (RFC 9110, 8.3)."""
    return next(iter(answer.values("content-type")), "").partition(";")[0].strip().lower()


def sent_at(event: Event) -> float | None:
    """When the event says that it was sent, in seconds; None where it does not say."""
    if len(event.data) > _STAMP_CHARS or not event.data.startswith("{"):
        return None
    try:
        value = json.loads(event.data).get("sent")
    except (ValueError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST:
        return None
    return value / 1000 if value > _MILLISECONDS_FROM else float(value)


def groups(sent: Sequence[float], rules: Rules = RULES) -> list[tuple[int, int]]:
    """First and last of each run of events that is long enough, in number and in time, to be judged by."""
    found = []
    first = 0
    for i, when in enumerate(sent):
        if i - first + 1 >= rules.events and when - sent[first] >= rules.spread_s:
            found.append((first, i))
            first = i + 1
    return found


def held_back(arrived: Sequence[float], sent: Sequence[float], rules: Rules = RULES) -> bool:
    """Whether most groups of stamped events came with under half of the spread that they were sent with.

    *arrived* counts from the request.  What arrived sooner after it than it took to be sent was sent before it: old
    events that are told again, which is no proof.
    """
    if in_blocks(arrived, sent, rules):
        return True
    votes = []
    for first, last in groups(sent, rules):
        spread = sent[last] - sent[first]
        live = arrived[last] >= 0.9 * spread
        votes.append(live and arrived[last] - arrived[first] < _HALF * spread)
    return sum(votes) * 2 > len(votes)


def in_blocks(arrived: Sequence[float], sent: Sequence[float], rules: Rules = RULES) -> bool:
    """Whether stamped events that were sent one by one came in blocks, as a buffer gives them on whenever it is full.

    Blocks of old events that are told again come faster than they were sent, which is no proof.
    """
    if len(sent) < 2 * rules.events or bursts(sent, rules) < _MOSTLY * len(sent):
        return False
    spread = sent[-1] - sent[0]
    live = spread >= rules.spread_s and arrived[-1] - arrived[0] >= _HALF * spread
    return live and bursts(arrived, rules) >= _BURSTS and bursts(arrived, rules) * _BLOCK <= len(arrived)


def in_bursts(arrived: Sequence[float], rules: Rules = RULES) -> bool:
    """Whether events without a stamp came in one or two bursts after a long wait."""
    if len(arrived) < rules.events or arrived[0] < rules.wait_s:
        return False
    return bursts(arrived, rules) <= _BURSTS and arrived[-1] - arrived[0] < _HALF * arrived[-1]


def bursts(arrived: Sequence[float], rules: Rules = RULES) -> int:
    """How many there are; one is no longer than *burst_s* from its first event to its last."""
    count, first = 0, -1.0
    for when in arrived:
        if first < 0 or when - first > rules.burst_s:
            count, first = count + 1, when
    return count


@dataclass
class _Watching:
    channel: Channel
    protocol: h11.Connection
    deadline: Deadline
    answer: request.Answer
    began: float
    idle_s: float
    rules: Rules
    parser: EventParser = field(default_factory=EventParser)
    arrived: list[float] = field(default_factory=list)
    sent: list[float | None] = field(default_factory=list)
    heard_at: float = 0.0
    longest: float = 0.0
    size: int = 0
    said_last: bool = False
    inflate: Any = None
    """Unpacks the stream, where it is packed."""

    def run(self) -> Watched:
        self._heard()
        seen = self._take()
        while seen is None:
            if self._enough():
                return self._end("enough")
            if self.deadline.left() <= 0:  # a poll of no time at all still finds what never ceases
                return self._out_of_time()
            try:
                data = self.channel.receive(self.deadline.within(self._patience()))
            except Silent:
                seen = self._silent()
                continue
            except OSError as error:
                return self._cut("reset", errno_name(error))
            except Alert as alert:
                return self._cut("reset", str(alert))
            if data:
                self._heard()
            self.protocol.receive_data(data)
            seen = self._take()
        return seen

    def _now(self) -> float:
        return monotonic() - self.began

    def _heard(self) -> None:
        now = self._now()
        self.longest = max(self.longest, now - self.heard_at)
        self.heard_at = now

    def _take(self) -> Watched | None:
        """What h11 makes of the bytes; the end, where they bring it."""
        import h11

        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError as error:
                if self.protocol.trailing_data[1]:
                    return self._cut("eof", "EOF")
                return self._end("eof", Code.HTTP_TRUNCATED, visible(str(error), at_most=200))
            if event is h11.NEED_DATA:
                return None
            if not isinstance(event, h11.Data):
                return self._finished()
            data = self._unpacked(bytes(event.data))
            self.size += len(data)
            self._events(self.parser.feed(data))
            if self.size >= _STREAM_BYTES:
                return self._end("enough", None if self.arrived else Code.HTTP_BODY_TOO_LARGE)

    def _unpacked(self, data: bytes) -> bytes:
        """Nobody asked for a packed stream, but something on the way may pack it all the same."""
        import zlib

        if self.inflate is None and not self.size:
            coding = next(iter(self.answer.values("content-encoding")), "").strip().lower()
            self.inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding in ("gzip", "x-gzip", "deflate") else None
        if self.inflate is None:
            return data
        try:
            # what is more than the cap of a stream ends it anyhow
            plain: bytes = self.inflate.decompress(data, _STREAM_BYTES)
        except zlib.error:
            self.inflate = None
            return data
        return plain

    def _events(self, events: list[Event]) -> None:
        for event in events:
            self.arrived.append(self.heard_at)
            self.sent.append(sent_at(event))
            self.said_last = event.data.strip() == _LAST_DATA or event.name == _LAST_NAME

    def _stamped(self) -> tuple[list[float], list[float]]:
        """Arrival and sending of the events that tell the latter."""
        pairs = [(a, s) for a, s in zip(self.arrived, self.sent, strict=True) if s is not None]
        return [a for a, _ in pairs], [s for _, s in pairs]

    def _enough(self) -> bool:
        if self.idle_s > 0 or len(self.arrived) < self.rules.events:
            return False
        arrived, sent = self._stamped()
        if len(sent) >= self.rules.events:
            found = len(groups(sent, self.rules))
            # one hiccup of the network holds back a group, too: only several are believed
            return found >= (_STAMPED_GROUPS if held_back(arrived, sent, self.rules) else 1)
        return not in_bursts(self.arrived, self.rules)

    def _patience(self) -> float:
        quiet = self._now() - self.heard_at
        if self.idle_s > 0:
            return max(0.0, self.idle_s - quiet)
        if len(self.arrived) >= self.rules.events and in_bursts(self.arrived, self.rules):
            return max(0.0, self.arrived[0] - quiet)  # it has had as long as before to go on
        return self.deadline.left()

    def _silent(self) -> Watched | None:
        self.longest = max(self.longest, self._now() - self.heard_at)
        if self.deadline.left() > 0:
            return self._end("enough") if self._patience() <= 0 else None
        return self._out_of_time()

    def _out_of_time(self) -> Watched:
        if not self.size:
            return self._end("timeout", Code.HTTP_SLOW_BODY, f"no event in {self._now():.1f} s")
        return self._end("timeout")

    def _finished(self) -> Watched:
        """The answer ended as HTTP has it; without a length, the end of the connection is the only mark there is."""
        framed = self.answer.values("transfer-encoding") or self.answer.values("content-length")
        quiet = self._now() - self.heard_at
        usual = max((b - a for a, b in pairwise(self.arrived)), default=0.0)
        expected = self.said_last or (self.idle_s <= 0 and self.arrived)
        if framed or expected or quiet < max(self.rules.silence_s, 1.25 * usual):
            return self._end("complete")
        return self._cut("eof", "EOF")

    def _cut(self, how: str, detail: str) -> Watched:
        quiet = self._now() - self.heard_at
        self.longest = max(self.longest, quiet)
        if self.said_last:
            return self._end(how)
        if quiet >= self.rules.silence_s:
            self.longest = quiet
            return self._end(how, Code.STREAM_IDLE_CUT, f"{detail} after {quiet:.1f} s of silence")
        return self._end(how, Code.HTTP_TRUNCATED, f"{detail} after {len(self.arrived)} events")

    def _end(self, how: str, code: Code | None = None, detail: str = "") -> Watched:
        stamped = self._stamped()
        known = len(stamped[1]) >= self.rules.events
        if held_back(*stamped, self.rules) if known else in_bursts(self.arrived, self.rules):
            code = Code.STREAM_BUFFERED
            spread = self.arrived[-1] - self.arrived[0]
            detail = f"{len(self.arrived)} events within {spread:.2f} s, the first after {self.arrived[0]:.1f} s"
        proved = bool(groups(stamped[1], self.rules)) if known else bursts(self.arrived, self.rules) > _BURSTS
        seen = StreamSeen(
            events=len(self.arrived),
            arrived_s=tuple(round(when, 3) for when in self.arrived[:_ARRIVALS_AT_MOST]),
            idle_s=round(self.longest, 3),
            ended=how,
            flowing=code is not Code.STREAM_BUFFERED and proved and len(self.arrived) >= self.rules.events,
            detail=detail,
        )
        return Watched(self.answer, code, detail, seen, is_stream=True)
