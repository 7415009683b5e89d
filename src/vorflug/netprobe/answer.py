"""What an answer is worth: status, redirect, and whether it is the service that speaks.

Only for requests that are judged by general rules (`ProbeAsk.judged`); a profile's endpoint has its own fingerprint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vorflug.model.message import visible
from vorflug.netprobe import redirect, stand_ins
from vorflug.netprobe.redirect import Leads, Redirect
from vorflug.netprobe.request import Answer
from vorflug.netprobe.stand_ins import Suspicion
from vorflug.netprobe.target import Target
from vorflug.ports.net import Code, Mode, ProbeAsk

_FIRST_FAULT = 400
"""RFC 9110, 15: from here on the status says that the request failed."""

_NO_HEAD = "HTTP/0.9"
"""Squid gives what comes without a head, be it the banner of SSH, a head of 200 with this in X-Transformed-From."""

_TYPES = {Mode.SSE: "text/event-stream"}
"""What a mode wants where nothing else is expected (WHATWG HTML, 9.2.5)."""

_DENIED = re.compile(
    r"denied due to virtual network/firewall rules"  # Azure AI services, "Configure virtual networks"
    r"|public access is disabled"  # the same
    r"|unsupported_country_region_territory|ip_not_authorized"  # OpenAI, "Error codes"
    r"|ip allow list"  # GitHub, "Managing allowed IP addresses"
    r"|explicit deny in a vpc endpoint policy"  # AWS IAM, "Troubleshoot access denied"
    r"|error code: 10(?:06|07|08|09|10|12|20)\b|error 1020"  # Cloudflare, "Troubleshooting 1XXX errors"
    r"|\bip(?: address)?\b[^<]{0,60}\bnot\b[^.<]{0,20}\b(?:allowed|authori[sz]ed|permitted|whitelisted|allow-?listed)",
    re.IGNORECASE,
)
"""Services' own words for "your address is not let in"."""


@dataclass(frozen=True)
class Judged:
    """The judgement."""

    code: Code | None
    detail: str = ""
    follow: Redirect | None = None
    """To be asked next."""
    suspicion: Suspicion | None = None
    """Something else may answer instead of the service: a control has to tell."""


def judge(ask: ProbeAsk, target: Target, answer: Answer, *, genuine: bool) -> Judged:
    """Judge a whole answer.  *genuine*: TLS has proved that the service itself speaks."""
    if (transformed := next(iter(answer.values("x-transformed-from")), "")) == _NO_HEAD:
        shown = visible(answer.body[:200].decode("latin-1"), at_most=60)
        return Judged(Code.HTTP_NOT_HTTP, f"{shown} ({transformed}, says the proxy)")
    text = answer.body.decode("utf-8", "replace")
    suspicion = None if genuine else stand_ins.suspicion(target, answer.status, answer.headers, text)
    wanted = ask.expect_status
    words = _words(answer)
    if answer.status in redirect.STATUS and answer.status not in wanted:
        return _redirected(ask, target, answer, suspicion, words)
    right = answer.status in wanted if wanted else answer.status < _FIRST_FAULT
    if right and not _is_type(ask.expect_type or _TYPES.get(ask.mode, ""), answer):
        seen = next(iter(answer.values("content-type")), "none")
        fallback = Judged(Code.HTTP_WRONG_TARGET, f"{words}, Content-Type: {seen}", suspicion=suspicion)
        return _suspected(fallback)
    if right:
        return Judged(None, "", suspicion=suspicion)
    if answer.status >= _FIRST_FAULT and _DENIED.search(text):
        return Judged(Code.HTTP_DENIED_BY_SERVICE, words)
    return _suspected(Judged(Code.HTTP_STATUS, words, suspicion=suspicion))


def _suspected(judged: Judged) -> Judged:
    """Where the answer is wrong anyhow, marks that are plain enough say more than the status."""
    if judged.suspicion is None or not judged.suspicion.plain:
        return judged
    return Judged(judged.suspicion.code, judged.detail, suspicion=judged.suspicion)


def _redirected(ask: ProbeAsk, target: Target, answer: Answer, suspicion: Suspicion | None, words: str) -> Judged:
    step = redirect.read(next(iter(answer.values("location")), None), target)
    detail = f"{words} to {step.shown}"
    match step.leads:
        case Leads.HERE:
            return Judged(None, detail, follow=step)
        case Leads.FORBIDDEN:
            return Judged(Code.HTTP_REDIRECT_BLOCKED, detail)
        case Leads.NOWHERE:
            return Judged(Code.HTTP_STATUS, f"{words} without a usable Location")
        case Leads.ELSEWHERE:
            if ask.expect_status or ask.expect_type:
                return _suspected(Judged(Code.HTTP_REDIRECT_BLOCKED, detail, suspicion=suspicion))
            return Judged(None, detail, suspicion=suspicion)


def _words(answer: Answer) -> str:
    retry = next(iter(answer.values("retry-after")), "")
    return f"HTTP {answer.status}" + (f", Retry-After: {retry[:40]}" if retry else "")


def _is_type(wanted: str, answer: Answer) -> bool:
    if not wanted:
        return True
    seen = next(iter(answer.values("content-type")), "").partition(";")[0].strip().lower()
    return seen == wanted.partition(";")[0].strip().lower()
