"""Real files, and mount tables that other machines would show."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time

import pytest

from conftest import let_others_in
from host.mount_table import TABLE
from vorflug.host import mounts
from vorflug.host.live import files as files_module
from vorflug.host.live.files import LiveFiles, has_ftype, mount_of
from vorflug.ports.files import FileKind

FILES = LiveFiles()


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_a_file_is_read_to_the_limit_and_no_further(tmp_path):
    (tmp_path / "f").write_bytes(b"ab\xffcd")
    assert FILES.read_text(str(tmp_path / "f")) == "ab\ufffdcd"
    assert FILES.read_text(str(tmp_path / "f"), limit=2) == "ab"


def test_files_of_proc_have_no_size_but_a_content():
    assert FILES.read_text("/proc/self/stat").startswith(str(os.getpid()))


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    began = time.monotonic()
    with pytest.raises(ValueError, match="no file but a fifo"):
        FILES.read_text(str(tmp_path / "pipe"))
    assert time.monotonic() - began < 1


def test_devices_and_sockets_are_refused(tmp_path):
    with pytest.raises(ValueError, match="character"):
        FILES.read_text("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(ValueError, match="socket"):
            FILES.read_text(str(tmp_path / "s"))


def test_what_is_not_there_or_is_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        FILES.read_text(str(tmp_path / "none"))
    with pytest.raises(IsADirectoryError):
        FILES.read_text(str(tmp_path))


def test_status_of_every_kind(tmp_path):
    (tmp_path / "f").write_text("abc")
    (tmp_path / "f").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "f")
    os.mkfifo(tmp_path / "pipe")
    seen = FILES.status(str(tmp_path / "f"))
    assert (seen.kind, seen.mode, seen.size_bytes) == (FileKind.FILE, 0o640, 3)
    assert (seen.uid, seen.gid) == (os.geteuid(), (tmp_path / "f").stat().st_gid)
    assert FILES.status(str(tmp_path / "link")).kind is FileKind.FILE
    assert FILES.status(str(tmp_path / "link"), follow=False).kind is FileKind.SYMLINK
    assert FILES.status(f"{tmp_path}/").kind is FileKind.FOLDER
    assert FILES.status(str(tmp_path / "pipe")).kind is FileKind.FIFO
    assert FILES.status("/dev/null").kind is FileKind.CHARACTER
    with pytest.raises(FileNotFoundError):
        FILES.status(str(tmp_path / "none"))


def test_exists_and_list(tmp_path):
    for name in "ba":
        (tmp_path / name).touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert FILES.list_folder(str(tmp_path)) == ("a", "b", "dangling")
    assert FILES.exists(str(tmp_path / "a"))
    assert not FILES.exists(str(tmp_path / "c"))
    assert not FILES.exists(str(tmp_path / "a/below-a-file"))
    assert not FILES.exists(str(tmp_path / "dangling"))
    with pytest.raises(NotADirectoryError):
        FILES.list_folder(str(tmp_path / "a"))


def test_a_folder_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files_module, "MOST_NAMES", 3)
    for name in "abc":
        (tmp_path / name).touch()
    assert len(FILES.list_folder(str(tmp_path))) == 3
    (tmp_path / "d").touch()
    with pytest.raises(ValueError, match="more than 3"):
        FILES.list_folder(str(tmp_path))


@pytest.fixture
def nobody():
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.tier("root")
def test_what_is_hidden_from_this_user_is_denied_and_not_missing(tmp_path, request):
    let_others_in(tmp_path)
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "f").write_text("x")
    request.getfixturevalue("nobody")
    assert FILES.exists(str(hidden))
    for asked in (FILES.exists, FILES.read_text, FILES.status, FILES.file_system, FILES.writable):
        with pytest.raises(PermissionError):
            asked(str(hidden / "f"))
    with pytest.raises(PermissionError):
        FILES.list_folder(str(hidden))
    assert not FILES.writable(str(hidden))
    assert FILES.file_system(str(hidden)).exists  # its own space can be asked about


def test_writable(tmp_path):
    (tmp_path / "f").touch()
    assert FILES.writable(str(tmp_path)) and FILES.writable(str(tmp_path / "f"))
    with pytest.raises(FileNotFoundError):
        FILES.writable(str(tmp_path / "none"))


def test_access_control_lists(tmp_path):
    (tmp_path / "f").touch()
    assert not FILES.has_acl(str(tmp_path / "f"))
    # version 2; owner rw, user 65534 rwx, group r, mask rwx, others none (linux/posix_acl_xattr.h)
    entry = "{:02x}00{:02x}00{}"
    entries = ((1, 6, "ffffffff"), (2, 7, "feff0000"), (4, 4, "ffffffff"), (16, 7, "ffffffff"), (32, 0, "ffffffff"))
    listed = bytes.fromhex("02000000" + "".join(entry.format(*e) for e in entries))
    try:
        os.setxattr(tmp_path / "f", "system.posix_acl_access", listed)
    except OSError as error:
        pytest.skip(f"this file system keeps no access control lists: {error}")
    assert FILES.has_acl(str(tmp_path / "f"))
    assert not FILES.has_acl("/proc/version")


# ---- a part of a long file, and links ---------------------------------------------------------------------------------


def test_of_a_long_file_only_the_lines_with_a_word_are_told(tmp_path):
    (tmp_path / "f").write_text("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_AB=y\n")
    seen = FILES.lines_with(str(tmp_path / "f"), ("CONFIG_A=", "CONFIG_B"))
    assert seen == ("CONFIG_A=y", "# CONFIG_B is not set")
    assert FILES.lines_with(str(tmp_path / "f"), ("CONFIG_Z",)) == ()
    assert FILES.lines_with(str(tmp_path / "f"), ("CONFIG",), limit=10) == ("CONFIG_A=y",)


CONFIG = b"CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AB=y\n"


def test_lines_of_a_gzip_file_are_those_of_what_it_holds(tmp_path):
    (tmp_path / "config.gz").write_bytes(gzip.compress(CONFIG))
    path = str(tmp_path / "config.gz")
    assert FILES.lines_with(path, ("CONFIG_A=", "CONFIG_B")) == ("CONFIG_A=y", "# CONFIG_B is not set")
    assert FILES.lines_with(path, ("CONFIG_Z",)) == ()


def test_a_gzip_file_never_unpacks_to_more_than_the_limit(tmp_path):
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"CONFIG_A=y\n" * 1_000_000))
    assert len(FILES.lines_with(str(tmp_path / "bomb.gz"), ("CONFIG",), limit=1 << 16)) == (1 << 16) // 11 + 1


@pytest.mark.parametrize("damage", [lambda b: b[:-12], lambda b: b[:2], lambda b: b[:14] + b"\xff" * 9 + b[23:]])
def test_a_gzip_file_that_is_cut_or_damaged_is_no_answer(tmp_path, damage):
    (tmp_path / "config.gz").write_bytes(damage(gzip.compress(CONFIG)))
    with pytest.raises(OSError, match="cut or damaged"):
        FILES.lines_with(str(tmp_path / "config.gz"), ("CONFIG",))


def test_lines_of_what_is_not_there_are_not_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        FILES.lines_with(str(tmp_path / "none"), ("x",))


def test_links_are_read_and_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    (tmp_path / "dangling").symlink_to("nowhere/at/all")
    (tmp_path / "f").touch()
    assert FILES.read_link(str(tmp_path / "link")) == "disk"
    assert FILES.read_link(str(tmp_path / "dangling")) == "nowhere/at/all"
    with pytest.raises(OSError):
        FILES.read_link(str(tmp_path / "f"))
    with pytest.raises(FileNotFoundError):
        FILES.read_link(str(tmp_path / "none"))
    assert FILES.resolve(str(tmp_path / "link/below")) == str(tmp_path / "disk/below")
    assert FILES.resolve(str(tmp_path / "dangling")) == str(tmp_path / "nowhere/at/all")


def test_a_mount_table_is_read_without_its_secrets(tmp_path):
    (tmp_path / "mountinfo").write_text(TABLE)
    seen = FILES.read_text(str(tmp_path / "mountinfo"))
    assert "hunter2" not in seen and "password=[redacted]" in seen
    assert mounts.parse(seen) == mounts.parse(TABLE)


# ---- a tree that stands for another machine --------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "root"
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/status").write_text("Name:\tother\n")
    (root / "sys/class/block").mkdir(parents=True)
    (root / "sys/devices/sda").mkdir(parents=True)
    (root / "sys/class/block/sda").symlink_to("../../devices/sda")
    return root


def test_paths_are_those_of_the_tree(tree):
    there = LiveFiles(str(tree))
    assert there.read_text("/proc/self/status") == "Name:\tother\n"
    assert there.lines_with("/proc/self/status", ("Name",)) == ("Name:\tother",)
    assert there.list_folder("/") == ("proc", "sys")
    assert there.status("/proc/self/status").size_bytes == 12
    assert there.exists("/proc/self") and not there.exists("/etc/passwd")
    with pytest.raises(FileNotFoundError):
        there.read_text("/etc/passwd")


def test_links_inside_a_tree_lead_to_paths_of_the_tree(tree):
    there = LiveFiles(f"{tree}/")
    assert there.resolve("/sys/class/block/sda") == "/sys/devices/sda"
    assert there.read_link("/sys/class/block/sda") == "../../devices/sda"
    assert there.resolve("/") == "/"
    assert there.resolve("/not/there") == "/not/there"


def test_a_tree_below_a_link_is_the_tree(tree):
    (tree.parent / "alias").symlink_to(tree)
    there = LiveFiles(str(tree.parent / "alias"))
    assert there.resolve("/sys/class/block/sda") == "/sys/devices/sda"


# ---- file systems ----------------------------------------------------------------------------------------------------


def test_space_is_what_statvfs_says_without_the_reserved_blocks(tmp_path):
    seen = FILES.file_system(str(tmp_path))
    space = os.statvfs(tmp_path)
    assert seen.total_bytes == space.f_blocks * space.f_frsize
    assert abs(seen.free_bytes - space.f_bavail * space.f_frsize) < 1 << 26
    assert seen.used_bytes + seen.free_bytes <= seen.total_bytes
    assert seen.total_inodes == space.f_files


def test_a_path_that_is_not_there_yet_is_judged_by_its_ancestor(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk/yet/to/be/made")
    seen = FILES.file_system(str(tmp_path / "link/below"))
    assert (seen.asked, seen.exists) == (str(tmp_path / "disk"), False)
    seen = FILES.file_system(str(tmp_path / "disk"))
    assert (seen.asked, seen.exists) == (str(tmp_path / "disk"), True)


def test_a_symlink_to_a_folder_is_resolved_and_there(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    seen = FILES.file_system(str(tmp_path / "link"))
    assert (seen.asked, seen.exists) == (str(tmp_path / "disk"), True)


@pytest.mark.parametrize("path", ["", "relative", "./x"])
def test_a_relative_path_has_no_file_system(path):
    with pytest.raises(ValueError, match="absolute"):
        FILES.file_system(path)


@pytest.fixture
def table():
    return mounts.parse(TABLE)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/", 28),
        ("/home", 28),
        ("/data one/x", 40),
        ("/opt/assist", 41),
        ("/opt/assistance", 28),
        ("/data", 45),  # the later mount lies on top
        ("/mnt/nas/x/y", 42),
    ],
)
def test_without_the_kernels_number_the_longest_mount_point_counts(table, monkeypatch, path, number):
    monkeypatch.setattr(files_module, "_mount_id", lambda _path: None)
    assert mount_of(path, table).id == number


def test_the_kernels_number_wins(table, monkeypatch):
    monkeypatch.setattr(files_module, "_mount_id", lambda _path: 44)
    assert mount_of("/data", table).id == 44


def test_a_path_on_no_known_mount_is_unsupported(monkeypatch):
    monkeypatch.setattr(files_module, "_mount_id", lambda _path: None)
    with pytest.raises(NotImplementedError, match="no mount"):
        mount_of("/data", ())


PROBE = """
import sys
from vorflug.host.live.files import LiveFiles
for path in sys.argv[1:]:
    s = LiveFiles().file_system(path)
    print(s.kind, s.mount_point, s.exists, "noexec" in s.options, s.total_bytes, s.source, s.device, sep="|")
"""


@pytest.mark.tier("namespaces")
def test_tmpfs_bind_mount_and_overmount_in_a_namespace_of_their_own(tmp_path):
    for name in ("small", "inner", "bound", "a b"):
        (tmp_path / name).mkdir()
    mount = f"""set -e
mount --make-rprivate /
mount -t tmpfs -o size=1m,noexec vorflug-small {tmp_path}/small
mkdir {tmp_path}/small/deep
mount -t tmpfs -o size=2m vorflug-hidden {tmp_path}/inner
mount -t tmpfs -o size=3m vorflug-top {tmp_path}/inner
mount --bind {tmp_path}/small/deep {tmp_path}/bound
mount -t tmpfs -o size=4m vorflug-space "{tmp_path}/a b"
shift 0
exec "$@"
"""
    paths = [f"{tmp_path}/{p}" for p in ("small/deep/yet", "inner", "bound/x", "a b")]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-c", PROBE, *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    small, inner, bound, space = (line.split("|") for line in done.stdout.splitlines())
    assert small[:5] == ["tmpfs", f"{tmp_path}/small", "False", "True", str(1 << 20)]
    assert (inner[4], inner[5]) == (str(3 << 20), "vorflug-top")
    assert (bound[1], bound[6]) == (f"{tmp_path}/bound", small[6])  # one device, counted once
    assert space[1] == f"{tmp_path}/a b"


def test_a_source_shows_no_credentials(monkeypatch, table):
    web = table[-1]
    monkeypatch.setattr(files_module, "mount_of", lambda _path, _table: web)
    assert FILES.file_system("/").source == "https://[redacted]@dav.corp/x"


# ---- xfs -------------------------------------------------------------------------------------------------------------

# what a real XFS (version 5, made by mkfs.xfs 6.1 without options) answered
GEOMETRY = bytes.fromhex(
    "0010000001000000006400000400000000400000000200000002000019000000009001000000000000000000000000000000000000000000"
    "0600010000000000696437f450ca43f6b1302e56953409c2000000000000000000000000cacc770000020000001000000010000000000000"
)


def test_ftype_is_one_bit_of_the_geometry():
    assert len(GEOMETRY) == 112
    assert has_ftype(GEOMETRY)
    without = bytearray(GEOMETRY)
    without[94] &= ~1  # bit 16 of the little-endian word at 92
    assert not has_ftype(bytes(without))


def test_what_is_no_xfs_is_not_asked():
    kind = FILES.file_system("/proc").kind
    with pytest.raises(NotImplementedError, match=f"on {kind}"):
        FILES.xfs_ftype("/proc")


@pytest.mark.tier("xfs")
def test_a_real_xfs_answers_without_root(tmp_path):
    let_others_in(tmp_path)
    image, point = tmp_path / "image", tmp_path / "point"
    with image.open("wb") as made:
        made.truncate(400 << 20)
    point.mkdir()
    subprocess.run(["mkfs.xfs", "-q", str(image)], check=True)
    probe = (
        "import os, sys; from vorflug.host.live.files import LiveFiles; os.setuid(65534); "
        "print(LiveFiles().xfs_ftype(sys.argv[1]))"
    )
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'mount -o loop "$1" "$2" && shift && p=$1 && shift && exec "$@" "$p"',
            "sh",
            str(image),
            str(point),
            sys.executable,
            "-c",
            probe,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_lines_below_looks_into_every_device_and_passes_over_what_has_no_such_file(tmp_path):
    for name, text in {"b": "CLASS=3\nID=1\n", "a": "CLASS=3\nCLASS=30\n", "c": "CLASS=2\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "uevent").write_text(text)
    (tmp_path / "without").mkdir()
    (tmp_path / "plain").write_text("CLASS=3\n")
    (tmp_path / "long").mkdir()
    (tmp_path / "long/uevent").write_text("x" * 5000 + "\nCLASS=3\n")
    below = LiveFiles().lines_below(str(tmp_path), "uevent", ("CLASS=3",))
    assert below == (("a", "CLASS=3"), ("a", "CLASS=30"), ("b", "CLASS=3"))
    with pytest.raises(FileNotFoundError):
        LiveFiles().lines_below(str(tmp_path / "gone"), "uevent", ("CLASS=3",))
