from __future__ import annotations

import pytest

from vorflug.model.kernel_module import module_folders, module_of_path


def test_both_folders_of_a_release():
    release = "6.1.0-18-amd64"
    assert module_folders(release) == (f"/lib/modules/{release}", f"/usr/lib/modules/{release}")


@pytest.mark.parametrize("release", ["", "../../etc", "a/b", "x" * 129, "6.1 rc"])
def test_what_can_be_no_part_of_a_path_has_none(release):
    assert module_folders(release) == ()


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("kernel/fs/overlayfs/overlay.ko", "overlay"),
        ("kernel/net/netfilter/nf_nat.ko.xz: kernel/lib/libcrc32c.ko.xz", "nf_nat"),
        ("", ""),
    ],
)
def test_the_module_of_a_line(line, module):
    assert module_of_path(line) == module
