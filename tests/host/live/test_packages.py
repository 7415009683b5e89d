"""Records of dpkg, rpm and apk as these write them, and this machine's own."""

from __future__ import annotations

import shutil

import pytest

from conftest import FakePort
from vorflug.host.live import Patience
from vorflug.host.live.packages import LivePackages
from vorflug.ports.commands import Completed
from vorflug.ports.packages import Installed, Manager, PackageState

DPKG = """\
Package: docker.io
Status: {status}
Priority: optional
Version: 20.10.24+dfsg1-1+deb12u1
Architecture: amd64
Description: Linux container runtime
 Status: this line belongs to the description
 .

Package: other
Status: install ok installed
Version: 1
Architecture: all
"""


def find(root, *names, commands=None):
    return LivePackages(Patience(10), str(root), commands).find(names)


def write(root, path, text):
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("install ok installed", PackageState.INSTALLED),
        ("hold ok installed", PackageState.INSTALLED),
        ("deinstall ok config-files", PackageState.CONFIG_FILES),
        ("install ok half-installed", PackageState.HALF),
        ("install reinstreq half-installed", PackageState.HALF),
        ("install ok unpacked", PackageState.HALF),
        ("install ok half-configured", PackageState.HALF),
        ("install ok triggers-awaited", PackageState.HALF),
        ("install ok triggers-pending", PackageState.HALF),
    ],
)
def test_every_state_of_dpkg(tmp_path, status, state):
    found = find(write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status=status)), "docker.io", "podman")
    word = status.split()[2]
    assert found.manager is Manager.DPKG
    assert found.found == (Installed("docker.io", "20.10.24+dfsg1-1+deb12u1", "amd64", state, word),)


def test_what_dpkg_only_remembers_is_not_there(tmp_path):
    root = write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status="purge ok not-installed"))
    assert find(root, "docker.io").found == ()


@pytest.mark.parametrize("status", ["", "install ok", "install ok flying"])
def test_a_status_that_makes_no_sense_is_no_absence(tmp_path, status):
    root = write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status=status))
    with pytest.raises(ValueError, match="status"):
        find(root, "docker.io")


def test_one_name_in_two_architectures(tmp_path):
    two = "".join(
        f"Package: libc6\nStatus: install ok installed\nVersion: 2.36\nArchitecture: {a}\nMulti-Arch: same\n\n"
        for a in ("i386", "amd64")
    )
    found = find(write(tmp_path, "/var/lib/dpkg/status", two), "libc6")
    assert [one.architecture for one in found.found] == ["amd64", "i386"]


def test_apk(tmp_path):
    text = "C:Q1abc=\nP:docker\nV:26.1.5-r0\nA:x86_64\nS:1\n\nC:Q1\nP:musl\nV:1.2\nA:x86_64\n"
    found = find(write(tmp_path, "/lib/apk/db/installed", text), "docker", "podman")
    assert found.manager is Manager.APK
    assert [(one.name, one.version, one.state) for one in found.found] == [
        ("docker", "26.1.5-r0", PackageState.INSTALLED)
    ]


def rpm(code, out, err=""):
    asked = []

    def run(argv, **_):
        asked.append(argv)
        return Completed(code, out, err)

    port = FakePort(run=run)
    port.asked = asked
    return port


def test_several_versions_of_one_rpm(tmp_path):
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    out = "kernel\t5.14.0-503.el9\tx86_64\npackage podman-docker is not installed\nkernel\t5.14.0-427.el9\tx86_64\n"
    commands = rpm(1, out)
    found = find(tmp_path, "kernel", "podman-docker", commands=commands)
    assert found.manager is Manager.RPM
    assert [(one.name, one.version) for one in found.found] == [
        ("kernel", "5.14.0-427.el9"),
        ("kernel", "5.14.0-503.el9"),
    ]
    assert commands.asked[0][:2] == ("rpm", "--query") and commands.asked[0][-2:] == ("kernel", "podman-docker")


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, "", "error: cannot open Packages database in /var/lib/rpm"),
        (1, "package podman is not installed\n", "error: rpmdb: damaged header #5 retrieved -- skipping.\n"),
        (1, "", ""),
        (-9, "package podman is not installed\n", ""),
        (0, "something else\n", ""),
    ],
)
def test_a_database_that_does_not_answer_is_no_absence(tmp_path, code, out, err):
    (tmp_path / "usr/lib/sysimage/rpm").mkdir(parents=True)
    with pytest.raises(ValueError, match="rpm ended"):
        find(tmp_path, "podman", commands=rpm(code, out, err))


def test_records_of_rpm_without_rpm(tmp_path):
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    with pytest.raises(NotImplementedError, match="no rpm"):
        find(tmp_path, "podman", commands=FakePort(run=FileNotFoundError("rpm")))


def test_the_program_rpm_on_debian_is_not_the_manager(tmp_path):
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    root = write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status="install ok installed"))
    assert find(root, "docker.io").manager is Manager.DPKG


def test_no_records_are_no_empty_list(tmp_path):
    with pytest.raises(NotImplementedError, match="neither"):
        find(tmp_path, "docker.io")


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian")
def test_this_machine():
    found = find("/", "dpkg", "there-is-no-such-package")
    assert [(one.name, one.state) for one in found.found] == [("dpkg", PackageState.INSTALLED)]
