"""curl and libcurl.

Sources: lib/noproxy.c (``Curl_check_noproxy``), lib/url.c (``detect_proxy``, ``create_conn_helper_init_proxy``);
curl(1), ENVIRONMENT and ``--noproxy``.  What changed, by release:

* 7.86: networks (CIDR) of IPv4; a dot at the end of the host or the entry counts for nothing.  7.86 itself read only
  the last entry (issue 9813); 7.87 mended that.
* 8.9: a space no longer separates entries, nothing behind one is read (pull request 13789).
* 8.18: IPv6 is compared by address, and its networks are read (pull requests 18891, 19828).  Before, the address was
  compared as text with the URL's, which curl writes in its shortest form.

An entry with a port matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

from vorflug.model.no_proxy.asked import Asked, address

Release = tuple[int, ...]

NEWEST: Release = (8, 18)
"""The release whose rules are taken where none is named."""
SPACES_SEPARATE: Release = (8, 8)
"""The last one in which a space separates entries."""
_CIDR_SINCE: Release = (7, 86)
_COMMAS_ONLY_SINCE: Release = (8, 9)
_IPV6_SINCE: Release = (8, 18)

PROXIES = {
    "http": ("http_proxy", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
"""HTTP_PROXY is not read: a web server hands a header of that name to CGI programs (CVE-2016-5385)."""
LISTS = ("no_proxy", "NO_PROXY")


def matching(no_proxy: str, asked: Asked, release: Release = NEWEST) -> str | None:
    """The entry that exempts what is *asked* for; None where none does."""
    if no_proxy == "*":
        return "*"
    host = _normal(asked)
    entries = _entries(no_proxy, spaces=release < _COMMAS_ONLY_SINCE)
    return next((entry for entry in entries if _matches(entry, host, release)), None)


def _entries(no_proxy: str, *, spaces: bool) -> Iterator[str]:
    if spaces:
        yield from (entry for entry in re.split(r"[, \t]+", no_proxy) if entry)
        return
    for part in no_proxy.split(","):
        words = part.split()
        yield from words[:1]
        if len(words) > 1:
            return


def _normal(asked: Asked) -> str:
    """The host as curl's URL parser leaves it: numbers as dotted IPv4, the shortest IPv6, no zone."""
    host = asked.ascii.partition("%")[0]
    here = address(host)
    if isinstance(here, IPv6Address):
        return _text(here)
    return _numeric(host) or host


def _text(one: IPv6Address) -> str:
    """As inet_ntop(3) writes it: with an IPv4-mapped part in dots."""
    return f"::ffff:{one.ipv4_mapped}" if one.ipv4_mapped else str(one)


def _numeric(host: str) -> str | None:
    """A number in the forms of inet_aton(3): ``0x0a010203``, ``10.1`` (lib/urlapi.c, ``ipv4_normalize``)."""
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not all(re.fullmatch(r"0x[0-9a-f]+|[0-9]+", part) for part in parts):  # noqa: PLR2004
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:  # 08 is no octal number
        return None
    *high, low = numbers
    room = 8 * (4 - len(high))
    if any(n > 255 for n in high) or low >= 1 << room:  # noqa: PLR2004
        return None
    return str(IPv4Address(sum(n << (24 - 8 * i) for i, n in enumerate(high)) + low))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part, 16)
    return int(part, 8 if part.startswith("0") else 10)


def _matches(entry: str, host: str, release: Release) -> bool:
    here = address(host)
    if isinstance(here, IPv4Address) and release >= _CIDR_SINCE:
        return _in_network(entry, here, release)
    if isinstance(here, IPv6Address) and release >= _IPV6_SINCE:
        return _in_network(entry, here, release)
    bare = entry.lower()
    if release >= _CIDR_SINCE:
        bare, host = bare.removesuffix("."), host.removesuffix(".")
    bare = bare.removeprefix(".")
    return bool(bare) and (host == bare or host.endswith(f".{bare}"))


def _in_network(entry: str, here: IPv4Address | IPv6Address, release: Release) -> bool:
    """An address, or one with the length of a prefix, of which curl takes 0 for the whole address."""
    base, slash, length = entry.partition("/")
    there = address(base)
    if there is None or there.version != here.version:
        return False
    if not slash:
        return there == here
    if release >= _IPV6_SINCE and not re.fullmatch(r"[0-9]{1,3}", length):
        return False
    digits = re.match(r"[0-9]{0,9}", length)  # as atoi(3) reads them
    bits = int((digits.group() if digits else "") or 0) or here.max_prefixlen
    return bits <= here.max_prefixlen and here in ip_network(f"{there}/{bits}", strict=False)
