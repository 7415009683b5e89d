"""What a request to another team is about: the values that the text of a page leaves out, ready to be forwarded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from vorflug.model.message import Message, msg
from vorflug.model.netcause_detail import readable

if TYPE_CHECKING:
    from vorflug.model.diagnosis import Diagnosis
    from vorflug.ports.net import CertificateSeen, Trace


class Request:
    """The values of one diagnosis, times in *zone*."""

    def __init__(self, found: Diagnosis, trace: Trace, zone: tzinfo) -> None:
        self._found = found
        self._trace = trace
        self._zone = zone

    def checked(self) -> Message | None:
        """When and from where the request was made; None where that was not noted."""
        if self._found.checked is None:
            return None
        return msg("Checked: {when} from {source}", when=self._when(self._found.checked), source=self._source())

    def evidence(self) -> Message | None:
        """What was seen as it came; None where the stage holds none, or the request passed."""
        stage = self._trace.stopped_at
        if stage is None or not stage.detail:
            return None
        return msg("{detail}", detail=readable(stage.detail))

    def about(self, code: str | None = None) -> list[Message]:
        """Target, proxy or nameserver, source, time, code with its evidence, certificate: one after the other.

        *code*: one of the warnings, instead of what stopped the request.
        """
        return list(self._about(code or str(self._found.code), None if code else self.evidence()))

    def _about(self, code: str, detail: Message | None) -> Iterator[Message]:
        found, trace = self._found, self._trace
        yield msg("{url}", url=found.url)
        host = f"[{trace.host}]" if ":" in trace.host else trace.host
        yield msg("{host}:{port}", host=host, port=trace.port)
        if code.startswith("dns.") and trace.resolvers:
            yield msg("nameserver {resolvers:list}", resolvers=trace.resolvers)
        if trace.addresses not in ((), (trace.host,)) and code.startswith(("tcp.", "dns.")):
            yield msg("{addresses:list}", addresses=trace.addresses[:_MOST])
        if trace.route.proxy is not None:
            yield msg("by the proxy {proxy}", proxy=trace.route.proxy)
        if found.host is not None:
            yield msg("from {source}", source=self._source())
        if found.checked is not None:
            yield msg("{when}", when=self._when(found.checked))
        yield msg("{code}", code=code) if detail is None else msg("{code}: {detail}", code=code, detail=detail)
        if trace.http is not None and trace.http.title and code.startswith("http."):
            yield msg("page “{title}”", title=trace.http.title)
        if code.startswith("tls.") and trace.tls is not None and trace.tls.chain:
            yield self._certificate(trace.tls.chain[0], trace.tls.issuer)

    def _certificate(self, leaf: CertificateSeen, issuer: str) -> Message:
        return msg(
            "certificate {subject}, issued by {issuer}, valid until {until:date}, SHA-256 {fingerprint}",
            subject=leaf.subject,
            issuer=issuer or leaf.issuer,
            until=leaf.not_after,
            fingerprint=_colons(leaf.sha256),
        )

    def _source(self) -> Message | str:
        host, local = self._found.host or "?", self._found.local
        return host if local is None else msg("{host} ({address})", host=host, address=local)

    def _when(self, checked: str) -> str:
        """``2026-11-25 16:18 (UTC+1)``."""
        here = datetime.fromisoformat(checked).astimezone(self._zone)
        minutes = round((here.utcoffset() or UTC.utcoffset(here)).total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        apart = f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes else ""
        return f"{here:%Y-%m-%d %H:%M} (UTC{apart})"


_MOST = 6
"""Addresses; the document has them all."""


def _colons(fingerprint: str) -> str:
    """As openssl x509 -fingerprint writes it, so that the two can be held against each other."""
    return ":".join(fingerprint[n : n + 2] for n in range(0, len(fingerprint), 2)).upper()
