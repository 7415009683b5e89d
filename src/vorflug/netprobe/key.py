"""The key of a service on its way: sent to one origin, inside TLS, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

from vorflug.netprobe.target import Target

ATTEMPTS = 2
"""So often at most a credential is sent: services lock out who tries more."""


@dataclass
class Key:
    """Header fields for one origin (RFC 6454, 4: scheme, host and port)."""

    host: str
    port: int
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    left: int = ATTEMPTS

    def for_target(self, target: Target) -> tuple[tuple[str, str], ...]:
        """What goes with a request to *target*: nothing for another origin, without TLS, or past the last attempt."""
        own = (target.scheme, target.host, target.port) == ("https", self.host, self.port)
        if not own or self.left <= 0:
            return ()
        self.left -= 1
        return self.fields
