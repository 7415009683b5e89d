"""System calls about this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.host.live import smbios
from vorflug.ports.system import Kernel

if TYPE_CHECKING:
    from vorflug.host.live import Patience

_SMBIOS = "sys/firmware/dmi/tables/DMI"
_SMBIOS_AT_MOST = 1 << 20
"""Large servers have some 20 KiB."""
_ENVIRONMENT = "proc/1/environ"
_ENVIRONMENT_AT_MOST = 1 << 18


class LiveMachine:
    """Asks the kernel."""

    def __init__(self, patience: Patience, root: str = "/") -> None:
        """*root*: the folder below which the kernel's files are read."""
        self._patience = patience
        self._root = Path(root)

    def uname(self) -> Kernel:
        self._patience.left()
        seen = os.uname()
        return Kernel(seen.release, seen.machine)

    def memory_modules(self) -> tuple[int, ...]:
        self._patience.left()
        with (self._root / _SMBIOS).open("rb") as table:
            return smbios.memory_modules(table.read(_SMBIOS_AT_MOST))

    def container_variable(self) -> str | None:
        self._patience.left()
        with (self._root / _ENVIRONMENT).open("rb") as environment:
            variables = environment.read(_ENVIRONMENT_AT_MOST).split(b"\0")
        value = next((v for v in variables if v.startswith(b"container=")), None)
        return None if value is None else value.partition(b"=")[2].decode("utf-8", "replace")[:64]

    def wait(self, seconds: float) -> None:
        left = self._patience.left()
        time.sleep(min(seconds, left))
        if seconds > left:
            raise TimeoutError("the time for this question is over")
