"""Packet filters of the real kernel, in network namespaces of their own: what is there is found, and nothing is brought in."""

from __future__ import annotations

import json
import subprocess

import pytest

from conftest import let_others_in
from e2e.program import PROGRAM, profile, vorflug

pytestmark = [pytest.mark.tier("namespaces"), pytest.mark.tier("packet-filters")]

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
ROWS = (
    ("host_firewall", {}),
    ("forwarded_packets", {"engine_chains": ["ip filter FORWARD", "ip6 filter FORWARD"]}),
)
INPUT = "nft add table inet guard; nft 'add chain inet guard in { type filter hook input priority 0; policy drop; }'"
FORWARD = "nft add table inet filter; nft 'add chain inet filter forward { type filter hook forward priority 0; policy drop; }'"


def findings(work, inside, *, nobody=False, after=""):
    """What is decided in a network namespace that *inside*, a shell script, has prepared; and what *after* prints."""
    let_others_in(work)
    file, out = profile(work, *ROWS), work / "out"
    out.mkdir(exist_ok=True)
    out.chmod(0o777)
    argv = [*(NOBODY if nobody else ()), *PROGRAM, "collect", "--profile", str(file), "--out", str(out / "facts.json")]
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-ec", f'{inside}\n"$@" > /dev/null\n{after}', "sh", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    ended = vorflug("evaluate", out / "facts.json", "--profile", file, "--format", "json")
    firewall, forwarded = json.loads(ended.out)["findings"]
    return firewall, forwarded, done.stdout


def test_no_packet_filter_and_none_afterwards(tmp_path):
    after = "cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2> /dev/null; nft list ruleset"
    firewall, forwarded, left = findings(tmp_path, ":", after=after)
    assert (firewall["outcome"], forwarded["outcome"]) == ("met", "met")
    assert "no packet filter for what comes to" in firewall["because"]["en"]
    assert left == "", "looking must not bring tables in"


def test_a_filter_that_drops_beside_dockers_chain(tmp_path):
    firewall, forwarded, _ = findings(tmp_path, f"{INPUT}; {FORWARD}; iptables-nft -P FORWARD DROP")
    assert firewall["outcome"] == "met"
    for rule in ("inet guard in drop", "inet filter forward drop", "ip filter FORWARD drop"):
        assert rule in firewall["seen"]["en"]
    assert forwarded["outcome"] == "unmet"
    assert forwarded["because"]["en"].endswith(": inet filter forward.")


def test_the_default_that_docker_sets_itself_is_no_obstacle(tmp_path):
    firewall, forwarded, _ = findings(tmp_path, "iptables-nft -P FORWARD DROP")
    assert forwarded["outcome"] == "met"
    assert "What no rule allows is not forwarded" in firewall["because"]["en"]


OPEN = "nft add table inet f; nft 'add chain inet f forward { type filter hook forward priority 0; policy accept; }'"
STATE = "nft add rule inet f forward ct state established,related accept comment kept-apart"


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ("nft add rule inet f forward counter reject", "unmet"),
        ("nft add rule inet f forward drop", "unmet"),
        ("nft add chain inet f end; nft add rule inet f end drop; nft add rule inet f forward jump end", "unmet"),
        ("nft add rule inet f forward iifname eth7 drop", "unknown"),
        ("nft add rule inet f forward iifname docker0 accept; nft add rule inet f forward drop", "unknown"),
        ("nft add rule inet f forward 'iifname vmap { eth7 : drop }'", "unknown"),
        ("nft add chain inet f end; nft add rule inet f forward jump end", "met"),
        ("nft add rule inet f forward accept; nft add rule inet f forward drop", "met"),
    ],
)
def test_a_policy_that_accepts_is_not_all(tmp_path, rules, outcome):
    _, forwarded, _ = findings(tmp_path, f"{OPEN}; {STATE}; {rules}")
    assert forwarded["outcome"] == outcome
    if outcome == "unmet":
        assert forwarded["because"]["en"].endswith(": inet f forward.")
        assert "a rule without a condition drops or rejects the rest" in forwarded["seen"]["en"]
    if outcome == "unknown":
        assert "nft list chain inet f forward" in forwarded["fix"]["en"]
    facts = (tmp_path / "out" / "facts.json").read_text(encoding="utf-8")
    assert "kept-apart" not in facts and "eth7" not in facts


def test_without_nft_iptables_tells_a_part_and_makes_nothing(tmp_path):
    hide, show = "mount --bind /dev/null /usr/sbin/nft", "umount /usr/sbin/nft; nft list ruleset"
    firewall, forwarded, left = findings(tmp_path, f"iptables-nft -P FORWARD DROP; {hide}", after=show)
    assert (firewall["outcome"], forwarded["outcome"]) == ("unknown", "unknown")
    assert "ip filter FORWARD drop" in firewall["seen"]["en"]
    assert "ip6" not in left, "looking must not bring tables in"


def test_old_tables(tmp_path):
    if subprocess.run(["unshare", "-n", "iptables-legacy", "-S"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this kernel has no old tables")
    firewall, _, _ = findings(tmp_path, "iptables-legacy -P INPUT DROP")
    assert "iptables-legacy: ip filter INPUT drop" in firewall["seen"]["en"]


def test_without_root_it_is_not_visible_and_never_none(tmp_path):
    firewall, forwarded, _ = findings(tmp_path, FORWARD, nobody=True)
    for row in (firewall, forwarded):
        assert row["outcome"] == "unknown"
        assert row["because"]["en"] == "The kernel shows its packet filters to root only."
        assert row["fix"]["en"]
        assert "nftables: not visible" in row["seen"]["en"]
