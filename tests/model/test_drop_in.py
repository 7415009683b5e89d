"""recorded host -> the files that count, in their order."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.drop_in import drop_ins, masked
from vorflug.ports.files import FileKind, FileStatus

ETC, RUN, LIB = "/etc/x.d", "/run/x.d", "/usr/lib/x.d"
GONE, CLOSED = FileNotFoundError("gone"), PermissionError("closed")


@pytest.mark.parametrize(
    ("folders", "paths", "closed"),
    [
        ({}, (), ()),
        ({ETC: ()}, (), ()),
        # by name, not by folder
        (
            {ETC: ("20-b.conf",), LIB: ("10-a.conf", "30-c.conf")},
            (f"{LIB}/10-a.conf", f"{ETC}/20-b.conf", f"{LIB}/30-c.conf"),
            (),
        ),
        # of two with one name that of the folder named first
        ({ETC: ("10-a.conf",), RUN: ("10-a.conf",), LIB: ("10-a.conf",)}, (f"{ETC}/10-a.conf",), ()),
        ({RUN: ("10-a.conf", "README", "9.conf.bak")}, (f"{RUN}/10-a.conf",), ()),
        ({ETC: CLOSED, LIB: ("10-a.conf",)}, (f"{LIB}/10-a.conf",), (ETC,)),
        ({ETC: CLOSED, RUN: CLOSED}, (), (ETC, RUN)),
        ({ETC: NotADirectoryError("a file"), LIB: ("10-a.conf",)}, (f"{LIB}/10-a.conf",), ()),
    ],
)
def test_which_files_count(folders, paths, closed):
    one = fake_host(files=FakePort(list_folder=lambda folder: folders.get(folder, GONE)))
    assert drop_ins(one, (ETC, RUN, LIB)) == (paths, closed)


@pytest.mark.parametrize("kind", list(FileKind))
def test_only_a_device_masks(kind):
    one = fake_host(files=FakePort(status=FileStatus(kind, 0o644, 0, 0, 1)))
    assert masked(one, "/etc/x.d/10-a.conf") is (kind is FileKind.CHARACTER)
