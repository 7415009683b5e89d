"""A trace as a diagnosis: its sentences written in every language, nothing in it that may be a secret."""

from __future__ import annotations

from dataclasses import replace

from vorflug import __version__
from vorflug.model.diagnosis import OK, Diagnosis, Note, Origin, Said
from vorflug.model.message import Message, msg
from vorflug.model.netcause import Stopped, stopped, warned
from vorflug.model.netcause_detail import led_elsewhere
from vorflug.model.netcause_pages import page_of
from vorflug.ports.net import HttpSeen, Mode, Trace
from vorflug.texts import say

__all__ = ["OK", "of"]


def of(trace: Trace, url: str, mode: Mode, origin: Origin | None = None) -> Diagnosis:
    """The document of *trace*; *url* as it may be shown."""
    found = stopped(trace, url, mode=mode)
    note = None if found is None else _note(found)
    return Diagnosis(
        version=__version__,
        checked=None if origin is None else origin.checked,
        host=None if origin is None else origin.host,
        local=(origin.local or None) if origin is not None else None,
        url=url,
        mode=mode,
        code=OK if found is None else found.code,
        warnings=trace.warnings,
        says=_passed(trace, url) if note is None else note.says,
        means=note and note.means,
        does_not_mean=note and note.does_not_mean,
        who=note and note.who,
        fix=note and note.fix,
        team=note and note.team,
        ask=note and note.ask,
        notes=tuple(_note(warned(trace, url, code)) for code in dict.fromkeys(trace.warnings)),
        route=trace.route,
        stages=trace.stages,
        addresses=trace.addresses,
        attempts=trace.attempts,
        peer=trace.peer,
        tls=trace.tls,
        http=None if trace.http is None else _without_queries(trace.http),
        proxy=trace.proxy,
        stream=trace.stream,
        checks=trace.checks,
        redirects=tuple(_without_query(r) for r in trace.redirects),
        resolvers=trace.resolvers,
        took_s=trace.took_s or round(sum(s.took_s for s in trace.stages), 4),
    )


def _note(found: Stopped) -> Note:
    page = page_of(found.code, found.case)
    return Note(
        code=found.code,
        says=_said(found.says),
        means=_said(page.proves),
        does_not_mean=_said(page.not_proves),
        who=_said(page.who),
        ask=_said(page.ask),
        fix=_said(found.fix),
        team=found.cause.team,
    )


def _passed(trace: Trace, url: str) -> Said:
    if trace.http is None:
        return _said(msg("The request to {url} passed every layer.", url=url))
    if target := led_elsewhere(trace):
        return _said(
            msg(
                "{url} answered with status {status} and leads elsewhere ({target}), which was not asked: whether the "
                "service itself answers is open. Diagnose that address, too.",
                url=url,
                status=trace.http.status,
                target=target,
            )
        )
    return _said(msg("The request to {url} passed every layer: status {status}.", url=url, status=trace.http.status))


def _without_queries(http: HttpSeen) -> HttpSeen:
    """A redirect's query may hold a token."""
    return replace(
        http,
        headers=tuple((n, _without_query(v) if n in ("location", "refresh", "link") else v) for n, v in http.headers),
    )


def _without_query(url: str) -> str:
    before, asked, _ = url.partition("?")
    return f"{before}?…" if asked else before


def _said(message: Message) -> Said:
    return Said(en=say(message, "en"), de=say(message, "de"))
