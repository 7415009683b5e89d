"""Credentials in package sources never leave the port that reads them."""

from __future__ import annotations

import pytest

from vorflug.host import package_sources
from vorflug.host.live.files import LiveFiles

REPO = """\
[corp]
baseurl=https://user:s3cret@mirror.example/repo/
username = deploy
  password=hunter2hunter2
proxy_username=px
PROXY_PASSWORD = "swordfish swordfish"
password_policy=none
enabled=1
"""


def test_values_are_struck_out_and_the_form_stays():
    assert package_sources.strike_secrets(REPO).splitlines() == [
        "[corp]",
        "baseurl=https://[redacted]@mirror.example/repo/",
        "username = [redacted]",
        "  password= [redacted]",
        "proxy_username= [redacted]",
        "PROXY_PASSWORD = [redacted]",
        "password_policy=none",
        "enabled=1",
    ]


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        ("/etc/apt/sources.list", True),
        ("/etc/apt/sources.list.d/a.sources", True),
        ("/etc/yum.repos.d/a.repo", True),
        ("/etc/yum.conf", True),
        ("/etc/dnf/dnf.conf", True),
        ("/etc/distro.repos.d/a.repo", True),
        ("/usr/share/dnf5/repos.d/a.repo", True),
        ("/etc/zypp/repos.d/a.repo", True),
        ("/etc/apk/repositories", True),
        ("/etc/hosts", False),
    ],
)
def test_which_files_are_concerned(path, yes):
    assert package_sources.concerns(path) is yes


def test_the_port_gives_none_of_it(tmp_path):
    folder = tmp_path / "etc/yum.repos.d"
    folder.mkdir(parents=True)
    (folder / "corp.repo").write_text(REPO)
    (tmp_path / "etc/other").write_text(REPO)
    files = LiveFiles(root=str(tmp_path))
    for text in (
        files.read_text("/etc/yum.repos.d/corp.repo"),
        "\n".join(files.lines_with("/etc/yum.repos.d/corp.repo", ("=",))),
    ):
        assert "[redacted]" in text
        assert not any(secret in text for secret in ("s3cret", "hunter2", "swordfish", "deploy"))
    assert "hunter2" in files.read_text("/etc/other")
