"""The stages in a row, each timed, on one deadline; the first that fails ends the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TypeVar

from vorflug.model.message import visible
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe import request, resolve
from vorflug.netprobe.channel import Ahead, Alert, Channel, Plain, Silent
from vorflug.netprobe.connect import Connected, connect, errno_name
from vorflug.netprobe.handshake import Handshake, TlsChannel, Trust, handshake
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.login import Logins
from vorflug.netprobe.request import Line as _Line
from vorflug.netprobe.target import parse
from vorflug.ports.net import Code, HttpSeen, ProbeAsk, ProxySeen, Stage, StageSeen, TlsSeen, Trace

_T = TypeVar("_T")

_TO_PROXY = {Code.TCP_REFUSED: Code.PROXY_REFUSED, Code.TCP_TIMEOUT: Code.PROXY_TIMEOUT}
_LOGIN_REFUSED = 407


@dataclass(frozen=True)
class Tools:
    """What all probes of a host share."""

    trust: Trust
    logins: Logins
    environ: Mapping[str, str] = field(repr=False)
    nameservers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    dns_port: int = resolve.DNS_PORT


class _Ended(Exception):
    """A stage failed; it is noted already."""


def probe(ask: ProbeAsk, tools: Tools, deadline: Deadline) -> Trace:
    """Make one request.  Raises ValueError for a URL that cannot be asked, OSError where this host is out of means."""
    with ExitStack() as open_channels:
        return _Run(ask, tools, deadline, open_channels).run()


class _Run:
    def __init__(self, ask: ProbeAsk, tools: Tools, deadline: Deadline, open_channels: ExitStack) -> None:
        self._ask = ask
        self._tools = tools
        self._deadline = deadline
        self._open = open_channels
        self._target = parse(ask.url)
        self._choice = (
            proxies.choose(self._target, tools.environ, ask.proxy) if ask.proxied else proxies.Choice(None, "")
        )
        self._stages: list[StageSeen] = []
        self._warnings: list[Code] = []
        self._addresses: tuple[str, ...] = ()
        self._peer = ""
        self._tls: TlsSeen | None = None
        self._http: HttpSeen | None = None
        self._proxy: ProxySeen | None = None

    def run(self) -> Trace:
        with suppress(_Ended):
            self._go()
        return Trace(
            host=self._target.host,
            port=self._target.port,
            route=self._choice.route,
            addresses=() if self._choice.proxy is not None else self._addresses,
            peer=self._peer,
            stages=tuple(self._stages),
            tls=self._tls,
            http=self._http,
            warnings=tuple(self._warnings),
            proxy=self._proxy,
            resolvers=self._tools.nameservers,
        )

    def _go(self) -> None:
        proxy = self._choice.proxy
        if self._choice.problem:
            self._note(Stage.PROXY, monotonic(), Code.PROXY_CONFIG, self._choice.problem)
        self._resolve(self._target.host if proxy is None else proxy.host)
        channel = self._connect(self._target.port if proxy is None else proxy.port)
        if proxy is not None:
            if self._target.scheme == "http":
                self._by_proxy(proxy, channel)
                return
            channel = self._tunnel(proxy, channel)
        if self._target.scheme == "https":
            self._request(self._handshake(channel))
        else:
            self._request(channel)

    # ---- stages ------------------------------------------------------------------------------------------------------

    def _resolve(self, host: str) -> None:
        began = monotonic()
        tools = self._tools
        found = resolve.system(host, tools.nameservers, tools.limits, self._deadline, tools.dns_port)
        self._addresses = found.addresses
        code, detail = found.code, found.detail
        if code is not None and self._choice.proxy is not None:
            code, detail = Code.PROXY_DNS, f"{code} {detail}".strip()
        self._note(Stage.RESOLVE, began, code, detail)

    def _connect(self, port: int) -> Channel:
        began = monotonic()
        met = connect(self._addresses, port, self._tools.limits, self._deadline)
        code = met.code
        if code is not None and self._choice.proxy is not None:
            code = _TO_PROXY.get(code, code)
        self._peer = met.peer
        if met.v6_broken:
            self._warnings.append(Code.TCP_V6_BROKEN)
        self._note(Stage.CONNECT, began, code, met.detail)
        return self._kept(met)

    def _second_look(self, began: float) -> None:
        """After a cut without a word: does the peer hang up unasked, too?  Then the layers above are not to blame."""
        if self._choice.proxy is not None:
            return
        met = connect(self._addresses, self._target.port, self._tools.limits, self._deadline)
        code, detail = met.code, met.detail
        if met.channel is not None:
            code, detail = self._greeting(self._kept(met), met.peer)
        if code not in (Code.TCP_RESET, Code.TCP_CLOSED_EARLY):
            return
        self._stages = [s for s in self._stages if s.stage is not Stage.CONNECT]
        self._note(Stage.CONNECT, began, code, detail)

    def _greeting(self, channel: Plain, peer: str) -> tuple[Code | None, str]:
        try:
            said = channel.greeted(self._deadline.within(self._tools.limits.greeting))
        except OSError as error:
            return Code.TCP_RESET, f"{errno_name(error)} {peer}"
        return (Code.TCP_CLOSED_EARLY, f"EOF {peer}") if said == b"" else (None, "")

    def _kept(self, met: Connected) -> Plain:
        assert met.channel is not None  # noqa: S101 - a failure has ended the run
        self._open.callback(met.channel.close)
        return met.channel

    def _handshake(self, channel: Channel) -> TlsChannel:
        began = monotonic()
        done = self._shake(channel, self._target.host, public_ca=self._ask.public_ca)
        if done.code is Code.TLS_RESET and done.tls is None:
            self._second_look(began)
        self._tls = done.tls
        self._warnings += done.warnings
        self._note(Stage.TLS, began, done.code, done.detail)
        assert done.channel is not None  # noqa: S101 - a failure has ended the run
        return done.channel

    def _shake(self, channel: Channel, host: str, *, public_ca: bool = False) -> Handshake:
        return handshake(
            channel,
            host,
            self._tools.trust,
            self._tools.limits,
            self._deadline,
            ca_file=self._ask.ca_file,
            public_ca=public_ca,
        )

    def _request(self, channel: Channel) -> None:
        began = monotonic()
        target = self._target
        try:
            answer = request.fetch(
                channel,
                _Line(self._ask.method, target.path, target.host_header),
                self._deadline.within(self._tools.limits.http),
            )
        except Alert as alert:
            assert isinstance(channel, TlsChannel)  # noqa: S101 - only TLS has alerts
            if (code := channel.code_of(alert)) is Code.TLS_CLIENT_CERT_REQUIRED:
                self._tls_failed_late(code, str(alert))
            self._note(Stage.HTTP, began, Code.HTTP_NO_RESPONSE, str(alert))
            return
        hung_up = answer.code is Code.HTTP_NO_RESPONSE and answer.detail != request.SILENCE
        if hung_up and isinstance(channel, TlsChannel) and channel.certificate_requested:
            # TLS 1.3: the server judges our (empty) certificate only now
            self._tls_failed_late(Code.TLS_CLIENT_CERT_REQUIRED, answer.detail)
        if hung_up and not isinstance(channel, TlsChannel):
            self._second_look(began)
        self._answered(answer, began)

    def _tls_failed_late(self, code: Code, detail: str) -> None:
        self._stages = [replace(s, code=code, detail=detail) if s.stage is Stage.TLS else s for s in self._stages]
        if self._tls is not None:
            self._tls = replace(self._tls, faults=(code, *self._tls.faults))
        raise _Ended

    def _answered(self, answer: request.Answer, began: float) -> None:
        if answer.status:
            self._http = request.seen(answer, self._ask.look_for, self._ask.keep_headers)
        self._note(Stage.HTTP, began, answer.code, answer.detail)

    # ---- the proxy ---------------------------------------------------------------------------------------------------

    def _tunnel(self, proxy: proxies.Proxy, channel: Channel) -> Channel:
        """CONNECT (RFC 9110, 9.3.6)."""
        began = monotonic()
        authority = self._target.authority
        answer, through = self._ask_proxy(proxy, channel, began, _Line("CONNECT", authority, authority))
        if answer.status // 100 != 2:  # noqa: PLR2004 - RFC 9110, 9.3.6: any 2xx opens the tunnel
            self._proxy_refused(answer, began)
        self._note(Stage.PROXY, began, None, f"HTTP {answer.status}")
        return Ahead(through, answer.rest) if answer.rest else through

    def _by_proxy(self, proxy: proxies.Proxy, channel: Channel) -> None:
        """A plain request in absolute form (RFC 9112, 3.2.2)."""
        began = monotonic()
        target = self._target
        answer, _ = self._ask_proxy(proxy, channel, began, _Line(self._ask.method, target.absolute, target.host_header))
        # only what the proxy marks as its own word is not the service's
        if answer.status == _LOGIN_REFUSED or answer.values("x-squid-error"):
            self._proxy_refused(answer, began)
        self._note(Stage.PROXY, began)
        self._answered(answer, began)

    def _ask_proxy(
        self, proxy: proxies.Proxy, channel: Channel, began: float, line: _Line
    ) -> tuple[request.Answer, Channel]:
        """Put the request; once more with the login where one is wanted and known."""
        last: tuple[request.Answer, Channel]

        def put(channel: Channel, authorization: str | None) -> request.Answer:
            nonlocal last
            inside = self._inside(proxy, channel, began)
            extra = (("Proxy-Authorization", authorization),) if authorization else ()
            deadline = self._deadline.within(self._tools.limits.proxy)
            answer = request.fetch(inside, line, deadline, extra)
            last = answer, inside
            return answer

        def once_more() -> bool:
            met = connect(self._addresses, proxy.port, self._tools.limits, self._deadline)
            if met.channel is None:
                self._note(Stage.PROXY, began, Code.PROXY_CLOSED, met.detail)
            return put(self._kept(met), proxy.authorization()).status != _LOGIN_REFUSED

        self._guard(began, lambda: put(channel, None))
        answer = last[0]
        offered = proxies.schemes(answer.values("proxy-authenticate"))
        self._proxy = self._heard(answer, 1, offered, proxy)
        if answer.status == _LOGIN_REFUSED and "basic" in offered and proxy.user is not None:
            login = (proxy.authority, proxy.authorization())
            tries: list[None] = []

            def counted() -> bool:
                tries.append(None)
                return once_more()

            accepted = self._guard(began, lambda: self._tools.logins.attempt(login, self._deadline, counted))
            self._proxy = self._heard(last[0], 1 + len(tries), offered, proxy)
            if not accepted:
                self._note(Stage.PROXY, began, Code.PROXY_AUTH_REJECTED, f"HTTP {_LOGIN_REFUSED}")
        answer = last[0]
        if not answer.status:
            self._no_answer(answer, began, line.method)
        return last

    def _inside(self, proxy: proxies.Proxy, channel: Channel, began: float) -> Channel:
        if proxy.scheme != "https":
            return channel
        done = self._shake(channel, proxy.host)
        if done.code is not None:
            self._tls = done.tls
            self._note(Stage.PROXY, began, done.code, done.detail)
        assert done.channel is not None  # noqa: S101 - a failure has ended the run
        return done.channel

    def _guard(self, began: float, step: Callable[[], _T]) -> _T:
        try:
            return step()
        except Silent:
            self._note(Stage.PROXY, began, Code.PROXY_TIMEOUT, "silence")
        except Alert as alert:
            self._note(Stage.PROXY, began, Code.PROXY_CLOSED, str(alert))
        raise _Ended

    def _heard(
        self, answer: request.Answer, attempts: int, offered: tuple[str, ...], proxy: proxies.Proxy
    ) -> ProxySeen:
        squid = next(iter(answer.values("x-squid-error")), "")
        return ProxySeen(
            status=answer.status,
            schemes=tuple(visible(s, at_most=30) for s in offered),
            error=proxies.squid_page(squid),
            attempts=attempts,
            had_credentials=proxy.user is not None,
        )

    def _no_answer(self, answer: request.Answer, began: float, method: str) -> None:
        """The proxy itself gave no HTTP answer."""
        if answer.code is Code.HTTP_NO_RESPONSE and answer.detail == request.SILENCE:
            self._note(Stage.PROXY, began, Code.PROXY_TIMEOUT, f"no answer to {method}")
        if answer.code is Code.HTTP_SLOW_HEADERS:
            self._note(Stage.PROXY, began, Code.PROXY_TIMEOUT, f"half an answer to {method}")
        self._note(Stage.PROXY, began, Code.PROXY_CLOSED, f"{answer.code} {answer.detail}".strip())

    def _proxy_refused(self, answer: request.Answer, began: float) -> None:
        assert self._proxy is not None  # noqa: S101 - noted with every answer of a proxy
        squid = next(iter(answer.values("x-squid-error")), "")
        code = proxies.code_of(self._proxy, squid)
        self._note(Stage.PROXY, began, code, f"HTTP {answer.status} {self._proxy.error}".strip())

    # ---- notes -------------------------------------------------------------------------------------------------------

    def _note(self, stage: Stage, began: float, code: Code | None = None, detail: str = "") -> None:
        """Note a stage.  Raises _Ended where it failed."""
        took = round(monotonic() - began, 4)
        self._stages.append(StageSeen(stage, took, code, visible(detail, at_most=300)))
        if code is not None:
            raise _Ended
