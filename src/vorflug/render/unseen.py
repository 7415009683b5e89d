"""Questions of one team that went unanswered for the same reason: one entry instead of many alike.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from vorflug.model.cause import Team
from vorflug.model.message import Message, listed, msg
from vorflug.model.query import Reason
from vorflug.model.report import CauseInfo, Sentence

AT_LEAST = 2
"""From this many on, they share one entry."""
_NAMED = 3
"""This many questions stand in the sentence itself; the page names all."""


def reason_of(cause: CauseInfo | None) -> Reason | None:
    """Why the question behind *cause* has no answer; None where it is no such cause."""
    if cause is None or not cause.kind.startswith("unseen."):
        return None
    word = cause.kind.removeprefix("unseen.")
    # a report may come from another version
    return Reason(word) if word in set(Reason) else None


def question(cause: CauseInfo) -> Message:
    """The question itself."""
    said = cause.says.message()
    asked = said.values.get("question") if isinstance(said, Message) else None
    return asked if isinstance(asked, Message) else msg("{question}", question=cause.subject)


def together(reason: Reason, questions: Sequence[Message]) -> Sentence:
    """How many there are, and the first of them."""
    shown = [*questions[:_NAMED]]
    if len(questions) > _NAMED:
        shown.append(msg("and {n} more", n=len(questions) - _NAMED))
    named = listed(shown)
    count = len(questions)
    match reason:
        case Reason.TIMEOUT:
            says = msg("{n} questions got no answer in time: {questions}", n=count, questions=named)
        case Reason.DENIED:
            says = msg("{n} questions met with “access denied”: {questions}", n=count, questions=named)
        case Reason.UNSUPPORTED:
            says = msg("{n} questions cannot be answered on this machine: {questions}", n=count, questions=named)
        case Reason.CRASHED:
            says = msg("{n} questions failed: {questions}", n=count, questions=named)
        case Reason.CANCELLED:
            says = msg("{n} questions were cut short by the interruption: {questions}", n=count, questions=named)
        case Reason.NOT_ASKED:
            says = msg("{n} questions were not asked: {questions}", n=count, questions=named)
        case _:
            assert_never(reason)
    return Sentence.of(says)


def key(team: Team, reason: Reason) -> str:
    """The id of their entry."""
    return f"unseen-{team.value}-{reason.value}"
