"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.reboot import RebootFact, RebootQuery, RebootRequirement, Told
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.system import Kernel

MARK, PKGS = "/run/reboot-required", "/run/reboot-required.pkgs"
GONE = FileNotFoundError(2, "No such file")


def host(*, there=(), texts=None, folders=None, codes=None, running="6.1.0-18-amd64"):
    def read_text(path, *, limit):
        if path not in (texts or {}):
            raise GONE
        return texts[path]

    def list_folder(path):
        found = (folders or {}).get(path, GONE)
        if isinstance(found, Exception):
            raise found
        return found

    def run(argv):
        found = (codes or {}).get(argv, GONE)
        if isinstance(found, Exception):
            raise found
        return Completed(found, "", "")

    return fake_host(
        files=FakePort(exists=lambda path: path in there, read_text=read_text, list_folder=list_folder),
        commands=FakePort(run=run),
        machine=FakePort(uname=Kernel(running, "x86_64")),
    )


def fact(*, running="6.1.0-18-amd64", **changes):
    values = {
        "mark": Told.SILENT,
        "packages": (),
        "needs_restarting": Told.SILENT,
        "zypper": Told.SILENT,
        "installed": (),
        **changes,
    }
    return RebootFact(running=running, **values)


RESTARTING, ZYPPER = ("needs-restarting", "-r"), ("zypper", "--non-interactive", "needs-rebooting")


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (host(), fact()),
        (host(there={MARK}), fact(mark=Told.PENDING)),
        # a list without its mark is left over
        (host(texts={PKGS: "libc6\n"}), fact()),
        (
            host(there={MARK}, texts={PKGS: "linux-image-6.1.0-21-amd64\nlibc6\nlibc6\n"}),
            fact(mark=Told.PENDING, packages=("linux-image-6.1.0-21-amd64", "libc6")),
        ),
        # the mark's absence says something only where somebody would set it
        (host(there={"/etc/kernel/postinst.d/update-notifier"}), fact(mark=Told.NONE)),
        (host(there={"/etc/kernel/postinst.d/unattended-upgrades"}), fact(mark=Told.NONE)),
        (host(there={MARK, "/etc/kernel/postinst.d/update-notifier"}), fact(mark=Told.PENDING)),
        (host(codes={RESTARTING: 0}), fact(needs_restarting=Told.NONE)),
        (host(codes={RESTARTING: 1}), fact(needs_restarting=Told.PENDING)),
        (host(codes={RESTARTING: 2}), fact()),
        (host(codes={RESTARTING: PermissionError(13, "x")}), fact()),
        (host(codes={ZYPPER: 0}), fact(zypper=Told.NONE)),
        (host(codes={ZYPPER: 102}), fact(zypper=Told.PENDING)),
        (host(codes={ZYPPER: 1}), fact()),
        # a folder that a removed kernel left behind is none; an image counts by itself
        (
            host(
                folders={
                    "/lib/modules": ("6.1.0-17-amd64", "6.1.0-18-amd64"),
                    "/boot": ("config-6.1.0-21-amd64", "vmlinuz-6.1.0-21-amd64", "vmlinuz-0-rescue-0123"),
                },
                there={"/lib/modules/6.1.0-18-amd64/modules.builtin"},
            ),
            fact(installed=("0-rescue-0123", "6.1.0-18-amd64", "6.1.0-21-amd64")),
        ),
        (host(folders={"/lib/modules": PermissionError(13, "x")}), fact()),
    ],
)
def test_what_each_source_says(asked, seen):
    assert RebootQuery().observe(asked) == seen


def test_a_long_list_of_packages_is_cut():
    many = "\n".join(f"p{n}" for n in range(30))
    assert len(RebootQuery().observe(host(there={MARK}, texts={PKGS: many})).packages) == 20


def judge(found):
    demand = RebootRequirement.model_validate(header())
    assert demand.queries(Evidence()) == [RebootQuery()]
    return demand.judge(Evidence([Observation(RebootQuery(), found if isinstance(found, Unseen) else Seen(found))]))


@pytest.mark.parametrize(
    ("found", "outcome", "because"),
    [
        (fact(mark=Told.PENDING), Outcome.UNMET, "/run/reboot-required is there."),
        (
            fact(mark=Told.PENDING, packages=("libc6", "dbus")),
            Outcome.UNMET,
            "/run/reboot-required is there, set by libc6 and dbus.",
        ),
        (fact(needs_restarting=Told.PENDING), Outcome.UNMET, "needs-restarting -r says that a reboot is needed."),
        (fact(zypper=Told.PENDING), Outcome.UNMET, "zypper needs-rebooting says that a reboot is needed."),
        # one source that says so is enough, whatever another says
        (
            fact(mark=Told.NONE, needs_restarting=Told.PENDING, installed=("6.1.0-18-amd64", "6.1.0-21-amd64")),
            Outcome.UNMET,
            (
                "needs-restarting -r says that a reboot is needed. "
                "Kernel 6.1.0-18-amd64 runs, but 6.1.0-21-amd64 is installed."
            ),
        ),
        (fact(mark=Told.NONE), Outcome.MET, "No sign of a pending reboot was found."),
        (fact(needs_restarting=Told.NONE), Outcome.MET, "No sign of a pending reboot was found."),
        (fact(zypper=Told.NONE), Outcome.MET, "No sign of a pending reboot was found."),
        (fact(installed=("6.1.0-18-amd64",)), Outcome.MET, "No sign of a pending reboot was found."),
        (fact(), Outcome.UNKNOWN, "Nothing that is kept on this machine tells whether a reboot is pending."),
    ],
)
def test_verdict(found, outcome, because, no_io):
    with no_io():
        verdict = judge(found)
    assert verdict.outcome is outcome
    assert render(verdict.because) == because
    assert render(verdict.wanted) == "no reboot pending"
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize(
    ("running", "installed", "outcome"),
    [
        # compared as numbers: 18 is newer than 9, 10 newer than 4
        ("6.1.0-18-amd64", ("6.1.0-18-amd64", "6.1.0-9-amd64"), Outcome.MET),
        ("6.1.0-9-amd64", ("6.1.0-18-amd64", "6.1.0-9-amd64"), Outcome.UNMET),
        # another flavour is another package, a rescue image a copy
        ("6.1.0-18-amd64", ("6.1.0-18-amd64", "6.1.0-21-cloud-amd64"), Outcome.MET),
        ("6.1.0-18-amd64", ("0-rescue-3f2a9b", "6.1.0-18-amd64"), Outcome.MET),
        ("6.8.0-45-generic", ("6.8.0-45-generic", "6.8.0-1015-aws"), Outcome.MET),
        ("6.8.0-45-generic", ("6.8.0-45-generic", "6.8.0-47-generic"), Outcome.UNMET),
        # Debian's security and backports archives put their own name
        ("6.12.43+deb13-amd64", ("6.12.43+deb13-amd64", "6.12.57+deb13-amd64"), Outcome.UNMET),
        ("6.12.57+deb13-amd64", ("6.12.43+deb13-amd64", "6.12.57+deb13-amd64"), Outcome.MET),
        ("6.1.0-18-amd64", ("6.1.0-18-amd64", "6.12.9+bpo-amd64"), Outcome.UNMET),
        ("5.10.0-28-amd64", ("5.10.0-28-amd64", "6.1.0-0.deb11.5-amd64"), Outcome.UNMET),
        # RHEL: a minor release changes the tail as well; a debug or real-time kernel is another package
        (
            "5.14.0-362.8.1.el9_3.x86_64",
            ("5.14.0-362.8.1.el9_3.x86_64", "5.14.0-427.13.1.el9_4.x86_64"),
            Outcome.UNMET,
        ),
        (
            "5.14.0-427.13.1.el9_4.x86_64",
            ("5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427.20.1.el9_4.x86_64+debug"),
            Outcome.MET,
        ),
        ("5.14.0-427.el9.x86_64", ("5.14.0-427.el9.x86_64", "5.14.0-427.13.1.el9_4.x86_64"), Outcome.UNMET),
        (
            "5.14.0-427.13.1.el9_4.x86_64",
            ("5.14.0-427.13.1.el9_4.x86_64", "5.15.0-209.161.7.2.el9uek.x86_64"),
            Outcome.MET,
        ),
        (
            "6.1.94-99.176.amzn2023.x86_64",
            ("6.1.102-108.177.amzn2023.x86_64", "6.1.94-99.176.amzn2023.x86_64"),
            Outcome.UNMET,
        ),
        ("6.4.0-150600.23.22-default", ("6.4.0-150600.23.22-default", "6.4.0-150600.23.7-default"), Outcome.MET),
        ("6.10.3-arch1-1", ("6.10.3-arch1-1", "6.10.3-arch1-2"), Outcome.UNMET),
        # the running kernel's package is gone
        ("6.1.0-18-amd64", ("6.1.0-21-amd64",), Outcome.UNMET),
        ("6.1.0-18-amd64", ("6.1.0-17-amd64",), Outcome.UNMET),
        # a kernel that does not come from this system's packages: a container, WSL, a hypervisor's own
        ("5.15.153.1-microsoft-standard-WSL2", (), Outcome.UNKNOWN),
        ("5.15.153.1-microsoft-standard-WSL2", ("6.1.0-18-amd64",), Outcome.UNKNOWN),
        ("6.1.0-18-amd64", ("build",), Outcome.UNKNOWN),
        ("unnamed", ("6.1.0-18-amd64", "unnamed"), Outcome.UNKNOWN),
    ],
)
def test_kernels_are_compared_within_their_flavour(running, installed, outcome):
    assert judge(fact(running=running, installed=installed)).outcome is outcome


def test_what_is_seen_names_its_sources():
    verdict = judge(fact(mark=Told.NONE, needs_restarting=Told.NONE, zypper=Told.NONE, installed=("6.1.0-18-amd64",)))
    assert render(verdict.seen) == (
        "needs-restarting: none; zypper needs-rebooting: none; /run/reboot-required: none; "
        "kernel 6.1.0-18-amd64 is the newest of its kind"
    )
    assert render(judge(fact(installed=("6.1.0-21-amd64",))).because) == (
        "Kernel 6.1.0-18-amd64 runs, but is no longer installed; 6.1.0-21-amd64 is."
    )
    assert render(judge(fact()).seen) == "kernel 6.1.0-18-amd64"
    assert render(judge(fact(zypper=Told.PENDING)).seen) == "a reboot is pending"


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_this_machine_is_asked_and_not_changed():
    assert RebootQuery().observe(LiveHost(30)).running
    assert "reboot" in render(RebootQuery().asks())
