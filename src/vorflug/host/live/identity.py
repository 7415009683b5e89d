"""Who this machine is, said without naming it."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
from pathlib import Path

UNKNOWN = "unknown"
_KEY = b"vorflug host identity v1"
_LOOK_S = 2.0
"""Seconds: a few small files of /proc and /sys are read."""


def name() -> str:
    """The node name, as uname(2) gives it; ``unknown`` where it is empty."""
    return socket.gethostname()[:253] or UNKNOWN


def identity(root: str = "/") -> str:
    """``sha256:`` and a keyed hash of the machine id; ``unknown`` where there is none.

    machine-id(5) asks programs not to hand out the id itself but a hash of it keyed for the application.
    """
    for path in ("etc/machine-id", "var/lib/dbus/machine-id"):
        try:
            machine_id = (Path(root) / path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        # "uninitialized" stands there while an image boots for the first time
        if len(machine_id) == 32 and machine_id != "uninitialized":  # noqa: PLR2004 - 128 bits in hex
            return "sha256:" + hmac.new(_KEY, machine_id.encode(), hashlib.sha256).hexdigest()
    return UNKNOWN


def user() -> str:
    """The login name of the effective user, or its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def container() -> str | None:
    """The kind of container that this runs in; empty for none that can be seen, None where that cannot be found out."""
    from vorflug.host.live import LiveHost

    try:
        return LiveHost(_LOOK_S).system.virtualisation().container
    except (OSError, NotImplementedError, ValueError):
        return None


def elevated() -> bool:
    """Whether this process has root's rights."""
    return os.geteuid() == 0
