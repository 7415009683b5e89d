"""Texts as they stand on real hosts, and what the C library reads of them."""

from __future__ import annotations

import pytest

from vorflug.model.resolver_files import host_addresses, hosts_services, nameservers, ndots, search_domains


def test_nameservers():
    text = """
    # nameserver 192.0.2.9
    nameserver 192.0.2.53
    nameserver\t2001:db8::53
    nameserver not-an-address
    nameserver
    search lab.test
    nameserver fe80::1%eth0
    nameserver 192.0.2.55
    """
    assert nameservers(text) == ("192.0.2.53", "2001:db8::53", "fe80::1%eth0")
    assert nameservers("") == ()


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("", ()),
        ("search a.test b.test\n", ("a.test", "b.test")),
        ("search a.test\nsearch b.test.\n", ("b.test",)),
        ("search a.test\ndomain b.test c.test\n", ("b.test",)),
        ("domain b.test\nsearch a.test\n", ("a.test",)),
        ("domain\n", ()),
        ("search . a.test a.test \x1b[31m a..b\n", ("a.test",)),
        ("#search a.test\n", ()),
        ("search " + " ".join(f"d{n}.test" for n in range(7)), tuple(f"d{n}.test" for n in range(6))),
    ],
)
def test_search_domains(text, search):
    assert search_domains(text) == search


@pytest.mark.parametrize(
    ("text", "dots"),
    [
        ("", 1),
        ("options edns0 ndots:5\n", 5),
        ("options ndots:0\n", 0),
        ("options ndots:5\noptions ndots:2 trust-ad\n", 2),
        ("options ndots:15\n", 15),
        ("options ndots:16\n", 15),
        ("options ndots:x\n", 1),
        ("options ndots:\n", 1),
        ("options ndots:²\n", 1),
        ("search ndots:4\n", 1),
        ("options xndots:4\n", 1),
    ],
)
def test_ndots(text, dots):
    assert ndots(text) == dots


def test_host_addresses():
    text = (
        "127.0.0.1 localhost\n192.0.2.1\tAPP.test app # app2\n2001:DB8::1 app.test.\n# 192.0.2.9 app\nx app\n\n1.1.1.1"
    )
    assert host_addresses(text, "App.Test") == host_addresses(text, "app.test.") == ("192.0.2.1", "2001:db8::1")
    assert host_addresses(text, "app") == ("192.0.2.1",)
    assert host_addresses(text, "app2") == host_addresses(text, "1.1.1.1") == ()


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("", None),
        ("hosts\n", None),
        ("#hosts: dns\npasswd: files\n", None),
        ("hosts:\n", ()),
        ("hosts: files dns # myhostname\n", ("files", "dns")),
        (" hosts :files mdns4_minimal [NOTFOUND=return] dns\n", ("files", "mdns4_minimal", "[NOTFOUND=return]", "dns")),
        (
            "hosts: files resolve [!UNAVAIL=return SUCCESS=merge] dns\n",
            ("files", "resolve", "[!UNAVAIL=return SUCCESS=merge]", "dns"),
        ),
        ("hosts: dns\nhosts: files\n", ("files",)),
    ],
)
def test_hosts_services(text, services):
    assert hosts_services(text) == services
