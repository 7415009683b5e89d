"""Every answer of a nameserver, from a real one on loopback; the C library's resolver as far as no network goes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lab.nameserver import mute, nameserver, records, truncated
from lab.prober import SHORT
from vorflug.netprobe import resolve
from vorflug.netprobe.limits import Deadline
from vorflug.ports.net import Code

NAME = "app.lab.test"


def ask(port, name=NAME, host="127.0.0.1"):
    return resolve.ask(name, host, SHORT, Deadline(5), port)


def test_both_families():
    with nameserver(records(app__lab__test=["192.0.2.1", "2001:db8::1"])) as port:
        seen = ask(port)
    assert seen.addresses == ("192.0.2.1", "2001:db8::1")
    assert seen.code is None and seen.server == "127.0.0.1" and seen.canonical == NAME


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_one_family_is_enough(address):
    with nameserver(records(app__lab__test=[address])) as port:
        assert ask(port).addresses == (address,)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("NXDOMAIN", Code.DNS_NXDOMAIN),
        ("SERVFAIL", Code.DNS_SERVFAIL),
        ("NOTIMP", Code.DNS_SERVFAIL),
        ("REFUSED", Code.DNS_REFUSED),
        ([], Code.DNS_NODATA),
    ],
)
def test_without_an_address(said, code):
    with nameserver(records(app__lab__test=said)) as port:
        seen = ask(port)
    assert (seen.code, seen.addresses) == (code, ())


def test_silence_is_a_timeout_and_soon():
    with nameserver(mute) as port:
        began = time.monotonic()
        assert ask(port).code is Code.DNS_TIMEOUT
        assert time.monotonic() - began < 2 * SHORT.nameserver + 0.5


def test_one_lost_packet_is_no_fault():
    dropped = []
    healthy = records(app__lab__test=["192.0.2.1"])

    def behave(query):
        if not dropped:
            dropped.append(query)
            return None
        return healthy(query)

    with nameserver(behave) as port:
        assert ask(port).code is None


def test_a_closed_port_is_heard():
    with nameserver(mute) as port:
        pass
    began = time.monotonic()
    seen = ask(port)
    assert seen.code is Code.DNS_UNREACHABLE and "ECONNREFUSED" in seen.detail
    assert time.monotonic() - began < 0.4


def test_too_long_for_udp():
    with nameserver(truncated) as port:
        assert ask(port).code is Code.DNS_TRUNCATED_TCP_BLOCKED
    with nameserver(truncated, over_tcp=records(app__lab__test=["192.0.2.1"])) as port:
        assert ask(port).code is None


def test_silence_about_aaaa_alone_still_resolves():
    healthy = records(app__lab__test=["192.0.2.1"])
    with nameserver(lambda q: None if q.question[0].rdtype == 28 else healthy(q)) as port:
        seen = ask(port)
    assert seen.code is None and seen.addresses == ("192.0.2.1",) and "AAAA" in seen.detail


@pytest.mark.parametrize("name", ["a" * 70 + ".test", "..", "x" * 300])
def test_what_cannot_be_a_name(name):
    with nameserver(mute) as port:
        assert ask(port, name).code is Code.DNS_NXDOMAIN


def test_the_system_resolver_and_its_diagnosis():
    with nameserver(records(app__lab__test="SERVFAIL")) as port:
        found = resolve.system("localhost", ("127.0.0.1",), SHORT, Deadline(5), port)
    assert found.code is None and "127.0.0.1" in found.addresses and found.server == "system"
    literal = resolve.system("2001:db8::1", (), SHORT, Deadline(5))
    assert literal.addresses == ("2001:db8::1",)


def test_a_name_that_no_label_may_be_is_not_a_crash():
    assert resolve.system("a" * 70 + ".test", (), SHORT, Deadline(5)).code is not None


IN_A_NAMESPACE = textwrap.dedent("""
    import contextlib, json, subprocess, sys, time
    sys.path.insert(0, sys.argv[1])
    from lab.nameserver import mute, nameserver, records
    from vorflug.netprobe import resolve
    from vorflug.netprobe.limits import Deadline, Limits
    folder, name, servers = sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    with open(f"{folder}/resolv.conf", "w") as file:
        file.write("".join(f"nameserver {s}\\n" for s in servers) + "options timeout:1 attempts:1\\n")
    subprocess.run(["mount", "--bind", f"{folder}/resolv.conf", "/etc/resolv.conf"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with contextlib.ExitStack() as stack:
        for server, said in servers.items():
            if said != "closed":
                behave = mute if said == "mute" else records(app__lab__test=said)
                stack.enter_context(nameserver(behave, host=server, port=53))
        began = time.monotonic()
        limits = Limits(resolve=2.5, nameserver=0.5)
        seen = resolve.system(name, tuple(servers), limits, Deadline(5))
    print(json.dumps([seen.code, seen.addresses, time.monotonic() - began, seen.detail]))
""")


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    ("servers", "code"),
    [
        ({"127.0.0.53": ["192.0.2.1"]}, None),
        ({"127.0.0.53": "NXDOMAIN"}, Code.DNS_NXDOMAIN),
        ({"127.0.0.53": []}, Code.DNS_NODATA),
        ({"127.0.0.53": "SERVFAIL"}, Code.DNS_SERVFAIL),
        ({"127.0.0.53": "REFUSED"}, Code.DNS_REFUSED),
        ({"127.0.0.53": "mute"}, Code.DNS_TIMEOUT),
        ({"127.0.0.53": "mute", "127.0.0.54": "mute", "127.0.0.55": "mute"}, Code.DNS_TIMEOUT),
        ({"127.0.0.53": "closed"}, Code.DNS_UNREACHABLE),
        ({"192.0.2.53": "closed"}, Code.DNS_UNREACHABLE),
        ({"127.0.0.53": "mute", "127.0.0.54": ["192.0.2.1"]}, None),
    ],
    ids=str,
)
def test_the_c_librarys_resolver(tmp_path, servers, code):
    lab = str(Path(__file__).parent.parent)
    inside = [sys.executable, "-c", IN_A_NAMESPACE, lab, str(tmp_path), NAME, json.dumps(servers)]
    done = subprocess.run(["unshare", "-nm", *inside], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    seen, addresses, took, _ = json.loads(done.stdout)
    assert seen == code
    assert bool(addresses) == (code is None)
    assert took < 5


def test_resolv_conf():
    text = """
    # nameserver 192.0.2.9
    nameserver 192.0.2.53
    nameserver\t2001:db8::53
    nameserver not-an-address
    search lab.test
    nameserver 192.0.2.54
    nameserver 192.0.2.55
    """
    assert resolve.nameservers(text) == ("192.0.2.53", "2001:db8::53", "192.0.2.54")
    assert resolve.nameservers("") == ()
