"""Folders of drop-in files: which files count, and in which order.

Sources: systemd-system.conf(5) and sysctl.d(5), "Configuration Directories and Precedence"; modprobe.d(5).
"""

from __future__ import annotations

from collections.abc import Sequence

from vorflug.ports import Host
from vorflug.ports.files import FileKind


def drop_ins(host: Host, folders: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths of the ``.conf`` files in the order in which they are read, and the folders that are closed.

    Files are sorted by their names, in whichever folder they lie; of two with one name that of the folder named first
    counts.
    """
    found: dict[str, str] = {}
    closed: list[str] = []
    for folder in folders:
        try:
            names = host.files.list_folder(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            closed.append(folder)
            continue
        for name in names:
            if name.endswith(".conf"):
                found.setdefault(name, f"{folder}/{name}")
    return tuple(path for _, path in sorted(found.items())), tuple(closed)


def masked(host: Host, path: str) -> bool:
    """Whether a link to /dev/null stands at *path*, so that the file counts as empty.  It is no file to read."""
    return host.files.status(path).kind is FileKind.CHARACTER
