"""Python: urllib, requests and httpx.

Sources: CPython Lib/urllib/request.py (``getproxies_environment``, ``proxy_bypass_environment``); requests
src/requests/utils.py (``should_bypass_proxies``, ``select_proxy``), 2.34; httpx httpx/_utils.py
(``get_environment_proxies``, ``URLPattern``), 0.28.

Lower case wins; a lower-case variable that is set but empty switches the upper-case one off.  In a CGI program
(``REQUEST_METHOD``) HTTP_PROXY is not read.  urllib does not use all_proxy.  None of them knows IPv6 networks.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_network

from vorflug.model.no_proxy.asked import PORTS, Asked, address

PROXIES = {scheme: (f"{scheme}_proxy", f"{scheme.upper()}_PROXY") for scheme in PORTS}
PROXIES_AND_ALL = {scheme: (*names, "all_proxy", "ALL_PROXY") for scheme, names in PROXIES.items()}
LISTS = ("no_proxy", "NO_PROXY")

_ATON = re.compile(r"(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]+|[0-9]+)){0,3}")
"""What inet_aton(3) takes for an address, which is how requests tells one from a name."""


class UnreadableEntry(ValueError):
    """httpx makes no client at all where an entry is no host: every request fails."""

    def __init__(self, entry: str) -> None:
        super().__init__(entry)
        self.entry = entry


def urllib(no_proxy: str, asked: Asked) -> str | None:
    """Endings of the host, with or without the port that the URL names.  ``*`` counts only alone."""
    return _ending(no_proxy, asked.written.lower(), _before_port(asked.written.lower()))


def _before_port(written: str) -> str:
    """As urllib.parse._splitport: whatever stands before the last colon and digits."""
    found = re.fullmatch(r"(.*):([0-9]*)", written, re.DOTALL)
    return found[1] if found else written


def _ending(no_proxy: str, written: str, host: str) -> str | None:
    if no_proxy == "*":
        return "*"
    for part in no_proxy.split(","):
        entry = part.strip()
        name = entry.lstrip(".").lower()
        if entry and (name in (host, written) or host.endswith(f".{name}") or written.endswith(f".{name}")):
            return entry
    return None


def requests(no_proxy: str, asked: Asked) -> str | None:
    """Networks of IPv4; for names, endings.  Then what urllib says about the host without its port."""
    entries = [entry for entry in no_proxy.replace(" ", "").split(",") if entry]
    host = asked.ascii.replace("%", "%25") if ":" in asked.host else asked.ascii
    if _ATON.fullmatch(host):
        found = next((e for e in entries if _in_ipv4(host, e)), None)
    else:
        with_port = f"{host}:{asked.port}" if asked.explicit else host
        found = next((e for e in entries if _is_or_ends(host, with_port, e.lstrip("."))), None)
    return found or _ending(no_proxy, host, _before_port(host))


def _in_ipv4(host: str, entry: str) -> bool:
    base, slash, bits = entry.partition("/")
    here, there = address(host), address(base)
    if slash and isinstance(there, IPv4Address) and re.fullmatch(r"[0-9]+", bits) and 1 <= int(bits) <= 32:  # noqa: PLR2004
        return here is not None and here in ip_network(f"{there}/{bits}", strict=False)
    return host == entry


def _is_or_ends(host: str, with_port: str, entry: str) -> bool:
    return entry in (host, with_port) or host.endswith(f".{entry}") or with_port.endswith(f".{entry}")


def httpx(no_proxy: str, asked: Asked) -> str | None:
    """Each entry becomes a pattern of a URL.  Raises UnreadableEntry where one cannot.

    ``lab.test`` covers itself and what is below, ``.lab.test`` only what is below; of a network only its base address
    counts; a port counts where the URL names one that is not the scheme's own.  Names in ``xn--`` match nothing, since
    the URL's host is compared in its readable form.
    """
    entries = [entry for part in no_proxy.split(",") if (entry := part.strip())]
    if "*" in entries:
        return "*"
    patterns = [(entry, _pattern(entry)) for entry in entries]
    host = _readable(asked)
    port = None if asked.port == PORTS[asked.scheme] else asked.port
    for entry, (scheme, name, wanted) in patterns:
        if scheme in ("", asked.scheme) and wanted in (None, port) and _covers(name, host):
            return entry
    return None


def _readable(asked: Asked) -> str:
    if ":" in asked.host:
        return asked.host.replace("%", "%25")
    name = asked.ascii
    if not name.startswith("xn--"):
        return name
    import idna

    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def _pattern(entry: str) -> tuple[str, str, int | None]:
    """Scheme, host (with ``*`` before it where that stands for more) and port.

    An entry like ``10.0.0.0/8`` is a URL with a path, so the rest behind the slash counts for nothing.
    """
    base = entry.partition("/")[0]
    if "://" in entry:
        scheme, _, rest = entry.partition("://")
        return scheme.lower().replace("all", ""), *_host_and_port(entry, rest.partition("/")[0])
    if isinstance(address(base), IPv4Address):
        return "", base, None
    if isinstance(address(base), IPv6Address):
        if "/" in entry:
            raise UnreadableEntry(entry)
        return "", entry, None
    return "", *_host_and_port(entry, base if entry.lower() == "localhost" else f"*{base}")


def _host_and_port(entry: str, authority: str) -> tuple[str, int | None]:
    name, _, port = authority.partition(":")
    if (port and not re.fullmatch(r"[0-9]{1,5}", port)) or not name.isascii():
        raise UnreadableEntry(entry)
    return name.lower(), int(port) if port else None


def _covers(name: str, host: str) -> bool:
    if name.startswith("*."):
        return len(host) > len(name) - 1 and host.endswith(name[1:])
    if name.startswith("*"):
        return host == name[1:] or host.endswith(f".{name[1:]}")
    return host == name
