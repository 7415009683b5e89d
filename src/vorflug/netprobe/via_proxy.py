"""What a proxy says to a request: CONNECT (RFC 9110, 9.3.6), absolute form (RFC 9112, 3.2.2), or SOCKS 5."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from vorflug.model.message import visible
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe import request, socks
from vorflug.netprobe.channel import Ahead, Alert, Channel, Silent
from vorflug.netprobe.login import Came
from vorflug.netprobe.passage import Ended, Passage
from vorflug.netprobe.request import Line
from vorflug.ports.net import Code, Mode, ProxySeen, Stage
from vorflug.ports.net_codes import LOGIN_NOT_SENT

if TYPE_CHECKING:
    from vorflug.netprobe.stream import Watched

_T = TypeVar("_T")

_LOGIN_REFUSED = 407
_UNCLEAR = (0, 401, 403)
"""With a login, to a plain request: the proxy may mean the login (an account that is locked), or the service speaks."""
_RESERVE_S = 2.0
_PLAIN_S = 2.0
_TLS_S = 1.0
_TO_PROXY = {Code.TLS_STALL: Code.PROXY_TIMEOUT, Code.TLS_RESET: Code.PROXY_CLOSED}
"""Of the handshake with the proxy itself."""


class ViaProxy:
    """The part of a passage that the proxy decides."""

    def __init__(self, passage: Passage, proxy: proxies.Proxy) -> None:
        self._passage = passage
        self._proxy = proxy
        self._deadline = passage.deadline
        self._came: Watched | None = None
        self._asked = 0.0
        """When the event stream was asked for."""

    def tunnel(self, channel: Channel) -> Channel:
        """Open a way to the target."""
        began = monotonic()
        target = self._passage.target
        if self._proxy.is_socks:
            return self._by_socks(channel, began)
        line = Line("CONNECT", target.authority, target.authority)
        answer, through = self._ask(channel, began, line)
        if answer.status // 100 != 2:  # noqa: PLR2004 - RFC 9110, 9.3.6: any 2xx opens the tunnel
            self._refused(answer, began, line.method)
        self._passage.note(Stage.PROXY, began, None, f"HTTP {answer.status}")
        return Ahead(through, answer.rest) if answer.rest else through

    def plain(self, channel: Channel) -> None:
        """Put a plain request."""
        began = monotonic()
        passage = self._passage
        target = passage.target
        line = Line(passage.ask.method, target.absolute, target.host_header)
        answer, _ = self._ask(channel, began, line)
        if answer.status == _LOGIN_REFUSED or proxies.is_own_word(answer.status, answer.headers):
            self._refused(answer, began, line.method)
        came = self._came
        opened = None if came is None or came.head_s is None else self._asked + came.head_s
        passage.note(Stage.PROXY, began, ended=opened)
        if came is None:
            passage.answered(answer, began)
        else:
            passage.streamed(answer, came.code, came.detail, came.stream, began=began, opened=opened)

    def _by_socks(self, channel: Channel, began: float) -> Channel:
        passage = self._passage
        deadline = self._deadline.within(passage.limits.proxy)

        def put(channel: Channel) -> socks.Opened:
            target, logins = passage.target, passage.tools.logins
            return socks.open_way(channel, self._proxy, target.host, target.port, deadline, logins)

        opened = put(channel)
        passage.proxy = ProxySeen(
            status=0,
            schemes=opened.schemes,
            attempts=opened.attempts,
            had_credentials=self._proxy.user is not None,
        )
        passage.note(Stage.PROXY, began, opened.code, opened.detail)
        return channel

    def _ask(self, channel: Channel, began: float, line: Line) -> tuple[request.Answer, Channel]:
        """Put the request; once more with the login where one is wanted and known."""
        last: tuple[request.Answer, Channel]
        passage, proxy = self._passage, self._proxy

        def put(channel: Channel, may_send: Callable[[], bool] | None = None) -> request.Answer:
            nonlocal last
            inside = self._inside(channel, began)
            authorization = proxy.authorization() if may_send is not None and may_send() else None
            extra = (("Proxy-Authorization", authorization),) if authorization else ()
            patience = passage.limits.proxy if line.method == "CONNECT" else passage.limits.http
            # something is left to find out whether the proxy or the target is silent
            left = self._deadline.left()
            deadline = self._deadline.within(min(patience, left - min(_RESERVE_S, 0.2 * left)))
            whole = passage.ask.judged and line.method != "CONNECT"
            if line.method == "CONNECT" or passage.ask.mode is not Mode.SSE:
                upload = 0 if line.method == "CONNECT" else passage.ask.upload_bytes
                answer = request.fetch(inside, line, deadline, extra, whole=whole, upload_bytes=upload)
            else:
                self._asked = monotonic()
                self._came = passage.watch(inside, line, extra)
                answer = self._came.answer
            last = answer, inside
            return answer

        tries: list[None] = []

        def once_more(may_send: Callable[[], bool]) -> Came:
            met = passage.connected(proxy.port)
            if met.channel is None:
                passage.note(Stage.PROXY, began, Code.PROXY_CLOSED, met.detail)
            tries.append(None)
            return _came_of(put(passage.kept(met), may_send), connecting=line.method == "CONNECT")

        self._guard(began, lambda: put(channel))
        answer = last[0]
        offered = proxies.schemes(answer.values("proxy-authenticate"))
        passage.proxy = self._heard(answer, 1, offered)
        if answer.status == _LOGIN_REFUSED and "basic" in offered and proxy.user is not None:
            login = (proxy.authority, proxy.authorization())
            came = self._guard(
                began,
                lambda: passage.tools.logins.attempt(login, self._deadline, once_more, passage.target.authority),
            )
            passage.proxy = self._heard(last[0], 1 + len(tries), offered)
            if came not in (Came.ACCEPTED, Came.OPEN):
                words = f"; {LOGIN_NOT_SENT}" if came is Came.SPENT else ""
                passage.note(Stage.PROXY, began, Code.PROXY_AUTH_REJECTED, f"HTTP {_LOGIN_REFUSED}{words}")
        answer = last[0]
        if not answer.status:
            self._no_answer(answer, began, line.method)
        return last

    def _inside(self, channel: Channel, began: float) -> Channel:
        if self._proxy.scheme != "https":
            return channel
        passage = self._passage
        done = passage.shake(channel, self._proxy.host)
        if done.code is Code.TLS_NOT_TLS:
            detail = f"the proxy does not speak TLS: {done.detail}"
            passage.note(Stage.PROXY, began, Code.PROXY_CONFIG, detail)
        if done.code in (Code.TLS_STALL, Code.TLS_RESET) and done.tls is None and (said := self._answers_plainly()):
            passage.note(Stage.PROXY, began, Code.PROXY_CONFIG, f"the proxy does not speak TLS: {said} without it")
        if done.code is not None:
            passage.tls = done.tls
            passage.note(Stage.PROXY, began, _TO_PROXY.get(done.code, done.code), f"TLS to the proxy: {done.detail}")
        assert done.channel is not None  # noqa: S101 - a failure has ended the passage
        return done.channel

    def _answers_plainly(self) -> str:
        """What the proxy says without TLS: some take a ClientHello for half a request, and wait for the rest."""
        met = self._passage.connected(self._proxy.port)
        if met.channel is None:
            return ""
        target = self._passage.target.authority
        deadline = self._deadline.within(min(_PLAIN_S, 0.5 * self._deadline.left()))
        answer = request.fetch(self._passage.kept(met), Line("CONNECT", target, target), deadline)
        return f"HTTP {answer.status}" if answer.status else ""

    def _speaks_tls(self) -> bool:
        """Whether the proxy hung up because it was spoken to without TLS."""
        met = self._passage.connected(self._proxy.port)
        if met.channel is None:
            return False
        deadline = self._deadline.within(min(_TLS_S, 0.5 * self._deadline.left()))
        return self._passage.shake(self._passage.kept(met), self._proxy.host, deadline=deadline).tls is not None

    def _guard(self, began: float, step: Callable[[], _T]) -> _T:
        try:
            return step()
        except Silent:
            self._passage.note(Stage.PROXY, began, Code.PROXY_TIMEOUT, "silence")
        except Alert as alert:
            self._passage.note(Stage.PROXY, began, Code.PROXY_CLOSED, str(alert))
        raise Ended

    def _heard(self, answer: request.Answer, attempts: int, offered: tuple[str, ...]) -> ProxySeen:
        return ProxySeen(
            status=answer.status,
            schemes=tuple(visible(s, at_most=30) for s in offered),
            error=proxies.squid_page(next(iter(answer.values("x-squid-error")), "")),
            attempts=attempts,
            had_credentials=self._proxy.user is not None,
            reported=proxies.reported(answer.values("proxy-status")),
            via=visible(", ".join(answer.values("via")), at_most=200),
        )

    def _no_answer(self, answer: request.Answer, began: float, method: str) -> None:
        """The proxy itself gave no HTTP answer."""
        note = self._passage.note
        if answer.code is Code.HTTP_NO_RESPONSE and answer.detail == request.SILENCE:
            note(Stage.PROXY, began, Code.PROXY_TIMEOUT, f"no answer to {method}")
        if answer.code is Code.HTTP_SLOW_HEADERS:
            note(Stage.PROXY, began, Code.PROXY_TIMEOUT, f"half an answer to {method}")
        if answer.code is Code.HTTP_NO_RESPONSE and self._proxy.scheme == "http" and self._speaks_tls():
            note(Stage.PROXY, began, Code.PROXY_CONFIG, f"the proxy speaks TLS: {answer.detail} without it")
        if answer.code is Code.HTTP_NOT_HTTP:
            note(Stage.PROXY, began, Code.PROXY_CONFIG, f"no HTTP proxy answers there: {answer.detail}")
        note(Stage.PROXY, began, Code.PROXY_CLOSED, f"{answer.code} {answer.detail}".strip())

    def _refused(self, answer: request.Answer, began: float, method: str) -> None:
        seen = self._passage.proxy
        assert seen is not None  # noqa: S101 - noted with every answer of a proxy
        code = proxies.code_of(seen, answer, connecting=method == "CONNECT")
        words = " ".join(w for w in (f"HTTP {answer.status}", seen.error, seen.reported) if w)
        self._passage.note(Stage.PROXY, began, code, words)


def _came_of(answer: request.Answer, *, connecting: bool) -> Came:
    """Whether *answer* shows that the login with the request is good."""
    if answer.status == _LOGIN_REFUSED:
        return Came.REJECTED
    if connecting:
        opened = answer.status // 100 == 2  # noqa: PLR2004 - RFC 9110, 9.3.6
        return Came.ACCEPTED if opened or proxies.went_on(answer) else Came.OPEN
    return Came.OPEN if answer.status in _UNCLEAR or answer.code is Code.HTTP_TRUNCATED else Came.ACCEPTED
