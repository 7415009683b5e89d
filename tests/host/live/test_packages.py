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


def entry(name, status, architecture="amd64"):
    return f"Package: {name}\nStatus: {status}\nVersion: 1\nArchitecture: {architecture}\n\n"


def find(root, *names, commands=None):
    return LivePackages(Patience(10), str(root), commands).find(names)


def unfinished(root):
    return LivePackages(Patience(10), str(root), FakePort()).unfinished()


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


@pytest.mark.parametrize("status", ["purge ok not-installed", "purge reinstreq not-installed"])
def test_what_dpkg_only_remembers_is_not_there(tmp_path, status):
    root = write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status=status))
    assert find(root, "docker.io").found == ()


@pytest.mark.parametrize("state", ["half-installed", "installed", "config-files"])
def test_what_must_be_installed_anew_is_midway_whatever_its_state(tmp_path, state):
    root = write(tmp_path, "/var/lib/dpkg/status", DPKG.format(status=f"install reinstreq {state}"))
    (found,) = find(root, "docker.io").found
    assert (found.state, found.detail) == (PackageState.HALF, f"reinstreq {state}")


def test_unfinished_packages_of_dpkg_whatever_their_names(tmp_path):
    states = ("installed", "half-configured", "config-files", "triggers-pending")
    text = "".join(entry(f"p{n}", f"install ok {state}") for n, state in enumerate(states))
    root = write(tmp_path, "/var/lib/dpkg/status", text + entry("journal", "install ok installed"))
    write(root, "/var/lib/dpkg/updates/0000", entry("journal", "install ok unpacked"))
    found = unfinished(root)
    assert found.manager is Manager.DPKG
    assert [(one.name, one.detail) for one in found.found] == [
        ("journal", "unpacked"),
        ("p1", "half-configured"),
        ("p3", "triggers-pending"),
    ]


def test_unfinished_packages_of_apk_and_rpm(tmp_path):
    apk = write(tmp_path / "apk", "/lib/apk/db/installed", "P:docker\nV:1\nA:x86_64\nf:s\n\nP:musl\nV:2\n")
    assert [(one.name, one.detail) for one in unfinished(apk).found] == [("docker", "broken")]
    of_rpm = unfinished(write(tmp_path / "rpm", "/var/lib/rpm/rpmdb.sqlite", "x"))
    assert (of_rpm.manager, of_rpm.found) == (Manager.RPM, ())


def test_unfinished_packages_of_nobody_are_no_empty_list(tmp_path):
    with pytest.raises(NotImplementedError, match="neither"):
        unfinished(tmp_path)


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


@pytest.mark.parametrize(
    "odd",
    [
        "no colon at all\n",
        " Status: of a line that goes on\n",
        "\tVersion: of a line that goes on\n",
        ": no key\n",
        "X-\udcff: \ufffd\n".encode("utf-8", "replace").decode(),
        "Conffiles:\n /etc/a 0123 obsolete\n",
    ],
)
def test_lines_of_dpkg_that_mean_nothing_here_are_passed_over(tmp_path, odd):
    text = entry("docker.io", "install ok installed").replace("Version", f"{odd}Version")
    found = find(write(tmp_path, "/var/lib/dpkg/status", text), "docker.io").found
    assert found == (Installed("docker.io", "1", "amd64", PackageState.INSTALLED, "installed"),)


@pytest.mark.parametrize("blank", ["\n", "\n\n", " \n", "\t\n", "\r\n"])
def test_entries_end_at_a_blank_line_whatever_it_is_made_of(tmp_path, blank):
    text = blank.join((DPKG.format(status="install ok installed"), entry("last", "install ok unpacked")))
    assert [one.name for one in find(write(tmp_path, "/var/lib/dpkg/status", text), "docker.io", "last").found] == [
        "docker.io",
        "last",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            entry("a", "install ok installed").rstrip() + "\n" + entry("b", "install ok installed"),
            "line 5.*one Package",
        ),
        ("\ufeff" + entry("a", "install ok installed"), "wanted a name"),
        (entry("", "install ok installed"), "wanted a name"),
        # also where the name that is asked for stands in good order: dpkg itself refuses such a list
        (entry("docker.io", "install ok installed") + entry("b", "install ok flying"), "flying"),
    ],
)
def test_a_list_that_makes_no_sense_is_no_absence(tmp_path, text, says):
    with pytest.raises(ValueError, match=says):
        find(write(tmp_path, "/var/lib/dpkg/status", text), "docker.io")


@pytest.mark.parametrize("path", ["/var/lib/dpkg/status", "/lib/apk/db/installed"])
@pytest.mark.parametrize("text", ["\n\n\n", "\x00\x01 no list at all\n"])
def test_a_list_without_any_package_is_no_absence(tmp_path, path, text):
    with pytest.raises(NotImplementedError, match=f"{path}: wanted at least one package"):
        find(write(tmp_path, path, text), "docker")


def test_a_list_that_is_too_long_is_not_cut(tmp_path):
    root = write(tmp_path, "/var/lib/dpkg/status", entry("docker.io", "install ok installed"))
    with (root / "var/lib/dpkg/status").open("r+b") as file:
        file.truncate((1 << 26) + 1)  # sparse: takes no space
    with pytest.raises(ValueError, match="more than 67108864 bytes"):
        find(root, "docker.io")


def test_an_empty_list_of_dpkg_belongs_to_another_system(tmp_path):
    root = write(tmp_path, "/var/lib/dpkg/status", "")
    with pytest.raises(NotImplementedError, match="neither"):
        find(root, "docker.io")
    write(root, "/var/lib/rpm/rpmdb.sqlite", "x")
    assert find(root, "docker", commands=rpm(0, "docker\t0:1-1\tx86_64\n")).manager is Manager.RPM


def test_the_journal_of_a_dpkg_that_was_cut_off_counts_before_the_list(tmp_path):
    root = write(
        tmp_path, "/var/lib/dpkg/status", entry("a", "install ok installed") + entry("b", "install ok installed")
    )
    write(root, "/var/lib/dpkg/updates/0000", entry("a", "install ok half-configured"))
    write(root, "/var/lib/dpkg/updates/0001", entry("a", "install ok unpacked"))
    write(root, "/var/lib/dpkg/updates/tmp.i", entry("a", "install ok flying"))
    assert [(one.name, one.detail) for one in find(root, "a", "b").found] == [("a", "unpacked"), ("b", "installed")]


def test_a_file_where_rpm_has_its_folder_is_no_record(tmp_path):
    root = write(tmp_path, "/var/lib/rpm", "x")
    with pytest.raises(NotImplementedError, match="neither"):
        find(root, "a")


def test_apk_flags_what_is_broken(tmp_path):
    text = "P:docker\nV:1\nA:x86_64\nf:fs\n\nP:musl\nV:2\nA:x86_64\n"
    root = write(tmp_path, "/usr/lib/apk/db/installed", text)
    assert find(root, "docker").found == (Installed("docker", "1", "x86_64", PackageState.HALF, "broken"),)


def test_a_list_of_apk_that_makes_no_sense_is_no_absence(tmp_path):
    with pytest.raises(ValueError, match="wanted a name"):
        find(write(tmp_path, "/lib/apk/db/installed", "V:1\nA:x86_64\n"), "docker")


RPM = "/usr/bin/rpm"


def rpm(code, out, err="", owner=(0, "rpm-4.16.1.3-29.el9.x86_64\n")):
    """rpm, which ends with *code*, and says that its own program belongs to *owner*."""
    asked = []

    def run(argv, **_):
        asked.append(argv)
        return Completed(*owner, "") if "--file" in argv else Completed(code, out, err)

    port = FakePort(run=run, which=RPM)
    port.asked = asked
    return port


@pytest.mark.parametrize(
    "records",
    [
        "/var/lib/rpm/Packages",
        "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/share/rpm/rpmdb.sqlite",
    ],
)
def test_several_versions_of_one_rpm(tmp_path, records):
    out = "kernel\t0:5.14.0-503.el9\tx86_64\npackage podman-docker is not installed\nkernel\t0:5.14.0-427.el9\tx86_64\n"
    commands = rpm(1, out, "warning: Converting database from bdb_ro to sqlite backend\n")
    found = find(write(tmp_path, records, "x"), "kernel", "podman-docker", commands=commands)
    assert found.manager is Manager.RPM
    assert [(one.name, one.version, one.architecture, one.state) for one in found.found] == [
        ("kernel", "0:5.14.0-427.el9", "x86_64", PackageState.INSTALLED),
        ("kernel", "0:5.14.0-503.el9", "x86_64", PackageState.INSTALLED),
    ]
    (asked,) = commands.asked
    assert asked[:5] == ("rpm", "--dbpath", records.rpartition("/")[0], "--query", "--queryformat")
    assert "%{EPOCHNUM}:%{VERSION}-%{RELEASE}" in asked[5]
    assert asked[-3:] == ("--", "kernel", "podman-docker")


NONE = "package podman is not installed\n"


def test_absence_in_records_that_know_rpm_itself(tmp_path):
    commands = rpm(1, NONE)
    assert find(write(tmp_path, "/var/lib/rpm/Packages", "x"), "podman", commands=commands).found == ()
    assert commands.asked[1:] == [("rpm", "--dbpath", "/var/lib/rpm", "--query", "--file", "--", RPM)]


@pytest.mark.parametrize("owner", [(1, f"file {RPM} is not owned by any package\n"), (0, "", "error: damaged")])
def test_absence_in_records_that_do_not_know_rpm_itself_is_none(tmp_path, owner):
    root = write(tmp_path, "/var/lib/rpm/Packages", "x")
    asked = iter((Completed(1, NONE, ""), Completed(*owner, *("",) * (3 - len(owner)))))
    with pytest.raises(NotImplementedError, match=r"belongs to, saw file|damaged"):
        find(root, "podman", commands=FakePort(run=lambda argv, **_: next(asked), which=RPM))


def test_rpm_is_not_asked_about_nothing(tmp_path):
    assert find(write(tmp_path, "/var/lib/rpm/Packages", "x"), commands=FakePort()).found == ()


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, "", "error: cannot open Packages database in /var/lib/rpm"),
        (1, "package podman is not installed\n", "error: rpmdb: damaged header #5 retrieved -- skipping.\n"),
        (0, "podman\t0:1-1\tx86_64\n", "error: rpmdb: damaged header #5 retrieved -- skipping.\n"),
        (1, "", ""),
        (0, "", ""),
        (1, "podman\t0:1-1\tx86_64\n", ""),
        (-9, "package podman is not installed\n", ""),
        (0, "something else\n", ""),
        (1, "podman\tx86_64\npackage podman is not installed\n", ""),
    ],
)
def test_a_database_that_does_not_answer_is_no_absence(tmp_path, code, out, err):
    root = write(tmp_path, "/usr/lib/sysimage/rpm/rpmdb.sqlite", "x")
    with pytest.raises((NotImplementedError, ValueError), match=f"rpm ended with {code}"):
        find(root, "podman", commands=rpm(code, out, err))


def test_an_answer_of_rpm_that_was_cut_is_no_absence(tmp_path):
    cut = FakePort(run=Completed(1, NONE, "", cut=True), which=RPM)
    with pytest.raises(NotImplementedError, match="rpm ended"):
        find(write(tmp_path, "/var/lib/rpm/Packages", "x"), "podman", commands=cut)


@pytest.mark.parametrize("word", ["Permission denied (13)", "Operation not permitted (1)"])
def test_a_database_of_rpm_that_is_closed_is_no_absence(tmp_path, word):
    root = write(tmp_path, "/var/lib/rpm/rpmdb.sqlite", "x")
    closed = f"error: cannot open Packages index using sqlite - {word}\n"
    with pytest.raises(PermissionError, match="cannot open"):
        find(root, "podman", commands=rpm(1, "", closed))


def test_records_of_rpm_without_rpm(tmp_path):
    root = write(tmp_path, "/var/lib/rpm/Packages", "x")
    with pytest.raises(NotImplementedError, match="no rpm"):
        find(root, "podman", commands=FakePort(which=None))


def test_a_folder_of_rpm_without_records_is_no_empty_list(tmp_path):
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    with pytest.raises(NotImplementedError, match="neither"):
        find(tmp_path, "podman")


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
