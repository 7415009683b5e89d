"""What a stopped connection proves, who can act, and on what.  One table for every area that asks the network.

A sentence says what was seen and no more: a refusal is not a firewall, silence is not a refusal.  The cause names the
thing that others would meet too, so that seven endpoints behind one silent nameserver have one root.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from string import Formatter
from typing import assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, msg, sentences
from vorflug.model.netcause_cases import CASES, Case, case_of, team_of_case
from vorflug.model.netcause_detail import header, readable, redirect_target, times, useless_variables
from vorflug.model.netcause_shared import FIXES, PART_OF, SAYS
from vorflug.model.netcause_texts import TEXTS
from vorflug.ports.net import SITE, Check, Code, Mode, Resolved, Route, Stage, StageSeen, Trace

_DIRECT = Route(None, "")

BY_PROXY = msg("Or, if a proxy is used here, name it in the site file (proxy.used, proxy.url).")
"""Behind a proxy a host need not resolve the names outside (RFC 9110, 9.3.6: the proxy does)."""


@dataclass(frozen=True)
class Stopped:
    """Why a request did not come through."""

    code: Code
    says: Message
    """What was seen and what that means."""
    fix: Message
    cause: Cause
    case: Case | None = None
    """What the trace shows beyond the code."""


class _About(StrEnum):
    """What a code is about."""

    NAME = "name"
    RESOLVERS = "resolvers"
    ENDPOINT = "endpoint"
    PROXY = "proxy"
    PROXY_AND_ENDPOINT = "proxy_and_endpoint"
    ISSUER = "issuer"
    CLOCK = "clock"
    """This machine's clock, whatever is asked."""


def stopped(trace: Trace, url: str, *, external: bool = False, mode: Mode = Mode.HTTP) -> Stopped | None:
    """What stopped the request to *url*; None where the whole request passed, whatever the answer's status.

    *external*: it leads outside, where a proxy that nobody named may be the way.  *mode*: what was asked for.
    """
    stage = trace.stopped_at
    if stage is None or stage.code is None:
        return None
    return explain(trace, url, stage.code, stage, external=external, mode=mode)


def warned(trace: Trace, url: str, code: Code) -> Stopped:
    """The same for one of the trace's warnings."""
    return explain(trace, url, code, _witness(trace, code))


def _witness(trace: Trace, code: Code) -> StageSeen | None:
    """Where the evidence of a warning stands; None where its words need none."""
    if code is Code.HOST_CLOCK_WRONG:
        clock = next((c for c in trace.checks if c.check is Check.CLOCK), None)
        return None if clock is None else StageSeen(Stage.TLS, clock.took_s, code, clock.detail)
    if code.value.startswith("dns."):
        return next((replace(s, code=code) for s in trace.stages if s.stage is Stage.RESOLVE), None)
    return None


def explain(
    trace: Trace, url: str, code: Code, stage: StageSeen | None, *, external: bool = False, mode: Mode = Mode.HTTP
) -> Stopped:
    """Sentences and cause for *code* as it was met in *trace*."""
    case = case_of(trace, url, code, stage, mode)
    words = _words(trace, url, stage)
    if code is Code.TCP_V6_BROKEN:
        words |= _over_ipv6(trace)
    sentence, remedy = (_filled(template, words) for template in (TEXTS[code] if case is None else CASES[case]))
    if external and stage is not None and stage.stage is Stage.RESOLVE and trace.route == _DIRECT:
        remedy = sentences([remedy, BY_PROXY])
    cause = _cause(code, words, sentence, remedy, team_of_case(case) or team_of(code))
    if case is Case.NO_STORE:  # whatever is asked, and whoever issued its certificates
        named = useless_variables("" if stage is None else stage.detail)
        cause = Cause(f"{code.value}.{case.value}", " ".join(named), sentence, remedy, cause.team)
    return Stopped(code, sentence, remedy, cause, case)


def _cause(code: Code, words: dict[str, object], sentence: Message, remedy: Message, team: Team | None) -> Cause:
    """The cause, which others may have, too: its words name no endpoint where it is about what stands before many."""
    template, mending = SAYS.get(code), FIXES.get(code)
    part_of = PART_OF.get(code)
    return Cause(
        code.value,
        _subject(code, words),
        sentence if template is None else _filled(template, words),
        remedy if mending is None else _filled(mending, words),
        team,
        None if part_of is None else part_of.value,
    )


def resolver_stopped(resolved: Resolved, code: Code, servers: tuple[str, ...], *, external: bool = False) -> Stopped:
    """The same for a name that was only resolved; *servers* are those that the sentence is about."""
    stage = StageSeen(Stage.RESOLVE, resolved.took_s, code, resolved.detail)
    trace = Trace(resolved.name, 0, _DIRECT, resolved.addresses, "", (stage,), resolvers=servers)
    return explain(trace, resolved.name, code, stage, external=external)


def _filled(template: Message, words: dict[str, object]) -> Message:
    used = {name for _, name, _, _ in Formatter().parse(template.text) if name}
    # in the order of *words*: a set has another one in every process
    return Message(template.text, {name: word for name, word in words.items() if name in used})


def _words(trace: Trace, url: str, stage: StageSeen | None) -> dict[str, object]:
    chain = trace.tls.chain if trace.tls is not None else ()
    leaf = chain[0] if chain else None
    endpoint = f"[{trace.host}]:{trace.port}" if ":" in trace.host else f"{trace.host}:{trace.port}"
    peer = trace.peer or endpoint
    if trace.route.proxy is not None and stage is not None and _is_about_the_proxy(stage):
        endpoint = trace.route.proxy
    proxy = trace.proxy
    return {
        "url": url,
        "name": trace.host,
        "endpoint": endpoint,
        "peer": peer,
        "proxy": trace.route.proxy or "-",
        "why": _named(trace.route.why),
        "setting": msg("the site file") if trace.route.why == SITE else trace.route.why or "-",
        "resolvers": ", ".join(trace.resolvers) or "system",
        "detail": readable(stage.detail) if stage is not None and stage.detail else "-",
        "target": (redirect_target(stage.detail) if stage is not None else "") or "-",
        "took": stage.took_s if stage is not None else 0.0,
        "subject": leaf.subject if leaf else "-",
        "issuer": (trace.tls.issuer if trace.tls is not None else "") or "-",
        "names": ((*leaf.names, *leaf.addresses)[:5] if leaf else ()) or ("-",),
        "not_before": leaf.not_before if leaf else "-",
        "not_after": leaf.not_after if leaf else "-",
        "key": leaf.key if leaf else "-",
        "signature": leaf.signature if leaf else "-",
        "status": _status(trace, stage),
        "schemes": tuple(s.capitalize() if s != "ntlm" else "NTLM" for s in proxy.schemes) if proxy else ("-",),
        "addresses": trace.addresses or ("-",),
        "idle": trace.stream.idle_s if trace.stream else 0.0,
        "events": trace.stream.events if trace.stream else 0,
        "first": trace.stream.arrived_s[0] if trace.stream and trace.stream.arrived_s else 0.0,
        "type": header(trace.http, "content-type") or "-",
        "retry": header(trace.http, "retry-after") or "-",
        "title": (trace.http.title if trace.http else "") or "-",
        "variables": (useless_variables(stage.detail) if stage is not None else ()) or ("-",),
        "theirs": (*times(stage), "-")[0],
        "here": (*times(stage)[1:], "-")[0],
        "programs": next((c.detail for c in trace.checks if c.check is Check.PROGRAMS), "-"),
    }


def _status(trace: Trace, stage: StageSeen | None) -> int:
    """The answer's status that the stage is about; a proxy that granted CONNECT said 200, and the service another."""
    if trace.proxy is not None and (trace.http is None or (stage is not None and stage.stage is Stage.PROXY)):
        return trace.proxy.status
    return trace.http.status if trace.http is not None else 0


def _over_ipv6(trace: Trace) -> dict[str, object]:
    """Whose IPv6 addresses failed: by a proxy only its own are tried."""
    failed = tuple(a.address for a in trace.attempts if ":" in a.address and a.code is not None)
    proxy = trace.route.proxy
    name = trace.host if proxy is None else proxy.rpartition(":")[0]
    return {"name": name, "addresses": failed or trace.addresses or ("-",)}


def _named(why: str) -> Message | str:
    """Where a proxy is named, in words."""
    if why == SITE:
        return msg("named in the site file")
    return msg("from {variable}", variable=why) if why else "-"


def _is_about_the_proxy(stage: StageSeen) -> bool:
    """Whether the connection that failed is the one to the proxy itself."""
    return stage.stage is Stage.CONNECT or (stage.stage is Stage.PROXY and str(stage.code).startswith(("tls.", "tcp.")))


def _subject(code: Code, words: dict[str, object]) -> str:
    about = _about(code)
    match about:
        case _About.NAME:
            return str(words["name"])
        case _About.RESOLVERS:
            return str(words["resolvers"])
        case _About.ENDPOINT:
            return str(words["endpoint"])
        case _About.PROXY:
            return str(words["proxy"])
        case _About.PROXY_AND_ENDPOINT:
            return f"{words['proxy']} {words['endpoint']}"
        case _About.ISSUER:
            return str(words["issuer"])
        case _About.CLOCK:
            return "clock"
        case _:
            assert_never(about)


def _about(code: Code) -> _About:
    match code:
        case (
            Code.DNS_TIMEOUT
            | Code.DNS_REFUSED
            | Code.DNS_UNREACHABLE
            | Code.DNS_TRUNCATED_TCP_BLOCKED
            | Code.DNS_HIJACK
            | Code.DNS_SLOW_FALLBACK
        ):
            return _About.RESOLVERS
        case (
            Code.DNS_NXDOMAIN
            | Code.DNS_SERVFAIL
            | Code.DNS_NODATA
            | Code.DNS_BOGON
            | Code.DNS_CNAME_LOOP
            | Code.DNS_HOSTS_OVERRIDE
            | Code.DNS_SEARCH_DOMAIN
            | Code.TLS_SNI_FILTERED
            | Code.HTTP_BLOCK_PAGE
        ):
            return _About.NAME
        case (
            Code.PROXY_REFUSED
            | Code.PROXY_DNS
            | Code.PROXY_TIMEOUT
            | Code.PROXY_AUTH_REQUIRED
            | Code.PROXY_AUTH_REJECTED
            | Code.PROXY_AUTH_UNSUPPORTED
            | Code.PROXY_CONFIG
        ):
            return _About.PROXY
        case (
            Code.PROXY_DENIED
            | Code.PROXY_UPSTREAM_DNS
            | Code.PROXY_UPSTREAM_TIMEOUT
            | Code.PROXY_UPSTREAM_REFUSED
            | Code.PROXY_CLOSED
            | Code.PROXY_TUNNEL_STALL
        ):
            return _About.PROXY_AND_ENDPOINT
        case Code.TLS_UNKNOWN_CA | Code.TLS_INTERCEPTED:
            return _About.ISSUER
        case Code.HOST_CLOCK_WRONG:
            return _About.CLOCK
        case _:
            return _About.ENDPOINT


def team_of(code: Code) -> Team | None:
    """Who is asked first; None leaves it with the requirement's own team, because the code proves nobody's fault."""
    match code:
        case Code.TCP_REFUSED:
            return None  # mostly the target itself, whoever runs that
        case Code.DNS_HOSTS_OVERRIDE | Code.HOST_CLOCK_WRONG | Code.TLS_NOT_YET_VALID:
            return Team.OS
        case Code.TLS_STALL | Code.TLS_RESET | Code.TLS_SNI_FILTERED | Code.HTTP_CAPTIVE_PORTAL:
            return Team.NETWORK
        case Code.HTTP_BLOCK_PAGE | Code.TLS_INTERCEPTED:
            return Team.PROXY  # whose device answers or re-signs acts first
        case Code.HTTP_DENIED_BY_SERVICE:
            return Team.PROJECT
    match code.value.partition(".")[0]:
        case "dns":
            return Team.DNS
        case "tcp":
            return Team.NETWORK
        case "proxy":
            return Team.PROXY
    match code:
        case (
            Code.TLS_HOST_MISMATCH
            | Code.TLS_EXPIRED
            | Code.TLS_SELF_SIGNED
            | Code.TLS_UNKNOWN_CA
            | Code.TLS_MISSING_INTERMEDIATE
            | Code.TLS_WEAK_KEY
            | Code.TLS_WEAK_SIGNATURE
            | Code.TLS_STRICT_ONLY
            | Code.TLS_INVALID_CHAIN
            | Code.TLS_CLIENT_CERT_REQUIRED
        ):
            return Team.PKI
        case _:
            return None
