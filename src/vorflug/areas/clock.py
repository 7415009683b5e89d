"""Clock: is the system time kept right?

Sources: adjtimex(2), vmware-toolbox-cmd(1), and see `vorflug.model.clock_sources`.  chrony clears the kernel's
STA_UNSYNC only with ``rtcsync`` (chrony.conf(5)), PTP tools and hypervisor agents need not clear it at all: the flag
proves "in step" when it is clear, "not in step" only where timesyncd, ntpd or nothing keeps the clock.

The kernel lets ``maxerror`` grow by 500 ppm after the last correction and sets the flag at 16 s, some nine hours later
(NTP_PHASE_LIMIT in linux/timex.h): a clear flag says "was in step then".  Programs are known by name, which anybody may
give: one whose executable is visible must be called so, and lie in the system's folders.  In a container the programs
of the machine are not visible (pid_namespaces(7)), and the clock is the machine's all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vorflug.model.base import Frozen
from vorflug.model.clock_sources import ChronyQuery, KernelClockQuery, NtpqQuery, ReferenceFact, said
from vorflug.model.contact import Contact, time_server
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.process_namespace import apart
from vorflug.model.query import Fact, Query, Seen
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.clock import KernelClock
from vorflug.ports.processes import Process

TITLE = msg("Clock")


class Discipline(StrEnum):
    """The ways a clock is kept right."""

    CHRONY = "chrony"
    TIMESYNCD = "timesyncd"
    NTPD = "ntpd"
    """The reference ntpd, NTPsec, OpenNTPD or BusyBox: all call their program so, and all set the kernel's flag."""
    PTP = "ptp"
    HYPERVISOR = "hypervisor"


_VMWARE = "vmtoolsd"
_PROGRAMS = {
    "chronyd": Discipline.CHRONY,
    "systemd-timesyncd": Discipline.TIMESYNCD,
    "ntpd": Discipline.NTPD,
    "ptp4l": Discipline.PTP,
    "phc2sys": Discipline.PTP,
    "timemaster": Discipline.PTP,
    "ptpd": Discipline.PTP,
    "ptpd2": Discipline.PTP,
    "sfptpd": Discipline.PTP,
    _VMWARE: Discipline.HYPERVISOR,
    "VBoxService": Discipline.HYPERVISOR,
    "prltoolsd": Discipline.HYPERVISOR,
}
_MODULES = {"hv_utils": "/sys/module/hv_utils"}
"""Hyper-V sets its guests' clocks from a kernel module, without a process."""
_XEN = "/proc/sys/xen/independent_wallclock"
"""Old Xen guests (Linux 3 and before): 0 means that the clock is the host's."""
_FOLDERS = ("/usr/", "/bin/", "/sbin/", "/lib/", "/opt/", "/snap/", "/nix/store/", "/gnu/store/")
"""Where programs lie that an administrator has installed."""
_MULTICALL = {"busybox", "toybox"}
"""Programs that are many in one: their processes have the name of the one that was called."""
_SETS_THE_FLAG = {Discipline.TIMESYNCD, Discipline.NTPD}
"""Disciplines that clear STA_UNSYNC whenever they are in step."""


class Keeper(Frozen):
    """A running program (or kernel module) whose name is that of a clock discipline."""

    discipline: Discipline
    program: str
    """Its name: data, no proof of what it is."""


class Syncing(StrEnum):
    """Whether VMware's agent, which runs on every such guest, sets the clock; by default it does not."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    NOT_SAID = "not_said"


class ClockKeepersFact(Fact):
    """Programs that may keep the clock."""

    keepers: tuple[Keeper, ...]
    """By name of the program."""
    hidden: bool
    """Whether there may be others: other users' processes, or in a container those of the machine, are not visible."""
    container: bool = False
    """Whether this is a process namespace of its own."""
    vmware: Syncing = Syncing.NOT_SAID

    @property
    def working(self) -> tuple[Keeper, ...]:
        """Those that may keep the clock."""
        idle = self.vmware is Syncing.DISABLED
        return tuple(keeper for keeper in self.keepers if not (idle and keeper.program == _VMWARE))


@dataclass(frozen=True, kw_only=True)
class ClockKeepersQuery(Query[ClockKeepersFact]):
    """Which program keeps the clock?"""

    kind = "clock_keepers"
    touches = ("@processes.named", "/sys/module/", "/proc/sys/xen/", "/proc/self/ns/", "vmware-toolbox-cmd")

    def asks(self) -> Message:
        return msg("Which program keeps the clock?")

    def observe(self, host: Host) -> ClockKeepersFact:
        running = host.processes.named(tuple(_PROGRAMS))
        found = {name for process in running.found for name in _PROGRAMS if _is(process, name)}
        keepers = {Keeper(discipline=_PROGRAMS[name], program=name) for name in found}
        modules = {name for name, path in _MODULES.items() if host.files.exists(path)} | _xen(host)
        keepers |= {Keeper(discipline=Discipline.HYPERVISOR, program=name) for name in modules}
        container = apart(host)
        return ClockKeepersFact(
            keepers=tuple(sorted(keepers, key=lambda keeper: keeper.program)),
            hidden=running.hidden or container,
            container=container,
            vmware=_vmware(host) if _VMWARE in found else Syncing.NOT_SAID,
        )


def _is(process: Process, name: str) -> bool:
    """Whether *process* is the program *name*, as far as its executable is visible; else whether it says so."""
    says_so = process.name == name[:15]  # as the kernel cuts it (proc_pid_comm(5))
    if process.program is None:
        return says_so
    file = process.program.rpartition("/")[2]
    return process.program.startswith(_FOLDERS) and (file == name or (says_so and file in _MULTICALL))


def _xen(host: Host) -> set[str]:
    try:
        return {"Xen"} if host.files.read_text(_XEN, limit=16).strip() == "0" else set()
    except FileNotFoundError:
        return set()


def _vmware(host: Host) -> Syncing:
    try:
        said = host.commands.run(("vmware-toolbox-cmd", "timesync", "status")).out.strip()
    except FileNotFoundError:
        return Syncing.NOT_SAID
    return {"Enabled": Syncing.ENABLED, "Disabled": Syncing.DISABLED}.get(said, Syncing.NOT_SAID)


_CAN_BE_ASKED: tuple[tuple[str, Query[ReferenceFact]], ...] = (("chrony", ChronyQuery()), ("ntpd", NtpqQuery()))


class ClockSynchronisedRequirement(Requirement):
    """The clock is kept in step, by whichever discipline."""

    kind = "clock_synchronised"

    def wanted(self) -> Message:
        return msg("system clock synchronised")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [KernelClockQuery(), ClockKeepersQuery(), ChronyQuery(), NtpqQuery()]

    def flows(self) -> tuple[Contact, ...]:
        return (time_server(),)

    def judge(self, evidence: Evidence) -> Verdict:
        wanted = self.wanted()
        for name, query in _CAN_BE_ASKED:
            if said(evidence, query).synchronised:
                return met(
                    wanted=wanted,
                    seen=msg("{program} is synchronised", program=name),
                    because=msg("{program} keeps the clock and is in step with its source.", program=name),
                )
        kernel = evidence[KernelClockQuery()].clock
        if not kernel.unsynchronised:
            return self._flag_is_clear(evidence, kernel)
        found = evidence[ClockKeepersQuery()]
        names = tuple(keeper.program for keeper in found.working)
        seen = msg("the kernel says: not synchronised")
        if names:
            seen = msg("the kernel says: not synchronised; running: {programs:list}", programs=names)
        if found.vmware is Syncing.ENABLED:
            return met(
                wanted=wanted,
                seen=msg("VMware Tools set the clock"),
                because=msg(
                    "VMware Tools keep this clock in step with the host's; the host's own is not visible here."
                ),
            )
        others = tuple(
            keeper.program for keeper in found.working if keeper.discipline not in _SETS_THE_FLAG | {Discipline.CHRONY}
        )
        if others:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "{programs:list} may keep the clock without telling the kernel: whether it is in step is not seen.",
                    programs=others,
                ),
                fix=msg("Show with the tools of {programs:list} that the clock is in step.", programs=others),
            )
        if said(evidence, ChronyQuery()).answered:
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg("chrony runs but is in step with no source."),
                fix=msg("Give chrony a reachable time server (chronyc sources shows which answer)."),
            )
        if any(keeper.discipline is Discipline.CHRONY for keeper in found.working):
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("chrony runs but could not be asked, and it need not tell the kernel."),
                fix=msg("Run again as root, whom chrony answers, with chronyc installed."),
            )
        return self._unsynchronised(found, names, seen)

    def _flag_is_clear(self, evidence: Evidence, kernel: KernelClock) -> Verdict:
        match evidence.result(ClockKeepersQuery()):
            case Seen(ClockKeepersFact(keepers=(), hidden=False)):
                seen = msg("the kernel says: synchronised; no program that keeps the clock runs")
                because = msg(
                    "The kernel still considers its clock synchronised (off by {bound:duration} at most), "
                    "but nothing that was found keeps it: in some hours it will not.",
                    bound=kernel.max_error_s,
                )
            case _:
                seen = msg("the kernel says: synchronised")
                because = msg("The kernel considers its clock synchronised.")
        return met(wanted=self.wanted(), seen=seen, because=because)

    def _unsynchronised(self, found: ClockKeepersFact, names: tuple[str, ...], seen: Message) -> Verdict:
        if names:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{programs:list} runs, but the clock is not synchronised.", programs=names),
                fix=msg("Give {programs:list} a reachable time server.", programs=names),
            )
        if found.container:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "This runs in a container: the programs of the machine that may keep the clock are hidden."
                ),
                fix=msg("Run again on the machine itself."),
            )
        if found.hidden:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The kernel's flag is not set, and the programs that could keep the clock are hidden."),
                fix=msg("Run again as root, who sees all processes."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The clock is not synchronised, and no program that keeps it was found."),
            fix=msg("Enable chrony with the internal time servers."),
        )
