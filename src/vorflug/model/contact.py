"""What will be touched: hosts, ports, nameservers, files, commands and sockets, as typed values.

A question says it before it is put (`Query.contacts`), a requirement says what the product needs (`Requirement.flows`);
the plan and the firewall request are two views on the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from vorflug.model.message import Message, msg
from vorflug.ports.touched import TOUCHED

DNS_PORT = 53
"""RFC 1035, 4.2: UDP and TCP."""
NTP_PORT = 123
"""RFC 5905, 7.2."""
_PORTS = {"http": 80, "https": 443}
_PROTOCOLS = {"http": "http", "https": "https"}


class ContactKind(StrEnum):
    """What sort of thing is touched."""

    TCP = "tcp"
    UDP = "udp"
    NAMESERVER = "nameserver"
    """DNS over UDP, and over TCP where an answer is long (RFC 7766)."""
    TIME_SERVER = "time_server"
    """NTP over UDP."""
    FILE = "file"
    FOLDER = "folder"
    """Files below it."""
    COMMAND = "command"
    SOCKET = "socket"
    """A Unix socket."""


OVER_THE_NETWORK = (ContactKind.TCP, ContactKind.UDP, ContactKind.NAMESERVER, ContactKind.TIME_SERVER)


class Direction(StrEnum):
    """Who opens the connection."""

    OUTBOUND = "outbound"
    """This host."""
    INBOUND = "inbound"
    """Others, to this host."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One thing that is touched."""

    kind: ContactKind
    target: str
    """A host, path or program.  Empty where the surroundings name it: every configured nameserver or time server, this
    host for what is inbound, the API server of the kubeconfig."""
    port: int | None = None
    protocol: str = ""
    """``https``, ``http``, ``wss``, ``ws``, ``dns``, ``ntp``, ``kubernetes``; empty where it does not matter."""
    purpose: Message | None = None
    """What for; None where the requirement's own title says it."""
    certain: bool = True
    """Touched in any case; False where only an answer leads there, or an alternative."""
    direction: Direction = Direction.OUTBOUND
    url: str = ""
    """For the choice of a proxy; empty where none can be the way."""
    proxied: bool = True
    """False where it goes direct whatever the environment says."""
    proxy: str | None = None
    """A proxy that the site file names."""
    exempt: Message | None = None
    """Why TLS inspection must leave it alone; None where nothing asks for that."""

    @property
    def is_pattern(self) -> bool:
        """Whether *target* stands for many names."""
        return self.target.startswith("*")

    @property
    def over_the_network(self) -> bool:
        """Whether another machine is involved."""
        return self.kind in OVER_THE_NETWORK


def of_url(
    url: str,
    *,
    proxied: bool = True,
    proxy: str | None = None,
    websocket: bool = False,
    purpose: Message | None = None,
    certain: bool = True,
) -> Contact:
    """The connection that a request to *url* makes.  Raises ValueError for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"wanted an http or https URL with a host, saw {parts.scheme or 'no scheme'}")
    protocol = _PROTOCOLS[parts.scheme]
    if websocket:
        protocol = "wss" if parts.scheme == "https" else "ws"
    return Contact(
        kind=ContactKind.TCP,
        target=parts.hostname.rstrip("."),
        port=parts.port or _PORTS[parts.scheme],
        protocol=protocol,
        purpose=purpose,
        certain=certain,
        # path and query are nobody's business here
        url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/",
        proxied=proxied,
        proxy=proxy,
    )


def of_host(
    host: str,
    *,
    proxy: str | None = None,
    purpose: Message | None = None,
    certain: bool = True,
) -> Contact:
    """HTTPS to ``host[:port]``; *host* may be a pattern (``*.example.com``)."""
    return of_url(f"https://{host}/", proxy=proxy, purpose=purpose, certain=certain)


def nameserver(server: str = "", *, certain: bool = True) -> Contact:
    """DNS: one *server*, or every configured one."""
    return Contact(
        kind=ContactKind.NAMESERVER,
        target=server,
        port=DNS_PORT,
        protocol="dns",
        purpose=msg("Name resolution"),
        certain=certain,
    )


def time_server() -> Contact:
    """NTP: every configured server."""
    return Contact(
        kind=ContactKind.TIME_SERVER, target="", port=NTP_PORT, protocol="ntp", purpose=msg("Time synchronisation")
    )


def inbound(port: int, transport: ContactKind, purpose: Message) -> Contact:
    """Users, or other machines, connect to this host."""
    return Contact(kind=transport, target="", port=port, purpose=purpose, direction=Direction.INBOUND)


def written(notes: Iterable[str]) -> Iterator[Contact]:
    """The contacts that *notes* stand for, in the notation of `vorflug.ports.touched`.

    Raises KeyError for a method that the table lacks.
    """
    for note in notes:
        if note.startswith("@"):
            yield from written(TOUCHED[note[1:]])
        elif note.startswith("unix:"):
            yield Contact(kind=ContactKind.SOCKET, target=note.removeprefix("unix:"))
        elif note.startswith(("/", "~/")):
            folder = note.endswith("/")
            yield Contact(kind=ContactKind.FOLDER if folder else ContactKind.FILE, target=note)
        else:
            yield Contact(kind=ContactKind.COMMAND, target=note, certain="*" not in note)


_FILES = ("path", "env_path", "certificate", "file", "ca_file")
_PATHS = ("paths",)


def of_fields(query: Any, *, network: bool) -> Iterator[Contact]:
    """What the fields of a question name, by their usual names: files.

    Where it goes over the *network*, also URLs, registries with their token services, nameservers and the cluster.
    That is for the plan, which names every file that will be read, also one that holds a key.
    """
    for name in _FILES:
        if path := getattr(query, name, None):
            yield Contact(kind=ContactKind.FILE, target=path)
    for name in _PATHS:
        for path in getattr(query, name, ()):
            yield Contact(kind=ContactKind.FILE, target=path)
    if not network:
        return
    proxy = getattr(query, "proxy", None)
    if url := getattr(query, "url", None):
        websocket = str(getattr(query, "mode", "")) == "ws"
        yield of_url(url, proxied=getattr(query, "proxied", True), proxy=proxy, websocket=websocket)
    if registry := getattr(query, "registry", None):
        from vorflug.model.registry import api_host

        yield of_host(api_host(registry), proxy=proxy)
        for host in getattr(query, "token_hosts", ()):
            yield of_host(api_host(host), proxy=proxy, purpose=TOKENS, certain=False)
    if hasattr(query, "server"):
        yield nameserver(query.server or "")
    if hasattr(query, "context"):
        yield Contact(
            kind=ContactKind.TCP,
            target="",
            protocol="kubernetes",
            purpose=msg("The API server that the kubeconfig names"),
            certain=False,
        )


IMAGES = msg("Image registry: the product's container images")
MODEL = msg("Language model: every answer of the product")
TOKENS = msg("Token service of the image registry")
LAYERS = msg("Data host from which the registry sends image layers")
REGISTRY_EXEMPT = msg(
    "The container engine checks the registry's certificate itself, and scanning can slow large layers down or cut "
    "them off."
)
CONTAINERS_EXEMPT = msg(
    "Containers call it with a CA store of their own, which does not know the inspecting root; inspection can hold "
    "back streamed answers."
)
IDENTITY_EXEMPT = msg(
    "Containers check the sign-in service with a CA store of their own, which does not know the inspecting root."
)
