"""Takes what tells about people and addresses out of a cassette: each value gets a stand-in, the same one everywhere.

So what was equal stays equal, and questions that follow from answers still find their own.  docs/recordings.md says in
plain words what is replaced and what is not; both are to be changed together.
Sources: the IANA special-purpose address registries (RFC 6890) as `ipaddress` has them; RFC 2544 and RFC 3849 for the
networks that stand in for public ones; EUI-64 in RFC 4291, appendix A; machine-id(5) and the kernel's
ABI/testing/sysfs-block-dm for identifiers without hyphens; lvm(8), "VALID NAMES", for names whose hyphens are doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from vorflug.host.cassette import Call, Cassette

_SHORTEST = 3
"""Shorter names would be found in innocent words; behind ``/home/`` they are replaced all the same."""
_DISTINCT = 5
"""Shorter words of letters alone ("max", "data") are parts of other names (``vm.max_map_count``, ``data-root``)."""
_FIRST_USER = 1000
"""UID_MIN of login.defs(5): below it are the accounts of services."""
_NOBODY = 65534

_NO_NAMES = frozenset(
    [
        "admin",
        "administrator",
        "alma",
        "almalinux",
        "alpine",
        "amzn",
        "azureuser",
        "bitnami",
        "centos",
        "cloud",
        "core",
        "debian",
        "default",
        "docker",
        "ec2-user",
        "fedora",
        "guest",
        "host",
        "linux",
        "localhost",
        "nobody",
        "nogroup",
        "opensuse",
        "oracle",
        "podman",
        "rancher",
        "raspberrypi",
        "redhat",
        "rhel",
        "rocky",
        "root",
        "server",
        "sles",
        "suse",
        "ubuntu",
        "user",
        "users",
        "vagrant",
        "wheel",
    ]
)
"""Names that vendors' images bring, which name nobody, and which mean something else elsewhere."""

_NOBODYS_DOMAINS = frozenset(
    [
        "amazonaws.com",
        "azure.com",
        "cloudapp.net",
        "cluster.local",
        "compute.internal",
        "ec2.internal",
        "example.com",
        "example.net",
        "example.org",
        "fritz.box",
        "google.internal",
        "home.arpa",
        "in-addr.arpa",
        "ip6.arpa",
        "ts.net",
        "windows.net",
    ]
)
"""Parents of many people's domains."""
_REGISTRIES = frozenset(["ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "ne", "net", "or", "org", "plc"])
"""Under a country's domain: ``bank.co.uk`` is somebody's, ``co.uk`` is not (as the public suffix list has them)."""

_PUBLIC_RESOLVERS = frozenset(
    ip_address(one)
    for one in [
        "1.1.1.1",
        "1.0.0.1",
        "8.8.8.8",
        "8.8.4.4",
        "9.9.9.9",
        "149.112.112.112",
        "168.63.129.16",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2620:fe::fe",
    ]
)
"""Known to everybody (168.63.129.16 is Azure's own, in every of its networks)."""
_V4_POOL = int(IPv4Address("198.18.0.0"))
_V4_NETWORKS = 512
"""/24 networks in 198.18.0.0/15, which RFC 2544 keeps for benchmarks."""
_V6_POOL = int(IPv6Address("2001:db8::"))
_V6_NETWORKS = 1 << 16
_SMALL = 1 << 16
"""Interface identifiers below are numbers that people gave; above may stand a hardware address."""
_LOW_64 = (1 << 64) - 1

_FOUND = re.compile(
    r"(?P<uuid>(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-]))"
    r"|(?P<bare>(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z]))"
    r"|(?P<lvm>(?<=LVM-)[0-9a-z]{64}(?![0-9a-z]))"
    r"|(?P<mac>(?<![0-9a-f:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![0-9a-f:-]))"
    r"|(?P<v6>(?<![\w.:])(?:[0-9a-f]{0,4}:){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f]{0,4})(?:/[0-9]{1,3})?(?![\w:]))"
    r"|(?P<v4>(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?(?![\w+~-]|\.\w))"
    r"|(?P<home>(?<=/home/)[^/\s:,;\"'\\]+)",
    re.IGNORECASE | re.ASCII,
)
_HYPHENS = r"(.{8})(.{4})(.{4})(.{4})(.{12})"
"""Where RFC 9562 puts them in a UUID."""
_HEX = {
    "/proc/net/route": re.compile(r"(?<![0-9A-F])[0-9A-F]{8}(?![0-9A-F])"),
    "/proc/net/ipv6_route": re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"),
}
"""Tables that write addresses in hexadecimal."""


@dataclass(frozen=True)
class Names:
    """What this machine and its people are called."""

    hosts: tuple[str, ...] = ()
    """Names of the machine, with and without domain."""
    domains: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """Names of people's accounts and groups."""


class StandIns:
    """Gives every value its stand-in.  *keep*: words that the questions themselves use, which stay as they are."""

    def __init__(self, names: Names, keep: Iterable[str] = ()) -> None:
        self._keep = _NO_NAMES | {word.lower() for word in keep}
        self._given: dict[str, dict[Any, int]] = {}
        self._words: dict[str, str] = {}
        domains = (*names.domains, *_parents(names.domains))
        for kind, words in (("host", names.hosts), ("domain", domains), ("user", names.users)):
            for word in words:
                if len(word) >= _SHORTEST and word.lower() not in self._keep:
                    name = self._words.setdefault(word.lower(), self._name(kind, word))
                    # the device mapper parts volume group and volume by a single hyphen
                    self._words.setdefault(word.lower().replace("-", "--"), name.replace("-", "--"))
        self._names = _finder(self._words, {part for word in self._keep for part in re.split("[_-]", word)})

    def cassette(self, cassette: Cassette) -> Cassette:
        """*cassette* with stand-ins, numbered in the order of its calls."""
        calls = sorted(cassette.calls, key=lambda call: call.key)
        return cassette.model_copy(update={"calls": tuple(self._call(call) for call in calls)})

    def text(self, text: str) -> str:
        """*text* with stand-ins."""
        text = _FOUND.sub(self._found, text)
        return self._names.sub(lambda name: self._words[name[0].lower()], text) if self._names else text

    # ---- calls

    def _call(self, call: Call) -> Call:
        plain = self._value(call.model_dump(mode="python"))
        path = call.arguments.get("path")
        if path in _HEX and isinstance(call.returns, str):
            plain["returns"] = _HEX[path].sub(self._hex, call.returns)
        if call.port == "accounts" and isinstance(call.returns, Mapping) and "uid" in call.returns:
            uid, name = int(call.returns["uid"]), str(call.returns["name"])
            if is_person(uid) and name != str(uid):
                plain["returns"]["name"] = self._user(name)
        return Call.model_validate(plain)

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case list() | tuple():
                return [self._value(item) for item in value]
            case dict():
                return {key: self._value(item) for key, item in value.items()}
            case _:
                return value

    # ---- values

    def _number(self, kind: str, value: Any) -> int:
        """From 0, in the order in which they are met."""
        return self._given.setdefault(kind, {}).setdefault(value, len(self._given[kind]))

    def _name(self, kind: str, word: str) -> str:
        number = self._number(kind, word.lower()) + 1
        return f"domain-{number}.example" if kind == "domain" else f"{kind}-{number}"

    def _user(self, name: str) -> str:
        if name.lower() in self._keep or re.fullmatch(r"user-[0-9]+", name):
            return name
        return self._words.get(name.lower()) or self._name("user", name)

    def _found(self, found: re.Match[str]) -> str:
        text = found[0]
        match found.lastgroup:
            case "uuid" | "bare":
                digits = text.lower().replace("-", "")
                # one of zeros is none at all; a machine-id is written with and without hyphens
                new = digits if digits == "0" * 32 else f"00000000000040008000{self._number('uuid', digits):012x}"
                return "-".join(re.findall(_HYPHENS, new)[0]) if "-" in text else new
            case "lvm":
                return f"{self._number('lvm', text):064d}"
            case "mac":
                return self._mac(text)
            case "home":
                return self._user(text)
            case _:
                return self._address(text)

    def _mac(self, text: str) -> str:
        digits = re.sub("[:-]", "", text).lower()
        if digits in {"0" * 12, "f" * 12}:
            return text
        # the bit of locally administered addresses is set (IEEE 802, 8.2.2)
        return "02:00:00:00:" + ":".join(re.findall("..", f"{self._number('mac', digits):04x}"))

    def _hex(self, found: re.Match[str]) -> str:
        raw = bytes.fromhex(found[0])
        if len(raw) == 4:  # noqa: PLR2004 - in the byte order of little-endian machines
            return self._v4(IPv4Address(raw[::-1])).packed[::-1].hex().upper()
        return self._v6(IPv6Address(raw)).packed.hex()

    def _address(self, text: str) -> str:
        bare, slash, length = text.partition("/")
        try:
            address = ip_address(bare)
            network = ip_network(text) if slash else None
        except ValueError:
            network = None  # an address with its network's length, or no address at all
            try:
                address = ip_address(bare)
            except ValueError:
                return text
        new = self._v4(address) if isinstance(address, IPv4Address) else self._v6(address)
        if new == address:
            return text
        if isinstance(new, IPv6Address) and new.ipv4_mapped is not None:
            return f"::ffff:{new.ipv4_mapped}{slash}{length}"
        if network is not None:
            # the shorter network of two keeps being one: its stand-in is cut to its length as well
            new = _cut(new, int(length))
        return f"{new}{slash}{length}"

    def _v4(self, address: IPv4Address) -> IPv4Address:
        if not address.is_global or address.is_multicast or address in _PUBLIC_RESOLVERS:
            return address
        number = min(self._number("v4", int(address) >> 8), _V4_NETWORKS - 1)
        return IPv4Address(_V4_POOL + (number << 8) + (int(address) & 0xFF))

    def _v6(self, address: IPv6Address) -> IPv6Address:
        if address.ipv4_mapped is not None:
            return IPv6Address((0xFFFF << 32) + int(self._v4(address.ipv4_mapped)))
        if address.is_multicast or address.is_unspecified or address.is_loopback or address in _PUBLIC_RESOLVERS:
            return address
        top, low = int(address) >> 64, int(address) & _LOW_64
        if address.is_global:
            top = (_V6_POOL >> 64) + min(self._number("v6", top), _V6_NETWORKS - 1)
        if low >= _SMALL:
            low = _SMALL + self._number("interface", low)
        return IPv6Address((top << 64) + low)


def _finder(words: Iterable[str], parts: set[str]) -> re.Pattern[str] | None:
    """Finds names that are not part of a longer run of letters and digits; None where there is none.

    A word that may well be part of another name, or is one of the questions' words (*parts*), is left alone also
    where a hyphen or an underscore joins it to something.
    """
    longest_first = sorted(words, key=len, reverse=True)
    common = [word for word in longest_first if word in parts or (len(word) < _DISTINCT and word.isalpha())]
    distinct = [word for word in longest_first if word not in common]
    found = [
        f"(?<!{inside})(?:{'|'.join(map(re.escape, some))})(?!{inside})"
        for inside, some in ((r"[^\W_]", distinct), (r"[\w-]", common))
        if some
    ]
    return re.compile("|".join(found), re.IGNORECASE) if found else None


def _parents(domains: Iterable[str]) -> list[str]:
    """Domains above these, up to the one that somebody registered, as far as the number of labels tells."""
    found = dict[str, None]()
    for domain in domains:
        labels = domain.lower().split(".")
        own = 3 if len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in _REGISTRIES else 2  # noqa: PLR2004 - a country's
        for first in range(1, len(labels) - own + 1):
            parent = ".".join(labels[first:])
            if not any(parent == one or parent.endswith(f".{one}") for one in _NOBODYS_DOMAINS):
                found[parent] = None
    return list(found)


def _cut(address: IPv4Address | IPv6Address, length: int) -> IPv4Address | IPv6Address:
    network: IPv4Network | IPv6Network = ip_network(f"{address}/{length}", strict=False)
    return network.network_address


def is_person(uid: int) -> bool:
    """Whether a user or group number is one that people get (login.defs(5))."""
    return uid >= _FIRST_USER and uid != _NOBODY
