"""httpx that takes the ways and trusts the roots that the staged probe takes and trusts, so that both say the same."""

from __future__ import annotations

import os
import ssl

import httpx

from vorflug.host.secrets import remember
from vorflug.netprobe import proxy
from vorflug.netprobe.anchors import host_store
from vorflug.netprobe.target import parse


def client(site_proxy: str | None, ca_file: str | None) -> httpx.Client:
    """A client that follows no redirect and asks for no compression.  Raises FileNotFoundError for *ca_file*."""
    return httpx.Client(
        transport=_Routed(site_proxy, _context(ca_file)),
        trust_env=False,
        follow_redirects=False,
        headers={"accept-encoding": "identity", "user-agent": "vorflug"},
    )


def _context(ca_file: str | None) -> ssl.SSLContext:
    # ssl's own default places are those of the machine that Python was built on
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    store = host_store(os.environ)
    if store.label:
        context.load_verify_locations(store.file, store.folder)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class _Routed(httpx.BaseTransport):
    """One transport per proxy, chosen for each request."""

    def __init__(self, site_proxy: str | None, context: ssl.SSLContext) -> None:
        self._site = site_proxy
        self._context = context
        self._transports: dict[proxy.Proxy | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        choice = proxy.choose(parse(str(request.url)), os.environ, self._site)
        if choice.problem:
            raise httpx.ProxyError(f"the proxy in {choice.why} cannot be used: {choice.problem}", request=request)
        return self._transport(choice.proxy).handle_request(request)

    def _transport(self, by: proxy.Proxy | None) -> httpx.HTTPTransport:
        if by not in self._transports:
            self._transports[by] = httpx.HTTPTransport(
                verify=self._context, trust_env=False, proxy=None if by is None else self._proxy(by)
            )
        return self._transports[by]

    def _proxy(self, by: proxy.Proxy) -> httpx.Proxy:
        remember(*by.secrets())
        return httpx.Proxy(
            f"{by.scheme}://{by.authority}",
            auth=None if by.user is None else (by.user, by.password or ""),
            ssl_context=self._context if by.scheme == "https" else None,
        )

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()
