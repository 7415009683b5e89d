"""Look-ups in a namespace whose nameservers, hosts file and resolv.conf are the lab's.

Run by itself within ``unshare -nm``: the C library reads its files from fixed places.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from lab.nameserver import aliases, lame, mute, nameserver, only_aliases, records, truncated, without
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.lookup import look_up
from vorflug.netprobe.random_names import RandomNames

A, B, C = "127.0.0.53", "127.0.0.54", "127.0.0.55"
GOOD, OTHER, CATCH_ALL = "192.0.2.1", "192.0.2.2", "192.0.2.66"
NAME, PUBLIC = "app.lab.test", "app.lab.de"
HEALTHY = records(app__lab__test=[GOOD, "2001:db8::1"], app__lab__de=[GOOD], both__lab__test=[GOOD])
CAUGHT = records(**{"app__lab__test": [GOOD], "*": [CATCH_ALL]})
STEADY = Limits(resolve=2.4, nameserver=0.5)
IMPATIENT = Limits(resolve=0.4, nameserver=0.15)
"""For what is silent: the C library waits for a second at least."""
PATIENT = Limits(resolve=2.4, nameserver=0.15)
FE80 = "fe80::53%lo"


def case(servers, name=NAME, *, hosts="", conf="", limits=STEADY, tcp=None, rules="", listed=None):
    """*servers*: address → behaviour, None where nothing listens; *listed*: those of resolv.conf, if others."""
    return locals()


CASES = {
    "healthy": case({A: HEALTHY}),
    "healthy over IPv6": case({"::1": HEALTHY}),
    "a nameserver with a scope": case({FE80: HEALTHY}),
    "NXDOMAIN": case({A: records()}),
    "NODATA": case({A: records(app__lab__test=[])}),
    "SERVFAIL": case({A: records(app__lab__test="SERVFAIL")}),
    "REFUSED": case({A: records(app__lab__test="REFUSED")}),
    "lame": case({A: lame}),
    "first lame": case({A: lame, B: HEALTHY}),
    "silent": case({A: mute}, limits=IMPATIENT),
    "silent, waited for": case({A: mute}, limits=PATIENT),
    "all silent": case({A: mute, B: mute, C: mute}, limits=IMPATIENT),
    "closed": case({A: None}),
    "no route": case({"192.0.2.53": None}),
    "dropped here": case({A: HEALTHY}, rules="udp dport 53 drop"),
    "no nameserver": case({}),
    "no nameserver, and one here": case({"127.0.0.1": HEALTHY}, listed=[]),
    "TCP closed": case({A: truncated}),
    "TCP open": case({A: truncated}, tcp={A: HEALTHY}),
    "first silent": case({A: mute, B: HEALTHY}, limits=IMPATIENT),
    "first silent, waited for": case({A: mute, B: HEALTHY}, limits=PATIENT),
    "first closed": case({A: None, B: HEALTHY}),
    "second silent": case({A: HEALTHY, B: mute}),
    "first refuses": case({A: records(app__lab__test="REFUSED"), B: HEALTHY}),
    "first fails, second silent": case({A: records(app__lab__test="SERVFAIL"), B: mute}, limits=IMPATIENT),
    "first silent, second fails": case({A: mute, B: records(app__lab__test="SERVFAIL")}, limits=IMPATIENT),
    "first silent, second knows none": case({A: mute, B: records()}, limits=PATIENT),
    "first cut, second whole": case({A: truncated, B: HEALTHY}),
    "first cut, second whole over TCP": case({A: truncated, B: HEALTHY}, tcp={B: HEALTHY}),
    "first knows none": case({A: records(), B: HEALTHY}),
    "circle": case({A: aliases(app__lab__test="b.lab.test", b__lab__test="app.lab.test")}),
    "circle, one alias at a time": case(
        {A: aliases(chased=False, app__lab__test="b.lab.test", b__lab__test="app.lab.test")}
    ),
    "circle, SERVFAIL": case({A: only_aliases(aliases(app__lab__test="b.lab.test", b__lab__test="app.lab.test"))}),
    "alias to nowhere": case({A: aliases(app__lab__test="b.lab.test", b__lab__test=[])}),
    "alias": case({A: aliases(app__lab__test="b.lab.test", b__lab__test=[GOOD])}),
    "AAAA silent": case({A: without("AAAA", HEALTHY)}, limits=IMPATIENT),
    "AAAA fails": case({A: without("AAAA", HEALTHY, rcode="SERVFAIL")}),
    "A fails": case({A: without("A", HEALTHY, rcode="SERVFAIL")}),
    "A fails, no AAAA": case({A: without("A", records(app__lab__test=[]), rcode="SERVFAIL")}),
    "an odd answer": case({A: records(app__lab__test="NOTAUTH")}),
    "made up": case({A: records(**{"*": [CATCH_ALL]})}),
    "made up, but not this": case({A: CAUGHT}),
    "made up by the second, which is not asked": case({A: HEALTHY, B: records(**{"*": [CATCH_ALL]})}),
    "made up by the second, which is asked": case({A: mute, B: records(**{"*": [CATCH_ALL]})}, limits=IMPATIENT),
    "hosts file alone": case({A: records()}, hosts=f"{OTHER} {NAME}"),
    "hosts file against DNS": case({A: HEALTHY}, hosts=f"{OTHER} other {NAME}  # for a test"),
    "hosts file like DNS": case({A: HEALTHY}, hosts=f"{GOOD} {NAME}"),
    "hosts file, nameserver silent": case({A: mute}, hosts=f"{OTHER} {NAME}", limits=IMPATIENT),
    "hosts file, made up": case({A: records(**{"*": [CATCH_ALL]})}, hosts=f"{OTHER} {NAME}"),
    "hosts file, ::1": case({A: records()}, hosts=f"::1 {NAME}"),
    "hosts file, other name": case({A: HEALTHY}, hosts=f"{OTHER} my{NAME} {NAME}.x\n# {OTHER} {NAME}"),
    "search domain": case({A: HEALTHY}, "app", conf="search lab.test\n"),
    "search domain and an alias": case(
        {A: aliases(app__lab__test="b.lab.test", b__lab__test=[GOOD])}, "app", conf="search lab.test\n"
    ),
    "search domain before the name": case(
        {A: records(app__lab__test=[GOOD], app__lab__test__lab__test=[OTHER])},
        conf="search lab.test\noptions ndots:5\n",
    ),
    "label, silent": case({A: mute, B: records()}, "app", conf="search lab.test\n", limits=IMPATIENT),
    "loopback of a public name": case({A: records(app__lab__de=["127.0.0.1"])}, PUBLIC),
    "loopback of an inner name": case({A: records(app__lab__test=["127.0.0.1"])}),
    "loopback by the hosts file": case({A: records(app__lab__de=["127.0.0.1"])}, PUBLIC, hosts=f"127.0.0.1 {PUBLIC}"),
    "private address of a public name": case({A: records(app__lab__de=["10.0.0.1"])}, PUBLIC),
    "localhost": case({A: records(**{"*": "SERVFAIL"})}, "localhost", hosts="127.0.0.1 localhost"),
    "garbage": case({A: lambda query: query.to_wire()[:2] + b"\x80"}),
    "another id first": case({A: lambda query: b"\x00\x00" + query.to_wire()[2:]}, limits=IMPATIENT),
    "underscore": case({A: records(a_b__lab__test=[GOOD])}, "a_b.lab.test"),
}


def run(folder, wanted):
    hosts, conf, switch = (Path(folder, name) for name in ("hosts", "resolv.conf", "nsswitch.conf"))
    switch.write_text("hosts: files dns\n")
    for file, place in ((hosts, "/etc/hosts"), (conf, "/etc/resolv.conf"), (switch, "/etc/nsswitch.conf")):
        file.touch()
        subprocess.run(["mount", "--bind", str(file), place], check=True)
    for command in ("link set lo up", "addr add fe80::53/64 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    return {name: look(CASES[name], hosts, conf) for name in wanted}


def look(asked, hosts, conf):
    servers = list(asked["servers"]) if asked["listed"] is None else asked["listed"]
    hosts.write_text(asked["hosts"] + "\n")
    conf.write_text("".join(f"nameserver {s}\n" for s in servers) + asked["conf"] + "options timeout:1 attempts:1\n")
    with ExitStack() as stack:
        for server, behave in asked["servers"].items():
            if behave is not None:
                stack.enter_context(nameserver(behave, host=server, port=53, over_tcp=(asked["tcp"] or {}).get(server)))
        if asked["rules"]:
            table = f"table inet lab {{ chain out {{ type filter hook output priority 0; {asked['rules']}; }}; }}\n"
            subprocess.run(["nft", "-f", "-"], input=table, text=True, check=True)
            stack.callback(subprocess.run, ["nft", "delete", "table", "inet", "lab"], check=True)
        began = time.monotonic()
        found = look_up(
            asked["name"], servers, asked["limits"], Deadline(6), hosts_file=str(hosts), random_names=RandomNames()
        )
        took = time.monotonic() - began
    checks = {check.check.value: [check.outcome, check.detail] for check in found.checks}
    return {
        "addresses": found.addresses,
        "canonical": found.canonical,
        "code": found.code,
        "detail": found.detail,
        "warnings": found.warnings,
        "checks": checks,
        "took": took,
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2:] or list(CASES))))
