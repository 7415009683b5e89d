"""Which hosts a list of exemptions means, and which are this machine itself."""

from __future__ import annotations

import pytest

from vorflug.model.hosts import exempts, is_bogon, is_loopback
from vorflug.netprobe.target import parse as target


@pytest.mark.parametrize(
    ("no_proxy", "url", "exempt"),
    [
        ("lab.test", "https://lab.test/", True),
        ("lab.test", "https://a.lab.test/", True),
        (".lab.test", "https://a.lab.test/", True),
        ("*.lab.test", "https://a.lab.test/", True),
        ("lab.test", "https://notlab.test/", False),
        ("LAB.test", "https://a.lab.TEST/", True),
        ("lab.test:8443", "https://lab.test/", False),
        ("lab.test:8443", "https://lab.test:8443/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.0.0.0/8", "https://ten.test/", False),
        ("10.0.0.1", "https://10.0.0.1/", True),
        ("10.0.0.1", "https://10.0.0.11/", False),
        ("2001:db8::/32", "https://[2001:db8::1]/", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]/", True),
        ("a, lab.test  b", "https://lab.test/", True),
        ("*", "https://lab.test/", True),
        ("", "https://lab.test/", False),
        ("10.0.0.0/99,::::,/", "https://10.1.2.3/", False),
        (".", "https://lab.test/", False),
    ],
)
def test_no_proxy(no_proxy, url, exempt):
    there = target(url)
    assert exempts(no_proxy, there.host, there.port) is exempt


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("a.localhost.", True), ("127.3.2.1", True), ("::1", True), ("localhost.corp", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_this_machine_itself(host, loopback):
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("169.254.1.1", True),
        ("224.0.0.1", True),
        ("240.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("fe80::1%eth0", True),
        ("ff02::1", True),
        ("10.0.0.1", False),
        ("192.0.2.1", False),
        ("239.255.255.255", True),
        ("2001:db8::1", False),
        ("64:ff9b::c000:201", False),
        ("fd00::1", False),
    ],
)
def test_where_no_public_host_is(text, yes):
    assert is_bogon(text) is yes
