"""Servers that mean harm: each is named, in time, in little memory, and nothing of it is live."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re

from lab import hostile, measured_jobs
from lab.hostile import CHUNKED, LIVE, OK, TURNED, body, drip, endless, says
from lab.hostile_checks import GROWTH_KIB, SECONDS, live, probed, served, wrong
from lab.servers import head

SLOW = ("http.slow_headers", "http.slow_body")


def dripped(text, **more):
    return drip(b"", text * 400, **more)


def _websocket(frames, for_ever=b""):
    def handler(sock):
        key = re.search(rb"Sec-WebSocket-Key: *([^\r\n]+)", head(sock))[1]
        token = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        begins = (
            b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + token
            + b"\r\n\r\n"
        )
        (endless(begins + frames, for_ever, read=False) if for_ever else says(begins + frames, read=False))(sock)

    return handler


_SSE = OK + b"Content-Type: text/event-stream\r\n\r\n"
_CLOSE = LIVE.encode()[:100]
_CHUNK = b"1\r\na\r\n"
_HTML = "text/html"

ANSWERS = {
    # without end
    "one endless header": (endless(OK + b"X: ", b"a"), "http.header_too_large"),
    "endless headers": (endless(OK, b"X-A: b\r\n"), "http.header_too_large"),
    "endless status line": (endless(b"HTTP/1.1 200 ", b"O"), "http.header_too_large"),
    "endless folded header": (endless(OK + b"X: a\r\n", b" folded\r\n"), "http.header_too_large"),
    "endless interim answers": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "http.not_http"),
    "endless early hints": (endless(b"", b"HTTP/1.1 103 Hints\r\nLink: <" + b"a" * 9000 + b">\r\n\r\n"), "http.not_http"),
    "endless blank lines": (endless(b"", b"\r\n"), ("http.header_too_large", "http.not_http", *SLOW)),
    "endless body": (endless(OK + b"\r\n", b"a" * 1024), ("http.body_too_large", "http.slow_body")),
    "endless chunks": (endless(CHUNKED, _CHUNK), ("http.slow_body", "http.body_too_large")),
    "endless chunks of nothing": (endless(CHUNKED, b"00001\r\n\0\r\n"), ("http.slow_body", "http.body_too_large")),
    "endless chunk extension": (endless(CHUNKED + b"5;", b"x=y;"), "http.truncated"),
    "huge chunk extensions": (endless(CHUNKED, b"1;x=" + b"y" * 30000 + b"\r\na\r\n"), ("http.slow_body", "http.body_too_large")),
    "endless chunk size": (endless(CHUNKED, b"0"), "http.truncated"),
    "endless trailers": (endless(CHUNKED + b"0\r\n", b"X: y\r\n"), "http.truncated"),
    # drop by drop
    "status line drop by drop": (dripped(b"HTTP/1.1 200 OK"), "http.slow_headers"),
    "headers drop by drop": (drip(OK, b"X: aaaaaaaaaaaaaaaaaaaaaaa"), "http.slow_headers"),
    "body drop by drop": (drip(OK + b"Content-Length: 99\r\n\r\n", b"a" * 99), "http.slow_body"),
    "chunk size drop by drop": (drip(CHUNKED, b"0" * 15), "http.slow_body"),
    "packed body drop by drop": (drip(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(os.urandom(99))), "http.slow_body"),
    # packed
    "gzip bomb": (body(hostile.bomb(), coding="gzip"), "http.body_too_large"),
    "endless gzip": (hostile.endless_gzip(), "http.body_too_large"),
    "gzip in gzip": (body(hostile.nested_gzip(), coding="gzip, gzip"), "ok"),
    "endless garbage behind gzip": (endless(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"a"), b"g" * 999), ("http.body_too_large", "http.slow_body")),
    "garbage for gzip": (body(b"\x1f\x8b" + os.urandom(2000), coding="gzip"), "ok"),
    "a gzip that ends early": (body(gzip.compress(bytes(9999))[:20], coding="gzip"), "ok"),
    # lies about lengths
    "a length beyond all": (says(OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\na"), "http.not_http"),
    "a negative length": (says(OK + b"Content-Length: -5\r\n\r\n"), "http.not_http"),
    "two lengths": (says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "http.not_http"),
    "a chunk beyond all": (says(CHUNKED + b"f" * 16 + b"\r\na"), "http.slow_body"),
    "status 999": (says(b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n"), ("http.status", "http.not_http")),
    "NUL in a header": (says(OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n"), "http.not_http"),
    # live
    "live fields": (hostile.live_fields("200 OK", *hostile.FIELDS[:-1]), "ok"),
    "a field with a live name": (hostile.live_fields("200 OK", *hostile.FIELDS), "http.not_http"),
    "live fields of an error": (hostile.live_fields("503 X", *hostile.FIELDS[:-1]), ("http.status", "http.block_page")),
    "live fields that want a login": (hostile.live_fields("407 X", *hostile.FIELDS[:-1]), "http.status"),
    "a live answer that is none": (says(b"SSH-2.0-" + LIVE.encode() + b"\r\n"), "http.not_http"),
    "a live redirect": (hostile.redirect(b"/" + TURNED.encode() + b"?token=x"), ("http.redirect_loop", "http.status", "http.redirect_blocked")),
    "a redirect of 60 kB": (hostile.redirect(b"https://elsewhere.test/" + b"a" * 60000), "ok"),
    "a redirect that splits": (hostile.redirect(b"/%0d%0aSet-Cookie:x\x0b\x0cy"), ("http.not_http")),
    "a redirect to itself": (hostile.redirect(b"?"), "http.redirect_loop"),
    "a page for a slow pattern": (body(b"<p>" + b"anmeld" * 10000), "ok"),
    "a page of scripts": (body(b"<script>" * 8000), "ok"),
    "a page of refusals": (body(b"<p>" + b"ip not " * 9000), "ok"),
}  # fmt: skip

STREAMS = {
    "sse": {
        "an endless line": (endless(_SSE, b"a"), "http.body_too_large"),
        "endless data": (endless(_SSE, b"data: a\n"), "http.body_too_large"),
        "endless NULs": (endless(_SSE, b"\0"), "http.body_too_large"),
        "endless bytes in chunks": (endless(_SSE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", _CHUNK), ("ok", "http.body_too_large", *SLOW)),
        "an event drop by drop": (drip(_SSE, b"data: " + b"a" * 99), ("ok", "http.slow_body")),
        "live events": (says(_SSE + b"event: " + TURNED.encode() + b"\ndata: " + TURNED.encode() + b"\n\n"), ("ok", "http.slow_body", "stream.idle_cut")),
        "endless events": (endless(_SSE, b"data: x\n\n"), "ok"),
    },
    "ws": {
        "a frame without end": (_websocket(b"\x82\x7f\x7f" + b"\xff" * 7, b"a" * 999), "ws.frames_blocked"),
        "a frame beyond 63 bits": (_websocket(b"\x82\x7f" + b"\xff" * 8), "ws.frames_blocked"),
        "fragments for ever": (_websocket(b"\x01\x01a", b"\0\x01a"), "ws.frames_blocked"),
        "masked frames": (_websocket(b"\x81\x81abcdx"), "ws.frames_blocked"),
        "pings for ever": (_websocket(b"", b"\x89\x01a"), "ws.frames_blocked"),
        "a live reason": (_websocket(b"\x88" + bytes([len(_CLOSE) + 2]) + b"\x0b\xb8" + _CLOSE), ("ok", "ws.frames_blocked")),
        "reserved bits": (_websocket(b"\xf1\x01a"), "ws.frames_blocked"),
        "a frame drop by drop": (_websocket(b"\x81"), "ws.frames_blocked"),
        "an endless refusal of a WebSocket": (endless(b"HTTP/1.1 403 F\r\n\r\n", b"a" * 999), ("http.body_too_large", "ws.upgrade_refused", "http.slow_body")),
    },
}  # fmt: skip


def test_the_checks_see_what_they_look_for():
    bad = {
        "failed": "",
        "code": "ok",
        "took_s": 9.0,
        "cpu_s": 0,
        "grown_kib": 1 << 20,
        "stderr": "Traceback",
        "json": LIVE,
        "terminal": TURNED,
    }
    assert len(list(wrong("x", bad, "http.status"))) == 6
    assert list(wrong("x", bad | {"failed": "no"})) == ["x: no"]
    assert live(TURNED) and not live("plain\n")


def test_memory_that_grows_is_seen(run):
    assert run({"big": ("grow", {"size": 100 << 20})})["big"]["grown_kib"] > GROWTH_KIB


def test_hostile_answers_and_streams(run):
    url = "http://127.0.0.1:{port}/"
    streams = ((cases, {"url": url, "mode": mode}) for mode, cases in STREAMS.items())
    results = probed(run, (ANSWERS, {"url": url}), *streams)
    html = measured_jobs.page([r["trace"] for r in results.values()])
    assert not live(html) and "<script>alert" not in html and "<img" not in html


def test_no_redirect_leads_to_a_metadata_service(run):
    cases = {
        name: (hostile.redirect(location), ("http.redirect_blocked", "ok"))
        for name, location in hostile.METADATA.items()
    }
    results = probed(run, (cases, {"url": "http://127.0.0.1:{port}/"}))
    assert {a for r in results.values() for a in r["attempts"]} == {"127.0.0.1"}
    assert not {n for n, r in results.items() if r["code"] != "http.redirect_blocked"}


def test_backslashes_are_a_path_of_the_same_host(run):
    cases = {"backslashes": (hostile.redirect(b"\\\\169.254.169.254\\"), ("http.redirect_loop", "http.status"))}
    results = probed(run, (cases, {"url": "http://127.0.0.1:{port}/"}))
    assert set(results["backslashes"]["attempts"]) == {"127.0.0.1"}


def test_the_command_says_the_same(run):
    cases = {
        name: ANSWERS[name]
        for name in (
            "one endless header",
            "gzip bomb",
            "live fields of an error",
            "body drop by drop",
            "endless chunks",
        )
    }
    with served(cases) as ports:
        jobs = {
            f"{name} {form}": (
                "cli",
                {
                    "arguments": [
                        "diagnose",
                        f"http://127.0.0.1:{ports[name]}/",
                        "--deadline",
                        str(SECONDS),
                        "--format",
                        form,
                    ]
                },
            )
            for name in cases
            for form in ("json", "terminal")
        }
        results = run(jobs)
        for name, result in results.items():
            if result["took_s"] > SECONDS + 1:
                results |= run({name: jobs[name]})
    assert not [p for name, result in results.items() for p in wrong(name, result)]
    for name, (_, codes) in cases.items():
        document = json.loads(results[f"{name} json"]["out"])
        assert document["code"] in ((codes,) if isinstance(codes, str) else codes)
        assert results[f"{name} json"]["exit"] == results[f"{name} terminal"]["exit"] == 3
        assert document["code"] in results[f"{name} terminal"]["out"]
