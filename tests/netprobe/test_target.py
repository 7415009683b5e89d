"""Where a URL leads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.model.hosts import address
from vorflug.netprobe.target import ascii_host, join, parse


@pytest.mark.parametrize(
    ("url", "authority", "header", "path"),
    [
        ("https://a.test", "a.test:443", "a.test", "/"),
        ("http://A.test/x?y=z#f", "a.test:80", "a.test", "/x?y=z"),
        ("https://a.test:8443/", "a.test:8443", "a.test:8443", "/"),
        ("https://[2001:db8::1]/", "[2001:db8::1]:443", "[2001:db8::1]", "/"),
        ("https://münchen.test/", "xn--mnchen-3ya.test:443", "xn--mnchen-3ya.test", "/"),
    ],
)
def test_parts(url, authority, header, path):
    target = parse(url)
    assert (target.authority, target.host_header, target.path) == (authority, header, path)
    assert parse(target.absolute) == target


@given(st.text(max_size=80))
def test_anything_is_parsed_or_refused(text):
    for url in (text, f"https://{text}", f"http://a/{text}"):
        try:
            target = parse(url)
        except ValueError:
            continue
        assert target.host and target.path.startswith("/")
        assert not set("\r\n \t") & set(target.authority + target.path), "nothing may end the request line"


def test_hosts():
    assert address("::1") is not None and address("fe80::1%eth0") is not None and address("a.test") is None
    assert join("::1", None) == "[::1]"
    with pytest.raises(ValueError):
        ascii_host("a_b!c")


@pytest.mark.parametrize(
    "host", ["a..b.test", ".a", ".", "..", "127.0.0.1%00.example", "127.0.0.1%eth0", "a%41", "127.0.0.1.", "１.1.1.1。"]
)
def test_what_programs_read_differently_is_no_host(host):
    with pytest.raises(ValueError):
        ascii_host(host)
    with pytest.raises(ValueError):
        parse(f"http://{host}/")


def test_one_dot_behind_a_name_and_a_zone_behind_ipv6_are_right():
    assert ascii_host("A.test.") == "a.test." and ascii_host("fe80::1%eth0") == "fe80::1"
