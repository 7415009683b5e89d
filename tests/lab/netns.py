"""Three network namespaces in a row: a client, a gateway (which also holds the proxies), and the servers.

Nothing of it touches the machine's own network: addresses are of the ranges for documentation and tests (RFC 5737,
RFC 3849, RFC 2544), and all of it is gone when the context ends.  Every address below `SERVERS4` and `SERVERS6` is local
to the servers, so that each fault has an address of its own and the usual ports.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLIENT4, CLIENT6 = "192.0.2.2", "2001:db8:c::2"
GATEWAY4, GATEWAY6 = "192.0.2.1", "2001:db8:c::1"
"""The gateway as the client sees it: proxies listen here."""
SERVERS4, SERVERS6 = ("198.51.100.0/24", "198.18.0.0/15"), "2001:db8:51::/64"
NO_ROUTE4, NO_ROUTE6 = "203.0.113.9", "2001:db8:dead::9"
"""Addresses that the client has no route to."""
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Namespace:
    """One network namespace (ip-netns(8))."""

    name: str

    def run(self, *argv: str, text: str | None = None) -> str:
        """Run a command in it and return its output.  Raises CalledProcessError where it fails."""
        whole = ["ip", "netns", "exec", self.name, *argv]
        done = subprocess.run(whole, input=text, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode:
            raise AssertionError(f"{' '.join(argv)}: {done.stderr or done.stdout}")
        return done.stdout

    def popen(self, *argv: str, **keywords) -> subprocess.Popen:
        """Start a program in it."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *argv], **keywords)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread is in it meanwhile: sockets made then, and threads started then, stay in it (setns(2))."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as place:
            _enter(place.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@dataclass(frozen=True)
class Network:
    """The lab's network."""

    client: Namespace
    gateway: Namespace
    servers: Namespace


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")


@contextmanager
def network() -> Iterator[Network]:
    """The three namespaces, wired; removed at the end with every process that is left in them."""
    _sweep()
    made = Network(*(Namespace(f"vorflug-{os.getpid()}-{part}") for part in ("client", "gateway", "servers")))
    spaces = (made.client, made.gateway, made.servers)
    try:
        for space in spaces:
            _ip("netns", "add", space.name)
            # addresses are usable at once, and nobody asks for routers
            space.run(
                "sysctl",
                "-qw",
                *(f"net.ipv6.conf.{c}.{k}=0" for c in ("all", "default") for k in ("accept_dad", "accept_ra")),
            )
        _wire(made)
        yield made
    finally:
        for space in spaces:
            _remove(space.name)


def _wire(net: Network) -> None:
    client, gateway, servers = net.client.name, net.gateway.name, net.servers.name
    _ip("-n", client, "link", "add", "out0", "type", "veth", "peer", "name", "in0", "netns", gateway)
    _ip("-n", servers, "link", "add", "up0", "type", "veth", "peer", "name", "down0", "netns", gateway)
    batches = {
        client: f"""link set lo up
            address add {CLIENT4}/24 dev out0
            address add {CLIENT6}/64 dev out0 nodad
            link set out0 up
            route add {SERVERS4[0]} via {GATEWAY4}
            route add {SERVERS4[1]} via {GATEWAY4}
            route add {SERVERS6} via {GATEWAY6}""",
        gateway: f"""link set lo up
            address add {GATEWAY4}/24 dev in0
            address add {GATEWAY6}/64 dev in0 nodad
            address add 192.0.2.129/32 peer 192.0.2.130 dev down0
            address add 2001:db8:d::1/64 dev down0 nodad
            link set in0 up
            link set down0 up
            route add {SERVERS4[0]} via 192.0.2.130 dev down0
            route add {SERVERS4[1]} via 192.0.2.130 dev down0
            route add {SERVERS6} via 2001:db8:d::2""",
        servers: f"""link set lo up
            address add 192.0.2.130/32 peer 192.0.2.129 dev up0
            address add 2001:db8:d::2/64 dev up0 nodad
            link set up0 up
            route add default via 192.0.2.129 dev up0
            route add default via 2001:db8:d::1
            route add local {SERVERS4[0]} dev lo
            route add local {SERVERS4[1]} dev lo
            route add local {SERVERS6} dev lo""",
    }
    for space, lines in batches.items():
        text = "\n".join(line.strip() for line in lines.splitlines())
        done = subprocess.run(
            ["ip", "-n", space, "-batch", "-"], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AssertionError(f"ip in {space}: {done.stderr}")
    net.gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    net.servers.run("sysctl", "-qw", "net.ipv6.ip_nonlocal_bind=1", "net.ipv4.tcp_syncookies=0")
    for space in (net.gateway, net.servers):  # a filter's refusals must not thin out when many are asked for at once
        space.run("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")


def _sweep() -> None:
    """Namespaces of a session that was killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False, timeout=20).stdout
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith("vorflug-")):
        owner = name.split("-")[1]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _remove(name)


def _remove(name: str) -> None:
    found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False, timeout=20)
    for pid in found.stdout.split():
        if int(pid) != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False, timeout=20)
