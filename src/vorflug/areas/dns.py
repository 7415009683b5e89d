"""Names: do they resolve, by every nameserver alike, and to what they should?

The system's resolver is asked as every program here asks it, and each nameserver of /etc/resolv.conf on its own, since
a second one that knows less is noticed only on the day the first is down (resolv.conf(5)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.evidence import Evidence
from vorflug.model.hosts import is_bogon
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.names import ANSWERS, NameQuery, NameserversQuery
from vorflug.model.probing import HostName, ProxyUrl, RouteQuery
from vorflug.model.query import Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports.net import Code, Resolved

TITLE = msg("Name resolution")

NOWHERE = "vorflug-check.invalid"
"""A name that cannot exist (RFC 6761, 6.4)."""


@dataclass(frozen=True)
class _Trouble:
    """One thing that is wrong."""

    says: Message
    fix: Message
    cause: Cause
    unproxied: bool = False
    """A proxy that is set nowhere might be the way instead."""


class DnsResolves(Requirement):
    """Each name resolves here, and every nameserver that answers says the same."""

    kind = "dns_resolves"
    names: Annotated[tuple[HostName, ...], Field(min_length=1)]
    expected: tuple[IPv4Address | IPv6Address, ...] = ()
    """Every address must be one of these; empty where any will do."""
    external: bool = False
    """Names of the public internet: where a proxy resolves them, this host need not; hijacked answers are a fault."""
    proxy: ProxyUrl | None = None
    """A proxy that wins over the environment, for *external*."""

    def wanted(self) -> Message:
        if self.expected:
            return msg(
                "{names:list} at {addresses:or}", names=self.names, addresses=tuple(str(a) for a in self.expected)
            )
        return msg("an address for {names:list}", names=self.names)

    def then(self) -> Message | None:
        if self.external:
            return msg(
                "each nameserver of this host about the same names, and about one that cannot exist, {name}",
                name=NOWHERE,
            )
        return msg("each nameserver of this host about the same names")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        names = (*self.names, NOWHERE) if self.external else self.names
        asked: list[Query[Any]] = [NameserversQuery(), *(NameQuery(name=n) for n in self.names)]
        if self.external:
            asked += [self._route(n) for n in self.names]
        if NameserversQuery() in known:
            asked += [NameQuery(name=n, server=s) for n in names for s in known[NameserversQuery()].servers]
        return asked

    def judge(self, evidence: Evidence) -> Verdict:
        nameservers = evidence[NameserversQuery()]
        by_proxy = tuple(n for n in self.names if self.external and evidence[self._route(n)].route.proxy is not None)
        local = [n for n in self.names if n not in by_proxy]
        if not local:
            proxy = evidence[self._route(by_proxy[0])].route.proxy
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("resolved by the proxy {proxy}", proxy=proxy),
                because=msg("Requests to these names go by the proxy {proxy}, which resolves them.", proxy=proxy),
            )
        troubles: list[_Trouble] = []
        notes: list[Message] = []
        # names that no nameserver said anything about
        unanswered: list[tuple[Resolved, Code]] = []
        for name in local:
            said = [evidence[NameQuery(name=name, server=s)].resolved for s in nameservers.servers]
            troubles += self._troubles(
                evidence[NameQuery(name=name)].resolved, said, unproxied=self._unproxied(name, evidence)
            )
            notes += [msg("{server} gave no answer.", server=r.server) for r in said if _is_silent(r)]
            if said and all(_is_silent(r) for r in said):
                unanswered += [(r, r.code) for r in said[:1] if r.code is not None]
        if self.external:
            hijack = [evidence[NameQuery(name=NOWHERE, server=s)].resolved for s in nameservers.servers]
            troubles += [_stopped(r, Code.DNS_HIJACK, (r.server,)) for r in hijack if r.addresses]
        seen = listed(_shown(evidence[NameQuery(name=name)].resolved) for name in local)
        if troubles:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=sentences(t.says for t in troubles),
                fix=sentences([*(t.fix for t in troubles), *(netcause.BY_PROXY for t in troubles if t.unproxied)]),
                cause=troubles[0].cause,
            )
        if unanswered:
            silent, code = unanswered[0]
            found = _stopped(silent, code, nameservers.servers)
            says = msg(
                "This host has an address for {names:list} all the same (an entry in /etc/hosts?), "
                "but containers do not read its file.",
                names=tuple(r.name for r, _ in unanswered),
            )
            return unknown(
                wanted=self.wanted(), seen=seen, because=sentences([found.says, says]), fix=found.fix, cause=found.cause
            )
        if by_proxy:
            notes.append(msg("{names:list} are resolved by the proxy.", names=by_proxy))
        resolves = msg("Every name resolves as wanted.")
        return met(wanted=self.wanted(), seen=seen, because=sentences([resolves, *notes]))

    def about(self, evidence: Evidence) -> Cause | None:
        return self.judge(evidence).cause

    def _route(self, name: str) -> RouteQuery:
        return RouteQuery(url=f"https://{name}/", proxy=self.proxy)

    def _unproxied(self, name: str, evidence: Evidence) -> bool:
        """Whether a proxy that is set nowhere might be the way to *name*."""
        return self.external and not evidence[self._route(name)].route.why

    def _troubles(self, here: Resolved, said: list[Resolved], *, unproxied: bool) -> list[_Trouble]:
        """What is wrong with one name: *here* is this host's answer, *said* that of each nameserver."""
        servers = tuple(r.server for r in said)
        if here.code is not None:
            return [_stopped(here, here.code, servers, external=unproxied)]
        found = [t for r in (here, *said) for t in self._wrong_addresses(r)]
        answered = [r for r in said if not _is_silent(r)]
        without = [r for r in answered if r.code is not None]
        if answered and len(without) == len(answered):
            found.append(_only_here(here))
        else:
            found += [_stopped(r, r.code, (r.server,)) for r in without if r.code is not None]
        return found

    def _wrong_addresses(self, resolved: Resolved) -> list[_Trouble]:
        wrong = tuple(a for a in resolved.addresses if self.expected and ip_address(a) not in self.expected)
        if wrong:
            says = msg(
                "{name} leads to {seen:list}, not to {wanted:or} (says {server}).",
                name=resolved.name,
                seen=wrong,
                wanted=tuple(str(a) for a in self.expected),
                server=_who(resolved),
            )
            fix = msg("Correct the A and AAAA records of {name}.", name=resolved.name)
            return [_Trouble(says, fix, Cause("dns.wrong_address", resolved.name, says, fix, Team.DNS))]
        if self.external and any(is_bogon(a) for a in resolved.addresses):
            return [_stopped(resolved, Code.DNS_BOGON, ())]
        return []


def _only_here(here: Resolved) -> _Trouble:
    """No nameserver knows the name as it stands, but this host does: by its search list, or by its hosts file."""
    if here.canonical.lower().startswith(f"{here.name.lower().rstrip('.')}."):
        says = msg("{name} resolves only by a search domain, as {full}.", name=here.name, full=here.canonical)
        fix = msg("Use the full name {full}: containers may have no search domain.", full=here.canonical)
        return _Trouble(says, fix, Cause("dns.search_domain", here.name, says, fix, Team.DNS))
    says = msg("{name} resolves here, but no nameserver knows it (an entry in /etc/hosts?).", name=here.name)
    fix = msg("Create {name} in DNS: containers and other machines do not read this host's file.", name=here.name)
    return _Trouble(says, fix, Cause("dns.hosts_override", here.name, says, fix, Team.DNS))


def _is_silent(resolved: Resolved) -> bool:
    return resolved.code in (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)


def _stopped(resolved: Resolved, code: Code, servers: tuple[str, ...], *, external: bool = False) -> _Trouble:
    found = netcause.resolver_stopped(resolved, code, servers, external=external)
    plain = netcause.resolver_stopped(resolved, code, servers)
    return _Trouble(plain.says, plain.fix, found.cause, external)


def _who(resolved: Resolved) -> Message | str:
    return msg("this host's resolver") if resolved.server == "system" else resolved.server


def _shown(resolved: Resolved) -> Message:
    if resolved.code is not None:
        return msg("{name}: {answer}", name=resolved.name, answer=ANSWERS[resolved.code])
    return msg("{name}: {addresses:list}", name=resolved.name, addresses=resolved.addresses[:6])
