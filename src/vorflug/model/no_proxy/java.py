"""Java: ``java.net.HttpURLConnection``, ``HttpClient`` with its default selector, and what builds on them.

Source: OpenJDK sun.net.spi.DefaultProxySelector (``select``, ``toPattern``, ``disjunctToRegex``).  The environment is
not read at all: the settings are system properties (``-Dhttp.proxyHost``, also in JAVA_TOOL_OPTIONS).  https has a
proxy of its own but the list of http: ``http.nonProxyHosts``, in which ``|`` separates and ``*`` stands at the
beginning or the end.  ``localhost|127.*|[::1]|0.0.0.0|[::0]`` belong to the list, unless it is set and empty.
"""

from __future__ import annotations

from vorflug.model.no_proxy.asked import Asked

PROXIES = {scheme: (f"{scheme}.proxyHost", "proxyHost") for scheme in ("http", "https")}
"""Each with its ``…Port``."""
LISTS = ("http.nonProxyHosts",)
BUILT_IN = "localhost|127.*|[::1]|0.0.0.0|[::0]"


def matching(no_proxy: str | None, asked: Asked) -> str | None:
    """The entry that exempts what is *asked* for; *no_proxy* is None where the property is not set."""
    if no_proxy == "":
        return None
    host = asked.bracketed.lower()
    entries = [entry for entry in f"{no_proxy or ''}|{BUILT_IN}".split("|") if entry]
    return next((entry for entry in entries if _matches(entry.lower(), host)), None)


def _matches(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    first, last = entry.startswith("*"), entry.endswith("*")
    if first and last:
        return entry[1:-1] in host
    if first:
        return host.endswith(entry[1:])
    return host.startswith(entry[:-1]) if last else host == entry
