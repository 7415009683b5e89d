"""recorded host -> the whole text, or a refusal."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.whole_file import NotWhole, read_whole, uncut

PATH, MIB = "/etc/x.conf", 1 << 20


def read(answer):
    return read_whole(fake_host(files=FakePort(read_text=lambda _path, **_: answer)), PATH)


@pytest.mark.parametrize("text", ["", "a\n", "a" * (MIB - 1)])
def test_a_whole_text(text):
    assert read(text) == text


@pytest.mark.parametrize("text", ["a" * MIB, "a" * (MIB + 1), "ä" * (MIB // 2)])
def test_a_text_as_long_as_what_is_read_may_have_been_cut(text):
    with pytest.raises(NotWhole, match=r"^/etc/x\.conf has 1048576 bytes or more"):
        read(text)


@pytest.mark.parametrize(
    "error", [ValueError(f"{PATH} is no file but a fifo"), IsADirectoryError(21, "a folder", PATH)]
)
def test_what_is_no_file_has_no_text(error):
    with pytest.raises(NotWhole, match=r"/etc/x\.conf"):
        read(error)


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, TimeoutError, NotImplementedError])
def test_what_else_is_raised_stays(error):
    with pytest.raises(error) as raised:
        read(error(PATH))
    assert type(raised.value) is error


def test_a_limit_of_ones_own():
    assert uncut(PATH, "abc", 4) == "abc"
    with pytest.raises(NotWhole, match=r"^/etc/x\.conf has 3 bytes or more"):
        uncut(PATH, "abc", 3)
