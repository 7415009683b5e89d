"""Looks that tell apart what one look cannot: each with a server that has the fault, and one that only seems to."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lab import authority
from lab.authority import DAY, HOST, context, issue
from lab.proxies import proxy, splice
from lab.servers import head, reset, respond, silent, tcp, tls
from vorflug.ports.net import Check, Code, Stage

NAME = b"localhost"


def judged(ask, port, *, host="localhost", seconds=3, **fields):
    return ask(f"https://{host}:{port}/", judged=True, timeout_s=seconds, **fields)


def outcomes(trace):
    return {c.check: c.outcome for c in trace.checks}


def filtered(origin, stops, act):
    """A device on the way that looks at the first message."""

    def handler(sock):
        time.sleep(0.02)
        if stops(sock.recv(65536, socket.MSG_PEEK)):
            act(sock)
            return
        with socket.create_connection(("127.0.0.1", origin)) as upstream:
            splice(sock, upstream)

    return handler


@pytest.fixture
def origin(tmp_path):
    with tcp(tls(context(tmp_path, authority.good()), respond())) as port:
        yield port


@pytest.mark.parametrize("act", [reset, silent])
def test_a_filter_that_reads_the_servers_name(ask, origin, act):
    with tcp(filtered(origin, lambda first: NAME in first, act)) as port:
        trace = judged(ask, port, ca_file=ask.ca)
    assert trace.code is Code.TLS_SNI_FILTERED and trace.stages[-1].stage is Stage.TLS
    assert outcomes(trace)[Check.WITHOUT_SNI] == "passed"


def test_a_way_that_swallows_large_packets_is_no_filter_of_names(ask, origin):
    with tcp(filtered(origin, lambda first: len(first) > 1200, silent)) as port:
        trace = judged(ask, port, ca_file=ask.ca)
    assert trace.code is Code.TLS_STALL
    assert outcomes(trace)[Check.SMALL_HELLO] == "passed"


def test_a_cut_that_does_not_happen_again_is_no_filter_of_names(ask, origin):
    cut = []

    def first_only(first):
        cut.append(first)
        return len(cut) == 1

    with tcp(filtered(origin, first_only, reset)) as port:
        trace = judged(ask, port, ca_file=ask.ca)
    assert trace.code is Code.TLS_RESET
    assert outcomes(trace)[Check.SECOND_CONNECTION] == "passed"


def test_a_server_that_cuts_whoever_speaks_new_tls(ask, tmp_path):
    old = context(tmp_path, authority.good())
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    with tcp(tls(old, respond())) as behind:
        speaks_new = filtered(behind, lambda first: b"\x03\x04" in first or b"\x03\x03" in first[:12], reset)
        with tcp(speaks_new) as port:
            trace = judged(ask, port, ca_file=ask.ca)
    assert trace.code is Code.TLS_VERSION
    assert outcomes(trace)[Check.OLD_TLS] == "passed"


# ---- who signs -------------------------------------------------------------------------------------------------------


def re_signing(folder, signer):
    """A device that makes up a certificate for whatever name it is asked for."""

    def handler(sock):
        own = context(folder, issue("x", signer), signer)

        def made_up(inside, wanted, _context):
            inside.context = context(folder, issue(wanted or "x", signer, hosts=(wanted or "x",)), signer)

        own.sni_callback = made_up
        with own.wrap_socket(sock, server_side=True) as inside:
            respond()(inside)

    return handler


def test_whoever_makes_up_certificates_re_signs(ask, tmp_path):
    with tcp(re_signing(tmp_path, authority.stranger())) as port:
        untrusted = judged(ask, port)
    assert untrusted.code is Code.TLS_INTERCEPTED and "Stranger CA" in untrusted.tls.issuer
    with tcp(re_signing(tmp_path, authority.root())) as port:
        trusted = judged(ask, port)
    assert trusted.code is None and trusted.http.status == 200, "the connection is judged all the same"
    assert trusted.warnings == (Code.TLS_INTERCEPTED,) and outcomes(trusted)[Check.MADE_UP] == "passed"


def test_a_stranger_with_one_certificate_does_not(ask, tmp_path):
    with tcp(tls(context(tmp_path, issue(HOST, authority.stranger())), respond())) as port:
        trace = judged(ask, port)
    assert trace.code is Code.TLS_UNKNOWN_CA and outcomes(trace)[Check.MADE_UP] == "failed"


def test_a_proxy_whose_way_shows_another_certificate_than_the_service(ask, tmp_path, origin):
    with (
        tcp(tls(context(tmp_path, issue(HOST, authority.stranger())), respond())) as other,
        proxy(to=("127.0.0.1", other)) as (through, _),
    ):
        trace = judged(ask, origin, proxy=f"http://127.0.0.1:{through}", proxy_always=True, direct_too=True)
        alone = judged(ask, origin, proxy=f"http://127.0.0.1:{through}", proxy_always=True)
    assert trace.code is Code.TLS_INTERCEPTED
    assert alone.code is Code.TLS_UNKNOWN_CA, "where a direct connection is not allowed, less is known"


# ---- the clock -------------------------------------------------------------------------------------------------------


def dated(folder, told, begins, ends):
    now = datetime.now(UTC).replace(microsecond=0)  # a run of all tests takes longer than these minutes
    leaf = issue(HOST, authority.root(), begins=now + begins, ends=now + ends)
    fields = {"Date": format_datetime(now + told, usegmt=True)} if told is not None else {}
    return tls(context(folder, leaf), respond("200 OK", b"", **fields))


@pytest.mark.parametrize(
    ("told", "begins", "ends", "code"),
    [
        (0 * DAY, -9 * DAY, -DAY, Code.TLS_EXPIRED),
        (None, -9 * DAY, -DAY, Code.TLS_EXPIRED),
        (-5 * DAY, -9 * DAY, -DAY, Code.HOST_CLOCK_WRONG),
        (-20 * DAY, -9 * DAY, -DAY, Code.TLS_EXPIRED),
        (5 * DAY, DAY, 9 * DAY, Code.HOST_CLOCK_WRONG),
        (0 * DAY, DAY, 9 * DAY, Code.TLS_NOT_YET_VALID),
        (timedelta(minutes=9), timedelta(minutes=5), 9 * DAY, Code.TLS_NOT_YET_VALID),
        (timedelta(minutes=11), timedelta(minutes=5), 9 * DAY, Code.HOST_CLOCK_WRONG),
    ],
)
def test_the_clock_is_looked_at_before_a_certificate_is_blamed(ask, tmp_path, told, begins, ends, code):
    with tcp(dated(tmp_path, told, begins, ends)) as port:
        trace = judged(ask, port, ca_file=ask.ca)
    assert trace.code is code


# ---- a tunnel --------------------------------------------------------------------------------------------------------


def test_a_proxy_that_says_yes_and_nothing_more(ask, origin):
    def yes(sock):
        head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        silent(sock)

    with tcp(yes) as through:
        trace = judged(ask, origin, proxy=f"http://127.0.0.1:{through}", proxy_always=True, direct_too=True)
    assert trace.code is Code.PROXY_TUNNEL_STALL and trace.stages[-1].stage is Stage.PROXY
    assert outcomes(trace)[Check.DIRECT] == "passed"


def test_a_silent_service_behind_an_honest_proxy(ask):
    with tcp(silent) as port, proxy() as (through, _):
        trace = judged(ask, port, host=HOST, proxy=f"http://127.0.0.1:{through}", direct_too=True)
    assert trace.code is Code.TLS_STALL and trace.stages[-1].stage is Stage.TLS
    assert outcomes(trace)[Check.PROXY_HONESTY] == "passed"


def test_where_the_proxy_fails_a_direct_connection_is_tried(ask, origin):
    with proxy(always=b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (through, _):
        setting = {"proxy": f"http://127.0.0.1:{through}", "proxy_always": True}
        trace = judged(ask, origin, **setting, direct_too=True)
        not_allowed = judged(ask, origin, **setting)
    assert trace.code is not_allowed.code is Code.PROXY_DENIED
    assert outcomes(trace) == {Check.DIRECT: "passed"} and outcomes(not_allowed) == {}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_silent_target_behind_a_proxy_that_speaks(ask, scheme):
    def proxying(sock):
        asked = head(sock)
        if b".invalid" in asked.split(b"\r\n")[0]:
            sock.sendall(b"HTTP/1.1 503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\nContent-Length: 0\r\n\r\n")
        else:
            silent(sock)

    wanted = {"https": (Code.PROXY_UPSTREAM_TIMEOUT, Stage.PROXY), "http": (Code.HTTP_NO_RESPONSE, Stage.HTTP)}
    for handler, code, stage in ((proxying, *wanted[scheme]), (silent, Code.PROXY_TIMEOUT, Stage.PROXY)):
        with tcp(handler) as through:
            trace = ask(
                f"{scheme}://{HOST}/", judged=True, timeout_s=2, proxy=f"http://127.0.0.1:{through}", proxy_always=True
            )
        assert (trace.code, trace.stages[-1].stage) == (code, stage)


def test_a_look_that_nobody_answered_is_not_told_as_passed(ask, tmp_path):
    taken = []

    def once(sock):
        taken.append(sock)
        if len(taken) == 1:
            head(sock)
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        silent(sock)

    with tcp(once) as through:
        trace = ask(
            f"https://{HOST}/", judged=True, timeout_s=2, proxy=f"http://127.0.0.1:{through}", proxy_always=True
        )
    assert trace.code is Code.TLS_STALL and outcomes(trace)[Check.PROXY_HONESTY] == "not_possible"

    served = []

    def one_certificate(sock):
        served.append(sock)
        if len(served) == 1:
            tls(context(tmp_path, issue(HOST, authority.stranger())), respond())(sock)
        silent(sock)

    with tcp(one_certificate) as port:
        trace = judged(ask, port, seconds=2)
    assert trace.code is Code.TLS_UNKNOWN_CA and outcomes(trace)[Check.MADE_UP] in ("failed", "not_possible")
