"""Odd storage, made from this machine with mounts of its own: full inodes, noexec, bind mounts, blocks reserved for root."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import let_others_in
from e2e.program import PROGRAM, profile, vorflug

pytestmark = pytest.mark.tier("mounts")

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


@pytest.fixture
def work(tmp_path):
    let_others_in(tmp_path)
    return tmp_path


def findings(work: Path, inside: str, *rows, nobody: bool = False) -> list[dict]:
    """What is decided about *rows* where *inside*, a shell script in *work*, has mounted things."""
    file = profile(work, *rows)
    out = work / "out"
    out.mkdir()
    out.chmod(0o777)
    argv = [*(NOBODY if nobody else ()), *PROGRAM, "collect", "--profile", str(file), "--out", str(out / "facts.json")]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'cd "$1"\n{inside}\ncd /\nshift\nexec "$@"', "sh", str(work), *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    ended = vorflug("evaluate", out / "facts.json", "--profile", file, "--format", "json")
    return json.loads(ended.out)["findings"]


def test_a_tmpfs_with_its_inodes_used_up(work):
    (work / "small").mkdir()
    inside = "mount -t tmpfs -o nr_inodes=50 none small; i=0; while touch small/$i 2>/dev/null; do i=$((i+1)); done"
    rows = [
        ("storage_inodes", {"paths": [f"{work}/small/yet/to/come"], "at_least": "20 %"}),
        ("storage_inodes", {"paths": [str(work)], "at_least": "0 %"}),
    ]
    for nobody in (False, True):
        small, beside = findings(work, inside, *rows, nobody=nobody)
        assert small["outcome"] == "unmet"
        assert small["seen"]["en"] == f"0 of 50 free at {work}/small (0 %)"
        assert "nr_inodes" in small["fix"]["en"]
        assert beside["outcome"] in {"met", "not_applicable"}
        (work / "out/facts.json").unlink()
        (work / "out").rmdir()


def test_a_noexec_mount_is_found_below_a_folder_that_is_yet_to_be_made(work):
    (work / "var").mkdir()
    paths = [f"{work}/var/lib/docker"]
    noexec, read_only = findings(
        work,
        "mount -t tmpfs -o noexec,nosuid none var",
        ("storage_mount_options", {"paths": paths, "forbidden": ["noexec", "nosuid", "ro"]}),
        ("storage_mount_options", {"paths": paths, "forbidden": ["ro"]}),
        nobody=True,
    )
    assert noexec["outcome"] == "unmet"
    assert f"{paths[0]} does not exist yet; it would lie on the mount {work}/var" in noexec["because"]["en"]
    assert "noexec and nosuid" in noexec["because"]["en"]
    assert read_only["outcome"] == "met"


def test_a_read_only_bind_mount_of_a_writable_file_system(work):
    for name in ("data", "bound"):
        (work / name).mkdir()
    (found,) = findings(
        work,
        "mount --bind data bound; mount -o remount,bind,ro bound",
        ("storage_mount_options", {"paths": [f"{work}/bound", f"{work}/data"], "forbidden": ["ro"]}),
    )
    assert found["outcome"] == "unmet"
    assert f"{work}/bound lies on the mount {work}/bound, which has ro." in found["because"]["en"]
    assert f"{work}/data lies" not in found["because"]["en"]


def test_bind_mounts_and_links_of_one_disk_add_up_and_count_once(work):
    (work / "disk").mkdir()
    (work / "bound").mkdir()
    (work / "link").symlink_to(work / "disk" / "inner")
    paths = [f"{work}/disk", f"{work}/bound", f"{work}/link"]
    capacity, fits, short = findings(
        work,
        "mount -t tmpfs -o size=100m none disk; mkdir disk/inner; mount --bind disk/inner bound",
        ("storage_fill", {"paths": paths, "at_most": "50 %"}),
        ("storage_free", {"needs": [{"path": path, "at_least": "30 MiB"} for path in paths]}),
        ("storage_free", {"needs": [{"path": path, "at_least": "40 MiB"} for path in paths]}),
        nobody=True,
    )
    assert capacity["outcome"] == "met"
    assert fits["outcome"] == "met" and len(fits["gauges"]) == 1, fits
    assert short["outcome"] == "unmet"
    assert "100 MiB free, 120 MiB wanted" in short["because"]["en"]
    assert f"{work}/link (a link to {work}/disk/inner)" in short["because"]["en"]
    assert f"at {work}/disk and {work}/bound" in short["fix"]["en"]


@pytest.mark.tier("xfs")  # e2fsprogs is there wherever xfsprogs is
@pytest.mark.parametrize("nobody", [True, False])
def test_blocks_reserved_for_root_are_not_free(work, nobody):
    (work / "disk").mkdir()
    with (work / "image").open("wb") as made:
        made.truncate(100 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "50", str(work / "image")], check=True)
    short, fits = findings(
        work,
        "mount -o loop image disk",
        ("storage_free", {"needs": [{"path": f"{work}/disk/x", "at_least": "60 MiB"}]}),
        ("storage_free", {"needs": [{"path": f"{work}/disk/x", "at_least": "30 MiB"}]}),
        nobody=nobody,
    )
    assert short["outcome"] == "unmet"
    # half of the disk, and some clusters that the kernel keeps besides
    assert re.search(r"At \S+/disk, 5\d(\.\d)? MiB more are reserved for root\.", short["because"]["en"]), short
    assert fits["outcome"] == "met"


@pytest.mark.tier("xfs")
def test_a_file_that_stands_for_a_disk_is_shown_as_one(work):
    (work / "disk").mkdir()
    with (work / "image").open("wb") as made:
        made.truncate(400 << 20)
    subprocess.run(["mkfs.xfs", "-q", str(work / "image")], check=True)
    encrypted, ftype, inodes = findings(
        work,
        "mount -o loop image disk; chmod 0710 disk",
        ("storage_encryption", {"paths": [f"{work}/disk"]}),
        ("storage_xfs_ftype", {"path": f"{work}/disk/docker"}),
        ("storage_inodes", {"paths": [f"{work}/disk"], "at_least": "20 %"}),
    )
    assert encrypted["outcome"] == "unknown"
    assert f"the file {work}/image" in encrypted["seen"]["en"]
    assert ftype["outcome"] == inodes["outcome"] == "met"


@pytest.mark.parametrize("kind", ["storage_inodes", "storage_mount_options", "storage_free", "storage_growth"])
def test_a_path_below_a_folder_that_is_closed_is_denied_and_the_others_are_judged(work, kind):
    (work / "closed" / "inner").mkdir(parents=True)
    path = f"{work}/closed/inner/x"
    fields = {
        "storage_inodes": {"paths": [path], "at_least": "1 %"},
        "storage_mount_options": {"paths": [path], "forbidden": ["ro"]},
        "storage_free": {"needs": [{"path": path, "at_least": "1 B"}]},
        "storage_growth": {
            "path": path, "vectors": 1, "dimensions": 1, "bytes_per_number": 4, "memory_factor": 1.5, "disk_factor": 4.0,
        },
    }[kind]  # fmt: skip
    denied, judged = findings(
        work,
        "chmod 0700 closed",
        (kind, fields),
        ("storage_free", {"needs": [{"path": str(work), "at_least": "1 B"}]}),
        nobody=True,
    )
    assert (denied["outcome"], denied["reason"]) == ("unknown", "unseen.denied")
    assert path in denied["because"]["en"]
    assert judged["outcome"] == "met"
