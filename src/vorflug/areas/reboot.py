"""Pending reboot: does this machine still run what an update has already replaced?

Sources, each only where it is kept: Debian policy's ``/run/reboot-required`` with ``.pkgs`` (written by hooks of
update-notifier-common and unattended-upgrades), needs-restarting(1) of dnf-utils and yum-utils (``-r``: 1 is "reboot"),
zypper(8) (``needs-rebooting``: 102, ZYPPER_EXIT_INF_REBOOT_NEEDED), and the installed kernels: what the kernel's own
``make modules_install`` leaves in ``/lib/modules``, and ``/boot/vmlinuz-*``.

Kernels are compared within one flavour: another flavour is another package, and a rescue image is a copy.  A kernel
that was replaced without a new name (Debian within one ABI) is not seen this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Pending reboot")

_MARK = "/run/reboot-required"
_MARKERS = ("/etc/kernel/postinst.d/update-notifier", "/etc/kernel/postinst.d/unattended-upgrades")
"""Hooks that write the mark; without them its absence says nothing."""
_MODULES, _BOOT, _IMAGE = "/lib/modules", "/boot", "vmlinuz-"
_ZYPPER_REBOOT = 102


class Told(StrEnum):
    """What one source says."""

    PENDING = "pending"
    NONE = "none"
    SILENT = "silent"
    """It is not there, or failed: it says nothing."""


class RebootFact(Fact):
    """What each source says about a pending reboot."""

    mark: Told
    """The mark ``/run/reboot-required``."""
    packages: tuple[str, ...]
    """The packages that set it."""
    needs_restarting: Told
    zypper: Told
    running: str
    """The running kernel's release."""
    installed: tuple[str, ...]
    """The kernels that are installed, by release, sorted by name."""


@dataclass(frozen=True, kw_only=True)
class RebootQuery(Query[RebootFact]):
    """Is a reboot pending?"""

    kind = "pending_reboot"
    touches = (
        "/run/reboot-required",
        "/run/reboot-required.pkgs",
        "/etc/kernel/postinst.d/",
        "needs-restarting",
        "zypper",
        "/lib/modules/",
        "/boot/",
    )
    deadline = 30.0

    def asks(self) -> Message:
        return msg("Has an update been installed that needs a reboot?")

    def observe(self, host: Host) -> RebootFact:
        mark = Told.SILENT
        if host.files.exists(_MARK):
            mark = Told.PENDING
        elif any(host.files.exists(path) for path in _MARKERS):
            mark = Told.NONE
        return RebootFact(
            mark=mark,
            packages=_packages(host) if mark is Told.PENDING else (),
            needs_restarting=_tell(host, ("needs-restarting", "-r"), 1),
            zypper=_tell(host, ("zypper", "--non-interactive", "needs-rebooting"), _ZYPPER_REBOOT),
            running=host.machine.uname().release,
            installed=_kernels(host),
        )


def _packages(host: Host) -> tuple[str, ...]:
    try:
        names = host.files.read_text(f"{_MARK}.pkgs", limit=1 << 16).split()
    except FileNotFoundError:
        return ()
    return tuple(dict.fromkeys(names))[:20]


def _tell(host: Host, argv: tuple[str, ...], pending: int) -> Told:
    try:
        code = host.commands.run(argv).code
    except (FileNotFoundError, PermissionError):
        return Told.SILENT
    return Told.PENDING if code == pending else Told.NONE if code == 0 else Told.SILENT


def _kernels(host: Host) -> tuple[str, ...]:
    # a folder that a removed kernel left behind holds third parties' modules only
    found = {name for name in _names(host, _MODULES) if host.files.exists(f"{_MODULES}/{name}/modules.builtin")}
    found |= {name.removeprefix(_IMAGE) for name in _names(host, _BOOT) if name.startswith(_IMAGE)}
    return tuple(sorted(found))


def _names(host: Host, folder: str) -> tuple[str, ...]:
    try:
        return host.files.list_folder(folder)
    except (FileNotFoundError, PermissionError):
        return ()


@dataclass(frozen=True)
class _Release:
    """A kernel's release, taken apart."""

    flavour: str
    """``-amd``, ``-cloud-amd``, ``.el.x``: equal for kernels of one package, whatever their version."""
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Release | None:
        """None where it does not begin with a number."""
        # where Debian's security and backports archives put their own name
        text = re.sub(r"[+.](bpo|deb)[\d.]*", "", text)
        parts = re.match(r"(\d+(?:[.-]\d+)*)(.*)", text)
        if parts is None:
            return None
        return cls(
            re.sub(r"[\d_]+", "", parts[2]),
            tuple(int(number) for number in re.findall(r"\d+", parts[1]) + re.findall(r"\d+", parts[2])),
        )


class RebootRequirement(Requirement):
    """No update waits for a reboot."""

    kind = "pending_reboot"

    def wanted(self) -> Message:
        return msg("no reboot pending")

    def queries(self, known: Evidence) -> Sequence[RebootQuery]:  # noqa: ARG002 - one question, whatever is known
        return [RebootQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        found = evidence[RebootQuery()]
        kernel, why_kernel = _kernel(found)
        reasons = [*_reasons(found), *([why_kernel] if why_kernel is not None else [])]
        if reasons:
            return unmet(
                wanted=self.wanted(),
                seen=msg("a reboot is pending"),
                because=sentences(reasons),
                fix=msg("Reboot this machine before the installation."),
            )
        told = {
            "needs-restarting": found.needs_restarting,
            "zypper needs-rebooting": found.zypper,
            _MARK: found.mark,
        }
        looked = [msg("{source}: none", source=name) for name, says in told.items() if says is Told.NONE]
        if kernel is Told.NONE:
            looked.append(msg("kernel {running} is the newest of its kind", running=found.running))
        if not looked:
            return unknown(
                wanted=self.wanted(),
                seen=msg("kernel {running}", running=found.running),
                because=msg("Nothing that is kept on this machine tells whether a reboot is pending."),
                fix=msg("Compare the time of the last updates with the time since when the machine has been running."),
            )
        return met(wanted=self.wanted(), seen=listed(looked), because=msg("No sign of a pending reboot was found."))


def _reasons(found: RebootFact) -> list[Message]:
    reasons = []
    if found.mark is Told.PENDING:
        reasons.append(
            msg("{file} is there, set by {packages:list}.", file=_MARK, packages=found.packages)
            if found.packages
            else msg("{file} is there.", file=_MARK)
        )
    if found.needs_restarting is Told.PENDING:
        reasons.append(msg("{program} says that a reboot is needed.", program="needs-restarting -r"))
    if found.zypper is Told.PENDING:
        reasons.append(msg("{program} says that a reboot is needed.", program="zypper needs-rebooting"))
    return reasons


def _kernel(found: RebootFact) -> tuple[Told, Message | None]:
    """What the installed kernels tell, and why where that is a pending reboot."""
    running = _Release.of(found.running)
    if running is None:
        return Told.SILENT, None
    parsed = {name: _Release.of(name) for name in found.installed}
    same = [(one.numbers, name) for name, one in parsed.items() if one is not None and one.flavour == running.flavour]
    if not same:
        return Told.SILENT, None  # a container, or a kernel that does not come from this system's packages
    numbers, newest = max(same)
    if found.running not in found.installed:
        return Told.PENDING, msg(
            "Kernel {running} runs, but is no longer installed; {newest} is.", running=found.running, newest=newest
        )
    if numbers > running.numbers:
        return Told.PENDING, msg(
            "Kernel {running} runs, but {newest} is installed.", running=found.running, newest=newest
        )
    return Told.NONE, None
