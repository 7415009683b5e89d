"""Event streams and WebSockets on their whole way: not held back, not cut in a silence, frames both ways.

Sources: WHATWG HTML, 9.2 (server-sent events); RFC 6455 (WebSocket); the OpenAI API reference, "Create chat completion"
with ``stream``, which Ollama and vLLM answer without a key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model import netcause, streamed
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.probing import ProxyUrl, TraceFact, Url
from vorflug.model.quantity import Duration
from vorflug.model.query import Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import HttpSeen, Mode, ProbeAsk, StreamSeen, Trace

TITLE = msg("Streams")

_LOCKED = (401, 403)
"""RFC 9110, 15.5.2 and 15.5.4: the service wants to know who asks."""
_OK = 200
_SWITCHED = 101
_PATIENCE_S = 25.0
"""Besides the silence: for the way there, a model that thinks, and five events a second apart."""
_LONGEST_IDLE_S = 300.0

Path = Annotated[str, StringConstraints(pattern=r"^/[^\s#?]*$", max_length=500)]
"""What is put below an address."""


@dataclass(frozen=True, kw_only=True)
class StreamQuery(Query[TraceFact]):
    """Do events come as they are sent, or frames back, and does the connection survive a silence?"""

    kind = "stream"
    touches = ("@net.probe",)
    deadline = _PATIENCE_S + _LONGEST_IDLE_S + 5
    """For the longest silence; a shorter one ends sooner (`ProbeAsk.timeout_s`)."""
    reach = Reach.NETWORK

    url: str
    mode: Mode
    idle_s: float = 0.0
    chat_model: str | None = None
    """A model that is asked for a few words, which come as a stream; None asks for the address itself."""
    proxied: bool = True
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        if self.mode is Mode.WS:
            if self.idle_s:
                return msg(
                    "Do WebSocket frames pass to {url} and back, after a silence of {idle:duration}, too?",
                    url=self.url,
                    idle=self.idle_s,
                )
            return msg("Do WebSocket frames pass to {url} and back?", url=self.url)
        if self.chat_model is not None:
            return msg("Do the words of {model} at {url} come one by one?", model=self.chat_model, url=self.url)
        if self.idle_s:
            return msg(
                "Does an event stream from {url} survive a silence of {idle:duration}?", url=self.url, idle=self.idle_s
            )
        return msg("Do the events of {url} come as they are sent?", url=self.url)

    def observe(self, host: Host) -> TraceFact:
        return TraceFact(
            trace=host.net.probe(
                ProbeAsk(
                    url=self.url,
                    method="GET" if self.chat_model is None else "POST",
                    body="" if self.chat_model is None else _chat(self.chat_model),
                    mode=self.mode,
                    idle_s=self.idle_s,
                    timeout_s=self.idle_s + _PATIENCE_S,
                    proxied=self.proxied,
                    proxy=self.proxy,
                    ca_file=self.ca_file,
                )
            )
        )


def _chat(model: str) -> str:
    """The smallest question whose answer takes a while."""
    return json.dumps(
        {
            "model": model,
            "messages": [{"role": "user", "content": "Count from 1 to 30, one number per line."}],
            "stream": True,
            "max_tokens": 64,
        }
    )


class _OnAConnection(Requirement):
    """What event streams and WebSockets have in common."""

    networked = True

    url: Url | None = None
    """Where the test stream is; None leaves the demand undecided."""
    path: Path | None = None
    """What is asked below *url*."""
    idle: Annotated[Duration, Field(le=_LONGEST_IDLE_S)] | None = None
    """How long a connection must survive on which nothing is said; None asks for the stream alone."""
    idle_thorough: Annotated[Duration, Field(le=_LONGEST_IDLE_S)] | None = None
    """What takes the place of *idle* with ``--thorough``; None leaves it as it is."""
    proxied: bool = True
    """False where the way must not lead through the proxy of the environment."""
    proxy: ProxyUrl | None = None
    ca_file: str | None = None
    """Further trust anchors (PEM), besides the host's store."""

    def thorough(self) -> _OnAConnection:
        return self if self.idle_thorough is None else self.model_copy(update={"idle": self.idle_thorough})

    @property
    def target(self) -> str:
        """The whole address that is asked."""
        url = str(self.url)
        return url if self.path is None else url.rstrip("/") + self.path

    def _question(self) -> StreamQuery:
        raise NotImplementedError

    def queries(self, known: Evidence) -> Sequence[StreamQuery]:  # noqa: ARG002 - one question, whatever is known
        return [] if self.url is None else [self._question()]

    def judge(self, evidence: Evidence) -> Verdict:
        if self.url is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("No address is named at which this can be tried without a key."),
                fix=msg("Ask the vendor for a test address, and name it in the site file."),
            )
        trace = evidence[self._question()].trace
        stopped = netcause.stopped(trace, self.target)
        if stopped is None and trace.http is not None and trace.http.looks_like is not None:
            stopped = netcause.explain(trace, self.target, trace.http.looks_like, None)
        if stopped is not None:
            return unmet(
                wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
            )
        if trace.stream is None or trace.http is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its answer was not recorded.", url=self.target),
                fix=msg("Run again."),
            )
        return self._answered(trace, trace.http, trace.stream)

    def _answered(self, trace: Trace, http: HttpSeen, stream: StreamSeen) -> Verdict:
        seen = msg("HTTP {status} from {host}", status=http.status, host=trace.host)
        if http.status in _LOCKED:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{url} wants a key, and none is sent for this.", url=self.target),
                fix=msg("Ask the vendor for a test address, and name it in the site file."),
            )
        if http.status not in (_OK, _SWITCHED) or not stream.ended:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{url} answers, but not with a stream (HTTP {status}).", url=self.target, status=http.status
                ),
                fix=msg("Check the address of the test stream in the site file."),
            )
        if not stream.flowing:
            return self._unproved(stream)
        if self.idle is not None:
            return self._silence(stream)
        return met(wanted=self.wanted(), seen=self._came(stream), because=self._came(stream))

    def _silence(self, stream: StreamSeen) -> Verdict:
        assert self.idle is not None  # noqa: S101 - asked only where a silence is wanted
        if stream.idle_s >= self.idle:
            says = msg("The connection survived a silence of {idle:duration}.", idle=stream.idle_s)
            return met(wanted=self.wanted(), seen=says, because=says)
        says = msg("The longest silence on the connection was {idle:duration}; it was not broken.", idle=stream.idle_s)
        return unknown(
            wanted=self.wanted(),
            seen=says,
            because=says,
            fix=msg("Try with an address whose stream is silent for longer, or with a longer --deadline."),
        )

    def _unproved(self, stream: StreamSeen) -> Verdict:
        mode = self._question().mode
        says = streamed.unproved(mode, stream)
        return unknown(wanted=self.wanted(), seen=says, because=says, fix=streamed.to_try(mode))

    def _came(self, stream: StreamSeen) -> Message:
        raise NotImplementedError


class EventStreamRequirement(_OnAConnection):
    """Events arrive one by one as they are sent, and where asked for, the connection survives a silence."""

    kind = "event_stream"
    chat_model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """A model that an OpenAI-compatible server at *url* has and that speaks without a key."""

    def wanted(self) -> Message:
        if self.url is None:
            return msg("an event stream that is not held back on its way")
        if self.idle is not None:
            return msg(
                "an event stream from {url} survives a silence of {idle:duration}", url=self.target, idle=self.idle
            )
        return msg("the events of {url} arrive as they are sent", url=self.target)

    def _question(self) -> StreamQuery:
        return StreamQuery(
            url=self.target,
            mode=Mode.SSE,
            idle_s=self.idle or 0.0,
            chat_model=self.chat_model,
            proxied=self.proxied,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def _answered(self, trace: Trace, http: HttpSeen, stream: StreamSeen) -> Verdict:
        # a silence is borne or not, however the events before it came
        if self.idle is not None and stream.ended and stream.idle_s >= self.idle:
            return self._silence(stream)
        return super()._answered(trace, http, stream)

    def _came(self, stream: StreamSeen) -> Message:
        return msg(
            "{n} events came one after the other within {spread:duration}.",
            n=stream.events,
            spread=stream.arrived_s[-1] - stream.arrived_s[0],
        )


class WebSocketRequirement(_OnAConnection):
    """The upgrade is granted, frames pass both ways, and where asked for, the connection survives a silence."""

    kind = "websocket"

    def wanted(self) -> Message:
        if self.url is None:
            return msg("a WebSocket that passes whatever stands on its way")
        if self.idle is not None:
            return msg("a WebSocket to {url} survives a silence of {idle:duration}", url=self.target, idle=self.idle)
        return msg("WebSocket frames pass to {url} and back", url=self.target)

    def _question(self) -> StreamQuery:
        return StreamQuery(
            url=self.target,
            mode=Mode.WS,
            idle_s=self.idle or 0.0,
            proxied=self.proxied,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def _came(self, stream: StreamSeen) -> Message:
        return msg("The upgrade was granted, and {n} frames came back.", n=stream.events)
