"""The network as this machine sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.host.live import Patience
from vorflug.host.secrets import remember
from vorflug.model import resolver_files
from vorflug.netprobe import nameserver_look, proxy, resolve
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.login import Logins
from vorflug.netprobe.lookup import look_up
from vorflug.netprobe.nameserver import DNS_PORT
from vorflug.netprobe.target import parse
from vorflug.ports.net import (
    Keyed,
    NameserverSeen,
    Pointer,
    ProbeAsk,
    ProxyPlace,
    ProxyVariable,
    Resolved,
    Route,
    Trace,
)
from vorflug.ports.net_key import KeyPlace, KeyState

if TYPE_CHECKING:
    from vorflug.netprobe.anchors import Store
    from vorflug.netprobe.handshake import Trust
    from vorflug.netprobe.key import Key

_LOGINS = Logins()
"""One for the process: a login that one probe saw rejected is not tried by another."""
MARGIN_S = 0.5
"""So that the trace is there before the question is given up."""
_RESOLV_CONF_BYTES = 64 * 1024


class LiveNet:
    """Staged probing from this machine."""

    def __init__(
        self,
        patience: Patience,
        *,
        environ: Mapping[str, str] | None = None,
        resolv_conf: str = "/etc/resolv.conf",
        limits: Limits | None = None,
        dns_port: int = DNS_PORT,
        logins: Logins = _LOGINS,
    ) -> None:
        self._patience = patience
        self._environ = os.environ if environ is None else environ
        self._resolv_conf = resolv_conf
        self._limits = limits or Limits()
        self._dns_port = dns_port
        self._logins = logins
        remember(*proxy.secrets(self._environ))

    def probe(self, ask: ProbeAsk) -> Trace:
        return self._probe(ask, None)

    def probe_with_key(self, ask: ProbeAsk, place: KeyPlace) -> Keyed:
        from vorflug.host.live import service_key
        from vorflug.netprobe.key import Key

        target = parse(ask.url)
        if target.scheme != "https":
            return Keyed(KeyState.HELD_BACK)
        key = service_key.read_key(place, self._environ)
        if isinstance(key, KeyState):
            return Keyed(key)
        return Keyed(KeyState.USED, self._probe(ask, Key(target.host, target.port, service_key.fields(place, key))))

    def _probe(self, ask: ProbeAsk, key: Key | None) -> Trace:
        from vorflug.netprobe.anchors import host_store
        from vorflug.netprobe.passage import Tools
        from vorflug.netprobe.probe import probe

        _remember_site(ask.proxy)
        tools = Tools(
            trust=_trust(host_store(self._environ)),
            logins=self._logins,
            environ=self._environ,
            nameservers=self._nameservers_if_any(),
            limits=self._limits,
            dns_port=self._dns_port,
            key=key,
        )
        return probe(ask, tools, self._deadline())

    def resolve(self, name: str, server: str | None = None) -> Resolved:
        if server is None:
            return look_up(name, self._nameservers_if_any(), self._limits, self._deadline(), self._dns_port).resolved(
                name
            )
        return resolve.ask(name, server, self._limits, self._deadline(), self._dns_port)

    def nameserver(self, server: str, name: str) -> NameserverSeen:
        return nameserver_look.look(server, name, self._limits, self._deadline(), self._dns_port)

    def pointer(self, address: str, server: str) -> Pointer:
        return nameserver_look.pointer(address, server, self._limits, self._deadline(), self._dns_port)

    def nameservers(self) -> tuple[str, ...]:
        with Path(self._resolv_conf).open(encoding="utf-8", errors="replace") as file:
            return resolver_files.nameservers(file.read(_RESOLV_CONF_BYTES))

    def proxy_variables(self) -> tuple[ProxyVariable, ...]:
        return proxy.variables(self._environ)

    def proxy_places(self) -> tuple[ProxyPlace, ...]:
        from vorflug.host.live.files import LiveFiles
        from vorflug.host.live.proxy_places import places

        return places(LiveFiles(), self._environ)

    def route(self, url: str, proxy: str | None = None) -> Route:
        from vorflug.netprobe.proxy import choose

        _remember_site(proxy)
        return choose(parse(url), self._environ, proxy).route

    def _nameservers_if_any(self) -> tuple[str, ...]:
        """Only to say whom the C library asked: without the file it asks whom it will."""
        try:
            return self.nameservers()
        except FileNotFoundError:
            return ()

    def _deadline(self) -> Deadline:
        left = self._patience.left()
        return Deadline(max(left - MARGIN_S, left / 2))


@cache
def _trust(store: Store) -> Trust:
    """The trust context is built once: each holds every root certificate."""
    from vorflug.netprobe.anchors import Anchors
    from vorflug.netprobe.handshake import Trust

    return Trust(Anchors(store))


def _remember_site(setting: str | None) -> None:
    if setting is not None:
        remember(*proxy.secrets({"all_proxy": setting}))
