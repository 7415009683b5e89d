"""One HTTP/1.1 request on a channel, with every byte counted and one deadline for the whole."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vorflug import __version__
from vorflug.model.message import visible
from vorflug.netprobe.channel import Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import (
    BODY_BYTES,
    HEADER_BYTES,
    NAMES_AT_MOST,
    VALUE_CHARS,
    WHOLE_BODY_BYTES,
    Deadline,
)
from vorflug.netprobe.stand_ins import looks_like
from vorflug.netprobe.unpacked import Unpacked
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
        "proxy-status",
        "x-amzn-errortype",
        "x-squid-error",
    }
)
"""Headers whose values a judgement needs.  Cookies are never among them."""
_NEVER_KEPT = frozenset({"set-cookie", "authorization", "proxy-authorization", "cookie"})
_INFORMATIONAL_AT_MOST = 10
_CHUNK = 64 * 1024
_SWITCHED = 101
"""RFC 9110, 15.2.2; h11 takes it for an error where no upgrade was asked for."""


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
    body_bytes: int = 0
    """Of the body as it was sent."""
    sent_bytes: int = 0
    """Of an uploaded body: so much was taken."""

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


def fetch(
    channel: Channel,
    line: Line,
    deadline: Deadline,
    extra: tuple[tuple[str, str], ...] = (),
    *,
    whole: bool = False,
    upload_bytes: int = 0,
) -> Answer:
    """Put one request and read its answer.  Raises channel.Alert where TLS ends it.

    *whole*: read the body to its end, and give ``http.body_too_large`` beyond `WHOLE_BODY_BYTES`; else its first
    64 KiB are enough.  *upload_bytes*: send a body of this length.
    """
    import h11

    headers = [("Host", line.host), ("User-Agent", f"vorflug/{__version__}")]
    if line.method != "CONNECT":
        headers += [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("Connection", "close")]
    if line.method in ("POST", "PUT"):
        headers.append(("Content-Length", str(upload_bytes)))
        if upload_bytes:
            headers.append(("Content-Type", "application/json"))
    protocol = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
    data = protocol.send(h11.Request(method=line.method, target=line.target, headers=[*headers, *extra]))
    reading = _Reading(channel, protocol, deadline, tunnel=line.method == "CONNECT", whole=whole)
    if upload_bytes:
        return reading.upload(data or b"", upload_bytes)
    return reading.run((data or b"") + (protocol.send(h11.EndOfMessage()) or b""))


class Exchange:
    """A request whose answer is read in two steps: its head, then what follows."""

    def __init__(
        self,
        channel: Channel,
        line: Line,
        deadline: Deadline,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        """*headers* go beside Host and User-Agent; nothing else is sent but *body*, which is JSON."""
        import h11

        self.protocol = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
        """What follows the head is taken from here, once `head` gave no code."""
        own = [("Host", line.host), ("User-Agent", f"vorflug/{__version__}")]
        if body:
            own += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        request = self.protocol.send(h11.Request(method=line.method, target=line.target, headers=[*own, *headers]))
        rest = [h11.Data(body), h11.EndOfMessage()] if body else [h11.EndOfMessage()]
        self._request = (request or b"") + b"".join(self.protocol.send(event) or b"" for event in rest)
        self._reading = _Reading(channel, self.protocol, deadline, head_only=True)

    def head(self) -> Answer:
        """Put the request and read to the end of the head.  Raises channel.Alert where TLS ends it."""
        return self._reading.run(self._request)

    def whole(self) -> Answer:
        """The answer with its body, read within the same deadline.  Raises channel.Alert where TLS ends it."""
        return self._reading.go_on()


class _Reading:
    def __init__(
        self,
        channel: Channel,
        protocol: h11.Connection,
        deadline: Deadline,
        *,
        tunnel: bool = False,
        head_only: bool = False,
        whole: bool = False,
    ) -> None:
        self._channel = channel
        self._protocol = protocol
        self._deadline = deadline
        self._tunnel = tunnel
        self._head_only = head_only
        self._whole = whole
        self._first = b""
        self._unsent = ""
        self._sent = 0
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = Unpacked()

    def upload(self, head: bytes, size: int) -> Answer:
        """Send *head* and a body of *size* bytes, and stop as soon as the peer answers or hangs up."""
        import h11

        filler = b" " * _CHUNK
        try:
            self._channel.send(head, self._deadline)
            while (sent := self._sent) < size:
                chunk = self._protocol.send(h11.Data(filler[: min(_CHUNK, size - sent)]))
                self._channel.send(chunk or b"", self._deadline)
                self._sent += min(_CHUNK, size - sent)
                if self._early():
                    return self._read()
            return self.run(self._protocol.send(h11.EndOfMessage()) or b"")
        except Silent:
            return self._end(Code.HTTP_NO_RESPONSE, f"stalled after {self._sent} of {size} bytes of the request")
        except OSError as error:
            self._unsent = f"{errno_name(error)} after {self._sent} of {size} bytes of the request"
            return self._read()

    def _early(self) -> bool:
        """Whether the peer has said something before it had the whole request."""
        try:
            data = self._channel.receive(Deadline(0))
        except Silent:
            return False
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "closed")
        self._first = self._first or data[:64]
        self._protocol.receive_data(data)
        return True

    def run(self, request: bytes) -> Answer:
        """Send *request* and read what comes."""
        try:
            if request:
                self._channel.send(request, self._deadline)
        except Silent:
            return self._end(Code.HTTP_NO_RESPONSE, "the request could not be sent in time")
        except OSError as error:
            self._unsent = errno_name(error)  # what the peer said before it hung up may still be there
        return self._read()

    def go_on(self) -> Answer:
        """Past the head, where only that was wanted at first."""
        self._head_only = False
        return self._read()

    def _noted(self, event: h11.Response | h11.InformationalResponse) -> None:
        self._status = event.status_code
        self._headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers)
        self._body.packed_by(dict(self._headers).get("content-encoding", ""))

    def _read(self) -> Answer:
        import h11

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
                if event.status_code == _SWITCHED:
                    self._noted(event)
                    return self._end(None)
                informational += 1
                if informational > _INFORMATIONAL_AT_MOST:
                    return self._end(Code.HTTP_NOT_HTTP, "no end of interim answers")
            elif isinstance(event, h11.Response):
                self._noted(event)
                if sum(len(name) + len(value) + 4 for name, value in self._headers) > HEADER_BYTES:
                    return self._end(Code.HTTP_HEADER_TOO_LARGE)  # h11 looks at its cap only while the end is missing
                opened = self._tunnel and event.status_code // 100 == 2  # noqa: PLR2004 - RFC 9110, 9.3.6
                if opened or self._head_only:
                    return self._end(None)
            elif isinstance(event, h11.Data):
                self._body.take(bytes(event.data))
                if self._body.size >= WHOLE_BODY_BYTES:
                    return self._end(Code.HTTP_BODY_TOO_LARGE, f"more than {WHOLE_BODY_BYTES} bytes")
                if len(self._body.kept) >= BODY_BYTES and not self._whole:
                    return self._end(None)
            else:  # the end of the message
                return self._end(None)

    def _receive(self) -> Answer | None:
        if self._first and self._deadline.left() <= 0:
            return self._too_slow()  # a poll of no time at all still finds what never ceases
        try:
            data = self._channel.receive(self._deadline)
        except Silent:
            return self._too_slow() if self._first else self._end(Code.HTTP_NO_RESPONSE, SILENCE)
        except OSError as error:
            reason = self._unsent or errno_name(error)
            return self._end(Code.HTTP_TRUNCATED if self._first else Code.HTTP_NO_RESPONSE, reason)
        if not data and not self._first:
            return self._end(Code.HTTP_NO_RESPONSE, self._unsent or "EOF")
        if len(self._first) < len(b"HTTP/"):
            self._first += data[:64]
            start = self._first.lstrip(b"\r\n")
            if start and not b"HTTP/".startswith(start[:5]):
                return self._end(Code.HTTP_NOT_HTTP, _shown(start))
        self._protocol.receive_data(data)
        return None

    def _too_slow(self) -> Answer:
        return self._end(Code.HTTP_SLOW_BODY if self._status else Code.HTTP_SLOW_HEADERS)

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
            code,
            detail,
            self._status,
            self._headers,
            bytes(self._body.kept[:BODY_BYTES]),
            rest,
            heard=bool(self._first),
            body_bytes=self._body.came,
            sent_bytes=self._sent,
        )


def _shown(data: bytes) -> str:
    return visible(data.decode("latin-1"), at_most=60)


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
        body_bytes=answer.body_bytes,
        sent_bytes=answer.sent_bytes,
        looks_like=(marked := looks_like(answer.status, answer.headers, text)),
        title="" if marked is None else _title(text),
    )


def _title(text: str) -> str:
    begins = text.lower().find("<title")
    ends = text.lower().find("</title", begins) if begins >= 0 else -1
    return visible(text[begins:ends].partition(">")[2].strip(), at_most=100) if ends >= 0 else ""


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
