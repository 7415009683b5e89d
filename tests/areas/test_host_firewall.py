"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.host_firewall import (
    CHAINS_LOOKED_AT,
    Firewalld,
    ForwardedRequirement,
    HostFirewallFact,
    HostFirewallQuery,
    HostFirewallRequirement,
    Ufw,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.packet_filter import (
    BaseChain,
    ForwardRulesFact,
    ForwardRulesQuery,
    Look,
    PacketFiltersFact,
    PacketFiltersQuery,
    Tables,
)
from vorflug.model.packet_rules import End, Rules, follow, iptables_rules, nft_rules
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.running import Runs
from vorflug.ports.processes import Process, Running

CLOSED = PermissionError("closed")
CONF = "/etc/firewalld/firewalld.conf"
OWN, SHIPPED = "/etc/firewalld/zones", "/usr/lib/firewalld/zones"
UFW, POLICY = "/etc/ufw/ufw.conf", "/etc/default/ufw"
ZONE = '<?xml version="1.0" encoding="utf-8"?>\n<zone{}>\n  <short>Public</short>\n  <service name="ssh"/>\n</zone>\n'
UNIT = "/system.slice/firewalld.service"


def process(cgroup, uid=0, program="/usr/bin/python3.11"):
    return Process(700, "firewalld", program, uid, cgroup)


def look(files, *found, hidden=False):
    one = fake_host(
        files=FakePort(read_text=lambda path: files.get(path, FileNotFoundError(path))),
        processes=FakePort(named=Running(found, hidden=hidden)),
    )
    fact = HostFirewallQuery().observe(one)
    assert HostFirewallFact.model_validate_json(fact.model_dump_json()) == fact
    return fact


@pytest.mark.parametrize(
    ("found", "hidden", "runs"),
    [
        ((process(UNIT),), False, Runs.YES),
        ((process(UNIT),), True, Runs.YES),
        ((process("/user.slice/user-1000.slice/session-2.scope", 1000),), False, Runs.NO),
        ((process("/user.slice/user-1000.slice/user@1000.service/firewalld.service", 1000),), False, Runs.NO),
        ((process("/user.slice/x", 1000), process(UNIT)), False, Runs.YES),
        # root may have started it without systemd, or somebody a set-user-id program under that name
        ((process("/user.slice/user-1000.slice/session-2.scope"),), False, Runs.UNCLEAR),
        ((), True, Runs.UNCLEAR),
        ((), False, Runs.NO),
    ],
)
def test_a_program_called_like_firewalld_is_none(found, hidden, runs):
    assert look({}, *found, hidden=hidden).firewalld == Firewalld(runs=runs, zone=None, target=None)


@pytest.mark.parametrize(
    ("files", "zone", "target"),
    [
        ({CONF: "DefaultZone=public\n", f"{SHIPPED}/public.xml": ZONE.format("")}, "public", "default"),
        (
            {CONF: "# DefaultZone=x\nDefaultZone=drop\n", f"{SHIPPED}/drop.xml": ZONE.format(' target="DROP"')},
            "drop",
            "drop",
        ),
        (
            {CONF: "DefaultZone=block\n", f"{SHIPPED}/block.xml": ZONE.format(" version='1' target='%%REJECT%%'")},
            "block",
            "reject",
        ),
        # the administrator's copy of a zone counts
        (
            {
                CONF: "DefaultZone=public\n",
                f"{OWN}/public.xml": ZONE.format(' target="ACCEPT"'),
                f"{SHIPPED}/public.xml": ZONE.format(""),
            },
            "public",
            "accept",
        ),
        ({CONF: "", f"{SHIPPED}/public.xml": ZONE.format("")}, "public", "default"),
        ({CONF: "DefaultZone=gone\n"}, "gone", None),
        (
            {CONF: "DefaultZone=public\n", f"{OWN}/public.xml": CLOSED, f"{SHIPPED}/public.xml": ZONE.format("")},
            "public",
            None,
        ),
        (
            {CONF: "DefaultZone=public\n", f"{OWN}/public.xml": '<!-- <zone target="DROP"> -->\n<zone>\n</zone>'},
            "public",
            "default",
        ),
        # what firewalld does not take either; the long ones once took minutes
        *(
            ({CONF: "DefaultZone=public\n", f"{OWN}/public.xml": text}, "public", None)
            for text in (
                "",
                "<zones/>",
                "<zone",
                "<zone" * 200_000,
                "<!--" * 200_000,
                '<zone target="no word"/>',
                '<!DOCTYPE zone [<!ENTITY a "b">]><zone target="DROP"/>',
            )
        ),
        # only the first tag is looked at
        ({CONF: "DefaultZone=public\n", f"{OWN}/public.xml": ZONE.format("") + "<" * 9000}, "public", "default"),
        # what is no name never becomes part of a path
        ({CONF: "DefaultZone=../../shadow\n", f"{OWN}/../../shadow.xml": ZONE.format("")}, None, None),
        ({CONF: CLOSED}, None, None),
    ],
)
def test_default_zone_and_its_target(files, zone, target):
    found = look(files).firewalld
    assert (found.zone, found.target) == (zone, target)


POLICIES = 'DEFAULT_INPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\n'


@pytest.mark.parametrize(
    ("files", "ufw"),
    [
        ({}, None),
        ({POLICY: POLICIES}, None),
        ({UFW: "ENABLED=yes\n", POLICY: POLICIES}, Ufw(enabled=True, incoming="drop", forwarded="drop")),
        ({UFW: "ENABLED=no\n", POLICY: POLICIES}, Ufw(enabled=False, incoming="drop", forwarded="drop")),
        ({UFW: "# ENABLED=yes\nENABLED=YES\n"}, Ufw(enabled=True, incoming=None, forwarded=None)),
        ({UFW: "ENABLED=yes\nENABLED=no\n"}, Ufw(enabled=False, incoming=None, forwarded=None)),
        ({UFW: "", POLICY: CLOSED}, Ufw(enabled=None, incoming=None, forwarded=None)),
        (
            {UFW: CLOSED, POLICY: 'DEFAULT_INPUT_POLICY=ACCEPT # all\nDEFAULT_FORWARD_POLICY=""\n'},
            Ufw(enabled=None, incoming="accept", forwarded=None),
        ),
    ],
)
def test_ufw_as_its_files_say(files, ufw):
    assert look(files).ufw == ufw


# ---- verdicts --------------------------------------------------------------------------------------------------------


def chain(name, policy, table="filter", family="ip", rules=None):
    hook = name.lower().removeprefix("filter_")
    return BaseChain(family=family, table=table, name=name, hook=hook, policy=policy, rules=rules)


def kernel(*chains, look=Look.SEEN, ufw=False, old_ufw=False, old=(), container=""):
    return PacketFiltersFact(
        nftables=Tables(look=look, chains=chains, ufw=ufw),
        old_iptables=Tables(look=Look.NONE, chains=old, ufw=old_ufw),
        container=container,
    )


def services(runs=Runs.NO, zone=None, target=None, ufw=None):
    return HostFirewallFact(firewalld=Firewalld(runs=runs, zone=zone, target=target), ufw=ufw)


def judged(demand, *facts):
    kinds = {HostFirewallFact: HostFirewallQuery(), PacketFiltersFact: PacketFiltersQuery()}
    return demand.judge(Evidence([Observation(kinds[type(fact)], Seen(fact)) for fact in facts]))


NOTHING = Rules(end=End.POLICY, may_drop=False, may_accept=False)


def forwarding(kernel, found=NOTHING, **rules):
    """What is decided of forwarded packets; *rules*: those of a chain of that table, of the others *found*."""
    demand = ForwardedRequirement.model_validate(header(engine_chains=DOCKERS))
    evidence = Evidence([Observation(PacketFiltersQuery(), Seen(kernel))])
    for query in demand.queries(evidence)[1:]:
        evidence.add(Observation(query, Seen(ForwardRulesFact(rules=rules.get(query.table, found)))))
    return demand.judge(evidence)


ON, OFF = Ufw(enabled=True, incoming="drop", forwarded="drop"), Ufw(enabled=False, incoming=None, forwarded=None)
NO_FILTER = "The kernel has no packet filter for what comes to or through this machine."
OTHERS = "Packet filters are in the kernel that are neither firewalld's nor ufw's."
FORWARDED = "What no rule allows is not forwarded; Docker adds rules of its own for containers."
INCOMING = "What no rule allows does not get in to this machine; ports 80 and 443 are wanted from outside."
UFW_FILE = "ufw is switched on in its file, and not active in the kernel."


@pytest.mark.parametrize(
    ("fact", "rules", "because"),
    [
        (services(), kernel(), NO_FILTER),
        (services(), kernel(look=Look.NONE), NO_FILTER),
        (services(), kernel(chain("INPUT", "accept")), OTHERS),
        (services(), kernel(old=(chain("INPUT", "drop"),)), f"{OTHERS} {INCOMING}"),
        (services(), kernel(chain("FORWARD", "drop")), f"{OTHERS} {FORWARDED}"),
        (services(Runs.YES, "public", "default"), kernel(), f"firewalld is active. {NO_FILTER}"),
        # its table in the kernel is a proof, whatever is visible of its process
        (services(Runs.NO), kernel(chain("filter_INPUT", "accept", "firewalld", "inet")), "firewalld is active."),
        (services(Runs.UNCLEAR), kernel(chain("filter_INPUT", "accept", "firewalld", "inet")), "firewalld is active."),
        (services(ufw=ON), kernel(chain("FORWARD", "drop"), ufw=True), f"ufw is active. {FORWARDED}"),
        (services(ufw=ON), kernel(old=(chain("INPUT", "drop"),), old_ufw=True), f"ufw is active. {INCOMING}"),
        # enabled in the file is not active in the kernel
        (services(ufw=ON), kernel(), f"{UFW_FILE} {NO_FILTER}"),
        (services(ufw=ON), kernel(chain("INPUT", "accept")), f"{UFW_FILE} {OTHERS}"),
        (services(ufw=OFF), kernel(), NO_FILTER),
    ],
)
def test_which_host_firewall_is_active(fact, rules, because, no_io):
    with no_io():
        verdict = judged(HostFirewallRequirement.model_validate(header()), fact, rules)
    assert (verdict.outcome, render(verdict.because), verdict.fix) == (Outcome.MET, because, None)


@pytest.mark.parametrize(
    ("fact", "rules", "because"),
    [
        (services(Runs.UNCLEAR), kernel(chain("INPUT", "drop")), "Whether firewalld runs is not visible."),
        (services(Runs.YES), kernel(look=Look.NEEDS_ROOT), "The kernel shows its packet filters to root only."),
        (
            services(),
            kernel(container="lxc"),
            "This runs in a container (lxc), which may have packet filters of its own.",
        ),
    ],
)
def test_without_root_it_is_never_no_firewall(fact, rules, because):
    verdict = judged(HostFirewallRequirement.model_validate(header()), fact, rules)
    assert (verdict.outcome, render(verdict.because)) == (Outcome.UNKNOWN, because)
    assert verdict.fix is not None


@pytest.mark.parametrize(
    ("fact", "seen"),
    [
        (services(), ""),
        (services(Runs.NO, "public", "default"), "firewalld: does not run, default zone public, its default default; "),
        (services(Runs.YES), "firewalld: runs, default zone not visible, its default not visible; "),
        (services(Runs.UNCLEAR), "firewalld: not visible, default zone not visible, its default not visible; "),
        (services(ufw=ON), "ufw by its files: switched on, incoming drop, forwarded drop; "),
        (services(ufw=OFF), "ufw by its files: switched off, incoming not visible, forwarded not visible; "),
        (
            services(ufw=Ufw(enabled=None, incoming="accept", forwarded=None)),
            "ufw by its files: not visible, incoming accept, forwarded not visible; ",
        ),
    ],
)
def test_what_was_seen(fact, seen):
    verdict = judged(HostFirewallRequirement.model_validate(header()), fact, kernel())
    assert render(verdict.seen) == f"{seen}nftables: no packet filter; iptables-legacy: no packet filter"


DOCKERS = ("ip filter FORWARD", "ip6 filter FORWARD")


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        (kernel(), Outcome.MET),
        # Docker itself sets this default, and its rules lie in this chain
        (kernel(chain("FORWARD", "drop")), Outcome.MET),
        (kernel(chain("forward", "accept", family="inet")), Outcome.MET),
        (kernel(chain("input", "drop", family="inet")), Outcome.MET),
        # the same words in another family, or another chain of that table, are another chain
        (kernel(chain("forward", "drop", family="inet")), Outcome.UNMET),
        (kernel(chain("forward", "drop")), Outcome.UNMET),
        (kernel(chain("FORWARD", "drop"), chain("forward", "drop", "guard", "inet")), Outcome.UNMET),
        (kernel(look=Look.NEEDS_ROOT), Outcome.UNKNOWN),
        (kernel(container="docker"), Outcome.UNKNOWN),
        # a container's rules say nothing about the machine's
        (kernel(chain("forward", "drop", family="inet"), container="docker"), Outcome.UNKNOWN),
    ],
)
def test_a_filter_that_drops_what_docker_accepts(rules, outcome, no_io):
    with no_io():
        verdict = forwarding(rules)
    assert verdict.outcome is outcome
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert "Docker's" in render(verdict.wanted)


def test_the_chains_that_drop_are_named():
    verdict = forwarding(kernel(chain("FORWARD", "drop"), chain("forward", "drop", "guard", "inet")))
    assert render(verdict.because).endswith("even where Docker's rules accept it: inet guard forward.")
    assert render(verdict.seen).startswith("nftables: ip filter FORWARD drop and inet guard forward drop")


def test_without_a_look_nothing_is_decided():
    unseen = Unseen(Reason.DENIED, "closed")
    with pytest.raises(NotSeen):
        HostFirewallRequirement.model_validate(header()).judge(Evidence([Observation(HostFirewallQuery(), unseen)]))
    demand = ForwardedRequirement.model_validate(header(engine_chains=DOCKERS))
    with pytest.raises(NotSeen):
        demand.judge(Evidence([Observation(PacketFiltersQuery(), unseen)]))


def test_the_questions():
    demand = HostFirewallRequirement.model_validate(header())
    assert demand.queries(Evidence()) == [HostFirewallQuery(), PacketFiltersQuery()]
    assert render(HostFirewallQuery().asks()).endswith("?")
    assert render(demand.wanted()) == "the active host firewall and its default known"
    only = ForwardedRequirement.model_validate(header(engine_chains=()))
    assert only.queries(Evidence()) == [PacketFiltersQuery()]
    seen = kernel(chain("FORWARD", "accept"), old=(chain("FORWARD", "accept", family="ip6", rules=NOTHING),))
    assert only.queries(Evidence([Observation(PacketFiltersQuery(), Seen(seen))])) == [
        PacketFiltersQuery(),
        ForwardRulesQuery(family="ip", table="filter", chain="FORWARD"),
    ]
    inside = seen.model_copy(update={"container": "docker"})
    assert only.queries(Evidence([Observation(PacketFiltersQuery(), Seen(inside))])) == [PacketFiltersQuery()]


# ---- rules -----------------------------------------------------------------------------------------------------------

FOREIGN = chain("forward", "accept", "f", "inet")
FINAL = Rules(end=End.DROPS, may_drop=False, may_accept=False)
ZONES = Rules(end=End.DROPS, may_drop=True, may_accept=True)
SOME_DROP = Rules(end=End.POLICY, may_drop=True, may_accept=False)
SOME_ACCEPT = Rules(end=End.POLICY, may_drop=False, may_accept=True)
ENDS = "inet f forward: a rule without a condition drops or rejects the rest"
DROPS = "inet f forward: rules with conditions drop, or lead to other rules"
ACCEPTS = "inet f forward: rules with conditions accept, or lead to other rules"
NO_OLD = "nftables: inet f forward accept; iptables-legacy: no packet filter"


@pytest.mark.parametrize(
    ("rules", "outcome", "seen"),
    [
        (NOTHING, Outcome.MET, ()),
        (SOME_ACCEPT, Outcome.MET, (ACCEPTS,)),
        # a policy that accepts, and a last rule that does not: the layout of RHEL's iptables
        (FINAL, Outcome.UNMET, (ENDS,)),
        (SOME_DROP, Outcome.UNKNOWN, (DROPS,)),
        (ZONES, Outcome.UNKNOWN, (ENDS, DROPS, ACCEPTS)),
        (None, Outcome.UNKNOWN, ("inet f forward: rules not visible",)),
    ],
)
def test_the_policy_is_not_all(rules, outcome, seen, no_io):
    with no_io():
        verdict = forwarding(kernel(FOREIGN), rules)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == "; ".join((NO_OLD, *seen))
    if outcome is Outcome.UNMET:
        assert render(verdict.because).endswith(": inet f forward.")
        assert render(verdict.fix) == "Allow the container networks there in both directions."
    if outcome is Outcome.UNKNOWN:
        assert render(verdict.because).endswith("not judged, in these chains: inet f forward.")
        assert render(verdict.fix).endswith("both ways: nft list chain inet f forward.")


def test_what_drops_is_told_before_what_is_unclear_or_hidden():
    both = (FOREIGN, chain("forward", "accept", "guard", "inet"))
    verdict = forwarding(kernel(*both), guard=FINAL, f=SOME_DROP)
    assert (verdict.outcome, render(verdict.because)[-20:]) == (Outcome.UNMET, " inet guard forward.")
    assert forwarding(kernel(FOREIGN, look=Look.NO_PROGRAM), FINAL).outcome is Outcome.UNMET
    hidden = forwarding(kernel(FOREIGN, look=Look.NO_PROGRAM), SOME_DROP)
    assert (hidden.outcome, "no program here" in render(hidden.because)) == (Outcome.UNKNOWN, True)
    verdict = forwarding(kernel(*both), guard=NOTHING, f=SOME_DROP)
    assert render(verdict.because).endswith("chains: inet f forward.")


@pytest.mark.parametrize(("n", "outcome"), [(CHAINS_LOOKED_AT, Outcome.MET), (CHAINS_LOOKED_AT + 1, Outcome.UNKNOWN)])
def test_only_so_many_chains_are_looked_at(n, outcome):
    verdict = forwarding(kernel(*(chain("forward", "accept", f"t{at}", "inet") for at in range(n))))
    assert verdict.outcome is outcome
    if outcome is Outcome.UNKNOWN:
        assert render(verdict.because).endswith(f"chains: inet t{CHAINS_LOOKED_AT} forward.")


SAVED_UFW = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
:ufw-before-forward - [0:0]
:ufw-before-logging-forward - [0:0]
:ufw-reject-forward - [0:0]
:ufw-user-forward - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A FORWARD -j ufw-before-logging-forward
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-reject-forward
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 3 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
COMMIT
"""


def test_ubuntu_with_ufw_and_docker_is_no_false_alarm():
    # ufw(8) sets the policy; Docker's rules are in that very chain and come first
    assert (
        forwarding(kernel(chain("FORWARD", "drop"), chain("FORWARD", "drop", family="ip6"), ufw=True)).outcome
        is Outcome.MET
    )
    # in the old tables as well
    old = chain("FORWARD", "drop", rules=iptables_rules(SAVED_UFW, "FORWARD"))
    assert forwarding(kernel(look=Look.NONE, old=(old,), old_ufw=True)).outcome is Outcome.MET
    # with the new iptables' chain of that name besides, Docker's rules in the old one are conditions
    assert forwarding(kernel(chain("FORWARD", "accept"), old=(old,))).outcome is Outcome.UNKNOWN


def test_old_rules_that_were_left_behind_beside_the_new_ones():
    left = chain("FORWARD", "accept", rules=iptables_rules(":FORWARD ACCEPT [0:0]\n-A FORWARD -j REJECT\n", "FORWARD"))
    verdict = forwarding(kernel(chain("FORWARD", "drop"), old=(left,)))
    assert (verdict.outcome, render(verdict.because)[-19:]) == (Outcome.UNMET, " ip filter FORWARD.")


def test_rhel_with_firewalld_and_docker_is_no_false_alarm():
    ours = chain("filter_FORWARD", "accept", "firewalld", "inet")
    # Docker makes itself a zone there, so that the profile counts this chain as Docker's
    demand = ForwardedRequirement.model_validate(header(engine_chains=("inet firewalld filter_FORWARD",)))
    assert judged(demand, kernel(ours)).outcome is Outcome.MET
    # and where a profile does not, the jumps to zones keep the last reject from being a proof
    lists = {
        "filter_FORWARD": [
            [match({"ct": {"key": "state"}}, ["established", "related"]), {"accept": None}],
            [match({"ct": {"key": "status"}}, "dnat"), {"accept": None}],
            [match({"meta": {"key": "iifname"}}, "lo"), {"accept": None}],
            [{"jump": {"target": "filter_FORWARD_POLICIES"}}],
            [match({"ct": {"key": "state"}}, ["invalid"]), {"drop": None}],
            [{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}],
        ],
        "filter_FORWARD_POLICIES": [
            [match({"meta": {"key": "iifname"}}, "docker0"), {"jump": {"target": "filter_FWD_docker"}}],
            [match({"meta": {"key": "iifname"}}, "docker0"), {"accept": None}],
        ],
    }
    rules = follow(
        "filter_FORWARD",
        lambda name: nft_rules({"nftables": [{"rule": {"expr": statements}} for statements in lists[name]]}),
    )
    assert rules == ZONES
    assert forwarding(kernel(ours), rules).outcome is Outcome.UNKNOWN
    assert forwarding(kernel(ours), FINAL).outcome is Outcome.UNKNOWN


def match(left, right):
    return {"match": {"op": "in", "left": left, "right": right}}
