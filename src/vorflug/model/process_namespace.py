"""Whether this process sees the machine's processes or those of a namespace of its own, as in a container.

Source: pid_namespaces(7) and namespaces(7) for ``/proc/self/ns/pid``; the number of the first namespace is the kernel's
``PROC_PID_INIT_INO``.
"""

from __future__ import annotations

from vorflug.ports import Host
from vorflug.ports.processes import FIRST_NAMESPACE

OWN_NAMESPACE = "/proc/self/ns/pid"


def apart(host: Host) -> bool:
    """Whether process 1 of here is not process 1 of the machine.

    False also for a kernel without namespaces.  Raises PermissionError or TimeoutError where the link is not readable.
    """
    try:
        return host.files.read_link(OWN_NAMESPACE) != FIRST_NAMESPACE
    except FileNotFoundError:
        return False
