"""Server-sent events as they are parsed by a browser (WHATWG HTML, 9.2.6 "Interpreting an event stream")."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_LINE_CHARS = 64 * 1024
"""Of a line, and of an event's data, no more than this is kept."""
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """One event; its data is from outside and never shown."""

    name: str
    """``message`` where the stream gives none."""
    data: str


class EventParser:
    """Bytes in, events out; a stream may be cut anywhere between two calls."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line = ""
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that *data* completes."""
        text = self._decoder.decode(data)
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        if len(self._line) == _LINE_CHARS and _LINE_END.search(text) is None:
            return []  # the line is full: joining it again with every byte that comes would take quadratic time
        *lines, rest = _LINE_END.split(self._line + text)
        self._line = rest[:_LINE_CHARS]
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")  # a comment has an empty field name
        value = value.removeprefix(" ")
        if field == "data" and self._size <= _LINE_CHARS:
            self._data.append(value[:_LINE_CHARS])
            self._size += len(value) + 1
        elif field == "event":
            self._name = value[:_LINE_CHARS]
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
        self._name, self._data, self._size = "", [], 0
        # an event whose data is empty is one no program is told of
        return event if event is not None and event.data else None
