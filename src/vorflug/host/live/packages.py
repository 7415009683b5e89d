"""What the package manager of this machine has on record: dpkg, rpm or apk.

Which of them it is, is told by whose records are there, not by which program is (rpm is a tool on Debian as well).
Sources: dpkg(1) for the states in /var/lib/dpkg/status; rpm(8) for ``--query``; apk's database format v2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vorflug.host.live.files import LiveFiles
from vorflug.ports.commands import Commands
from vorflug.ports.packages import Installed, Inventory, Manager, PackageState

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_DPKG = "/var/lib/dpkg/status"
_APK = "/lib/apk/db/installed"
_RPM = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
_LIMIT = 1 << 26
"""Bytes of a list: that of a full desktop has some 10 MB."""
_HALF = {"half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"}
_FORMAT = r"%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n"
_ABSENT = re.compile(r"package \S+ is not installed")


class LivePackages:
    """Reads the records below *root*; of rpm, whose records are a database, its own program is asked."""

    def __init__(self, patience: Patience, root: str = "/", commands: Commands | None = None) -> None:
        self._patience = patience
        self._files = LiveFiles(root)
        self._commands = commands

    def find(self, names: tuple[str, ...]) -> Inventory:
        self._patience.left()
        if self._files.exists(_DPKG):
            return Inventory(Manager.DPKG, _sorted(self._dpkg(set(names))))
        if any(self._files.exists(folder) for folder in _RPM):
            return Inventory(Manager.RPM, _sorted(self._rpm(names)))
        if self._files.exists(_APK):
            return Inventory(Manager.APK, _sorted(self._apk(set(names))))
        raise NotImplementedError("neither dpkg nor rpm nor apk keeps records here")

    def _dpkg(self, names: set[str]) -> Iterator[Installed]:
        for fields in self._stanzas(_DPKG, "Package", "Status", "Version", "Architecture"):
            if fields.get("Package") not in names:
                continue
            words = fields.get("Status", "").split()
            if len(words) != 3:  # noqa: PLR2004 - want, flag, state
                raise ValueError(f"{_DPKG}: wanted three words of status for {fields['Package']}, saw {words}")
            state = words[2]
            if state == "not-installed":
                continue
            yield Installed(
                name=fields["Package"],
                version=fields.get("Version", ""),
                architecture=fields.get("Architecture", ""),
                state=_dpkg_state(state),
                detail=state,
            )

    def _apk(self, names: set[str]) -> Iterator[Installed]:
        for fields in self._stanzas(_APK, "P", "V", "A"):
            if fields.get("P") in names:
                yield Installed(
                    name=fields["P"],
                    version=fields.get("V", ""),
                    architecture=fields.get("A", ""),
                    state=PackageState.INSTALLED,
                    detail="installed",
                )

    def _stanzas(self, path: str, *keys: str) -> Iterator[dict[str, str]]:
        """Paragraphs of ``Key: value``, of which *keys* are kept; lines that go on are none of them."""
        for paragraph in self._files.read_text(path, limit=_LIMIT).split("\n\n"):
            self._patience.left()
            fields = {}
            for line in paragraph.split("\n"):
                key, colon, value = line.partition(":")
                if colon and key in keys:
                    fields[key] = value.strip()
            if fields:
                yield fields

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
        strange = [line for line in said if line.count("\t") != 2 and not _ABSENT.fullmatch(line)]  # noqa: PLR2004
        if strange or done.err.strip() or done.code < 0 or (done.code > 0 and len(said) == 0):
            raise ValueError(f"rpm ended with {done.code}: {(done.err.strip() or ' '.join(strange))[:200]}")
        for line in said:
            if "\t" in line:
                name, version, architecture = line.split("\t")
                yield Installed(name, version, architecture, PackageState.INSTALLED, "installed")


def _dpkg_state(state: str) -> PackageState:
    if state in _HALF:
        return PackageState.HALF
    if state == "config-files":
        return PackageState.CONFIG_FILES
    if state == "installed":
        return PackageState.INSTALLED
    raise ValueError(f"{_DPKG}: wanted a state of dpkg(1), saw {state[:40]!r}")


def _sorted(found: Iterator[Installed]) -> tuple[Installed, ...]:
    return tuple(sorted(found, key=lambda one: (one.name, one.version, one.architecture)))
