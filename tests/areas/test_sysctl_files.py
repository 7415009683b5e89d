"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from areas.asking import judge
from conftest import FakePort, fake_host, header
from vorflug.areas.sysctl_files import NotSetBackRequirement, SettingFilesQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileKind, FileStatus

NAMES = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding")
CLOSED = PermissionError("closed")
MASKED = "/dev/null"
OFF, ON = "net.ipv4.ip_forward = 0\n", "net.ipv4.ip_forward = 1\n"


def host(files, *, systemd=True, container="", closed=()):
    def list_folder(folder):
        if folder in closed:
            return CLOSED
        found = [path.rpartition("/")[2] for path in files if path.rpartition("/")[0] == folder]
        return tuple(sorted(found)) or FileNotFoundError(folder)

    def status(path):
        if path not in files:
            return FileNotFoundError(path)
        kind = FileKind.CHARACTER if files[path] is MASKED else FileKind.FILE
        return FileStatus(kind, 0o644, 0, 0, 1)

    port = FakePort(
        exists=lambda path: systemd and path == "/run/systemd/system",
        list_folder=list_folder,
        status=status,
        read_text=lambda path: ValueError("a device") if files[path] is MASKED else files[path],
    )
    inside = SimpleNamespace(container=container)
    return fake_host(files=port, system=FakePort(virtualisation=inside))


def look(files, **how):
    return SettingFilesQuery(names=NAMES).observe(host(files, **how))


def verdict(files, **how):
    return judge(NotSetBackRequirement.model_validate(header(names=NAMES, unwanted="0")), host(files, **how))


def decided(files, **how):
    found = verdict(files, **how)
    return found.outcome, render(found.seen)


SET, NOT_SET = Outcome.UNMET, Outcome.MET


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (OFF, SET),
        (ON, NOT_SET),
        ("net/ipv4/ip_forward=0", SET),
        ("-net.ipv4.ip_forward = 0", SET),
        ("  net.ipv4.ip_forward\t=\t0  ", SET),
        ("# net.ipv4.ip_forward = 0\n", NOT_SET),
        ("; net.ipv4.ip_forward = 0\n", NOT_SET),
        ("net.ipv4.ip_forward 0\n", NOT_SET),
        (OFF + "net.ipv4.ip_forward\n", SET),
        ("#net.ipv4.ip_forward=0\n", NOT_SET),
        (OFF + "#-net.ipv4.ip_forward\n", SET),
        ("net.ipv4.ip_forward_use_pmtu = 0\n", NOT_SET),
        ("net.ipv6.conf.all.forwarding = 0\n", NOT_SET),
        # another name of the same setting
        ("net.ipv4.conf.all.forwarding = 0\n", SET),
        (ON + "net.ipv4.conf.all.forwarding = 0\n", SET),
        ("net.ipv4.conf.all.forwarding = 0\n" + ON, NOT_SET),
        # the last one counts, within a file too
        (OFF + ON, NOT_SET),
        (ON + OFF, SET),
        # what says the same again stays where it first stood: the other name comes after it
        (ON + "net.ipv4.conf.all.forwarding = 0\n" + ON, SET),
        # patterns
        ("net.ipv4.conf.*.forwarding = 0\n", SET),
        ("net.ipv4.*.forwarding = 0\n", NOT_SET),
        ("net.ipv4.conf.eth*.forwarding = 0\n", NOT_SET),
        ("net.ipv4.conf.all.forwarding = 1\nnet.ipv4.conf.*.forwarding = 0\n", NOT_SET),
        ("net.ipv4.conf.*.forwarding = 0\nnet.ipv4.conf.all.forwarding = 1\n", NOT_SET),
        ("net.ipv4.conf.*.forwarding = 0\n-net.ipv4.conf.all.forwarding\n", NOT_SET),
        ("net.ipv4.conf.*.forwarding = 0\n-net.ipv4.ip_forward\n", SET),
        # excluded after it was set: nothing is written
        (OFF + "-net.ipv4.ip_forward\n", NOT_SET),
    ],
)
def test_a_line_that_sets_it_back_is_found_however_it_is_written(text, outcome):
    assert verdict({"/etc/sysctl.d/50-a.conf": text}).outcome is outcome


@pytest.mark.parametrize(
    ("files", "outcome", "where"),
    [
        # by name, not by folder: a file of the distribution may come after one of the administrator
        ({"/etc/sysctl.d/10-docker.conf": ON, "/usr/lib/sysctl.d/50-default.conf": OFF}, SET, "/usr/lib/sysctl.d/50"),
        ({"/etc/sysctl.d/90-docker.conf": ON, "/usr/lib/sysctl.d/50-default.conf": OFF}, NOT_SET, "/etc/sysctl.d/90"),
        # of two with one name the folder decides
        ({"/etc/sysctl.d/50-a.conf": ON, "/usr/lib/sysctl.d/50-a.conf": OFF}, NOT_SET, "/etc/sysctl.d"),
        ({"/run/sysctl.d/50-a.conf": OFF, "/usr/local/lib/sysctl.d/50-a.conf": ON}, SET, "/run/sysctl.d"),
        ({"/usr/local/lib/sysctl.d/50-a.conf": OFF, "/usr/lib/sysctl.d/50-a.conf": ON}, SET, "/usr/local/lib"),
        ({"/usr/lib/sysctl.d/50-a.conf": OFF, "/lib/sysctl.d/50-a.conf": OFF}, SET, "/usr/lib"),
        # a link to /dev/null, or an empty file, masks
        ({"/etc/sysctl.d/50-a.conf": MASKED, "/usr/lib/sysctl.d/50-a.conf": OFF}, NOT_SET, "no file sets"),
        ({"/etc/sysctl.d/50-a.conf": "", "/usr/lib/sysctl.d/50-a.conf": OFF}, NOT_SET, "no file sets"),
        # the link of Debian 12 and RHEL: as late as its name
        ({"/etc/sysctl.d/99-sysctl.conf": OFF, "/etc/sysctl.d/98-docker.conf": ON}, SET, "/etc/sysctl.d/99-sysctl"),
        # without it systemd does not read it
        ({"/etc/sysctl.conf": OFF}, NOT_SET, "no file sets"),
        ({"/etc/sysctl.d/50-a.conf.dpkg-old": OFF}, NOT_SET, "no file sets"),
    ],
)
def test_the_order_of_the_files(files, outcome, where):
    found, seen = decided(files)
    assert found is outcome
    assert seen.startswith(where)


def test_without_systemd_the_old_file_is_read_last():
    files = {"/etc/sysctl.d/99-zz.conf": ON, "/etc/sysctl.conf": OFF}
    assert decided(files, systemd=False) == (SET, "/etc/sysctl.conf:1: net/ipv4/ip_forward = 0")
    assert decided(files) == (NOT_SET, "/etc/sysctl.d/99-zz.conf:1: net/ipv4/ip_forward = 1")
    assert decided({}, systemd=False)[0] is NOT_SET


def test_the_fact_keeps_file_line_and_order():
    fact = look({"/etc/sysctl.d/b.conf": "\n" + OFF, "/run/sysctl.d/a.conf": "vm.swappiness=1\n-net.ipv4.ip_forward\n"})
    assert [(one.file, one.line, one.value) for one in fact.lines] == [
        ("/run/sysctl.d/a.conf", 2, None),
        ("/etc/sysctl.d/b.conf", 2, "0"),
    ]
    assert (fact.hidden, fact.container) == ((), "")


@pytest.mark.parametrize(
    ("files", "closed", "path"),
    [
        ({"/etc/sysctl.d/50-a.conf": CLOSED}, (), "/etc/sysctl.d/50-a.conf"),
        ({"/etc/sysctl.d/10-a.conf": OFF, "/etc/sysctl.d/50-a.conf": CLOSED}, (), "/etc/sysctl.d/50-a.conf"),
        ({}, ("/run/sysctl.d",), "/run/sysctl.d"),
    ],
)
def test_what_is_closed_could_set_it(files, closed, path):
    found = verdict(files, closed=closed)
    assert found.outcome is Outcome.UNKNOWN
    assert path in render(found.because) and found.fix is not None


def test_a_containers_files_are_not_the_machines():
    found = verdict({"/etc/sysctl.d/50-a.conf": OFF}, container="docker")
    assert found.outcome is Outcome.UNKNOWN
    assert "docker" in render(found.because) and found.fix is not None


def test_words():
    found = verdict({"/etc/sysctl.d/50-a.conf": OFF})
    assert render(found.wanted) == "no file sets net.ipv4.ip_forward to 0"
    assert render(found.because) == (
        "/etc/sysctl.d/50-a.conf sets net.ipv4.ip_forward to 0 at the next boot, and whenever settings are loaded again."
    )
    assert "/etc/sysctl.d/50-a.conf" in render(found.fix)
    none = verdict({})
    assert (render(none.seen), render(none.because), none.fix) == (
        "no file sets net.ipv4.ip_forward",
        "No file sets net.ipv4.ip_forward at the next boot.",
        None,
    )
    assert render(verdict({"/etc/sysctl.d/50-a.conf": ON}).because) == "No file sets it to 0."
    assert render(SettingFilesQuery(names=NAMES).asks()).endswith("?")


@pytest.mark.parametrize("names", [(), ("vm",), ("../../etc/shadow",), ("net.ipv4.conf.*.forwarding",)])
def test_a_demand_that_makes_no_sense_is_refused(names):
    with pytest.raises(ValidationError):
        NotSetBackRequirement.model_validate(header(names=names, unwanted="0"))


def test_without_a_look_nothing_is_decided():
    evidence = Evidence([Observation(SettingFilesQuery(names=NAMES), Unseen(Reason.TIMEOUT))])
    with pytest.raises(NotSeen):
        NotSetBackRequirement.model_validate(header(names=NAMES, unwanted="0")).judge(evidence)
