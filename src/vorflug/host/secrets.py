"""What must never leave this machine, remembered the moment a port reads it, and struck out of everything written.

Ports strip credentials at the source; this is the second net under it: a secret that slips into an error text, a
program's output or a certificate is replaced by ``[redacted]`` on every output path.
"""

from __future__ import annotations

import re
from base64 import b64encode
from threading import Lock
from urllib.parse import quote

_LOCK = Lock()
_KNOWN: set[str] = set()
_SHORTEST = 6
"""Shorter strings would be struck out of innocent words."""

_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/?#\"'<>]*@")
"""RFC 3986, 3.2.1: userinfo ends at the last ``@`` before the path."""


def remember(*secrets: str | None) -> None:
    """Note values that must not be written anywhere.  Safe from any thread."""
    with _LOCK:
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                # as it may be written elsewhere: in a URL, in an Authorization field
                encoded = b64encode(secret.encode("utf-8", "surrogateescape")).decode()
                _KNOWN.update((secret, quote(secret, safe=""), encoded))


def redact(text: str) -> str:
    """*text* without the userinfo of URLs and without any secret that was read in this process."""
    if "://" in text:
        text = _USERINFO.sub(r"\g<scheme>[redacted]@", text)
    with _LOCK:
        known = sorted(_KNOWN, key=len, reverse=True)
    for secret in known:
        if secret in text:
            text = text.replace(secret, "[redacted]")
    return text
