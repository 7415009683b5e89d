"""The whole diagnosis of one request: a way through the layers, what its answer is worth, and the controls it needs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from vorflug.model.message import visible
from vorflug.netprobe import answer as answers
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe.answer_controls import AnswerControls
from vorflug.netprobe.controls import Controls
from vorflug.netprobe.handshake import Hello
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.looks import DIFFERS, FAILED, PASSED, Again
from vorflug.netprobe.passage import Manner, Passage, Tools
from vorflug.netprobe.redirect import AT_MOST as REDIRECTS_AT_MOST
from vorflug.netprobe.target import Target, parse
from vorflug.ports.net import Check, CheckSeen, Code, Mode, ProbeAsk, Stage, Trace

if TYPE_CHECKING:
    from vorflug.netprobe.programs import Disagreement


def probe(ask: ProbeAsk, tools: Tools, deadline: Deadline) -> Trace:
    """Make one request.  Raises ValueError for a URL that cannot be asked, OSError where this host is out of means."""
    if ask.timeout_s is not None:
        deadline = deadline.within(ask.timeout_s)
        tools = replace(tools, limits=Limits.within(deadline.left()))
    with ExitStack() as open_channels:
        return _Diagnosis(ask, tools, deadline, open_channels).run()


class _Diagnosis:
    def __init__(self, ask: ProbeAsk, tools: Tools, deadline: Deadline, open_channels: ExitStack) -> None:
        self._ask = ask
        self._tools = tools
        self._deadline = deadline
        self._open = open_channels
        self._redirects: list[str] = []

    def run(self) -> Trace:
        began = monotonic()
        target = parse(self._ask.url)
        passage = self._passage(target)
        apart = self._programs(passage)
        if self._ask.judged:
            passage = self._judged(passage)
        self._other_way(passage, apart)
        self._nowhere(passage)
        self._small_key(passage)
        if passage.code is not None or Code.TLS_INTERCEPTED in passage.warnings:
            self._controls(passage).run()
        return self._trace(passage, began)

    def _choice(self, target: Target) -> proxies.Choice:
        ask = self._ask
        if not ask.proxied:
            return proxies.Choice(None, "")
        return proxies.choose(target, self._tools.environ, ask.proxy, always=ask.proxy_always)

    def _passage(self, target: Target, **others: Any) -> Passage:
        choice = others.pop("choice", None) or self._choice(target)
        deadline = others.pop("deadline", self._deadline)
        return Passage(self._ask, target, choice, self._tools, deadline, open_channels=self._open, **others).run()

    def _controls(self, passage: Passage) -> Controls:
        return Controls(passage, self._again(passage), self._deadline)

    def _answered_by(self, passage: Passage) -> AnswerControls:
        return AnswerControls(passage, self._again(passage), self._deadline)

    def _again(self, passage: Passage) -> Again:
        def again(**others: Any) -> Passage:
            target = others.pop("target", passage.target)
            return self._passage(target, **{"choice": passage.choice, **others})

        return again

    def _programs(self, passage: Passage) -> Disagreement | None:
        """Where programs of this host differ about the way; only the environment leaves that open."""
        if not self._ask.proxied or self._ask.proxy is not None:
            return None
        from vorflug.netprobe.programs import disagreement

        apart = disagreement(passage.target, self._tools.environ)
        if apart is not None:
            passage.warnings.append(Code.PROXY_CONFIG)
            passage.checks.append(CheckSeen(Check.PROGRAMS, DIFFERS, visible(apart.detail, at_most=400)))
        return apart

    def _other_way(self, passage: Passage, apart: Disagreement | None) -> None:
        """Where this way fails, and another program's or the one without exemptions does not, the setting is wrong."""
        last = passage.stages[-1] if passage.stages else None
        if last is None or last.code is None or last.stage not in (Stage.RESOLVE, Stage.CONNECT, Stage.PROXY):
            return
        exempt = passage.choice.proxy is None and passage.choice.why.lower() == "no_proxy"
        choices = [] if apart is None else list(apart.choices)
        variable = passage.choice.why if apart is None else apart.variable
        if exempt and apart is None:
            entry = proxies.exempting_entry(passage.target, self._tools.environ.get(variable, ""))
            variable = f"{variable} {entry}".strip()
        if exempt:
            choices.append(proxies.without_exemptions(passage.target, self._tools.environ))
        for choice in choices:
            if choice.route.proxy == passage.choice.route.proxy:
                continue
            if choice.proxy is None and not choice.why:
                continue  # it does not read that variable at all, which is no proof against what the variable says
            began = monotonic()
            deadline = self._deadline.within(0.5 * self._deadline.left())
            tried = self._passage(passage.target, choice=choice, deadline=deadline, manner=Manner(last=Stage.TLS))
            passes = tried.code is None
            if apart is None:
                took = round(monotonic() - began, 4)
                outcome, way = PASSED if passes else FAILED, choice.route.proxy or ""
                passage.checks.append(CheckSeen(Check.PAST_THE_PROXY, outcome, way, took))
            if passes:
                detail = f"{variable}: {last.code.value} {last.detail}".strip()
                failed = replace(last, stage=Stage.PROXY, code=Code.PROXY_CONFIG, detail=visible(detail, at_most=300))
                passage.stages[-1] = failed
                return

    @staticmethod
    def _nowhere(passage: Passage) -> None:
        """A public name at an address that no public host has: what fails there is the name's fault."""
        last = passage.stages[-1] if passage.stages else None
        if Code.DNS_BOGON not in passage.warnings or last is None or last.code is None:
            return
        if last.stage not in (Stage.CONNECT, Stage.TLS) or passage.choice.proxy is not None:
            return
        passage.stages.remove(last)
        passage.blame(Stage.RESOLVE, Code.DNS_BOGON, f"{', '.join(passage.addresses)}: {last.code.value}")

    def _small_key(self, passage: Passage) -> None:
        """Whether a key exchange by DHE, which is accepted here, is too weak for other programs (RFC 7919, 1)."""
        tls = passage.tls
        if tls is None or not tls.cipher.startswith("DHE-") or passage.code in tls.faults:
            return
        manner = Manner(hello=Hello.FIRM, last=Stage.TLS)
        tried = self._passage(passage.target, choice=passage.choice, known=passage.addresses, manner=manner)
        last = tried.stages[-1] if tried.stages else None
        if last is not None and last.code is Code.TLS_CIPHER and "dh key" in last.detail:
            passage.blame(Stage.TLS, Code.TLS_CIPHER, f"{tls.cipher}: {last.detail}")

    def _judged(self, passage: Passage) -> Passage:
        """The passage at the end of all redirects on the same host, with the code of its answer."""
        passed = {passage.target.absolute}
        while passage.code is None and passage.answer is not None and passage.http is not None:
            if self._ask.mode is Mode.WS:
                return passage
            judged = answers.judge(self._ask, passage.target, passage.answer, genuine=passage.is_genuine)
            if judged.follow is not None and judged.follow.target is not None:
                self._redirects.append(judged.follow.shown)
                target = judged.follow.target
                if target.absolute in passed or len(self._redirects) > REDIRECTS_AT_MOST:
                    passage.blame(Stage.HTTP, Code.HTTP_REDIRECT_LOOP, judged.detail)
                    return passage
                passed.add(target.absolute)
                # to where the first request went: a name that is resolved again may lead elsewhere
                same_way = self._choice(target).route == passage.choice.route
                following = self._passage(target, known=passage.addresses if same_way else ())
                if same_way:
                    following.stages[:0] = [s for s in passage.stages if s.stage is Stage.RESOLVE]
                    following.warnings[:0] = [w for w in passage.warnings if w.value.startswith("dns.")]
                    following.checks[:0] = passage.checks
                passage = following
                continue
            code, suspicion = judged.code, judged.suspicion
            if (
                code is Code.HTTP_STATUS
                and passage.is_plain_by_proxy
                and self._answered_by(passage).is_the_proxys_word()
            ):
                passage.stages = [s for s in passage.stages if s.stage is not Stage.HTTP]
                passage.blame(Stage.PROXY, proxies.code_of_plain(passage.proxy, passage.answer), judged.detail)
                return passage
            if suspicion is not None and code is None and suspicion.plain:
                # a proxy hands over its filter's page as the service's answer; another name proves nothing there
                filtered = suspicion.code is Code.HTTP_BLOCK_PAGE and passage.is_plain_by_proxy
                proved = suspicion.proof or filtered or self._answered_by(passage).is_a_stand_in(judged)
                code = suspicion.code if proved else None
            elif suspicion is not None and code in (Code.HTTP_WRONG_TARGET, Code.HTTP_STATUS):
                # a sign-in form alone may be the service's own: only an answer where nobody is proves the network's
                code = suspicion.code if self._answered_by(passage).answers_where_nobody_is() else code
            if code is not None or judged.detail:
                passage.blame(Stage.HTTP, code, judged.detail)
            return passage
        return passage

    def _trace(self, passage: Passage, began: float) -> Trace:
        attempts = passage.attempts
        warnings = list(passage.warnings)
        if passage.pending is not None:
            late = passage.pending.verdict(self._deadline)
            attempts += late
            if any(a.code is not None and a.code is not Code.TCP_NO_ROUTE for a in late):
                warnings.append(Code.TCP_V6_BROKEN)
        code = passage.code
        return Trace(
            host=passage.target.host,
            port=passage.target.port,
            route=passage.choice.route,
            addresses=() if passage.choice.proxy is not None else passage.addresses,
            peer=passage.peer,
            stages=tuple(passage.stages),
            tls=passage.tls,
            http=passage.http,
            warnings=tuple(dict.fromkeys(w for w in warnings if w is not code)),
            proxy=passage.proxy,
            resolvers=self._tools.nameservers,
            attempts=attempts,
            checks=tuple(passage.checks),
            redirects=tuple(self._redirects),
            stream=passage.stream,
            took_s=round(monotonic() - began, 4),
        )
