"""What the rules of a chain do with a packet that they know nothing about: the listings of nft and iptables, followed.

Sources: libnftables-json(5) for rules as nft lists them; nft(8), "VERDICT STATEMENTS", for what jump, goto and return
do; iptables-save(8), iptables(8) and iptables-extensions(8) for the lines of iptables-save.

Of a rule only its effect is kept, and whether it has a condition: no address, no name of an interface, no comment.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from vorflug.model.base import Frozen

CHAINS_AT_MOST = 16
"""How many chains are followed from one base chain; what lies beyond counts as a condition that was not judged."""


class End(StrEnum):
    """What becomes of a packet that no condition fits."""

    DROPS = "drops"
    """A rule without a condition drops or rejects it."""
    ACCEPTS = "accepts"
    """A rule without a condition accepts it."""
    POLICY = "policy"
    """There is no such rule: the chain's policy decides."""


class Rules(Frozen):
    """The rules of a base chain, and of the chains that it leads to without a condition."""

    end: End
    may_drop: bool
    """Whether a rule before that end drops or rejects under a condition, or leads on to other rules."""
    may_accept: bool
    """Whether a rule before that end accepts new connections under a condition, or leads on to other rules."""


class Does(StrEnum):
    """The effect of a rule."""

    DROP = "drop"
    ACCEPT = "accept"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    UNCLEAR = "unclear"
    """It hands the packet to something that decides elsewhere (a map, a queue, an unknown target)."""


@dataclass(frozen=True)
class Rule:
    """One rule that decides something."""

    does: Does
    target: str = ""
    """The chain that it jumps or goes to."""
    conditional: bool = False
    old_only: bool = False
    """Whether its condition keeps it from new connections of containers: it is about connections that exist, about
    ICMP, or about the loopback interface."""


Lister = Callable[[str], Sequence[Rule] | None]
"""The rules of the chain of that name; None where they cannot be listed."""


def follow(chain: str, lister: Lister) -> Rules:
    """What the rules of *chain* do."""
    walk = _Walk(lister)
    end = walk.through(chain)
    return Rules(end=end, may_drop=walk.may_drop, may_accept=walk.may_accept)


class _Walk:
    def __init__(self, lister: Lister) -> None:
        self.may_drop = self.may_accept = False
        self._lister, self._left = lister, CHAINS_AT_MOST

    def through(self, chain: str) -> End:
        rules = self._lister(chain) if self._left > 0 else None
        self._left -= 1
        if rules is None:
            self.may_drop = self.may_accept = True
            return End.POLICY
        for rule in rules:
            if rule.conditional or rule.does is Does.UNCLEAR:
                self.may_drop = self.may_drop or rule.does is not Does.ACCEPT
                self.may_accept = self.may_accept or not (rule.does is Does.DROP or rule.old_only)
            elif (end := self._decided(rule)) is not None:
                return end
        return End.POLICY

    def _decided(self, rule: Rule) -> End | None:
        """Where *rule*, which has no condition, leads; None where the next rule is next."""
        match rule.does:
            case Does.DROP:
                return End.DROPS
            case Does.ACCEPT:
                return End.ACCEPTS
            case Does.RETURN | Does.UNCLEAR:
                return End.POLICY
            case Does.GOTO:
                return self.through(rule.target)
            case Does.JUMP:
                end = self.through(rule.target)
                return None if end is End.POLICY else end
            case _:
                assert_never(rule.does)


# ---- nft -j list chain -----------------------------------------------------------------------------------------------

_VERDICTS = {"drop": Does.DROP, "reject": Does.DROP, "accept": Does.ACCEPT, "return": Does.RETURN}
_LEADS = {"jump": Does.JUMP, "goto": Does.GOTO}
_ELSEWHERE = ("vmap", "queue", "synproxy", "tproxy")
_NO_CONDITION = ("counter", "log", "mangle", "notrack")
_NO_CONDITION_XT = ("comment", "LOG", "NFLOG", "TRACE", "MARK", "CONNMARK", "TCPMSS")


def nft_rules(listing: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules in what ``nft -j list chain`` printed."""
    found = (_nft_rule(entry["rule"]["expr"]) for entry in listing["nftables"] if "rule" in entry)
    return tuple(rule for rule in found if rule is not None)


def _nft_rule(statements: Sequence[Mapping[str, Any]]) -> Rule | None:
    does, target, conditional, old_only = None, "", False, False
    for statement in statements:
        ((name, value),) = statement.items()
        if name in _VERDICTS:
            does = _VERDICTS[name]
        elif name in _LEADS:
            does, target = _LEADS[name], value["target"]
        elif name in _ELSEWHERE:
            does = Does.UNCLEAR
        elif name == "match":
            conditional, old_only = True, old_only or _old_only(value)
        elif name == "xt":
            # an extension of iptables, of which nft prints the name alone
            kind, extension = (value or {}).get("type"), (value or {}).get("name")
            if extension == "REJECT":
                does = Does.DROP
            elif extension not in _NO_CONDITION_XT:
                conditional, does = True, does if kind == "match" else Does.UNCLEAR
        elif name not in _NO_CONDITION:
            conditional = True
    return None if does is None else Rule(does, target, conditional, old_only)


def _old_only(match: Mapping[str, Any]) -> bool:
    if match["op"] not in {"==", "in"} or not isinstance(match["left"], dict):
        return False
    ((kind, left),) = match["left"].items()
    right = match["right"]
    values = right["set"] if isinstance(right, dict) and "set" in right else right
    values = values if isinstance(values, list) else [values]
    if kind == "ct":
        if left.get("key") == "state":
            return all(value in ("established", "related", "invalid") for value in values)
        # an address that was translated: what comes to a published port, and nothing that a container sends
        return bool(left.get("key") == "status" and values == ["dnat"])
    if kind == "meta" and left.get("key") in {"iif", "iifname", "oif", "oifname"}:
        return values == ["lo"]
    protocol = (kind == "meta" and left.get("key") == "l4proto") or (
        kind == "payload" and left.get("field") in {"protocol", "nexthdr"}
    )
    return protocol and all(value in ("icmp", "icmpv6", "ipv6-icmp") for value in values)


# ---- iptables-save ---------------------------------------------------------------------------------------------------

_TARGETS = {"DROP": Does.DROP, "REJECT": Does.DROP, "ACCEPT": Does.ACCEPT, "RETURN": Does.RETURN}


def iptables_rules(saved: str, chain: str) -> Rules:
    """What the rules of *chain* do, in what ``iptables-save -t filter`` printed."""
    chains = frozenset(re.findall(r"^:(\S+) ", saved, re.MULTILINE))
    lines = saved.splitlines()

    def listed(name: str) -> Sequence[Rule]:
        start = f"-A {name} "
        found = (_saved_rule(shlex.split(line.removeprefix(start)), chains) for line in lines if line.startswith(start))
        return tuple(rule for rule in found if rule is not None)

    return follow(chain, listed)


def _saved_rule(words: Sequence[str], chains: frozenset[str]) -> Rule | None:
    conditional = old_only = False
    at = 0
    while at < len(words):
        word, value = words[at], (*words, "")[at + 1]
        if word in {"-j", "-g"}:
            return _target(word, value, chains, conditional, old_only)
        if (word, value) == ("-m", "comment") or word == "--comment":
            at += 2
            continue
        conditional = True
        old_only = old_only or (words[at - 1] != "!" and _saved_old_only(word, value))
        at += 1
    return None


def _target(word: str, target: str, chains: frozenset[str], conditional: bool, old_only: bool) -> Rule | None:
    if target in _NO_CONDITION_XT:
        return None
    if target in chains:
        return Rule(Does.GOTO if word == "-g" else Does.JUMP, target, conditional, old_only)
    return Rule(_TARGETS.get(target, Does.UNCLEAR), "", conditional, old_only)


def _saved_old_only(option: str, value: str) -> bool:
    if option in {"--ctstate", "--state"}:
        return set(value.split(",")) <= {"ESTABLISHED", "RELATED", "INVALID", "DNAT"}
    return (option in {"-i", "-o"} and value == "lo") or (option == "-p" and value in {"icmp", "ipv6-icmp", "icmpv6"})
