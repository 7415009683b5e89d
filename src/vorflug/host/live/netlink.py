"""Dumps of the kernel's own tables over netlink(7): the framing that sock_diag(7) and rtnetlink(7) share.

Only questions are sent (``NLM_F_REQUEST | NLM_F_DUMP``).  Written here because the library for it (pyroute2) brings an
event loop and some 330 modules for three questions.  Numbers are those of include/uapi/linux/netlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_REQUEST_DUMP = 0x1 | 0x300
_INTERRUPTED = 0x10
_NESTED = 0x8000 | 0x4000
_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")
_BUFFER = 1 << 17
"""More than the kernel puts into one answer of a dump (netlink_dump: 32 KiB at most)."""
_TRIES = 5


class _Changed(Exception):
    """The kernel says that the dump fits together no more (``NLM_F_DUMP_INTR``)."""


def dump(protocol: int, kind: int, body: bytes, patience: Patience) -> list[tuple[int, bytes]]:
    """Ask the kernel for a whole table: the type and the body of every message of the answer.

    *protocol* is ``NETLINK_ROUTE`` (0) or ``NETLINK_SOCK_DIAG`` (4), *kind* the request's message type.  A table that
    changes meanwhile is asked for again, a few times.
    Raises OSError with the kernel's own errno where it refuses, TimeoutError when the time is over.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as kernel:
        for sequence in range(1, _TRIES + 1):
            try:
                return list(_dump_once(kernel, kind, body, sequence, patience))
            except _Changed:
                continue
    raise OSError(errno.EINTR, "the table changed whenever it was read")


def _dump_once(
    kernel: socket.socket, kind: int, body: bytes, sequence: int, patience: Patience
) -> Iterator[tuple[int, bytes]]:
    kernel.settimeout(patience.left())
    kernel.sendall(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, sequence, 0) + body)
    changed = False
    while True:
        kernel.settimeout(patience.left())
        answer = kernel.recv(_BUFFER)
        if not answer:
            raise OSError(errno.ENODATA, "the kernel said nothing")
        while len(answer) >= _HEADER.size:
            length, found, flags, number, _ = _HEADER.unpack_from(answer)
            if length < _HEADER.size:
                raise OSError(errno.EPROTO, "the kernel's answer makes no sense")
            message, answer = answer[_HEADER.size : length], answer[(length + 3) & ~3 :]
            if number != sequence:
                continue  # the rest of a dump that was given up
            changed = changed or bool(flags & _INTERRUPTED)
            if found == _NLMSG_ERROR or (found == _NLMSG_DONE and len(message) >= _ERROR.size):
                code = -_ERROR.unpack_from(message)[0]
                if code != 0:
                    raise OSError(code, os.strerror(code))
            if found in {_NLMSG_ERROR, _NLMSG_DONE}:
                if changed:
                    raise _Changed
                return
            yield found, message


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes (struct nlattr) behind a message's fixed part, by type; nested ones stay as they are."""
    found: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind & ~_NESTED] = data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
    return found
