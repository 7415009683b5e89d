"""Whom a process belongs to, read from the name of its control group: a systemd unit, or a container.

Sources: systemd.resource-control(5) and the "Control Group APIs" page of systemd for the names of slices, services and
scopes; the names that container engines give: ``docker-ID.scope`` and ``/docker/ID`` (Docker with the systemd and the
cgroupfs driver), ``cri-containerd-ID.scope``, ``crio-ID.scope``, ``libpod-ID.scope`` (Podman), ``/kubepods/…/ID``,
``lxc.payload.NAME``.  A process cannot choose its group unless it is root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ID = r"(?P<id>[0-9a-f]{64})"
_CONTAINERS = (
    ("docker", re.compile(rf"/docker-{_ID}\.scope|/docker/{_ID.replace('<id>', '<plain>')}")),
    ("containerd", re.compile(rf"/cri-containerd-{_ID}\.scope|/nerdctl-{_ID.replace('<id>', '<plain>')}")),
    ("containerd", re.compile(rf":cri-containerd:{_ID}")),
    ("cri-o", re.compile(rf"/crio-{_ID}")),
    ("podman", re.compile(rf"/libpod-{_ID}")),
    ("kubernetes", re.compile(rf"/kubepods[^/]*/.*/{_ID}")),
    ("lxc", re.compile(r"/lxc\.payload\.(?P<id>[^/]+)")),
)


@dataclass(frozen=True)
class GroupOwner:
    """What a control group stands for."""

    engine: str = ""
    """Which engine runs the container: ``docker``, ``podman``, …; empty where it is none."""
    container: str = ""
    """The container's id, or its name with LXC."""
    unit: str = ""
    """The systemd service, ``nginx.service``; empty where it is none (a login session, say)."""


def group_owner(path: str) -> GroupOwner:
    """Read *path*, the third field of proc_pid_cgroup(5).  Of nested containers the innermost is meant."""
    found: list[tuple[int, str, str]] = []
    for engine, pattern in _CONTAINERS:
        for match in pattern.finditer(path):
            groups = match.groupdict()
            found.append((match.end(), engine, groups["id"] or groups.get("plain") or ""))
    if found:
        _, engine, container = max(found, key=lambda entry: entry[0])
        return GroupOwner(engine=engine, container=container)
    units = [part for part in path.split("/") if part.endswith(".service")]
    return GroupOwner(unit=units[-1] if units else "")
