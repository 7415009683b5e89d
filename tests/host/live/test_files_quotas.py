"""Quotas as the kernel writes them, and as this kernel answers; what lies below a folder."""

from __future__ import annotations

import errno
import subprocess
import sys
from dataclasses import replace

import pytest

from conftest import let_others_in
from vorflug.host import mounts
from vorflug.host.live import quotas
from vorflug.host.live.files import LiveFiles, mount_of
from vorflug.host.live.quotas import Owner, Project
from vorflug.host.mounts import Mount
from vorflug.ports.files import Quota

FILES = LiveFiles()
MIB = 1 << 20


def a_mount(kind="ext4", *options, source="/dev/sda2"):
    return Mount(28, "8:2", "/", "/", kind, source, ("rw", *options))


# ---- what the kernel writes ------------------------------------------------------------------------------------------

# struct if_dqblk of a real XFS (Linux 6.1): xfs_quota -x -c 'limit bsoft=50m bhard=100m ihard=20 USER', two files of 3 MiB
OF_USER = bytes.fromhex(
    "009001000000000000c80000000000000000600000000000140000000000000000000000000000000200000000000000"
    "000000000000000000000000000000003f00000000000000"
)
# limit -g bhard=80m GROUP, nothing in use
OF_GROUP = bytes.fromhex(
    "004001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000003f00000000000000"
)


def test_limits_are_read_in_blocks_of_1024_bytes_and_use_in_bytes():
    assert quotas.parse(Owner.USER, OF_USER) == Quota("user", 6 * MIB, 50 * MIB, 100 * MIB, 2, None, 20)
    assert quotas.parse(Owner.GROUP, OF_GROUP) == Quota("group", 0, None, 80 * MIB, 0, None, None)
    assert quotas.parse(Owner.PROJECT, bytes(72)) == Quota("project", 0, None, None, 0, None, None)


@pytest.mark.parametrize(
    ("attributes", "project"),
    [
        # a real XFS: its root, and a folder made with xfs_quota -x -c 'project -s -p FOLDER 42'
        ("00000000000000000200000000000000000000000000000000000000", Project(0, inherited=False)),
        ("0002000000000000020000002a000000000000000000000000000000", Project(42, inherited=True)),
        # a real ext4, made with chattr -p 43 +P
        ("0002000000000000000000002b000000000000000000000000000000", Project(43, inherited=True)),
        ("000100000000000000000000ffffffff000000000000000000000000", Project(0xFFFFFFFF, inherited=False)),
    ],
)
def test_the_project_of_a_folder(attributes, project):
    assert Project.read(bytes.fromhex(attributes)) == project


# ---- what this kernel answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "zfs", "btrfs", "overlay", "fuse.sshfs", "9p"])
def test_quotas_that_this_kernel_does_not_keep_are_unsupported_and_not_none(kind, tmp_path):
    with pytest.raises(NotImplementedError, match=kind):
        quotas.limiting(str(tmp_path), a_mount(kind))


def test_where_tests_write_there_is_an_answer(tmp_path):
    kind = FILES.file_system(str(tmp_path)).kind
    if kind in {"ext4", "xfs", "tmpfs"}:
        for quota in FILES.quotas(str(tmp_path / "not" / "yet")):
            assert quota.owner in {"user", "group", "project"}
    else:
        with pytest.raises(NotImplementedError):
            FILES.quotas(str(tmp_path))


def test_a_path_that_hides_or_is_relative_has_no_quotas():
    with pytest.raises(ValueError, match="absolute"):
        FILES.quotas("tmp")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EPERM, PermissionError),
        (errno.EACCES, PermissionError),
        (errno.ENOENT, NotImplementedError),
        (errno.ENOTBLK, NotImplementedError),
        (errno.ENODEV, NotImplementedError),
        (errno.EIO, NotImplementedError),
    ],
)
def test_an_error_of_the_kernel_is_no_answer(code, error):
    found = quotas._refused(code, a_mount(), Owner.PROJECT)
    assert type(found) is error
    assert ("project" in str(found)) == (error is PermissionError)


AS_NOBODY = """
import os, sys
from vorflug.host import mounts
from vorflug.host.live import quotas
from vorflug.host.live.files import LiveFiles, mount_of
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
files = LiveFiles()
path = sys.argv[1]
mount = mount_of(path, mounts.read(files))
print(files.quotas(path))
for owner, number in ((quotas.Owner.USER, 0), (quotas.Owner.PROJECT, 42)):
    fd = os.open(path, os.O_PATH)
    try:
        print(quotas._ask(fd, mount, owner, number))
    except PermissionError as error:
        print(error.strerror)
"""


@pytest.mark.tier("root")
def test_nobody_may_ask_for_oneself_and_for_no_one_else(tmp_path):
    let_others_in(tmp_path)
    if FILES.file_system(str(tmp_path)).kind not in {"ext4", "xfs"}:
        pytest.skip("tests write to a file system without quotas of the kernel")
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True, check=True)
    own, *others = done.stdout.splitlines()
    assert own.startswith("("), own
    assert others == ["only root may ask for the quota of a user", "only root may ask for the quota of a project"]


# sets limits with Q_SETQUOTA, writes, and asks as that user
WITH_QUOTAS = """
import ctypes, os, struct, sys
from vorflug.host.live.files import LiveFiles
point = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open(point, os.O_RDONLY)
for owner, number, mebibytes in ((0, 65534, 70), (1, 65534, 60), (2, 43, 20)):
    limits = struct.pack("=8QI4x", mebibytes * 1024, 0, 0, 0, 0, 0, 0, 0, 1)
    assert libc.syscall(443, fd, ctypes.c_uint((0x800008 << 8) | owner), ctypes.c_uint(number), limits) == 0
print(LiveFiles().quotas(point))
print(LiveFiles().quotas(point + "/p/yet"))
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
with open(point + "/file", "wb") as made:
    made.write(b"x" * (3 << 20))
    made.flush()
    os.fsync(made.fileno())
for path in (point, point + "/p"):
    print([(q.owner, q.hard_bytes >> 20, q.used_bytes >> 20) for q in LiveFiles().quotas(path)])
    print(LiveFiles().file_system(path).total_bytes >> 20)
"""
MAKE = """
mount -o loop,prjquota "$1" "$2" || { echo no quotas here; exit 0; }
chmod 0777 "$2"
mkdir -m 0777 "$2/p"
chattr -p 43 +P "$2/p"
shift 2
exec "$@"
"""


@pytest.mark.tier("xfs")  # e2fsprogs is there wherever xfsprogs is
@pytest.mark.tier("mounts")
def test_real_quotas_of_user_group_and_project(tmp_path):
    let_others_in(tmp_path)
    image, point = tmp_path / "image", tmp_path / "point"
    point.mkdir()
    with image.open("wb") as made:
        made.truncate(100 << 20)
    features = ("-O", "quota,project", "-E", "quotatype=usrquota:grpquota:prjquota")
    subprocess.run(["mkfs.ext4", "-q", *features, str(image)], check=True)
    inside = ["sh", "-ec", MAKE, "sh", str(image), str(point), sys.executable, "-c", WITH_QUOTAS, str(point)]
    done = subprocess.run(["unshare", "-m", *inside], capture_output=True, text=True, check=False)
    if "no quotas here" in done.stdout:
        pytest.skip("this kernel was built without quotas on ext4 (CONFIG_QFMT_V2)")
    assert done.returncode == 0, done.stderr
    root, of_project, user, size, in_project, limited = done.stdout.splitlines()
    assert root == "()"
    assert "owner='project'" in of_project and f"hard_bytes={20 * MIB}" in of_project
    assert user == in_project == "[('user', 70, 3), ('group', 60, 3)]"  # for the project only root may ask
    assert int(size) > 60 and int(limited) == 20  # but the space shows its limit


@pytest.mark.tier("xfs")
@pytest.mark.tier("mounts")
def test_a_project_that_only_root_may_ask_for_is_denied_unless_the_space_shows_its_limit(tmp_path):
    let_others_in(tmp_path)
    image, point = tmp_path / "image", tmp_path / "point"
    point.mkdir()
    with image.open("wb") as made:
        made.truncate(400 << 20)
    subprocess.run(["mkfs.xfs", "-q", str(image)], check=True)
    script = """
mount -o loop "$1" "$2"
chmod 0755 "$2"
mkdir "$2/inherits" "$2/not" "$2/none"
xfs_io -c "chproj 42" "$2/not"
xfs_io -c "chproj 42" -c "chattr +P" "$2/inherits"
shift 2
exec "$@"
"""
    ask = """
import os, sys
from dataclasses import replace
from vorflug.host import mounts
from vorflug.host.live import quotas
from vorflug.host.live.files import LiveFiles, mount_of
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
mount = mount_of(sys.argv[1], mounts.read(LiveFiles()))
try:
    print(quotas._ask(os.open(sys.argv[1], os.O_PATH), mount, quotas.Owner.PROJECT, 42))
except PermissionError:
    print("denied")
for name in ("none", "inherits", "not"):
    path = sys.argv[1] + "/" + name
    for options in (mount.options, (*mount.options, "prjquota")):
        try:
            print(name, quotas.limiting(path, replace(mount, options=options)))
        except PermissionError:
            print(name, "denied")
"""
    inside = ["sh", "-ec", script, "sh", str(image), str(point), sys.executable, "-c", ask, str(point)]
    done = subprocess.run(["unshare", "-m", *inside], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked, *found = done.stdout.splitlines()
    # a kernel without quotas on XFS has none to deny; without the mount option no project has a limit
    denied = {"denied": "not denied", "None": "not ()"}[asked]
    assert found == ["none ()", "none ()", "inherits ()", "inherits ()", "not ()", denied]


def test_a_mount_with_projects_asks_for_the_folders_own(tmp_path):
    kind = FILES.file_system(str(tmp_path)).kind
    if kind not in {"ext4", "xfs"}:
        pytest.skip("tests write to a file system without projects")
    mount = mount_of(str(tmp_path), mounts.read(FILES))
    assert quotas.limiting(str(tmp_path), replace(mount, options=("rw", "prjquota"))) == FILES.quotas(str(tmp_path))


# ---- what lies below a folder ----------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "top"
    (top / "inner" / "deep").mkdir(parents=True)
    (top / "a").write_bytes(b"x" * 5000)
    (top / "inner" / "b").write_bytes(b"x" * 50_000)
    return top


def in_use(*paths):
    return sum(path.lstat().st_blocks * 512 for path in paths)


def test_blocks_in_use_are_added_up(tree):
    size = FILES.tree_size(str(tree))
    members = list(tree.rglob("*"))
    assert (size.used_bytes, size.entries, size.complete) == (in_use(*members), 4, True)
    assert size.used_bytes >= 55_000


def test_a_sparse_file_takes_what_it_takes(tmp_path):
    with (tmp_path / "sparse").open("wb") as made:
        made.truncate(1 << 30)
    assert FILES.tree_size(str(tmp_path)).used_bytes < 1 << 20


def test_a_file_of_several_names_is_counted_once(tree):
    before = FILES.tree_size(str(tree))
    (tree / "again").hardlink_to(tree / "inner" / "b")
    after = FILES.tree_size(str(tree))
    assert (after.used_bytes, after.entries) == (before.used_bytes, before.entries + 1)


def test_symlinks_are_not_followed(tree, tmp_path):
    before = FILES.tree_size(str(tree)).used_bytes
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "big").write_bytes(b"x" * 100_000)
    (tree / "out").symlink_to(tmp_path / "outside")
    (tree / "round").symlink_to(tree)
    assert FILES.tree_size(str(tree)).used_bytes - before < 100_000


@pytest.mark.parametrize(("most", "complete"), [(5, True), (4, True), (3, False), (1, False), (0, False)])
def test_more_entries_than_wanted_are_said_to_be_more(tree, most, complete):
    size = FILES.tree_size(str(tree), most_entries=most)
    assert size.complete is complete
    assert size.entries == min(most, 4)


def test_an_empty_folder_takes_nothing(tmp_path):
    assert FILES.tree_size(str(tmp_path)).entries == 0
    assert FILES.tree_size(str(tmp_path), most_entries=0).complete


def test_what_is_no_folder_is_said_so(tree):
    with pytest.raises(NotADirectoryError):
        FILES.tree_size(str(tree / "a"))
    with pytest.raises(FileNotFoundError):
        FILES.tree_size(str(tree / "none"))


def test_a_tree_can_stand_for_another_machine(tree):
    assert LiveFiles(str(tree.parent)).tree_size("/top") == FILES.tree_size(str(tree))


@pytest.mark.tier("root")
def test_a_closed_folder_makes_the_sum_incomplete(tree):
    let_others_in(tree)
    (tree / "inner").chmod(0o700)
    script = "import os, sys; from vorflug.host.live.files import LiveFiles; os.setuid(65534); print(LiveFiles().tree_size(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", script, str(tree)], capture_output=True, text=True, check=True)
    assert "entries=2, complete=False" in done.stdout
    # where the top itself is closed there is nothing to say
    tree.chmod(0o700)
    done = subprocess.run([sys.executable, "-c", script, str(tree)], capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr


@pytest.mark.tier("mounts")
def test_other_file_systems_below_are_not_counted(tree):
    script = "import sys; from vorflug.host.live.files import LiveFiles; print(LiveFiles().tree_size(sys.argv[1]).used_bytes)"
    fill = 'mount -t tmpfs none "$1/inner/deep" && head -c 900000 /dev/zero > "$1/inner/deep/f" && shift && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", fill, "sh", str(tree), sys.executable, "-c", script, str(tree)],
        capture_output=True,
        text=True,
        check=True,
    )
    inner = tree / "inner"
    assert int(done.stdout) == in_use(tree / "a", inner, inner / "b")
