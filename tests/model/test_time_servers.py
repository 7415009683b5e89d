from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.time_servers import configured


def host(**files):
    """A host with these files, by path; the folders follow from them."""
    paths = {path.replace("__", "/"): text for path, text in files.items()}

    def read(path, *, limit):
        if path not in paths:
            raise FileNotFoundError(path)
        if isinstance(paths[path], Exception):
            raise paths[path]
        return paths[path][:limit]

    def listed(folder):
        names = tuple(p.rpartition("/")[2] for p in paths if p.rpartition("/")[0] == folder)
        if not names:
            raise FileNotFoundError(folder)
        return names

    return fake_host(files=FakePort(read_text=read, list_folder=listed))


CHRONY = """\
# server commented.example
server ntp1.example iburst
  pool 2.pool.example maxsources 4
peer 192.0.2.7
server 127.127.1.0
sourcedir /run/chrony-dhcp
"""


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, ()),
        ({"/etc/chrony/chrony.conf": CHRONY}, ("ntp1.example", "2.pool.example", "192.0.2.7")),
        ({"/etc/systemd/timesyncd.conf": "[Time]\n#NTP=no\nNTP=a.example b.example\n"}, ("a.example", "b.example")),
        ({"/etc/systemd/timesyncd.conf": "[Time]\nFallbackNTP=f.example\n"}, ("f.example",)),
        ({"/etc/chrony/sources.d/corp.sources": "server corp.example\n"}, ("corp.example",)),
        ({"/etc/chrony/sources.d/corp.bak": "server corp.example\n"}, ()),
        ({"/etc/ntp.conf": "server a.example\nserver a.example\n"}, ("a.example",)),
        ({"/etc/ntp.conf": PermissionError("closed")}, ()),
        ({"/etc/ntp.conf": "server \x1b[31mred\n"}, ()),
    ],
)
def test_who_is_configured(files, wanted):
    assert configured(host(**files)) == wanted
