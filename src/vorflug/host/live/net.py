"""The network as this machine sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.host.live import Patience
from vorflug.host.secrets import remember
from vorflug.netprobe import proxy, resolve
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.login import Logins
from vorflug.netprobe.target import parse
from vorflug.ports.net import ProbeAsk, ProxyVariable, Resolved, Route, Trace

if TYPE_CHECKING:
    from vorflug.netprobe.anchors import Store
    from vorflug.netprobe.handshake import Trust

_LOGINS = Logins()
"""One for the process: a login that one probe saw rejected is not tried by another."""
_MARGIN_S = 0.5
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
        dns_port: int = resolve.DNS_PORT,
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
        from vorflug.netprobe.anchors import host_store
        from vorflug.netprobe.probe import Tools, probe

        _remember_site(ask.proxy)
        tools = Tools(
            trust=_trust(host_store(self._environ)),
            logins=self._logins,
            environ=self._environ,
            nameservers=self._nameservers_if_any(),
            limits=self._limits,
            dns_port=self._dns_port,
        )
        return probe(ask, tools, self._deadline())

    def resolve(self, name: str, server: str | None = None) -> Resolved:
        if server is None:
            return resolve.system(name, self._nameservers_if_any(), self._limits, self._deadline(), self._dns_port)
        return resolve.ask(name, server, self._limits, self._deadline(), self._dns_port)

    def nameservers(self) -> tuple[str, ...]:
        with Path(self._resolv_conf).open(encoding="utf-8", errors="replace") as file:
            return resolve.nameservers(file.read(_RESOLV_CONF_BYTES))

    def proxy_variables(self) -> tuple[ProxyVariable, ...]:
        return proxy.variables(self._environ)

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
        return Deadline(max(left - _MARGIN_S, left / 2))


@cache
def _trust(store: Store) -> Trust:
    """The trust context is built once: each holds every root certificate."""
    from vorflug.netprobe.anchors import Anchors
    from vorflug.netprobe.handshake import Trust

    return Trust(Anchors(store))


def _remember_site(setting: str | None) -> None:
    if setting is not None:
        remember(*proxy.secrets({"all_proxy": setting}))
