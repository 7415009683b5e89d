from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from render import traces
from vorflug.documents.diagnosis import of
from vorflug.model.diagnosis import Origin
from vorflug.ports.net import Check, CheckSeen, Code, Mode, Stage, StageSeen
from vorflug.render.diagnosis import render_diagnosis

URL = "https://registry.corp/v2/"


ORIGIN = Origin("2026-11-25T15:18:03Z", "app01.corp", "10.1.2.9")


def shown(trace, *, lang="en", mode=Mode.HTTP, origin=None, **more):
    return render_diagnosis(of(trace, URL, mode, origin), trace, lang=lang, **more)


def flat(trace, **more):
    return " ".join(shown(trace, **more).split())


def test_the_path_is_drawn_down_to_the_mark_where_it_broke():
    lines = shown(traces.intercepted(), width=80).splitlines()
    assert lines[:2] == [
        "  tls.intercepted   https://registry.corp/v2/",
        "  by the proxy proxy.corp:3128, from https_proxy · 2.6 s",
    ]
    drawn = [re.sub(r"\s+", " ", line.strip()) for line in lines[3:11]]
    assert drawn == [
        "! Name proxy.corp, the proxy; it resolves registry.corp · 2 ms",
        "│ dns.slow_fallback",
        "! Connection 10.1.9.9:3128, the proxy · tcp.v6_broken 255 ms",
        "│ ✗ 2001:db8::9 tcp.no_route 250 ms",
        "│ ✓ 10.1.9.9 3 ms",
        "✓ Proxy proxy.corp:3128 opens the way (HTTP 200) 31 ms",
        "✗ TLS tls.intercepted: verify 20 at depth 1 41 ms",
        "· Answer not reached",
    ]


def test_then_seen_means_not_proved_fix_who_and_what_to_ask_for():
    text = shown(traces.intercepted(), width=80)
    labels = re.findall(r"^  (Seen|Means|Not proved|Fix|Who acts|Ask first|Ask for)\s{2,}\S", text, re.MULTILINE)
    assert labels == ["Seen", "Means", "Not proved", "Fix", "Who acts", "Ask first", "Ask for"]
    assert text.index("Seen besides") < text.index("! tcp.v6_broken") < text.index("Controls made")
    assert "A direct connection, without the proxy, does not pass either." in text


@pytest.mark.parametrize(
    ("zone", "when"),
    [
        (timezone(timedelta(hours=1)), "2026-11-25 16:18 (UTC+1)"),
        (timezone(-timedelta(hours=3, minutes=30)), "2026-11-25 11:48 (UTC-3:30)"),
        (UTC, "2026-11-25 15:18 (UTC)"),
    ],
)
def test_when_and_from_where_stands_in_the_head_and_below_the_request(zone, when):
    text = flat(traces.intercepted(), origin=ORIGIN, zone=zone)
    assert f"Checked: {when} from app01.corp (10.1.2.9)" in text
    assert f"from app01.corp (10.1.2.9) · {when} · tls.intercepted: verify 20 at depth 1" in text
    assert "Checked" not in flat(traces.intercepted())


def test_the_request_can_be_forwarded_without_a_report():
    text = flat(traces.intercepted(), origin=ORIGIN)
    assert "For https://registry.corp/v2/ · registry.corp:443 · by the proxy proxy.corp:3128 · from app01.corp" in text
    assert text.index(" Ask for Please ") < text.index(" For https://") and "the report" not in text
    assert "certificate CN=registry.corp, issued by CN=Corp Inspection CA, valid until 2027-01-01, SHA-256" in text
    assert "AB:AB" in text
    assert "nameserver 10.1.0.53" in flat(traces.silent(), origin=ORIGIN)


def test_evidence_has_a_line_of_its_own():
    text = flat(traces.passed(stages=(StageSeen(Stage.TLS, 0.1, Code.TLS_INVALID_CHAIN, "20@0 21@1"),)))
    assert "Evidence OpenSSL 20 (depth 0); 21 (depth 1)" in text and "20@0" not in text


def test_where_nobody_is_first_that_is_said():
    trace = traces.passed(stages=(StageSeen(Stage.CONNECT, 0.1, Code.TCP_REFUSED, "ECONNREFUSED"),), http=None)
    assert "Ask first open, see Who acts" in flat(trace)
    assert "Zuerst an offen, siehe Zuständig" in flat(trace, lang="de")


def test_a_warning_can_be_asked_for_too():
    text = flat(traces.passed(warnings=(Code.TLS_STRICT_ONLY,)), origin=ORIGIN)
    assert "Please have the CA or server certificate named below issued again" in text
    assert "For: https://registry.corp/v2/" in text and "· tls.strict_only · certificate CN=registry.corp" in text


def test_a_redirect_elsewhere_leaves_open_whether_the_service_answers():
    *before, last = traces.passed().stages
    stages = (*before, replace(last, detail="HTTP 302 to https://login.test/x"))
    trace = traces.passed(stages=stages, http=replace(traces.HTTP, status=302))
    text = flat(trace)
    assert "status 302; leads to https://login.test/x, not asked" in text
    assert "whether the service itself answers is open" in text and "passed every layer" not in text


def test_where_programs_differ_the_head_says_whose_rules_were_used():
    differs = traces.passed(checks=(CheckSeen(Check.PROGRAMS, "differs", "curl: direct"),))
    assert "curl's and Go's rules" in flat(differs) and "--proxy URL" in flat(differs)
    assert "curl's" not in flat(traces.passed(checks=(CheckSeen(Check.PROGRAMS, "same"),)))


def test_what_passed_says_so_and_nothing_about_faults():
    text = shown(traces.passed())
    assert text.startswith("  ok   https://registry.corp/v2/\n")
    assert "passed every layer: status 200" in " ".join(text.split())
    assert not re.search(r"Means|Not proved|Ask|Fix|Controls|besides", text)


def test_a_stream_is_a_layer():
    assert "events: 5; a silence of 40 s survived" in shown(traces.streamed(), mode=Mode.SSE)


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("make", [traces.intercepted, traces.hostile, traces.streamed, traces.silent])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(width, lang, color, make):
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown(make(), lang=lang, width=width, color=color))
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    assert text.endswith("\n") and not text.endswith("\n\n")


@pytest.mark.parametrize("color", [False, True])
def test_nothing_from_outside_acts_on_the_terminal(color):
    text = shown(traces.hostile(), color=color)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", re.sub(r"\x1b\[[0-9;]*m", "", text))
    assert "\x1b[31mred" not in text and "\\u001b[31mred" in text


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-encoding"])
def test_marks_and_umlauts_are_spelled_where_they_cannot_be_written(lang, encoding):
    text = shown(traces.intercepted(), lang=lang, encoding=encoding)
    if encoding != "latin-1":
        assert text.isascii()
    assert "x TLS" in text and "✗" not in text
    assert not re.search("[\u2500-\u27ff]", text)


def test_colours_mark_what_broke_and_what_was_not_reached():
    text = shown(traces.intercepted(), color=True)
    assert "\x1b[1;31m  ✗ TLS\x1b[0m" in text and "\x1b[32m  ✓ Proxy\x1b[0m" in text


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("code", Code)
def test_every_code_can_be_shown_in_both_languages(code, lang):
    trace = traces.passed(stages=(StageSeen(Stage.RESOLVE, 0.1, code, "ECONNREFUSED"),), http=None)
    text = shown(trace, lang=lang)
    assert f"{code.value}" in text and "{" not in text


def test_german_is_german_throughout():
    text = shown(traces.intercepted(), lang="de")
    assert not re.search(r"\b(Seen|Means|Ask|Who|Controls|reached|the proxy|without)\b", text)
    for label in ("Vorgefunden", "Heißt", "Offen bleibt", "Abhilfe", "Zuständig", "Zuerst an", "Bitte", "Gegenproben"):
        assert f"  {label}" in text
