"""GNU Wget 1.x.

Sources: src/retr.c (``getproxy``), src/host.c (``sufmatch``), src/init.c (``cmd_vector``), src/utils.c (``sepstring``);
the manual's chapter "Proxies".  Only the lower-case variables are read; those of wgetrc (``http_proxy = ...``) come
first.  An entry is a name with what is below it, ``.lab.test`` only what is below it; in old releases it is any ending,
and ``lab.test`` exempts ``notlab.test``, too.  There is no ``*``, no network and no port.  A blank is skipped behind a
comma and nowhere else.
"""

from __future__ import annotations

from vorflug.model.no_proxy.asked import Asked

PROXIES = {"http": ("http_proxy",), "https": ("https_proxy",)}
LISTS = ("no_proxy",)


def matching(no_proxy: str, asked: Asked) -> str | None:
    """The entry that exempts what is *asked* for; None where none does."""
    host = asked.ascii
    first, *more = no_proxy.split(",")
    return next((e for e in (first, *(part.lstrip() for part in more)) if e and _matches(e.lower(), host)), None)


def _matches(entry: str, host: str) -> bool:
    return host == entry or host.endswith(entry if entry.startswith(".") else f".{entry}")
