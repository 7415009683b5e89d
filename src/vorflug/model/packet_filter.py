"""The question that several demands put: which packet filters does the kernel hold, and with which defaults?

Sources: nft(8) and libnftables-json(5) for base chains (hook, policy); the kernel's net/ipv4/netfilter/ip_tables.c for
/proc/net/ip_tables_names, which names the old tables that exist; iptables-save(8).

One file in spite of its length: both generations of filters are read into one picture of chains and defaults.

Nothing is loaded to find out: nft and iptables bring in kernel modules when they are asked, so they are asked only
where what they ask is there already.  Where it is not, there are no such rules.  The tables are those of a network
namespace (network_namespaces(7)): a container usually has its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from vorflug.model.base import Frozen
from vorflug.model.kernel_module import module_folders
from vorflug.model.message import Message, listed, msg, visible
from vorflug.model.packet_rules import End, Rule, Rules, follow, iptables_rules, nft_rules
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Verdict, unknown
from vorflug.ports import Host

_LIMIT = 1 << 22
"""Bytes of a listing: some 30,000 chains."""
_LIMIT_OF_CHAIN = 1 << 20
"""Bytes of one chain with its rules: some 5,000 rules."""
_FAMILIES = ("ip", "ip6", "inet")
_HOOKS = ("input", "forward")
_OLD_CHAINS = ("INPUT", "FORWARD")
_OLD_TABLES = ("filter", "mangle", "security")
"""Those that have both chains (iptables(8), "TABLES")."""
_NFT_NAME = r"[A-Za-z_.][A-Za-z0-9/_.-]{0,127}"
"""What nft(8) reads as one word: it joins its arguments before it reads them, so that no other name is handed to it."""
_NOT_PERMITTED = ("not permitted", "must be root", "permission denied")


class Look(StrEnum):
    """What became of the look at the kernel's rules."""

    SEEN = "seen"
    NONE = "none"
    """The kernel has no such tables: what would hold them is not loaded."""
    NEEDS_ROOT = "needs_root"
    NO_PROGRAM = "no_program"
    """There may be rules, and no program here lists them."""
    WOULD_LOAD = "would_load"
    """Whether the module is there is not visible, and asking could load it."""
    UNREADABLE = "unreadable"
    """The program failed, or printed more than is read."""


class Passage(StrEnum):
    """What a chain does with new connections that it knows nothing about, as those of containers."""

    OPEN = "open"
    """No rule can drop them."""
    DROPS = "drops"
    """They are dropped, and no rule can accept them before."""
    UNCLEAR = "unclear"
    """Rules with conditions decide, or the rules were not seen."""


class BaseChain(Frozen):
    """A chain that the kernel sends packets to."""

    family: str
    """``ip``, ``ip6`` or ``inet`` (both)."""
    table: str
    name: str
    hook: str
    """``input`` (to this machine) or ``forward`` (through it, as to and from containers)."""
    policy: str
    """``accept`` or ``drop``: what becomes of a packet that no rule decides about."""
    rules: Rules | None = None
    """Of a chain for forwarded packets that iptables-save listed; None where another question asks for them."""

    def passage(self, rules: Rules | None) -> Passage:
        """What it does with its *rules*; they are None where they were not seen."""
        if rules is None:
            return Passage.UNCLEAR
        if rules.end is End.DROPS or (rules.end is End.POLICY and self.policy == "drop"):
            # firewalld looks at the zone of a packet before it rejects, and Docker makes itself a zone that accepts
            unclear = rules.may_accept or self.table == "firewalld"
            return Passage.UNCLEAR if unclear else Passage.DROPS
        return Passage.UNCLEAR if rules.may_drop else Passage.OPEN

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.name}"


class Tables(Frozen):
    """The rules of one kind in the kernel."""

    look: Look
    chains: tuple[BaseChain, ...] = ()
    ufw: bool = False
    """Whether ufw's chains are among them, which it makes when it becomes active."""


class PacketFiltersFact(Fact):
    """The packet filters of the kernel."""

    nftables: Tables
    """nf_tables, which also holds the rules of today's iptables, ufw and firewalld."""
    old_iptables: Tables
    """ip_tables and ip6_tables."""
    container: str
    """What this runs in, as systemd-detect-virt(1) names it; empty for the machine itself."""

    def chains(self) -> tuple[BaseChain, ...]:
        """Those of both kinds."""
        return (*self.nftables.chains, *self.old_iptables.chains)

    def dropping(self, hook: str) -> tuple[BaseChain, ...]:
        """The chains on that hook whose policy drops what none of their rules allows."""
        return tuple(one for one in self.chains() if one.hook == hook and one.policy == "drop")

    def forward_beside(self, engine: Collection[str]) -> tuple[BaseChain, ...]:
        """The chains for forwarded packets that are not among *engine*'s (``family table chain``).

        Where both kinds have a chain of such a name, the engine uses one of them.  That is today's iptables' on most
        distributions, so that the old one counts as another's; where the engine's rules are in it, they are conditions.
        """
        new = {str(one) for one in self.nftables.chains}
        rest = [one for one in self.nftables.chains if str(one) not in engine]
        rest += [one for one in self.old_iptables.chains if str(one) not in engine or str(one) in new]
        return tuple(one for one in rest if one.hook == "forward")

    def listing(self, chain: BaseChain) -> str:
        """The command that lists its rules."""
        if chain.rules is None:
            return f"nft list chain {chain}"
        program = "iptables" if chain.family == "ip" else "ip6tables"
        variant = "-legacy" if chain in self.old_iptables.chains else ""
        return f"{program}{variant}-save -t {chain.table}"


class ForwardRulesFact(Fact):
    """What the rules of one base chain do."""

    rules: Rules | None
    """None where nft did not list them: it failed, printed more than is read, or the name is none that it reads."""


@dataclass(frozen=True, kw_only=True)
class ForwardRulesQuery(Query[ForwardRulesFact]):
    """What do the rules of one chain of nf_tables do?  Asked of chains that are there, so that nothing is loaded."""

    kind = "forward_rules"
    touches = ("nft", "iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save")
    family: str
    table: str
    chain: str

    def asks(self) -> Message:
        return msg("Do rules in {chain} drop packets?", chain=f"{self.family} {self.table} {self.chain}")

    def observe(self, host: Host) -> ForwardRulesFact:
        first = self._listed(host, self.chain)
        if first is None:
            return ForwardRulesFact(rules=None)
        return ForwardRulesFact(
            rules=follow(self.chain, lambda chain: first if chain == self.chain else self._listed(host, chain))
        )

    def _listed(self, host: Host, chain: str) -> tuple[Rule, ...] | None:
        if any(re.fullmatch(_NFT_NAME, name, re.ASCII) is None for name in (self.table, chain)):
            return None
        argv = ("nft", "-j", "list", "chain", self.family, self.table, chain)
        done = host.commands.run(argv, limit=_LIMIT_OF_CHAIN)
        return None if done.code != 0 or done.cut else nft_rules(json.loads(done.out))


@dataclass(frozen=True, kw_only=True)
class PacketFiltersQuery(Query[PacketFiltersFact]):
    """Which packet filters does the kernel hold?"""

    kind = "packet_filters"
    touches = (
        "/proc/",
        "nft",
        "iptables-save",
        "ip6tables-save",
        "iptables-legacy-save",
        "ip6tables-legacy-save",
        "@system.virtualisation",
    )

    def asks(self) -> Message:
        return msg("Which packet filters does the kernel hold, and with which defaults?")

    def observe(self, host: Host) -> PacketFiltersFact:
        return PacketFiltersFact(
            nftables=_nftables(host),
            old_iptables=_old_iptables(host),
            container=host.system.virtualisation().container,
        )


def _nftables(host: Host) -> Tables:
    there = _module_there(host, "nf_tables")
    if there is None:
        return Tables(look=Look.WOULD_LOAD)
    if not there:
        return Tables(look=Look.NONE)
    try:
        done = host.commands.run(("nft", "-j", "list", "chains"), limit=_LIMIT)
    except FileNotFoundError:
        return _through_iptables(host)
    if done.code != 0:
        if "protocol not supported" in done.err.lower():
            return Tables(look=Look.NONE)  # a kernel that was built without netfilter's sockets
        return Tables(look=_failed(done.err))
    if done.cut:
        return Tables(look=Look.UNREADABLE)
    chains = [entry["chain"] for entry in json.loads(done.out)["nftables"] if "chain" in entry]
    based = [chain for chain in chains if chain["family"] in _FAMILIES and chain.get("hook") in _HOOKS]
    if any("policy" not in chain for chain in based):
        return Tables(look=Look.UNREADABLE)  # what becomes of a packet there is not said
    return Tables(
        look=Look.SEEN,
        chains=tuple(
            BaseChain(
                family=chain["family"],
                table=visible(chain["table"]),
                name=visible(chain["name"]),
                hook=chain["hook"],
                policy=chain["policy"],
            )
            for chain in based
        ),
        ufw=any(_of_ufw(chain["name"]) for chain in chains),
    )


def _through_iptables(host: Host) -> Tables:
    """What today's iptables lists of its own tables where there is no nft: a part, so that the look stays a gap."""
    chains, ufw = list[BaseChain](), False
    for family, prefix in (("ip", "iptables"), ("ip6", "ip6tables")):
        program = host.commands.which(f"{prefix}-save")
        if program is None or "nft" not in host.files.resolve(program):
            continue
        done = host.commands.run((f"{prefix}-save", "-t", "filter"), limit=_LIMIT)
        if done.code != 0 or done.cut:
            return Tables(look=_failed(done.err))
        saved = _saved(family, "filter", done.out)
        chains, ufw = [*chains, *saved.chains], ufw or saved.ufw
    return Tables(look=Look.NO_PROGRAM, chains=tuple(chains), ufw=ufw)


def _saved(family: str, table: str, text: str) -> Tables:
    """What iptables-save printed of *table*."""
    found = re.findall(r"^:(\S+) (ACCEPT|DROP|-) ", text, re.MULTILINE)
    return Tables(
        look=Look.SEEN,
        chains=tuple(
            BaseChain(
                family=family,
                table=table,
                name=name,
                hook=name.lower(),
                policy=policy.lower(),
                rules=iptables_rules(text, name) if name == "FORWARD" else None,
            )
            for name, policy in found
            if name in _OLD_CHAINS and policy != "-"
        ),
        ufw=any(_of_ufw(name) for name, _ in found),
    )


def _failed(error: str) -> Look:
    return Look.NEEDS_ROOT if any(words in error.lower() for words in _NOT_PERMITTED) else Look.UNREADABLE


def _of_ufw(chain: str) -> bool:
    return chain in {"ufw-before-input", "ufw6-before-input"}


def _module_there(host: Host, module: str) -> bool | None:
    """Whether the kernel has *module*, loaded or built in; None where that is not visible."""
    try:
        lines = host.files.lines_with("/proc/modules", (module,))
    except FileNotFoundError:
        # a kernel that loads no modules at all: asking it brings nothing in
        return True if host.files.exists("/proc/self") else None
    except PermissionError:
        return None
    if any(line.split(" ")[0] == module for line in lines):
        return True
    for folder in module_folders(host.system.uname().release):
        try:
            built_in = host.files.lines_with(f"{folder}/modules.builtin", (f"/{module}.ko",))
        except (FileNotFoundError, PermissionError):
            continue
        return bool(built_in)
    return None


def _old_iptables(host: Host) -> Tables:
    looks, chains, ufw = [], list[BaseChain](), False
    for family, names, prefix in (
        ("ip", "/proc/net/ip_tables_names", "iptables"),
        ("ip6", "/proc/net/ip6_tables_names", "ip6tables"),
    ):
        tables = _old_tables(host, family, names, prefix)
        looks.append(tables.look)
        chains += tables.chains
        ufw = ufw or tables.ufw
    hidden = [look for look in looks if look not in {Look.SEEN, Look.NONE}]
    # what is not seen of one family may be there
    look = hidden[0] if hidden else Look.SEEN if Look.SEEN in looks else Look.NONE
    return Tables(look=look, chains=tuple(chains), ufw=ufw)


def _old_tables(host: Host, family: str, names: str, prefix: str) -> Tables:
    try:
        tables = host.files.read_text(names, limit=4096).split()
    except FileNotFoundError:
        return Tables(look=Look.NONE)
    except PermissionError:
        return Tables(look=Look.NEEDS_ROOT)
    there = [table for table in _OLD_TABLES if table in tables]
    if not there:
        return Tables(look=Look.NONE)
    program = _old_program(host, prefix)
    if program is None:
        return Tables(look=Look.NO_PROGRAM)
    chains, ufw = list[BaseChain](), False
    for table in there:
        done = host.commands.run((program, "-t", table), limit=_LIMIT)
        if done.code != 0:
            return Tables(look=_failed(done.err))
        if done.cut:
            return Tables(look=Look.UNREADABLE)
        saved = _saved(family, table, done.out)
        chains, ufw = [*chains, *saved.chains], ufw or saved.ufw
    return Tables(look=Look.SEEN, chains=tuple(chains), ufw=ufw)


def _old_program(host: Host, prefix: str) -> str | None:
    """What lists the old tables: its plain name is a link to today's iptables on most distributions."""
    if host.commands.which(f"{prefix}-legacy-save") is not None:
        return f"{prefix}-legacy-save"
    plain = host.commands.which(f"{prefix}-save")
    return f"{prefix}-save" if plain is not None and "nft" not in host.files.resolve(plain) else None


def gap(wanted: Message, seen: Message, fact: PacketFiltersFact) -> Verdict | None:
    """Why the kernel's rules are not known; None where they are."""
    if fact.container:
        return unknown(
            wanted=wanted,
            seen=seen,
            because=msg(
                "This runs in a container ({kind}), which may have packet filters of its own.", kind=fact.container
            ),
            fix=msg("Run this as root on the machine itself instead of in a container."),
        )
    for tables, listing in ((fact.nftables, "nft -j list chains"), (fact.old_iptables, "iptables-legacy-save")):
        match tables.look:
            case Look.NEEDS_ROOT:
                return unknown(
                    wanted=wanted,
                    seen=seen,
                    because=msg("The kernel shows its packet filters to root only."),
                    fix=msg("Run this as root."),
                )
            case Look.NO_PROGRAM | Look.WOULD_LOAD | Look.UNREADABLE:
                return unknown(
                    wanted=wanted,
                    seen=seen,
                    because=_why_not(tables.look, listing),
                    fix=msg("Look by hand ({listing}), and note the result at the sign-off.", listing=listing),
                )
            case Look.SEEN | Look.NONE:
                continue
            case _:
                assert_never(tables.look)
    return None


def _why_not(look: Look, listing: str) -> Message:
    return {
        Look.NO_PROGRAM: msg("The kernel may have packet filters, and there is no program here that lists them."),
        Look.WOULD_LOAD: msg(
            "Whether the kernel has packet filters is not visible, and asking could load its modules."
        ),
        Look.UNREADABLE: msg("{listing} failed, or printed more than is read.", listing=listing),
    }[look]


def described(fact: PacketFiltersFact) -> Message:
    """What was seen, in words."""
    return listed((_described("nftables", fact.nftables), _described("iptables-legacy", fact.old_iptables)))


def _described(name: str, tables: Tables) -> Message:
    if tables.chains:
        return msg("{name}: {rows:list}", name=name, rows=tuple(f"{one} {one.policy}" for one in tables.chains))
    if tables.look in {Look.SEEN, Look.NONE}:
        return msg("{name}: no packet filter", name=name)
    return msg("{name}: not visible", name=name)
