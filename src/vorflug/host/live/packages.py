"""What the package manager of this machine has on record: dpkg, rpm or apk.

Which of them it is, is told by whose records are there, not by which program is: rpm is a tool on Debian as well, and
dpkg one on Fedora, each with an empty list or folder of its own.
Sources: dpkg(1) for the states in /var/lib/dpkg/status; dpkg's lib/dpkg/dbmodify.c for ``updates``, the journal of a
run that was cut off, whose entries count before the list's; rpm(8) for ``--query`` and ``--dbpath``; apk's database
format v2 (``f:`` flags broken files, scripts or attributes).

rpm is told which records to read: one that was built for another system looks in a place of its own (Debian's in the
user's home), and says of whatever is asked that it is not installed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from vorflug.host.live.files import LiveFiles
from vorflug.ports.commands import Commands, Completed
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
_DENIED = ("Permission denied", "Operation not permitted")
"""The second is what rpm makes of SQLite's refusal."""
_ABSENT = re.compile(r"package \S+ is not installed")


class LivePackages:
    """Reads the records below *root*; of rpm, whose records are a database, its own program is asked."""

    def __init__(self, patience: Patience, root: str = "/", commands: Commands | None = None) -> None:
        self._patience = patience
        self._files = LiveFiles(root)
        self._commands = commands

    def find(self, names: tuple[str, ...]) -> Inventory:
        manager, place = self._keeper()
        if manager is Manager.RPM:
            return Inventory(manager, _sorted(self._rpm(place, names)) if names else ())
        return Inventory(manager, _sorted(one for one in self._listed(manager, place) if one.name in names))

    def unfinished(self) -> Inventory:
        manager, place = self._keeper()
        if manager is Manager.RPM:
            return Inventory(manager, ())
        found = (one for one in self._listed(manager, place) if one.state is PackageState.HALF)
        return Inventory(manager, _sorted(found))

    def _keeper(self) -> tuple[Manager, str]:
        """Whose records are there, and in which file or folder."""
        self._patience.left()
        if self._has_entries(_DPKG):
            return Manager.DPKG, _DPKG
        for folder in _RPM:
            if _RPM_RECORDS.intersection(self._names(folder)):
                return Manager.RPM, folder
        for path in _APK:
            if self._has_entries(path):
                return Manager.APK, path
        raise NotImplementedError("neither dpkg nor rpm nor apk keeps records here")

    def _listed(self, manager: Manager, place: str) -> Iterator[Installed]:
        return self._dpkg() if manager is Manager.DPKG else self._apk(place)

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
            _, flag, state = words
            if state == "not-installed":
                continue
            # of a package that must be installed anew, dpkg no longer knows what is there of it
            how, detail = (_dpkg_state(state), state) if flag == "ok" else (PackageState.HALF, f"{flag} {state}")
            yield Installed(name, fields.get("Version", ""), architecture, how, detail)

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

    def _rpm(self, folder: str, names: tuple[str, ...]) -> list[Installed]:
        commands = self._commands
        if commands is None:
            from vorflug.host.live.commands import LiveCommands

            commands = LiveCommands(self._patience)
        if (program := commands.which("rpm")) is None:
            raise NotImplementedError("there are records of rpm, but no rpm to read them")

        def ask(*question: str) -> Completed:
            done = commands.run(("rpm", "--dbpath", folder, "--query", *question))
            # warnings (of another backend, of a key) are no failure; rpm may end with 0 in spite of an error
            failed = [line for line in done.err.splitlines() if line.strip() and not line.startswith("warning:")]
            if any(word in line for word in _DENIED for line in failed):
                raise PermissionError(f"rpm: {' '.join(failed)[:200]}")
            if failed or done.cut or done.code < 0:
                raise NotImplementedError(f"rpm ended with {done.code}: {' '.join(failed)[:200]}")
            return done

        done = ask("--queryformat", _FORMAT, "--", *names)
        # rpm ends with the number of packages that are not there, and says so on its standard output
        said = [line for line in done.out.splitlines() if line.strip()]
        absent = [line for line in said if _ABSENT.fullmatch(line)]
        strange = [line for line in said if line.count("\t") != 2 and line not in absent]  # noqa: PLR2004
        if strange or (done.code > 0 and not absent) or len(said) < len(names):
            raise ValueError(f"rpm ended with {done.code}: {' '.join(strange)[:200]}")
        # records without the package that rpm itself came in are empty, or those of nothing that runs here
        if len(absent) == len(said) and (owner := ask("--file", "--", program)).code != 0:
            raise NotImplementedError(
                f"{folder}: wanted the package that {program} belongs to, saw {owner.out.strip()[:200]}"
            )
        rows = (line.split("\t") for line in said if line not in absent)
        return [Installed(name, version, arch, PackageState.INSTALLED, "installed") for name, version, arch in rows]


def _must_hold(path: str, entries: Collection[object]) -> None:
    """Raises NotImplementedError for a list in which no package was found: no system is without any."""
    if not entries:
        raise NotImplementedError(f"{path}: wanted at least one package, saw none")


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
