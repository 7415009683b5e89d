"""How the names of kernel settings are spelled (sysctl(8), sysctl.d(5))."""

from __future__ import annotations


def below_proc_sys(name: str) -> str:
    """The path below /proc/sys: where a slash comes first, slashes separate and dots belong to names.

    ``net.ipv4.ip_forward`` and ``net/ipv4/ip_forward`` are one, so are ``net.ipv4.conf.eth0/1.forwarding`` and
    ``net/ipv4/conf/eth0.1/forwarding``.
    """
    first = next((c for c in name if c in "./"), "")
    return name if first == "/" else name.translate(str.maketrans("./", "/."))
