"""What a report's requests showed about single connections: is a port open, and does a proxy open the way.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from vorflug.model.report import Report
from vorflug.ports.net import Code, Stage, Trace

_TRACE: TypeAdapter[Trace] = TypeAdapter(Trace)
_WAY = (Stage.RESOLVE, Stage.CONNECT)
"""The stages before which no packet of ours reached the port."""


@dataclass(frozen=True)
class Connection:
    """One attempt to reach a host's port, by a request of the report."""

    host: str
    port: int
    proxy: str | None
    """``host:port`` of the proxy that was to lead there; None where it went direct."""
    stopped: Code | None
    """Why the port was not reached (name, TCP, or the proxy's answer); None where it was."""
    after: Code | None = None
    """What stopped the request once the port was reached; None where nothing did."""
    at_proxy: bool = False
    """*stopped* lies on the way to the proxy: nothing is known about the target."""


def connections(report: Report) -> tuple[Connection, ...]:
    """Every connection that a trace of *report* holds, the one to its proxy included."""
    return tuple(connection for trace in _traces(report) for connection in _of(trace))


def _traces(report: Report) -> Iterator[Trace]:
    for fact in report.facts:
        held = (fact.fact or {}).get("trace")
        if held is None:
            continue
        try:
            yield _TRACE.validate_python(held)
        except ValidationError:
            continue  # a report may come from another version; then the finding is what is left to show


def _of(trace: Trace) -> Iterator[Connection]:
    codes = {seen.stage: seen.code for seen in trace.stages}
    if not codes:
        return
    on_the_way = next((codes[stage] for stage in _WAY if codes.get(stage) is not None), None)
    came_far = on_the_way is None and Stage.CONNECT in codes
    after = next((s.code for s in trace.stages if s.stage not in (*_WAY, Stage.PROXY) and s.code is not None), None)
    if trace.route.proxy is None:
        if came_far or on_the_way is not None:
            yield Connection(trace.host, trace.port, None, on_the_way, after)
        return
    host, _, port = trace.route.proxy.rpartition(":")
    if port.isdecimal() and (came_far or on_the_way is not None):
        yield Connection(host.strip("[]"), int(port), None, on_the_way)
    refused = codes.get(Stage.PROXY)
    if on_the_way is not None:
        yield Connection(trace.host, trace.port, trace.route.proxy, on_the_way, at_proxy=True)
    elif came_far and len(codes) > 1:
        yield Connection(trace.host, trace.port, trace.route.proxy, refused, None if refused else after)


@dataclass(frozen=True)
class Reached:
    """What all requests of a report show about one flow; the one that came least far speaks for them."""

    worst: Connection
    opened: int
    """So many of them reached the port."""
    tried: int


def reached(every: Iterable[Connection], host: str, port: int | None, proxy: str | None) -> Reached | None:
    """About *port* of *host* by *proxy* (None: direct); None where no request took this way."""
    wanted = host.rstrip(".").lower()
    found = [c for c in every if (c.host.rstrip(".").lower(), c.port, c.proxy) == (wanted, port, proxy)]
    if not found:
        return None
    worst = min(found, key=lambda c: (c.stopped is None, c.after is None))
    return Reached(worst, sum(c.stopped is None for c in found), len(found))


def other_ways(every: Iterable[Connection], host: str, port: int | None, proxy: str | None) -> tuple[str | None, ...]:
    """By which other proxies (None: directly) *port* of *host* was tried, each once."""
    wanted = host.rstrip(".").lower()
    found = (c.proxy for c in every if (c.host.rstrip(".").lower(), c.port) == (wanted, port))
    return tuple(dict.fromkeys(way for way in found if way != proxy))
