"""The questions about names that several areas put."""

from __future__ import annotations

from dataclasses import dataclass

from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query, Reach
from vorflug.ports import Host
from vorflug.ports.net import Code, Resolved

ANSWERS: dict[Code, Message] = {
    Code.DNS_NXDOMAIN: msg("no such name"),
    Code.DNS_SERVFAIL: msg("the resolver failed (SERVFAIL)"),
    Code.DNS_REFUSED: msg("the resolver refuses to answer (REFUSED)"),
    Code.DNS_CNAME_LOOP: msg("the aliases (CNAME) lead in a circle"),
    Code.DNS_TIMEOUT: msg("no answer"),
    Code.DNS_NODATA: msg("no address"),
    Code.DNS_UNREACHABLE: msg("the resolver cannot be reached"),
    Code.DNS_TRUNCATED_TCP_BLOCKED: msg("the answer is too long for UDP, and TCP is blocked"),
    Code.DNS_HIJACK: msg("a made-up address"),
}
"""Why a resolver gave no address, in a few words."""


class NameserversFact(Fact):
    """The nameservers of /etc/resolv.conf."""

    servers: tuple[str, ...]
    configured: bool
    """Whether there is such a file."""


@dataclass(frozen=True, kw_only=True)
class NameserversQuery(Query[NameserversFact]):
    """Which nameservers does this host use?"""

    kind = "nameservers"
    touches = ("@net.nameservers",)

    def asks(self) -> Message:
        return msg("Which nameservers does this host use?")

    def observe(self, host: Host) -> NameserversFact:
        try:
            return NameserversFact(servers=host.net.nameservers(), configured=True)
        except FileNotFoundError:
            return NameserversFact(servers=(), configured=False)


class NameFact(Fact):
    """What one resolver said about a name."""

    resolved: Resolved


@dataclass(frozen=True, kw_only=True)
class NameQuery(Query[NameFact]):
    """What addresses does a name have, says this host's resolver or one nameserver?"""

    kind = "name"
    touches = ("@net.resolve",)
    deadline = 20.0
    reach = Reach.NETWORK

    name: str
    server: str | None = None
    """None asks as programs do: hosts file, search domains and all."""

    def asks(self) -> Message:
        if self.server is None:
            return msg("Which addresses does {name} have?", name=self.name)
        return msg("Which addresses does {name} have, says {server}?", name=self.name, server=self.server)

    def observe(self, host: Host) -> NameFact:
        return NameFact(resolved=host.net.resolve(self.name, self.server))
