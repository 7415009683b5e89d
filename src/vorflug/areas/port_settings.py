"""Port settings: may a program without root listen there, and may an outgoing connection take the port first?

Sources: the kernel's document ip-sysctl: ``ip_unprivileged_port_start`` (the first port that needs no privilege),
``ip_local_port_range`` (where the kernel takes the local port of an outgoing connection from, tcp and udp, IPv4 and
IPv6) and ``ip_local_reserved_ports`` (what it leaves out there; a program that asks for such a port still gets it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("Port settings")

Port = Annotated[int, Field(ge=1, le=65535)]

_FOLDER = "/proc/sys/net/ipv4"


class PortSettingsFact(Fact):
    """What the kernel's settings of this network namespace say about port numbers."""

    unprivileged_from: int | None
    """The first port that any program may listen on; None before Linux 4.11, where that is 1024."""
    ephemeral_from: int
    ephemeral_to: int
    """The last one, inclusive."""
    reserved: tuple[tuple[int, int], ...]
    """Ranges, inclusive."""


@dataclass(frozen=True, kw_only=True)
class PortSettingsQuery(Query[PortSettingsFact]):
    """Which ports does the kernel give to outgoing connections, and which to programs without root?"""

    kind = "port_settings"
    touches = ("/proc/sys/net/ipv4/",)

    def asks(self) -> Message:
        return msg("Which ports does the kernel give to outgoing connections, and which to programs without root?")

    def observe(self, host: Host) -> PortSettingsFact:
        try:
            first, last = host.files.read_text(f"{_FOLDER}/ip_local_port_range").split()
        except FileNotFoundError as error:
            raise NotImplementedError(f"there is no {_FOLDER}/ip_local_port_range") from error
        return PortSettingsFact(
            unprivileged_from=_number(host, "ip_unprivileged_port_start"),
            ephemeral_from=int(first),
            ephemeral_to=int(last),
            reserved=_ranges(_optional(host, "ip_local_reserved_ports")),
        )


def _optional(host: Host, name: str) -> str | None:
    """A setting that older kernels and some sandboxes do not have."""
    try:
        return host.files.read_text(f"{_FOLDER}/{name}").strip()
    except FileNotFoundError:
        return None


def _number(host: Host, name: str) -> int | None:
    text = _optional(host, name)
    return None if text is None else int(text)


def _ranges(text: str | None) -> tuple[tuple[int, int], ...]:
    """``8080,9148-9150``: numbers and ranges, separated by commas; an empty line is none."""
    found = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.append((int(first), int(last or first)))
    return tuple(found)


_BEFORE_SETTING = 1024
"""Where privileged ports end on a kernel that has no setting for it (ip(7))."""


class _OnPorts(Requirement):
    """A demand on port numbers."""

    ports: Annotated[tuple[Port, ...], Field(min_length=1)]

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - one question, whatever is known
        return [PortSettingsQuery()]


class UnprivilegedPortsRequirement(_OnPorts):
    """A program without root may listen on these ports, as a rootless engine or a proxy of its own user must."""

    kind = "unprivileged_ports"

    def wanted(self) -> Message:
        return msg("{ports:list} open to programs without root", ports=self.ports)

    def judge(self, evidence: Evidence) -> Verdict:
        start = evidence[PortSettingsQuery()].unprivileged_from
        start = _BEFORE_SETTING if start is None else start
        seen = msg("from port {start}", start=start)
        closed = tuple(port for port in self.ports if port < start)
        if not closed:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Programs without root may listen on ports from {start}.", start=start),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "Programs without root may listen on ports from {start} only: a rootless container engine cannot "
                "publish {ports:list}. An engine that runs as root can.",
                start=start,
                ports=closed,
            ),
            fix=msg(
                "For a rootless engine set net.ipv4.ip_unprivileged_port_start={start} in /etc/sysctl.d.",
                start=min(closed),
            ),
        )


class EphemeralPortsRequirement(_OnPorts):
    """No outgoing connection can take one of these ports by chance."""

    kind = "ephemeral_ports"

    def wanted(self) -> Message:
        return msg("{ports:list} not given to outgoing connections", ports=self.ports)

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[PortSettingsQuery()]
        seen = msg("{first} to {last}", first=fact.ephemeral_from, last=fact.ephemeral_to)
        if fact.reserved:
            seen = msg(
                "{first} to {last}, without {reserved:list}",
                first=fact.ephemeral_from,
                last=fact.ephemeral_to,
                reserved=tuple(
                    msg("{first} to {last}", first=first, last=last) if last > first else msg("{port}", port=first)
                    for first, last in fact.reserved
                ),
            )
        exposed = tuple(port for port in self.ports if _exposed(port, fact))
        if not exposed:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The kernel takes no port of {ports:list} for an outgoing connection by itself.", ports=self.ports
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "The kernel may give {ports:list} to an outgoing connection at any time; the product then finds it "
                "taken when it starts.",
                ports=exposed,
            ),
            fix=msg(
                "Add {ports:list} to net.ipv4.ip_local_reserved_ports in /etc/sysctl.d, or raise the beginning of "
                "net.ipv4.ip_local_port_range.",
                ports=exposed,
            ),
        )


def _exposed(port: int, fact: PortSettingsFact) -> bool:
    inside = fact.ephemeral_from <= port <= fact.ephemeral_to
    return inside and not any(first <= port <= last for first, last in fact.reserved)
