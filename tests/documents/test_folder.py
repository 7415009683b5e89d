from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from vorflug.documents import folder
from vorflug.documents.folder import OutputRefused, ReportFolder, folder_name, write_file

WHEN = datetime(2026, 11, 24, 10, 12, 0, tzinfo=UTC)
NAME = "vorflug-audit-vm-01-20261124T101200Z"


def opened(parent):
    return ReportFolder.open(parent, "audit-vm-01", WHEN)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def everything(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*"))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("audit-vm-01", NAME),
        ("db.corp.example", "vorflug-db-corp-example-20261124T101200Z"),
        ("../../etc/passwd", "vorflug-etc-passwd-20261124T101200Z"),
        ("a\x1b[2J\u202eb", "vorflug-a-2J-b-20261124T101200Z"),
        ("", "vorflug-host-20261124T101200Z"),
        ("ü", "vorflug-host-20261124T101200Z"),
        ("x" * 5000, f"vorflug-{'x' * 63}-20261124T101200Z"),
    ],
)
def test_a_host_cannot_steer_the_name(host, name):
    assert folder_name(host, WHEN) == name


def test_the_name_holds_utc_whatever_zone_the_time_came_in():
    assert folder_name("h", WHEN.astimezone(timezone(timedelta(hours=5)))).endswith("-20261124T101200Z")


def test_the_folder_is_made_with_its_parent_and_its_files_are_private(tmp_path):
    before = os.umask(0)
    try:
        with opened(tmp_path / "new" / "parent") as made:
            assert made.path == tmp_path / "new" / "parent" / NAME
            assert made.write("report.json", b"{}") == made.path / "report.json"
            made.write("report-key.pub", b"k", 0o644)
    finally:
        os.umask(before)
    assert mode(made.path) == 0o700 and mode(made.path.parent) == 0o700
    assert mode(made.path / "report.json") == 0o600 and mode(made.path / "report-key.pub") == 0o644
    assert everything(made.path) == ["report-key.pub", "report.json"]
    assert (made.path / "report.json").read_bytes() == b"{}"


def test_a_strict_umask_does_not_close_the_public_key(tmp_path):
    before = os.umask(0o077)
    try:
        with opened(tmp_path) as made:
            made.write("report-key.pub", b"k", 0o644)
    finally:
        os.umask(before)
    assert mode(made.path / "report-key.pub") == 0o644


def test_a_folder_that_is_there_is_never_used_again(tmp_path):
    for expected in (NAME, f"{NAME}-2", f"{NAME}-3"):
        with opened(tmp_path) as made:
            made.write("a", b"")
        assert made.path.name == expected


def test_a_planted_link_in_place_of_the_folder_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / NAME).symlink_to(target)
    with opened(tmp_path) as made:
        made.write("a", b"x")
    assert made.path.name == f"{NAME}-2" and everything(target) == []


def test_a_planted_link_at_the_output_is_refused_and_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"before")
    with opened(tmp_path) as made:
        for name, target in (("report.json", victim), ("report.html", tmp_path / "not-there")):
            (made.path / name).symlink_to(target)
            with pytest.raises(OutputRefused, match="neither followed nor replaced"):
                made.write(name, b"after")
        made.write("ok", b"x")
    assert victim.read_bytes() == b"before" and not (tmp_path / "not-there").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/x", "a\0b"])
def test_a_name_is_a_name_and_no_path(tmp_path, name):
    with opened(tmp_path) as made, pytest.raises((OutputRefused, ValueError)):
        made.write(name, b"x")
    assert everything(tmp_path) == []


def test_a_run_that_fails_or_writes_nothing_leaves_nothing(tmp_path):
    with opened(tmp_path):
        pass
    with pytest.raises(RuntimeError):
        _write_and_fail(tmp_path)
    assert everything(tmp_path) == []


def _write_and_fail(parent, notes=None):
    with opened(parent) as made:
        made.write("report.json", b"{}")
        if notes is not None:
            (made.path / "notes.txt").write_text(notes)
        raise RuntimeError("the second file failed")


def test_what_others_put_into_the_folder_is_left_alone(tmp_path):
    with pytest.raises(RuntimeError):
        _write_and_fail(tmp_path, notes="mine")
    assert everything(tmp_path / NAME) == ["notes.txt"]


def test_a_place_that_cannot_be_written_is_found_at_once_and_named(tmp_path):
    (tmp_path / "file").write_text("")
    for parent in (tmp_path / "file", tmp_path / "file" / "below", "/proc/vorflug", "/dev/null/x"):
        with pytest.raises(OutputRefused) as caught:
            ReportFolder.open(type(tmp_path)(parent), "h", WHEN)
        assert str(parent) in str(caught.value.message) and "--out" in str(caught.value.message)
        assert isinstance(caught.value, OSError)


def test_a_disk_that_fills_up_leaves_nothing_half_written(tmp_path):
    # RLIMIT_FSIZE refuses the write half-way as a full disk does, and needs no root
    code = (
        "import resource, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from vorflug.documents.folder import OutputRefused, ReportFolder, write_file\n"
        "out = Path(sys.argv[1])\n"
        "write_file(out / 'facts.json', b'before')\n"
        "try:\n"
        "    with ReportFolder.open(out, 'h', datetime.now(UTC)) as made:\n"
        # the place had room when the run began
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "        made.write('report.json', b'x' * 4096)\n"
        "        made.write('report.html', b'x' * 4097)\n"
        "except OutputRefused as refused:\n"
        "    print(refused.message)\n"
        "try:\n"
        "    write_file(out / 'facts.json', b'x' * 5000)\n"
        "except OutputRefused as refused:\n"
        "    print(refused.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "report.html: cannot be written (File too large)" in done.stdout and done.stderr == ""
    assert everything(tmp_path) == ["facts.json"] and (tmp_path / "facts.json").read_bytes() == b"before"


@pytest.mark.tier("mounts")
@pytest.mark.parametrize(("options", "says"), [("size=64k", "No space left"), ("ro", "Read-only file system")])
def test_full_and_read_only_file_systems(tmp_path, options, says):
    code = (
        "import os, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from vorflug.documents.folder import OutputRefused, ReportFolder\n"
        "out = Path(sys.argv[1])\n"
        "try:\n"
        "    with ReportFolder.open(out, 'h', datetime.now(UTC)) as made:\n"
        "        made.write('report.json', b'x' * 4096)\n"
        "        made.write('report.html', b'x' * 200_000)\n"
        "except OutputRefused as refused:\n"
        "    print(refused.message, os.listdir(out))\n"
    )
    script = f'mount -t tmpfs -o {options} none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable, code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert says in done.stdout and done.stdout.rstrip().endswith("[]"), done


def test_one_output_file_is_replaced_whole(tmp_path):
    out = tmp_path / "facts.json"
    write_file(out, b"one")
    assert mode(out) == 0o600
    write_file(out, b"two")
    assert out.read_bytes() == b"two" and everything(tmp_path) == ["facts.json"]


def test_one_output_file_never_replaces_a_link_device_or_folder(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"before")
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(OutputRefused, match="neither followed nor replaced"):
            write_file(tmp_path / name, b"after")
    with pytest.raises(OutputRefused, match="cannot be written"):
        write_file(tmp_path / "none" / "a", b"x")
    assert victim.read_bytes() == b"before" and (tmp_path / "link").is_symlink()


def test_nothing_of_a_file_is_left_when_the_writer_is_interrupted(tmp_path, monkeypatch):
    class Interrupted(BaseException):
        pass

    def interrupt(_fd):
        raise Interrupted

    with monkeypatch.context() as context:
        context.setattr(folder.os, "fsync", interrupt)  # where the writer waits for the disk
        with pytest.raises(Interrupted):
            write_file(tmp_path / "a", b"x")
    assert everything(tmp_path) == []
