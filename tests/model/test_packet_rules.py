"""listing of nft or iptables -> what becomes of packets that the rules know nothing about."""

from __future__ import annotations

import pytest

from vorflug.model.packet_rules import CHAINS_AT_MOST, Does, End, Rule, Rules, follow, iptables_rules, nft_rules


def rules(end, *, may_drop=False, may_accept=False):
    return Rules(end=end, may_drop=may_drop, may_accept=may_accept)


DROP, ACCEPT, RETURN = Rule(Does.DROP), Rule(Does.ACCEPT), Rule(Does.RETURN)
UNCLEAR = Rule(Does.UNCLEAR)


def some(does, target="", *, old_only=False):
    return Rule(does, target, conditional=True, old_only=old_only)


def jump(target):
    return Rule(Does.JUMP, target)


def goto(target):
    return Rule(Does.GOTO, target)


@pytest.mark.parametrize(
    ("chains", "found"),
    [
        ({"c": ()}, rules(End.POLICY)),
        ({"c": (DROP,)}, rules(End.DROPS)),
        ({"c": (ACCEPT,)}, rules(End.ACCEPTS)),
        ({"c": (RETURN, DROP)}, rules(End.POLICY)),
        # what comes after the end is not reached
        ({"c": (ACCEPT, DROP, some(Does.DROP))}, rules(End.ACCEPTS)),
        ({"c": (DROP, ACCEPT, some(Does.ACCEPT))}, rules(End.DROPS)),
        ({"c": (some(Does.DROP),)}, rules(End.POLICY, may_drop=True)),
        ({"c": (some(Does.ACCEPT), DROP)}, rules(End.DROPS, may_accept=True)),
        ({"c": (some(Does.ACCEPT, old_only=True), DROP)}, rules(End.DROPS)),
        ({"c": (some(Does.DROP, old_only=True), DROP)}, rules(End.DROPS, may_drop=True)),
        ({"c": (some(Does.JUMP, "x"),)}, rules(End.POLICY, may_drop=True, may_accept=True)),
        ({"c": (some(Does.JUMP, "x", old_only=True),)}, rules(End.POLICY, may_drop=True)),
        ({"c": (some(Does.GOTO, "x"),)}, rules(End.POLICY, may_drop=True, may_accept=True)),
        ({"c": (some(Does.RETURN), DROP)}, rules(End.DROPS, may_drop=True, may_accept=True)),
        ({"c": (UNCLEAR, DROP)}, rules(End.DROPS, may_drop=True, may_accept=True)),
        # once noted, it stays
        ({"c": (some(Does.DROP), some(Does.ACCEPT))}, rules(End.POLICY, may_drop=True, may_accept=True)),
        ({"c": (some(Does.ACCEPT), some(Does.DROP))}, rules(End.POLICY, may_drop=True, may_accept=True)),
        # a jump comes back where nothing decides, a goto does not
        ({"c": (jump("x"), DROP), "x": ()}, rules(End.DROPS)),
        ({"c": (jump("x"), DROP), "x": (RETURN, ACCEPT)}, rules(End.DROPS)),
        ({"c": (jump("x"), DROP), "x": (ACCEPT,)}, rules(End.ACCEPTS)),
        ({"c": (jump("x"),), "x": (DROP,)}, rules(End.DROPS)),
        ({"c": (jump("x"),), "x": (some(Does.DROP),)}, rules(End.POLICY, may_drop=True)),
        ({"c": (goto("x"), DROP), "x": ()}, rules(End.POLICY)),
        ({"c": (goto("x"), ACCEPT), "x": (DROP,)}, rules(End.DROPS)),
        # a chain that cannot be listed
        ({"c": (jump("x"), DROP)}, rules(End.DROPS, may_drop=True, may_accept=True)),
        ({}, rules(End.POLICY, may_drop=True, may_accept=True)),
    ],
)
def test_rules_are_followed(chains, found):
    assert follow("c", chains.get) == found


@pytest.mark.parametrize(
    ("more", "found"), [(0, rules(End.DROPS)), (1, rules(End.POLICY, may_drop=True, may_accept=True))]
)
def test_only_so_many_chains_are_followed(more, found):
    last = CHAINS_AT_MOST + more
    chains = {str(n): (jump(str(n + 1)),) for n in range(1, last)} | {str(last): (DROP,)}
    assert follow("1", chains.get) == found


def test_chains_that_lead_to_each_other_come_to_an_end():
    assert follow("a", {"a": (jump("b"),), "b": (jump("a"),)}.get).end is End.POLICY
    many = {"a": (jump("b"),) * 2, "b": (jump("c"),) * 2} | {"c": (jump("a"),) * 2}
    assert follow("a", many.get).may_drop


# ---- nft -------------------------------------------------------------------------------------------------------------


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


STATE, META = {"ct": {"key": "state"}}, {"meta": {"key": "iifname"}}
COUNTER, LOG = {"counter": {"packets": 3, "bytes": 180}}, {"log": {"prefix": "x"}}
PORT = match({"payload": {"protocol": "tcp", "field": "dport"}}, 22)
ICMP = {"meta": {"key": "l4proto"}}


@pytest.mark.parametrize(
    ("statements", "rule"),
    [
        ([{"drop": None}], DROP),
        ([{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}], DROP),
        ([{"accept": None}], ACCEPT),
        ([{"return": None}], RETURN),
        ([{"jump": {"target": "x"}}], jump("x")),
        ([{"goto": {"target": "x"}}], goto("x")),
        ([COUNTER, LOG, {"notrack": None}, {"mangle": {"key": META, "value": 1}}, {"drop": None}], DROP),
        ([COUNTER, LOG], None),
        ([PORT, COUNTER], None),
        ([PORT, {"accept": None}], some(Does.ACCEPT)),
        ([PORT, {"jump": {"target": "x"}}], some(Does.JUMP, "x")),
        ([{"limit": {"rate": 3, "per": "second"}}, {"drop": None}], some(Does.DROP)),
        ([{"something new": None}, {"drop": None}], some(Does.DROP)),
        ([{"queue": {"num": 1}}], UNCLEAR),
        ([{"vmap": {"key": META, "data": {"set": [["eth0", {"drop": None}]]}}}], UNCLEAR),
        ([{"synproxy": None}], UNCLEAR),
        ([{"tproxy": {"port": 1}}], UNCLEAR),
        # extensions of iptables
        ([COUNTER, {"xt": {"type": "target", "name": "REJECT"}}], DROP),
        ([{"xt": {"type": "match", "name": "comment"}}, COUNTER, {"drop": None}], DROP),
        ([{"xt": {"type": "target", "name": "LOG"}}], None),
        ([{"xt": {"type": "match", "name": "conntrack"}}, {"accept": None}], some(Does.ACCEPT)),
        ([{"xt": {"type": "match", "name": "conntrack"}}, COUNTER], None),
        ([{"xt": {"type": "target", "name": "NFQUEUE"}}], some(Does.UNCLEAR)),
        ([{"xt": None}], some(Does.UNCLEAR)),
    ],
)
def test_a_rule_of_nft(statements, rule):
    entry = {"rule": {"family": "inet", "table": "f", "chain": "c", "handle": 4, "comment": "x", "expr": statements}}
    listing = {"nftables": [{"metainfo": {}}, {"chain": {"name": "c"}}, entry]}
    assert nft_rules(listing) == (() if rule is None else (rule,))


@pytest.mark.parametrize(
    ("condition", "old_only"),
    [
        (match(STATE, ["established", "related"], "in"), True),
        (match(STATE, {"set": ["established", "invalid"]}), True),
        (match(STATE, "established", "in"), True),
        (match(STATE, ["established", "new"], "in"), False),
        (match(STATE, "invalid", "!="), False),
        (match({"ct": {"key": "status"}}, "dnat", "in"), True),
        (match({"ct": {"key": "status"}}, "snat", "in"), False),
        (match({"ct": {"key": "mark"}}, "dnat"), False),
        (match(META, "lo"), True),
        (match({"meta": {"key": "oif"}}, "lo"), True),
        (match(META, "docker0"), False),
        (match({"meta": {"key": "mark"}}, "lo"), False),
        (match({"ct": {"key": "iifname"}}, "lo"), False),
        (match(ICMP, {"set": ["icmp", "ipv6-icmp"]}), True),
        (match(ICMP, "tcp"), False),
        (match({"payload": {"protocol": "ip", "field": "protocol"}}, "icmp"), True),
        (match({"payload": {"protocol": "ip6", "field": "nexthdr"}}, "icmpv6"), True),
        (match({"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": "10.0.0.0", "len": 8}}), False),
        (match({"ct": {"key": "protocol"}}, "icmp"), False),
        (match("x", "y"), False),
        (match({"rt": {"key": "iifname"}}, "lo"), False),
        (match({"rt": {"key": "l4proto"}}, "icmp"), False),
        (match({"rt": {"field": "protocol"}}, "icmp"), False),
        (match({"meta": {"key": "mark"}}, "icmp"), False),
        (match({"payload": {"protocol": "ip", "field": "saddr"}}, "icmp"), False),
    ],
)
def test_conditions_that_keep_a_rule_from_new_connections(condition, old_only):
    for statements in ([condition, {"accept": None}], [condition, PORT, {"accept": None}]):
        assert nft_rules({"nftables": [{"rule": {"expr": statements}}]}) == (some(Does.ACCEPT, old_only=old_only),)


# ---- iptables-save ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((), rules(End.POLICY)),
        (("-A FORWARD -j DROP",), rules(End.DROPS)),
        (("-A FORWARD -j REJECT --reject-with icmp-host-prohibited",), rules(End.DROPS)),
        (("-A FORWARD -j ACCEPT", "-A FORWARD -j DROP"), rules(End.ACCEPTS)),
        (("-A FORWARD -j RETURN", "-A FORWARD -j DROP"), rules(End.POLICY)),
        # another chain's, or one whose name begins so
        (("-A INPUT -j DROP", "-A FORWARDED -j DROP"), rules(End.POLICY)),
        (('-A FORWARD -m comment --comment "a -j DROP \\"b\\"" -j ACCEPT',), rules(End.ACCEPTS)),
        (("-A FORWARD -m comment --comment short -j DROP",), rules(End.DROPS)),
        (("-A FORWARD -j LOG --log-prefix x", "-A FORWARD -p tcp"), rules(End.POLICY)),
        (("-A FORWARD -s 10.0.0.0/8 -j DROP",), rules(End.POLICY, may_drop=True)),
        (("-A FORWARD -i docker0 -j ACCEPT", "-A FORWARD -j DROP"), rules(End.DROPS, may_accept=True)),
        (("-A FORWARD -i docker0 -p icmp -j ACCEPT", "-A FORWARD -j DROP"), rules(End.DROPS)),
        (("-A FORWARD -i lo -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -o lo -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD ! -i lo -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (("-A FORWARD -i lo -p tcp -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -m state --state ESTABLISHED,RELATED,INVALID,DNAT -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -o icmp -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (('-A FORWARD -m comment --comment "-j" -j DROP',), rules(End.DROPS)),
        (("-A FORWARD -s lo -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (("-A FORWARD -p ipv6-icmp -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -p tcp -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -m state --state ESTABLISHED -j ACCEPT",), rules(End.POLICY)),
        (("-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (("-A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT",), rules(End.POLICY, may_accept=True)),
        (("-A FORWARD -j extra", "-A extra -j DROP"), rules(End.DROPS)),
        (("-A FORWARD -j extra", "-A FORWARD -j DROP"), rules(End.DROPS)),
        (("-A FORWARD -g extra", "-A FORWARD -j DROP"), rules(End.POLICY)),
        (("-A FORWARD -j NFQUEUE --queue-num 1",), rules(End.POLICY, may_drop=True, may_accept=True)),
    ],
)
def test_rules_of_iptables_save(lines, found):
    head = ("*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":extra - [0:0]")
    assert iptables_rules("\n".join((*head, *lines, "COMMIT", "")), "FORWARD") == found
