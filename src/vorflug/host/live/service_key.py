"""The key of a service, read from the environment or a file, remembered for redaction, and given to one request."""

from __future__ import annotations

from collections.abc import Mapping

from vorflug.host.live.files import LiveFiles
from vorflug.host.secrets import remember
from vorflug.ports.net_key import KeyPlace, KeyState

_LONGEST = 8192
"""Web servers take a header of 8 KiB (nginx: large_client_header_buffers); a JWT of Vertex AI has about 1 KiB."""


def read_key(place: KeyPlace, environ: Mapping[str, str]) -> str | KeyState:
    """The key, or why there is none."""
    if place.variable:
        raw = environ.get(place.variable)
    else:
        try:
            raw = LiveFiles().read_text(place.file, limit=2 * _LONGEST)
        except (FileNotFoundError, NotADirectoryError):
            raw = None
        except (PermissionError, IsADirectoryError, ValueError):
            return KeyState.UNREADABLE
    if raw is None:
        return KeyState.ABSENT
    key = raw.strip()
    remember(key)
    if not key:
        return KeyState.EMPTY
    if len(key) > _LONGEST or not all("!" <= c <= "~" for c in key):
        return KeyState.MALFORMED
    return key


def fields(place: KeyPlace, key: str) -> tuple[tuple[str, str], ...]:
    """The header fields that *key* is sent with."""
    return ((place.header, f"{place.scheme} {key}".strip()), *place.besides)
