"""Turns evidence into findings.  Pure, total, and in the profile's own order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from vorflug.engine import registry
from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import Message, Text, msg, render
from vorflug.model.query import NOT_ALLOWED, Observation, Reason
from vorflug.model.report import Sentence
from vorflug.model.requirement import Excluded, Finding, Item, Outcome, Pending, Requirement, Verdict, unknown

REASONS: dict[Reason, Message] = {
    Reason.TIMEOUT: msg("no answer in time"),
    Reason.DENIED: msg("access denied"),
    Reason.UNSUPPORTED: msg("not supported on this machine"),
    Reason.CRASHED: msg("the question failed"),
    Reason.CANCELLED: msg("the run was interrupted"),
    Reason.NOT_ASKED: msg("not asked"),
}
"""Why there is no fact, in words."""


def evaluate(items: Iterable[Item], observations: Iterable[Observation]) -> list[Finding]:
    """Judge every item; there is exactly one finding for each, and what is blocked names its root."""
    evidence = Evidence(observations)
    findings = _joined([_find(item, evidence) for item in items])
    return _blocked(findings, evidence)


def _joined(findings: list[Finding]) -> list[Finding]:
    """Let a cause that is another one on the same subject be that one, where that was met."""
    met = {c: c for f in findings if (c := f.verdict.cause) is not None and c.part_of is None}

    def whole(cause: Cause | None) -> Cause | None:
        if cause is None or cause.part_of is None:
            return cause
        return met.get(replace(cause, kind=cause.part_of), cause)

    return [replace(f, verdict=replace(f.verdict, cause=whole(f.verdict.cause))) for f in findings]


def _find(item: Item, evidence: Evidence) -> Finding:
    match item:
        case Requirement():
            return Finding(item, registry.area_of(type(item)), _judge(item, evidence))
        case Pending(_, kind, _, cause, wanted):
            return Finding(
                item,
                registry.area_of_kind(kind),
                unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause),
            )
        case Excluded(_, kind, _, because):
            return Finding(
                item,
                registry.area_of_kind(kind),
                Verdict(Outcome.NOT_APPLICABLE, msg("not wanted here"), None, because),
            )
        case _:
            assert_never(item)


def _judge(requirement: Requirement, evidence: Evidence) -> Verdict:
    try:
        try:
            return _writable(requirement.judge(evidence))
        except NotSeen as gap:
            return _writable(_unseen(requirement, gap))
    except Exception as error:  # noqa: BLE001 - one broken judge must not take the others with it, nor pass
        return unknown(
            wanted=_wanted(requirement),
            because=msg("Judging failed: {error}", error=f"{type(error).__name__}: {error}"),
            fix=msg("This is a defect of Vorflug: send the report to the vendor."),
        )


def _wanted(requirement: Requirement) -> Message:
    """The demand; its title where the demand itself is what cannot be written."""
    try:
        wanted = requirement.wanted()
        Sentence.of(wanted)
    except Exception:  # noqa: BLE001 - the verdict that is made here says that there is a defect
        return msg("{title}", title=Text(requirement.title.en, requirement.title.de))
    return wanted


def _writable(verdict: Verdict) -> Verdict:
    """*verdict*; raises what writing its sentences would, so that one of them does not take the report with it."""
    cause = (verdict.cause.says, verdict.cause.fix) if verdict.cause is not None else ()
    for sentence in (verdict.wanted, verdict.seen, verdict.because, verdict.fix, *cause):
        if sentence is not None:
            Sentence.of(sentence)
    return verdict


def _unseen(requirement: Requirement, gap: NotSeen) -> Verdict:
    reason, detail = gap.unseen.reason, gap.unseen.detail
    asks = gap.query.asks()
    writes = gap.query.writes()
    if writes is not None and reason is Reason.NOT_ASKED and detail in {NOT_ALLOWED, ""}:
        # no detail: the question of another operating model, which nobody allowed either
        return _not_allowed(requirement, asks, writes)
    says = (
        msg(
            "Could not look: {reason} ({detail}). The question was: {question}",
            reason=REASONS[reason],
            detail=detail,
            question=asks,
        )
        if detail
        else msg("Could not look: {reason}. The question was: {question}", reason=REASONS[reason], question=asks)
    )
    return unknown(
        wanted=requirement.wanted(),
        because=says,
        fix=_remedy(reason),
        # everybody who needed this answer lacks it for the same reason; equal queries ask in the same words
        cause=Cause(f"unseen.{reason}", render(asks), says, _remedy(reason)),
    )


def _not_allowed(requirement: Requirement, asks: Message, writes: Message) -> Verdict:
    fix = msg("Run again with --active, where that may be written; vorflug plan lists all that writes.")
    return unknown(
        wanted=requirement.wanted(),
        because=msg(
            "Not asked, because it writes to this machine: {writes} The question was: {question}",
            writes=writes,
            question=asks,
        ),
        fix=fix,
        # one option allows all of them
        cause=Cause(
            "unseen.not_allowed",
            NOT_ALLOWED,
            msg("What writes to this machine was not asked: that is done only with --active."),
            fix,
        ),
    )


def _remedy(reason: Reason) -> Message:
    match reason:
        case Reason.TIMEOUT:
            return msg("Find out why there was no answer, or run again with a longer --deadline.")
        case Reason.DENIED:
            return msg("Run again as a user who may look (root, or as the fix of the requirement says).")
        case Reason.UNSUPPORTED:
            return msg(
                "This machine cannot answer the question: have the team named here look; the point stays undetermined."
            )
        case Reason.CRASHED:
            return msg("This is a defect of Vorflug or of the machine: send the report to the vendor.")
        case Reason.CANCELLED:
            return msg("Run again without interrupting.")
        case Reason.NOT_ASKED:
            return msg("Run again, so that this is asked too (same operating model, longer --deadline).")
        case _:
            assert_never(reason)


def _blocked(findings: list[Finding], evidence: Evidence) -> list[Finding]:
    """Let findings that share a cause name the one that is about it."""
    open_ = {Outcome.UNMET, Outcome.UNKNOWN}
    roots: dict[Cause, str] = {}
    for finding in findings:
        if finding.verdict.outcome in open_ and isinstance(finding.item, Requirement):
            about = _about(finding.item, evidence)
            if about is not None:
                roots.setdefault(about, finding.header.id)
    return [
        replace(finding, blocked_by=root)
        if finding.verdict.outcome in open_
        and finding.verdict.cause is not None
        and (root := roots.get(finding.verdict.cause)) is not None
        and root != finding.header.id
        else finding
        for finding in findings
    ]


def _about(requirement: Requirement, evidence: Evidence) -> Cause | None:
    try:
        return requirement.about(evidence)
    except Exception:  # noqa: BLE001 - without the evidence (or with a defect that judge reports) it is about nothing
        return None
