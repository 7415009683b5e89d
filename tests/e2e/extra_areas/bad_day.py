"""An area that misbehaves in every way that a question can: put beside the real ones by ``launcher.py``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met
from vorflug.ports import Host

TITLE = msg("Bad day")

Way = Literal["answers", "hangs", "raises", "exits", "deep", "floods", "huge", "broken_text", "slow"]


class BadDayFact(Fact):
    """What is left of it."""

    said: str
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class BadDayQuery(Query[BadDayFact]):
    """Misbehave."""

    kind = "bad_day"
    deadline: ClassVar[float] = 30.0
    way: Way
    number: int = 0

    def asks(self) -> Message:
        return msg("Bad day: {way} {number}", way=self.way, number=self.number)

    def observe(self, host: Host) -> BadDayFact:
        match self.way:
            case "answers":
                return BadDayFact(said="fine")
            case "slow":
                threading.Event().wait(1.0)
                return BadDayFact(said="fine, but late")
            case "hangs":
                threading.Event().wait()  # for ever
            case "raises":
                raise RuntimeError("http://user:canary-in-an-error@proxy/ broke \x1b[31m\u202e")
            case "exits":
                sys.exit(0)
            case "deep":
                self.observe(host)
            case "floods":
                done = host.commands.run(("head", "-c", "1000000000", "/dev/zero"))
                return BadDayFact(said=done.out[:10], cut=done.cut)
            case "huge":
                return BadDayFact(said="x" * (100 << 20))
            case "broken_text":
                return BadDayFact(said="half a character: \udcff")
        raise AssertionError("not reached")


@dataclass(frozen=True, kw_only=True)
class HastyQuery(BadDayQuery):
    """The same, given up after a second."""

    kind = "bad_day_hasty"
    deadline: ClassVar[float] = 1.0


class BadDayRequirement(Requirement):
    """A day without incident."""

    kind = "bad_day"
    way: Way
    number: int = 0
    hasty: bool = False

    def wanted(self) -> Message:
        return msg("a good day")

    def queries(self, known: Evidence) -> Sequence[BadDayQuery]:
        return [(HastyQuery if self.hasty else BadDayQuery)(way=self.way, number=self.number)]

    def judge(self, evidence: Evidence) -> Verdict:
        said = evidence[self.queries(evidence)[0]].said
        return met(wanted=self.wanted(), seen=msg("{said}", said=said), because=msg("It said: {said}.", said=said))
