from __future__ import annotations

import os

import pytest

from vorflug.attest.files import FileRefused, create_file, read_once


def test_a_file_is_read_up_to_its_cap(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"12345")
    assert read_once(file, most=5) == b"12345"
    with pytest.raises(FileRefused, match="larger than"):
        read_once(file, most=4)


def test_links_are_followed_only_where_a_person_named_the_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    assert read_once(tmp_path / "link", most=9, follow=True) == b"x"
    with pytest.raises(FileRefused, match="symbolic link"):
        read_once(tmp_path / "link", most=9)


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(FileRefused, match="regular file"):
            read_once(path, most=9)
    with pytest.raises(FileRefused, match="not there"):
        read_once(tmp_path / "none", most=9)
    with pytest.raises(FileRefused, match="no file name"):
        read_once("a\0b", most=9)


def test_a_new_file_is_private_and_overwrites_nothing(tmp_path):
    create_file(tmp_path / "a", b"first")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("a", "link"):
        with pytest.raises(FileRefused, match="not overwritten"):
            create_file(tmp_path / name, b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "link"]
    with pytest.raises(FileRefused, match="cannot be written"):
        create_file(tmp_path / "none" / "a", b"x")
