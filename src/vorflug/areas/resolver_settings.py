"""The resolver's settings: search domains, and what containers get of it.

Sources: resolv.conf(5) (``search``, ``ndots``), systemd-resolved(8)
(127.0.0.53 and /run/systemd/resolve/resolv.conf), and Docker's "Container networking" (DNS services): the engine
leaves nameservers on loopback out, reads resolved's own file where only the stub is named, and else asks public ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.hosts import address
from vorflug.model.message import Message, msg
from vorflug.model.names import NameQuery, NameserversQuery
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.model.resolver_files import NDOTS, NDOTS_AT_MOST, nameservers, ndots, search_domains
from vorflug.ports import Host
from vorflug.ports.net import Code

TITLE = msg("Resolver settings")

RESOLV_CONF = "/etc/resolv.conf"
RESOLVED_CONF = "/run/systemd/resolve/resolv.conf"
DAEMON_JSON = "/etc/docker/daemon.json"
LABEL = "vorflug-check"
"""Put before a search domain: a name that nobody has."""
_EMBEDDED = "127.0.0.11"
"""Docker's nameserver within a container."""
_STUBS = ("127.0.0.53", "127.0.0.54")
"""systemd-resolved(8)."""


class ResolverFact(Fact):
    """What resolv.conf sets besides nameservers, and what others make of it."""

    configured: bool
    """Whether there is such a file."""
    search: tuple[str, ...] = ()
    """The search domains, in order; only names."""
    ndots: int = NDOTS
    upstream: tuple[str, ...] | None = None
    """The nameservers in systemd-resolved's own file; None where there is none."""
    docker: tuple[str, ...] | None = None
    """``dns`` of daemon.json; None where it sets none."""
    docker_unreadable: bool = False
    """daemon.json is there, but may not be read, or is no JSON."""


@dataclass(frozen=True, kw_only=True)
class ResolverQuery(Query[ResolverFact]):
    """How does this host look names up?"""

    kind = "resolver"
    touches = ("/etc/docker/daemon.json", "/run/systemd/resolve/resolv.conf", "/etc/resolv.conf")

    def asks(self) -> Message:
        return msg("Which search domains does this host use, and which nameservers do containers get?")

    def observe(self, host: Host) -> ResolverFact:
        docker, unreadable = _docker_dns(host)
        upstream = _text(host, RESOLVED_CONF)
        own = _text(host, RESOLV_CONF)
        return ResolverFact(
            configured=own is not None,
            search=search_domains(own or ""),
            ndots=ndots(own or ""),
            upstream=None if upstream is None else nameservers(upstream),
            docker=docker,
            docker_unreadable=unreadable,
        )


class SearchNdots(Requirement):
    """Full names are not tried with every search domain first."""

    kind = "search_ndots"
    at_most: Annotated[int, Field(ge=0, le=NDOTS_AT_MOST)]

    def wanted(self) -> Message:
        return msg("ndots at most {limit}", limit=self.at_most)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [ResolverQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[ResolverQuery()]
        seen = msg("ndots {ndots}, search domains: {n}", ndots=fact.ndots, n=len(fact.search))
        if not fact.search:
            return met(wanted=self.wanted(), seen=seen, because=msg("There is no search domain to be tried."))
        if fact.ndots <= self.at_most:
            return met(wanted=self.wanted(), seen=seen, because=msg("Full names are asked for as they stand first."))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "Every name with fewer than {ndots} dots is first asked for with each search domain ({search:list}). "
                "That costs time, and another host may answer.",
                ndots=fact.ndots,
                search=fact.search,
            ),
            fix=msg("Take ndots out of the options of /etc/resolv.conf, or set it to {limit}.", limit=self.at_most),
        )


class SearchWildcard(Requirement):
    """No search domain has an address for every name."""

    kind = "search_wildcard"

    def wanted(self) -> Message:
        return msg("no search domain that answers for every name")

    def then(self) -> Message | None:
        return msg("each nameserver of this host about {name} before each search domain", name=LABEL)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        first: list[Query[Any]] = [ResolverQuery(), NameserversQuery()]
        if not all(query in known for query in first):
            return first
        return [*first, *(query for _, query in self._asked(known))]

    def _asked(self, evidence: Evidence) -> list[tuple[str, NameQuery]]:
        return [
            (domain, NameQuery(name=f"{LABEL}.{domain}", server=server))
            for domain in evidence[ResolverQuery()].search
            for server in evidence[NameserversQuery()].servers
        ]

    def judge(self, evidence: Evidence) -> Verdict:
        search = evidence[ResolverQuery()].search
        if not search:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("no search domain"),
                because=msg("Without a search domain nothing is put behind a name."),
            )
        said = [(domain, evidence[query].resolved) for domain, query in self._asked(evidence)]
        made_up = tuple(dict.fromkeys(domain for domain, one in said if one.addresses))
        seen = msg("search domains: {search:list}", search=search)
        if made_up:
            addresses = next(one.addresses for _, one in said if one.addresses)
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{domains:list} has an address for any name ({addresses:list}): a name that does not resolve as it "
                    "stands leads there instead.",
                    domains=made_up,
                    addresses=addresses[:4],
                ),
                fix=msg(
                    "Take {domains:list} out of the search domains of this host, or the wildcard record (*) out of the "
                    "zone.",
                    domains=made_up,
                ),
            )
        known = {domain for domain, one in said if one.code in (Code.DNS_NXDOMAIN, Code.DNS_NODATA)}
        if not known.issuperset(search):
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "No nameserver says anything about a name in {domain}.", domain=_first_missing(search, known)
                ),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("An unknown name stays unknown in each of them."))


class ContainerNameservers(Requirement):
    """Containers get a nameserver of this network."""

    kind = "container_nameservers"

    def wanted(self) -> Message:
        return msg("a nameserver that containers can ask")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [NameserversQuery(), ResolverQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        servers, fact = evidence[NameserversQuery()].servers, evidence[ResolverQuery()]
        usable, where = self._usable(servers, fact)
        if usable:
            return met(
                wanted=self.wanted(),
                seen=msg("{servers:list} ({where})", servers=usable, where=where),
                because=msg("Docker hands these nameservers to containers."),
            )
        seen = msg("nameservers in {where}: {n}, none but on loopback", where=where, n=len(servers))
        if _EMBEDDED in servers:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{server} is Docker's own nameserver: this runs in a container.", server=_EMBEDDED),
                fix=msg("Run again on the machine itself."),
            )
        if fact.docker_unreadable:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Whether /etc/docker/daemon.json names others could not be read."),
                fix=msg("Run again as root, or repair the file."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "A container has a loopback of its own: Docker leaves these nameservers out, and may ask public ones "
                "(8.8.8.8) instead."
            ),
            fix=msg('Set "dns" in /etc/docker/daemon.json to the nameservers of this network, and restart Docker.'),
        )

    def _usable(self, servers: tuple[str, ...], fact: ResolverFact) -> tuple[tuple[str, ...], str]:
        """What the engine hands on, and where it stands."""
        if fact.docker:
            return fact.docker, DAEMON_JSON
        if set(servers) & set(_STUBS) and len(servers) == 1 and fact.upstream is not None:
            return _off_loopback(fact.upstream), RESOLVED_CONF
        return _off_loopback(servers), RESOLV_CONF


def _first_missing(search: tuple[str, ...], known: set[str]) -> str:
    return next(domain for domain in search if domain not in known)


def _off_loopback(servers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s for s in servers if not ip_address(s.partition("%")[0]).is_loopback)


def _text(host: Host, path: str) -> str | None:
    try:
        return host.files.read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _docker_dns(host: Host) -> tuple[tuple[str, ...] | None, bool]:
    try:
        text = _text(host, DAEMON_JSON)
    except PermissionError:
        return None, True
    if text is None:
        return None, False
    try:
        said = json.loads(text)
    except ValueError:
        return None, True
    dns = said.get("dns") if isinstance(said, dict) else None
    found = tuple(s for s in dns if isinstance(s, str) and address(s) is not None) if isinstance(dns, list) else ()
    return found or None, False
