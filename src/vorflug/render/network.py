"""The paths of a report's requests, grouped by what came of them.  Pure: `Report` → values and sentences."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from vorflug.engine import registry
from vorflug.engine.evaluate import REASONS
from vorflug.model.message import Message, msg
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
        return len(self.requests)


_WORST_FIRST = (Outcome.UNMET, Outcome.UNKNOWN, Outcome.MET)
_ANOTHER_VERSION = msg("cannot be drawn: another version of the program wrote it")


def groups(report: Report) -> tuple[Group, ...]:
    """What stopped most requests first; then those that could not be made, then those that passed with a warning."""
    kinds = {kind for kind in {str(fact.query.get("kind")) for fact in report.facts} if _traced(kind)}
    found: dict[tuple[Outcome, Message], list[Request]] = {}
    for fact in report.facts:
        if fact.query.get("kind") in kinds:
            outcome, heading, request = _request(fact)
            found.setdefault((outcome, heading), []).append(request)
    made = [Group(outcome, heading, tuple(requests)) for (outcome, heading), requests in found.items()]
    return tuple(sorted(made, key=lambda g: (_WORST_FIRST.index(g.outcome), -g.size)))


def _traced(kind: str) -> bool:
    """Whether questions of this *kind* are answered by a trace."""
    query = registry.query(kind)
    return query is not None and registry.fact_of(query) is TraceFact


def requests(count: int) -> Message:
    """How many requests a group has."""
    return msg("1 request") if count == 1 else msg("{n} requests", n=count)


def _request(fact: FactInfo) -> tuple[Outcome, Message, Request]:
    url = str(fact.query.get("url", "")).partition("?")[0]
    unread = Request(url, None, (), fact.took_s)
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
    return outcome, heading, Request(url, way(trace), path, trace.took_s or sum(s.took_s for s in trace.stages))


def _came_of(trace: Trace, url: str) -> tuple[Outcome, Message]:
    found = stopped(trace, url)
    if found is not None:
        if found.cause.subject:
            return Outcome.UNMET, msg("{code} – {subject}", code=found.code.value, subject=found.cause.subject)
        return Outcome.UNMET, msg("{code}", code=found.code.value)
    if trace.warnings:
        return Outcome.MET, msg("passed, something seen besides: {codes}", codes=tuple(c.value for c in trace.warnings))
    return Outcome.MET, msg("passed")
