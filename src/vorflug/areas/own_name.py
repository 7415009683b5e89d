"""The name of this host, and the name that its address leads back to.

Sources: hostname(1) (a host's full name is what its name resolves to), hostname(7), RFC 1035, 3.5 (PTR), RFC 1912, 2.1
(for every address a PTR record, and a name that leads back).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg
from vorflug.model.names import ANSWERS, NameQuery, NameserversQuery
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import Code, Pointer, Resolved

TITLE = msg("Host name")

HOSTNAME = "/proc/sys/kernel/hostname"
_NOBODY = ("localhost", "localdomain", "(none)", "")
_AN_ANSWER = (None, Code.DNS_NXDOMAIN, Code.DNS_NODATA)


class OwnNameFact(Fact):
    """The name that the kernel has for this host (hostname(7))."""

    name: str


@dataclass(frozen=True, kw_only=True)
class OwnNameQuery(Query[OwnNameFact]):
    """What is this host called?"""

    kind = "own_name"
    touches = ("/proc/sys/kernel/hostname",)

    def asks(self) -> Message:
        return msg("What is this host called?")

    def observe(self, host: Host) -> OwnNameFact:
        try:
            return OwnNameFact(name=host.files.read_text(HOSTNAME).strip())
        except FileNotFoundError:
            raise NotImplementedError(f"no {HOSTNAME}") from None


class PointerFact(Fact):
    """Which names an address has."""

    pointer: Pointer


@dataclass(frozen=True, kw_only=True)
class PointerQuery(Query[PointerFact]):
    """Which names does an address have, says one nameserver?"""

    kind = "reverse_name"
    touches = ("@net.pointer",)
    deadline = 20.0
    reach = Reach.NETWORK

    address: str
    server: str

    def asks(self) -> Message:
        return msg("Which name does {address} have, says {server}?", address=self.address, server=self.server)

    def observe(self, host: Host) -> PointerFact:
        return PointerFact(pointer=host.net.pointer(self.address, self.server))


class FullName(Requirement):
    """The host has a full name, with its domain."""

    kind = "full_host_name"

    def wanted(self) -> Message:
        return msg("a full name of this host, with its domain")

    def then(self) -> Message | None:
        return msg("this host's resolver about this host's own name")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        if OwnNameQuery() not in known or _is_nobody(known[OwnNameQuery()].name):
            return [OwnNameQuery()]
        return [OwnNameQuery(), NameQuery(name=known[OwnNameQuery()].name)]

    def judge(self, evidence: Evidence) -> Verdict:
        name = evidence[OwnNameQuery()].name
        if _is_nobody(name):
            return self._without(name, msg("This host has no name of its own."))
        found = evidence[NameQuery(name=name)].resolved
        full = _full(name, found)
        if full is None:
            return self._without(name, msg("Nothing tells the domain of {name}.", name=name))
        return met(wanted=self.wanted(), seen=msg("{name}", name=full), because=msg("The name has a domain."))

    def _without(self, name: str, because: Message) -> Verdict:
        return unmet(
            wanted=self.wanted(),
            seen=msg("host name {name}", name=name or "-"),
            because=because,
            fix=msg("Set the full name (hostnamectl set-hostname NAME.DOMAIN), and create it in DNS."),
        )


class ReverseName(Requirement):
    """The address of the host's full name leads back to that name."""

    kind = "reverse_host_name"

    def wanted(self) -> Message:
        return msg("a PTR record that leads to this host's full name")

    def then(self) -> Message | None:
        return msg("the nameservers of this host about this host's own name, and about its address")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        asked: list[Query[Any]] = [OwnNameQuery(), NameserversQuery()]
        if not all(query in known for query in asked) or _is_nobody(known[OwnNameQuery()].name):
            return asked
        asked.append(NameQuery(name=known[OwnNameQuery()].name))
        if asked[-1] not in known or (full := self._full(known)) is None:
            return asked
        # the hosts file often leads a host's own name to 127.0.1.1: what others see is in DNS
        forward = [NameQuery(name=full, server=s) for s in known[NameserversQuery()].servers]
        asked += forward
        if not all(query in known for query in forward):
            return asked
        return [*asked, *(PointerQuery(address=a, server=r.server) for r, a in self._pairs(full, known))]

    def judge(self, evidence: Evidence) -> Verdict:
        servers = evidence[NameserversQuery()].servers
        full = None if _is_nobody(evidence[OwnNameQuery()].name) else self._full(evidence)
        if full is None or not servers:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("no full name") if full is None else msg("no nameserver in /etc/resolv.conf"),
                because=msg("Without a full name and a nameserver there is nothing that an address could lead to."),
            )
        pairs = self._pairs(full, evidence)
        if not pairs:
            return self._without_address(full, [evidence[NameQuery(name=full, server=s)].resolved for s in servers])
        said = [evidence[PointerQuery(address=a, server=r.server)].pointer for r, a in pairs]
        seen = listed(_shown(one) for one in said)
        wrong = [one for one in said if one.code in _AN_ANSWER and not _leads_to(one, full)]
        if wrong:
            addresses = tuple(dict.fromkeys(one.address for one in wrong))
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{addresses:list}: the name that leads back is not {name}.", addresses=addresses, name=full
                ),
                fix=msg("Create PTR records of {addresses:list} that lead to {name}.", addresses=addresses, name=full),
            )
        silent = [one for one in said if one.code is not None]
        if silent:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Not every nameserver says which name {address} has.", address=silent[0].address),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("Every address leads back to {name}.", name=full))

    def _without_address(self, full: str, said: list[Resolved]) -> Verdict:
        seen = msg("{name}: no address in DNS", name=full)
        if not any(one.code in _AN_ANSWER for one in said):
            return unknown(
                wanted=self.wanted(), seen=seen, because=msg("No nameserver says anything about {name}.", name=full)
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("No nameserver has an address of this host for {name}.", name=full),
            fix=msg("Create {name} in DNS with the address of this host, and its PTR record.", name=full),
        )

    def _full(self, evidence: Evidence) -> str | None:
        name = evidence[OwnNameQuery()].name
        return _full(name, evidence[NameQuery(name=name)].resolved)

    def _pairs(self, full: str, evidence: Evidence) -> list[tuple[Resolved, str]]:
        """Each address that a nameserver gives, with that nameserver's answer."""
        said = [evidence[NameQuery(name=full, server=s)].resolved for s in evidence[NameserversQuery()].servers]
        return [(one, a) for one in said for a in one.addresses if not ip_address(a).is_loopback]


def _is_nobody(name: str) -> bool:
    return name.partition(".")[0].lower() in _NOBODY


def _full(name: str, resolved: Resolved) -> str | None:
    """The name with its domain: its own, or that which it resolves to (hostname(1), ``--fqdn``)."""
    for one in (name, resolved.canonical):
        first, _, domain = one.rstrip(".").partition(".")
        if domain and first.lower() not in _NOBODY:
            return one.rstrip(".").lower()
    return None


def _leads_to(pointer: Pointer, name: str) -> bool:
    return any(one.rstrip(".").lower() == name for one in pointer.names)


def _shown(pointer: Pointer) -> Message:
    if pointer.code is not None:
        return msg("{address}: {answer}", address=pointer.address, answer=ANSWERS[pointer.code])
    return msg("{address}: {names:list}", address=pointer.address, names=pointer.names[:4])
