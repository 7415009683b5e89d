"""Which time servers a host is set up with.

Sources: chrony.conf(5) (``server``, ``pool``, ``peer``, ``sourcedir``, ``confdir``), timesyncd.conf(5) (``NTP=``,
``FallbackNTP=``), ntp.conf(5).  Only what stands in the usual files is read; sources handed out by DHCP are not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vorflug.ports import Host

FILES = (
    "/etc/chrony/chrony.conf",
    "/etc/chrony.conf",
    "/etc/ntpsec/ntp.conf",
    "/etc/ntp.conf",
)
TIMESYNCD = "/etc/systemd/timesyncd.conf"
FOLDERS = (
    ("/etc/chrony/conf.d", ".conf"),
    ("/etc/chrony/sources.d", ".sources"),
    ("/etc/chrony.d", ".conf"),
)
TIMESYNCD_FOLDERS = (("/etc/systemd/timesyncd.conf.d", ".conf"),)
_AT_MOST = 16
"""Servers; a host with more is set up by a pool."""
_SOURCE = re.compile(r"^[ \t]*(?:server|pool|peer)[ \t]+([^\s#!%;]{1,253})", re.MULTILINE)
_OPTION = re.compile(r"^[ \t]*(?:Fallback)?NTP[ \t]*=[ \t]*([^\n#]*)", re.MULTILINE)
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_CLOCKS = re.compile(r"127\.127\.")
"""Reference clocks of ntpd have such addresses (ntp.conf(5)); nothing is sent to them."""


def configured(host: Host) -> tuple[str, ...]:
    """Names and addresses, each once; empty where none is set up or no file can be read."""
    found: list[str] = []
    for text in _texts(host, FILES, FOLDERS):
        found += _SOURCE.findall(text)
    for text in _texts(host, (TIMESYNCD,), TIMESYNCD_FOLDERS):
        found += (name for names in _OPTION.findall(text) for name in names.split())
    known = dict.fromkeys(name for name in found if _HOST.fullmatch(name) and not _CLOCKS.match(name))
    return tuple(known)[:_AT_MOST]


def _texts(host: Host, files: tuple[str, ...], folders: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for path in (*files, *(p for folder, ending in folders for p in _below(host, folder, ending))):
        try:
            yield host.files.read_text(path, limit=1 << 16)
        except (OSError, ValueError):
            continue  # absent, closed or unreadable: the request then asks for the servers by name


def _below(host: Host, folder: str, ending: str) -> Iterator[str]:
    try:
        names = host.files.list_folder(folder)
    except OSError:
        return
    yield from (f"{folder}/{name}" for name in sorted(names) if name.endswith(ending))
