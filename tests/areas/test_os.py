"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import errno
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from e2e.program import PROGRAM, profile
from vorflug.areas.os import (
    ArchitectureFact,
    ArchitectureQuery,
    ArchitectureRequirement,
    Init,
    InitFact,
    InitQuery,
    InitRequirement,
    OsReleaseRequirement,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.os_release import OsReleaseFact, OsReleaseQuery
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import Kernel

UBUNTU = """PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
ID=ubuntu
ID_LIKE=debian
"""
ROCKY = """NAME="Rocky Linux"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
"""
SUSE = "NAME='SLES'\r\nID='sles'\r\nVERSION_ID='15.6'\r\nPRETTY_NAME='SUSE Linux Enterprise Server 15 SP6'\r\n"


def host(**texts):
    """*texts*: what the two files hold; a missing one is not there."""
    names = {"/etc/os-release": "etc", "/usr/lib/os-release": "lib"}

    def read_text(path, *, limit):
        found = texts.get(names[path], FileNotFoundError(2, "No such file", path))
        if isinstance(found, Exception):
            raise found
        return found[:limit]

    return fake_host(files=FakePort(read_text=read_text))


def evidence(query, fact):
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


@pytest.mark.parametrize(
    ("texts", "id_", "version", "like", "name", "path"),
    [
        ({"etc": UBUNTU}, "ubuntu", "24.04", ("debian",), "Ubuntu 24.04.1 LTS", "/etc/os-release"),
        (
            {"etc": ROCKY},
            "rocky",
            "9.4",
            ("rhel", "centos", "fedora"),
            "Rocky Linux 9.4 (Blue Onyx)",
            "/etc/os-release",
        ),
        ({"etc": SUSE}, "sles", "15.6", (), "SUSE Linux Enterprise Server 15 SP6", "/etc/os-release"),
        ({"lib": UBUNTU}, "ubuntu", "24.04", ("debian",), "Ubuntu 24.04.1 LTS", "/usr/lib/os-release"),
        # the first file wins as a whole, even an empty one: they are never merged
        ({"etc": "", "lib": UBUNTU}, "", "", (), "", "/etc/os-release"),
        ({"etc": 'ID=arch\nPRETTY_NAME="Arch Linux"\n'}, "arch", "", (), "Arch Linux", "/etc/os-release"),
        ({"etc": "\ufeff# comment\n\nID=debian\nVERSION_ID=12\n"}, "debian", "12", (), "debian 12", "/etc/os-release"),
        ({"etc": "ID=a\nID=b\n"}, "b", "", (), "b", "/etc/os-release"),
        ({"etc": 'ID="never closed\nVERSION_ID=1 2\nNAME\n=x\nVERSION_ID=""\n'}, "", "", (), "", "/etc/os-release"),
    ],
)
def test_what_the_system_says_of_itself(texts, id_, version, like, name, path):
    fact = OsReleaseQuery().observe(host(**texts))
    assert (fact.id, fact.version_id, fact.id_like, fact.name, fact.path) == (id_, version, like, name, path)


def test_no_file_at_all_is_unsupported_and_a_hidden_one_denied():
    with pytest.raises(NotImplementedError, match="os-release"):
        OsReleaseQuery().observe(host())
    with pytest.raises(PermissionError):
        OsReleaseQuery().observe(host(etc=PermissionError(13, "x"), lib=UBUNTU))


def test_a_symlink_that_leads_back_to_itself_is_unsupported():
    with pytest.raises(NotImplementedError, match="leads back to itself"):
        OsReleaseQuery().observe(host(etc=OSError(errno.ELOOP, "Too many levels of symbolic links"), lib=UBUNTU))
    with pytest.raises(OSError, match="broken disk"):
        OsReleaseQuery().observe(host(etc=OSError(errno.EIO, "broken disk"), lib=UBUNTU))


def test_a_path_through_a_file_counts_as_not_there():
    assert OsReleaseQuery().observe(host(etc=NotADirectoryError(20, "x"), lib=UBUNTU)).path == "/usr/lib/os-release"


ACCEPTED = [
    {"id": "ubuntu", "versions": ["22.04", "24.04"]},
    {"id": "debian", "versions": ["12", "13"]},
    {"id": "rhel", "versions": ["9", "10.1"]},
    {"id": "sles", "versions": ["15"]},
]


def system(id_, version, like=(), name=""):
    return OsReleaseFact(id=id_, version_id=version, id_like=like, pretty_name=name, path="/etc/os-release")


def judge(fact, accepted=None):
    demand = OsReleaseRequirement.model_validate(header(accepted=accepted or ACCEPTED))
    return demand.judge(evidence(OsReleaseQuery(), fact))


@pytest.mark.parametrize(
    ("fact", "outcome", "says"),
    [
        (system("ubuntu", "24.04"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("debian", "12"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("debian", "12.11"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("rhel", "9.10"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("rhel", "10.1"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("sles", "15.6"), Outcome.MET, "is on the list: Ubuntu 22.04"),
        (system("ubuntu", "24.10"), Outcome.UNMET, "Ubuntu 24.10 is not on the list: Ubuntu 22.04"),
        (system("debian", "1"), Outcome.UNMET, "Debian 1 is not on the list: Ubuntu 22.04"),
        (system("debian", "120"), Outcome.UNMET, "Debian 120 is not on the list: Ubuntu 22.04"),
        (system("rhel", "10.10"), Outcome.UNMET, "RHEL 10.10 is not on the list: Ubuntu 22.04"),
        (system("rhel", "8.10"), Outcome.UNMET, "RHEL 8.10 is not on the list: Ubuntu 22.04"),
        (system("rocky", "9.4", ("rhel", "centos")), Outcome.UNMET, "Rocky Linux 9.4 is derived from RHEL"),
        (system("linuxmint", "22", ("ubuntu", "debian")), Outcome.UNMET, "derived from Ubuntu and Debian"),
        (system("alpine", "3.20"), Outcome.UNMET, "Alpine Linux 3.20 is not on the list: Ubuntu 22.04"),
        (system("debian", ""), Outcome.UNKNOWN, "no VERSION_ID"),
        (system("arch", "", (), "Arch Linux"), Outcome.UNKNOWN, "no VERSION_ID"),
        (system("", "24.04"), Outcome.UNKNOWN, "no ID"),
        (system("", ""), Outcome.UNKNOWN, "no ID"),
        (system("debian", "trixie/sid"), Outcome.UNKNOWN, "cannot be compared"),
    ],
)
def test_verdict(fact, outcome, says, no_io):
    with no_io():
        verdict = judge(fact)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_is_seen_is_named_as_a_person_would():
    assert render(judge(system("rocky", "9.4", (), "Rocky Linux 9.4")).seen) == "Rocky Linux 9.4"
    assert render(judge(system("", "")).seen) == "/etc/os-release without a name"
    assert render(judge(system("debian", "12")).wanted).startswith("Ubuntu 22.04, Ubuntu 24.04")


@pytest.mark.parametrize("versions", [[], [24.04], ["noble"]])
def test_a_demand_without_a_version_is_refused(versions):
    with pytest.raises(ValueError):
        OsReleaseRequirement.model_validate(header(accepted=[{"id": "ubuntu", "versions": versions}]))


@given(st.integers(0, 99), st.integers(0, 99))
def test_accepting_more_never_turns_met_into_unmet(major, minor):
    fact = system("debian", f"{major}.{minor}")
    few = [{"id": "debian", "versions": ["12"]}]
    many = [{"id": "debian", "versions": ["12", "13", "9.9"]}, {"id": "ubuntu", "versions": ["24.04"]}]
    if judge(fact, few).outcome is Outcome.MET:
        assert judge(fact, many).outcome is Outcome.MET


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))
    with pytest.raises(NotSeen):
        architecture(Unseen(reason), ["x86_64"])


def architecture(fact, accepted):
    demand = ArchitectureRequirement.model_validate(header(accepted=accepted))
    return demand.judge(evidence(ArchitectureQuery(), fact))


def test_the_architecture_is_the_kernels():
    asked = fake_host(system=FakePort(uname=Kernel("6.1.0", "aarch64")))
    assert ArchitectureQuery().observe(asked) == ArchitectureFact(machine="aarch64")


@pytest.mark.parametrize(
    ("machine", "accepted", "outcome"),
    [
        ("x86_64", ["x86_64"], Outcome.MET),
        ("x86_64", ["amd64"], Outcome.MET),
        ("aarch64", ["amd64", "arm64"], Outcome.MET),
        ("aarch64", ["amd64"], Outcome.UNMET),
        ("s390x", ["s390x"], Outcome.MET),
        ("i686", ["x86_64"], Outcome.UNMET),
    ],
)
def test_architecture_verdict(machine, accepted, outcome):
    verdict = architecture(ArchitectureFact(machine=machine), accepted)
    assert verdict.outcome is outcome
    assert machine in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


HIDDEN = FileNotFoundError(2, "hidden")


def pid1(*, there=(), comm=HIDDEN, namespace="pid:[4026531836]"):
    return fake_host(files=FakePort(exists=lambda path: path in there, read_text=comm, read_link=namespace))


@pytest.mark.parametrize(
    ("asked", "init", "program"),
    [
        (pid1(there={"/run/systemd/system"}), Init.SYSTEMD, ""),
        (pid1(there={"/run/openrc"}), Init.OPENRC, ""),
        (pid1(comm="runit\n"), Init.RUNIT, "runit"),
        (pid1(comm="runit-init\n"), Init.RUNIT, "runit-init"),
        (pid1(comm="init\n"), Init.SYSVINIT, "init"),
        (pid1(there={"/run/systemd/system"}, namespace="pid:[4026532771]"), Init.SYSTEMD, ""),
        # no init at all; systemd's program without its folder is none that is in charge (sd_booted(3))
        (pid1(comm="bash\n"), Init.OTHER, "bash"),
        (pid1(comm="systemd\n"), Init.OTHER, "systemd"),
    ],
)
def test_what_starts_the_services(asked, init, program):
    assert InitQuery().observe(asked) == InitFact(init=init, program=program)


def test_process_1_of_a_container_is_not_the_machines():
    with pytest.raises(NotImplementedError, match="'bash', a container's own"):
        InitQuery().observe(pid1(comm="bash\n", namespace="pid:[4026532771]"))


def test_a_hidden_process_1_is_not_seen():
    with pytest.raises(PermissionError, match="process 1 is hidden"):
        InitQuery().observe(pid1())


@pytest.mark.parametrize(
    ("fact", "accepted", "outcome", "says"),
    [
        (InitFact(init=Init.SYSTEMD, program=""), ["systemd"], Outcome.MET, "systemd starts the services."),
        (InitFact(init=Init.OPENRC, program=""), ["systemd", "openrc"], Outcome.MET, "OpenRC starts the services."),
        (InitFact(init=Init.OPENRC, program=""), ["systemd"], Outcome.UNMET, "Process 1 is OpenRC"),
        (InitFact(init=Init.OTHER, program="bash"), ["systemd"], Outcome.UNMET, "Process 1 is bash"),
    ],
)
def test_init_verdict(fact, accepted, outcome, says):
    demand = InitRequirement.model_validate(header(accepted=accepted))
    verdict = demand.judge(evidence(InitQuery(), fact))
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert [type(query) for query in demand.queries(Evidence())] == [InitQuery]
    assert render(demand.wanted()) == " or ".join({"systemd": "systemd", "openrc": "OpenRC"}[one] for one in accepted)


def test_this_machine_says_what_it_is():
    here = LiveHost(10)
    assert OsReleaseQuery().observe(here).id
    assert ArchitectureQuery().observe(here).machine
    assert InitQuery().observe(here).init in Init


@pytest.mark.tier("mounts")
def test_another_os_release_mounted_over_this_one_is_seen(tmp_path):
    """On the real machine: the file that this process sees counts, and a version within a series is accepted."""
    other = tmp_path / "os-release"
    other.write_text('ID=debian\nVERSION_ID="12.11"\nPRETTY_NAME="Debian as it is elsewhere"\n')
    row = ("os_release", {"accepted": [{"id": "debian", "versions": ["12"]}]})
    run = f"{' '.join(PROGRAM)} run --format json --profile {profile(tmp_path, row)} --out {tmp_path}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {other} /etc/os-release && exec {run}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["outcome"] == "met"
    assert finding["seen"]["en"] == "Debian as it is elsewhere"
