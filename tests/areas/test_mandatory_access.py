"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.asking import ask
from conftest import FakePort, fake_host, header
from vorflug.areas.mandatory_access import (
    FipsOffRequirement,
    FipsQuery,
    Lockdown,
    MandatoryAccessQuery,
    MandatoryAccessRequirement,
    SelinuxPolicyQuery,
    State,
)
from vorflug.model.evidence import NotSeen
from vorflug.model.message import render
from vorflug.model.requirement import Outcome
from vorflug.ports.packages import Installed, Inventory, Manager, PackageState

SELINUX = "/sys/fs/selinux/enforce"
APPARMOR = "/sys/module/apparmor/parameters/enabled"
LOCKDOWN = "/sys/kernel/security/lockdown"
FIPS = "/proc/sys/crypto/fips_enabled"
NAMES = "/proc/filesystems"
LABEL = "/proc/self/attr/current"
BASE = {"/sys/kernel": "", "/proc/self": "", NAMES: "nodev\tsysfs\n", LABEL: "unconfined\n"}
CONTAINER = {NAMES: "nodev\tselinuxfs\n", LABEL: "system_u:system_r:container_t:s0:c1,c2\n"}
CLOSED = PermissionError("closed")


def host(texts=None, packages=()):
    files = {**BASE, **(texts or {})}

    def read(path, **_):
        return files.get(path, FileNotFoundError(path))

    def lines_with(path, words):
        text = read(path)
        if isinstance(text, Exception):
            return text
        return tuple(line for line in text.splitlines() if any(word in line for word in words))

    port = FakePort(read_text=read, lines_with=lines_with, exists=lambda path: files.get(path) is not None)
    found = packages
    if not isinstance(packages, Exception):
        found = Inventory(
            Manager.RPM, tuple(Installed("container-selinux", "2", "noarch", state, "") for state in packages)
        )
    return fake_host(files=port, packages=FakePort(find=found))


def look(texts):
    return MandatoryAccessQuery().observe(host(texts))


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        ({SELINUX: "1"}, State.ENFORCING),
        ({SELINUX: "0"}, State.PERMISSIVE),
        ({SELINUX: CLOSED}, State.HIDDEN),
        ({}, State.OFF),
        ({NAMES: "nodev\tselinuxfs\n", LABEL: "kernel"}, State.OFF),
        ({LABEL: "lxd-x//&:lxd-x:unconfined"}, State.OFF),
        (CONTAINER, State.HIDDEN),
        ({NAMES: CLOSED}, State.HIDDEN),
        ({LABEL: OSError(22, "Invalid argument")}, State.OFF),
        ({**CONTAINER, LABEL: CLOSED}, State.HIDDEN),
        ({**CONTAINER, LABEL: FileNotFoundError("x")}, State.HIDDEN),
    ],
)
def test_selinux_that_a_container_hides_is_not_off(texts, state):
    assert look(texts).selinux is state


@pytest.mark.parametrize(
    ("text", "state"),
    [("Y\n", State.ENFORCING), ("N\n", State.OFF), (FileNotFoundError("x"), State.OFF), (CLOSED, State.HIDDEN)],
)
def test_apparmor(text, state):
    assert look({APPARMOR: text}).apparmor is state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("[none] integrity confidentiality\n", Lockdown.NONE),
        ("none [integrity] confidentiality\n", Lockdown.INTEGRITY),
        ("none integrity [confidentiality]\n", Lockdown.CONFIDENTIALITY),
        (FileNotFoundError("x"), Lockdown.ABSENT),
        (CLOSED, Lockdown.HIDDEN),
    ],
)
def test_lockdown(text, state):
    assert look({LOCKDOWN: text}).lockdown is state


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("[none] integrity confidentiality\n", "none"),
        ("none [integrity] confidentiality\n", "integrity"),
        ("none integrity [confidentiality]\n", "confidentiality"),
        (CLOSED, "not visible"),
    ],
)
def test_a_locked_down_kernel_is_no_fault_and_its_mode_is_said(text, mode, no_io):
    verdict = judged(MandatoryAccessRequirement, {LOCKDOWN: text}, CLOSED, no_io)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen).endswith(f"; lockdown: {mode}")


@pytest.mark.parametrize(
    "texts",
    [{SELINUX: "2"}, {APPARMOR: ""}, {LOCKDOWN: "none"}, {LOCKDOWN: "[none] [integrity]"}, {LOCKDOWN: "[total]"}],
)
def test_what_makes_no_sense_is_refused(texts):
    with pytest.raises(ValueError, match="/sys"):
        look(texts)


def test_without_sys_nothing_is_known():
    with pytest.raises(NotImplementedError, match="not mounted"):
        look({"/sys/kernel": None})


@pytest.mark.parametrize(
    ("packages", "installed"),
    [((), False), ((PackageState.INSTALLED,), True), ((PackageState.CONFIG_FILES,), False)],
)
def test_the_policy(packages, installed):
    assert SelinuxPolicyQuery().observe(host(packages=packages)).installed is installed


def judged(kind, texts, packages=(), no_io=None):
    demand = kind.model_validate(header())
    evidence = ask(demand, host(texts, packages))
    with no_io():
        return demand.judge(evidence)


@pytest.mark.parametrize(
    ("texts", "packages", "outcome", "seen"),
    [
        ({SELINUX: "1"}, (PackageState.INSTALLED,), Outcome.MET, "SELinux: on; AppArmor: off or not there"),
        ({SELINUX: "1"}, (), Outcome.UNMET, "SELinux: on; AppArmor: off or not there"),
        ({SELINUX: "0"}, CLOSED, Outcome.MET, "SELinux: logs only; AppArmor: off or not there"),
        ({APPARMOR: "Y"}, CLOSED, Outcome.MET, "SELinux: off or not there; AppArmor: on"),
        (CONTAINER, CLOSED, Outcome.UNKNOWN, "SELinux: not visible; AppArmor: off or not there"),
    ],
)
def test_verdict(texts, packages, outcome, seen, no_io):
    verdict = judged(MandatoryAccessRequirement, texts, packages, no_io)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen + "; lockdown: off or not there")
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert "container-selinux" in render(verdict.wanted)


def test_enforcing_with_an_unreadable_list_of_packages_is_not_decided(no_io):
    with pytest.raises(NotSeen):
        judged(MandatoryAccessRequirement, {SELINUX: "1"}, CLOSED, no_io)


def test_the_packages_are_asked_for_only_where_selinux_enforces():
    demand = MandatoryAccessRequirement.model_validate(header())
    assert SelinuxPolicyQuery() not in ask(demand, host({SELINUX: "0"}))
    assert SelinuxPolicyQuery() in ask(demand, host({SELINUX: "1"}))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("1\n", Outcome.UNMET), ("0\n", Outcome.MET), (FileNotFoundError("a kernel without it"), Outcome.MET)],
)
def test_fips(text, outcome, no_io):
    verdict = judged(FipsOffRequirement, {FIPS: text}, (), no_io)
    assert verdict.outcome is outcome
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


@pytest.mark.parametrize(
    ("texts", "error"), [({FIPS: CLOSED}, PermissionError), ({"/proc/self": None}, NotImplementedError)]
)
def test_fips_that_cannot_be_read(texts, error):
    with pytest.raises(error):
        FipsQuery().observe(host(texts))


def test_what_was_read_counts_though_nothing_else_of_proc_is_there():
    assert FipsQuery().observe(host({FIPS: "1", "/proc/self": None})).state is State.ENFORCING


def test_every_question_is_put_in_words():
    for query in (MandatoryAccessQuery(), SelinuxPolicyQuery(), FipsQuery()):
        assert render(query.asks()).endswith("?")
