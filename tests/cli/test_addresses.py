from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.cli.__main__ import execute
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
        ("registry.example.com:5000/v2/", "did you mean https://registry.example.com… ?"),
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
        ("http://a..b.test/", "is no host name"),
        ("http://.a.test/", "is no host name"),
        ("http://./", "is no host name"),
        ("http://127.0.0.1%00.example/", "is no host name"),
        ("http://a%2eexample/", "is no host name"),
        ("http://127.0.0.1./", "is no host name"),
        ("http://１２７.0.0.1。/", "is no host name"),
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
        ("proxy.corp:3128", "did you mean http://proxy.corp… ?"),
        ("127.0.0.1:9302", "did you mean http://127.0.0.1… ?"),
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


CANARY = "Geheim123x"
MISTYPED = [
    before + rest
    for before in ("", "https://", "https:/", "https:", "HTTPS:///", "ftp://", "//", "http:\\\\", " https://")
    for rest in (
        f"user:{CANARY}@host/",
        f"user:{CANARY} wort@host/",
        f"user:wort {CANARY}@host/",
        f"user:{CANARY}?ss@host",
        f"user:{CANARY}#ss@host",
        f"user:{CANARY}/ss@host:x",
        f"user:{CANARY}%40host:x/",
        f"{CANARY}:x%40host/",
        f"{CANARY}:x\uff20host/",
        f"{CANARY}@ho st",
        f"user:{CANARY}",
        f"user:{CANARY}/x",
        f"host:0/{CANARY}",
        f"host:0/?{CANARY}",
        f"host:0/#access_token={CANARY}",
        f"ho st/?token={CANARY}",
        f"ho st/{CANARY}",
        f"host:{CANARY}",
        f"ho!st{CANARY}/",
        f"[::1{CANARY}",
        f"[{CANARY}]:0/",
        f"\x1b{CANARY}/",
    )
]


@pytest.mark.parametrize("read", [read_url, read_proxy])
def test_no_mistyped_address_gives_a_password_away(read):
    assert len(MISTYPED) > 60
    # what is accepted is asked as it is; a bare word behind "https:/" or in front of a colon can only be a host
    kept = [text for text in MISTYPED if CANARY in _said(read, text)]
    assert kept == []


def _said(read, text) -> str:
    try:
        read(text)
    except Refusal as refusal:
        return str(refusal.message)
    raise AssertionError(f"accepted: {text}")


@given(st.text("ab.:/?#@ %[]\\\u00e4", max_size=12), st.text("ab.:/?#@ %[]\\\u00e4", max_size=12))
def test_what_stands_beside_an_at_is_never_quoted(before, after):
    for text in (f"{before}:{CANARY}{after}@host:x", f"https://{before}{CANARY}{after}@host:x y", f"{before}?{CANARY}"):
        for read in (read_url, read_proxy):
            try:
                read(text)
            except Refusal as refusal:
                said = str(refusal.message)
            else:
                said = ""  # an address that is none of the mistyped ones
            assert CANARY not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose", f"https://user:{CANARY} wort@host/"],
        ["diagnose", "https://host/", "--proxy", f"http://user:{CANARY}"],
        ["diagnose", "https://host/", "--proxy", f"http://h:1/#tok={CANARY}"],
        ["proxy", "https://host/", "--https-proxy", f"http://user:{CANARY} x@h:1"],
        ["proxy", "https://host/", "--http-proxy", f"user:{CANARY}"],
    ],
)
def test_the_command_line_says_no_more_than_the_sentence(capsys, arguments):
    assert execute(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("vorflug: ") and CANARY not in printed.err


def test_nan_is_no_time(capsys):
    for command in ("diagnose", "run"):
        assert execute([command, *(["https://host/"] if command == "diagnose" else []), "--deadline", "nan"]) == 2
        assert "--deadline" in capsys.readouterr().err
    assert execute(["diagnose", "https://host/", "--deadline", "inf"]) == 2
