"""Each way a TCP connection fails, told apart; real sockets, and namespaces where loopback cannot do it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from lab.prober import SHORT
from lab.servers import close, closed_port, full_backlog, reset, respond, silent, tcp
from vorflug.netprobe.connect import connect
from vorflug.netprobe.limits import Deadline
from vorflug.ports.net import Code, Stage


def test_an_open_port():
    with tcp(silent) as port:
        met = connect(["127.0.0.1"], port, SHORT, Deadline(5))
        assert met.code is None and met.peer == f"127.0.0.1:{port}"
        met.channel.close()


def test_a_closed_port_refuses(ask):
    with closed_port() as port:
        trace = ask(f"http://127.0.0.1:{port}/")
    assert trace.code is Code.TCP_REFUSED
    assert trace.stopped_at.stage is Stage.CONNECT
    assert trace.stopped_at.detail == f"ECONNREFUSED 127.0.0.1:{port}"


def test_a_full_backlog_is_silence():
    with full_backlog() as port:
        began = time.monotonic()
        met = connect(["127.0.0.1"], port, SHORT, Deadline(5))
        took = time.monotonic() - began
    assert met.code is Code.TCP_TIMEOUT
    assert SHORT.connect <= took < SHORT.connect + 1


def test_the_deadline_is_shared():
    with full_backlog() as port:
        began = time.monotonic()
        connect(["127.0.0.1"], port, SHORT, Deadline(0.2))
        assert time.monotonic() - began < 0.6


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("handler", "code"), [(reset, Code.TCP_RESET), (close, Code.TCP_CLOSED_EARLY)])
def test_hanging_up_before_anything_was_asked_is_not_the_next_layers_fault(ask, handler, code, scheme):
    with tcp(handler) as port:
        for _ in range(5):
            trace = ask(f"{scheme}://127.0.0.1:{port}/")
            assert (trace.stages[-1].stage, trace.code) == (Stage.CONNECT, code)


@pytest.mark.tier("ipv6")
def test_the_second_address_is_used_when_the_first_refuses():
    with tcp(silent) as port:
        began = time.monotonic()
        met = connect(["::1", "127.0.0.1"], port, SHORT, Deadline(5))
        assert time.monotonic() - began < SHORT.stagger, "a refusal is not waited for"
        assert met.peer == f"127.0.0.1:{port}"
        assert met.v6_broken and met.failed[0].code is Code.TCP_REFUSED
        met.channel.close()


def test_a_silent_first_address_costs_no_more_than_the_stagger():
    with full_backlog() as dead, socket.socket() as other:
        other.bind(("127.0.0.2", dead))
        other.listen()
        began = time.monotonic()
        met = connect(["127.0.0.1", "127.0.0.2"], dead, SHORT, Deadline(5))
        assert met.peer == f"127.0.0.2:{dead}"
        assert time.monotonic() - began < SHORT.stagger + 0.2
        met.channel.close()


def test_what_was_answered_says_more_than_what_was_not():
    with full_backlog() as port:
        met = connect(["127.0.0.1", "127.0.0.3"], port, SHORT, Deadline(5))
    assert met.code is Code.TCP_REFUSED
    assert {a.code for a in met.failed} == {Code.TCP_REFUSED, Code.TCP_TIMEOUT}


def test_healthy_many_times(ask):
    with tcp(respond()) as port:
        assert {ask(f"http://127.0.0.1:{port}/").code for _ in range(30)} == {None}


IN_A_NAMESPACE = textwrap.dedent("""
    import json, subprocess, sys
    from vorflug.netprobe.connect import connect
    from vorflug.netprobe.limits import Deadline, Limits
    for line in sys.argv[2:]:
        subprocess.run(line, shell=True, check=True, capture_output=True)
    met = connect([sys.argv[1]], 443, Limits(connect=0.7), Deadline(5))
    print(json.dumps([met.code, met.detail]))
""")


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    ("setup", "code"),
    [
        ([], Code.TCP_NO_ROUTE),
        (["ip link set lo up", "ip route add blackhole 192.0.2.0/24"], Code.TCP_NO_ROUTE),
        (["ip link set lo up", "ip route add prohibit 192.0.2.0/24"], Code.TCP_PROHIBITED),
        (["ip link set lo up", "ip route add unreachable 192.0.2.0/24"], Code.TCP_PROHIBITED),
    ],
    ids=["no route", "blackhole route", "prohibit route", "unreachable route"]
)  # fmt: skip
def test_in_a_namespace(setup, code):
    command = ["unshare", "-n", sys.executable, "-c", IN_A_NAMESPACE, "192.0.2.7", *setup]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0] == code


IN_A_SUBNET = textwrap.dedent("""
    import json, subprocess, sys, time
    from vorflug.netprobe.connect import connect
    from vorflug.netprobe.limits import Deadline, Limits
    for line in sys.argv[2:]:
        subprocess.run(line, shell=True, check=True, capture_output=True)
    met = [connect([sys.argv[1]], 443, Limits(connect=0.3), Deadline(5)) for _ in range(5)]
    print(json.dumps([[one.code, one.detail] for one in met]))
""")


@pytest.mark.tier("namespaces")
def test_nobody_at_an_address_of_the_own_network_is_always_the_same():
    """The kernel remembers for a moment that nobody answered to ARP, and says so at once then."""
    setup = [
        "ip link set lo up",
        "ip link add net0 type veth peer name net1",
        "ip addr add 192.0.2.1/24 dev net0",
        "ip link set net0 up",
        "ip link set net1 up",
        "sysctl -w net.ipv4.neigh.net0.retrans_time_ms=150",
    ]
    command = ["unshare", "-n", sys.executable, "-c", IN_A_SUBNET, "192.0.2.7", *setup]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    met = json.loads(done.stdout)
    assert [code for code, _ in met] == [Code.TCP_TIMEOUT] * 5, met
    assert any("EHOSTUNREACH" in detail for _, detail in met), "else this has tried nothing"


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("drop", Code.TCP_TIMEOUT),
        ("reject with icmp type admin-prohibited", Code.TCP_PROHIBITED),
        ("reject with tcp reset", Code.TCP_REFUSED),
    ],
)
def test_a_packet_filter(rule, code):
    setup = [
        "ip link set lo up",
        "ip addr add 192.0.2.7/32 dev lo",
        "nft add table ip t",
        "nft 'add chain ip t c { type filter hook input priority 0 ; }'",
        f"nft add rule ip t c tcp dport 443 {rule}",
    ]
    command = ["unshare", "-n", sys.executable, "-c", IN_A_NAMESPACE, "192.0.2.7", *setup]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0] == code
