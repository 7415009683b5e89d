"""How this machine is set up for the network, from its own files and environment: nobody is asked."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from vorflug.engine.contacts import Surroundings

_LOOK_S = 10.0
"""Seconds; a few small files are read."""


def without_openssl_settings(environ: MutableMapping[str, str]) -> None:
    """Take OPENSSL_CONF out of *environ* where it names no regular file.

    OpenSSL reads it when it is loaded (config(5ssl)), and would wait for a pipe before any deadline is watched.
    Nothing here needs a configuration of OpenSSL.
    """
    file = environ.get("OPENSSL_CONF")
    if file is None:
        return
    try:
        usable = stat.S_ISREG(os.stat(file).st_mode)  # noqa: PTH116 - pathlib takes time to load
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        usable = False
    if not usable:
        del environ["OPENSSL_CONF"]


def here() -> Surroundings:
    """Its nameservers, time servers and proxies."""
    from vorflug.engine.contacts import Surroundings
    from vorflug.host.live import LiveHost
    from vorflug.model import time_servers

    host = LiveHost(_LOOK_S)
    try:
        nameservers = host.net.nameservers()
    except OSError:
        nameservers = ()  # none is named, and the plan says so
    return Surroundings(route=host.net.route, nameservers=nameservers, time_servers=time_servers.configured(host))
