"""Host firewall: which one is active, and what happens to packets that no rule is about?

Sources: firewalld.conf(5) and firewalld.zone(5); ufw(8), /etc/ufw/ufw.conf and /etc/default/ufw; docs.docker.com,
"Docker with nftables": a packet that one base chain accepts is still processed by the others, which may drop it.

A file says what somebody wants at the next start; only the kernel says what is active (``packet_filter``).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences, visible
from vorflug.model.packet_filter import (
    BaseChain,
    ForwardRulesQuery,
    PacketFiltersFact,
    PacketFiltersQuery,
    Passage,
    described,
    gap,
)
from vorflug.model.packet_rules import End, Rules
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.running import Runs
from vorflug.ports import Host

TITLE = msg("Host firewall")

CHAINS_LOOKED_AT = 8
"""Of how many chains that are not the engine's the rules are looked at; those of the others count as not seen."""
_ZONE = r"[A-Za-z0-9_-]{1,64}"
_HEAD = 1 << 16
"""Characters of a zone's file that are looked at: of it only the first tag is wanted."""


class Firewalld(Frozen):
    """The firewall service of RHEL, SUSE and Fedora."""

    runs: Runs
    zone: str | None
    """Its default zone; None where the file is closed or not there, or names none that can be."""
    target: str | None
    """What becomes of packets that no rule of that zone decides about; None where that is not visible."""


class Ufw(Frozen):
    """The firewall front end of Ubuntu, as its files say; None for what they do not say."""

    enabled: bool | None
    incoming: str | None
    forwarded: str | None


class HostFirewallFact(Fact):
    """Which host firewalls there are, and their defaults."""

    firewalld: Firewalld
    ufw: Ufw | None
    """None where it was never installed."""


@dataclass(frozen=True, kw_only=True)
class HostFirewallQuery(Query[HostFirewallFact]):
    """Which host firewall is set up?"""

    kind = "host_firewall"
    touches = ("@processes.named", "/etc/firewalld/", "/usr/lib/firewalld/", "/etc/ufw/ufw.conf", "/etc/default/ufw")

    def asks(self) -> Message:
        return msg("Which host firewall is set up, and does it run?")

    def observe(self, host: Host) -> HostFirewallFact:
        return HostFirewallFact(
            firewalld=_firewalld(host),
            ufw=_ufw(host),
        )


def _firewalld(host: Host) -> Firewalld:
    running = host.processes.named(("firewalld",))
    # it is a Python program, so that its executable proves nothing; systemd alone puts a process into this group
    if any(one.cgroup == "/system.slice/firewalld.service" for one in running.found):
        runs = Runs.YES
    elif running.hidden or any(one.uid == 0 for one in running.found):
        runs = Runs.UNCLEAR
    else:
        runs = Runs.NO
    try:
        # its own fallback where the file names none (firewalld.conf(5))
        zone = _setting(host.files.read_text("/etc/firewalld/firewalld.conf"), "DefaultZone") or "public"
    except (FileNotFoundError, PermissionError):
        return Firewalld(runs=runs, zone=None, target=None)
    if not re.fullmatch(_ZONE, zone, re.ASCII):
        return Firewalld(runs=runs, zone=None, target=None)  # it would become part of a path
    return Firewalld(runs=runs, zone=zone, target=_target(host, zone))


def _target(host: Host, zone: str) -> str | None:
    for folder in ("/etc/firewalld/zones", "/usr/lib/firewalld/zones"):
        try:
            return _target_of(host.files.read_text(f"{folder}/{zone}.xml"))
        except FileNotFoundError:
            continue
        except PermissionError:
            return None
    return None


def _target_of(text: str) -> str | None:
    """The target of a zone's file; None for a file that is no such: firewalld does not take it either."""
    from xml.parsers import expat

    if "<!DOCTYPE" in text:  # no zone has one, and entities could stand for gigabytes
        return None
    first: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: first.append((tag, attributes))
    with contextlib.suppress(expat.ExpatError):
        parser.Parse(text[:_HEAD])
    tag, attributes = first[0] if first else ("", {})
    target = attributes.get("target", "default").strip("%").lower()
    return target if tag == "zone" and re.fullmatch(_ZONE, target, re.ASCII) else None


def _ufw(host: Host) -> Ufw | None:
    try:
        conf = host.files.read_text("/etc/ufw/ufw.conf")
    except FileNotFoundError:
        return None
    except PermissionError:
        conf = ""
    try:
        defaults = host.files.read_text("/etc/default/ufw")
    except (FileNotFoundError, PermissionError):
        defaults = ""
    enabled = _setting(conf, "ENABLED")
    return Ufw(
        enabled=None if enabled is None else enabled.lower() == "yes",
        incoming=_word(defaults, "DEFAULT_INPUT_POLICY"),
        forwarded=_word(defaults, "DEFAULT_FORWARD_POLICY"),
    )


def _setting(text: str, name: str) -> str | None:
    """The last ``NAME=value``, quotes taken off; None where there is none."""
    found = re.findall(rf"""^[ \t]*{name}[ \t]*=[ \t]*["']?([^"'\s#]*)""", text, re.MULTILINE)
    return found[-1] if found else None


def _word(text: str, name: str) -> str | None:
    value = _setting(text, name)
    return visible(value.lower(), at_most=32) if value else None


class HostFirewallRequirement(Requirement):
    """It is known which host firewall is active and which default it has, whatever that is."""

    kind = "host_firewall"

    def wanted(self) -> Message:
        return msg("the active host firewall and its default known")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the same questions, whatever is known
        return [HostFirewallQuery(), PacketFiltersQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact, kernel = evidence[HostFirewallQuery()], evidence[PacketFiltersQuery()]
        # firewalld's table in the kernel is a proof: only root makes one
        runs = Runs.YES if any(one.table == "firewalld" for one in kernel.chains()) else fact.firewalld.runs
        wanted, seen = self.wanted(), listed((*_services(fact, runs), described(kernel)))
        if (unseen := gap(wanted, seen, kernel)) is not None:
            return unseen
        if runs is Runs.UNCLEAR:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg("Whether firewalld runs is not visible."),
                fix=msg("Run this as root."),
            )
        return met(wanted=wanted, seen=seen, because=sentences(_remarks(fact, kernel, runs is Runs.YES)))


def _remarks(fact: HostFirewallFact, kernel: PacketFiltersFact, firewalld: bool) -> Iterator[Message]:
    ufw = kernel.nftables.ufw or kernel.old_iptables.ufw
    if firewalld:
        yield msg("firewalld is active.")
    if ufw:
        yield msg("ufw is active.")
    elif fact.ufw is not None and fact.ufw.enabled:
        yield msg("ufw is switched on in its file, and not active in the kernel.")
    if not kernel.chains():
        yield msg("The kernel has no packet filter for what comes to or through this machine.")
    elif not firewalld and not ufw:
        yield msg("Packet filters are in the kernel that are neither firewalld's nor ufw's.")
    if kernel.dropping("input"):
        yield msg("What no rule allows does not get in to this machine; ports 80 and 443 are wanted from outside.")
    if kernel.dropping("forward"):
        yield msg("What no rule allows is not forwarded; Docker adds rules of its own for containers.")


def _services(fact: HostFirewallFact, runs: Runs) -> Iterator[Message]:
    if fact.firewalld.zone is not None or runs is not Runs.NO:
        yield msg(
            "firewalld: {runs}, default zone {zone}, its default {target}",
            runs=runs.said(),
            zone=fact.firewalld.zone or msg("not visible"),
            target=fact.firewalld.target or msg("not visible"),
        )
    if fact.ufw is not None:
        yield msg(
            "ufw by its files: {enabled}, incoming {incoming}, forwarded {forwarded}",
            enabled=_switched(fact.ufw.enabled),
            incoming=fact.ufw.incoming or msg("not visible"),
            forwarded=fact.ufw.forwarded or msg("not visible"),
        )


def _switched(enabled: bool | None) -> Message:
    return msg("not visible") if enabled is None else msg("switched on") if enabled else msg("switched off")


class ForwardedRequirement(Requirement):
    """No packet filter drops by default what containers send, where the engine's own rules do not come first."""

    kind = "forwarded_packets"
    engine_chains: tuple[str, ...]
    """``family table chain`` of the base chains to which the engine adds its rules: a default there is no obstacle."""

    def wanted(self) -> Message:
        return msg("no packet filter beside Docker's that drops forwarded packets by default")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        first = PacketFiltersQuery()
        if first not in known or known[first].container:
            return [first]
        beside = known[first].forward_beside(self.engine_chains)[:CHAINS_LOOKED_AT]
        return [first, *(_rules_of(one) for one in beside if one.rules is None)]

    def judge(self, evidence: Evidence) -> Verdict:
        kernel = evidence[PacketFiltersQuery()]
        wanted, seen = self.wanted(), described(kernel)
        # a container's rules say nothing about the machine's
        beside = () if kernel.container else kernel.forward_beside(self.engine_chains)
        rules = {
            one: evidence[_rules_of(one)].rules if one.rules is None and at < CHAINS_LOOKED_AT else one.rules
            for at, one in enumerate(beside)
        }
        seen = listed((seen, *_of_rules(rules)))
        passage = {one: one.passage(found) for one, found in rules.items()}
        if dropping := tuple(str(one) for one, found in passage.items() if found is Passage.DROPS):
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "What these chains do not allow is dropped, even where Docker's rules accept it: {chains:list}.",
                    chains=dropping,
                ),
                fix=msg("Allow the container networks there in both directions."),
            )
        if (unseen := gap(wanted, seen, kernel)) is not None:
            return unseen
        if unclear := [one for one, found in passage.items() if found is Passage.UNCLEAR]:
            return unknown(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "Rules that may drop packets of containers were not judged, in these chains: {chains:list}.",
                    chains=tuple(map(str, unclear)),
                ),
                fix=msg(
                    "Ask the firewall team whether container networks pass there both ways: {listings:list}.",
                    listings=tuple(dict.fromkeys(kernel.listing(one) for one in unclear)),
                ),
            )
        return met(wanted=wanted, seen=seen, because=msg("No packet filter stands in the way of Docker's rules."))


def _rules_of(chain: BaseChain) -> ForwardRulesQuery:
    return ForwardRulesQuery(family=chain.family, table=chain.table, chain=chain.name)


def _of_rules(chains: Mapping[BaseChain, Rules | None]) -> Iterator[Message]:
    for chain, rules in chains.items():
        if rules is None:
            yield msg("{chain}: rules not visible", chain=str(chain))
            continue
        if rules.end is End.DROPS:
            yield msg("{chain}: a rule without a condition drops or rejects the rest", chain=str(chain))
        if rules.may_drop:
            yield msg("{chain}: rules with conditions drop, or lead to other rules", chain=str(chain))
        if rules.may_accept:
            yield msg("{chain}: rules with conditions accept, or lead to other rules", chain=str(chain))
