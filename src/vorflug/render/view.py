"""What a report says to a person, before anybody decides how it looks.  Pure: `Report` → values and sentences.

Every renderer tells the same story from here: the verdict and its reasons, what to do per team, what could not be
looked at, what is still to be confirmed, and which sizes the host fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vorflug.model.cause import Team
from vorflug.model.message import Message, msg
from vorflug.model.query import Reason
from vorflug.model.report import CauseInfo, Counts, FindingInfo, Judged, Report, Root, Sentence, VerdictOutcome
from vorflug.model.requirement import HostSize, Level, LocalText, Nature, Outcome
from vorflug.render import unseen

_OPEN = (Outcome.UNMET, Outcome.UNKNOWN)
_WEIGHT = {Level.MUST: 0, Level.SHOULD: 1, Level.INFO: 2}
_NO_WORD = re.compile(r"[\W_]+")
_RECOMMENDED = ".recommended"
"""A row with pass and fail thresholds is two requirements; the softer one carries this ending."""


@dataclass(frozen=True)
class Entry:
    """One thing to mend or to find out: a finding, or a cause that stands behind several."""

    id: str
    """Unique on the page: the finding's id, ``cause-N``, or ``unseen-TEAM-REASON``."""
    team: Team
    level: Level
    """The strongest level among the findings it covers."""
    outcome: Outcome
    """Unmet, or unknown where nothing behind it is known to be unmet."""
    says: Sentence
    cause: CauseInfo | None
    finding: FindingInfo | None
    """The finding that is about it; None where a cause stands for itself."""
    title: LocalText | None
    fix: Sentence | None
    advice: LocalText | None
    wanted: Sentence | None
    seen: Sentence | None
    blocks: tuple[FindingInfo, ...]
    """The findings that cannot come out well before this one does."""
    recommended: Sentence | None = None
    """What would be better than the least that is wanted."""
    questions: tuple[Message, ...] = ()
    """Where several went unanswered for one reason: all of them."""
    fits: tuple[HostSize, ...] = ()
    """The other sizes for which it would be enough."""


@dataclass(frozen=True)
class TeamList:
    """What one team has to do or to answer."""

    team: Team
    entries: tuple[Entry, ...]

    @property
    def musts(self) -> int:
        """How many of them stand in the way of the verdict."""
        return sum(1 for e in self.entries if e.level is Level.MUST and technical(e))


@dataclass(frozen=True)
class Subject:
    """The findings of one area, in the profile's order."""

    name: str
    findings: tuple[FindingInfo, ...]

    @property
    def judged(self) -> tuple[FindingInfo, ...]:
        """What applies here."""
        return tuple(f for f in self.findings if f.outcome is not Outcome.NOT_APPLICABLE)

    @property
    def apart(self) -> tuple[FindingInfo, ...]:
        """What does not."""
        return tuple(f for f in self.findings if f.outcome is Outcome.NOT_APPLICABLE)

    def count(self, outcome: Outcome) -> int:
        """How many came out so."""
        return sum(1 for f in self.findings if f.outcome is outcome)


@dataclass(frozen=True)
class View:
    """The report as a person reads it."""

    reasons: tuple[Sentence | Message, ...]
    """Why the verdict is what it is, one sentence each."""
    besides: tuple[Message, ...]
    """What makes the reasons add up to the counts, and what else is open."""
    to_do: tuple[TeamList, ...]
    could_not_look: tuple[TeamList, ...]
    subjects: tuple[Subject, ...]
    to_confirm: tuple[FindingInfo, ...]
    sources: tuple[tuple[str, str], ...]
    """Every source that a finding names: its key and its title."""


def view(report: Report) -> View:
    """The story of *report*."""
    entries = _entries(report)
    reasons = _reasons(report, entries)
    people = [f for f in report.findings if f.nature is Nature.ORGANISATIONAL]
    return View(
        reasons=tuple(reasons),
        besides=tuple(_besides(report, entries)),
        to_do=_by_team(e for e in entries if e.outcome is Outcome.UNMET and e.level is not Level.INFO),
        could_not_look=_by_team(e for e in entries if e.outcome is Outcome.UNKNOWN),
        subjects=subjects(report),
        to_confirm=tuple(f for f in people if f.outcome is Outcome.UNKNOWN),
        sources=tuple(sorted({(s.id, s.title) for f in report.findings for s in f.sources})),
    )


def subjects(report: Report) -> tuple[Subject, ...]:
    """The findings grouped by subject, in the order in which the profile names them; what people answer comes last."""
    groups: dict[str, list[FindingInfo]] = {}
    for finding in report.findings:
        groups.setdefault(finding.subject, []).append(finding)
    ordered = sorted(groups.items(), key=lambda g: all(f.nature is Nature.ORGANISATIONAL for f in g[1]))
    return tuple(Subject(name, tuple(found)) for name, found in ordered)


def headline(counts: Counts) -> list[Message]:
    """The counts beside the verdict, in the order that matters; what is nought is left out, but for what is met."""
    said: list[Message] = []
    if counts.must_unmet:
        said.append(msg("1 must unmet") if counts.must_unmet == 1 else msg("{n} musts unmet", n=counts.must_unmet))
    if counts.must_unknown:
        said.append(
            msg("1 must undetermined")
            if counts.must_unknown == 1
            else msg("{n} musts undetermined", n=counts.must_unknown)
        )
    if counts.should_unmet:
        said.append(
            msg("1 should unmet") if counts.should_unmet == 1 else msg("{n} shoulds unmet", n=counts.should_unmet)
        )
    said.append(msg("{n} met", n=counts.met))
    if counts.confirmations_refused:
        said.append(
            msg("1 confirmation answered no")
            if counts.confirmations_refused == 1
            else msg("{n} confirmations answered no", n=counts.confirmations_refused)
        )
    if counts.confirmations_outstanding:
        said.append(
            msg("1 confirmation outstanding")
            if counts.confirmations_outstanding == 1
            else msg("{n} confirmations outstanding", n=counts.confirmations_outstanding)
        )
    return said


def blocks(count: int) -> Message:
    """How much hangs on an entry."""
    return msg("blocks 1 requirement") if count == 1 else msg("blocks {n} requirements", n=count)


def capacity(finding: FindingInfo | Judged) -> bool:
    """Whether it is a capacity, which a bar can show."""
    return finding.gauge is not None


def _entries(report: Report) -> list[Entry]:
    by_id = {f.id: f for f in report.findings}
    entries: list[Entry] = []
    covered: set[str] = set()
    for number, root in enumerate(report.roots, start=1):
        own = by_id.get(root.finding) if root.finding else None
        blocked = [by_id[i] for i in root.blocks if i in by_id and by_id[i].outcome in _OPEN]
        members = [*([own] if own and own.outcome in _OPEN else []), *blocked]
        covered |= {f.id for f in members}
        # what only people can answer has a list of its own
        if any(f.nature is Nature.TECHNICAL or f.outcome is Outcome.UNMET for f in members):
            entries.append(_of_root(report, root, f"cause-{number}", own, members))
    entries += [
        _of_finding(report, f, by_id)
        for f in report.findings
        if f.outcome in _OPEN
        and f.id not in covered
        and (f.nature is Nature.TECHNICAL or f.outcome is Outcome.UNMET)
        and not _said_by_floor(f, by_id)
    ]
    return sorted(_grouped(entries), key=lambda e: (_WEIGHT[e.level], -len(e.blocks)))


def _of_root(report: Report, root: Root, id_: str, own: FindingInfo | None, members: list[FindingInfo]) -> Entry:
    return Entry(
        id=own.id if own else id_,
        team=root.team,
        level=_strongest(members),
        outcome=_worst(members),
        says=root.cause.says,
        cause=root.cause,
        finding=own,
        title=own.title if own else None,
        fix=root.cause.fix or (own.fix if own else None) or next((f.fix for f in members if f.fix), None),
        advice=advice(own) if own else None,
        wanted=own.wanted if own else None,
        seen=own.seen if own else None,
        blocks=tuple(f for f in members if own is None or f.id != own.id),
        fits=_fits(report, own.id) if own else (),
    )


def _of_finding(report: Report, finding: FindingInfo, by_id: dict[str, FindingInfo]) -> Entry:
    better = by_id.get(finding.id + _RECOMMENDED)
    return Entry(
        id=finding.id,
        team=finding.team,
        level=finding.level,
        outcome=finding.outcome,
        says=finding.because,
        cause=finding.cause,
        finding=finding,
        title=finding.title,
        fix=finding.fix,
        advice=advice(finding),
        wanted=finding.wanted,
        seen=finding.seen,
        blocks=(),
        recommended=better.wanted if better and better.outcome in _OPEN else None,
        fits=_fits(report, finding.id),
    )


def advice(finding: FindingInfo) -> LocalText | None:
    """The profile's advice, where it says more than the fix.  What nobody could look at needs no mending yet."""
    if finding.outcome is not Outcome.UNMET:
        return None
    said, fix = _bare(finding.advice.en), _bare(finding.fix.en if finding.fix else "")
    return None if fix and (said in fix or fix in said) else finding.advice


def _bare(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text).casefold().split())


def _grouped(entries: list[Entry]) -> list[Entry]:
    """*entries*, with one in place of many that only say that a question has no answer."""
    alike: dict[tuple[Team, Reason], list[Entry]] = {}
    for entry in entries:
        reason = unseen.reason_of(entry.cause)
        if reason is not None and entry.outcome is Outcome.UNKNOWN:
            alike.setdefault((entry.team, reason), []).append(entry)
    many = {key: found for key, found in alike.items() if len(found) >= unseen.AT_LEAST}
    gone = {e.id for found in many.values() for e in found}
    return [e for e in entries if e.id not in gone] + [_of_unseen(*key, found) for key, found in many.items()]


def _of_unseen(team: Team, reason: Reason, entries: list[Entry]) -> Entry:
    members = [f for e in entries for f in (*([e.finding] if e.finding else []), *e.blocks)]
    questions = tuple(dict.fromkeys(unseen.question(e.cause) for e in entries if e.cause is not None))
    return Entry(
        id=unseen.key(team, reason),
        team=team,
        level=_strongest(members),
        outcome=Outcome.UNKNOWN,
        says=unseen.together(reason, questions),
        cause=None,
        finding=None,
        title=None,
        fix=entries[0].fix,
        advice=None,
        wanted=None,
        seen=None,
        blocks=tuple(members),
        questions=questions,
    )


def _said_by_floor(finding: FindingInfo, by_id: dict[str, FindingInfo]) -> bool:
    """Whether the stricter row of the pair stands in the list anyway, and names this one as the recommendation."""
    floor = by_id.get(finding.id.removesuffix(_RECOMMENDED)) if finding.id.endswith(_RECOMMENDED) else None
    return floor is not None and floor.outcome is finding.outcome and floor.blocked_by is None


def _fits(report: Report, id_: str) -> tuple[HostSize, ...]:
    return tuple(
        s.size
        for s in report.sizes
        if s.size is not report.profile.size
        and any(j.id == id_ and j.outcome is Outcome.MET and capacity(j) for j in s.findings)
    )


def _strongest(findings: Sequence[FindingInfo]) -> Level:
    return min((f.level for f in findings), key=_WEIGHT.__getitem__)


def _worst(findings: Sequence[FindingInfo]) -> Outcome:
    return Outcome.UNMET if any(f.outcome is Outcome.UNMET for f in findings) else Outcome.UNKNOWN


def _by_team(entries: Iterable[Entry]) -> tuple[TeamList, ...]:
    """Worst team first: what stands in the way, then how much hangs on it."""
    groups: dict[Team, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.team, []).append(entry)
    lists = [TeamList(team, tuple(found)) for team, found in groups.items()]
    return tuple(sorted(lists, key=lambda t: (-t.musts, -sum(len(e.blocks) for e in t.entries))))


def _reasons(report: Report, entries: Sequence[Entry]) -> list[Sentence | Message]:
    said: list[Sentence | Message] = []
    if report.times.interrupted is not None:
        said.append(msg("The run ended early ({why}): this report is partial.", why=report.times.interrupted))
    match report.verdict.outcome:
        case VerdictOutcome.NOT_READY:
            said += [e.says for e in entries if _musts(e, Outcome.UNMET)]
        case VerdictOutcome.UNDETERMINED:
            said += [e.says for e in entries if _musts(e, Outcome.UNKNOWN)]
        case VerdictOutcome.READY:
            said.append(msg("Every technical must that applies here is met."))
    return said


def _besides(report: Report, entries: Sequence[Entry]) -> list[Message]:
    counts = report.verdict.counts
    match report.verdict.outcome:
        case VerdictOutcome.NOT_READY:
            behind = counts.must_unmet - sum(1 for e in entries if _musts(e, Outcome.UNMET))
            undecided = counts.must_unknown
        case VerdictOutcome.UNDETERMINED:
            behind = counts.must_unknown - sum(1 for e in entries if _musts(e, Outcome.UNKNOWN))
            undecided = 0
        case VerdictOutcome.READY:
            behind = undecided = 0
    said: list[Message] = []
    if behind > 0:
        said.append(
            msg("1 more must is blocked by these.")
            if behind == 1
            else msg("{n} more musts are blocked by these.", n=behind)
        )
    if undecided:
        said.append(
            msg("One more must is undetermined.")
            if undecided == 1
            else msg("{n} more musts are undetermined.", n=undecided)
        )
    if counts.confirmations_outstanding:
        said.append(
            msg("One point is still to be confirmed by a person.")
            if counts.confirmations_outstanding == 1
            else msg("{n} points are still to be confirmed by people.", n=counts.confirmations_outstanding)
        )
    return said


def _musts(entry: Entry, outcome: Outcome) -> int:
    """How many technical musts of it came out so."""
    own = (entry.finding,) if entry.finding else ()
    return sum(
        f.nature is Nature.TECHNICAL and f.level is Level.MUST and f.outcome is outcome for f in (*own, *entry.blocks)
    )


def technical(entry: Entry) -> bool:
    """Whether a must that a program judges hangs on it: those alone make the verdict."""
    return any(_musts(entry, outcome) for outcome in _OPEN)
