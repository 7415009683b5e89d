"""Real listeners on loopback, port 0."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.ports import PortFreeRequirement
from vorflug.host.live import Patience
from vorflug.host.live.processes import LiveProcesses
from vorflug.host.live.sockets import LiveSockets
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.query import Observation, Seen
from vorflug.model.requirement import Outcome
from vorflug.ports.sockets import Transport

HEADING = "echo '  sl  local_address rem_address   st'"
ROOT_TO_NOBODY = """
import json, os, sys
import psutil
from vorflug.host.live import Patience
from vorflug.host.live.sockets import LiveSockets
from vorflug.ports.sockets import Transport
LiveSockets(Patience(10)).listeners(Transport.TCP)  # imports all it needs, which may lie in root's home
os.setgroups([]); os.setgid(65534); os.setuid(65534)
port = int(sys.argv[1])
print(json.dumps([[s.pid, s.process] for s in LiveSockets(Patience(10)).listeners(Transport.TCP) if s.port == port]))
"""


def listening(family, address, *, v6only=None, kind=socket.SOCK_STREAM):
    server = socket.socket(family, kind)
    if v6only is not None:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    server.bind((address, 0))
    if kind == socket.SOCK_STREAM:
        server.listen()
    return server


def held(port, transport=Transport.TCP):
    return [seen for seen in LiveSockets(Patience(10)).listeners(transport) if seen.port == port]


def judge(port, transport=Transport.TCP):
    demand = PortFreeRequirement.model_validate(header(ports=[port], protocol=transport))
    query = demand.queries(Evidence())[0]
    fact = query.observe(
        fake_host(
            sockets=LiveSockets(Patience(10)),
            processes=LiveProcesses(Patience(10)),
            system=FakePort(virtualisation=NotImplementedError("not asked here")),
        )
    )
    return demand.judge(Evidence([Observation(query, Seen(fact))]))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_ipv4(kind):
    transport = Transport.TCP if kind == socket.SOCK_STREAM else Transport.UDP
    with closing(listening(socket.AF_INET, "127.0.0.1", kind=kind)) as server:
        port = server.getsockname()[1]
        (seen,) = held(port, transport)
        assert (seen.address, seen.v6only, seen.pid) == ("127.0.0.1", None, os.getpid())
        assert seen.process
        verdict = judge(port, transport)
        assert verdict.outcome is Outcome.UNMET and "IPv4, this address only" in render(verdict.seen)
    assert held(port, transport) == []
    assert judge(port, transport).outcome is Outcome.MET


@pytest.mark.tier("ipv6")
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize(
    ("address", "v6only", "says"),
    [("::", False, "IPv4 and IPv6"), ("::", True, "IPv6 only"), ("::1", True, "IPv6, this address only")],
)
def test_ipv6(kind, address, v6only, says):
    transport = Transport.TCP if kind == socket.SOCK_STREAM else Transport.UDP
    with closing(listening(socket.AF_INET6, address, v6only=v6only, kind=kind)) as server:
        port = server.getsockname()[1]
        (seen,) = held(port, transport)
        assert (seen.address, seen.v6only, seen.pid) == (address, v6only, os.getpid())
        assert says in render(judge(port, transport).seen)


def can_bind(family, address, port, kind, *, v6only=None):
    with closing(socket.socket(family, kind)) as another:
        another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
        if v6only is not None:
            another.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        try:
            another.bind((address, port))
            if kind == socket.SOCK_STREAM:
                another.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


@pytest.mark.tier("ipv6")
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize(
    ("family", "address", "v6only", "families"),
    [
        (socket.AF_INET, "0.0.0.0", None, {4}),
        (socket.AF_INET, "127.0.0.1", None, {4}),
        (socket.AF_INET6, "::", False, {4, 6}),
        (socket.AF_INET6, "::", True, {6}),
        (socket.AF_INET6, "::1", True, {6}),
        (socket.AF_INET6, "::ffff:127.0.0.1", False, {4}),
    ],
)
def test_the_kernel_refuses_just_the_families_that_are_called_taken(kind, family, address, v6only, families):
    """Also where one address only is taken: nobody else can listen on all of them."""
    transport = Transport.TCP if kind == socket.SOCK_STREAM else Transport.UDP
    with closing(listening(family, address, v6only=v6only, kind=kind)) as server:
        port = server.getsockname()[1]
        verdict = judge(port, transport)
        assert verdict.outcome is Outcome.UNMET
        assert {n for n in (4, 6) if f"IPv{n}" in render(verdict.seen)} == families
        assert can_bind(socket.AF_INET, "0.0.0.0", port, kind) == (4 not in families)
        assert can_bind(socket.AF_INET6, "::", port, kind, v6only=True) == (6 not in families)


def test_a_connected_udp_socket_holds_its_port_and_is_called_what_it_is():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.connect(("127.0.0.1", 9))
        port = client.getsockname()[1]
        (seen,) = held(port, Transport.UDP)
        assert seen.connected
        assert "as a connection's own port" in render(judge(port, Transport.UDP).seen)
        assert not can_bind(socket.AF_INET, "0.0.0.0", port, socket.SOCK_DGRAM)


def test_several_processes_may_share_a_port():
    with closing(socket.socket()) as first, closing(socket.socket()) as second:
        for server in (first, second):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second.bind(("127.0.0.1", port))
        first.listen()
        second.listen()
        assert render(judge(port).seen).count(f"port {port}") == 1


def test_a_connection_is_no_listener():
    with closing(listening(socket.AF_INET, "127.0.0.1")) as server, closing(socket.socket()) as client:
        client.connect(server.getsockname())
        with closing(server.accept()[0]):
            assert held(client.getsockname()[1]) == []
            assert len(held(server.getsockname()[1])) == 1


@pytest.mark.tier("root")
def test_without_root_the_owner_is_hidden_but_the_port_is_taken():
    with closing(listening(socket.AF_INET, "127.0.0.1")) as server:
        done = subprocess.run(
            [sys.executable, "-c", ROOT_TO_NOBODY, str(server.getsockname()[1])],
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(done.stdout) == [[None, None]]


def test_loopback_is_among_the_addresses():
    seen = {found.address: found for found in LiveSockets(Patience(10)).addresses()}
    assert seen["127.0.0.1"].network == "127.0.0.0/8"
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network(found.network) for address, found in seen.items())


def test_no_time_left_is_a_timeout():
    with pytest.raises(TimeoutError):
        LiveSockets(Patience(-1)).listeners(Transport.TCP)


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    "make",
    [
        "true",
        "mkdir /proc/net; touch /proc/net/tcp",
        # IPv4 alone is told of: nothing on IPv6 is called free
        pytest.param(f"mkdir /proc/net; {HEADING} > /proc/net/tcp; touch /proc/net/tcp6", id="empty tcp6"),
        pytest.param(f"mkdir /proc/net; {HEADING} > /proc/net/tcp", marks=pytest.mark.tier("ipv6"), id="no tcp6"),
    ],
)
def test_a_missing_or_empty_table_is_no_answer(make):
    """Without /proc, or with an empty file where a sandbox hides the table, nothing is called free."""
    script = (
        "from vorflug.host.live import Patience\n"
        "from vorflug.host.live.sockets import LiveSockets\n"
        "from vorflug.ports.sockets import Transport\n"
        "try:\n    print(LiveSockets(Patience(10)).listeners(Transport.TCP))\n"
        "except NotImplementedError:\n    print('unsupported')\n"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'mount -t tmpfs none /proc; {make}; exec "$0" -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "unsupported", done.stderr
