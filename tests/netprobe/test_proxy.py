"""Which proxy a request takes, and what a real one says to it."""

from __future__ import annotations

import threading

import pytest

from lab import authority
from lab.authority import HOST, context
from lab.prober import SHORT
from lab.proxies import proxy, refuse
from lab.servers import (
    answer,
    close,
    closed_port,
    full_backlog,
    reset,
    reset_after_hello,
    respond,
    silent,
    tcp,
    tls,
)
from vorflug.model import netcause
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe.target import parse as target
from vorflug.ports.net import OPTION, Code, Route, Stage

PLAIN = answer(b"HTTP/1.1 400 Bad Request\r\n\r\n", until_head=False)
SECRET = "pa55-w0rd-canary"


def environ(port, userinfo=""):
    return {"https_proxy": f"http://{userinfo}127.0.0.1:{port}", "http_proxy": f"http://{userinfo}127.0.0.1:{port}"}


def test_a_tunnel(ask, tmp_path):
    with tcp(tls(context(tmp_path, authority.good()), respond())) as port, proxy() as (through, seen):
        trace = ask(f"https://{HOST}:{port}/", environ=environ(through), ca_file=ask.ca)
    assert trace.code is None and trace.warnings == ()
    assert [s.stage for s in trace.stages] == [s for s in Stage if s is not Stage.STREAM]
    assert seen.lines == [f"CONNECT {HOST}:{port} HTTP/1.1"]
    assert trace.route.proxy == f"127.0.0.1:{through}" and trace.route.why == "https_proxy"
    assert trace.addresses == () and trace.peer == f"127.0.0.1:{through}"


def test_the_name_is_left_to_the_proxy(ask, tmp_path):
    leaf = authority.issue("x", authority.root(), hosts=("only-the-proxy-knows.lab.test",))
    with tcp(tls(context(tmp_path, leaf), respond())) as port, proxy(to=("127.0.0.1", port)) as (through, _):
        trace = ask("https://only-the-proxy-knows.lab.test/", environ=environ(through))
    assert trace.code is None


def test_a_plain_request_goes_in_absolute_form(ask):
    with tcp(respond()) as port, proxy() as (through, seen):
        trace = ask(f"http://{HOST}:{port}/a?b=c", environ=environ(through))
    assert trace.code is None and trace.http.status == 200
    assert seen.lines == [f"GET http://{HOST}:{port}/a?b=c HTTP/1.1"]


def test_a_proxy_behind_tls(ask, tmp_path):
    origin, front = context(tmp_path, authority.good()), context(tmp_path, authority.good())
    with tcp(tls(origin, respond())) as port, proxy(tls=front) as (through, seen):
        setting = f"https://localhost:{through}"
        trace = ask(f"https://{HOST}:{port}/", proxy=setting, ca_file=ask.ca)
        distrusted = ask(f"https://{HOST}:{port}/", proxy=setting, trusting=False)
    assert trace.code is None and trace.route.why == "site" and len(seen.lines) == 1
    assert distrusted.code is Code.TLS_UNKNOWN_CA and distrusted.stopped_at.stage is Stage.PROXY
    assert netcause.stopped(distrusted, "https://x/").says.values["endpoint"] == f"localhost:{through}"


@pytest.mark.parametrize("url", ["https://target.lab.test/", "http://target.lab.test/"])
@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        ("407 Proxy Authentication Required", ['Proxy-Authenticate: Basic realm="x"'], Code.PROXY_AUTH_REQUIRED),
        (
            "407 Proxy Authentication Required",
            ["Proxy-Authenticate: Negotiate", "Proxy-Authenticate: NTLM"],
            Code.PROXY_AUTH_UNSUPPORTED,
        ),
        (
            "407 Proxy Authentication Required",
            ['Proxy-Authenticate: Negotiate, Basic realm="a, b"'],
            Code.PROXY_AUTH_REQUIRED,
        ),
        ("403 Forbidden", ["X-Squid-Error: ERR_ACCESS_DENIED 0"], Code.PROXY_DENIED),
        ("503 Service Unavailable", ["X-Squid-Error: ERR_DNS_FAIL 0"], Code.PROXY_UPSTREAM_DNS),
        ("503 Service Unavailable", ["X-Squid-Error: ERR_CONNECT_FAIL 111"], Code.PROXY_UPSTREAM_REFUSED),
        ("503 Service Unavailable", ["X-Squid-Error: ERR_CONNECT_FAIL 110"], Code.PROXY_UPSTREAM_TIMEOUT),
        ("504 Gateway Timeout", ["X-Squid-Error: ERR_READ_TIMEOUT 0"], Code.PROXY_UPSTREAM_TIMEOUT),
    ],
)
def test_a_refusal(ask, url, status, headers, code):
    with proxy(always=refuse(status, *headers)) as (through, seen):
        trace = ask(url, environ=environ(through))
    assert (trace.stages[-1].stage, trace.code) == (Stage.PROXY, code)
    assert len(seen.lines) == 1
    stopped = netcause.stopped(trace, url)
    assert f"127.0.0.1:{through}" in str(stopped.says)
    assert stopped.cause.team == "proxy"


@pytest.mark.parametrize(
    ("status", "code"),
    [("403 Forbidden", Code.PROXY_DENIED), ("502 Bad Gateway", Code.PROXY_UPSTREAM_REFUSED),
     ("504 Gateway Timeout", Code.PROXY_UPSTREAM_TIMEOUT), ("200x", Code.PROXY_CONFIG), ("405 Method Not Allowed", Code.PROXY_CONFIG)],
)  # fmt: skip
def test_a_refusal_of_a_tunnel_without_squids_word(ask, status, code):
    with proxy(always=refuse(status)) as (through, _):
        assert ask("https://target.lab.test/", environ=environ(through)).code is code


def test_the_services_own_403_is_not_the_proxys(ask):
    with tcp(respond("403 Forbidden")) as port, proxy() as (through, _):
        trace = ask(f"http://{HOST}:{port}/", environ=environ(through))
    assert trace.code is None and trace.http.status == 403


def test_a_login_is_given_once_and_only_when_asked(ask):
    with tcp(respond()) as port, proxy(login=f"user:{SECRET}") as (through, seen):
        trace = ask(f"http://{HOST}:{port}/", environ=environ(through, f"user:{SECRET}@"))
    assert trace.code is None
    assert [bool(login) for login in seen.logins] == [False, True]
    assert trace.proxy.attempts == 2 and trace.proxy.had_credentials
    assert SECRET not in repr(trace)


def test_a_login_through_a_tunnel(ask, tmp_path):
    with tcp(tls(context(tmp_path, authority.good()), respond())) as port, proxy(login="u%40:p/w") as (through, seen):
        trace = ask(f"https://{HOST}:{port}/", environ=environ(through, "u%2540:p%2Fw@"))
    assert trace.code is None and [bool(login) for login in seen.logins[:2]] == [False, True]


def test_a_rejected_login_is_never_tried_again(ask):
    traces = []
    with proxy(login="user:right") as (through, seen):
        threads = [
            threading.Thread(
                target=lambda: traces.append(
                    ask("https://target.lab.test/", environ=environ(through, f"user:{SECRET}@"))
                )
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert [t.code for t in traces] == [Code.PROXY_AUTH_REJECTED] * 8
    assert sum(login is not None for login in seen.logins) == 1, "eight rejected logins would lock an account"
    assert SECRET not in repr(traces)


def test_no_login_is_given_to_a_scheme_that_is_not_basic(ask):
    with proxy(login="a:b", schemes=("NTLM",)) as (through, seen):
        trace = ask("https://target.lab.test/", environ=environ(through, f"user:{SECRET}@"))
    assert trace.code is Code.PROXY_AUTH_UNSUPPORTED and trace.proxy.schemes == ("ntlm",)
    assert seen.logins == [None]


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (silent, Code.PROXY_TIMEOUT),
        (close, Code.PROXY_CLOSED),
        (reset, Code.PROXY_CLOSED),
        (lambda sock: sock.sendall(b"SSH-2.0-x\r\n"), Code.PROXY_CONFIG),
    ],
)
@pytest.mark.parametrize("url", ["https://target.lab.test/", "http://target.lab.test/"])
def test_something_that_is_no_proxy(ask, handler, code, url):
    with tcp(handler) as through:
        trace = ask(url, environ=environ(through), limits=SHORT)
    # a reset may be heard before the connection counts as made
    assert trace.code is code and trace.stages[-1].stage in (Stage.CONNECT, Stage.PROXY)


@pytest.mark.parametrize(
    ("handler", "code"), [(silent, Code.TLS_STALL), (reset_after_hello, Code.TLS_RESET), (PLAIN, Code.TLS_NOT_TLS)]
)
def test_what_fails_behind_the_tunnel_is_not_the_proxys(ask, handler, code):
    with tcp(handler) as port, proxy() as (through, _):
        trace = ask(f"https://{HOST}:{port}/", environ=environ(through), limits=SHORT)
    assert (trace.stages[-1].stage, trace.code) == (Stage.TLS, code)
    assert netcause.stopped(trace, f"https://{HOST}/").cause.subject == f"{HOST}:{port}"


@pytest.mark.parametrize("ends", [authority.DAY, -authority.DAY])
def test_a_certificate_behind_the_tunnel(ask, tmp_path, ends):
    leaf = authority.issue("x", authority.root(), begins=authority.NOW - 9 * authority.DAY, ends=authority.NOW + ends)
    with tcp(tls(context(tmp_path, leaf), respond())) as port, proxy() as (through, _):
        trace = ask(f"https://{HOST}:{port}/", environ=environ(through))
    assert trace.code is (None if ends > 0 * authority.DAY else Code.TLS_EXPIRED)


def test_an_unreachable_proxy_is_not_the_targets_fault(ask):
    with closed_port() as through:
        trace = ask("https://target.lab.test/", environ=environ(through))
    assert trace.code is Code.PROXY_REFUSED
    assert netcause.stopped(trace, "https://target.lab.test/").cause.subject == f"127.0.0.1:{through}"
    with full_backlog() as through:
        slow = ask("https://target.lab.test/", environ=environ(through), limits=SHORT)
    assert slow.code is Code.PROXY_TIMEOUT
    trace = ask("https://target.lab.test/", environ={"https_proxy": "http://no-such-proxy.invalid:3128"})
    assert trace.code is Code.PROXY_DNS
    trace = ask("https://target.lab.test/", environ={"HTTPS_PROXY": f"socks4://u:{SECRET}@127.0.0.1:1080"})
    assert trace.code is Code.PROXY_CONFIG and trace.route.why == "HTTPS_PROXY" and SECRET not in repr(trace)


def test_a_proxy_that_is_spoken_to_in_the_wrong_scheme(ask, tmp_path):
    waits = respond()  # for the rest of a ClientHello
    with tcp(waits) as port:
        trace = ask(f"https://{HOST}/", proxy=f"https://127.0.0.1:{port}", limits=SHORT)
    assert (trace.code, trace.stopped_at.stage) == (Code.PROXY_CONFIG, Stage.PROXY)
    assert "does not speak TLS" in trace.stopped_at.detail
    with proxy(tls=context(tmp_path, authority.good())) as (port, _):
        trace = ask(f"https://{HOST}/", proxy=f"http://127.0.0.1:{port}")
    assert (trace.code, trace.stopped_at.stage) == (Code.PROXY_CONFIG, Stage.PROXY)
    assert "speaks TLS" in trace.stopped_at.detail


def test_that_some_programs_do_not_read_a_variable_is_not_what_stops_the_others(ask, tmp_path):
    with closed_port() as port, tcp(tls(context(tmp_path, authority.good()), respond()), "127.0.0.2") as there:
        environ = {"all_proxy": f"http://127.0.0.1:{port}"}
        trace = ask(f"https://localhost.lab.test:{there}/", environ=environ)
    assert trace.code is Code.PROXY_REFUSED and Code.PROXY_CONFIG in trace.warnings


def test_going_direct_whatever_the_environment_says(ask):
    with tcp(respond()) as port, closed_port() as dead:
        assert ask(f"http://{HOST}:{port}/", environ=environ(dead)).code is Code.PROXY_REFUSED
        exempt = {**environ(dead), "no_proxy": "127.0.0.0/8"}
        trace = ask(f"http://127.0.0.1:{port}/", environ=exempt)
        near = ask(f"http://localhost:{port}/", environ=environ(dead))
        named = ask(f"http://127.0.0.1:{port}/", proxy=f"http://127.0.0.1:{dead}")
    assert trace.code is None and trace.route.why == "no_proxy"
    assert near.code is None and (near.route.proxy, near.route.why) == (None, "loopback")
    assert named.code is None and (named.route.proxy, named.route.why) == (None, "loopback")
    assert proxies.choose(target(f"http://{HOST}/"), environ(1)).route.proxy is not None


def test_a_request_that_must_not_go_by_a_proxy(ask):
    with closed_port() as dead:
        trace = ask("http://no-such-name.invalid/", environ=environ(dead), proxied=False)
    assert trace.route.proxy is None and trace.stopped_at.stage is Stage.RESOLVE


# ---- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "env", "proxy", "why"),
    [
        ("https://a.test/", {}, None, ""),
        ("https://a.test/", {"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "p:1", "https_proxy"),
        ("https://a.test/", {"HTTPS_PROXY": "http://q:2"}, "q:2", "HTTPS_PROXY"),
        ("https://a.test/", {"http_proxy": "http://p:1"}, None, ""),
        ("https://a.test/", {"ALL_PROXY": "p"}, "p:80", "ALL_PROXY"),
        ("http://a.test/", {"all_proxy": "http://all:1", "http_proxy": "http://p:2"}, "p:2", "http_proxy"),
        ("https://a.test/", {"https_proxy": "  "}, None, ""),
        ("https://a.test/", {"https_proxy": "http://p:1", "NO_PROXY": ".test"}, None, "NO_PROXY"),
        ("https://a.test/", {"https_proxy": "http://[2001:db8::1]:3128"}, "[2001:db8::1]:3128", "https_proxy"),
        ("https://a.test/", {"https_proxy": "http://bad port:x"}, None, "https_proxy"),
    ],
)
def test_the_route(url, env, proxy, why):
    route = proxies.choose(target(url), env).route
    assert (route.proxy, route.why) == (proxy, why)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
@pytest.mark.parametrize("site", [None, "http://site.corp:3128"])
def test_loopback_is_never_proxied(host, site):
    route = proxies.choose(target(f"https://{host}:8443/"), {"https_proxy": "http://p:1"}, site).route
    assert (route.proxy, route.why) == (None, "loopback")


def test_exemptions_hold_for_the_proxy_of_the_site_too():
    env, site = {"NO_PROXY": ".corp.test"}, "http://site.corp:3128"
    assert proxies.choose(target("https://db.corp.test/"), env, site).route.why == "NO_PROXY"
    assert proxies.choose(target("https://a.test/"), env, site).route.proxy == "site.corp:3128"


@pytest.mark.parametrize(
    "value",
    [
        f"http://user:{SECRET}@p:3128",
        f"http://{SECRET}@p:3128",
        f"user:{SECRET}@p:3128",
        f"http://user:{SECRET}@:3128",
        f"socks5://user:{SECRET}@p:1",
        f"http://user:x@{SECRET}@p:3128",
        f"http//user:{SECRET}@p",
        f"http://user:{SECRET}@p:port",
    ],
)
def test_a_secret_is_known_and_never_shown(value):
    env = {"https_proxy": value}
    seen = proxies.variables(env)
    assert SECRET not in repr(seen) and seen[0].has_credentials
    assert any(SECRET in secret for secret in proxies.secrets(env))
    assert SECRET not in repr(proxies.choose(target("https://a/"), env))


def test_variables_in_every_spelling():
    env = {
        "HTTP_PROXY": "http://p:1",
        "http_proxy": "p:2",
        "NO_PROXY": "a,b",
        "https_proxy": "",
        "ALL_PROXY": "ftp://x:1",
    }
    seen = {v.name: (v.value, v.valid) for v in proxies.variables(env)}
    assert seen == {
        "http_proxy": ("http://p:2", True),
        "HTTP_PROXY": ("http://p:1", True),
        "ALL_PROXY": ("", False),
        "NO_PROXY": ("a,b", True),
    }


@pytest.mark.parametrize(
    ("challenges", "found"),
    [
        (["Negotiate", "NTLM", 'Basic realm="x"'], ("negotiate", "ntlm", "basic")),
        (['Basic realm="a", Digest qop="auth", nonce="x=="'], ("basic", "digest")),
        (["NTLM TlRMTVNTUAAC"], ("ntlm",)),
        ([""], ()),
    ],
)
def test_schemes(challenges, found):
    assert proxies.schemes(challenges) == found


def test_a_proxy_that_a_person_names_for_one_request_has_no_exemption():
    environ = {"NO_PROXY": "*", "https_proxy": "http://other:1"}
    for url in ("https://a.example/", "https://127.0.0.1/"):
        chosen = proxies.choose(target(url), environ, "http://proxy.corp:3128", always=True)
        assert chosen.route == Route("proxy.corp:3128", OPTION)
        assert proxies.choose(target(url), environ, "http://proxy.corp:3128").route.proxy is None
        assert proxies.choose(target(url), environ, always=True).route.proxy is None
