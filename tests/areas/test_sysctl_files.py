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
MASKED = ValueError("is no file but a character")
FIFO = ValueError("/etc/sysctl.d/50-a.conf is no file but a fifo")
LONG = "#" * (1 << 20)
UFW = {
    "/etc/ufw/ufw.conf": "ENABLED=yes\n",
    "/etc/default/ufw": "IPT_SYSCTL=/etc/ufw/sysctl.conf\n",
    "/etc/ufw/sysctl.conf": "net/ipv4/ip_forward=0\n",
}
OFF, ON = "net.ipv4.ip_forward = 0\n", "net.ipv4.ip_forward = 1\n"


def host(files, *, systemd=True, container="", closed=(), hides=False):
    def list_folder(folder):
        if folder in closed:
            return CLOSED
        found = [path.rpartition("/")[2] for path in files if path.rpartition("/")[0] == folder]
        return tuple(sorted(found)) or FileNotFoundError(folder)

    def status(path):
        assert path.startswith("/")
        if hides:
            return CLOSED
        if path not in files:
            return FileNotFoundError(path)
        kind = FileKind.CHARACTER if files[path] is MASKED else FileKind.FILE
        return FileStatus(kind, 0o644, 0, 0, 1)

    port = FakePort(
        exists=lambda path: systemd and path == "/run/systemd/system",
        list_folder=list_folder,
        status=status,
        read_text=lambda path, **_: files.get(path, FileNotFoundError(path)),
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


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        # proc_dointvec takes the first number, in C's notation
        *((value, SET) for value in ("0 # hardening", "0\t# hardening", "0x0", "0X00", "00", "-0", "0 1", "-0x0")),
        *(
            (value, NOT_SET)
            for value in ("1", "1 0", "0x1", "01", "-1", "2147483647", "-2147483648", "10", "0xf", "017")
        ),
        ("0" * 20, SET),
        *(
            (value, Outcome.UNKNOWN)
            for value in ("0" * 21, "-" + "0" * 20, "0;", "0#", "08", "0x", "+0", "off", "", "-", "2147483648")
        ),
        *(
            (value, Outcome.UNKNOWN)
            for value in ("-2147483649", "0x80000000", "0\f", "0\N{NO-BREAK SPACE}1", "1a", "- 0")
        ),
    ],
)
def test_a_value_is_what_the_kernel_takes_it_for(value, outcome):
    found = verdict({"/etc/sysctl.d/99-z.conf": f"net.ipv4.ip_forward = {value}\n"})
    assert found.outcome is outcome
    assert (found.fix is None) == (outcome is NOT_SET)


def test_what_the_kernel_does_not_take_is_said():
    found = verdict({"/etc/sysctl.d/99-z.conf": OFF + "net.ipv4.ip_forward = off\n"})
    assert found.outcome is Outcome.UNKNOWN
    assert render(found.seen) == "/etc/sysctl.d/99-z.conf:2: net/ipv4/ip_forward = off"
    assert "no number" in render(found.because) and "/etc/sysctl.d/99-z.conf" in render(found.fix)


@pytest.mark.parametrize(
    ("text", "outcome", "line"),
    [
        *((f"# note{mark}{OFF}", NOT_SET, None) for mark in "\f\v\x1c\x85\u2028"),
        (ON + "\f" + OFF, NOT_SET, 1),
        # systemd ends a line at these
        ("# note\r" + OFF, SET, 2),
        ("# note\0" + OFF, SET, 2),
        ("# note\r\n" + OFF, SET, 2),
        ("net.ipv4.ip_forward = 0\r\n" * 2, SET, 1),
    ],
)
def test_where_a_line_ends(text, outcome, line):
    found, seen = decided({"/etc/sysctl.d/50-a.conf": text})
    assert found is outcome
    assert seen.startswith("no file sets" if line is None else f"/etc/sysctl.d/50-a.conf:{line}: ")


@pytest.mark.parametrize("content", [FIFO, LONG, LONG + OFF, IsADirectoryError("a folder")])
@pytest.mark.parametrize("before", [{}, {"/etc/sysctl.d/10-a.conf": ON}, {"/etc/sysctl.d/10-a.conf": OFF}])
def test_what_is_cut_or_no_file_could_set_it(content, before):
    found = verdict({**before, "/etc/sysctl.d/50-a.conf": content})
    assert found.outcome is Outcome.UNKNOWN
    assert "/etc/sysctl.d/50-a.conf" in render(found.because) and found.fix is not None


def test_a_text_that_is_one_byte_shorter_is_whole():
    text = OFF + LONG[len(OFF) + 1 :]
    assert len(text) == (1 << 20) - 1
    assert verdict({"/etc/sysctl.d/50-a.conf": text}).outcome is SET


def test_a_folder_that_is_closed_to_status_is_closed_to_reading():
    fact = look({"/etc/sysctl.d/50-a.conf": CLOSED}, hides=True)
    assert fact.hidden == ("/etc/sysctl.d/50-a.conf",)


@pytest.mark.parametrize(
    ("files", "outcome", "where"),
    [
        (UFW, SET, "/etc/ufw/sysctl.conf:1"),
        # no file says which of them is applied first
        ({**UFW, "/etc/sysctl.d/50-a.conf": ON}, SET, "/etc/ufw/sysctl.conf:1"),
        ({**UFW, "/etc/sysctl.d/50-a.conf": OFF, "/etc/ufw/sysctl.conf": ON}, SET, "/etc/sysctl.d/50-a.conf:1"),
        ({**UFW, "/etc/sysctl.d/50-a.conf": ON, "/etc/ufw/sysctl.conf": ON}, NOT_SET, "/etc/ufw/sysctl.conf:1"),
        (
            {**UFW, "/etc/sysctl.d/50-a.conf": "net.ipv4.ip_forward=off", "/etc/ufw/sysctl.conf": ON},
            Outcome.UNKNOWN,
            "/etc/sysctl.d/50-a.conf:1",
        ),
        ({**UFW, "/etc/sysctl.d/50-a.conf": "net.ipv4.ip_forward=off"}, SET, "/etc/ufw/sysctl.conf:1"),
        ({**UFW, "/etc/ufw/ufw.conf": "ENABLED=no\n"}, NOT_SET, "no file sets"),
        ({**UFW, "/etc/ufw/ufw.conf": "# ENABLED=yes\n"}, NOT_SET, "no file sets"),
        ({**UFW, "/etc/ufw/ufw.conf": 'ENABLED=no\nENABLED="YES"\n'}, SET, "/etc/ufw/sysctl.conf:1"),
        ({**UFW, "/etc/ufw/ufw.conf": "ENABLED=yes\nENABLED=no\n"}, NOT_SET, "no file sets"),
        ({**UFW, "/etc/default/ufw": "#IPT_SYSCTL=/etc/ufw/sysctl.conf\n"}, NOT_SET, "no file sets"),
        ({**UFW, "/etc/default/ufw": "IPT_SYSCTL=\n"}, NOT_SET, "no file sets"),
        ({**UFW, "/etc/default/ufw": "IPT_SYSCTL=/x\nIPT_SYSCTL='/y'\n", "/x": OFF, "/y": ON}, NOT_SET, "/y:1"),
        ({"/etc/ufw/ufw.conf": "ENABLED=yes\n", "/etc/ufw/sysctl.conf": OFF}, NOT_SET, "no file sets"),
    ],
)
def test_what_ufw_sets_when_it_starts(files, outcome, where):
    found, seen = decided(files)
    assert found is outcome
    assert seen.startswith(where)


@pytest.mark.parametrize("path", list(UFW))
@pytest.mark.parametrize("content", [CLOSED, LONG])
def test_what_ufw_sets_is_not_visible(path, content):
    found = verdict({**UFW, path: content})
    assert found.outcome is Outcome.UNKNOWN
    assert path in render(found.because)


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


@pytest.mark.parametrize("unwanted", ["", "off", "0x0", "00", "-0", "1234567890"])
def test_what_is_unwanted_is_a_number(unwanted):
    with pytest.raises(ValidationError):
        NotSetBackRequirement.model_validate(header(names=NAMES, unwanted=unwanted))


def test_without_a_look_nothing_is_decided():
    evidence = Evidence([Observation(SettingFilesQuery(names=NAMES), Unseen(Reason.TIMEOUT))])
    with pytest.raises(NotSeen):
        NotSetBackRequirement.model_validate(header(names=NAMES, unwanted="0")).judge(evidence)
