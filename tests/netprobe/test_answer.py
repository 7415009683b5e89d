"""What an answer is worth, from real servers, and the pages that answer in place of the service."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from lab import authority
from lab.authority import HOST, context
from lab.servers import head, respond, tcp, tls
from vorflug.netprobe import stand_ins
from vorflug.netprobe.passage import told
from vorflug.netprobe.target import parse
from vorflug.ports.net import Check, Code, Stage

HTML = {"Content_Type": "text/html"}
BLOCKED = b"<html><h1>Web Page Blocked</h1>Category: AI tools. Contact your administrator.</html>"
PORTAL = b"<html><title>Hotel WiFi</title><form action=/login><input name=room></form></html>"
LOGIN = b"<html><title>Sign in</title><form action=/login><input name=user></form></html>"
ACL = b'{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}'


def refresh(to):
    return f"<html><meta http-equiv='refresh' content='0; url={to}'></html>".encode()


def script(to):
    return f'<html><script>window.location.href = "{to}";</script></html>'.encode()


def get(ask, handler, path="/", **fields):
    with tcp(handler) as port:
        return ask(f"http://127.0.0.1:{port}{path}", judged=True, **fields)


@pytest.mark.parametrize(
    ("status", "body", "fields", "expected", "code"),
    [
        ("200 OK", b"{}", {}, {}, None),
        ("304 Not Modified", b"", {}, {}, None),
        ("399 Odd", b"", {}, {}, None),
        ("400 Bad", b"", {}, {}, Code.HTTP_STATUS),
        ("401 Unauthorized", b"", {}, {}, Code.HTTP_STATUS),
        ("401 Unauthorized", b"", {}, {"expect_status": (200, 401)}, None),
        ("200 OK", b"", {}, {"expect_status": (401,)}, Code.HTTP_STATUS),
        ("403 Forbidden", b"<h1>Forbidden</h1>You have no permission to access this.", HTML, {}, Code.HTTP_STATUS),
        ("503 Busy", b"", {"Retry_After": "120"}, {}, Code.HTTP_STATUS),
        ("403 Forbidden", ACL, {}, {}, Code.HTTP_DENIED_BY_SERVICE),
        ("403 Forbidden", b'{"message":"The IP address 192.0.2.7 is not allowed"}', {}, {}, Code.HTTP_DENIED_BY_SERVICE),
        ("403 Forbidden", BLOCKED, HTML, {}, Code.HTTP_BLOCK_PAGE),
        ("200 OK", BLOCKED, HTML, {}, Code.HTTP_BLOCK_PAGE),
        ("511 Network Authentication Required", b"", {}, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", PORTAL, HTML, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", LOGIN, HTML, {}, None),
        ("200 OK", LOGIN, HTML, {"expect_type": "application/json"}, Code.HTTP_WRONG_TARGET),
        ("200 OK", b"<p>It works</p>", HTML, {"expect_type": "application/json"}, Code.HTTP_WRONG_TARGET),
        ("200 OK", b"{}", {"Content_Type": "Application/JSON; charset=utf-8"}, {"expect_type": "application/json"}, None),
        ("200 OK", b"{}", {}, {"expect_type": "application/json"}, Code.HTTP_WRONG_TARGET),
        ("302 Found", b"", {"Location": "https://sso.lab.test/login?x=y"}, {}, None),
        ("302 Found", b"", {"Location": "https://sso.lab.test/"}, {"expect_status": (200,)}, Code.HTTP_REDIRECT_BLOCKED),
        ("302 Found", b"", {"Location": "https://sso.lab.test/"}, {"expect_status": (302,)}, None),
        ("302 Found", b"", {"Location": "http://portal.lab.test/login?u=x"}, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("302 Found", b"", {"Location": "http://10.1.1.1/login"}, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("302 Found", b"", {}, {}, Code.HTTP_STATUS),
        ("302 Found", b"", {"Location": "http://10.9.9.9:6080/php/uid.php?vsys=1&url=x"}, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("302 Found", b"", {"Location": "https://securelogin.arubanetworks.com/cgi-bin/login?cmd=login"}, {},
         Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", refresh("http://10.0.0.1/portal/login?c=x"), HTML, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", refresh("https://1.1.1.1/login.html?redirect=x"), HTML, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", script("http://10.1.1.1:1000/fgtauth?0a1b"), HTML, {}, Code.HTTP_CAPTIVE_PORTAL),
        ("200 OK", script("https://sso.lab.test/oauth2/authorize?client_id=1"), HTML, {}, None),
        ("200 OK", refresh("/start"), HTML, {}, None),
        ("200 OK", script("http://10.1.1.1/guest?" + "x" * 5000), HTML, {}, None),
        ("200 OK", b"<p>This page has not been blocked.</p>", HTML, {}, None),
        ("403 Forbidden", b"<b>Access Denied (content_filter_denied)</b> categorization: AI", HTML, {},
         Code.HTTP_BLOCK_PAGE),
        ("200 OK", b"SSH-2.0-OpenSSH_9.2", {"X_Transformed_From": "HTTP/0.9"}, {}, Code.HTTP_NOT_HTTP),
    ],
)  # fmt: skip
def test_an_answer(ask, status, body, fields, expected, code):
    trace = get(ask, respond(status, body, **fields), **expected)
    assert trace.code is code
    assert trace.stages[-1].stage is Stage.HTTP


def test_what_a_service_is_unlikely_to_say_itself_is_tried_with_another_name(ask):
    def only_for_its_name(sock):
        asked = head(sock)
        body = PORTAL if b"Host: 127.0.0.1" in asked else b"no such site"
        status = b"200 OK" if b"Host: 127.0.0.1" in asked else b"404 Not Found"
        sock.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))

    trace = get(ask, only_for_its_name)
    assert trace.code is None, "a service that knows its name is no portal"
    assert [(c.check, c.outcome) for c in trace.checks] == [(Check.OTHER_HOST_NAME, "differs")]
    assert [c.outcome for c in get(ask, respond("200 OK", PORTAL)).checks] == ["same"]


def test_behind_a_proven_certificate_the_service_itself_speaks(ask, tmp_path):
    with tcp(tls(context(tmp_path, authority.good()), respond("403 Forbidden", BLOCKED))) as port:
        trace = ask(f"https://localhost:{port}/", judged=True, ca_file=ask.ca)
    assert trace.code is Code.HTTP_STATUS
    assert trace.http.looks_like is Code.HTTP_BLOCK_PAGE, "the authority that was named may be the inspecting one"
    vouched = told(trace.http, replace(trace.tls, trusted_publicly=True))
    assert (vouched.looks_like, vouched.title) == (None, "")
    assert told(trace.http, None) == trace.http


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("https://portal.lab.test/welcome", None),
        ("https://portal.lab.test/?res=notyet&uamip=10.0.0.1", Code.HTTP_CAPTIVE_PORTAL),
        ("https://portal.example.net/welcome", Code.HTTP_CAPTIVE_PORTAL),
        ("https://www.example.net/welcome", None),
    ],
)
def test_a_portal_of_the_services_own_domain_is_none(to, code):
    found = stand_ins.suspicion(parse("http://www.lab.test/"), 302, [("location", to)], "")
    assert (None if found is None else found.code) is code


def test_a_step_to_https_is_followed_and_its_faults_count(ask, tmp_path):
    ended = authority.issue(
        HOST, authority.root(), begins=authority.NOW - 9 * authority.DAY, ends=authority.NOW - authority.DAY
    )
    for leaf, code in ((authority.good(), None), (ended, Code.TLS_EXPIRED)):
        with tcp(tls(context(tmp_path, leaf), respond())) as secure:

            def step(sock, port=secure):
                head(sock)
                sock.sendall(
                    f"HTTP/1.1 301 M\r\nLocation: https://localhost:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
                )

            with tcp(step) as port:
                trace = ask(f"http://localhost:{port}/", judged=True, ca_file=ask.ca)
        assert (trace.code, trace.port) == (code, secure)


def endless(first, chunk):
    def handler(sock):
        head(sock)
        sock.sendall(first)
        while True:
            sock.sendall(chunk)

    return handler


BOMB = gzip.compress(b"\0" * 64_000_000, 1, mtime=0)


@pytest.mark.parametrize(
    "handler",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        respond("200 OK", BOMB, Content_Encoding="gzip"),
        respond("200 OK", b"a" * (16 << 20)),
    ],
    ids=["endless", "endless chunks", "bomb", "at the cap"],
)
def test_a_body_beyond_all_measure(ask, handler):
    trace = get(ask, handler)
    assert (trace.code, trace.stages[-1].stage) == (Code.HTTP_BODY_TOO_LARGE, Stage.HTTP)


@pytest.mark.parametrize(
    ("body", "fields", "found"),
    [
        (gzip.compress(b'{"id": "x"}', mtime=0), {"Content_Encoding": "gzip"}, ("id",)),
        (b'{"id": "x"}', {"Content_Encoding": "gzip"}, ("id",)),
        (b'{"id": "x"}', {"Content_Encoding": "br"}, ("id",)),
        (b"a" * 3_000_000, {}, ()),
        (b"a" * ((16 << 20) - 1), {}, ()),
    ],
)
def test_a_large_or_a_packed_body_is_none(ask, body, fields, found):
    trace = get(ask, respond("200 OK", body, **fields), look_for=("id",))
    assert (trace.code, trace.http.found, trace.http.body_bytes) == (None, found, len(body))


def test_an_upload(ask):
    sizes = []

    def takes(sock):
        asked = head(sock)
        first, _, body = asked.partition(b"\r\n\r\n")
        length = int(next(f for f in first.split(b"\r\n") if f.lower().startswith(b"content-length")).split(b":")[1])
        while len(body) < length:
            body += sock.recv(65536)
        sizes.append(len(body))
        sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    def refuses(sock):
        head(sock)
        sock.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        while sock.recv(65536):
            pass

    big = {"method": "POST", "upload_bytes": 8 << 20, "expect_status": (401,)}
    assert get(ask, takes, **big).code is None and sizes == [8 << 20]
    refused = get(ask, refuses, **big)
    assert (refused.code, refused.http.status) == (Code.HTTP_STATUS, 413)


@pytest.mark.parametrize(
    ("status", "code"),
    [("403 Forbidden", Code.PROXY_DENIED), ("502 Bad Gateway", Code.PROXY_UPSTREAM_REFUSED), ("404 Not Found", Code.PROXY_DENIED)],
)  # fmt: skip
def test_a_proxy_that_says_the_same_about_everybody_speaks_for_itself(ask, status, code):
    setting = {"proxy_always": True, "judged": True, "timeout_s": 4}
    with tcp(respond(status, b"<h1>no</h1>")) as through:
        trace = ask("http://service.lab.test/x", proxy=f"http://127.0.0.1:{through}", **setting)
    assert (trace.code, trace.stages[-1].stage) == (code, Stage.PROXY)

    def passes_on(sock):
        asked = head(sock)
        body = b"unknown host" if b".invalid" in asked else b"mine"
        answer = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)
        sock.sendall(answer)

    with tcp(passes_on) as through:
        trace = ask("http://service.lab.test/x", proxy=f"http://127.0.0.1:{through}", **setting)
    assert (trace.code, trace.stages[-1].stage) == (Code.HTTP_STATUS, Stage.HTTP)


def test_a_page_that_bears_marks_gives_its_title(ask):
    page = b"<html><title>Web Page Blocked \x1b[2J</title>Category: AI. blocked by policy</html>"
    trace = get(ask, respond("403 Forbidden", page, **HTML))
    assert trace.http.title == "Web Page Blocked \\u001b[2J"
    assert get(ask, respond("200 OK", b"<title>Secret plan</title>", **HTML)).http.title == ""


@pytest.mark.tier("namespaces")
def test_a_sign_in_form_where_nobody_is_is_the_networks():
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", _PORTAL_OF_ALL], capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["http.captive_portal", "http.wrong_target"]


_PORTAL_OF_ALL = """
import subprocess, tempfile, pathlib
subprocess.run("ip link set lo up; ip addr add 10.9.9.9/32 dev lo", shell=True, check=True)
from lab.prober import Prober
from lab.servers import respond, tcp
ask = Prober(pathlib.Path(tempfile.mkdtemp()))
page = respond("200 OK", b"<title>Sign in</title><form><input name=user></form>", Content_Type="text/html")
with tcp(page, host="0.0.0.0") as port:
    wanted = dict(judged=True, timeout_s=4, expect_type="application/json")
    subprocess.run("ip addr add 198.51.100.199/32 dev lo", shell=True, check=True)
    print(ask(f"http://10.9.9.9:{port}/", **wanted).code.value)
    subprocess.run("ip addr del 198.51.100.199/32 dev lo", shell=True, check=True)
    print(ask(f"http://10.9.9.9:{port}/", **wanted).code.value)
"""
