"""Mount tables that other machines would show."""

from __future__ import annotations

import pytest

from conftest import FakePort
from host.mount_table import TABLE
from vorflug.host import mounts
from vorflug.host.mounts import Mount

LINE = "28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n"


def test_mountinfo_is_read_field_by_field():
    assert mounts.parse(LINE) == (
        Mount(28, "8:2", "/", "/", "ext4", "/dev/sda2", ("rw", "relatime", "errors=remount-ro")),
    )
    data = mounts.parse(TABLE)[2]
    assert (data.device, data.point, data.kind, data.source) == ("8:3", "/data one", "xfs", r"/dev/mapper/vg\x")
    assert data.options == ("rw", "relatime", "attr2")
    assert mounts.parse(TABLE)[3].root == "/srv/assist"


@pytest.mark.parametrize("optional", ["", "shared:1 ", "shared:7 master:1 propagate_from:2 "])
def test_any_number_of_optional_fields(optional):
    (one,) = mounts.parse(f"28 1 8:2 / / rw {optional}- ext4 /dev/sda2 rw\n")
    assert (one.kind, one.source) == ("ext4", "/dev/sda2")


def test_a_point_called_like_the_separator_is_a_point():
    (one,) = mounts.parse("28 1 8:2 / - rw - ext4 /dev/sda2 rw\n")
    assert (one.point, one.kind) == ("-", "ext4")


def test_names_with_escaped_characters():
    (one,) = mounts.parse(r"28 1 8:2 / /a\040b\011c\012d\134e\043f rw - ext4 /dev/x rw" + "\n")
    assert one.point == "/a b\tc\nd\\e#f"


def test_every_mount_in_the_kernels_order():
    assert [one.id for one in mounts.parse(TABLE)] == [22, 28, 40, 41, 42, 43, 44, 45, 46]
    assert mounts.parse("") == ()


@pytest.mark.parametrize(
    "text", ["nonsense\n", "28 1 8:2 / / rw shared:1 ext4 /dev/sda2 rw\n", "x 1 8:2 / / rw - a b c\n"]
)
def test_what_is_no_mountinfo_is_refused(text):
    with pytest.raises(ValueError):
        mounts.parse(text)


def test_options_name_no_secret():
    nas = mounts.parse(TABLE)[4]
    shown = " ".join(nas.options)
    assert "hunter2" not in shown and "svc-assist" not in shown
    assert "password=[redacted]" in nas.options and "uid=0" in nas.options


def test_the_text_is_kept_without_secrets_and_is_still_mountinfo():
    kept = mounts.strike_secrets(TABLE)
    assert "hunter2" not in kept and "svc-assist" not in kept
    assert mounts.parse(kept) == mounts.parse(TABLE)
    assert mounts.strike_secrets(LINE) == LINE


def test_a_word_that_only_ends_like_a_secret_option_is_kept():
    line = "28 1 8:2 / / rw - 9p host rw,cache_user=none,uid=0\n"
    assert mounts.strike_secrets(line) == line


def test_an_endless_option_is_cut():
    (one,) = mounts.parse(f"28 1 0:61 / / rw - overlay overlay rw,lowerdir={'x' * 1000}\n")
    assert one.options[1] == ("lowerdir=" + "x" * 1000)[:200]


def test_the_table_of_this_process_is_asked():
    asked = []
    files = FakePort(read_text=lambda path, limit: asked.append(path) or LINE)
    assert mounts.read(files)[0].point == "/"
    assert asked == ["/proc/self/mountinfo"]


def test_without_proc_there_are_no_mounts():
    with pytest.raises(NotImplementedError, match="not mounted"):
        mounts.read(FakePort(read_text=FileNotFoundError(2, "No such file or directory")))


def test_a_closed_table_is_denied():
    with pytest.raises(PermissionError):
        mounts.read(FakePort(read_text=PermissionError(13, "Permission denied")))
