"""The paths of a report's requests, grouped by what came of them.  Pure: `Report` → values and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from vorflug.engine import registry
from vorflug.engine.evaluate import REASONS
from vorflug.model.message import Message, msg, visible
from vorflug.model.netcause import stopped
from vorflug.model.probing import TraceFact
from vorflug.model.query import Reason
from vorflug.model.report import FactInfo, Report
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Mode, Trace
from vorflug.render.path import Layer, Mark, layers, way


@dataclass(frozen=True)
class Request:
    """One request that the run made."""

    url: str
    """Without its query."""
    way: Message | None
    """By which proxy; None where there is no trace."""
    path: tuple[Layer, ...]
    """Empty where there is no trace."""
    took_s: float
    purposes: tuple[Message, ...] = ()
    """What was sent, each once: a GET, an upload, a stream."""
    ids: tuple[str, ...] = ()
    """The requirements that name this address or its host."""
    by_proxy: bool = False
    """Whether a proxy resolves the name."""
    count: int = 1
    """How many requests to one address that all came equally far."""


@dataclass(frozen=True)
class Group:
    """Requests of which the same came."""

    outcome: Outcome
    heading: Message
    requests: tuple[Request, ...]

    @property
    def warned(self) -> bool:
        """Whether something was seen besides."""
        return any(layer.mark is Mark.WARNED for request in self.requests for layer in request.path)

    @property
    def size(self) -> int:
        """How many requests."""
        return sum(request.count for request in self.requests)


_WORST_FIRST = (Outcome.UNMET, Outcome.UNKNOWN, Outcome.MET)
_ANOTHER_VERSION = msg("cannot be drawn: another version of the program wrote it")


def groups(report: Report) -> tuple[Group, ...]:
    """What stopped most requests first; then those that could not be made, then those that passed with a warning."""
    kinds = {kind for kind in {str(fact.query.get("kind")) for fact in report.facts} if _traced(kind)}
    found: dict[tuple[Outcome, Message], list[Request]] = {}
    for fact in report.facts:
        if fact.query.get("kind") in kinds:
            outcome, heading, request = _request(fact)
            found.setdefault((outcome, heading), []).append(replace(request, ids=_named_by(request.url, report)))
    made = [Group(outcome, heading, _merged(requests)) for (outcome, heading), requests in found.items()]
    return tuple(sorted(made, key=lambda g: (_WORST_FIRST.index(g.outcome), -g.size)))


def _merged(every: list[Request]) -> tuple[Request, ...]:
    """*every*, those to one address as one where each layer tells the same; the slowest gives the times."""
    alike: dict[object, list[Request]] = {}
    for request in every:
        told = tuple((layer.stage, layer.mark, layer.codes) for layer in request.path)
        alike.setdefault((request.url, request.way, told), []).append(request)
    return tuple(
        replace(
            max(same, key=lambda request: request.took_s),
            purposes=tuple(dict.fromkeys(purpose for request in same for purpose in request.purposes)),
            count=len(same),
        )
        for same in alike.values()
    )


def _named_by(url: str, report: Report) -> tuple[str, ...]:
    """The requirements in whose wanted values *url*, or its host, stands."""
    host = urlsplit(url).hostname if _parses(url) else None
    names = {url, url.rstrip("/"), host} - {None, ""}
    return tuple(f.id for f in report.findings if not names.isdisjoint(_words(f.wanted.values)))


def _parses(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:  # a report may come from anywhere
        return False
    return True


def _words(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _words(inner)
        case list() | tuple():
            for inner in value:
                yield from _words(inner)


def _purpose(query: Mapping[str, Any]) -> Message:
    """What was sent."""
    match query.get("mode"), query.get("size"):
        case Mode.SSE.value, _:
            return msg("stream of events")
        case Mode.WS.value, _:
            return msg("WebSocket")
        case _, int(size) if query.get("kind") == "upload":
            return msg("request of {size:size}", size=size)
        case _:
            method = visible(str(query.get("method", "GET")), at_most=10)
            if query.get("public_ca") is True:
                return msg("{method}, a public certificate is wanted", method=method)
            return msg("{method}", method=method)


def _traced(kind: str) -> bool:
    """Whether questions of this *kind* are answered by a trace."""
    query = registry.query(kind)
    return query is not None and registry.fact_of(query) is TraceFact


def requests(count: int) -> Message:
    """How many requests a group has."""
    return msg("1 request") if count == 1 else msg("{n} requests", n=count)


def _request(fact: FactInfo) -> tuple[Outcome, Message, Request]:
    url = str(fact.query.get("url", "")).partition("?")[0]
    unread = Request(url, None, (), fact.took_s, (_purpose(fact.query),))
    if fact.fact is None:
        reason = (fact.unseen or {}).get("reason", "")
        return Outcome.UNKNOWN, REASONS[Reason(reason)] if reason in set(Reason) else msg("not asked"), unread
    try:
        trace = TraceFact.model_validate(fact.fact).trace
    except ValidationError:  # a report may come from anywhere
        return Outcome.UNKNOWN, _ANOTHER_VERSION, unread
    mode = fact.query.get("mode", Mode.HTTP)
    path = layers(trace, url, Mode(mode) if mode in set(Mode) else Mode.HTTP)
    outcome, heading = _came_of(trace, url)
    took = trace.took_s or sum(s.took_s for s in trace.stages)
    drawn = replace(unread, way=way(trace), path=path, took_s=took, by_proxy=trace.route.proxy is not None)
    return outcome, heading, drawn


def _came_of(trace: Trace, url: str) -> tuple[Outcome, Message]:
    found = stopped(trace, url)
    if found is not None:
        if found.cause.subject:
            return Outcome.UNMET, msg("{code} – {subject}", code=found.code.value, subject=found.cause.subject)
        return Outcome.UNMET, msg("{code}", code=found.code.value)
    if trace.warnings:
        return Outcome.MET, msg("passed, something seen besides: {codes}", codes=tuple(c.value for c in trace.warnings))
    return Outcome.MET, msg("passed")
