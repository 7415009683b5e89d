"""Further looks that a diagnosis needs before it says more than the first one proved.

Each is made only where it can tell something apart, costs one connection, sends no credential across an origin, and has
its share of the deadline.  Those that fit the same fault run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic

from vorflug.model.hosts import address
from vorflug.model.message import visible
from vorflug.netprobe import request
from vorflug.netprobe.channel import Alert, Silent
from vorflug.netprobe.handshake import Hello
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.looks import DIFFERS, FAILED, NOT_POSSIBLE, PASSED, SAME, Looks, nowhere, side_by_side, since
from vorflug.netprobe.lookup import look_up
from vorflug.netprobe.passage import Manner, Passage
from vorflug.netprobe.proxy import Choice
from vorflug.netprobe.request import Line
from vorflug.netprobe.target import Target
from vorflug.ports.net import Check, CheckSeen, Code, Stage, StageSeen

_DIRECT = Choice(None, "")
_CLOCKS_APART_S = 600.0
"""Ten minutes: caches and slow answers shift a Date header by less."""
_VAGUE = ("ERR_CANNOT_FORWARD", "ERR_READ_ERROR")
"""What squid 5 says of a name that it cannot resolve, and of much else."""


class Controls(Looks):
    """The looks that fit what a passage met."""

    def run(self) -> None:
        """Make them, and correct the code where they prove another one."""
        passage = self._passage
        last = passage.stages[-1] if passage.stages else None
        code = passage.code
        if code is None:
            if Code.TLS_INTERCEPTED in passage.warnings:
                passage.hang_up()
                self._who_signs()
            return
        if last is not None and last.stage is Stage.TLS:
            if passage.tls is None or not passage.tls.chain:
                self._cut_handshake(code)
            else:
                self._faulty_chain(code)
        elif passage.choice.proxy is not None:
            self._proxy_failed(code, last)

    def _proxy_failed(self, code: Code, last: StageSeen | None) -> None:
        passage = self._passage
        looks: dict[Check, Callable[[], CheckSeen]] = {}
        silent = code is Code.PROXY_TIMEOUT and last is not None and last.stage is Stage.PROXY
        if silent:
            looks[Check.PROXY_ALIVE] = self._alive
        if passage.ask.direct_too:
            looks[Check.DIRECT] = self._direct
        vague = passage.proxy is not None and passage.proxy.error in _VAGUE
        if code is Code.PROXY_UPSTREAM_REFUSED and vague and address(passage.target.host) is None:
            looks[Check.SAME_FOR_NOBODY] = self._same_for_nobody
        seen = self._together(looks)
        if Check.SAME_FOR_NOBODY in seen and seen[Check.SAME_FOR_NOBODY].outcome == SAME:
            passage.blame(Stage.PROXY, Code.PROXY_UPSTREAM_DNS)
        if silent and Check.PROXY_ALIVE in seen and seen[Check.PROXY_ALIVE].outcome == PASSED:
            self._blame_the_target(last)

    def _blame_the_target(self, last: StageSeen | None) -> None:
        """The proxy speaks, but not about this target: that, or the way behind the proxy, is silent."""
        passage = self._passage
        assert last is not None  # noqa: S101 - the stage that failed
        if not passage.is_plain_by_proxy:
            passage.blame(Stage.PROXY, Code.PROXY_UPSTREAM_TIMEOUT)
            return
        passage.stages[-1] = replace(last, code=None, took_s=0.0, detail="")
        passage.stages.append(replace(last, stage=Stage.HTTP, code=Code.HTTP_NO_RESPONSE))

    def _same_for_nobody(self) -> CheckSeen:
        """Squid 5 has no word for a name that does not exist: it cannot forward, as with a target that is down."""
        passage = self._passage
        nobody = Target(passage.target.scheme, nowhere(), passage.target.port, "/")
        tried = self._again(target=nobody, known=passage.addresses, manner=Manner(last=Stage.PROXY))
        one, other = passage.proxy, tried.proxy
        alike = one is not None and other is not None and (one.status, one.error) == (other.status, other.error)
        here = look_up(
            passage.target.host,
            passage.tools.nameservers,
            passage.limits,
            self._deadline.within(self._share()),
            passage.tools.dns_port,
            hosts_file=passage.tools.hosts_file,
        )
        unknown = here.code in (Code.DNS_NXDOMAIN, Code.DNS_NODATA)
        detail = f"{nobody.host}: {'same' if alike else 'another'} answer; here: {here.code or 'resolves'}"
        if other is None or (alike and here.code is not None and not unknown):
            return CheckSeen(Check.SAME_FOR_NOBODY, NOT_POSSIBLE, detail)
        return CheckSeen(Check.SAME_FOR_NOBODY, SAME if alike and unknown else DIFFERS, detail)

    def _alive(self) -> CheckSeen:
        scheme = self._passage.target.scheme
        nobody = Target(scheme, nowhere(), self._passage.target.port, "/")
        tried = self._again(target=nobody, known=self._passage.addresses, manner=Manner(last=Stage.PROXY))
        spoke = tried.code not in (None, Code.PROXY_TIMEOUT, Code.PROXY_CLOSED) or tried.http is not None
        detail = f"{tried.code} {tried.stages[-1].detail}" if tried.stages else ""
        return CheckSeen(Check.PROXY_ALIVE, PASSED if spoke else FAILED, detail)

    # ---- a handshake without a certificate ---------------------------------------------------------------------------

    def _cut_handshake(self, code: Code) -> None:
        passage = self._passage
        passage.hang_up()
        named = address(passage.target.host) is None
        proxied = passage.choice.proxy is not None
        cut = code in (Code.TLS_RESET, Code.TLS_STALL)
        looks: dict[Check, Callable[[], CheckSeen]] = {}
        if named and (cut or code in (Code.TLS_CIPHER, Code.TLS_HOST_MISMATCH)):
            looks[Check.WITHOUT_SNI] = lambda: self._trial(Check.WITHOUT_SNI, Manner(server_name="", last=Stage.TLS))
        if code in (Code.TLS_RESET, Code.TLS_CIPHER):
            looks[Check.OLD_TLS] = lambda: self._trial(Check.OLD_TLS, Manner(hello=Hello.OLD, last=Stage.TLS))
        if cut:
            looks[Check.SMALL_HELLO] = lambda: self._trial(Check.SMALL_HELLO, Manner(Hello.SMALL, last=Stage.TLS))
            looks[Check.SECOND_CONNECTION] = lambda: self._trial(Check.SECOND_CONNECTION, Manner(last=Stage.TLS))
        if cut and proxied:
            looks[Check.PROXY_HONESTY] = self._honesty
            if passage.ask.direct_too:
                looks[Check.DIRECT] = self._direct
        seen = self._together(looks)

        def passed(check: Check) -> bool:
            return check in seen and seen[check].outcome == PASSED

        alike = passed(Check.SECOND_CONNECTION) or passed(Check.SMALL_HELLO)
        if passed(Check.OLD_TLS) and not alike:
            passage.blame(Stage.TLS, Code.TLS_VERSION, f"only {seen[Check.OLD_TLS].detail}")
        elif cut and passed(Check.WITHOUT_SNI) and not alike:
            passage.blame(Stage.TLS, Code.TLS_SNI_FILTERED)
        elif code is Code.TLS_STALL and proxied:
            if passed(Check.DIRECT) or self._dishonest(seen):
                self._blame_the_tunnel(Code.PROXY_TUNNEL_STALL, "then nothing")
        elif code is Code.TLS_RESET and proxied and passed(Check.DIRECT) and self._dishonest(seen):
            self._blame_the_tunnel(Code.PROXY_CLOSED, "then cut")

    @staticmethod
    def _dishonest(seen: Mapping[Check, CheckSeen]) -> bool:
        return Check.PROXY_HONESTY in seen and seen[Check.PROXY_HONESTY].outcome == FAILED

    def _blame_the_tunnel(self, code: Code, then: str) -> None:
        passage = self._passage
        stalled = passage.stages.pop()
        passage.blame(Stage.PROXY, code, f"{passage.stages[-1].detail}, {then}")
        passage.stages[-1] = replace(passage.stages[-1], took_s=passage.stages[-1].took_s + stalled.took_s)

    def _trial(self, check: Check, manner: Manner) -> CheckSeen:
        """The same once more, in another manner: does a certificate come?"""
        tried = self._again(manner=manner, known=self._passage.addresses)
        if tried.tls is not None and tried.tls.chain:
            return CheckSeen(check, PASSED, f"{tried.tls.version} {tried.tls.chain[0].subject}")
        return CheckSeen(check, FAILED, f"{tried.code} {tried.stages[-1].detail}" if tried.stages else "")

    def _honesty(self) -> CheckSeen:
        """A proxy that opens a way to a host that cannot exist (RFC 6761, 6.4) proves nothing by its yes."""
        nobody = Target("https", nowhere(), 443, "/")
        tried = self._again(target=nobody, known=self._passage.addresses, manner=Manner(last=Stage.PROXY))
        last = tried.stages[-1] if tried.stages else None
        if last is None or last.stage is not Stage.PROXY or last.code is Code.PROXY_TIMEOUT:
            return CheckSeen(Check.PROXY_HONESTY, NOT_POSSIBLE)  # it said neither yes nor no
        return CheckSeen(Check.PROXY_HONESTY, PASSED if last.code else FAILED, f"CONNECT {nobody.authority}")

    def _direct(self) -> CheckSeen:
        tried = self._again(choice=_DIRECT, manner=Manner(last=Stage.TLS))
        wanted = Stage.TLS if self._passage.target.scheme == "https" else Stage.CONNECT
        reached = any(s.stage is wanted and s.code is None for s in tried.stages)
        detail = "" if reached or not tried.stages else f"{tried.code} {tried.stages[-1].detail}"
        return CheckSeen(Check.DIRECT, PASSED if reached else FAILED, detail)

    # ---- a chain with a fault ----------------------------------------------------------------------------------------

    def _faulty_chain(self, code: Code) -> None:
        passage = self._passage
        faults = passage.tls.faults if passage.tls is not None else ()
        dated = {Code.TLS_EXPIRED, Code.TLS_NOT_YET_VALID} & {code, *faults}
        wrong_clock = bool(dated) and self._clock_is_wrong()
        passage.hang_up()
        if code in (Code.TLS_UNKNOWN_CA, Code.TLS_SELF_SIGNED, Code.TLS_MISSING_INTERMEDIATE) and self._who_signs():
            passage.blame(Stage.TLS, Code.TLS_INTERCEPTED)
        if wrong_clock and set(faults) <= {Code.TLS_EXPIRED, Code.TLS_NOT_YET_VALID}:
            passage.blame(Stage.TLS, Code.HOST_CLOCK_WRONG)
        elif wrong_clock:
            passage.warnings.append(Code.HOST_CLOCK_WRONG)

    def _who_signs(self) -> bool:
        """Whether a certificate is made up on the spot for a name that cannot exist: then somebody re-signs."""
        passage = self._passage
        name = nowhere()
        looks: list[Callable[[], Passage]] = [
            lambda: self._again(known=passage.addresses, manner=Manner(server_name=name, last=Stage.TLS))
        ]
        if passage.choice.proxy is not None:
            nobody = Target("https", name, 443, "/")
            looks.append(lambda: self._again(target=nobody, known=passage.addresses, manner=Manner(last=Stage.TLS)))
        began = monotonic()
        made_up = ""
        looked = False
        for tried in side_by_side(looks, self._share()):
            looked = looked or any(s.stage is Stage.TLS for s in tried.stages)
            chain = tried.tls.chain if tried.tls is not None else ()
            if chain and name in chain[0].names:
                made_up = chain[0].issuer
        direct = self._other_issuer_directly()
        outcome = PASSED if made_up or direct else FAILED if looked else NOT_POSSIBLE
        detail = f"{name}: {made_up}" if made_up else direct
        passage.checks.append(CheckSeen(Check.MADE_UP, outcome, visible(detail, at_most=300), since(began)))
        return outcome == PASSED

    def _other_issuer_directly(self) -> str:
        """Who issued what the service itself presents, where that is trusted and the proxy's way shows another."""
        passage = self._passage
        if passage.choice.proxy is None or not passage.ask.direct_too or passage.tls is None:
            return ""
        tried = self._again(choice=_DIRECT, manner=Manner(last=Stage.TLS))
        there = tried.tls
        if there is None or not there.trusted or there.issuer == passage.tls.issuer:
            return ""
        return f"direct: {there.issuer}"

    def _clock_is_wrong(self) -> bool:
        """Whether whoever answers has another time, at which the certificates would be valid."""
        passage = self._passage
        began = monotonic()
        told = _date_of(passage, self._deadline.within(self._share()))
        if told is None:
            return False
        here = datetime.now(UTC)
        apart = abs((told - here).total_seconds())
        chain = passage.tls.chain if passage.tls is not None else ()
        valid = all(c.not_before <= told.strftime("%Y-%m-%dT%H:%M:%SZ") <= c.not_after for c in chain)
        wrong = apart > _CLOCKS_APART_S and valid
        detail = f"Date {told:%Y-%m-%dT%H:%M:%SZ}, here {here:%Y-%m-%dT%H:%M:%SZ}"
        passage.checks.append(CheckSeen(Check.CLOCK, DIFFERS if wrong else SAME, detail, since(began)))
        return wrong

    # ---- running -----------------------------------------------------------------------------------------------------

    def _together(self, looks: Mapping[Check, Callable[[], CheckSeen]]) -> dict[Check, CheckSeen]:
        def timed(look: Callable[[], CheckSeen]) -> CheckSeen:
            began = monotonic()
            seen = look()
            return replace(seen, detail=visible(seen.detail, at_most=300), took_s=since(began))

        wrapped: list[Callable[[], CheckSeen]] = [lambda look=look: timed(look) for look in looks.values()]  # type: ignore[misc]
        came = {seen.check: seen for seen in side_by_side(wrapped, self._share())}
        for check in looks:
            self._passage.checks.append(came.get(check, CheckSeen(check, NOT_POSSIBLE)))
        return came


def _date_of(passage: Passage, deadline: Deadline) -> datetime | None:
    """The Date header (RFC 9110, 6.6.1) behind a certificate that is not valid here; asked without credentials."""
    channel = passage.presented
    if channel is None:
        return None
    try:
        answer = request.fetch(channel, Line("HEAD", "/", passage.target.host_header), deadline)
    except (Silent, OSError, Alert):
        return None
    value = next(iter(answer.values("date")), "")
    try:
        told = parsedate_to_datetime(value)
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
