"""Every code has its sentences, says only what was seen, and names what others would meet too."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from vorflug.model import netcause
from vorflug.model.cause import Team
from vorflug.model.message import render
from vorflug.model.netcause_texts import TEXTS
from vorflug.ports.net import (
    CertificateSeen,
    Code,
    HttpSeen,
    ProxySeen,
    Resolved,
    Route,
    Stage,
    StageSeen,
    StreamSeen,
    TlsSeen,
    Trace,
)
from vorflug.texts import say

URL = "https://service.lab.test/v2/"
CERTIFICATE = CertificateSeen(
    "CN=leaf", "CN=Corp CA", ("a.test",), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "RSA 2048", "sha256", "00", ()
)


def trace(
    code,
    stage=Stage.HTTP,
    *,
    host="service.lab.test",
    proxy=None,
    resolvers=("10.1.0.53",),
    detail="raw",
    chain=(CERTIFICATE,),
):
    tls = TlsSeen("TLSv1.3", "x", chain, CERTIFICATE.issuer, False, False, "", ()) if chain else None
    return Trace(
        host, 443, Route(proxy, "https_proxy" if proxy else ""), (), "192.0.2.1:443",
        (StageSeen(stage, 2.0, code, detail),), tls, None, (), ProxySeen(407, ("negotiate", "ntlm"), "ERR_X"), resolvers,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("proxy", [None, "proxy.corp:3128"])
@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_its_sentences(code, proxy, language):
    stopped = netcause.stopped(trace(code, proxy=proxy), URL)
    assert stopped.code is code and stopped.cause.kind == code.value
    for sentence in (stopped.says, stopped.fix):
        text = say(sentence, language)
        assert text[-1] == "." and not set("{}") & set(text) and len(text) < 300
        assert "  " not in text and " ." not in text and "()" not in text
        assert set(sentence.values) == {n for _, n, _, _ in string.Formatter().parse(sentence.text) if n}


def test_no_sentence_blames_more_than_was_proved():
    for code, (says, fix) in TEXTS.items():
        assert "firewall" not in says.text.lower() + fix.text.lower(), code
        assert "proxy" not in says.text.lower() or code.value.startswith("proxy."), code
    assert "refuses" not in TEXTS[Code.TCP_TIMEOUT][0].text
    assert "time" not in TEXTS[Code.TCP_REFUSED][0].text


def test_nothing_stopped():
    assert netcause.stopped(trace(None), URL) is None


@pytest.mark.parametrize(
    ("code", "stage", "proxy", "subject", "team"),
    [
        (Code.DNS_TIMEOUT, Stage.RESOLVE, None, "10.1.0.53", Team.DNS),
        (Code.DNS_NXDOMAIN, Stage.RESOLVE, None, "service.lab.test", Team.DNS),
        (Code.TCP_TIMEOUT, Stage.CONNECT, None, "service.lab.test:443", Team.NETWORK),
        (Code.TCP_NO_ROUTE, Stage.CONNECT, "proxy.corp:3128", "proxy.corp:3128", Team.NETWORK),
        (Code.PROXY_AUTH_REQUIRED, Stage.PROXY, "proxy.corp:3128", "proxy.corp:3128", Team.PROXY),
        (Code.PROXY_DENIED, Stage.PROXY, "proxy.corp:3128", "proxy.corp:3128 service.lab.test:443", Team.PROXY),
        (Code.TLS_INTERCEPTED, Stage.TLS, None, "CN=Corp CA", Team.PROXY),
        (Code.TLS_UNKNOWN_CA, Stage.TLS, None, "CN=Corp CA", Team.PKI),
        (Code.TLS_EXPIRED, Stage.TLS, None, "service.lab.test:443", Team.PKI),
        (Code.TLS_EXPIRED, Stage.PROXY, "proxy.corp:3128", "proxy.corp:3128", Team.PKI),
        (Code.TLS_STALL, Stage.TLS, None, "service.lab.test:443", Team.NETWORK),
        (Code.HTTP_NO_RESPONSE, Stage.HTTP, None, "service.lab.test:443", None),
        (Code.DNS_SLOW_FALLBACK, Stage.RESOLVE, None, "10.1.0.53", Team.DNS),
        (Code.DNS_CNAME_LOOP, Stage.RESOLVE, None, "service.lab.test", Team.DNS),
        (Code.DNS_HOSTS_OVERRIDE, Stage.RESOLVE, None, "service.lab.test", Team.OS),
        (Code.PROXY_TUNNEL_STALL, Stage.PROXY, "proxy.corp:3128", "proxy.corp:3128 service.lab.test:443", Team.PROXY),
        (Code.TLS_SNI_FILTERED, Stage.TLS, None, "service.lab.test", Team.NETWORK),
        (Code.TLS_NOT_YET_VALID, Stage.TLS, None, "service.lab.test:443", Team.OS),
        (Code.HTTP_CAPTIVE_PORTAL, Stage.HTTP, None, "service.lab.test:443", Team.NETWORK),
        (Code.HTTP_BLOCK_PAGE, Stage.HTTP, None, "service.lab.test", Team.PROXY),
        (Code.HTTP_DENIED_BY_SERVICE, Stage.HTTP, None, "service.lab.test:443", Team.PROJECT),
        (Code.STREAM_IDLE_CUT, Stage.STREAM, None, "service.lab.test:443", None),
        (Code.WS_UPGRADE_REFUSED, Stage.STREAM, None, "service.lab.test:443", None),
        (Code.HOST_CLOCK_WRONG, Stage.TLS, None, "clock", Team.OS),
    ],
)
def test_what_a_cause_is_about(code, stage, proxy, subject, team):
    cause = netcause.stopped(trace(code, stage, proxy=proxy), URL).cause
    assert (cause.subject, cause.team) == (subject, team)


def test_one_silent_nameserver_is_one_cause():
    first = netcause.stopped(trace(Code.DNS_TIMEOUT, host="a.test"), "https://a.test/").cause
    other = netcause.stopped(trace(Code.DNS_TIMEOUT, host="b.test"), "https://b.test/").cause
    alone = Resolved("c.test", "10.1.0.53", (), "", Code.DNS_TIMEOUT, 2.0)
    assert first == other == netcause.resolver_stopped(alone, Code.DNS_TIMEOUT, ("10.1.0.53",)).cause


def test_an_ipv6_endpoint_is_written_with_brackets():
    assert netcause.stopped(trace(Code.TCP_REFUSED, host="2001:db8::1"), URL).cause.subject == "[2001:db8::1]:443"


def test_a_trace_without_certificates_has_sentences_too():
    for code in Code:
        assert "{" not in render(netcause.stopped(trace(code, chain=(), detail="", resolvers=()), URL).says)


@pytest.mark.parametrize("language", ["en", "de"])
def test_interception_says_what_containers_need(language):
    """They do not use the host's store, so what works on the host fails in them."""
    stopped = netcause.warned(trace(None, Stage.TLS), URL, Code.TLS_INTERCEPTED)
    assert "Corp CA" in say(stopped.says, language)
    for fix in (stopped.fix, stopped.cause.fix):
        for word in ("ontainer", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
            assert word in say(fix, language)


@pytest.mark.parametrize(
    ("stage", "code", "answered", "status"),
    [
        (Stage.HTTP, Code.HTTP_STATUS, 503, 503),
        (Stage.PROXY, Code.PROXY_AUTH_REJECTED, None, 407),
        (Stage.PROXY, Code.PROXY_AUTH_REJECTED, 503, 407),
    ],
)
def test_the_status_is_that_of_whoever_the_sentence_is_about(stage, code, answered, status):
    """A proxy that granted CONNECT said 200; the service behind it says another one."""
    seen = trace(code, stage, proxy="proxy.corp:3128")
    http = HttpSeen(answered, (), (), "empty", (), 0) if answered else None
    said = render(netcause.stopped(replace(seen, http=http), URL).says)
    assert f"status {status}" in said


def test_a_cut_after_an_idle_time_names_the_seconds():
    stream = StreamSeen(1, (), 40.0, "reset")
    said = render(netcause.stopped(replace(trace(Code.STREAM_IDLE_CUT, Stage.STREAM), stream=stream), URL).says)
    assert "after 40 s in which nothing was sent" in said


@pytest.mark.parametrize("code", [Code.TCP_REFUSED, Code.TCP_TIMEOUT, Code.TCP_PROHIBITED, Code.TCP_NO_ROUTE])
def test_what_failed_to_connect_names_the_address(code):
    said = render(netcause.stopped(trace(code, Stage.CONNECT, detail="ECONNREFUSED 192.0.2.1:443"), URL).says)
    assert "192.0.2.1:443" in said and "service.lab.test:443" in said
