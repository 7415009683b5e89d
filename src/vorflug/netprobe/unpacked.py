"""A body as it comes, unpacked no further than it is looked at."""

from __future__ import annotations

from typing import Any

from vorflug.netprobe.limits import BODY_BYTES, WHOLE_BODY_BYTES

_CHUNK = 64 * 1024


class Unpacked:
    """A body as it comes: its first part kept, unpacked where it is packed, and the rest only counted.

    Nobody asked for a packed body (``Accept-Encoding: identity``), but some servers send one all the same, and a few
    bytes may hold gigabytes: no more than the cap is ever unpacked.
    """

    def __init__(self) -> None:
        self.kept = bytearray()
        self.came = 0
        self.size = 0
        """The larger of packed and unpacked."""
        self._inflate: Any = None

    def packed_by(self, coding: str) -> None:
        """What Content-Encoding says (RFC 9110, 8.4.1); one that is not known here changes nothing."""
        import zlib

        if coding.strip().lower() in ("gzip", "x-gzip", "deflate"):
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # finds out by itself which of both

    def take(self, data: bytes) -> None:
        """Further bytes as they were sent."""
        self.came += len(data)
        plain = data if self._inflate is None else self._unpack(data)
        self.size = max(self.size + len(plain), self.came)
        if len(self.kept) < BODY_BYTES:
            self.kept += plain[: BODY_BYTES - len(self.kept)]

    def _unpack(self, data: bytes) -> bytes:
        import zlib

        if self._inflate.eof:
            return b""  # what stands behind the end is none of it, and zlib would keep every byte
        first = b""
        rest = data
        unpacked = 0
        while rest and self.size + unpacked < WHOLE_BODY_BYTES:
            try:
                part = self._inflate.decompress(rest, _CHUNK)
            except zlib.error:
                self._inflate = None  # not packed after all
                return first + rest
            rest = self._inflate.unconsumed_tail
            unpacked += len(part)
            first = first or part
            if not part:
                break
        self.size += max(0, unpacked - len(first))
        return first
