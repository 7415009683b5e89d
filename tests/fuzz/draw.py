"""What a fuzz target makes of its bytes, and what holds for everything that may be reported.

As atheris' FuzzedDataProvider, but without atheris: the kept inputs run with the tests on every machine.
"""

from __future__ import annotations

import unicodedata
from dataclasses import fields, is_dataclass
from enum import Enum

from vorflug.netprobe.channel import Silent


class Draw:
    """Values from the front of an input; past its end everything is zero or empty."""

    def __init__(self, data):
        self._data = data

    def number(self, below):
        """0 or more, less than *below* (at most 256)."""
        first, self._data = self._data[:1], self._data[1:]
        return (first[0] if first else 0) % below

    def flag(self):
        return bool(self.number(2))

    def pick(self, *choices):
        return choices[self.number(len(choices))]

    def block(self):
        """Bytes up to a NUL line, so that inputs can be written by hand."""
        first, _, self._data = self._data.partition(b"\0\n")
        return first

    def text(self):
        """The same, as the environment and files are read: undecodable bytes are kept as surrogates."""
        return self.block().decode("utf-8", "surrogateescape")

    def field(self):
        """The same, as a header's value."""
        return self.block().decode("latin-1")

    def rest(self):
        rest, self._data = self._data, b""
        return rest


class Scripted:
    """A channel on which the other side says what the input has, in pieces, and then hangs up or is silent."""

    def __init__(self, data, *, piece=1 << 20, end="eof", on_send=None):
        self.data = data
        self._piece = piece
        self._end = end
        self._on_send = on_send

    def send(self, data, deadline):
        if self._on_send is not None:
            self._on_send(self, bytes(data))

    def receive(self, deadline, at_most=16384):
        if not self.data and self._end == "silent":
            raise Silent
        if not self.data and self._end == "reset":
            raise ConnectionResetError(104, "reset")
        size = min(at_most, self._piece)
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def close(self):
        """Nothing is open."""


def scripted(draw, **more):
    return Scripted(b"", piece=draw.pick(1 << 20, 1, 7, 1000), end=draw.pick("eof", "reset", "silent"), **more)


_LIVE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def shown(*values):
    """Assert that nothing in *values*, to any depth, can act on a terminal or turn text around."""
    for value in values:
        if isinstance(value, str):
            bad = {f"{ord(c):04x}" for c in value if unicodedata.category(c) in _LIVE}
            assert not bad, f"live characters {sorted(bad)} in {value[:80]!a}"
        elif isinstance(value, Enum):
            continue
        elif is_dataclass(value):
            shown(*(getattr(value, f.name) for f in fields(value)))
        elif isinstance(value, dict):
            shown(*value.keys(), *value.values())
        elif isinstance(value, (tuple, list, frozenset)):
            shown(*value)
