"""What the package manager of this machine has on record: dpkg, rpm or apk.

Which of them it is, is told by whose records are there, not by which program is: rpm is a tool on Debian as well, and
dpkg one on Fedora, each with an empty list or folder of its own.
Sources: dpkg(1) for the states in /var/lib/dpkg/status; dpkg's lib/dpkg/dbmodify.c for ``updates``, the journal of a
run that was cut off, whose entries count before the list's; rpm(8) for ``--query``; apk's database format v2 (``f:``
flags broken files, scripts or attributes).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from vorflug.host.live.files import LiveFiles
from vorflug.ports.commands import Commands
from vorflug.ports.packages import Installed, Inventory, Manager, PackageState

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_DPKG = "/var/lib/dpkg/status"
_JOURNAL = "/var/lib/dpkg/updates"
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_RPM = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
_RPM_RECORDS = {"rpmdb.sqlite", "Packages", "Packages.db"}
"""Of the backends sqlite, Berkeley DB and ndb."""
_LIMIT = 1 << 26
"""Bytes of a list: that of a full desktop has some 10 MB."""
_HALF = {"half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"}
_FORMAT = r"%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{ARCH}\n"
_ABSENT = re.compile(r"package \S+ is not installed")


class LivePackages:
    """Reads the records below *root*; of rpm, whose records are a database, its own program is asked."""

    def __init__(self, patience: Patience, root: str = "/", commands: Commands | None = None) -> None:
        self._patience = patience
        self._files = LiveFiles(root)
        self._commands = commands

    def find(self, names: tuple[str, ...]) -> Inventory:
        self._patience.left()
        if self._has_entries(_DPKG):
            return Inventory(Manager.DPKG, _sorted(one for one in self._dpkg() if one.name in names))
        if any(_RPM_RECORDS.intersection(self._names(folder)) for folder in _RPM):
            return Inventory(Manager.RPM, _sorted(self._rpm(names)) if names else ())
        for path in _APK:
            if self._has_entries(path):
                return Inventory(Manager.APK, _sorted(one for one in self._apk(path) if one.name in names))
        raise NotImplementedError("neither dpkg nor rpm nor apk keeps records here")

    def _has_entries(self, path: str) -> bool:
        return self._files.exists(path) and self._files.status(path).size_bytes > 1

    def _names(self, folder: str) -> tuple[str, ...]:
        try:
            return self._files.list_folder(folder)
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def _dpkg(self) -> Iterator[Installed]:
        """Of each package and architecture the last entry: the list's, then those of the journal in their order."""
        last: dict[tuple[str, str], dict[str, str]] = {}
        journal = [f"{_JOURNAL}/{name}" for name in self._names(_JOURNAL) if name.isdecimal()]
        for path in (_DPKG, *journal):
            for fields in self._stanzas(path, "Package", "Status", "Version", "Architecture"):
                last[fields.get("Package", ""), fields.get("Architecture", "")] = fields
        _must_hold(_DPKG, last)
        for (name, architecture), fields in last.items():
            words = fields.get("Status", "").split()
            if not name or len(words) != 3:  # noqa: PLR2004 - want, flag, state
                raise ValueError(f"{_DPKG}: wanted a name and three words of status, saw {name[:40]!r} and {words[:4]}")
            state = words[2]
            if state != "not-installed":
                yield Installed(name, fields.get("Version", ""), architecture, _dpkg_state(state), state)

    def _apk(self, path: str) -> Iterator[Installed]:
        entries = list(self._stanzas(path, "P", "V", "A", "f"))
        _must_hold(path, entries)
        for fields in entries:
            if "P" not in fields:
                raise ValueError(f"{path}: wanted a name (P:) in each entry, saw {', '.join(fields)} only")
            broken = fields.get("f", "")
            yield Installed(
                name=fields["P"],
                version=fields.get("V", ""),
                architecture=fields.get("A", ""),
                state=PackageState.HALF if broken else PackageState.INSTALLED,
                detail="broken" if broken else "installed",
            )

    def _stanzas(self, path: str, *keys: str) -> Iterator[dict[str, str]]:
        """Paragraphs of ``Key: value``, of which *keys* are kept; lines that go on are none of them."""
        if self._files.status(path).size_bytes > _LIMIT:  # what is cut off would read as absent
            raise ValueError(f"{path} has more than {_LIMIT} bytes")
        text = self._files.read_text(path, limit=_LIMIT)
        fields: dict[str, str] = {}
        for number, line in enumerate((*text.split("\n"), ""), start=1):
            if not line.strip():
                self._patience.left()
                if fields:
                    yield fields
                fields = {}
                continue
            key, colon, value = line.partition(":")
            if colon and key in keys:  # a line that goes on begins with a blank, and so its key does
                if key in fields:
                    raise ValueError(f"{path}, line {number}: wanted one {key}: in each entry, saw another")
                fields[key] = value.strip()

    def _rpm(self, names: tuple[str, ...]) -> Iterator[Installed]:
        commands = self._commands
        if commands is None:
            from vorflug.host.live.commands import LiveCommands

            commands = LiveCommands(self._patience)
        try:
            done = commands.run(("rpm", "--query", "--queryformat", _FORMAT, "--", *names))
        except FileNotFoundError:
            raise NotImplementedError("there are records of rpm, but no rpm to read them") from None
        # rpm ends with the number of packages that are not there, and says so on its standard output
        said = [line for line in done.out.splitlines() if line.strip()]
        absent = [line for line in said if _ABSENT.fullmatch(line)]
        strange = [line for line in said if line.count("\t") != 2 and line not in absent]  # noqa: PLR2004
        # warnings (of another backend, of a key) are no failure; rpm may end with 0 in spite of an error
        failed = [line for line in done.err.splitlines() if line.strip() and not line.startswith("warning:")]
        if any("Permission denied" in line for line in failed):
            raise PermissionError(f"rpm: {failed[0][:200]}")
        ended_badly = done.code < 0 or (done.code > 0 and not absent)
        if strange or failed or ended_badly or done.cut or len(said) < len(names):
            raise ValueError(f"rpm ended with {done.code}: {' '.join(failed or strange)[:200]}")
        for line in said:
            if "\t" in line:
                name, version, architecture = line.split("\t")
                yield Installed(name, version, architecture, PackageState.INSTALLED, "installed")


def _must_hold(path: str, entries: Collection[object]) -> None:
    """Raises ValueError for a list in which no package was found: no system is without any."""
    if not entries:
        raise ValueError(f"{path}: wanted at least one package, saw none")


def _dpkg_state(state: str) -> PackageState:
    if state in _HALF:
        return PackageState.HALF
    if state == "config-files":
        return PackageState.CONFIG_FILES
    if state == "installed":
        return PackageState.INSTALLED
    raise ValueError(f"{_DPKG}: wanted a state of dpkg(1), saw {state[:40]!r}")


def _sorted(found: Iterable[Installed]) -> tuple[Installed, ...]:
    return tuple(sorted(found, key=lambda one: (one.name, one.version, one.architecture)))
