"""Packages and services as dpkg, rpm and systemd themselves leave and tell them, asked by the whole program."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import let_others_in
from e2e.program import PROGRAM, profile, vorflug

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def sh(*argv, codes=(0,), **options):
    done = subprocess.run([*map(str, argv)], capture_output=True, text=True, check=False, timeout=60, **options)
    assert done.returncode in codes, (argv, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture
def tmp_path():
    """A folder that others may enter: pytest's own is closed again by every other run on this machine."""
    with TemporaryDirectory(prefix="vorflug-packages-") as folder:
        let_others_in(Path(folder))
        yield Path(folder)


def judged(folder, facts, rows):
    ended = vorflug("evaluate", facts, "--profile", profile(folder, *rows), "--format", "json")
    return json.loads(ended.out)["findings"]


def ask(folder, rows, prepare, *, nobody=False):
    """The findings of *rows* in a mount namespace that the shell lines *prepare* made."""
    (out := folder / "out").mkdir()
    out.chmod(0o777)
    argv = [*(NOBODY if nobody else ()), *PROGRAM, "collect", "--profile", str(profile(folder, *rows))]
    argv += ["--out", str(out / "facts.json")]
    script = f'mount --make-rprivate /\n{prepare}\nexec "$@"'
    sh("unshare", "-m", "sh", "-ec", script, "sh", *argv, env=ENVIRONMENT)
    return judged(folder, out / "facts.json", rows)


# ---- rpm -------------------------------------------------------------------------------------------------------------

SPEC = """\
Name: {name}
{epoch}
Version: {version}
Release: {release}
Summary: A package without content
License: MIT
%description
None.
%files
{files}
"""


def build(folder, name, version, release, epoch="", files=""):
    spec = folder / f"{name}-{version}-{release}.spec"
    spec.write_text(SPEC.format(name=name, version=version, release=release, epoch=epoch, files=files))
    sh("rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", f"_topdir {folder}/top", spec)


@pytest.fixture(scope="module")
def rpms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rpms")
    build(folder, "rpm", "4.16.1.3", "29.el9", files="%ghost /usr/bin/rpm")
    build(folder, "docker-ce", "27.3.1", "1.el9", epoch="Epoch: 3")
    build(folder, "podman-docker", "4.9.4", "3.el9_4", epoch="Epoch: 4")
    build(folder, "runc", "1.1.12", "2.el9", epoch="Epoch: 4")
    build(folder, "kernel", "5.14.0", "427.13.1.el9_4")
    build(folder, "kernel", "5.14.0", "503.11.1.el9_5")
    return sorted((folder / "top").rglob("*.rpm"))


def database(folder, *files):
    records = folder / "rpm"
    records.mkdir()
    sh("rpm", "--dbpath", records, "--initdb")
    if files:
        sh("rpm", "--dbpath", records, "--install", "--justdb", "--nodeps", *files)
    return records


def as_on_rhel(folder, records):
    """Only rpm has records, and os-release says so."""
    (nothing := folder / "nothing").mkdir()
    release = folder / "os-release"
    release.write_text('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n')
    let_others_in(folder)
    return (
        f"mount --bind {records} /var/lib/rpm\nmount --bind {nothing} /var/lib/dpkg\n"
        f"mount --bind {release} /etc/os-release"
    )


def conflicting(*names):
    return ("packages_absent", {"rpm": names, "dpkg": ["docker.io"], "unpublished": ["sles"]})


@pytest.mark.tier("mounts")
@pytest.mark.tier("rpm")
@pytest.mark.parametrize("nobody", [False, True])
def test_rpm_as_it_stands_on_rhel(tmp_path, rpms, nobody):
    rows = (
        conflicting("kernel"),
        conflicting("docker", "runc", "podman-docker"),
        conflicting("docker", "docker-engine"),
        ("packages_whole", {}),
    )
    several, two, none, whole = ask(tmp_path, rows, as_on_rhel(tmp_path, database(tmp_path, *rpms)), nobody=nobody)
    assert several["outcome"] == "unmet"
    assert several["seen"]["en"] == "kernel 0:5.14.0-427.13.1.el9_4; kernel 0:5.14.0-503.11.1.el9_5"
    assert two["seen"]["en"] == "podman-docker 4:4.9.4-3.el9_4; runc 4:1.1.12-2.el9"
    assert two["fix"]["en"] == "Remove podman-docker and runc before Docker's own packages are installed."
    assert (none["outcome"], none["because"]["en"]) == ("met", "Not installed: docker and docker-engine.")
    assert whole["outcome"] == "not_applicable"


def cut(records):
    (records / "rpmdb.sqlite").write_bytes(b"")


def scrambled(records):
    (records / "rpmdb.sqlite").write_bytes(b"no database" * 1000)


def closed(records):
    for file in records.iterdir():
        file.chmod(0o600)


@pytest.mark.tier("mounts")
@pytest.mark.tier("rpm")
@pytest.mark.parametrize(
    ("installed", "damage", "nobody", "reason"),
    [
        ((), lambda _records: None, False, "unseen.unsupported"),
        # whose records they are is not certain: the program that reads them is of no package in them
        (("docker-ce", "runc"), lambda _records: None, False, "unseen.unsupported"),
        (("rpm", "docker-ce"), cut, False, "unseen.unsupported"),
        (("rpm", "docker-ce"), scrambled, False, "unseen.unsupported"),
        (("rpm", "docker-ce"), closed, True, "unseen.denied"),
    ],
)
def test_records_of_rpm_that_are_empty_damaged_or_closed_are_no_absence(
    tmp_path, rpms, installed, damage, nobody, reason
):
    records = database(tmp_path, *(file for file in rpms if file.name.startswith(installed)))
    damage(records)
    (found,) = ask(tmp_path, [conflicting("docker")], as_on_rhel(tmp_path, records), nobody=nobody)
    assert (found["outcome"], found["reason"]) == ("unknown", reason), found


# ---- dpkg ------------------------------------------------------------------------------------------------------------

STATES = {
    "whole": "installed",
    "held": "installed",
    "unpacked": "unpacked",
    "fails": "half-configured",
    "breaks": "half-installed",
    "removed": "config-files",
    "waits": "triggers-pending",
}


def deb(folder, name, **scripts):
    """A package with a settings file; *scripts* of the maintainer by their names."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: x\n"
    )
    (tree / "etc").mkdir()
    (tree / f"etc/{name}").write_text("x\n")
    (tree / "DEBIAN/conffiles").write_text(f"/etc/{name}\n")
    for script, text in scripts.items():
        (tree / "DEBIAN" / script).write_text(text)
        (tree / "DEBIAN" / script).chmod(0o644 if script == "triggers" else 0o755)
    sh("dpkg-deb", "--root-owner-group", "--build", tree, folder / f"{name}.deb")
    return folder / f"{name}.deb"


@pytest.fixture
def admin(tmp_path):
    """The records of a dpkg that was left in every state there is; in its root no script can run."""
    root, never = tmp_path / "root", "#!/bin/sh\n"
    for folder in ("updates", "info", "triggers"):
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ("dpkg", f"--root={root}")
    sh(*dpkg, "--install", *(deb(tmp_path, name) for name in ("whole", "held", "removed")))
    sh(*dpkg, "--remove", "removed")
    sh(*dpkg, "--set-selections", input="held hold\n")
    sh(*dpkg, "--unpack", deb(tmp_path, "unpacked"))
    sh(*dpkg, "--install", deb(tmp_path, "fails", postinst=never), codes=(1,))
    sh(*dpkg, "--install", deb(tmp_path, "breaks", preinst=never, postrm=never), codes=(1,))
    sh(*dpkg, "--install", deb(tmp_path, "waits", triggers="interest-noawait /etc\n"))
    sh(*dpkg, "--no-triggers", "--install", deb(tmp_path, "other"))
    seen = sh("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package} ${db:Status-Status}\n")
    assert dict(line.split() for line in seen.splitlines()) == STATES | {"other": "installed"}
    let_others_in(tmp_path)
    return root / "var/lib/dpkg"


@pytest.mark.tier("mounts")
@pytest.mark.tier("dpkg")
@pytest.mark.parametrize("nobody", [False, True])
def test_every_state_that_dpkg_leaves(tmp_path, admin, nobody):
    rows = [("packages_absent", {"dpkg": [name]}) for name in STATES]
    *named, whole = ask(tmp_path, [*rows, ("packages_whole", {})], f"mount --bind {admin} /var/lib/dpkg", nobody=nobody)
    said = {name: (row["outcome"], row["seen"]["en"]) for name, row in zip(STATES, named, strict=True)}
    assert said == {
        "whole": ("unmet", "whole 1.0"),
        "held": ("unmet", "held 1.0"),
        "unpacked": ("unmet", "unpacked 1.0 (unpacked)"),
        "fails": ("unmet", "fails 1.0 (half-configured)"),
        "breaks": ("unmet", "breaks 1.0 (reinstreq half-installed)"),
        "removed": ("met", "none of them, by the records of dpkg"),
        "waits": ("unmet", "waits 1.0 (triggers-pending)"),
    }
    assert whole["because"]["en"] == ("An installation left these packages midway: breaks, fails, unpacked and waits.")
    audit = sh("dpkg", f"--admindir={admin}", "--audit")
    assert {name for name in STATES if f"\n {name} " in audit} == {"breaks", "fails", "unpacked", "waits"}


# ---- systemd ---------------------------------------------------------------------------------------------------------

UNIT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
STARTED = "[Unit]\nRequires=basic.target {units} ask.service\nAfter=basic.target\n"
ASKS = (
    "[Unit]\nAfter={units}\nSuccessAction=exit\nFailureAction=exit-force\n"
    "[Service]\nType=oneshot\nEnvironment=PYTHONDONTWRITEBYTECODE=1\nExecStart={argv}\nTimeoutStartSec=30\n"
)
RUNNING = ("nginx.service", "httpd.service")
SERVICES = {
    "nginx.service": ("unmet", "nginx.service: active, enabled"),
    "caddy.service": ("unmet", "caddy.service: inactive, enabled"),
    "haproxy.service": ("met", "haproxy.service: inactive, masked"),
    # another name of apache2
    "httpd.service": ("unmet", "apache2.service: active, enabled"),
    "lighttpd.service": ("met", "lighttpd.service: inactive, static"),
    "stopped.service": ("met", "stopped.service: inactive, disabled"),
    "absent.service": ("met", "none of them is known to systemd"),
    "one@a.service": ("unmet", "one@a.service: inactive, enabled"),
    "one@b.service": ("met", "one@b.service: inactive, disabled"),
    "broken.service": ("unmet", "broken.service: failed, enabled"),
}


def units(folder, argv):
    """The unit files of a machine that starts two web servers, asks, and ends."""
    (wants := folder / "multi-user.target.wants").mkdir(parents=True)
    for name in ("nginx", "caddy", "apache2", "stopped", "one@", "broken"):
        (folder / f"{name}.service").write_text(UNIT.replace("sleep", "false") if name == "broken" else UNIT)
    (folder / "lighttpd.service").write_text(UNIT.partition("[Install]")[0])
    (folder / "haproxy.service").symlink_to("/dev/null")
    (folder / "httpd.service").symlink_to("/etc/systemd/system/apache2.service")
    for name in ("nginx", "caddy", "apache2", "broken", "one@a"):
        (wants / f"{name}.service").symlink_to(f"/etc/systemd/system/{'one@' if '@' in name else name}.service")
    (folder / "test.target").write_text(
        STARTED.format(units=" ".join(RUNNING)) + "Wants=broken.service\nAllowIsolate=yes\n"
    )
    (folder / "ask.service").write_text(
        ASKS.format(units=" ".join((*RUNNING, "broken.service")), argv=shlex.join(argv).replace("%", "%%"))
    )


def booted(folder, argv):
    """Start systemd as the first process of a copy of this system that is thrown away, with *argv* to run in it."""
    units(folder / "units", argv)
    (top := folder / "top").mkdir()
    # the control groups that it makes are below one of our own, and go with it
    groups = [
        group / f"vorflug-test-{os.getpid()}"
        for group in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"))
        if (group / "cgroup.procs").exists()
    ]
    binds = [f"--bind-ro={path}" for path in dict.fromkeys((ROOT, sys.prefix, sys.base_prefix)) if str(path) != "/usr"]
    boot = ["exec", "systemd-nspawn", "--quiet", f"--directory={top}", "--volatile=overlay", "--register=no"]
    boot += ["--keep-unit", *binds, f"--bind-ro={folder}/units:/etc/systemd/system", f"--bind={folder}/out:/asked"]
    boot += ["--boot", "systemd.unit=test.target", "systemd.show_status=0"]
    script = "\n".join(
        (
            *(f"mkdir {group} && echo $$ >{group}/cgroup.procs" for group in groups),
            f"mount --make-rprivate /\nmount --bind / {top}",
            shlex.join(boot),
        )
    )
    try:
        sh("unshare", "-m", "sh", "-ec", script, stdin=subprocess.DEVNULL)
    finally:
        for group in groups:
            for path, _, _ in os.walk(group, topdown=False):
                os.rmdir(path)


@pytest.mark.tier("mounts")
@pytest.mark.tier("systemd")
def test_units_as_systemd_tells_them(tmp_path):
    (out := tmp_path / "out").mkdir()
    everything = tuple(SERVICES)
    rows = [("services_absent", {"units": [name]}) for name in SERVICES] + [("services_absent", {"units": everything})]
    profile(out, *rows)
    booted(tmp_path, [*PROGRAM, "collect", "--profile", "/asked/profile.yaml", "--out", "/asked/facts.json"])
    *each, together = judged(tmp_path, out / "facts.json", rows)
    assert {name: (row["outcome"], row["seen"]["en"]) for name, row in zip(SERVICES, each, strict=True)} == SERVICES
    assert together["because"]["en"] == (
        "Now running: nginx.service and apache2.service. "
        "Not running, but started at the next boot: caddy.service, one@a.service and broken.service."
    )
