"""Nameservers: does each one answer by itself, soon, over UDP and TCP, and as the others do?

The second one is noticed only on the day on which the first is down (resolv.conf(5)).  TCP is not optional for DNS
(RFC 7766, 5); EDNS carries the size of an answer and DNSSEC (RFC 6891); a resolver that validates says SERVFAIL where
signatures do not hold, unless it is asked not to look at them (RFC 4035, 3.2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.contact import Contact, nameserver
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.names import ANSWERS, NameQuery, NameserversQuery
from vorflug.model.probing import HostName
from vorflug.model.quantity import Duration, Size
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import Code, NameserverSeen, Resolved
from vorflug.ports.net_names import Edns

TITLE = msg("Nameservers")

_AN_ANSWER = (None, Code.DNS_NXDOMAIN, Code.DNS_NODATA, Code.DNS_CNAME_LOOP)
"""Yes or no; everything else is none."""


class NameserverFact(Fact):
    """How one nameserver answers."""

    seen: NameserverSeen


@dataclass(frozen=True, kw_only=True)
class NameserverQuery(Query[NameserverFact]):
    """How does one nameserver answer: over UDP, over TCP, with EDNS, without validation?"""

    kind = "nameserver"
    touches = ("@net.nameserver",)
    deadline = 20.0
    reach = Reach.NETWORK

    server: str
    name: str

    def asks(self) -> Message:
        return msg("How does the nameserver {server} answer about {name}?", server=self.server, name=self.name)

    def observe(self, host: Host) -> NameserverFact:
        return NameserverFact(seen=host.net.nameserver(self.server, self.name))


class _EachNameserver(Requirement):
    """A demand on each nameserver of this host, asked about one name."""

    name: HostName
    """What they are asked about; whether it exists does not matter."""

    def then(self) -> Message | None:
        return msg("each nameserver of this host about {name}, over UDP and TCP", name=self.name)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        if NameserversQuery() not in known:
            return [NameserversQuery()]
        return [NameserversQuery(), *(self._asked(s) for s in known[NameserversQuery()].servers)]

    def flows(self) -> tuple[Contact, ...]:
        return (nameserver(),)

    def _asked(self, server: str) -> NameserverQuery:
        return NameserverQuery(server=server, name=self.name)

    def _each(self, evidence: Evidence) -> list[NameserverSeen]:
        return [evidence[self._asked(s)].seen for s in evidence[NameserversQuery()].servers]

    def _none(self) -> Verdict:
        return not_applicable(
            wanted=self.wanted(),
            seen=msg("no nameserver in /etc/resolv.conf"),
            because=msg("There is none that could be asked; the row about their answers says so."),
        )

    def _no_answer(self, seen: Message) -> Verdict:
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=msg("No nameserver answers at all; the row about their answers says why."),
        )


class NameserversAnswer(_EachNameserver):
    """Each nameserver answers, and soon."""

    kind = "nameservers_answer"
    within: Duration
    """The quicker of two answers, so that a look-up elsewhere does not count."""

    def wanted(self) -> Message:
        return msg("each nameserver answers within {limit:duration}", limit=self.within)

    def judge(self, evidence: Evidence) -> Verdict:
        each = self._each(evidence)
        if not each:
            says = msg("/etc/resolv.conf names no nameserver; programs then ask one on this machine (127.0.0.1).")
            fix = msg("Enter the nameservers of this network, in the place that writes /etc/resolv.conf here.")
            return unmet(wanted=self.wanted(), seen=msg("no nameserver in /etc/resolv.conf"), because=says, fix=fix)
        seen = listed(_shown(one) for one in each)
        failed = [self._stopped(one) for one in each if one.code not in _AN_ANSWER]
        slow = [one for one in each if one.code in _AN_ANSWER and one.took_s > self.within]
        if not failed and not slow:
            because = msg("Every nameserver answers in time.")
            return met(wanted=self.wanted(), seen=seen, because=because)
        reasons = [f.says for f in failed]
        fixes = [f.fix for f in failed]
        for one in slow:
            reasons.append(
                msg("{server} takes {took:duration}, even when asked again.", server=one.server, took=one.took_s)
            )
            fixes.append(
                msg(
                    "Find out what makes {server} slow (its load, the way to it), or use a nearer one.",
                    server=one.server,
                )
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(reasons),
            fix=sentences(fixes),
            cause=failed[0].cause if failed else None,
        )

    def about(self, evidence: Evidence) -> Cause | None:
        return self.judge(evidence).cause

    def _stopped(self, one: NameserverSeen) -> netcause.Stopped:
        assert one.code is not None  # noqa: S101 - None is an answer
        resolved = Resolved(one.name, one.server, (), "", one.code, one.took_s, one.detail)
        return netcause.resolver_stopped(resolved, one.code, (one.server,))


class NameserversOverTcp(_EachNameserver):
    """Each nameserver that answers can be asked over TCP, too."""

    kind = "nameservers_over_tcp"

    def wanted(self) -> Message:
        return msg("each nameserver answers over TCP, too")

    def judge(self, evidence: Evidence) -> Verdict:
        each = self._each(evidence)
        if not each:
            return self._none()
        answering = [one for one in each if one.tcp or one.code not in (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)]
        if not answering:
            return self._no_answer(listed(_shown(one) for one in each))
        without = [one for one in answering if not one.tcp]
        seen = listed(
            msg("{server}: answers over TCP", server=one.server)
            if one.tcp
            else msg("{server}: not over TCP ({detail})", server=one.server, detail=one.tcp_detail)
            for one in answering
        )
        if not without:
            return met(wanted=self.wanted(), seen=seen, because=msg("Answers too long for UDP come through."))
        servers = tuple(one.server for one in without)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{servers:list} cannot be asked over TCP: an answer too long for UDP does not come through.",
                servers=servers,
            ),
            fix=msg(
                "Ask for TCP port 53 from this host to {servers:list} to be open, besides UDP, and check that each "
                "listens there.",
                servers=servers,
            ),
        )


class NameserversEdns(_EachNameserver):
    """Each nameserver that answers takes EDNS, with messages at least this long."""

    kind = "nameservers_edns"
    at_least: Size
    """The UDP message that it says it takes (RFC 6891, 6.2.3)."""

    def wanted(self) -> Message:
        return msg("each nameserver takes EDNS with at least {limit} bytes", limit=self.at_least)

    def judge(self, evidence: Evidence) -> Verdict:
        each = self._each(evidence)
        if not each:
            return self._none()
        answering = [one for one in each if one.code not in (Code.DNS_TIMEOUT, Code.DNS_UNREACHABLE)]
        if not answering:
            return self._no_answer(listed(_shown(one) for one in each))
        seen = listed(_edns_shown(one) for one in answering)
        short = tuple(one.server for one in answering if one.edns is not Edns.TAKEN or one.udp_bytes < self.at_least)
        if not short:
            return met(wanted=self.wanted(), seen=seen, because=msg("Questions with EDNS are answered as wanted."))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{servers:list}: questions with EDNS are not answered as wanted. Longer answers take the detour over "
                "TCP, and programs that ask with EDNS may wait.",
                servers=short,
            ),
            fix=msg(
                "Let {servers:list}, and what filters DNS on the way to it, take EDNS with {limit} bytes (RFC 6891).",
                servers=short,
                limit=self.at_least,
            ),
        )


class DnssecNotBogus(Requirement):
    """No name fails because its signatures do not hold."""

    kind = "dnssec_not_bogus"
    names: Annotated[tuple[HostName, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("no name that fails by DNSSEC")

    def then(self) -> Message | None:
        return msg("each nameserver of this host about the same names, once more without validation where it fails")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        if NameserversQuery() not in known:
            return [NameserversQuery()]
        asked: list[Query[Any]] = [NameserversQuery()]
        for server in known[NameserversQuery()].servers:
            for name in self.names:
                asked.append(NameQuery(name=name, server=server))
                if asked[-1] in known and known[NameQuery(name=name, server=server)].resolved.code is Code.DNS_SERVFAIL:
                    asked.append(NameserverQuery(name=name, server=server))
        return asked

    def judge(self, evidence: Evidence) -> Verdict:
        bogus: list[NameserverSeen] = []
        answered = False
        for server in evidence[NameserversQuery()].servers:
            for name in self.names:
                code = evidence[NameQuery(name=name, server=server)].resolved.code
                answered = answered or code in _AN_ANSWER
                if code is Code.DNS_SERVFAIL:
                    seen = evidence[NameserverQuery(name=name, server=server)].seen
                    bogus += [seen] if seen.bogus else []
        if bogus:
            return self._bogus(bogus)
        if not answered:
            return unknown(
                wanted=self.wanted(),
                seen=msg("no answer about any of the names"),
                because=msg("No nameserver answers about these names, so that nothing was validated."),
                fix=msg("Make sure that a nameserver of this host answers about these names, then run again."),
            )
        return met(
            wanted=self.wanted(),
            seen=msg("no answer that only validation stops"),
            because=msg("No nameserver withholds an answer because of DNSSEC."),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        return self.judge(evidence).cause

    def _bogus(self, bogus: list[NameserverSeen]) -> Verdict:
        says = sentences(
            msg(
                "{server} says SERVFAIL for {name}, and has an answer when it is asked not to validate: the DNSSEC "
                "signatures do not hold for it.",
                server=one.server,
                name=one.name,
            )
            for one in bogus
        )
        fix = msg(
            "Check the clock of {servers:list} and that its forwarder passes DNSSEC records on; if both are right, "
            "tell whoever runs the zone.",
            servers=tuple(dict.fromkeys(one.server for one in bogus)),
        )
        return unmet(
            wanted=self.wanted(),
            seen=listed(msg("{name}: bogus, says {server}", name=one.name, server=one.server) for one in bogus),
            because=says,
            fix=fix,
            # the same as of the connection that fails for it
            cause=Cause(Code.DNS_SERVFAIL.value, bogus[0].name, says, fix, Team.DNS),
        )


class NameserversAgree(Requirement):
    """All nameservers give the same addresses for a name of one's own."""

    kind = "nameservers_agree"
    name: HostName
    """A name with fixed addresses: those of large services differ from answer to answer."""

    def wanted(self) -> Message:
        return msg("the same addresses for {name} from every nameserver", name=self.name)

    def then(self) -> Message | None:
        return msg("each nameserver of this host about the same names")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        if NameserversQuery() not in known:
            return [NameserversQuery()]
        servers = known[NameserversQuery()].servers
        return [NameserversQuery(), *(NameQuery(name=self.name, server=s) for s in servers)]

    def judge(self, evidence: Evidence) -> Verdict:
        servers = evidence[NameserversQuery()].servers
        if len(servers) < _TWO:
            return not_applicable(
                wanted=self.wanted(),
                seen=msg("nameservers in /etc/resolv.conf: {n}", n=len(servers)),
                because=msg("There are no two that could differ."),
            )
        said = [evidence[NameQuery(name=self.name, server=s)].resolved for s in servers]
        seen = listed(_answer(one) for one in said)
        answered = [one for one in said if one.code in _AN_ANSWER]
        if len({frozenset(one.addresses) for one in answered}) > 1:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The nameservers answer differently about {name}: where it leads depends on which one is asked.",
                    name=self.name,
                ),
                fix=msg(
                    "Enter only nameservers with the same view of the network, or give all of them the same record of "
                    "{name}.",
                    name=self.name,
                ),
            )
        if len(answered) < _TWO:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Fewer than two nameservers answer, so that nothing can be compared."),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("Every nameserver that answers says the same."))


_TWO = 2


def _shown(one: NameserverSeen) -> Message:
    if one.code is None or one.code in _AN_ANSWER:
        return msg("{server}: answers in {took:duration}", server=one.server, took=one.took_s)
    return msg("{server}: {answer}", server=one.server, answer=ANSWERS[one.code])


def _edns_shown(one: NameserverSeen) -> Message:
    match one.edns:
        case Edns.TAKEN:
            return msg("{server}: EDNS, {bytes} bytes", server=one.server, bytes=one.udp_bytes)
        case Edns.NOT_KNOWN:
            return msg("{server}: no EDNS", server=one.server)
        case Edns.NO_ANSWER:
            return msg("{server}: no answer to a question with EDNS", server=one.server)


def _answer(one: Resolved) -> Message:
    if one.code is not None:
        return msg("{server}: {answer}", server=one.server, answer=ANSWERS[one.code])
    return msg("{server}: {addresses:list}", server=one.server, addresses=one.addresses[:6])
