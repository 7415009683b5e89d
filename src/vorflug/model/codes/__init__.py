"""A page for every code: what was seen, what that proves and what not, who mends it and what to ask them for.

``vorflug explain CODE`` and ``docs/reference/codes.md`` are made of it.
"""

from __future__ import annotations

from vorflug.model.codes import certificate, dns, host, http, proxy, stream, tcp, tls
from vorflug.model.codes.page import Page as Page
from vorflug.ports.net_codes import Code

_ALL = dns.PAGES | tcp.PAGES | proxy.PAGES | tls.PAGES | certificate.PAGES | http.PAGES | stream.PAGES | host.PAGES

PAGES: dict[Code, Page] = {code: _ALL[code] for code in Code if code in _ALL}
"""In the order of the stages; a test holds that none is missing."""
