"""Where a trace shows more than its code, the sentences, the page and the team follow it."""

from __future__ import annotations

import re
import string
from dataclasses import replace

import pytest

from vorflug.model import netcause
from vorflug.model.cause import Team
from vorflug.model.codes import PAGES
from vorflug.model.netcause_cases import CASES, Case, case_of
from vorflug.model.netcause_detail import led_elsewhere, readable, redirect_target
from vorflug.model.netcause_pages import page_of
from vorflug.ports.net import Check, CheckSeen, Code, HttpSeen, Mode, Route, Stage, StageSeen, StreamSeen, Trace
from vorflug.texts import say, translator

URL = "http://service.lab.test/v2/"
PROXY = Route("proxy.corp:3128", "http_proxy")


def trace(code, *, stage=Stage.HTTP, detail="raw words", status=0, headers=(), title="", route=None, **more):
    http = HttpSeen(status, (), headers, "html", (), 9, title=title) if status else None
    whole = Trace(
        "service.lab.test", 80, route or Route(None, ""), (), "192.0.2.1:80", (StageSeen(stage, 1.0, code, detail),)
    )
    return replace(whole, http=http, **more)


def stopped(seen, mode=Mode.HTTP):
    found = netcause.stopped(seen, URL, mode=mode)
    return found.case, say(found.says, "en"), say(found.fix, "en"), found.cause.team


@pytest.mark.parametrize(
    ("status", "headers", "case", "fix"),
    [
        (401, (), Case.NOT_LOGGED_IN, "--expect-status 401"),
        (403, (), Case.NOT_LOGGED_IN, "--expect-status 403"),
        (404, (), Case.NOT_THERE, "Check the path"),
        (429, (), Case.BUSY, "rate limits"),
        (503, (("retry-after", "120"),), Case.BUSY_UNTIL, "Retry-After: 120"),
        (503, (), Case.BUSY, "Ask again later"),
        (500, (), Case.SERVER_FAULT, "log of the service"),
        (302, (), None, "why it answers so"),
    ],
)
def test_a_status_says_what_its_class_asks_for(status, headers, case, fix):
    found, says, remedy, team = stopped(trace(Code.HTTP_STATUS, status=status, headers=headers))
    assert found is case and f"status {status}" in says and fix in remedy and team is None


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_by_a_proxy_a_plain_request_does_not_prove_who_answered(status):
    case, says, fix, team = stopped(trace(Code.HTTP_STATUS, status=status, route=PROXY))
    assert (case, team) == (Case.PROXY_OR_TARGET, Team.PROXY)
    assert says == f"By the proxy proxy.corp:3128 came status {status} for {URL}."
    assert "not proved" in fix and "log of the proxy proxy.corp:3128 first" in fix
    page = page_of(Code.HTTP_STATUS, case)
    assert "was reached is open" in page.not_proves.text and "TLS" not in page.proves.text


def test_by_a_tunnel_the_service_answered():
    seen = trace(Code.HTTP_STATUS, status=403, route=PROXY)
    assert case_of(seen, "https://service.lab.test/", Code.HTTP_STATUS) is Case.NOT_LOGGED_IN


def test_no_page_of_a_status_speaks_of_tls():
    for case in (None, *Case):
        page = page_of(Code.HTTP_STATUS, case)
        assert not any("TLS" in said.text for said in (page.seen, page.proves))


def test_past_the_proxy_the_page_does_not_deny_the_control():
    checks = (CheckSeen(Check.PAST_THE_PROXY, "passed"),)
    seen = trace(Code.PROXY_CONFIG, stage=Stage.PROXY, route=Route(None, "NO_PROXY"), checks=checks)
    case, says, _, team = stopped(seen)
    assert (case, team) == (Case.PAST_THE_PROXY, Team.OS) and "NO_PROXY sends requests" in says
    page = page_of(Code.PROXY_CONFIG, case)
    assert "neither was asked" not in page.not_proves.text and "Nobody else" in page.ask.text
    assert "neither was asked" in PAGES[Code.PROXY_CONFIG].not_proves.text


def test_another_type_is_no_event_stream():
    seen = trace(Code.HTTP_WRONG_TARGET, status=200, headers=(("content-type", "application/json"),))
    assert stopped(seen, Mode.SSE)[1] == (
        f"The answer of {URL} is no event stream (status 200, type application/json)."
    )
    assert stopped(seen)[0] is None


def test_of_a_stream_only_what_was_seen_is_said():
    at_once = StreamSeen(12, (9.1,) * 12)
    assert stopped(trace(Code.STREAM_BUFFERED, stream=at_once))[1] == (
        f"{URL}: 12 events arrived all at once, the first after 9.1 s."
    )
    bursts = StreamSeen(12, (3.0, 3.0, 6.0, 6.0))
    assert "in bursts" in stopped(trace(Code.STREAM_BUFFERED, stream=bursts))[1]


def test_the_title_of_a_filters_page_is_named():
    assert (
        "“Access denied: Games” (status 403)"
        in stopped(trace(Code.HTTP_BLOCK_PAGE, status=403, title="Access denied: Games"))[1]
    )


def test_a_wrong_clock_names_both_times():
    detail = "Date 2026-11-24T10:12:01Z, here 2026-11-23T10:12:00Z"
    assert stopped(trace(Code.HOST_CLOCK_WRONG, stage=Stage.TLS, detail=detail))[1].endswith(
        "there 2026-11-24T10:12:01Z, here 2026-11-23T10:12:00Z."
    )


@pytest.mark.parametrize("code", [
    Code.STREAM_BUFFERED, Code.HTTP_NO_RESPONSE, Code.TLS_NOT_TLS, Code.HTTP_NOT_HTTP, Code.HTTP_TRUNCATED,
    Code.HOST_CLOCK_WRONG, Code.HTTP_WRONG_TARGET, Code.WS_UPGRADE_REFUSED, Code.STREAM_IDLE_CUT,
])  # fmt: skip
def test_raw_words_stand_in_no_sentence(code):
    assert "raw words" not in say(netcause.stopped(trace(code), URL).says, "de")


@pytest.mark.parametrize(
    ("detail", "en", "de"),
    [
        ("20@0 21@0", "OpenSSL 20 (depth 0); 21 (depth 0)", "OpenSSL 20 (Tiefe 0); 21 (Tiefe 0)"),
        ("10@1", "OpenSSL 10 (depth 1)", "OpenSSL 10 (Tiefe 1)"),
        ("ECONNREFUSED 192.0.2.1:443", "ECONNREFUSED 192.0.2.1:443", "ECONNREFUSED 192.0.2.1:443"),
        ("user@0", "user@0", "user@0"),
        ("", "", ""),
    ],
)
def test_numbers_of_openssl_are_written_out(detail, en, de):
    assert (say(readable(detail), "en"), say(readable(detail), "de")) == (en, de)


def test_where_a_redirect_leads():
    assert redirect_target("HTTP 302, Retry-After: 5 to https://a.test/x") == "https://a.test/x"
    assert redirect_target("HTTP 200") == ""
    led = trace(None, detail="HTTP 302 to https://a.test/x", status=302)
    assert led_elsewhere(led) == "https://a.test/x"
    assert led_elsewhere(replace(led, http=replace(led.http, status=200))) == ""
    assert led_elsewhere(trace(Code.HTTP_REDIRECT_BLOCKED, detail="HTTP 302 to https://a.test/x", status=302)) == ""


def names(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", Case)
def test_every_case_has_sentences_in_both_languages(case, language):
    for said in CASES[case]:
        text = translator(language)(said.text)
        assert text[-1] == "." and len(text) < 300 and (language == "en" or text != said.text)
        assert names(text) == names(said.text)
    page = page_of(Code.HTTP_STATUS, case)
    for said in (page.proves, page.not_proves, page.who, page.ask):
        assert names(said.text) == set()
        text = say(said, language)
        assert text[-1] in ".?" and len(text) < 400 and not re.search(r"the report|im Bericht", text)
        assert language == "en" or text != said.text


def test_a_login_that_was_spared_is_not_told_as_rejected():
    from vorflug.ports.net_codes import LOGIN_NOT_SENT

    spared = StageSeen(Stage.PROXY, 0.1, Code.PROXY_AUTH_REJECTED, f"HTTP 407; {LOGIN_NOT_SENT}")
    rejected = StageSeen(Stage.PROXY, 0.1, Code.PROXY_AUTH_REJECTED, "HTTP 407")
    asked = trace(Code.PROXY_AUTH_REJECTED)
    assert case_of(asked, "https://a.test/", Code.PROXY_AUTH_REJECTED, spared) is Case.LOGIN_NOT_SENT
    assert case_of(asked, "https://a.test/", Code.PROXY_AUTH_REJECTED, rejected) is None
    assert "rejects" not in CASES[Case.LOGIN_NOT_SENT][0].text
