"""From findings to the one word and the exit code.  Pure.

The outcome follows the technical musts alone; confirmations are counted beside it and count in the exit code only when
that is asked for.  The exit codes are a contract: see ``docs/report-and-exit-codes.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from vorflug.model.cause import Cause
from vorflug.model.report import CauseInfo, Counts, Root, Sentence, VerdictInfo, VerdictOutcome
from vorflug.model.requirement import Finding, Level, Nature, Outcome

READY, NOT_READY, SHOULD_UNMET, UNDETERMINED = 0, 3, 4, 5

_OPEN = (Outcome.UNMET, Outcome.UNKNOWN)


class NothingJudged(ValueError):
    """No requirement applies: nothing checked is an error, never ready."""


def counts(findings: Sequence[Finding]) -> Counts:
    """How many findings came out how."""
    technical = [f for f in findings if f.nature is Nature.TECHNICAL]
    people = Counter(f.verdict.outcome for f in findings if f.nature is Nature.ORGANISATIONAL)
    outcomes = Counter(f.verdict.outcome for f in technical)
    by_level = Counter((f.header.level, f.verdict.outcome) for f in technical)
    return Counts(
        total=len(findings),
        met=outcomes[Outcome.MET],
        unmet=outcomes[Outcome.UNMET],
        unknown=outcomes[Outcome.UNKNOWN],
        not_applicable=outcomes[Outcome.NOT_APPLICABLE],
        must_unmet=by_level[Level.MUST, Outcome.UNMET],
        must_unknown=by_level[Level.MUST, Outcome.UNKNOWN],
        should_unmet=by_level[Level.SHOULD, Outcome.UNMET],
        confirmations_met=people[Outcome.MET],
        confirmations_outstanding=people[Outcome.UNKNOWN],
        confirmations_refused=people[Outcome.UNMET],
    )


def judged_something(findings: Sequence[Finding]) -> bool:
    """Whether at least one of *findings* applies."""
    return any(f.verdict.outcome is not Outcome.NOT_APPLICABLE for f in findings)


def decide(findings: Sequence[Finding], *, strict: bool = False, with_confirmations: bool = False) -> VerdictInfo:
    """The verdict over *findings*.  Raises `NothingJudged` where none applies."""
    if not judged_something(findings):
        raise NothingJudged("no requirement applies")
    musts = {f.verdict.outcome for f in findings if f.header.level is Level.MUST and f.nature is Nature.TECHNICAL}
    outcome = (
        VerdictOutcome.NOT_READY
        if Outcome.UNMET in musts
        else VerdictOutcome.UNDETERMINED
        if Outcome.UNKNOWN in musts
        else VerdictOutcome.READY
    )
    codes = {people: _exit_code(findings, strict=strict, people=people) for people in (False, True)}
    return VerdictInfo(
        outcome=outcome,
        exit_code=codes[with_confirmations],
        exit_code_with_confirmations=codes[True],
        counts=counts(findings),
    )


def _exit_code(findings: Sequence[Finding], *, strict: bool, people: bool) -> int:
    counted = [f for f in findings if people or f.nature is Nature.TECHNICAL]
    musts = {f.verdict.outcome for f in counted if f.header.level is Level.MUST}
    shoulds = {f.verdict.outcome for f in counted if f.header.level is Level.SHOULD}
    if Outcome.UNMET in musts:
        return NOT_READY
    if Outcome.UNKNOWN in musts:
        return UNDETERMINED
    if strict and Outcome.UNMET in shoulds:
        return SHOULD_UNMET
    return READY


def roots(findings: Iterable[Finding]) -> tuple[Root, ...]:
    """The causes behind the open findings, what blocks most first.

    A cause that a finding is itself about is shown as that finding; else the cause stands for itself, when it explains
    more than one finding, or one that somebody else must mend.
    """
    findings = list(findings)
    by_id = {f.header.id: f for f in findings}
    groups: dict[Cause, list[Finding]] = {}
    for finding in findings:
        if finding.verdict.outcome in _OPEN and finding.verdict.cause is not None:
            groups.setdefault(finding.verdict.cause, []).append(finding)
    found: list[Root] = []
    for cause, blocked in groups.items():
        own = next((f.blocked_by for f in blocked if f.blocked_by is not None), None)
        if own is None and len(blocked) == 1 and cause.team in (None, blocked[0].header.team):
            continue  # one finding with a cause of its own says it all by itself
        if own is not None and by_id[own].verdict.cause == cause:
            # whoever is about it knows most: its words, not those of the first that was blocked
            cause = by_id[own].verdict.cause or cause
        team = cause.team or (by_id[own] if own else blocked[0]).header.team
        found.append(
            Root(
                cause=cause_info(cause),
                team=team,
                finding=own,
                blocks=tuple(f.header.id for f in blocked if f.header.id != own),
            )
        )
    return tuple(sorted(found, key=lambda root: -len(root.blocks)))


def cause_info(cause: Cause) -> CauseInfo:
    """*cause* as the report shows it."""
    return CauseInfo(
        kind=cause.kind,
        subject=cause.subject,
        says=Sentence.of(cause.says),
        fix=Sentence.of(cause.fix) if cause.fix else None,
    )
