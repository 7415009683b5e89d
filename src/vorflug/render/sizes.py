"""The same facts held against every size and operating model.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vorflug.model.message import Message, msg
from vorflug.model.report import FindingInfo, Judged, ModelVerdict, Report, Sentence, SizeVerdict, VerdictOutcome
from vorflug.model.requirement import HostSize, Level, LocalText, Nature, Outcome

_OPEN = (Outcome.UNMET, Outcome.UNKNOWN)


@dataclass(frozen=True)
class Row:
    """One requirement across the sizes."""

    id: str
    title: LocalText
    level: Level
    sizes: tuple[HostSize, ...]
    cells: tuple[Judged | None, ...]
    """One per size, in the same order.  None: nothing stands against that size here."""
    finding: FindingInfo | None
    """The run's own finding, for what was seen and the bar."""


@dataclass(frozen=True)
class Obstacle:
    """What a size fails on."""

    size: HostSize
    because: tuple[Sentence, ...]


@dataclass(frozen=True)
class Comparison:
    """Sizes side by side."""

    sizes: tuple[SizeVerdict, ...]
    rows: tuple[Row, ...]
    fit: Message | None
    """Which sizes this host fits; where some it does not, the sentence ends before *obstacles*."""
    short: Message | None
    """The same as a sentence of its own, without reasons."""
    obstacles: tuple[Obstacle, ...]
    """For each size that does not fit, or may not: why."""
    besides: tuple[Message, ...]
    """What could not be decided, and what is open whatever the size."""


def compare(report: Report) -> Comparison:
    """Hold the sizes of *report* side by side.

    What is open for every size alike (a proxy that refuses) says nothing about size: it is counted apart, so that the
    sentence "fits S and M, not L" stays true of what a size is about.  A capacity that nobody could judge is about
    size, though it is open for all of them: then it is undetermined which sizes fit.  Where no must depends on size,
    nothing is said about sizes at all.
    """
    if not _says_something(report):
        return Comparison(report.sizes, _rows(report), fit=None, short=None, obstacles=(), besides=())
    own = {s.size: _against(s, report) for s in report.sizes}
    always = _always(report)
    fits = [s.value for s, found in own.items() if not found]
    fails = [s.value for s, found in own.items() if any(j.outcome is Outcome.UNMET for j in found)]
    open_ = [s.value for s, found in own.items() if found and s.value not in fails]
    return Comparison(
        sizes=report.sizes,
        rows=_rows(report),
        fit=_fit(fits, fails),
        short=_short(fits, fails, open_, len(always)),
        obstacles=tuple(Obstacle(size, _becauses(found)) for size, found in own.items() if found),
        besides=tuple(_besides(open_, len(always))),
    )


def model_state(model: ModelVerdict) -> Message | None:
    """A word that is truer than the verdict, where all that is open is what this run did not ask; else None."""
    undetermined = model.verdict.outcome is VerdictOutcome.UNDETERMINED
    if undetermined and model.not_asked == model.verdict.counts.must_unknown:
        return msg("not asked")
    return None


def model_sentence(model: ModelVerdict) -> Message:
    """One sentence on *model*."""
    if model.verdict.outcome is VerdictOutcome.READY:
        return msg("Every technical must of this operating model is met.")
    counts = model.verdict.counts
    # "musts: n not met" needs no singular of its own, in neither language
    match bool(counts.must_unmet), bool(counts.must_unknown), bool(model.not_asked):
        case _, False, _:
            return msg("Its musts: {unmet} not met.", unmet=counts.must_unmet)
        case False, True, False:
            return msg("Its musts: {unknown} undetermined.", unknown=counts.must_unknown)
        case True, True, False:
            return msg(
                "Its musts: {unmet} not met, {unknown} undetermined.",
                unmet=counts.must_unmet,
                unknown=counts.must_unknown,
            )
        case False, True, True:
            return msg(
                "Its musts: {unknown} undetermined, {n} of these not asked here: run again with --model {model}.",
                unknown=counts.must_unknown,
                n=model.not_asked,
                model=model.model.value,
            )
        case _:
            return msg(
                "Its musts: {unmet} not met, {unknown} undetermined, {n} of these not asked here.",
                unmet=counts.must_unmet,
                unknown=counts.must_unknown,
                n=model.not_asked,
            )


def _open_musts(size: SizeVerdict) -> list[Judged]:
    return [j for j in size.findings if j.level is Level.MUST and j.nature is Nature.TECHNICAL and j.outcome in _OPEN]


def _sized(report: Report) -> set[str]:
    """What is about size: it wants something else of another one, or, where there is but one size, is a capacity."""
    wanted: dict[str, set[str]] = {}
    for size in report.sizes:
        for judged in size.findings:
            wanted.setdefault(judged.id, set()).add(judged.wanted.en)
    if len(report.sizes) == 1:
        # nothing to compare with: what is open may be a capacity as well
        (only,) = report.sizes
        return {j.id for j in only.findings if j.gauge is not None} | {j.id for j in _open_musts(only)}
    return {id_ for id_, all_ in wanted.items() if len(all_) > 1}


def _says_something(report: Report) -> bool:
    """Whether any technical must is about size."""
    sized = _sized(report)
    return any(
        j.id in sized and j.level is Level.MUST and j.nature is Nature.TECHNICAL
        for size in report.sizes
        for j in size.findings
    )


def _becauses(found: list[Judged]) -> tuple[Sentence, ...]:
    """Why, each sentence once, what is known to be too little first."""
    ordered = sorted(found, key=lambda j: j.outcome is Outcome.UNKNOWN)
    return tuple({j.because.en: j.because for j in ordered}.values())


def _always(report: Report) -> set[str]:
    """The musts that are open for every size and want the same for each."""
    per_size = [{j.id for j in _open_musts(s)} for s in report.sizes]
    return set.intersection(*per_size) - _sized(report) if per_size else set()


def _against(size: SizeVerdict, report: Report) -> list[Judged]:
    always = _always(report)
    return [j for j in _open_musts(size) if j.id not in always]


def _rows(report: Report) -> tuple[Row, ...]:
    """What wants more of a larger size, and what else is open for some sizes only; in the profile's order."""
    sized = _sized(report)
    cells = [{j.id: j for j in s.findings} for s in report.sizes]
    by_id = {f.id: f for f in report.findings}
    rows: list[Row] = []
    for id_ in dict.fromkeys([*by_id, *(i for found in cells for i in found)]):
        judged = tuple(found.get(id_) for found in cells)
        any_ = next((j for j in judged if j is not None), None)
        open_ = {bool(j and j.outcome in _OPEN) for j in judged}
        if any_ is None or not (id_ in sized or len(open_) > 1):
            continue
        rows.append(Row(id_, any_.title, any_.level, tuple(s.size for s in report.sizes), judged, by_id.get(id_)))
    return tuple(rows)


def _fit(fits: list[str], fails: list[str]) -> Message | None:
    if fits and fails:
        return msg("This host fits {fits:list}, not {fails:or}, because:", fits=tuple(fits), fails=tuple(fails))
    if fits:
        return msg("This host fits {fits:list}.", fits=tuple(fits))
    if fails:
        return msg("This host does not fit {fails:or}, because:", fails=tuple(fails))
    return None


def _short(fits: list[str], fails: list[str], open_: list[str], always: int) -> Message | None:
    if fits and fails:
        short = msg("this host fits {fits:list}, not {fails:or}", fits=tuple(fits), fails=tuple(fails))
    elif fits:
        short = msg("this host fits {fits:list}", fits=tuple(fits))
    elif fails:
        short = msg("this host does not fit {fails:or}", fails=tuple(fails))
    else:
        return msg("whether this host fits {open:or} is undetermined", open=tuple(open_))
    if open_:
        short = msg("{fit}; undetermined for {open:or}", fit=short, open=tuple(open_))
    if not (always and fits):
        return short
    # alone, "fits" would contradict the verdict above it
    return msg("in size {fit}; musts that are open whatever the size: {count}", fit=short, count=always)


def _besides(open_: list[str], always: int) -> list[Message]:
    said: list[Message] = []
    if open_:
        said.append(msg("Whether this host fits {open:or} is undetermined.", open=tuple(open_)))
    if always:
        said.append(
            msg("Whatever the size, one more must is open; it stands above.")
            if always == 1
            else msg("Whatever the size, {n} more musts are open; they stand above.", n=always)
        )
    return said
