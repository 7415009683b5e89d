"""Mandatory access control: SELinux, AppArmor, the kernel's lockdown and FIPS mode.

Sources: the kernel's admin guide (LSM/SELinux, LSM/apparmor), kernel_lockdown(7), libselinux's ``is_selinux_enabled``
(selinuxfs in /proc/filesystems; a label in /proc/self/attr/current once a policy is loaded), Red Hat's guide to FIPS
mode for ``/proc/sys/crypto/fips_enabled``, Docker's guide to SELinux for the package ``container-selinux``.
A container often hides selinuxfs; then its absence says nothing about the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.packages import PackageState

TITLE = msg("Mandatory access control")

_POLICY = "container-selinux"
_FIPS = "/proc/sys/crypto/fips_enabled"


class State(StrEnum):
    """What a file of the kernel says about a mechanism."""

    ENFORCING = "enforcing"
    """On."""
    PERMISSIVE = "permissive"
    """SELinux only: violations are logged and allowed."""
    OFF = "off"
    """Switched off, or not part of this kernel."""
    HIDDEN = "hidden"
    """Closed to this user, or left out by a container."""


class Lockdown(StrEnum):
    """What root may still do to the running kernel (kernel_lockdown(7)).  None of it keeps containers from running."""

    NONE = "none"
    INTEGRITY = "integrity"
    """Nothing that changes the kernel."""
    CONFIDENTIALITY = "confidentiality"
    """Nor anything that reads its secrets."""
    ABSENT = "absent"
    """This kernel has no lockdown."""
    HIDDEN = "hidden"
    """Closed to this user."""


class MandatoryAccessFact(Fact):
    """Which mechanisms are on."""

    selinux: State
    apparmor: State
    lockdown: Lockdown


@dataclass(frozen=True, kw_only=True)
class MandatoryAccessQuery(Query[MandatoryAccessFact]):
    """Which mandatory access control is on?"""

    kind = "mandatory_access"
    touches = ("/sys/kernel/", "/sys/fs/selinux/", "/sys/module/apparmor/", "/proc/")

    def asks(self) -> Message:
        return msg("Are SELinux, AppArmor and the kernel's lockdown on?")

    def observe(self, host: Host) -> MandatoryAccessFact:
        if not host.files.exists("/sys/kernel"):
            raise NotImplementedError("/sys is not mounted")
        return MandatoryAccessFact(
            selinux=_selinux(host),
            apparmor=_state(host, "/sys/module/apparmor/parameters/enabled", {"Y": State.ENFORCING, "N": State.OFF}),
            lockdown=_lockdown(host),
        )


def _state(host: Host, path: str, words: dict[str, State]) -> State:
    try:
        word = host.files.read_text(path, limit=64).strip()
    except FileNotFoundError:
        return State.OFF
    except PermissionError:
        return State.HIDDEN
    if word not in words:
        raise ValueError(f"wanted one of {', '.join(words)} in {path}, saw {word!r}")
    return words[word]


def _selinux(host: Host) -> State:
    state = _state(host, "/sys/fs/selinux/enforce", {"1": State.ENFORCING, "0": State.PERMISSIVE})
    if state is not State.OFF:
        return state
    try:
        if not host.files.lines_with("/proc/filesystems", ("selinuxfs",)):
            return State.OFF  # and where no module answers for it, reading the label fails with EINVAL
        label = host.files.read_text("/proc/self/attr/current", limit=4096)
    except (FileNotFoundError, PermissionError):
        return State.HIDDEN
    # user:role:type is there once a policy is loaded, whether or not this container shows selinuxfs
    return State.HIDDEN if re.match(r"[^:]+:[^:]+:[^:]", label) else State.OFF


def _lockdown(host: Host) -> Lockdown:
    path = "/sys/kernel/security/lockdown"
    try:
        text = host.files.read_text(path, limit=256)
    except FileNotFoundError:
        return Lockdown.ABSENT
    except PermissionError:
        return Lockdown.HIDDEN
    marked = re.findall(r"\[(\w+)\]", text)
    if marked not in ([Lockdown.NONE], [Lockdown.INTEGRITY], [Lockdown.CONFIDENTIALITY]):
        raise ValueError(f"wanted one mode marked in {path}, saw {text!r}")
    return Lockdown(marked[0])


class SelinuxPolicyFact(Fact):
    """Whether the policy for containers is installed."""

    installed: bool


@dataclass(frozen=True, kw_only=True)
class SelinuxPolicyQuery(Query[SelinuxPolicyFact]):
    """Is SELinux's policy for containers installed?"""

    kind = "selinux_policy"
    touches = ("@packages.find",)

    def asks(self) -> Message:
        return msg("Is the package {package} installed?", package=_POLICY)

    def observe(self, host: Host) -> SelinuxPolicyFact:
        found = host.packages.find((_POLICY,)).found
        return SelinuxPolicyFact(installed=any(one.state is PackageState.INSTALLED for one in found))


class MandatoryAccessRequirement(Requirement):
    """SELinux does not enforce, or has its policy for containers."""

    kind = "mandatory_access"

    def wanted(self) -> Message:
        return msg("the package {package} where SELinux enforces", package=_POLICY)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        first = MandatoryAccessQuery()
        if first in known and known[first].selinux is State.ENFORCING:
            return [first, SelinuxPolicyQuery()]
        return [first]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[MandatoryAccessQuery()]
        wanted = self.wanted()
        seen = msg(
            "SELinux: {selinux}; AppArmor: {apparmor}; lockdown: {lockdown}",
            selinux=_said(fact.selinux),
            apparmor=_said(fact.apparmor),
            lockdown=_mode(fact.lockdown),
        )
        if fact.selinux is State.HIDDEN:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("It is not visible from here whether SELinux enforces."),
                fix=msg("Run this as root on the machine itself instead of in a container."),
            )
        if fact.selinux is not State.ENFORCING:
            return met(wanted=wanted, seen=seen, because=msg("SELinux does not keep containers from their folders."))
        if evidence[SelinuxPolicyQuery()].installed:
            return met(
                wanted=wanted, seen=seen, because=msg("SELinux enforces, and its policy for containers is there.")
            )
        return unmet(
            wanted=wanted,
            seen=seen,
            because=msg("SELinux enforces, and the package {package} is not installed.", package=_POLICY),
            fix=msg(
                "Install the package {package}, and label the shared folder for containers (:z at its volume).",
                package=_POLICY,
            ),
        )


def _said(state: State) -> Message:
    return {
        State.ENFORCING: msg("on"),
        State.PERMISSIVE: msg("logs only"),
        State.OFF: msg("off or not there"),
        State.HIDDEN: msg("not visible"),
    }[state]


def _mode(lockdown: Lockdown) -> Message:
    return {
        Lockdown.NONE: msg("none"),
        Lockdown.INTEGRITY: msg("integrity"),
        Lockdown.CONFIDENTIALITY: msg("confidentiality"),
        Lockdown.ABSENT: msg("off or not there"),
        Lockdown.HIDDEN: msg("not visible"),
    }[lockdown]


class FipsFact(Fact):
    """Whether the kernel runs in FIPS mode."""

    state: State
    """`State.OFF` also for a kernel without FIPS mode."""


@dataclass(frozen=True, kw_only=True)
class FipsQuery(Query[FipsFact]):
    """Is FIPS mode on?"""

    kind = "fips"
    touches = ("/proc/sys/crypto/", "/proc/self")

    def asks(self) -> Message:
        return msg("Is the kernel's FIPS mode on?")

    def observe(self, host: Host) -> FipsFact:
        state = _state(host, _FIPS, {"1": State.ENFORCING, "0": State.OFF})
        if state is State.HIDDEN:
            raise PermissionError(f"{_FIPS} may not be read")
        if state is State.OFF and not host.files.exists("/proc/self"):
            raise NotImplementedError("/proc is not mounted")
        return FipsFact(state=state)


class FipsOffRequirement(Requirement):
    """FIPS mode is off."""

    kind = "fips_off"

    def wanted(self) -> Message:
        return msg("FIPS mode off, or confirmed by the vendor")

    def queries(self, known: Evidence) -> Sequence[FipsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [FipsQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        wanted = self.wanted()
        if evidence[FipsQuery()].state is State.OFF:
            return met(wanted=wanted, seen=msg("FIPS mode off"), because=msg("FIPS mode is off or not there."))
        return unmet(
            wanted=wanted,
            seen=msg("FIPS mode on"),
            because=msg("In FIPS mode programs in containers may refuse algorithms that they use elsewhere."),
            fix=msg("Ask the vendor to confirm that the images run in FIPS mode, and note the answer at the sign-off."),
        )
