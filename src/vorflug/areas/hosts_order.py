"""The hosts file and DNS: in which order are they asked, and do they agree?

Sources: nsswitch.conf(5) (order and actions), hosts(5), nss-resolve(8), nss-mdns (``mdns4_minimal [NOTFOUND=return]``).
Containers have a hosts file of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.names import NameQuery, NameserversQuery
from vorflug.model.probing import HostName
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.model.resolver_files import host_addresses, hosts_services
from vorflug.ports import Host
from vorflug.ports.net import Code, Resolved

TITLE = msg("Hosts file and DNS")

NSSWITCH = "/etc/nsswitch.conf"
HOSTS = "/etc/hosts"


class SwitchFact(Fact):
    """The ``hosts`` line of nsswitch.conf."""

    services: tuple[str, ...] | None
    """Its words in order, actions in brackets as one word; None where there is no such line or file."""


@dataclass(frozen=True, kw_only=True)
class SwitchQuery(Query[SwitchFact]):
    """In which order are names looked up?"""

    kind = "name_service_switch"
    touches = ("/etc/nsswitch.conf",)

    def asks(self) -> Message:
        return msg("In which order are hosts file and DNS asked?")

    def observe(self, host: Host) -> SwitchFact:
        return SwitchFact(services=hosts_services(_text(host, NSSWITCH)))


class HostsFact(Fact):
    """What the hosts file says about one name."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HostsQuery(Query[HostsFact]):
    """Which addresses does the hosts file give one name?"""

    kind = "hosts_file"
    touches = ("/etc/hosts",)

    name: str

    def asks(self) -> Message:
        return msg("Does the hosts file name {name}?", name=self.name)

    def observe(self, host: Host) -> HostsFact:
        return HostsFact(addresses=host_addresses(_text(host, HOSTS), self.name))


class HostsOrder(Requirement):
    """The hosts file is read before DNS is asked, and DNS is asked."""

    kind = "hosts_order"
    names: Annotated[tuple[HostName, ...], Field(min_length=1)]
    """The names that DNS must be asked for."""

    def wanted(self) -> Message:
        return msg("files before dns (or resolve)")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [SwitchQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        services = evidence[SwitchQuery()].services
        if services is None:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("no hosts line in /etc/nsswitch.conf"),
                because=msg("The order that is built into the C library holds."),
            )
        seen = msg("hosts: {services}", services=" ".join(services))
        asks = [at for at, word in enumerate(services) if word in ("dns", "resolve")]
        says: list[Message] = []
        if not asks:
            says.append(msg("Nothing in this line asks DNS."))
        elif "files" not in services[: asks[0]]:
            says.append(msg("DNS is asked before the hosts file, so that entries there may not count."))
        before = services[: asks[0]] if asks else services
        local = tuple(n for n in self.names if n.lower().rstrip(".").endswith(".local"))
        if local and any(_ends(word, after) for word, after in zip(before, (*before[1:], ""), strict=True)):
            says.append(
                msg(
                    "Names in .local end with multicast DNS here ({names:list}): DNS is not asked for what that does "
                    "not find.",
                    names=local,
                )
            )
        if not says:
            return met(wanted=self.wanted(), seen=seen, because=msg("The hosts file is read first, then DNS is asked."))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(says),
            fix=msg('Write "hosts: files dns" into /etc/nsswitch.conf (with systemd-resolved: "files resolve dns").'),
        )


class HostsFileAgrees(Requirement):
    """The hosts file gives these names no other address than DNS."""

    kind = "hosts_file_agrees"
    names: Annotated[tuple[HostName, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("no address in /etc/hosts that DNS does not give")

    def then(self) -> Message | None:
        return msg("each nameserver of this host about the names that stand in /etc/hosts")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [NameserversQuery(), *(HostsQuery(name=n) for n in self.names)]
        if not all(query in known for query in asked):
            return asked
        return [*asked, *(query for name in self._listed(known) for query in _each(name, known))]

    def _listed(self, evidence: Evidence) -> list[str]:
        return [n for n in self.names if evidence[HostsQuery(name=n)].addresses]

    def judge(self, evidence: Evidence) -> Verdict:
        entries = self._listed(evidence)
        if not entries:
            return met(
                wanted=self.wanted(),
                seen=msg("none of the names"),
                because=msg("Not one of these names stands in /etc/hosts."),
            )
        given = {name: evidence[HostsQuery(name=name)].addresses for name in entries}
        seen = listed(msg("{name}: {addresses:list}", name=n, addresses=given[n][:6]) for n in entries)
        wrong: list[str] = []
        silent: list[str] = []
        for name in entries:
            said = [evidence[query].resolved for query in _each(name, evidence)]
            answers = [one for one in said if one.code in (None, Code.DNS_NXDOMAIN, Code.DNS_NODATA)]
            if not answers:
                silent.append(name)
            elif any(not _among(given[name], one) for one in answers):
                wrong.append(name)
        if wrong:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "/etc/hosts leads {names:list} elsewhere than DNS does. Containers do not read this file, and go "
                    "where DNS leads.",
                    names=tuple(wrong),
                ),
                fix=msg(
                    "Take {names:list} out of /etc/hosts, or give the name the same address in DNS.", names=tuple(wrong)
                ),
            )
        if silent:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("No nameserver says anything about {names:list}.", names=tuple(silent)),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("DNS gives the same addresses."))


def _each(name: str, evidence: Evidence) -> list[NameQuery]:
    return [NameQuery(name=name, server=s) for s in evidence[NameserversQuery()].servers]


def _among(given: tuple[str, ...], said: Resolved) -> bool:
    return {ip_address(a) for a in given} <= {ip_address(a) for a in said.addresses}


def _ends(word: str, after: str) -> bool:
    """Whether *word* is multicast DNS, and the look-up ends where that finds nothing (nsswitch.conf(5))."""
    return word.startswith("mdns") and "notfound=return" in after.lower().replace(" ", "")


def _text(host: Host, path: str) -> str:
    """Empty where there is no such file."""
    try:
        return host.files.read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
