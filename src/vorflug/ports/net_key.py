"""A request with the key of a service: where the key lies, and what came of it.  The key never crosses the port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class KeyPlace:
    """Where the key lies, and how the service wants it."""

    variable: str = ""
    """The variable of the environment that holds it."""
    file: str = ""
    """Or the file, absolute."""
    header: str = "authorization"
    """The request header that it is sent in, lower case."""
    scheme: str = "Bearer"
    """What stands before it there (RFC 6750, 2.1); empty for nothing."""
    besides: tuple[tuple[str, str], ...] = ()
    """Further headers that the service wants with it; no secrets."""


class KeyState(StrEnum):
    """What became of the key."""

    USED = "used"
    """It was there; the trace tells how far the request came."""
    ABSENT = "absent"
    """The variable is not set, or there is no such file."""
    EMPTY = "empty"
    MALFORMED = "malformed"
    """It holds characters that no key can be sent with (RFC 9110, 5.5), or is too long."""
    UNREADABLE = "unreadable"
    """The file may not be read."""
    HELD_BACK = "held_back"
    """The address is not https: a key is not sent in the clear."""
