"""SOCKS 5 as RFC 1928 has it, from a small real server, with its refusals."""

from __future__ import annotations

import socket
import threading

import pytest

from lab import authority
from lab.authority import HOST, context
from lab.proxies import splice
from lab.servers import answer, close, respond, silent, tcp, tls
from vorflug.netprobe.login import Logins
from vorflug.ports.net import Code, Stage

SECRET = "pa55-w0rd-canary"


def exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise OSError("hung up")
        data += more
    return data


def socks(*, method=0, login=None, reply=0, to=None, kind=1, asked=None):
    def handler(sock):
        _, count = exactly(sock, 2)
        offered = exactly(sock, count)
        sock.sendall(bytes([5, method if method in offered or method == 0xFF else 0xFF]))
        if method not in offered:
            return
        if method == 2:
            _, length = exactly(sock, 2)
            user = exactly(sock, length)
            password = exactly(sock, exactly(sock, 1)[0])
            good = (user + b":" + password).decode() == login
            sock.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return
        _, _, _, place = exactly(sock, 4)
        name = exactly(sock, {1: 4, 4: 16}.get(place) or exactly(sock, 1)[0])
        exactly(sock, 2)
        if asked is not None:
            asked.append(name)
        bound = {1: b"\x00" * 4, 3: b"\x03abc", 4: b"\x00" * 16}.get(kind, b"")
        sock.sendall(bytes([5, reply, 0, kind]) + bound + b"\x00\x00")
        if to is not None:
            with socket.create_connection(("127.0.0.1", to)) as upstream:
                splice(sock, upstream)

    return handler


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_the_proxy_resolves_the_name(ask, tmp_path, kind):
    names = []
    with (
        tcp(tls(context(tmp_path, authority.good()), respond())) as port,
        tcp(socks(to=port, kind=kind, asked=names)) as through,
    ):
        trace = ask(f"https://{HOST}/", proxy=f"socks5h://127.0.0.1:{through}", ca_file=ask.ca)
    assert trace.code is None and trace.http.status == 200 and names[0] == HOST.encode()
    assert [s.stage for s in trace.stages] == [Stage.RESOLVE, Stage.CONNECT, Stage.PROXY, Stage.TLS, Stage.HTTP]


def test_plain_http_goes_the_same_way(ask):
    with tcp(respond()) as port, tcp(socks(to=port)) as through:
        trace = ask(f"http://{HOST}/", environ={"all_proxy": f"socks5://127.0.0.1:{through}"})
    assert trace.code is None and trace.route.why == "all_proxy"


def test_a_login(ask):
    with tcp(respond()) as port, tcp(socks(method=2, login=f"user:{SECRET}", to=port)) as through:
        good = ask(f"http://{HOST}/", environ={"all_proxy": f"socks5h://user:{SECRET}@127.0.0.1:{through}"})
        bad = ask(f"http://{HOST}/", environ={"all_proxy": f"socks5h://user:wrong@127.0.0.1:{through}"})
        none = ask(f"http://{HOST}/", environ={"all_proxy": f"socks5h://127.0.0.1:{through}"})
    assert [t.code for t in (good, bad, none)] == [None, Code.PROXY_AUTH_REJECTED, Code.PROXY_AUTH_REQUIRED]
    assert good.proxy.had_credentials and SECRET not in repr((good, bad))


def refusing_logins(sent, answer):
    def handler(sock):
        _, count = exactly(sock, 2)
        exactly(sock, count)
        sock.sendall(b"\x05\x02")
        _, length = exactly(sock, 2)
        sent.append(exactly(sock, length) + b":" + exactly(sock, exactly(sock, 1)[0]))
        sock.sendall(answer)

    return handler


@pytest.mark.parametrize(
    ("answer", "codes", "times"),
    [
        (b"\x01\x01", [Code.PROXY_AUTH_REJECTED] * 30, 1),
        (b"", [Code.PROXY_AUTH_REJECTED] * 28 + [Code.PROXY_CLOSED] * 2, 2),
    ],
)
def test_a_login_that_was_not_accepted_is_not_sent_for_every_target(ask, answer, codes, times):
    sent, traces = [], []
    with tcp(refusing_logins(sent, answer)) as through:
        setting = {"all_proxy": f"socks5h://user:{SECRET}@127.0.0.1:{through}"}
        threads = [
            threading.Thread(target=lambda n=n: traces.append(ask(f"http://t{n}.lab.test/", environ=setting)))
            for n in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert (len(sent), sorted(t.code for t in traces)) == (times, codes)
    assert SECRET not in repr(traces)


@pytest.mark.parametrize("length", [255, 256])
def test_a_login_is_never_cut(ask, length):
    sent = []
    with tcp(refusing_logins(sent, b"\x01\x01")) as through:
        trace = ask(f"http://{HOST}/", environ={"all_proxy": f"socks5h://user:{'p' * length}@127.0.0.1:{through}"})
    assert trace.code is (Code.PROXY_AUTH_REJECTED if length == 255 else Code.PROXY_CONFIG)
    assert sent == ([b"user:" + b"p" * 255] if length == 255 else [])
    assert length == 255 or "RFC 1929" in trace.stages[-1].detail


def test_bytes_that_are_no_utf8_are_sent_as_they_came(ask):
    sent = []
    with tcp(refusing_logins(sent, b"\x01\x01")) as through:
        for login in ("user:%ff", "user:\udcfe"):
            ask.logins = Logins()
            ask(f"http://{HOST}/", environ={"all_proxy": f"socks5h://{login}@127.0.0.1:{through}"})
    assert sent == [b"user:\xff", b"user:\xfe"]


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (socks(reply=1), Code.PROXY_UPSTREAM_REFUSED),
        (socks(reply=2), Code.PROXY_DENIED),
        (socks(reply=3), Code.PROXY_UPSTREAM_REFUSED),
        (socks(reply=4), Code.PROXY_UPSTREAM_REFUSED),
        (socks(reply=5), Code.PROXY_UPSTREAM_REFUSED),
        (socks(reply=6), Code.PROXY_UPSTREAM_TIMEOUT),
        (socks(reply=7), Code.PROXY_CONFIG),
        (socks(reply=8), Code.PROXY_CONFIG),
        (socks(reply=77), Code.PROXY_UPSTREAM_REFUSED),
        (socks(kind=9), Code.PROXY_CONFIG),
        (socks(method=0xFF), Code.PROXY_AUTH_REQUIRED),
        (answer(b"HTTP/1.1 400 Bad Request\r\n\r\n", until_head=False), Code.PROXY_CONFIG),
        (answer(b"\x05\x00HTTP", until_head=False), Code.PROXY_CONFIG),
        (lambda sock: sock.sendall(b"\x05\x01"), Code.PROXY_AUTH_UNSUPPORTED),
        (close, Code.PROXY_CLOSED),
        (silent, Code.PROXY_TIMEOUT),
    ],
)
def test_a_refusal(ask, handler, code):
    with tcp(handler) as through:
        trace = ask(f"https://{HOST}/", proxy=f"socks5h://127.0.0.1:{through}", timeout_s=2)
    assert (trace.code, trace.stages[-1].stage) == (code, Stage.PROXY)
