"""How long and how much: one monotonic deadline for a whole request, and caps for everything read from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

HEADER_BYTES = 64 * 1024
"""Headers of one answer; more is ``http.header_too_large``.  Web servers commonly send at most 32 KiB."""
BODY_BYTES = 64 * 1024
"""Of a body no more than this is kept, and no more is read where the answer is not judged."""
WHOLE_BODY_BYTES = 16 * 1024 * 1024
"""A judged answer is read to its end, but no further than this, packed or unpacked: no answer to a probe is longer."""
VALUE_CHARS = 500
"""A header's value is cut here."""
NAMES_AT_MOST = 100
"""Header names and certificate names that are reported."""
FILE_NAMES_AT_MOST = 2000
"""Names of a file's server certificate, which are judged: public authorities issue with 100 to 250 names at most."""


class Deadline:
    """A point in monotonic time that all stages share."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def left(self, at_most: float | None = None) -> float:
        """Seconds left, 0 or more, and no more than *at_most*."""
        left = max(0.0, self._ends - monotonic())
        return left if at_most is None else min(left, at_most)

    def within(self, seconds: float) -> Deadline:
        """A deadline in *seconds*, but not after this one."""
        return Deadline(self.left(seconds))


@dataclass(frozen=True)
class Limits:
    """Seconds of silence after which a stage is given up."""

    resolve: float = 11.0
    """glibc gives a nameserver 5 s and tries twice (resolv.conf(5), ``timeout`` and ``attempts``)."""
    nameserver: float = 2.0
    """For one try with one nameserver; there are two tries, since a UDP packet may be lost."""
    connect: float = 8.0
    """Linux repeats a SYN after 1, 3 and 7 s (RFC 6298)."""
    stagger: float = 0.25
    """Between attempts to two addresses (RFC 8305, 5)."""
    v6_patience: float = 1.2
    """An IPv6 attempt that IPv4 has overtaken is broken when it has no answer by then: a SYN is repeated after 1 s."""
    greeting: float = 0.5
    """After a cut connection, on a second one: a peer that hangs up unasked does so within this time."""
    proxy: float = 10.0
    """For the proxy's answer: squid gives a target 60 s, so that a longer wait proves nothing more."""
    handshake: float = 8.0
    http: float = 10.0
    """For the whole answer."""

    @classmethod
    def within(cls, seconds: float) -> Limits:
        """For a whole request of *seconds* with its controls: no stage may eat what the later ones need."""
        usual = cls()
        return replace(
            usual,
            resolve=min(usual.resolve, 0.4 * seconds),
            nameserver=min(usual.nameserver, 0.15 * seconds),
            connect=min(usual.connect, 0.5 * seconds),
            proxy=min(2 * usual.proxy, 0.7 * seconds),
            handshake=min(2 * usual.handshake, 0.6 * seconds),
            http=seconds,
        )
