"""Addresses as a person writes them on the command line.  What is wrong with one is said without quoting a secret."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from vorflug.cli.errors import Refusal
from vorflug.model.message import Message, msg, visible

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LONGEST = 2000
"""Characters; web servers commonly take request lines of 8 KiB, and nobody types more than this."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST_ALONE = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/\S*)?")
_PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_LEFT_OUT = "…"
_HTTP_OF = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""The scheme that carries it: a WebSocket begins as a request (RFC 6455, 3 and 4.1)."""
_PROXY_SCHEMES = ("http", "https", "socks5h")
_HIGHEST_PORT = 65535
_SHORTEST_SECRET = 8
"""Characters of a value in a query that is struck out wherever it turns up: shorter ones stand in innocent words."""


@dataclass(frozen=True)
class Asked:
    """One URL that may be asked."""

    url: str
    """With the scheme ``http`` or ``https``, and without a fragment, which is never sent (RFC 9110, 7.1)."""
    shown: str
    """As it was written, its query left out: tokens travel there."""
    websocket: bool
    """The scheme was ``ws`` or ``wss``."""
    secrets: tuple[str, ...]
    """What stands in the query, and must not be written anywhere."""


def read_url(text: str) -> Asked:
    """The URL in *text*.  Raises Refusal (2) saying what was wanted."""
    _no_blanks(text, msg("wanted a URL without blanks and control characters: write a blank in a path as %20."))
    found = _SCHEME.match(text)
    if found is None:
        if _HOST_ALONE.fullmatch(text):
            raise Refusal(msg("{url}: wanted a URL with its scheme; did you mean https://{url} ?", url=_safe(text)))
        raise Refusal(msg("{url}: wanted a URL that begins with https:// or http://.", url=_safe(text)))
    scheme = found[1].lower()
    if scheme not in _HTTP_OF:
        raise Refusal(
            msg(
                "{scheme}:// cannot be asked: wanted a URL with https, http, wss or ws.",
                scheme=_LEFT_OUT if _has_userinfo(text) else visible(scheme, at_most=80),
            )
        )
    parts = _split(text)
    if not parts.path.isascii() or not parts.query.isascii():
        raise Refusal(msg("{url}: wanted a path in ASCII: write other characters percent-encoded.", url=_safe(text)))
    carried = parts._replace(scheme=_HTTP_OF[scheme], fragment="")
    values = [value for _, value in parse_qsl(parts.query)]
    innocent = f"{parts.netloc}{parts.path}"
    secrets = [parts.query, *values] if parts.query else []
    return Asked(
        url=carried.geturl(),
        shown=_shown(parts, scheme),
        websocket=scheme in ("ws", "wss"),
        secrets=tuple(s for s in dict.fromkeys(secrets) if len(s) >= _SHORTEST_SECRET and s not in innocent),
    )


def read_proxy(text: str) -> str:
    """The proxy in *text*, as a setting.  Raises Refusal (2) saying what was wanted."""
    wanted = msg("wanted a proxy as http://HOST:PORT (or https, socks5h), or none.")
    if _has_userinfo(text):
        raise Refusal(
            msg(
                "A proxy with user name and password does not belong on the command line, where everybody on this "
                "machine can read it: put it into the variable https_proxy (for http:// URLs http_proxy), and leave "
                "--proxy out."
            )
        )
    _no_blanks(text, wanted)
    found = _SCHEME.match(text)
    if found is None and ":" in text and _HOST_ALONE.fullmatch(text):
        raise Refusal(
            msg("--proxy {proxy}: wanted a proxy with its scheme; did you mean http://{proxy} ?", proxy=_safe(text))
        )
    if found is None or found[1].lower() not in _PROXY_SCHEMES:
        raise Refusal(msg("--proxy {proxy}: {wanted}", proxy=_safe(text), wanted=wanted))
    parts = _split(text)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise Refusal(msg("--proxy {proxy}: {wanted}", proxy=_safe(text), wanted=wanted))
    return f"{parts.scheme}://{parts.netloc}"


def _no_blanks(text: str, wanted: Message) -> None:
    if not text:
        raise Refusal(msg("An empty address: {wanted}", wanted=wanted))
    if len(text) > _LONGEST:
        raise Refusal(msg("An address of {n} characters: wanted {most} at most.", n=len(text), most=_LONGEST))
    if any(c.isspace() or not c.isprintable() for c in text):
        raise Refusal(msg("{url}: {wanted}", url=_safe(text), wanted=wanted))


def _split(text: str) -> SplitResult:
    """Host and port of *text* are sound.  Raises Refusal (2)."""
    from vorflug.netprobe.target import ascii_host

    authority = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise Refusal(msg("Wanted a URL without user name and password: nothing is asked with credentials."))
    port = authority.rpartition(":")[2] if re.search(r":[^\]:]*$", authority) else None
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT):
        raise Refusal(msg("{url}: wanted a port from 1 to 65535.", url=_safe(text)))
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise Refusal(msg("{url}: wanted a URL with a host name or an IP address.", url=_safe(text)))
    try:
        ascii_host(host)
    except ValueError as error:
        raise Refusal(
            msg(
                "{url}: what stands in the place of the host is no host name (letters, digits, hyphens, single dots) "
                "and no IP address.",
                url=_safe(text),
            )
        ) from error
    return parts


def _shown(parts: SplitResult, scheme: str) -> str:
    query = "?…" if parts.query else ""
    return visible(parts._replace(scheme=scheme, query="", fragment="").geturl(), at_most=300) + query


def _has_userinfo(text: str) -> bool:
    """Whether a user name and password may stand in *text*: an ``@``, in whatever way it is written."""
    return "@" in unicodedata.normalize("NFKC", text) or "%40" in text


def _safe(text: str) -> str:
    """What may be quoted of an address that is refused: its scheme, and what can be nothing but a host.

    Where a password stands in a mistyped address nobody knows: all else is left out.
    """
    if _has_userinfo(text):
        return _LEFT_OUT
    found = _SCHEME.match(text)
    scheme = found[0] if found else ""
    rest = text[len(scheme) :]
    host = re.split(r"[/?#:]", rest, maxsplit=1)[0]
    if not _PLAIN_HOST.fullmatch(host):
        host = ""
    return visible(scheme + host, at_most=120) + (_LEFT_OUT if host != rest else "")
