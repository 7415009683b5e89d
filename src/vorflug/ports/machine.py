"""What only a system call tells about the machine; `vorflug.ports.system` works out the rest from files."""

from __future__ import annotations

from typing import Protocol

from vorflug.ports.system import Kernel


class Machine(Protocol):
    """System calls without arguments that name a file."""

    def uname(self) -> Kernel:
        """Kernel release and machine (uname(2))."""
        ...

    def memory_modules(self) -> tuple[int, ...]:
        """The sizes in bytes of the memory devices that the firmware describes (SMBIOS, structure type 17).

        Empty slots and modules of unknown size are left out.  Raises FileNotFoundError where the firmware has no such
        tables, PermissionError for others than root.  Serial numbers, which stand beside the sizes, are not given.
        """
        ...

    def container_variable(self) -> str | None:
        """The environment variable ``container`` of process 1, by which container managers make themselves known.

        See "The Container Interface" of systemd.  None where it is not set; nothing else of that environment is given.
        Raises PermissionError for others than root.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass between two readings of a counter.  A recorded machine does not wait."""
        ...
