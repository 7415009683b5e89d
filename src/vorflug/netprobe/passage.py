"""One way through the layers: each stage timed and noted, the first that fails ends it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from vorflug.model.message import visible
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe import request
from vorflug.netprobe.channel import Alert, Channel, Plain
from vorflug.netprobe.connect import Connected, Pending, connect, errno_name
from vorflug.netprobe.handshake import Handshake, Hello, TlsChannel, Trust, handshake
from vorflug.netprobe.key import Key
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.login import Logins
from vorflug.netprobe.lookup import Lookup, look_up
from vorflug.netprobe.nameserver import DNS_PORT
from vorflug.netprobe.redirect import is_metadata
from vorflug.netprobe.request import Line
from vorflug.netprobe.target import Target
from vorflug.ports.net import (
    AttemptSeen,
    CheckSeen,
    Code,
    HttpSeen,
    Mode,
    ProbeAsk,
    ProxySeen,
    Stage,
    StageSeen,
    StreamSeen,
    TlsSeen,
)

if TYPE_CHECKING:
    from vorflug.netprobe.stream import Watched

_TO_PROXY = {
    Code.TCP_REFUSED: Code.PROXY_REFUSED,
    Code.TCP_TIMEOUT: Code.PROXY_TIMEOUT,
    Code.TCP_RESET: Code.PROXY_CLOSED,
}


@dataclass(frozen=True)
class Tools:
    """What all probes of a host share."""

    trust: Trust
    logins: Logins
    environ: Mapping[str, str] = field(repr=False)
    nameservers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    dns_port: int = DNS_PORT
    hosts_file: str = "/etc/hosts"
    key: Key | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Manner:
    """How a control differs from the request itself."""

    hello: Hello = Hello.USUAL
    server_name: str | None = None
    """The name in the ClientHello, where it is not the host's; empty for none."""
    last: Stage = Stage.STREAM
    """The stage after which it ends."""


USUAL = Manner()


class Ended(Exception):
    """A stage failed, or nothing further is wanted; it is noted already."""


class Passage:
    """One way, and everything that was seen on it."""

    def __init__(
        self,
        ask: ProbeAsk,
        target: Target,
        choice: proxies.Choice,
        tools: Tools,
        deadline: Deadline,
        *,
        open_channels: ExitStack,
        manner: Manner = USUAL,
        known: tuple[str, ...] = (),
    ) -> None:
        """*known*: the addresses of whoever is connected to, where they have been resolved before."""
        self.ask = ask
        self.target = target
        self.choice = choice
        self.tools = tools
        self.deadline = deadline
        self.manner = manner
        self.addresses = known
        self.stages: list[StageSeen] = []
        self.warnings: list[Code] = []
        self.checks: list[CheckSeen] = []
        self.attempts: tuple[AttemptSeen, ...] = ()
        self.peer = ""
        self.pending: Pending | None = None
        self.tls: TlsSeen | None = None
        self.http: HttpSeen | None = None
        self.answer: request.Answer | None = None
        self.proxy: ProxySeen | None = None
        self.stream: StreamSeen | None = None
        self.presented: TlsChannel | None = None
        """The connection on which a certificate was presented that has a fault."""
        self._open = open_channels
        self._channels: list[Plain] = []
        self._known = bool(known)

    @property
    def code(self) -> Code | None:
        """What ended it."""
        return next((s.code for s in self.stages if s.code is not None), None)

    @property
    def is_genuine(self) -> bool:
        """Whether TLS has proved that the service itself speaks: nothing can then stand in for it."""
        return self.tls is not None and self.tls.trusted and Code.TLS_INTERCEPTED not in self.warnings

    @property
    def is_plain_by_proxy(self) -> bool:
        """Whether the proxy is given the request itself (RFC 9112, 3.2.2), and opens no tunnel."""
        proxy = self.choice.proxy
        plain = self.target.scheme == "http" and self.ask.mode is not Mode.WS
        return proxy is not None and not proxy.is_socks and plain

    @property
    def limits(self) -> Limits:
        """How patient each stage is."""
        return self.tools.limits

    def run(self) -> Passage:
        """Go as far as it goes.  Raises OSError where this host is out of means."""
        with suppress(Ended):
            self._go()
        return self

    def blame(self, stage: Stage, code: Code | None, detail: str | None = None) -> None:
        """A further look has shown that *stage*, the last one, ended otherwise than it seemed."""
        self.stages = [
            replace(s, code=code, detail=s.detail if detail is None else visible(detail, at_most=300))
            if s.stage is stage
            else s
            for s in self.stages
        ]

    def _go(self) -> None:
        from vorflug.netprobe.via_proxy import ViaProxy

        proxy = self.choice.proxy
        if self.choice.problem:
            self.note(Stage.PROXY, monotonic(), Code.PROXY_CONFIG, self.choice.problem)
        self._resolve(self.target.host if proxy is None else proxy.host)
        channel: Channel = self._connect(self.target.port if proxy is None else proxy.port)
        if proxy is not None:
            via = ViaProxy(self, proxy)
            if self.is_plain_by_proxy:
                via.plain(channel)
                return
            channel = via.tunnel(channel)
            self._until(Stage.PROXY)
        if self.target.scheme == "https":
            channel = self._handshake(channel)
        self._until(Stage.TLS)
        self._ask(channel)

    def _until(self, stage: Stage) -> None:
        if self.manner.last is stage:
            raise Ended

    # ---- stages ------------------------------------------------------------------------------------------------------

    def _resolve(self, host: str) -> None:
        if self._known:
            return
        began = monotonic()
        tools = self.tools
        found: Lookup = look_up(
            host, tools.nameservers, tools.limits, self.deadline, tools.dns_port, hosts_file=tools.hosts_file
        )
        self.addresses = tuple(a for a in found.addresses if a == host or not is_metadata(a))
        self.warnings += found.warnings
        self.checks += found.checks
        code, detail = found.code, found.detail
        if found.addresses and not self.addresses:
            # a name is no reason to ask a cloud's metadata service
            code, detail = Code.DNS_BOGON, ", ".join(found.addresses)
        if code is not None and self.choice.proxy is not None:
            code, detail = Code.PROXY_DNS, f"{code} {detail}".strip()
        self.note(Stage.RESOLVE, began, code, detail)

    def connected(self, port: int) -> Connected:
        """A further connection to the same peer; not noted as a stage."""
        return connect(self.addresses, port, self.limits, self.deadline)

    def kept(self, met: Connected) -> Plain:
        """The channel, closed when all is over."""
        assert met.channel is not None  # noqa: S101 - a failure has ended the passage
        self._open.callback(met.channel.close)
        self._channels.append(met.channel)
        return met.channel

    def hang_up(self) -> None:
        """Let go of the connections, before further ones are made: some servers serve one at a time."""
        self.presented = None
        for channel in self._channels:
            channel.close()

    def _connect(self, port: int) -> Plain:
        began = monotonic()
        met = self.connected(port)
        code = met.code
        if code is not None and self.choice.proxy is not None:
            code = _TO_PROXY.get(code, code)
        self.peer = met.peer
        self.attempts = met.attempts
        self.pending = met.pending
        if met.pending is not None:
            self._open.callback(met.pending.close)
        if met.v6_broken:
            self.warnings.append(Code.TCP_V6_BROKEN)
        self.note(Stage.CONNECT, began, code, met.detail if code is not None else "")
        return self.kept(met)

    def second_look(self, began: float) -> None:
        """After a cut without a word: does the peer hang up unasked, too?  Then the layers above are not to blame."""
        if self.choice.proxy is not None:
            return
        met = self.connected(self.target.port)
        code, detail = met.code, met.detail
        if met.channel is not None:
            code, detail = self._greeting(self.kept(met), met.peer)
        if code not in (Code.TCP_RESET, Code.TCP_CLOSED_EARLY):
            return
        self.stages = [s for s in self.stages if s.stage is not Stage.CONNECT]
        self.note(Stage.CONNECT, began, code, detail)

    def _greeting(self, channel: Plain, peer: str) -> tuple[Code | None, str]:
        try:
            said = channel.greeted(self.deadline.within(self.limits.greeting))
        except OSError as error:
            return Code.TCP_RESET, f"{errno_name(error)} {peer}"
        return (Code.TCP_CLOSED_EARLY, f"EOF {peer}") if said == b"" else (None, "")

    def _handshake(self, channel: Channel) -> TlsChannel:
        began = monotonic()
        done = self.shake(channel, self.target.host, public_ca=self.ask.public_ca)
        if done.code is Code.TLS_RESET and done.tls is None and self.manner == USUAL:
            self.second_look(began)
        self.tls = done.tls
        self.presented = done.presented
        self.warnings += done.warnings
        self.note(Stage.TLS, began, done.code, done.detail)
        assert done.channel is not None  # noqa: S101 - a failure has ended the passage
        return done.channel

    def shake(
        self, channel: Channel, host: str, *, public_ca: bool = False, deadline: Deadline | None = None
    ) -> Handshake:
        """TLS to *host*."""
        return handshake(
            channel,
            host,
            self.tools.trust,
            self.limits,
            deadline or self.deadline,
            ca_file=self.ask.ca_file,
            public_ca=public_ca,
            hello=self.manner.hello,
            server_name=self.manner.server_name,
        )

    def _ask(self, channel: Channel) -> None:
        match self.ask.mode:
            case Mode.HTTP:
                self._request(channel)
            case Mode.SSE | Mode.WS:
                self._stream(channel)

    def line(self) -> Line:
        """The request line, in origin form."""
        return Line(self.ask.method, self.target.path, self.target.host_header)

    def _request(self, channel: Channel) -> None:
        began = monotonic()
        try:
            answer = request.fetch(
                channel,
                self.line(),
                self.deadline.within(self.limits.http),
                self.tools.key.for_target(self.target) if self.tools.key is not None else (),
                whole=self.ask.judged,
                upload_bytes=self.ask.upload_bytes,
            )
        except Alert as alert:
            self._late_alert(channel, alert, began)
            raise Ended from None
        self._hung_up(channel, answer.code, answer.detail, began)
        self.answered(answer, began)

    def _hung_up(self, channel: Channel, code: Code | None, detail: str, began: float) -> None:
        if code is not Code.HTTP_NO_RESPONSE or detail == request.SILENCE:
            return
        if isinstance(channel, TlsChannel):
            if channel.certificate_requested:
                # TLS 1.3: the server judges our (empty) certificate only now
                self._tls_failed_late(Code.TLS_CLIENT_CERT_REQUIRED, detail)
            return
        self.second_look(began)

    def _late_alert(self, channel: Channel, alert: Alert, began: float) -> None:
        assert isinstance(channel, TlsChannel)  # noqa: S101 - only TLS has alerts
        if (code := channel.code_of(alert)) is Code.TLS_CLIENT_CERT_REQUIRED:
            self._tls_failed_late(code, str(alert))
        self.note(Stage.HTTP, began, Code.HTTP_NO_RESPONSE, str(alert))

    def _tls_failed_late(self, code: Code, detail: str) -> None:
        self.stages = [replace(s, code=code, detail=detail) if s.stage is Stage.TLS else s for s in self.stages]
        if self.tls is not None:
            self.tls = replace(self.tls, faults=(code, *self.tls.faults))
        raise Ended

    def answered(self, answer: request.Answer, began: float, ended: float | None = None) -> None:
        """Note an HTTP answer, or why there is none.  *ended*: when it was there, where that is not now."""
        self.answer = answer
        if answer.status:
            self.http = told(request.seen(answer, self.ask.look_for, self.ask.keep_headers), self.tls)
        self.note(Stage.HTTP, began, answer.code, answer.detail, ended=ended)

    def watch(self, channel: Channel, line: Line, extra: tuple[tuple[str, str], ...] = ()) -> Watched:
        """Ask for an event stream.  Raises Alert where TLS ends the connection before an answer came."""
        from vorflug.netprobe import stream

        body = self.ask.body.encode()
        return stream.watch(channel, line, self.deadline, idle_s=self.ask.idle_s, body=body, extra=extra)

    def _stream(self, channel: Channel) -> None:
        from vorflug.netprobe import websocket

        began = monotonic()
        try:
            if self.ask.mode is Mode.SSE:
                came = self.watch(channel, self.line())
                answer, code, detail, seen, head_s = came.answer, came.code, came.detail, came.stream, came.head_s
            else:
                talked = websocket.talk(channel, self.line(), self.deadline, idle_s=self.ask.idle_s)
                assert talked.answer is not None  # noqa: S101 - there is one, if only with a code
                answer, code, detail, seen = talked.answer, talked.code, talked.detail, talked.stream
                head_s = talked.head_s
        except Alert as alert:
            self._late_alert(channel, alert, began)
            raise Ended from None
        self._hung_up(channel, code, detail, began)
        self.streamed(answer, code, detail, seen, began=began, opened=None if head_s is None else began + head_s)

    def streamed(
        self,
        answer: request.Answer,
        code: Code | None,
        detail: str,
        seen: StreamSeen,
        *,
        began: float,
        opened: float | None,
    ) -> None:
        """Note what came of a stream: as an HTTP answer, and where there was a stream, as that.

        *opened*: when the headers were there, so that what follows is the stream's time; None where none followed.
        """
        self.stream = seen
        if code is not None and code.value.startswith("http."):
            answer = replace(answer, code=code, detail=detail)
        else:
            answer = replace(answer, code=None)
        self.answered(answer, began, None if answer.code is not None else opened)
        if seen.events or seen.ended or code is not None:
            self.note(Stage.STREAM, began if opened is None else opened, code, detail)

    # ---- notes -------------------------------------------------------------------------------------------------------

    def note(
        self, stage: Stage, began: float, code: Code | None = None, detail: str = "", *, ended: float | None = None
    ) -> None:
        """Note a stage that *ended* now, or then.  Raises Ended where it failed."""
        took = round((monotonic() if ended is None else ended) - began, 4)
        self.stages.append(StageSeen(stage, took, code, visible(detail, at_most=300)))
        if code is not None:
            raise Ended


def told(seen: HttpSeen, tls: TlsSeen | None) -> HttpSeen:
    """*seen* without the marks of a stand-in where a public authority vouches for who speaks.

    A further anchor does not: it may be that of the very device that inspects.
    """
    return replace(seen, looks_like=None, title="") if tls is not None and tls.trusted_publicly else seen
