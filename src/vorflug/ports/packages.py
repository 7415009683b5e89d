"""Software that the system's package manager knows.  Only what is asked for by name is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Manager(StrEnum):
    """Who keeps the list of installed packages."""

    DPKG = "dpkg"
    RPM = "rpm"
    APK = "apk"


class PackageState(StrEnum):
    """How far a package is installed."""

    INSTALLED = "installed"
    HALF = "half"
    """Left behind midway.

    dpkg(1): half-installed, unpacked, half-configured, triggers-awaited or triggers-pending; apk: files or scripts that
    are flagged as broken.
    """
    CONFIG_FILES = "config_files"
    """Removed but for its settings; that is not installed."""


@dataclass(frozen=True)
class Installed:
    """One entry of the package manager's list."""

    name: str
    version: str
    """As the manager writes it: ``5:29.0.1-1~debian.12~bookworm``."""
    architecture: str
    state: PackageState
    detail: str
    """The manager's own word for the state: ``half-configured``."""


@dataclass(frozen=True)
class Inventory:
    """What was found."""

    manager: Manager
    found: tuple[Installed, ...]
    """Ordered by name and version; one name may be there in several versions or architectures."""


class Packages(Protocol):
    """Asks the package manager's own records; changes nothing."""

    def find(self, names: tuple[str, ...]) -> Inventory:
        """The packages called *names*, as far as they are there in whatever state.

        Raises NotImplementedError where no known package manager keeps records, or they are empty or damaged,
        PermissionError where they are closed, ValueError where they say what is not known here.
        """
        ...

    def unfinished(self) -> Inventory:
        """Every package in the state `PackageState.HALF`, whatever its name (``dpkg --audit``).

        rpm keeps no such state: of it none is ever told.  Raises as `find` does.
        """
        ...
