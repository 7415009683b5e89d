"""One setting, several spellings."""

from __future__ import annotations

import pytest

from vorflug.model.sysctl import below_proc_sys


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("vm.max_map_count", "vm/max_map_count"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("hostname", "hostname"),
    ],
)
def test_the_first_separator_decides(name, path):
    assert below_proc_sys(name) == path
