from __future__ import annotations

import pytest

from vorflug.cli.addresses import read_proxy, read_url
from vorflug.cli.errors import Exit, Refusal


def refused(read, text) -> str:
    with pytest.raises(Refusal) as caught:
        read(text)
    assert caught.value.code is Exit.USAGE
    return str(caught.value.message)


@pytest.mark.parametrize(
    ("text", "url", "websocket"),
    [
        ("https://a.example/v2/", "https://a.example/v2/", False),
        ("HTTP://A.example:8080", "http://A.example:8080", False),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x", False),
        ("https://münchen.example/", "https://münchen.example/", False),
        ("https://a.example/x#part", "https://a.example/x", False),
        ("https://a.example/x?a=1&b=%20", "https://a.example/x?a=1&b=%20", False),
        ("https://a.example/app@sha256:abc", "https://a.example/app@sha256:abc", False),
        ("wss://a.example/chat", "https://a.example/chat", True),
        ("ws://127.0.0.1:8080/chat", "http://127.0.0.1:8080/chat", True),
        ("https://a_b.example/", "https://a_b.example/", False),
    ],
)
def test_what_can_be_asked(text, url, websocket):
    asked = read_url(text)
    assert (asked.url, asked.websocket) == (url, websocket)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("registry.example.com", "did you mean https://registry.example.com ?"),
        ("registry.example.com:5000/v2/", "did you mean https://registry.example.com:5000/v2/ ?"),
        ("localhost", "did you mean https://localhost ?"),
        ("ftp://a.example/", "ftp:// cannot be asked"),
        ("file:///etc/passwd", "file:// cannot be asked"),
        ("//a.example/", "begins with https:// or http://"),
        ("https:/a.example", "begins with https:// or http://"),
        ("", "An empty address"),
        ("https://", "a host name or an IP address"),
        ("https:///path", "a host name or an IP address"),
        ("https://[::1", "a host name or an IP address"),
        ("https://:443/", "a host name or an IP address"),
        ("https://a b.example/", "without blanks"),
        ("https://a.example/a b", "%20"),
        ("https://a.example/\x1b[31m", "without blanks and control characters"),
        ("https://a.example/\u202e", "without blanks and control characters"),
        ("https://a.example/ü", "percent-encoded"),
        ("https://a.example:0/", "a port from 1 to 65535"),
        ("https://a.example:65536/", "a port from 1 to 65535"),
        ("https://a.example:/", "a port from 1 to 65535"),
        ("https://a.example:https/", "a port from 1 to 65535"),
        ("https://a.example:٣/", "a port from 1 to 65535"),
        ("https://a!b.example/", "is no host name"),
        ("https://xn--\u00e4.example/", "is no host name"),
        (f"https://a.example/{'x' * 3000}", "2000 at most"),
    ],
)
def test_what_cannot_is_said_in_words(text, says):
    message = refused(read_url, text)
    assert says in message
    assert "\x1b" not in message and "\u202e" not in message


@pytest.mark.parametrize("text", ["https://user:geheim@a.example/", "https://geheim@a.example", "wss://u:geheim@a/"])
def test_user_name_and_password_are_refused_and_not_repeated(text):
    assert "geheim" not in refused(read_url, text)


def test_a_query_is_sent_and_neither_shown_nor_forgotten_as_a_secret():
    asked = read_url("https://a.example/x?token=geheimgeheim&page=2&name=a.example")
    assert asked.shown == "https://a.example/x?…"
    assert asked.secrets == ("token=geheimgeheim&page=2&name=a.example", "geheimgeheim")
    assert "geheim" not in refused(read_url, "https://a.example:0/x?token=geheimgeheim")


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("https://proxy.corp:443/", "https://proxy.corp:443"),
        ("socks5h://[::1]:1080", "socks5h://[::1]:1080"),
    ],
)
def test_proxies(text, setting):
    assert read_proxy(text) == setting


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("proxy.corp:3128", "did you mean http://proxy.corp:3128 ?"),
        ("127.0.0.1:9302", "did you mean http://127.0.0.1:9302 ?"),
        ("proxy", "wanted a proxy as http://HOST:PORT"),
        ("socks4://proxy.corp:1080", "wanted a proxy as http://HOST:PORT"),
        ("http://proxy.corp:3128/path", "wanted a proxy as http://HOST:PORT"),
        ("http://proxy.corp:3128?x=1", "wanted a proxy as http://HOST:PORT"),
        ("http://proxy corp:3128", "wanted a proxy as http://HOST:PORT"),
        ("http://proxy.corp:0", "a port from 1 to 65535"),
        ("http://", "a host name or an IP address"),
        ("", "An empty address"),
    ],
)
def test_what_is_no_proxy(text, says):
    assert says in refused(read_proxy, text)


@pytest.mark.parametrize("text", ["http://user:geheim@proxy.corp:3128", "user:geheim@proxy.corp", "http://geheim@p:1"])
def test_a_proxys_password_belongs_in_the_environment_and_is_not_repeated(text):
    message = refused(read_proxy, text)
    assert "https_proxy" in message and "geheim" not in message
