"""How often a proxy's login is sent, whatever the proxy says to it, and as which bytes."""

from __future__ import annotations

import socket
from base64 import b64decode

import pytest

from lab.proxies import refuse
from lab.servers import head, tcp
from vorflug.netprobe import proxy as proxies
from vorflug.ports.net import Code

SECRET = "pa55-w0rd-canary"


def environ(port, userinfo):
    return {f"{scheme}_proxy": f"http://{userinfo}127.0.0.1:{port}" for scheme in ("http", "https")}


WANTS_LOGIN = refuse("407 x", 'Proxy-Authenticate: Basic realm="x"')
SQUID_DNS = refuse("503 x", "X-Squid-Error: ERR_DNS_FAIL 0")


def choosy(sent, answer):
    """Wants a login, and says *answer(target, how many logins so far)* to it; nothing for None."""

    def handler(sock):
        if sock.recv(1, socket.MSG_PEEK) == b"\x16":  # after a hang-up the probe looks whether it is TLS
            return
        asked = head(sock).decode("latin-1")
        if "proxy-authorization:" not in asked.lower():
            sock.sendall(WANTS_LOGIN)
            return
        sent.append(asked.split()[1])
        sock.sendall(answer(asked.split()[1], len(sent)) or b"")

    return handler


def codes(ask, through, targets):
    login = environ(through, f"user:{SECRET}@")
    traces = [ask(target, environ=login) for target in targets]
    assert SECRET not in repr(traces)
    return [t.code for t in traces]


TUNNELS = tuple(f"https://t{n}.lab.test/" for n in range(5))
REQUESTS = tuple(f"http://t{n}.lab.test/" for n in range(5))


@pytest.mark.parametrize("targets", [TUNNELS, REQUESTS])
@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: refuse("403 Account locked"),
        lambda *_: None,
        lambda _, n: None if n == 1 else WANTS_LOGIN,
        lambda _, n: refuse("403 x") if n == 1 else WANTS_LOGIN,
        lambda *_: WANTS_LOGIN,
    ],
)
def test_a_login_that_nothing_shows_to_be_good_is_sent_twice(ask, targets, answer):
    sent = []
    with tcp(choosy(sent, answer)) as through:
        came = codes(ask, through, targets)
    assert len(sent) == 2
    assert came[2:] == [Code.PROXY_AUTH_REJECTED] * 3


def test_an_error_of_a_tunnel_without_a_mark_does_not_prove_the_login(ask):
    sent = []
    with tcp(choosy(sent, lambda _, n: refuse("502 x") if n == 1 else WANTS_LOGIN)) as through:
        codes(ask, through, TUNNELS)
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ok denied ok2 denied", "dns rejected dns rejected"),
        ("denied ok ok2 denied", "rejected dns dns rejected"),
        ("denied denied2 ok", "rejected rejected rejected"),
    ],
)
def test_a_target_that_is_denied_by_a_login_rule_does_not_reject_the_login_of_others(ask, order, expected):
    kinds = {"dns": Code.PROXY_UPSTREAM_DNS, "rejected": Code.PROXY_AUTH_REJECTED}
    with tcp(choosy([], lambda target, _: WANTS_LOGIN if "denied" in target else SQUID_DNS)) as through:
        came = codes(ask, through, [f"https://{name}.lab.test/" for name in order.split()])
    assert came == [kinds[word] for word in expected.split()]


@pytest.mark.parametrize(
    ("login", "sent"), [("u:%ff", b"u:\xff"), ("u:\udcfe", b"u:\xfe"), ("ü:ß", "ü:ß".encode()), ("u:\ud800", None)]
)
def test_a_login_of_any_bytes(login, sent):
    if sent is None:
        with pytest.raises(ValueError, match="cannot be sent") as caught:
            proxies.parse(f"http://{login}@proxy.example:3128")
        assert "ud800" not in str(caught.value)
        return
    given = proxies.parse(f"http://{login}@proxy.example:3128").authorization()
    assert b64decode(given.removeprefix("Basic ")) == sent
