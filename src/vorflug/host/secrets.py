"""What must never leave this machine, remembered the moment a port reads it, and struck out of everything written.

Ports strip credentials at the source; this is the second net under it: a secret that slips into an error text, a
program's output or a certificate is replaced by ``[redacted]`` on every output path.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from threading import Lock
from urllib.parse import quote

_LOCK = Lock()
_SHORTEST = 6
"""Shorter strings would be struck out of innocent words."""
_KNOWN: dict[str, set[str]] = {}
"""By their first `_SHORTEST` characters: a package may bring tens of thousands, and few of them are in one text."""
_ENDS: set[str] = set()
"""The first and the last `_SHORTEST` characters of each."""
_CUT = "…"
"""What stands where a text from outside was cut (`vorflug.model.message.visible`)."""
_LONGEST_BEGINNING = 600
"""No value from outside is shown longer than 500 characters."""
_MOST = 1000
"""A text with more of them than that is a list of secrets, and to look for each would take minutes."""

_WORD = re.compile(r"[^\s\"'<>]+")
_AUTHORITY = re.compile(r"[^/?#]*")
_PORT = re.compile(r"[0-9]{1,5}(?=[/?#])")
_PROXY = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}/?")


def remember(*secrets: str | None) -> None:
    """Note values that must not be written anywhere.  Safe from any thread."""
    with _LOCK:
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                # as it may be written elsewhere: in a URL, in an Authorization field
                encoded = b64encode(secret.encode("utf-8", "surrogateescape")).decode()
                for form in (secret, quote(secret, safe="", errors="surrogateescape"), encoded):
                    _KNOWN.setdefault(form[:_SHORTEST], set()).add(form)
                    _ENDS.update((form[:_SHORTEST], form[-_SHORTEST:]))


def userinfo(text: str) -> Iterator[tuple[int, int]]:
    """Where the userinfo of every URL in *text* begins, and where its ``@`` is.

    By RFC 3986, 3.2.1 it ends before the first ``/``.  People write passwords with a ``/`` all the same, and programs
    then fail and quote them: where a colon comes first, everything up to the word's last ``@`` counts, unless it is the
    port of a URL whose path holds an ``@`` (``registry:5000/app@sha256:…``).
    """
    start = text.find("://")
    while start >= 0:
        start += 3
        word = _WORD.match(text, start)
        end = word.end() if word else start
        last = text.rfind("@", start, end)
        while 0 <= start <= last:
            authority = _AUTHORITY.match(text, start, end)
            stop = authority.end() if authority else start
            bracket = text.find("]", start, stop) if text.startswith("[", start) else -1  # of an IPv6 address
            near, colon = text.rfind("@", start, stop), text.find(":", max(start, bracket), stop)
            port = _PORT.match(text, colon + 1, end) if colon >= 0 and near < 0 else None
            # "https:" of a second URL in this word is no user name
            if (
                colon >= 0
                and not text.startswith("://", colon)
                and (port is None or _PROXY.fullmatch(text, last + 1, end))
            ):
                yield start, last
                break
            if near >= 0:
                yield start, near
            start = text.find("://", start, end) + 3
            if start < 3:  # noqa: PLR2004 - there is none
                break
        start = text.find("://", end)


def redact(text: str) -> str:
    """*text* without the userinfo of URLs and without any secret that was read in this process.

    One with more than `_MOST` secrets in it is struck out as a whole.
    """
    kept, done = [], 0
    for start, end in userinfo(text):
        kept += [text[done:start], "[redacted]"]
        done = end
    text = _without_beginnings("".join((*kept, text[done:])))
    known = _within(text)
    if len(known) > _MOST:
        return "[redacted]"
    for secret in known:
        text = text.replace(secret, "[redacted]")
    return text


def _without_beginnings(text: str) -> str:
    """*text* without the beginnings of secrets where something was cut (``…``), which no longer are the secret."""
    kept, done = [], 0
    ends = text.find(_CUT)
    while ends >= 0:
        begins = _beginning(text[max(done, ends - _LONGEST_BEGINNING) : ends])
        if begins:
            kept += [text[done : ends - begins], "[redacted]"]
            done = ends
        ends = text.find(_CUT, ends + 1)
    return "".join((*kept, text[done:]))


def _beginning(text: str) -> int:
    """How many characters at the end of *text* are the beginning of a secret; 0 where none are."""
    with _LOCK:
        for at in range(len(text) - _SHORTEST + 1):
            rest = text[at:]
            if any(secret.startswith(rest) for secret in _KNOWN.get(rest[:_SHORTEST], ())):
                return len(rest)
    return 0


def _within(text: str) -> list[str]:
    """The secrets in *text*, the longest first, and no more than one above `_MOST`.

    Only those are searched for whose first and last characters were both met on one way through the text.
    """
    met = {part for at in range(len(text) - _SHORTEST + 1) if (part := text[at : at + _SHORTEST]) in _ENDS}
    with _LOCK:
        likely = [one for part in met for one in _KNOWN.get(part, ()) if one[-_SHORTEST:] in met]
    return sorted(islice((one for one in likely if one in text), _MOST + 1), key=len, reverse=True)
