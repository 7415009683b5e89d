"""Names of this machine and its people."""

from __future__ import annotations

import socket

from vorflug.host.live import personal


def test_this_machine_is_named(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text(
        "# search no.example.com\nnameserver 10.0.0.1\nsearch a.example.com. local\n"
    )
    names = personal.names(str(tmp_path))
    assert socket.gethostname() in names.hosts
    assert socket.gethostname().partition(".")[0] in names.hosts
    assert "a.example.com" in names.domains and "local" not in names.domains
    assert not {"root", "nobody", "nogroup", "daemon"} & set(names.users)


def test_without_a_resolver_there_is_no_search_domain(tmp_path):
    assert set(personal.names(str(tmp_path)).domains) <= {socket.gethostname().partition(".")[2]}
