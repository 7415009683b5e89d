"""Where the modules of a kernel lie.

Source: depmod(8) and modules.builtin in the kernel's kbuild document; distributions that merged /usr have both folders.
"""

from __future__ import annotations

import re


def module_folders(release: str) -> tuple[str, ...]:
    """The folders with the modules of the kernel *release* (uname(2)); empty where that can be no part of a path."""
    if not re.fullmatch(r"[\w.+~-]{1,128}", release, re.ASCII):
        return ()
    return f"/lib/modules/{release}", f"/usr/lib/modules/{release}"


def module_of_path(line: str) -> str:
    """The module of a line of modules.builtin or modules.dep: ``overlay`` of ``kernel/fs/overlayfs/overlay.ko.xz:``."""
    return line.partition(":")[0].rpartition("/")[2].partition(".ko")[0]
