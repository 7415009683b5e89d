"""Files that name package sources may hold credentials: struck out where they are read."""

from __future__ import annotations

import re

from vorflug.host.secrets import redact

_FOLDERS = ("/etc/apt/", "/etc/yum", "/etc/dnf/", "/etc/distro.repos.d/", "/etc/zypp/", "/etc/apk/", "/usr/share/dnf5/")
_SECRET = re.compile(r"(?im)^(\s*(?:proxy_)?(?:username|password)\s*=).*$")
"""dnf.conf(5): ``username``, ``password``, ``proxy_username``, ``proxy_password``."""


def concerns(path: str) -> bool:
    """Whether *path* lies where a package manager keeps its sources."""
    return any(folder in path for folder in _FOLDERS)


def strike_secrets(text: str) -> str:
    """*text* without the userinfo of URLs and without the values of credential options, the form unchanged."""
    return redact(_SECRET.sub(r"\1 [redacted]", text))
