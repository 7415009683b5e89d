"""The one file runs where there is nothing: a minimal Debian without Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

pytestmark = [pytest.mark.tier("binary"), pytest.mark.tier("debootstrap"), pytest.mark.tier("mounts")]

ROOT = Path(__file__).resolve().parent.parent.parent


def _cannot(why: str) -> NoReturn:
    """A mirror is nothing that every machine reaches: say so, and fail only where all tiers are required."""
    if os.environ.get("VORFLUG_REQUIRE_TIERS") == "1":
        pytest.fail(why)
    pytest.skip(f"tier debootstrap did not run: {why}")


def release() -> str:
    """The code name of this machine's release: the binary is built for its glibc."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    return re.search(r"^VERSION_CODENAME=(\S+)$", text, re.MULTILINE)[1]


def mirror() -> str:
    """The package mirror that this machine itself uses, as its apt is configured."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(URI) $(SITE) $(RELEASE) $(COMPONENT)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        uri, _, suite, component, *_ = [*line.split(), "", "", "", ""]
        if suite == release() and component == "main":
            return uri.partition("/dists/")[0]
    return _cannot(f"apt names no mirror with the release {release()}")


def make(folder: Path) -> None:
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    signed = [f"--keyring={keyring}"] if keyring.exists() else ["--no-check-gpg"]
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", *signed, release(), str(folder), mirror()],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        _cannot(f"debootstrap ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")


@pytest.fixture(scope="module")
def bare_root():
    """A root file system without Python; kept below VORFLUG_CHROOT or build/, for it takes a minute to make."""
    folder = Path(os.environ.get("VORFLUG_CHROOT") or ROOT / "build" / "chroot") / release()
    if not (folder / "etc" / "os-release").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        make(folder)
    found = [str(p) for name in ("python*", "pypy*") for p in folder.glob(f"usr/bin/{name}")]
    assert not found
    return folder


@contextmanager
def inside(root: Path, binary: Path, *files: Path):
    """Run commands in *root*, with the binary and *files* in /opt of a private copy that is gone afterwards."""

    def run(command: str, codes: tuple[int, ...]) -> str:
        copied = " ".join(map(str, (binary, *files)))
        script = f"""
set -e
mount -t tmpfs none {root}/opt && mount -t tmpfs -o mode=1777 none {root}/tmp
mount -t proc none {root}/proc
mount --rbind /dev {root}/dev && mount --rbind /sys {root}/sys
cp {copied} {root}/opt/
exec chroot {root} /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/opt LANG=C.UTF-8 /bin/sh -c '{command}'
"""
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
            capture_output=True, text=True, check=False, timeout=120, cwd="/",
        )  # fmt: skip
        assert done.returncode in codes, (done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    yield run


def test_run_and_verify_without_python(bare_root, binary, small_profile):
    name = binary.name
    with inside(bare_root, binary, small_profile) as run:
        said = run(
            f"cd /opt && ./{name} run --profile {small_profile.name} --out out >&2; code=$?; [ $code = 3 ] || exit $code;"
            " cp out/*/report-key.pub key.pub &&"
            f" ./{name} verify out/* --trust key.pub >&2 &&"
            ' ls -A /tmp >&2 && [ -z "$(ls -A /tmp)" ] && ls out/* && cat out/*/report.json',
            codes=(0,),
        )
    listed, _, report = said.partition("{")
    assert listed.split() == ["attestation.dsse.json", "report-key.pub", "report.html", "report.json"]
    outcomes = {f["id"]: f["outcome"] for f in json.loads("{" + report)["findings"]}
    assert outcomes["MEM-1"] == outcomes["CPU-1"] == "met"
    assert outcomes["FILE-1"] == "unmet"


def test_the_shipped_profile_is_judged_there(bare_root, binary):
    with inside(bare_root, binary) as run:
        said = run(
            f"cd /opt && ./{binary.name} plan --format json && ./{binary.name} version --format json", codes=(0,)
        )
    plan, _, version = said.rpartition("\n{")
    assert len(json.loads(plan)["questions"]) > 10
    assert json.loads("{" + version)["profiles"]
