"""Socket tables of this machine: the listing through psutil, IPV6_V6ONLY through sock_diag(7).

/proc/net does not show IPV6_V6ONLY; the kernel's own diagnosis interface, which ss(8) uses too, does.  Where it is
missing or forbidden (sandboxes), the flag stays None.  As for ss(8), a kernel that has this as a module loads it.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.host.live import netlink
from vorflug.ports.sockets import InterfaceAddress, Listener, Transport

if TYPE_CHECKING:
    from vorflug.host.live import Patience

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_INET_DIAG_SKV6ONLY = 11
_ASK = struct.Struct("=BBBBI")
_SOCKET_ID_BYTES = 48
_ANSWER = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_LISTEN_OR_BOUND = 1 << 10 | 1 << 7  # TCP_LISTEN, and TCP_CLOSE for UDP that is not connected
_NUMBERS = {Transport.TCP: socket.IPPROTO_TCP, Transport.UDP: socket.IPPROTO_UDP}


class LiveSockets:
    """Reads tables; binds and connects nothing but a netlink socket to the kernel."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def listeners(self, transport: Transport) -> tuple[Listener, ...]:
        import psutil

        self._patience.left()
        _check_table(transport)
        try:
            table = psutil.net_connections(kind=transport.value)
        except psutil.AccessDenied as error:
            raise PermissionError(errno.EACCES, "the socket table is closed to this user") from error
        flags = self._v6only(transport)
        names: dict[int, str | None] = {}
        found = set()
        for entry in table:
            if not entry.laddr or (transport is Transport.TCP and entry.status != psutil.CONN_LISTEN):
                continue
            address, port = entry.laddr
            if port == 0:
                continue  # an unbound UDP socket holds nothing
            if entry.pid is not None and entry.pid not in names:
                names[entry.pid] = _process_name(entry.pid)
            found.add(
                Listener(
                    address=address,
                    port=port,
                    v6only=flags.get((address, port)) if entry.family == socket.AF_INET6 else None,
                    pid=entry.pid,
                    process=None if entry.pid is None else names[entry.pid],
                    connected=bool(entry.raddr),
                )
            )
        return tuple(sorted(found, key=lambda seen: (seen.port, seen.address, seen.pid or 0)))

    def addresses(self) -> tuple[InterfaceAddress, ...]:
        import psutil

        self._patience.left()
        found = []
        for interface, entries in psutil.net_if_addrs().items():
            for entry in entries:
                if entry.family in (socket.AF_INET, socket.AF_INET6) and entry.netmask:
                    address = ipaddress.ip_address(entry.address.partition("%")[0])
                    length = int(ipaddress.ip_address(entry.netmask)).bit_count()
                    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
                    found.append(InterfaceAddress(interface, str(address), str(network)))
        return tuple(sorted(found, key=lambda seen: (seen.interface, seen.address)))

    def _v6only(self, transport: Transport) -> dict[tuple[str, int], bool]:
        """IPV6_V6ONLY by local address and port; empty where the kernel does not say."""
        ask = _ASK.pack(socket.AF_INET6, _NUMBERS[transport], 0, 0, _LISTEN_OR_BOUND) + bytes(_SOCKET_ID_BYTES)
        try:
            answers = netlink.dump(_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, ask, self._patience)
        except TimeoutError:
            raise
        except OSError:
            return {}
        found: dict[tuple[str, int], bool] = {}
        for _, body in answers:
            seen = _read_answer(body)
            if seen is not None:
                address, port, v6only = seen
                # several sockets may share one port (SO_REUSEPORT): one that takes IPv4 too is enough
                found[address, port] = v6only and found.get((address, port), True)
        return found


def _check_table(transport: Transport) -> None:
    """Refuse an empty file (sandboxes serve one): without its heading it is no listing that says "nobody".

    The listing leaves out a table that is not there; that of IPv6 may be missing only where there is no IPv6.
    """
    for name in (transport.value, f"{transport.value}6"):
        table = Path("/proc/net") / name
        try:
            with table.open(encoding="ascii", errors="replace") as lines:
                heading = lines.readline(200)
        except (FileNotFoundError, NotADirectoryError) as error:
            if name != transport.value and not _has_ipv6():
                continue
            raise NotImplementedError(f"there is no {table}") from error
        if "local_address" not in heading:
            raise NotImplementedError(f"{table} is empty")


def _has_ipv6() -> bool:
    """Whether sockets of IPv6 can be made: not with ``ipv6.disable=1`` (the kernel's document ipv6)."""
    try:
        socket.socket(socket.AF_INET6).close()
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT
    return True


def _process_name(pid: int) -> str | None:
    import psutil

    try:
        return psutil.Process(pid).name()[:64]
    except psutil.Error:  # ended meanwhile, or hidden: the name is not visible
        return None


def _read_answer(body: bytes) -> tuple[str, int, bool] | None:
    """(address, port, v6only) of one answer (struct inet_diag_msg); None where the kernel does not tell the flag."""
    if len(body) < _ANSWER.size:
        return None
    fields = _ANSWER.unpack_from(body)
    flag = netlink.attributes(body[_ANSWER.size :]).get(_INET_DIAG_SKV6ONLY)
    if not flag:
        return None
    return socket.inet_ntop(socket.AF_INET6, fields[6]), int.from_bytes(fields[4], "big"), flag[0] != 0
