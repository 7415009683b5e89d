"""A name to addresses: this host's own resolver and each of its nameservers, asked side by side, on one deadline.

What the C library says counts, since every program here gets that.  What the nameservers say tells why, and is worth a
word where it differs.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from threading import Condition, Thread
from time import monotonic

from vorflug.model.hosts import address, is_bogon, is_loopback
from vorflug.model.message import visible
from vorflug.netprobe import hosts_file as hosts
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.nameserver import DNS_PORT, At, prepare
from vorflug.netprobe.random_names import RandomNames
from vorflug.netprobe.resolve import ADDRESSES_AT_MOST, Said, ask_both
from vorflug.ports.net import Check, CheckSeen, Code, Resolved

SYSTEM = "system"
_SHARE = 0.4
"""Of the whole deadline, for the look-up: what comes after it needs time, too."""
_RANDOM_NAME_S = 0.5
"""A control may not hold up a healthy name for longer; one that comes later serves the next name."""
_UNSET = ("127.0.0.1",)
"""resolv.conf(5): without a nameserver entry the one on this machine is asked."""
_SPECIAL = ("test", "example", "invalid", "localhost", "local", "arpa", "onion", "alt")
_INSIDE = ("internal", "lan", "home", "corp", "intranet", "intra", "private", "localdomain")
_NEVER_PUBLIC = frozenset((*_SPECIAL, *_INSIDE))
"""Special names (RFC 6761, RFC 6762, RFC 8375, RFC 9476), and those that are commonly used inside (ICANN SAC 113)."""
_SILENT = (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)
_RANDOM_NAMES = RandomNames()
_EAI = {
    getattr(socket, name): name
    for name in ("EAI_AGAIN", "EAI_FAIL", "EAI_NONAME", "EAI_NODATA", "EAI_SYSTEM")
    if hasattr(socket, name)
}
_NO_SUCH = {socket.EAI_NONAME: Code.DNS_NXDOMAIN, socket.EAI_NODATA: Code.DNS_NODATA}
"""getaddrinfo(3).  EAI_AGAIN and EAI_FAIL do not say whether a nameserver was silent, closed or failing."""


@dataclass(frozen=True)
class Lookup:
    """What came of a name."""

    addresses: tuple[str, ...]
    """As this host's resolver gives them, in its order (RFC 6724)."""
    canonical: str
    """The name at the end of all aliases and search domains; capped and visible."""
    code: Code | None
    """Why there is no address, or why those that there are lead nowhere."""
    detail: str
    """Raw evidence."""
    warnings: tuple[Code, ...] = ()
    """What was seen besides."""
    checks: tuple[CheckSeen, ...] = ()
    took_s: float = 0.0

    def resolved(self, name: str) -> Resolved:
        """The same as one resolver's word."""
        return Resolved(name, SYSTEM, self.addresses, self.canonical, self.code, self.took_s, self.detail)


def look_up(
    name: str,
    servers: Sequence[str],
    limits: Limits,
    deadline: Deadline,
    dns_port: int = DNS_PORT,
    *,
    hosts_file: str = "/etc/hosts",
    random_names: RandomNames = _RANDOM_NAMES,
) -> Lookup:
    """Resolve *name*, an ASCII name or an IP address; *servers* are this host's nameservers, in order.

    Ends with the share of *deadline* that a look-up has, whatever hangs.  Raises OSError where this host is out of
    means.
    """
    began = monotonic()
    if address(name) is not None:
        return Lookup((name.partition("%")[0],), name, None, "")
    # RFC 6761, 6.3: nameservers are not asked about this machine itself
    asked = () if is_loopback(name) else tuple(dict.fromkeys(servers)) or _UNSET
    room = _Room(_Asked(name, asked, hosts.listed(name, hosts_file), limits, dns_port, random_names))
    found = room.look(deadline.within(min(limits.resolve, _SHARE * deadline.left()))).lookup()
    return replace(found, detail=visible(found.detail, at_most=300), took_s=round(monotonic() - began, 4))


@dataclass(frozen=True)
class _Asked:
    """Whom to ask, and how."""

    name: str
    servers: tuple[str, ...]
    listed: frozenset[str]
    """What the hosts file gives the name."""
    limits: Limits
    dns_port: int
    random_names: RandomNames

    def at(self, server: str) -> At:
        return At(server, self.dns_port)

    def is_listed(self, system: object) -> bool:
        """Whether the addresses of *system* come from the hosts file."""
        return isinstance(system, Resolved) and bool(self.listed) and _same(system.addresses) <= self.listed


class _Room:
    """Where the threads put what they find."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._changed = Condition()
        self._said: dict[str, Said | OSError] = {}
        self._system: Resolved | OSError | UnicodeError | None = None

    def look(self, ends: Deadline) -> _Judge:
        """Ask everybody, and wait for as long as it is worth while."""
        asked = self._asked
        began = monotonic()
        # a hung resolver cannot be cancelled, only left behind
        Thread(target=self._ask_system, name="getaddrinfo", daemon=True).start()
        if asked.servers:
            prepare()
        for server in asked.servers:
            Thread(target=self._ask, args=(server, ends), name="nameserver", daemon=True).start()
        if asked.servers and not asked.listed:
            asked.random_names.start(asked.at(asked.servers[0]), asked.limits)
        with self._changed:
            self._changed.wait_for(lambda: self._system is not None, ends.left())
            system = self._system
            at_most = asked.limits.nameserver if asked.is_listed(system) else None
            self._changed.wait_for(self._is_settled, ends.left(at_most))
            if isinstance(system, OSError):
                # does another one know more?
                self._changed.wait_for(
                    lambda: len(self._said) == len(asked.servers), ends.left(asked.limits.nameserver)
                )
            said = dict(self._said)
        return _Judge(asked, system, said, ends, monotonic() - began)

    def _ask_system(self) -> None:
        answer = _getaddrinfo(self._asked.name)
        with self._changed:
            self._system = answer
            self._changed.notify_all()

    def _ask(self, server: str, ends: Deadline) -> None:
        asked = self._asked
        said: Said | OSError
        try:
            said = ask_both(asked.name, server, asked.limits, ends, asked.dns_port)
        except OSError as error:  # out of means
            said = error
        with self._changed:
            self._said[server] = said
            self._changed.notify_all()
        if isinstance(said, Said) and said.code is None and not asked.listed:
            asked.random_names.start(asked.at(server), asked.limits)

    def _is_settled(self) -> bool:
        """A nameserver has answered, and every one before it has had its time: later ones are not asked then."""
        for server in self._asked.servers:
            if server not in self._said:
                return False
            if _answers(self._said[server]):
                return True
        return True


class _Judge:
    """What follows from the answers."""

    def __init__(
        self,
        asked: _Asked,
        system: Resolved | OSError | UnicodeError | None,
        said: dict[str, Said | OSError],
        ends: Deadline,
        took: float,
    ) -> None:
        self._asked = asked
        self._system = system
        self._ends = ends
        self._took = took
        self._lost = next((e for e in said.values() if isinstance(e, OSError)), None)
        came = [said.get(server) or self._pending(server) for server in asked.servers]
        self._said = [s for s in came if isinstance(s, Said)]
        """In the order of the nameservers; what has not come yet is silence."""
        self._first = next((s for s in self._said if _answers(s)), None)
        """The nameserver whose answer the C library takes."""
        if self._first is not None:
            # those behind it were not waited for
            at = self._said.index(self._first) + 1
            self._said[at:] = [s for s in self._said[at:] if s.resolved.server in said]

    def lookup(self) -> Lookup:
        """The verdict.  Raises OSError where this host is out of means."""
        match self._system:
            case Resolved():
                return self._found(self._system)
            case UnicodeError():
                return Lookup((), "", Code.DNS_NXDOMAIN, "no DNS name")
            case OSError():
                return self._failed(self._system)
            case None:
                return self._hung()

    def _pending(self, server: str) -> Said:
        silence = f"no answer from {self._asked.at(server)} yet"
        return Said(Resolved(self._asked.name, server, (), "", Code.DNS_TIMEOUT, 0.0, silence))

    # ---- addresses ---------------------------------------------------------------------------------------------------

    def _found(self, system: Resolved) -> Lookup:
        first = self._first
        if self._asked.is_listed(system):
            differs = first is not None and not _same(system.addresses) <= _same(first.resolved.addresses)
            override = (Code.DNS_HOSTS_OVERRIDE,) if differs else ()
            checks = self._nameservers_seen(system.addresses)
            return Lookup(system.addresses, system.canonical, None, "", override, checks)
        warnings = self._warned_of_silence()
        if first is not None and first.half in _SILENT:
            warnings += (Code.DNS_TIMEOUT,)
        if self._is_searched(system.canonical):
            warnings += (Code.DNS_SEARCH_DOMAIN,)
        return self._controlled(system.addresses, system.canonical, warnings)

    def _hung(self) -> Lookup:
        """The C library has not answered in its share: what do the nameservers say?"""
        warnings = self._warned_of_silence()
        if (found := next((s.resolved for s in self._said if s.code is None), None)) is not None:
            # nothing before it is silent: then what hangs is a question of its own, or something else that is asked
            return self._controlled(found.addresses, found.canonical, warnings or (Code.DNS_TIMEOUT,))
        checks = self._nameservers_seen(())
        telling = next((s for s in self._said if not s.is_silent), None) or next(iter(self._said), None)
        is_label = "." not in self._asked.name.rstrip(".")
        if telling is None or (is_label and telling.code is Code.DNS_NXDOMAIN):
            # only a search domain makes a single label a name (resolv.conf(5), ndots)
            return Lookup((), "", Code.DNS_TIMEOUT, "getaddrinfo", warnings, checks)
        return Lookup((), "", telling.code, _evidence("getaddrinfo", telling), warnings, checks)

    def _controlled(self, addresses: tuple[str, ...], canonical: str, warnings: tuple[Code, ...]) -> Lookup:
        """For addresses that come from a nameserver: are they made up?"""
        checks = self._nameservers_seen(addresses)
        if _looks_public(self._asked.name) and any(is_bogon(a) for a in addresses):
            warnings += (Code.DNS_BOGON,)
        if self._first is None:
            return Lookup(addresses, canonical, None, "", warnings, checks)
        server = self._first.resolved.server
        question = self._asked.random_names.start(self._asked.at(server), self._asked.limits)
        nowhere = question.result(self._ends.left(_RANDOM_NAME_S + self._took))
        if nowhere is None or not nowhere.answered:
            check = CheckSeen(Check.RANDOM_NAME, "not_possible", f"no answer from {server}")
            return Lookup(addresses, canonical, None, "", warnings, (*checks, check))
        made_up = ", ".join(sorted(nowhere.addresses)[:4])
        detail = f"{', '.join(nowhere.names)}: {made_up or 'no address'}, says {server}"
        checks = (*checks, CheckSeen(Check.RANDOM_NAME, "failed" if made_up else "passed", detail))
        if _same(addresses) & nowhere.addresses:
            return Lookup(addresses, canonical, Code.DNS_HIJACK, detail, warnings, checks)
        warnings += (Code.DNS_HIJACK,) if made_up else ()
        return Lookup(addresses, canonical, None, "", warnings, checks)

    # ---- no address --------------------------------------------------------------------------------------------------

    def _failed(self, error: OSError) -> Lookup:
        """The C library has no address; the nameservers tell why."""
        eai = _EAI.get(error.errno or 0) or errno_name(error)
        warnings, checks = self._warned_of_silence(), self._nameservers_seen(())
        failing = self._first is None and any(not s.is_silent for s in self._said)
        if (code := _NO_SUCH.get(error.errno or 0)) is not None and not failing:
            # the C library gives EAI_NONAME for a name without an address, too, and EAI_NODATA for a circle; where no
            # nameserver says yes or no, it gives either for a failure about A alone, and for an rcode it does not know
            code = (self._first.code if self._first is not None else None) or code
            return Lookup((), "", code, _evidence(eai, self._first), warnings, checks)
        if not self._said and self._lost is not None:
            raise self._lost
        telling = next((s for s in self._said if s.code is not None and not s.is_silent), None)
        telling = telling or next((s for s in self._said if s.half is not None), None)
        if telling is None and self._first is None:
            telling = next(iter(self._said), None)
        said = telling or self._first
        code = Code.DNS_SERVFAIL if telling is None else telling.code or telling.half
        return Lookup((), "", code, _evidence(eai, said), warnings, checks)

    # ---- besides -----------------------------------------------------------------------------------------------------

    def _warned_of_silence(self) -> tuple[Code, ...]:
        """A nameserver before the first that answers is silent, or cannot be asked over TCP."""
        before = self._said[: self._said.index(self._first)] if self._first is not None else []
        slow = (Code.DNS_SLOW_FALLBACK,) if any(s.is_silent for s in before) else ()
        cut = any(s.code is Code.DNS_TRUNCATED_TCP_BLOCKED for s in before)
        return (*slow, Code.DNS_TRUNCATED_TCP_BLOCKED) if cut else slow

    def _is_searched(self, canonical: str) -> bool:
        """Whether a search domain was put behind the name."""
        name, full = (n.lower().rstrip(".") for n in (self._asked.name, canonical))
        if full.startswith(f"{name}."):
            return True
        # with an alias at its end: a single label that has no address of its own, and another name was found
        return self._first is not None and self._first.code is not None and "." not in name and "." in full

    def _nameservers_seen(self, addresses: Sequence[str]) -> tuple[CheckSeen, ...]:
        if not self._said:
            return ()
        here = _same(addresses)
        alike = all(bool(here & _same(s.resolved.addresses)) if here else s.code is not None for s in self._said)
        shown = "; ".join(f"{s.resolved.server}: {s.code or ', '.join(s.resolved.addresses[:3])}" for s in self._said)
        slowest = max(s.resolved.took_s for s in self._said)
        outcome = "same" if alike else "differs"
        return (CheckSeen(Check.NAMESERVERS, outcome, visible(shown, at_most=300), round(slowest, 4)),)


def _answers(said: Said | OSError) -> bool:
    """Whether it says yes or no; after silence or a failure the C library asks the next one (resolver(3))."""
    return isinstance(said, Said) and said.code in (
        None,
        Code.DNS_NXDOMAIN,
        Code.DNS_NODATA,
        Code.DNS_CNAME_LOOP,
    )


def _evidence(eai: str, said: Said | None) -> str:
    if said is None:
        return eai
    resolved = said.resolved
    return f"{eai}; {resolved.server}: {resolved.detail or resolved.code or ', '.join(resolved.addresses[:4])}"


def _same(addresses: Sequence[str]) -> frozenset[str]:
    """In one spelling."""
    return frozenset(str(ip_address(a.partition("%")[0])) for a in addresses)


def _looks_public(name: str) -> bool:
    *before, last = name.lower().rstrip(".").split(".")
    return bool(before) and last not in _NEVER_PUBLIC


def _getaddrinfo(name: str) -> Resolved | OSError | UnicodeError:
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError) as error:
        return error
    found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))[:ADDRESSES_AT_MOST]
    canonical = visible(next((row[3] for row in rows if row[3]), ""), at_most=253)
    return Resolved(name, SYSTEM, found, canonical, None, 0.0)
