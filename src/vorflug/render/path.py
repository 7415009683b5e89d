"""A trace as a path: one layer after the other, what each met, and where it broke.  Pure, and without looks.

The terminal draws it downwards, the page as a row of marks; both tell what stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from vorflug.model.hosts import address
from vorflug.model.message import Message, msg
from vorflug.model.netcause_detail import led_elsewhere, readable
from vorflug.ports.net import OPTION, SITE, AttemptSeen, Check, CheckSeen, Code, Mode, Stage, StageSeen, Trace

_MOST = 6
"""Addresses, attempts or redirects of one layer that are drawn; the document has them all."""

STAGES: dict[Stage, Message] = {
    Stage.RESOLVE: msg("Name"),
    Stage.CONNECT: msg("Connection"),
    Stage.PROXY: msg("Proxy"),
    Stage.TLS: msg("TLS"),
    Stage.HTTP: msg("Answer"),
    Stage.STREAM: msg("Stream"),
}
"""At most ten characters in every language, for the terminal's left column."""

CHECKS: dict[Check, Message] = {
    Check.RANDOM_NAME: msg("Does a name that cannot exist have an address?"),
    Check.NAMESERVERS: msg("Do all nameservers say the same?"),
    Check.CLOCK: msg("Does this host's clock agree with those of others?"),
    Check.WITHOUT_SNI: msg("Does the handshake pass without the server's name?"),
    Check.SMALL_HELLO: msg("Does a handshake pass whose first message fits into a small packet?"),
    Check.OLD_TLS: msg("Does a handshake pass with TLS 1.0 or 1.1?"),
    Check.SECOND_CONNECTION: msg("Does the same pass on a second connection?"),
    Check.DIRECT: msg("Does a direct connection pass, without the proxy?"),
    Check.PROXY_HONESTY: msg("Does the proxy open a way to a host that cannot exist?"),
    Check.PROGRAMS: msg("Do programs with this environment go the same way?"),
    Check.PAST_THE_PROXY: msg("Does the way by the proxy pass, which an exemption rules out?"),
    Check.SAME_FOR_NOBODY: msg("Is the name as unknown, to the proxy and here, as one that cannot exist?"),
    Check.PROXY_ALIVE: msg("Does the proxy answer when it is asked for another host?"),
    Check.MADE_UP: msg("Is a certificate made up on the spot for a name that cannot exist?"),
    Check.NOBODY_THERE: msg("Does the same answer come from an address that no host has?"),
    Check.SAME_BY_PROXY: msg("Does the proxy give the same answer for a host that cannot exist?"),
    Check.OTHER_HOST_NAME: msg("Is the answer the same for a host that cannot exist?"),
}
"""The question of each control, for where it has no answer."""

ANSWERS: dict[tuple[Check, str], Message] = {
    (Check.RANDOM_NAME, "passed"): msg("A name that cannot exist has no address, as it should be."),
    (Check.RANDOM_NAME, "failed"): msg("A name that cannot exist has an address."),
    (Check.NAMESERVERS, "same"): msg("All nameservers say the same."),
    (Check.NAMESERVERS, "differs"): msg("The nameservers do not say the same."),
    (Check.CLOCK, "same"): msg("This host's clock agrees with others as far as the certificate's dates need it."),
    (Check.CLOCK, "differs"): msg("This host's clock differs from that of the server."),
    (Check.WITHOUT_SNI, "passed"): msg("Without the server's name the handshake passes."),
    (Check.WITHOUT_SNI, "failed"): msg("Without the server's name the handshake does not pass either."),
    (Check.SMALL_HELLO, "passed"): msg("A handshake passes whose first message fits into a small packet."),
    (Check.SMALL_HELLO, "failed"): msg(
        "A handshake whose first message fits into a small packet does not pass either."
    ),
    (Check.OLD_TLS, "passed"): msg("A handshake with TLS 1.0 or 1.1 passes."),
    (Check.OLD_TLS, "failed"): msg("A handshake with TLS 1.0 or 1.1 does not pass either."),
    (Check.SECOND_CONNECTION, "passed"): msg("On a second connection the same passed."),
    (Check.SECOND_CONNECTION, "failed"): msg("On a second connection the same did not pass either."),
    (Check.DIRECT, "passed"): msg("A direct connection passes, without the proxy."),
    (Check.DIRECT, "failed"): msg("A direct connection, without the proxy, does not pass either."),
    (Check.PROXY_HONESTY, "passed"): msg("The proxy opens no way to a host that cannot exist, as it should be."),
    (Check.PROXY_HONESTY, "failed"): msg(
        "The proxy reports a way as open to a host that cannot exist, too: its word proves nothing."
    ),
    (Check.PAST_THE_PROXY, "passed"): msg("The way by the proxy passes, which an exemption rules out."),
    (Check.PAST_THE_PROXY, "failed"): msg("The way by the proxy, which an exemption rules out, does not pass either."),
    (Check.SAME_FOR_NOBODY, "same"): msg(
        "The proxy says the same about a name that cannot exist, and this host does not know the name either."
    ),
    (Check.SAME_FOR_NOBODY, "differs"): msg(
        "The proxy's answer is another one for a name that cannot exist, or this host knows the name."
    ),
    (Check.PROXY_ALIVE, "passed"): msg("When it is asked for another host, the proxy answers."),
    (Check.PROXY_ALIVE, "failed"): msg("The proxy does not answer when it is asked for another host either."),
    (Check.PROGRAMS, "same"): msg("Programs with this environment go the same way."),
    (Check.PROGRAMS, "differs"): msg("Programs with this environment go different ways."),
    (Check.MADE_UP, "passed"): msg(
        "A certificate is made up for a name that cannot exist, or the service itself shows another issuer."
    ),
    (Check.MADE_UP, "failed"): msg("No certificate is made up for a name that cannot exist."),
    (Check.NOBODY_THERE, "same"): msg("The same answer comes from an address that no host has."),
    (Check.NOBODY_THERE, "differs"): msg("From an address that no host has, this answer does not come."),
    (Check.SAME_BY_PROXY, "same"): msg("The proxy gives the same answer for a host that cannot exist."),
    (Check.SAME_BY_PROXY, "differs"): msg("For a host that cannot exist, the proxy gives another answer."),
    (Check.OTHER_HOST_NAME, "same"): msg("A host that cannot exist gets the same answer."),
    (Check.OTHER_HOST_NAME, "differs"): msg("A host that cannot exist gets another answer."),
}
"""What each outcome of a control means."""

_NOT_POSSIBLE = "not_possible"


class Mark(StrEnum):
    """What became of a layer."""

    PASSED = "passed"
    WARNED = "warned"
    """Passed, and something was seen that deserves a word."""
    BROKE = "broke"
    UNREACHED = "unreached"


MARKS: dict[Mark, Message] = {
    Mark.PASSED: msg("passed"),
    Mark.WARNED: msg("passed, something seen besides"),
    Mark.BROKE: msg("stopped here"),
    Mark.UNREACHED: msg("not reached"),
}
"""The same in words, for who cannot see a mark."""


@dataclass(frozen=True)
class Hop:
    """A step within a layer: an address that was tried, a redirect."""

    mark: Mark
    says: Message
    took_s: float | None = None


@dataclass(frozen=True)
class Layer:
    """One layer of the path."""

    stage: Stage
    mark: Mark
    says: Message
    took_s: float | None = None
    """None where it was not reached."""
    codes: tuple[Code, ...] = ()
    """What broke it, or what was seen besides."""
    hops: tuple[Hop, ...] = ()


def layers(trace: Trace, url: str, mode: Mode = Mode.HTTP) -> tuple[Layer, ...]:
    """The path to *url* in the order of its layers, those that were not reached included."""
    return tuple(_layer(stage, trace, mode) for stage in _expected(trace, url, mode))


def way(trace: Trace) -> Message:
    """By which proxy, and who says so; or directly, and why."""
    route = trace.route
    if route.proxy is None:
        return msg("directly ({why})", why=route.why) if route.why else msg("directly")
    match route.why:
        case "":
            return msg("by the proxy {proxy}", proxy=route.proxy)
        case why if why == SITE:
            return msg("by the proxy {proxy}, named in the site file", proxy=route.proxy)
        case why if why == OPTION:
            return msg("by the proxy {proxy}, named on the command line", proxy=route.proxy)
        case why:
            return msg("by the proxy {proxy}, from {variable}", proxy=route.proxy, variable=why)


def layer_of(code: Code) -> Stage:
    """Where a warning is drawn."""
    match code.value.partition(".")[0]:
        case "dns":
            return Stage.RESOLVE
        case "tcp":
            return Stage.CONNECT
        case "proxy":
            return Stage.PROXY
        case "tls" | "host":  # a wrong clock shows in the dates of certificates
            return Stage.TLS
        case "stream" | "ws":
            return Stage.STREAM
        case _:
            return Stage.HTTP


def answer(check: CheckSeen) -> Message:
    """What a control showed, as one sentence."""
    if check.outcome == _NOT_POSSIBLE:
        return msg("{question} That could not be tried in the time.", question=CHECKS[check.check])
    said = ANSWERS.get((check.check, check.outcome))
    return msg("{question} {outcome}", question=CHECKS[check.check], outcome=check.outcome) if said is None else said


def _expected(trace: Trace, url: str, mode: Mode) -> Sequence[Stage]:
    """The layers that this request has, and any other that was noted."""
    secure = url.partition("://")[0].lower() in ("https", "wss")
    noted = {s.stage for s in trace.stages}
    wanted = {
        Stage.RESOLVE: True,
        Stage.CONNECT: True,
        Stage.PROXY: trace.route.proxy is not None,
        Stage.TLS: secure,
        Stage.HTTP: True,
        Stage.STREAM: mode is not Mode.HTTP,
    }
    return [stage for stage, always in wanted.items() if always or stage in noted]


def _layer(stage: Stage, trace: Trace, mode: Mode) -> Layer:
    noted = [s for s in trace.stages if s.stage is stage]
    if not noted:
        return Layer(stage, Mark.UNREACHED, msg("not reached"))
    took = sum(s.took_s for s in noted)
    hops = _hops(stage, trace)
    broke = next((s for s in noted if s.code is not None), None)
    if broke is not None and broke.code is not None:
        return Layer(stage, Mark.BROKE, _evidence(broke, broke.code), took, (broke.code,), hops)
    besides = tuple(c for c in trace.warnings if layer_of(c) is stage)
    mark = Mark.WARNED if besides else Mark.PASSED
    return Layer(stage, mark, _passed(stage, trace, noted[-1], mode), took, besides, hops)


def _evidence(seen: StageSeen, code: Code) -> Message:
    if seen.detail:
        return msg("{code}: {detail}", code=code.value, detail=readable(seen.detail))
    return msg("{code}", code=code.value)


def _passed(stage: Stage, trace: Trace, seen: StageSeen, mode: Mode) -> Message:
    match stage:
        case Stage.RESOLVE:
            return _resolved(trace)
        case Stage.CONNECT:
            if trace.route.proxy is not None:
                return msg("{peer}, the proxy", peer=trace.peer)
            return msg("{peer}", peer=trace.peer)
        case Stage.PROXY:
            if seen.detail:
                return msg("{proxy} opens the way ({detail})", proxy=trace.route.proxy, detail=seen.detail)
            return msg("{proxy} passes it on", proxy=trace.route.proxy)
        case Stage.TLS:
            if trace.tls is None:
                return msg("handshake passed")
            if not trace.tls.issuer:
                return msg("{version}", version=trace.tls.version)
            return msg("{version}, certificate issued by {issuer}", version=trace.tls.version, issuer=trace.tls.issuer)
        case Stage.HTTP:
            if trace.http is None:
                return msg("answered")
            if target := led_elsewhere(trace):
                return msg("status {status}; leads to {target}, not asked", status=trace.http.status, target=target)
            if seen.detail:
                return msg(
                    "status {status}, {kind} ({detail})",
                    status=trace.http.status,
                    kind=trace.http.body_kind,
                    detail=seen.detail,
                )
            return msg("status {status}, {kind}", status=trace.http.status, kind=trace.http.body_kind)
        case Stage.STREAM:
            return _streamed(trace, mode)
        case _:
            assert_never(stage)


def _resolved(trace: Trace) -> Message:
    proxy = trace.route.proxy
    host = trace.host if proxy is None else proxy.rpartition(":")[0].strip("[]")
    if address(host) is not None:
        return msg("{address} is an address, there is no name to resolve", address=host)
    if proxy is not None:
        return msg("{name}, the proxy; it resolves {target}", name=host, target=trace.host)
    if len(trace.addresses) > _MOST:
        return msg(
            "{name} → {addresses} and {n} more",
            name=host,
            addresses=trace.addresses[:_MOST],
            n=len(trace.addresses) - _MOST,
        )
    return msg("{name} → {addresses}", name=host, addresses=trace.addresses or ("?",))


def _streamed(trace: Trace, mode: Mode) -> Message:
    stream = trace.stream
    if stream is None:
        return msg("passed")
    if mode is Mode.WS:
        if stream.idle_s:
            return msg("frames echoed: {n}; a silence of {idle:duration} survived", n=stream.events, idle=stream.idle_s)
        return msg("frames echoed: {n}", n=stream.events)
    if stream.idle_s:
        return msg("events: {n}; a silence of {idle:duration} survived", n=stream.events, idle=stream.idle_s)
    return msg("events: {n}", n=stream.events)


def _hops(stage: Stage, trace: Trace) -> tuple[Hop, ...]:
    match stage:
        case Stage.CONNECT if len(trace.attempts) > 1:
            return _cut([_attempt(a) for a in trace.attempts])
        case Stage.HTTP:
            return _cut([Hop(Mark.PASSED, msg("redirected to {url}", url=url)) for url in trace.redirects])
        case _:
            return ()


def _attempt(seen: AttemptSeen) -> Hop:
    if seen.code is None:
        return Hop(Mark.PASSED, msg("{address}", address=seen.address), seen.took_s)
    says = msg("{address}  {code}", address=seen.address, code=seen.code.value)
    return Hop(Mark.BROKE, says, seen.took_s)


def _cut(hops: list[Hop]) -> tuple[Hop, ...]:
    if len(hops) <= _MOST:
        return tuple(hops)
    more = Hop(Mark.UNREACHED, msg("and {n} more", n=len(hops) - _MOST))
    return (*hops[:_MOST], more)
