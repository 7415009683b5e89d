"""One HTTP/1.1 request on a channel, with every byte counted and one deadline for the whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vorflug import __version__
from vorflug.model.message import visible
from vorflug.netprobe.channel import Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import BODY_BYTES, HEADER_BYTES, NAMES_AT_MOST, VALUE_CHARS, Deadline
from vorflug.ports.net import Code, HttpSeen

if TYPE_CHECKING:
    import h11

KEPT = frozenset(
    {
        "apim-request-id",
        "content-length",
        "content-type",
        "date",
        "docker-distribution-api-version",
        "location",
        "proxy-authenticate",
        "retry-after",
        "server",
        "via",
        "www-authenticate",
        "x-amzn-errortype",
        "x-squid-error",
    }
)
"""Headers whose values a judgement needs.  Cookies are never among them."""
_NEVER_KEPT = frozenset({"set-cookie", "authorization", "proxy-authorization", "cookie"})
_INFORMATIONAL_AT_MOST = 10


SILENCE = "silence"
"""The detail of a request that nothing came back to."""


@dataclass(frozen=True)
class Line:
    """The request line (RFC 9112, 3), and the host that it is for."""

    method: str
    target: str
    host: str


@dataclass(frozen=True)
class Answer:
    """What came back: an answer, or the code that says why there is none."""

    code: Code | None
    detail: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, values as they came (latin-1)."""
    body: bytes = b""
    rest: bytes = b""
    """After a tunnel was opened: bytes that came behind the answer."""
    heard: bool = False
    """Whether a single byte came."""

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


def fetch(
    channel: Channel,
    line: Line,
    deadline: Deadline,
    extra: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """Put one request and read its answer.  Raises channel.Alert where TLS ends it."""
    import h11

    headers = [("Host", line.host), ("User-Agent", f"vorflug/{__version__}")]
    if line.method != "CONNECT":
        headers += [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("Connection", "close")]
    if line.method == "POST":
        headers.append(("Content-Length", "0"))
    protocol = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
    data = protocol.send(h11.Request(method=line.method, target=line.target, headers=[*headers, *extra]))
    data = (data or b"") + (protocol.send(h11.EndOfMessage()) or b"")
    return _Reading(channel, protocol, deadline, tunnel=line.method == "CONNECT").run(data)


class _Reading:
    def __init__(self, channel: Channel, protocol: h11.Connection, deadline: Deadline, *, tunnel: bool) -> None:
        self._channel = channel
        self._protocol = protocol
        self._deadline = deadline
        self._tunnel = tunnel
        self._first = b""
        self._unsent = ""
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()

    def run(self, request: bytes) -> Answer:
        import h11

        try:
            self._channel.send(request, self._deadline)
        except Silent:
            return self._end(Code.HTTP_NO_RESPONSE, "the request could not be sent in time")
        except OSError as error:
            self._unsent = errno_name(error)  # what the peer said before it hung up may still be there
        informational = 0
        while True:
            try:
                event = self._protocol.next_event()
            except h11.RemoteProtocolError as error:
                return self._broken(error)
            if event is h11.NEED_DATA:
                if (ended := self._receive()) is not None:
                    return ended
            elif isinstance(event, h11.InformationalResponse):
                informational += 1
                if informational > _INFORMATIONAL_AT_MOST:
                    return self._end(Code.HTTP_NOT_HTTP, "no end of interim answers")
            elif isinstance(event, h11.Response):
                self._status = event.status_code
                self._headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers)
                if self._tunnel:
                    return self._end(None)
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) >= BODY_BYTES:
                    return self._end(None)
            else:  # the end of the message
                return self._end(None)

    def _receive(self) -> Answer | None:
        try:
            data = self._channel.receive(self._deadline)
        except Silent:
            if not self._first:
                return self._end(Code.HTTP_NO_RESPONSE, SILENCE)
            return self._end(Code.HTTP_SLOW_BODY if self._status else Code.HTTP_SLOW_HEADERS)
        except OSError as error:
            return self._end(Code.HTTP_TRUNCATED if self._first else Code.HTTP_NO_RESPONSE, errno_name(error))
        if not data and not self._first:
            return self._end(Code.HTTP_NO_RESPONSE, self._unsent or "EOF")
        if len(self._first) < len(b"HTTP/"):
            self._first += data[:64]
            start = self._first.lstrip(b"\r\n")
            if start and not b"HTTP/".startswith(start[:5]):
                return self._end(Code.HTTP_NOT_HTTP, _shown(start))
        self._protocol.receive_data(data)
        return None

    def _broken(self, error: h11.RemoteProtocolError) -> Answer:
        if self._status:
            return self._end(Code.HTTP_TRUNCATED, visible(str(error), at_most=200))
        if error.error_status_hint == 431:  # noqa: PLR2004 - RFC 6585, 5: h11's word for a header beyond the cap
            return self._end(Code.HTTP_HEADER_TOO_LARGE)
        if self._protocol.trailing_data[1]:  # the peer hung up
            return self._end(Code.HTTP_TRUNCATED, "EOF in the headers")
        return self._end(Code.HTTP_NOT_HTTP, f"{_shown(self._first)} ({visible(str(error), at_most=120)})")

    def _end(self, code: Code | None, detail: str = "") -> Answer:
        rest = bytes(self._protocol.trailing_data[0]) if self._tunnel and code is None else b""
        return Answer(
            code, detail, self._status, self._headers, bytes(self._body[:BODY_BYTES]), rest, heard=bool(self._first)
        )


def _shown(data: bytes) -> str:
    return visible(data[:60].decode("latin-1"), at_most=60)


def seen(answer: Answer, look_for: tuple[str, ...], keep: tuple[str, ...]) -> HttpSeen:
    """What of *answer* may be told."""
    kept = (KEPT | {name.lower() for name in keep}) - _NEVER_KEPT
    text = answer.body.decode("utf-8", "replace")
    names = tuple(dict.fromkeys(visible(name, at_most=64) for name, _ in answer.headers))
    return HttpSeen(
        status=answer.status,
        header_names=names[:NAMES_AT_MOST],
        headers=tuple((name, _value(name, value)) for name, value in answer.headers if name in kept)[:NAMES_AT_MOST],
        body_kind=_kind(answer.body, text),
        found=tuple(mark for mark in look_for if mark in text),
        body_bytes=len(answer.body),
    )


def _value(name: str, value: str) -> str:
    if name == "location":
        # a redirect's query and userinfo may be a ticket
        value = re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", value, maxsplit=1)[0])
    return visible(value, at_most=VALUE_CHARS)


def _kind(body: bytes, text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if not body.strip():
        return "empty"
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "html"
    if start.startswith("<"):
        return "xml" if "<html" not in start else "html"
    if start.startswith(("{", "[")):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "json" if len(body) >= BODY_BYTES else "text"
        return "json"
    printable = sum(c.isprintable() or c in "\r\n\t" for c in text)
    return "text" if "\ufffd" not in text and printable >= 0.95 * len(text) else "binary"
