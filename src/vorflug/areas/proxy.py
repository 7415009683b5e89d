"""The proxy: is it set so that every program reads the same, does it let the targets through, does it re-sign TLS?

Programs read the variables differently: curl(1) ignores HTTP_PROXY in capitals and prefers lower case elsewhere, Go's
net/http prefers capitals, Python's urllib lower case.  So a difference between the spellings is a fault in itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.hosts import exempts
from vorflug.model.message import Message, msg, sentences
from vorflug.model.probing import HostName, ProxyUrl, RequestQuery, Url
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import Code, ProxyVariable, Stage, TlsSeen, Trace

TITLE = msg("Proxy")

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_HTTPS = 443


class ProxyVariablesFact(Fact):
    """The proxy variables of the environment, credentials only as "there are some"."""

    variables: tuple[ProxyVariable, ...]


@dataclass(frozen=True, kw_only=True)
class ProxyVariablesQuery(Query[ProxyVariablesFact]):
    """Which proxy variables are set, in which spelling?"""

    kind = "proxy_variables"
    touches = ("@net.proxy_variables",)

    def asks(self) -> Message:
        return msg("Which proxy variables are set, in which spelling?")

    def observe(self, host: Host) -> ProxyVariablesFact:
        return ProxyVariablesFact(variables=host.net.proxy_variables())


class ProxySettings(Requirement):
    """The variables name one proxy, the same in every spelling, and exempt what must go direct."""

    kind = "proxy_settings"
    expected: ProxyUrl | None = None
    """The proxy that the site names; None where the site says nothing."""
    direct: tuple[HostName, ...] = ()
    """Names that must not go by the proxy."""
    both_spellings: bool = False
    """Each variable must be set in lower and upper case."""

    def wanted(self) -> Message:
        if self.expected is not None:
            return msg("variables that name {proxy}, without contradictions", proxy=self.expected)
        return msg("proxy variables without contradictions, or none")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing follows from an answer
        return [ProxyVariablesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        variables = {v.name: v for v in evidence[ProxyVariablesQuery()].variables}
        seen = _listed(tuple(variables.values()))
        proxies, exemptions = self._problems(variables), self._exemption_problems(variables)
        if not proxies and not exemptions:
            because = (
                msg("The proxy variables agree with one another.") if variables else msg("No proxy variable is set.")
            )
            return met(wanted=self.wanted(), seen=seen, because=because)
        because = sentences([*proxies, *exemptions])
        fix = sentences(
            [*([self._exempt_fix(variables)] if exemptions else []), *([self._proxies_fix()] if proxies else [])],
        )
        cause = Cause(Code.PROXY_CONFIG.value, "environment", because, fix)
        return unmet(wanted=self.wanted(), seen=seen, because=because, fix=fix, cause=cause)

    def _proxies_fix(self) -> Message:
        if self.expected is not None:
            return msg("Set http_proxy and https_proxy (both spellings) to {proxy}.", proxy=self.expected)
        return msg("Set http_proxy and https_proxy (both spellings) to the same proxy, or unset all of them.")

    def _exempt_fix(self, variables: dict[str, ProxyVariable]) -> Message:
        lists = self._lists(variables)
        lacking = tuple(n for n in self.direct if not lists or not all(exempts(v.value, n, _HTTPS) for v in lists))
        if lacking:
            return msg("Add {names:list} to no_proxy and NO_PROXY.", names=lacking)
        return msg("Set no_proxy and NO_PROXY to the same list of what goes without the proxy.")

    def _problems(self, variables: dict[str, ProxyVariable]) -> list[Message]:
        """What is wrong with the variables that name a proxy."""
        found = [
            msg("{name} names no usable proxy (wanted: http://host:port).", name=v.name)
            for v in variables.values()
            if not v.valid
        ]
        found += [problem for lower in _PROXIES for problem in self._spellings(variables, lower)]
        names = {name.lower() for name in variables}
        if names & set(_PROXIES) and not names & {"https_proxy", "all_proxy"}:
            found.append(msg("https_proxy is not set: HTTPS goes without the proxy."))
        if self.expected is not None:
            for lower in ("https_proxy", "http_proxy"):
                set_ = [variables[n] for n in (lower, lower.upper()) if n in variables]
                if not set_ and "all_proxy" not in names:
                    found.append(msg("{name} is not set, but {proxy} is wanted.", name=lower, proxy=self.expected))
                found += [
                    msg("{name} names {seen}, not {proxy}.", name=v.name, seen=v.value, proxy=self.expected)
                    for v in set_
                    if v.valid and _plain(v) != _address(self.expected)
                ]
        return found

    def _exemption_problems(self, variables: dict[str, ProxyVariable]) -> list[Message]:
        """What is wrong with the lists of what goes direct, each by the name that it has."""
        found = self._spellings(variables, "no_proxy")
        if not {name.lower() for name in variables} & set(_PROXIES):
            return found
        lists = self._lists(variables)
        if not lists:
            found.append(msg("NO_PROXY is not set: local traffic goes by the proxy, too."))
        for variable in lists:
            lacking = tuple(n for n in self.direct if not exempts(variable.value, n, _HTTPS))
            if lacking:
                found.append(msg("{name} does not exempt {names:list}.", name=variable.name, names=lacking))
        return found

    @staticmethod
    def _lists(variables: dict[str, ProxyVariable]) -> list[ProxyVariable]:
        return [variables[n] for n in ("no_proxy", "NO_PROXY") if n in variables]

    def _spellings(self, variables: dict[str, ProxyVariable], lower: str) -> list[Message]:
        one, other = variables.get(lower), variables.get(lower.upper())
        if one is not None and other is not None and _plain(one) != _plain(other):
            return [msg("{one} and {other} differ: programs go different ways.", one=lower, other=lower.upper())]
        only = one or other
        if self.both_spellings and only is not None and (one is None or other is None):
            return [msg("{name} is set in one spelling only: some programs do not read it.", name=only.name)]
        return []


class ProxySet(Requirement):
    """A proxy is needed here, and one is set: by the site or by the environment."""

    kind = "proxy_set"
    proxy: ProxyUrl | None = None
    """The proxy that the site names."""

    def wanted(self) -> Message:
        return msg("the address of the proxy, in the site file or in the proxy variables")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing follows from an answer
        return [ProxyVariablesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        variables = tuple(v for v in evidence[ProxyVariablesQuery()].variables if v.name.lower() in _PROXIES)
        seen = _listed(variables)
        if self.proxy is not None:
            because = msg("The site file names the proxy {proxy}.", proxy=self.proxy)
            return met(wanted=self.wanted(), seen=msg("{proxy}", proxy=self.proxy), because=because)
        if variables:
            return met(wanted=self.wanted(), seen=seen, because=msg("The environment names a proxy."))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=NOT_SET.says,
            fix=_NAME_IT,
            cause=NOT_SET,
        )

    def about(self, evidence: Evidence) -> Cause | None:
        return self.judge(evidence).cause


_NAME_IT = msg(
    "Name the proxy in the site file (proxy.url) or in http_proxy and https_proxy; "
    "if there is none, answer proxy.used with false."
)
NOT_SET = Cause("proxy.not_set", "environment", msg("A proxy is said to be needed, but none is set here."), _NAME_IT)


def _plain(variable: ProxyVariable) -> object:
    if variable.name.lower() == "no_proxy":
        return frozenset(part for part in variable.value.lower().replace(",", " ").split())
    return _address(variable.value) if variable.valid else (variable.value, variable.name)


def _address(url: str) -> str:
    """``http://p:80/`` and ``http://p`` are one."""
    address = url.lower().rstrip("/")
    return address.removesuffix(":80") if address.startswith("http://") else address.removesuffix(":443")


def _listed(variables: tuple[ProxyVariable, ...]) -> Message:
    if not variables:
        return msg("none set")
    return msg("{variables:list}", variables=tuple(_shown(v) for v in variables))


def _shown(variable: ProxyVariable) -> Message:
    if not variable.valid:
        return msg("{name} (not readable as a proxy)", name=variable.name)
    if variable.has_credentials:
        return msg("{name}={value} (with credentials)", name=variable.name, value=variable.value)
    return msg("{name}={value}", name=variable.name, value=variable.value)


class _ManyRequests(Requirement):
    """Asks several addresses."""

    urls: Annotated[tuple[Url, ...], Field(min_length=1)]
    proxy: ProxyUrl | None = None
    """A proxy that wins over the environment."""
    ca_file: str | None = None
    """Further trust anchors (PEM)."""

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing follows from an answer
        return [self._query(url) for url in self.urls]

    @abstractmethod
    def _query(self, url: str) -> RequestQuery:
        """The request that is made to *url*."""

    def _traces(self, evidence: Evidence) -> tuple[list[tuple[str, Trace]], NotSeen | None]:
        """What was seen, and the first gap."""
        seen: list[tuple[str, Trace]] = []
        gap: NotSeen | None = None
        for url in self.urls:
            try:
                seen.append((url, evidence[self._query(url)].trace))
            except NotSeen as unseen:
                gap = gap or unseen
        return seen, gap


class ProxyConnect(_ManyRequests):
    """The proxy lets each of these through, as far as they go by one."""

    kind = "proxy_connect"
    needed: bool = False
    """A proxy is said to be used here: that none is set is no reason to leave this out."""

    def wanted(self) -> Message:
        return self._wanted(self.urls)

    @staticmethod
    def _wanted(urls: tuple[str, ...]) -> Message:
        return msg("the proxy opens the way to {urls:list}", urls=urls)

    def _query(self, url: str) -> RequestQuery:
        return RequestQuery(url=url, proxy=self.proxy, ca_file=self.ca_file)

    def judge(self, evidence: Evidence) -> Verdict:
        traces, gap = self._traces(evidence)
        by_proxy = [(url, t) for url, t in traces if t.route.proxy is not None or _code_at_proxy(t) is not None]
        failed = [
            (url, stopped)
            for url, t in by_proxy
            if _code_at_proxy(t) is not None and (stopped := netcause.stopped(t, url)) is not None
        ]
        wanted = self._wanted(tuple(url for url, _ in by_proxy))
        if failed:
            return unmet(
                wanted=wanted,
                seen=msg("no way to {urls:list}", urls=tuple(url for url, _ in failed)),
                because=sentences(stopped.says for _, stopped in failed),
                fix=sentences(stopped.fix for _, stopped in failed),
                cause=failed[0][1].cause,
            )
        if gap is not None:
            raise gap
        if not by_proxy and self.needed and any(not t.route.why for _, t in traces):
            return unknown(
                wanted=self.wanted(),
                seen=msg("direct connections"),
                because=NOT_SET.says,
                fix=NOT_SET.fix,
                cause=NOT_SET,
            )
        if not by_proxy:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("direct connections"),
                because=msg("No proxy is set for these addresses, or they are exempt: they are reached directly."),
            )
        return met(
            wanted=wanted,
            seen=msg("a way to {urls:list}", urls=tuple(url for url, _ in by_proxy)),
            because=self._opens(by_proxy, [url for url, t in traces if t.route.proxy is None]),
        )

    @staticmethod
    def _opens(by_proxy: list[tuple[str, Trace]], direct: list[str]) -> Message:
        proxy = by_proxy[0][1].route.proxy
        opens = msg("The proxy {proxy} opens the way to {urls:list}.", proxy=proxy, urls=tuple(u for u, _ in by_proxy))
        return sentences([opens, msg("{urls:list} go direct.", urls=tuple(direct))]) if direct else opens

    def about(self, evidence: Evidence) -> Cause | None:
        cause = self.judge(evidence).cause
        return None if cause == NOT_SET else cause


def _code_at_proxy(trace: Trace) -> Code | None:
    """The code of the way to and through the proxy; None where it passed, whatever came behind."""
    if trace.route.proxy is None and trace.code is not Code.PROXY_CONFIG:
        return None
    return next(
        (s.code for s in trace.stages if s.code and s.stage in (Stage.RESOLVE, Stage.CONNECT, Stage.PROXY)), None
    )


_Shown = tuple[str, Trace, TlsSeen]
"""An address, what was seen on the way to it, and the certificates that it showed."""


class TlsInterception(_ManyRequests):
    """Nobody re-signs TLS on the way to these public services; or whoever does is trusted here."""

    kind = "tls_interception"
    tolerate_trusted: bool = True
    """A re-signing CA that this host trusts is no fault."""

    def wanted(self) -> Message:
        if self.tolerate_trusted:
            return msg("certificates from public authorities, or from a CA that this host trusts")
        return msg("certificates from public authorities")

    def _query(self, url: str) -> RequestQuery:
        return RequestQuery(url=url, proxy=self.proxy, ca_file=self.ca_file, public_ca=True)

    def judge(self, evidence: Evidence) -> Verdict:
        traces, gap = self._traces(evidence)
        shown = [(url, t, t.tls) for url, t in traces if t.tls is not None and t.tls.chain]
        foreign = [one for one in shown if not one[2].trusted_publicly]
        distrusted = [one for one in foreign if not one[2].trusted]
        faults = distrusted if self.tolerate_trusted else foreign
        if faults:
            return self._unmet(faults)
        if gap is not None:
            raise gap
        if len(shown) < len(traces):
            return self._unclear(next((url, t) for url, t in traces if t.tls is None or not t.tls.chain))
        if foreign:
            note = netcause.warned(foreign[0][1], foreign[0][0], Code.TLS_INTERCEPTED)
            return met(
                wanted=self.wanted(),
                seen=_issuers(foreign),
                because=msg("{note} This host trusts it; containers must, too.", note=note.says),
            )
        return met(wanted=self.wanted(), seen=_issuers(shown), because=msg("Every chain ends at a public authority."))

    def _unmet(self, faults: list[_Shown]) -> Verdict:
        url, trace, _ = faults[0]
        other = netcause.stopped(trace, url) or netcause.warned(trace, url, Code.TLS_INTERCEPTED)
        return unmet(wanted=self.wanted(), seen=_issuers(faults), because=other.says, fix=other.fix, cause=other.cause)

    def _unclear(self, missing: tuple[str, Trace]) -> Verdict:
        url, trace = missing
        stopped = netcause.stopped(trace, url, external=True)
        if stopped is None:  # plain http shows no certificate
            return not_applicable(
                wanted=self.wanted(), because=msg("{url} is asked without TLS: nothing can be re-signed.", url=url)
            )
        return unknown(
            wanted=self.wanted(),
            seen=msg("no certificate from {url}", url=url),
            because=sentences([msg("No certificate was seen."), stopped.says]),
            fix=stopped.fix,
            cause=stopped.cause,
        )

    def about(self, evidence: Evidence) -> Cause | None:
        cause = self.judge(evidence).cause
        return cause if cause is not None and cause.kind == Code.TLS_INTERCEPTED else None


def _issuers(shown: list[_Shown]) -> Message:
    issuers = tuple(dict.fromkeys(tls.issuer for _, _, tls in shown))
    return msg("issued by {issuers:list}", issuers=issuers)
