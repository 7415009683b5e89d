"""Cases of a code that a trace shows more exactly, with sentences of their own."""

from __future__ import annotations

from enum import StrEnum

from vorflug.model.cause import Team
from vorflug.model.message import Message, msg
from vorflug.model.netcause_detail import header, times, useless_variables
from vorflug.model.netcause_texts import NO_IPV4, PAST_THE_PROXY, PROGRAMS_DIFFER, TEXTS
from vorflug.ports.net import Check, Code, Mode, StageSeen, Trace
from vorflug.ports.net_codes import LOGIN_NOT_SENT

_BURST_S = 1.0
"""Events that come within a second look to a person as if they came at once."""
EVENT_STREAM = "text/event-stream"
"""WHATWG HTML, 9.2.5."""


class Case(StrEnum):
    """What a trace shows beyond its code."""

    PROGRAMS_DIFFER = "programs_differ"
    """Each setting can be used, but not by all programs alike."""
    PAST_THE_PROXY = "past_the_proxy"
    """An exemption leads onto a closed way."""
    NO_IPV4 = "no_ipv4"
    """The name has only IPv6 addresses."""
    NO_STORE = "no_store"
    """The variable that should name the host's trust store names nothing readable."""
    LOGIN_NOT_SENT = "login_not_sent"
    """No more was risked with a login that nothing shows to be good; nobody has rejected it."""
    CLOCKS = "clocks"
    """Both times are known."""
    PROXY_OR_TARGET = "proxy_or_target"
    """A plain request by a proxy: either may have answered (RFC 9110, 9.3.6 concerns CONNECT alone)."""
    NOT_LOGGED_IN = "not_logged_in"
    """401 or 403 (RFC 9110, 15.5.2, 15.5.4); nothing was asked with credentials."""
    NOT_THERE = "not_there"
    """404 or 410."""
    BUSY = "busy"
    """429 (RFC 6585, 4) or 503."""
    BUSY_UNTIL = "busy_until"
    """The same with Retry-After (RFC 9110, 10.2.3)."""
    SERVER_FAULT = "server_fault"
    """Any other 5xx."""
    NO_EVENT_STREAM = "no_event_stream"
    """Events were asked for, and the answer is of another type."""
    TITLED = "titled"
    """The title of the page is known."""
    IN_BURSTS = "in_bursts"
    """Events came in groups, not all at once."""


def case_of(trace: Trace, url: str, code: Code, stage: StageSeen | None = None, mode: Mode = Mode.HTTP) -> Case | None:
    """Which case of *code* the trace of a request to *url* shows; None for the plain one."""
    match code:
        case Code.PROXY_CONFIG if any(c.check is Check.PROGRAMS for c in trace.checks):
            return Case.PROGRAMS_DIFFER
        case Code.PROXY_CONFIG if any(c.check is Check.PAST_THE_PROXY for c in trace.checks):
            return Case.PAST_THE_PROXY
        case Code.TCP_NO_ROUTE if trace.addresses and all(":" in a for a in trace.addresses):
            return Case.NO_IPV4 if trace.host not in trace.addresses else None
        case Code.TLS_UNKNOWN_CA if stage is not None and useless_variables(stage.detail):
            return Case.NO_STORE
        case Code.PROXY_AUTH_REJECTED if stage is not None and LOGIN_NOT_SENT in stage.detail:
            return Case.LOGIN_NOT_SENT
        case Code.HOST_CLOCK_WRONG if len(times(stage)) > 1:
            return Case.CLOCKS
        case Code.HTTP_STATUS:
            return _status(trace, url)
        case Code.HTTP_WRONG_TARGET if mode is Mode.SSE and not _is_event_stream(trace):
            return Case.NO_EVENT_STREAM
        case Code.HTTP_BLOCK_PAGE if trace.http is not None and trace.http.title:
            return Case.TITLED
        case Code.STREAM_BUFFERED if trace.stream is not None and trace.stream.arrived_s:
            arrived = trace.stream.arrived_s
            return Case.IN_BURSTS if arrived[-1] - arrived[0] > _BURST_S else None
        case _:
            return None


def _is_event_stream(trace: Trace) -> bool:
    return header(trace.http, "content-type").partition(";")[0].strip().lower() == EVENT_STREAM


def _status(trace: Trace, url: str) -> Case | None:
    if trace.route.proxy is not None and url.partition("://")[0].lower() == "http":
        return Case.PROXY_OR_TARGET
    status = trace.http.status if trace.http is not None else 0
    match status:
        case 401 | 403:
            return Case.NOT_LOGGED_IN
        case 404 | 410:
            return Case.NOT_THERE
        case 429 | 503:
            return Case.BUSY_UNTIL if header(trace.http, "retry-after") else Case.BUSY
        case _ if status // 100 == 5:  # noqa: PLR2004 - RFC 9110, 15.6
            return Case.SERVER_FAULT
        case _:
            return None


_BUFFERED_FIX = TEXTS[Code.STREAM_BUFFERED][1]
_STATUS_SAYS = TEXTS[Code.HTTP_STATUS][0]

CASES: dict[Case, tuple[Message, Message]] = {
    Case.PROGRAMS_DIFFER: PROGRAMS_DIFFER,
    Case.PAST_THE_PROXY: PAST_THE_PROXY,
    Case.NO_IPV4: NO_IPV4,
    Case.NO_STORE: (
        msg(
            "There are no readable certificates where {variables:list} points: what this host should trust by it is "
            "not known, and the certificates of {endpoint} (“{issuer}”) cannot be checked."
        ),
        msg(
            "Let {variables:list} name CA certificates (PEM) that the user of the program may read, or take the "
            "variable away; then ask again."
        ),
    ),
    Case.LOGIN_NOT_SENT: (
        msg(
            "The proxy {proxy} wants a login for {name}. The one that is set was sent twice for other targets, and no "
            "answer showed that it is good: so that no account is locked, it was not sent again."
        ),
        msg("Look first at the targets that failed before, and check user name and password for the proxy {proxy}."),
    ),
    Case.CLOCKS: (
        msg("Several servers agree on another time than the clock of this host: there {theirs}, here {here}."),
        TEXTS[Code.HOST_CLOCK_WRONG][1],
    ),
    Case.PROXY_OR_TARGET: (
        msg("By the proxy {proxy} came status {status} for {url}."),
        msg(
            "Whether the proxy or the target answers so is not proved: look for the request in the log of the proxy "
            "{proxy} first, then in that of the service."
        ),
    ),
    Case.NOT_LOGGED_IN: (
        _STATUS_SAYS,
        msg(
            "Nothing was asked with credentials: is {status} right here? Then add --expect-status {status} to vorflug "
            "diagnose. If not, ask whoever runs {url} which right is missing."
        ),
    ),
    Case.NOT_THERE: (
        _STATUS_SAYS,
        msg("Check the path of {url}; if it is right, ask whoever runs the service where it answers now."),
    ),
    Case.BUSY: (
        _STATUS_SAYS,
        msg("Ask again later; if it stays so, ask whoever runs {url} about its load and its rate limits."),
    ),
    Case.BUSY_UNTIL: (
        _STATUS_SAYS,
        msg(
            "Ask again after the time that the answer names (Retry-After: {retry}); if it stays so, ask whoever runs "
            "{url} about its load and its rate limits."
        ),
    ),
    Case.SERVER_FAULT: (
        _STATUS_SAYS,
        msg("Let whoever runs {url} look into the log of the service and of the load balancer before it."),
    ),
    Case.NO_EVENT_STREAM: (
        msg("The answer of {url} is no event stream (status {status}, type {type})."),
        msg("Check the path of {url}: name one that sends events (text/event-stream)."),
    ),
    Case.TITLED: (
        msg("The page of a filter answers for {url} instead of the service: “{title}” (status {status})."),
        TEXTS[Code.HTTP_BLOCK_PAGE][1],
    ),
    Case.IN_BURSTS: (
        msg("{url}: {events} events arrived in bursts, not one by one; the first after {first:duration}."),
        _BUFFERED_FIX,
    ),
}
"""What was seen and what to do."""


def team_of_case(case: Case | None) -> Team | None:
    """Who is asked first where the case tells; None leaves it with the code."""
    match case:
        case Case.PROXY_OR_TARGET:
            return Team.PROXY
        case Case.PROGRAMS_DIFFER | Case.PAST_THE_PROXY | Case.NO_STORE:
            return Team.OS  # the variable stands on this host
        case _:
            return None
