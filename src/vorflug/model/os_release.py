"""The question that several areas put: which distribution is this, in which version?  Equal questions are asked once.

Source: os-release(5).  ``/etc/os-release`` wins over ``/usr/lib/os-release``, they are never merged.  The file is that
of the root that this process sees: inside a container the container's own, not the host's.
"""

from __future__ import annotations

import errno
import re
import shlex
from dataclasses import dataclass

from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.whole_file import uncut
from vorflug.ports import Host

_PLACES = ("/etc/os-release", "/usr/lib/os-release")
_MOST_BYTES = 1 << 16
_SHORTEST_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_NAMES = {
    "almalinux": "AlmaLinux",
    "alpine": "Alpine Linux",
    "amzn": "Amazon Linux",
    "centos": "CentOS",
    "debian": "Debian",
    "fedora": "Fedora",
    "ol": "Oracle Linux",
    "opensuse-leap": "openSUSE Leap",
    "rhel": "RHEL",
    "rocky": "Rocky Linux",
    "sles": "SLES",
    "ubuntu": "Ubuntu",
}
"""What people call the systems that os-release(5) writes in lower case."""


class OsReleaseFact(Fact):
    """What the system says of itself; an empty string where it says nothing."""

    id: str
    version_id: str
    id_like: tuple[str, ...]
    """The systems that it was derived from, nearest first."""
    pretty_name: str
    path: str
    """The file that was read."""

    @property
    def name(self) -> str:
        """The system as a person would name it; empty where the file names none."""
        return self.pretty_name or f"{self.id} {self.version_id}".strip()

    @property
    def seen(self) -> Message:
        """The system for the *seen* column."""
        return msg("{name}", name=self.name) if self.name else msg("{file} without a name", file=self.path)

    @property
    def missing(self) -> str:
        """The key without which the system and its version are not certain; empty where none is missing."""
        return "ID" if not self.id else "" if self.version_id else "VERSION_ID"


@dataclass(frozen=True, kw_only=True)
class OsReleaseQuery(Query[OsReleaseFact]):
    """Which distribution is this, in which version?"""

    kind = "os_release"
    touches = ("/etc/os-release", "/usr/lib/os-release")

    def asks(self) -> Message:
        return msg("Which operating system is this, in which version?")

    def observe(self, host: Host) -> OsReleaseFact:
        for path in _PLACES:
            try:
                text = host.files.read_text(path, limit=_MOST_BYTES)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise NotImplementedError(f"{path} is a symlink that leads back to itself") from error
                raise
            values = _assignments(uncut(path, text, _MOST_BYTES))  # the last assignment counts
            return OsReleaseFact(
                id=values.get("ID", ""),
                version_id=values.get("VERSION_ID", ""),
                id_like=tuple(values.get("ID_LIKE", "").split()),
                pretty_name=values.get("PRETTY_NAME", ""),
                path=path,
            )
        raise NotImplementedError(f"neither {_PLACES[0]} nor {_PLACES[1]} is there")


def _assignments(text: str) -> dict[str, str]:
    """Shell-compatible assignments (os-release(5)); a line that is none is passed over, as a later one wins."""
    values: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").split("\n"):
        assignment = _SHORTEST_ASSIGNMENT.fullmatch(line.strip())
        if assignment is None:
            continue
        try:
            words = shlex.split(assignment[2])
        except ValueError:  # a quote that is never closed
            continue
        if len(words) <= 1:
            values[assignment[1]] = words[0][:200] if words else ""
    return values


def system_name(id_: str) -> str:
    """What people call the system that os-release(5) calls *id_*."""
    return _NAMES.get(id_, id_)
