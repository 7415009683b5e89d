"""Further looks at who gave an answer: the service, the network, or the proxy."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic

from vorflug.netprobe import request
from vorflug.netprobe.answer import Judged
from vorflug.netprobe.channel import Alert, Channel, Silent
from vorflug.netprobe.connect import connect
from vorflug.netprobe.looks import DIFFERS, NOT_POSSIBLE, SAME, Looks, nowhere, since
from vorflug.netprobe.request import Line
from vorflug.netprobe.target import Target
from vorflug.ports.net import Check, CheckSeen

_NOBODY = "198.51.100.199"
"""An address of TEST-NET-2 (RFC 5737), which no host has."""
_NOBODY_S = 1.5


class AnswerControls(Looks):
    """The looks that fit an answer."""

    def is_a_stand_in(self, judged: Judged) -> bool:
        """Whether the answer is given for a host that cannot exist, too: by the network, then, and not by the service.

        A server that knows no names does so as well, so that this proves nothing without the marks of *judged*.
        """
        passage = self._passage
        if passage.choice.proxy is not None or passage.answer is None or judged.suspicion is None:
            return False
        began = monotonic()
        passage.hang_up()
        met = passage.connected(passage.target.port)
        if met.channel is None:
            return False
        channel = passage.kept(met)
        line = Line("GET", passage.target.path, nowhere())
        other = self._answer(channel, line)
        if other is None:
            passage.checks.append(CheckSeen(Check.OTHER_HOST_NAME, NOT_POSSIBLE, "", since(began)))
            return False
        same = _is_same(other, passage.answer)
        detail = f"HTTP {other.status} for {line.host}"
        passage.checks.append(CheckSeen(Check.OTHER_HOST_NAME, SAME if same else DIFFERS, detail, since(began)))
        return same

    def answers_where_nobody_is(self) -> bool:
        """Whether the same answer comes from an address that is nobody's: whoever answers there answers for all."""
        passage = self._passage
        if passage.choice.proxy is not None or passage.answer is None or passage.target.scheme != "http":
            return False
        began = monotonic()
        passage.hang_up()
        deadline = self._deadline.within(min(_NOBODY_S, self._share()))
        met = connect([_NOBODY], passage.target.port, passage.limits, deadline)
        same = False
        if met.channel is not None:
            # whoever answers there is told neither name nor path: both may be confidential
            other = self._answer(passage.kept(met), Line("GET", "/", nowhere()))
            same = other is not None and _is_same(other, passage.answer)
        seen = CheckSeen(
            Check.NOBODY_THERE, SAME if same else DIFFERS, f"{_NOBODY}:{passage.target.port}", since(began)
        )
        passage.checks.append(seen)
        return same

    def _answer(self, channel: Channel, line: Line) -> request.Answer | None:
        """What comes to *line*; None where nothing does."""
        with suppress(Silent, OSError, Alert):
            answer = request.fetch(channel, line, self._deadline.within(self._share()))
            return answer if answer.status else None
        return None

    def is_the_proxys_word(self) -> bool:
        """Whether the proxy gives the same answer to a plain request for a host that cannot exist."""
        passage = self._passage
        first = passage.answer
        if passage.choice.proxy is None or first is None:
            return False
        began = monotonic()
        passage.hang_up()
        nobody = Target("http", nowhere(), passage.target.port, passage.target.path.partition("?")[0])
        tried = self._again(target=nobody, known=passage.addresses)
        other = tried.answer
        same = other is not None and _answers(other) == _answers(first)
        detail = f"HTTP {other.status} for {nobody.host}" if other is not None else f"{tried.code}"
        passage.checks.append(CheckSeen(Check.SAME_BY_PROXY, SAME if same else DIFFERS, detail, since(began)))
        return same


def _is_same(one: request.Answer, other: request.Answer) -> bool:
    return one.status == other.status and _site_of(one) == _site_of(other)


def _answers(answer: request.Answer) -> tuple[int, str, frozenset[str], str]:
    """What makes two answers of a proxy the same: an empty page proves nothing, so its fields count as well."""
    changing = {"date", "age", "content-length", "etag", "last-modified", "x-cache", "x-cache-lookup"}
    names = frozenset(name for name, _ in answer.headers) - changing
    return answer.status, _site_of(answer), names, next(iter(answer.values("server")), "")


def _site_of(answer: request.Answer) -> str:
    """What is alike in two answers of one page, which may hold the address that was asked for."""
    location = next(iter(answer.values("location")), "")
    return location.partition("?")[0] if location else answer.body[:200].decode("latin-1")
