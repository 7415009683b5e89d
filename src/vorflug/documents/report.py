"""Puts a report together from findings and facts.  Pure; the bytes are written by `documents.facts.write`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from vorflug.documents.facts import in_order, write_observation
from vorflug.engine.verdict import cause_info, decide, judged_something, roots
from vorflug.model.message import Message
from vorflug.model.query import Observation
from vorflug.model.report import (
    Facts,
    FindingInfo,
    GaugeInfo,
    HostInfo,
    Judged,
    ModelVerdict,
    ProfileInfo,
    Report,
    Sentence,
    SiteInfo,
    SizeVerdict,
    SourceInfo,
    Times,
    ToolInfo,
)
from vorflug.model.requirement import Finding, Gauge, HostSize, Level, Nature, OperatingModel, Outcome

_OPEN = (Outcome.UNMET, Outcome.UNKNOWN)


@dataclass(frozen=True)
class Run:
    """What a report says about the run itself."""

    tool: ToolInfo
    profile: ProfileInfo
    site: SiteInfo
    host: HostInfo
    times: Times
    sources: Mapping[str, str]
    """The profile's sources by key."""
    strict: bool = False
    with_confirmations: bool = False


def assemble(
    run: Run,
    findings: Sequence[Finding],
    by_size: Mapping[HostSize, Sequence[Finding]],
    by_model: Mapping[OperatingModel, Sequence[Finding]],
    observations: Iterable[Observation],
) -> Report:
    """The report.  Raises ValueError where nothing was judged."""
    return Report(
        tool=run.tool,
        profile=run.profile,
        site=run.site,
        host=run.host,
        times=run.times,
        verdict=decide(findings, strict=run.strict, with_confirmations=run.with_confirmations),
        sizes=_sizes({s: judged for s, judged in by_size.items() if judged_something(judged)}),
        models=tuple(_model(m, judged) for m, judged in by_model.items() if judged_something(judged)),
        roots=roots(findings),
        findings=tuple(_finding(f, run.sources) for f in findings),
        facts=tuple(write_observation(o) for o in in_order(observations)),
    )


def gather(run: Run, observations: Iterable[Observation]) -> Facts:
    """The facts file of a run: everything that a report is made of, except the judgement."""
    return Facts(
        tool=run.tool,
        profile=run.profile,
        site=run.site,
        host=run.host,
        times=run.times,
        facts=tuple(write_observation(o) for o in in_order(observations)),
    )


def _finding(finding: Finding, sources: Mapping[str, str]) -> FindingInfo:
    header, verdict, item = finding.header, finding.verdict, finding.item
    return FindingInfo(
        id=header.id,
        kind=item.kind,
        subject=finding.subject,
        nature=finding.nature,
        level=header.level,
        phases=header.phases,
        models=header.models,
        team=header.team,
        basis=header.basis,
        sources=tuple(SourceInfo(id=key, title=sources[key]) for key in header.sources),
        title=header.title,
        why=header.why,
        advice=header.advice,
        outcome=verdict.outcome,
        reason=verdict.cause.kind if verdict.outcome is Outcome.UNKNOWN and verdict.cause else None,
        wanted=Sentence.of(verdict.wanted),
        seen=Sentence.of(verdict.seen) if verdict.seen else None,
        because=Sentence.of(verdict.because),
        fix=Sentence.of(verdict.fix) if verdict.fix else None,
        cause=cause_info(verdict.cause) if verdict.cause else None,
        blocked_by=finding.blocked_by,
        gauge=_gauge(verdict.gauge),
        gauges=tuple(drawn for gauge in verdict.gauges if (drawn := _gauge(gauge)) is not None),
    )


def _gauge(gauge: Gauge | None) -> GaugeInfo | None:
    if gauge is None or not (isfinite(gauge.have) and isfinite(gauge.want)):
        return None  # what is no number cannot be drawn; the sentence beside it says what was seen
    return GaugeInfo(
        have=gauge.have, want=gauge.want, unit=gauge.unit, of=Sentence.of(gauge.of) if gauge.of is not None else None
    )


def _judged(finding: Finding) -> Judged:
    return Judged(
        id=finding.header.id,
        level=finding.header.level,
        nature=finding.nature,
        outcome=finding.verdict.outcome,
        title=finding.header.title,
        wanted=Sentence.of(finding.verdict.wanted),
        because=Sentence.of(finding.verdict.because),
        gauge=_gauge(finding.verdict.gauge),
    )


def _open_musts(findings: Sequence[Finding]) -> list[Finding]:
    return [
        f
        for f in findings
        if f.nature is Nature.TECHNICAL and f.header.level is Level.MUST and f.verdict.outcome in _OPEN
    ]


def _sizes(by_size: Mapping[HostSize, Sequence[Finding]]) -> tuple[SizeVerdict, ...]:
    wanted: dict[str, set[Message]] = {}
    for findings in by_size.values():
        for finding in findings:
            if finding.verdict.outcome is not Outcome.NOT_APPLICABLE:
                wanted.setdefault(finding.header.id, set()).add(finding.verdict.wanted)
    sized = {id_ for id_, all_ in wanted.items() if len(all_) > 1}
    return tuple(_size(size, findings, sized) for size, findings in by_size.items())


def _size(size: HostSize, findings: Sequence[Finding], sized: set[str]) -> SizeVerdict:
    open_ = {f.header.id for f in _open_musts(findings)}
    shown = [
        f
        for f in findings
        if f.header.id in open_
        or f.verdict.gauge is not None
        or (f.header.id in sized and f.verdict.outcome is not Outcome.NOT_APPLICABLE)
    ]
    return SizeVerdict(size=size, verdict=decide(findings), findings=tuple(_judged(f) for f in shown))


def _model(model: OperatingModel, findings: Sequence[Finding]) -> ModelVerdict:
    open_ = _open_musts(findings)
    not_asked = sum(1 for f in open_ if f.verdict.cause is not None and f.verdict.cause.kind == "unseen.not_asked")
    return ModelVerdict(
        model=model, verdict=decide(findings), findings=tuple(_judged(f) for f in open_), not_asked=not_asked
    )
