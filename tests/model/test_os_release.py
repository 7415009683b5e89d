"""recorded host -> fact, where the file is longer than is read or lines end in another way."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.os_release import OsReleaseQuery

DEBIAN = 'ID=debian\nVERSION_ID="12"\n'
MOST = 1 << 16


def look(text):
    def read_text(path, *, limit):
        assert (path, limit) == ("/etc/os-release", MOST)
        return text[:limit]

    return OsReleaseQuery().observe(fake_host(files=FakePort(read_text=read_text)))


@pytest.mark.parametrize("after", ["", "ID=gentoo\n"])
def test_the_last_assignment_may_have_been_cut_away(after):
    text = DEBIAN + "#" * (MOST - len(DEBIAN) - 1) + "\n" + after
    with pytest.raises(NotImplementedError, match=r"^/etc/os-release has 65536 bytes or more"):
        look(text)


def test_the_longest_text_that_is_read():
    fact = look(DEBIAN + "#" * (MOST - len(DEBIAN) - 1))
    assert (fact.id, fact.version_id) == ("debian", "12")


@pytest.mark.parametrize("mark", "\f\v\x1c\x85\u2028")
def test_a_line_ends_at_a_line_feed_only(mark):
    fact = look(f"{DEBIAN}# note{mark}ID=gentoo\n")
    assert fact.id == "debian"
