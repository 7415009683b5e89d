"""A rich report made by hand: every kind of thing that a page must show, and hostile text in every place that takes it."""

from __future__ import annotations

from datetime import UTC, datetime

from render import traces
from render.parts import (
    ESCAPE,
    GIB,
    HOSTILE,
    PARAMETER,
    PROXY,
    RIGHT_TO_LEFT,
    SCRIPT,
    SILENT,
    L,
    M,
    S,
    capacities,
    cause,
    hostile_ones,
    network,
    people,
    plain_ones,
    short,
)
from vorflug.model.cause import Team
from vorflug.model.message import msg
from vorflug.model.report import (
    Counts,
    FactInfo,
    FindingInfo,
    HostInfo,
    Judged,
    ModelVerdict,
    ProfileInfo,
    Report,
    Root,
    Sentence,
    SiteInfo,
    SizeInfo,
    SizeVerdict,
    Times,
    ToolInfo,
    VerdictInfo,
    VerdictOutcome,
)
from vorflug.model.requirement import HostSize, Level, LocalText, Nature, OperatingModel, Outcome, Phase
from vorflug.ports.net import Code


def _counts(findings: list[FindingInfo]) -> Counts:
    def many(outcome: Outcome, nature: Nature = Nature.TECHNICAL, level: Level | None = None) -> int:
        return sum(
            1 for f in findings if f.outcome is outcome and f.nature is nature and (level is None or f.level is level)
        )

    return Counts(
        total=len(findings),
        met=many(Outcome.MET),
        unmet=many(Outcome.UNMET),
        unknown=many(Outcome.UNKNOWN),
        not_applicable=many(Outcome.NOT_APPLICABLE),
        must_unmet=many(Outcome.UNMET, level=Level.MUST),
        must_unknown=many(Outcome.UNKNOWN, level=Level.MUST),
        should_unmet=many(Outcome.UNMET, level=Level.SHOULD),
        confirmations_met=many(Outcome.MET, Nature.ORGANISATIONAL),
        confirmations_outstanding=many(Outcome.UNKNOWN, Nature.ORGANISATIONAL),
        confirmations_refused=many(Outcome.UNMET, Nature.ORGANISATIONAL),
    )


def _verdict(findings: list[FindingInfo]) -> VerdictInfo:
    counts = _counts(findings)
    if counts.must_unmet:
        return VerdictInfo(outcome=VerdictOutcome.NOT_READY, exit_code=3, exit_code_with_confirmations=3, counts=counts)
    if counts.must_unknown:
        return VerdictInfo(
            outcome=VerdictOutcome.UNDETERMINED, exit_code=5, exit_code_with_confirmations=5, counts=counts
        )
    return VerdictInfo(
        outcome=VerdictOutcome.READY,
        exit_code=0,
        exit_code_with_confirmations=5 if counts.confirmations_outstanding else 0,
        counts=counts,
    )


def _sizes(
    findings: list[FindingInfo], capacities: list[tuple[FindingInfo, dict[HostSize, Judged]]]
) -> tuple[SizeVerdict, ...]:
    ids = {own.id for own, _ in capacities}
    others = [f for f in findings if f.id not in ids]
    open_ = [
        short(f)
        for f in others
        if f.nature is Nature.TECHNICAL and f.level is Level.MUST and f.outcome in (Outcome.UNMET, Outcome.UNKNOWN)
    ]
    return tuple(
        SizeVerdict(
            size=size,
            verdict=_verdict(
                [*others, *(own.model_copy(update={"outcome": by[size].outcome}) for own, by in capacities)]
            ),
            findings=(*(by[size] for _, by in capacities), *open_),
        )
        for size in HostSize
    )


def _facts(*, hostile: bool) -> tuple[FactInfo, ...]:
    odd = (traces.fact(traces.hostile(), "https://odd.example/"),) if hostile else ()
    return (
        *odd,
        traces.fact(traces.passed(), "https://registry.corp/v2/"),
        traces.fact(traces.passed("app.corp", warnings=(Code.TLS_STRICT_ONLY,)), "https://app.corp/"),
        traces.fact(traces.intercepted(), "https://registry.corp/v2/"),
        traces.fact(traces.silent("a.example"), "https://a.example/"),
        traces.fact(traces.silent("b.example"), "https://b.example/"),
        traces.unseen("https://late.example/"),
        FactInfo(
            query={"kind": "memory"},
            asks=Sentence.of(msg("How much memory is there, and does a cgroup limit it?")),
            fact={"total_bytes": 16750372454, "available_bytes": 9 * GIB, "limit_bytes": None, "limited_by": None},
            took_s=0.0021,
        ),
        FactInfo(
            query={"kind": "containers", "names": ["a", "b"]},
            asks=Sentence.of(msg("Which containers are there?")),
            fact={"names": list(HOSTILE), "more": {SCRIPT: ESCAPE}, "running": True},
            took_s=0.31,
        ),
        FactInfo(
            query={"kind": "resolve", "name": "app.example.com"},
            asks=Sentence.of(msg("Does {name} resolve?", name="app.example.com")),
            unseen={"reason": "timeout", "detail": "5 s"},
            took_s=5.0003,
        ),
    )


def report(*, hostile: bool = True, plain: int = 76, ready: bool = False, size: HostSize = M) -> Report:
    """The sample.  *plain*: how many findings are simply met.  *ready*: nothing technical is open, size S."""
    size = S if ready else size
    sized = capacities(size)
    findings = [own for own, _ in sized]
    if not ready:
        findings += network()
    findings += [f for f in plain_ones(plain) if not ready or f.outcome in (Outcome.MET, Outcome.NOT_APPLICABLE)]
    if hostile:
        findings += hostile_ones()
    findings += [f for f in people() if not ready or f.outcome is not Outcome.UNMET]
    roots = (
        Root(cause=PROXY, team=Team.PROXY, finding="PRX-001", blocks=("EGR-001", "EGR-002", "EGR-003", "EGR-004")),
        Root(cause=SILENT, team=Team.DNS, finding=None, blocks=("DNS-001", "DNS-002", "DNS-003", "DNS-004")),
        Root(
            cause=cause("confirmation.outstanding", "confirmation", msg("confirmation outstanding")),
            team=Team.PROJECT,
            finding=None,
            blocks=("ORG-001", "ORG-002", "ORG-003"),
        ),
        Root(cause=PARAMETER, team=Team.PROJECT, finding=None, blocks=("LLM-001", "LLM-002")),
    )
    verdict = _verdict(findings)
    name = f"audit-vm-01{SCRIPT}{RIGHT_TO_LEFT}" if hostile else "audit-vm-01"
    not_asked = [short(f) for f in network()[:1]]
    return Report(
        tool=ToolInfo(version="0.1.0"),
        profile=ProfileInfo(
            name="ai-audit-assist",
            version="1.0.0",
            title=LocalText(en="AI Audit Assist", de="AI Audit Assist"),
            digest="ab" * 32,
            model=OperatingModel.COMPOSE,
            size=size,
            phase=Phase.PRE_INSTALL,
            sizes=tuple(
                SizeInfo(size=s, title=LocalText(en=f"up to {n} users", de=f"bis {n} Anwender"))
                for s, n in ((S, 10), (M, 50), (L, 200))
            ),
        ),
        site=SiteInfo(given=True, customer="Muster AG", parameters={"network.proxy": "http://proxy.corp:3128"}),
        host=HostInfo(name=name, identity="sha256:" + "cd" * 32, user="installer", elevated=False),
        times=Times(
            started=datetime(2026, 11, 24, 10, 12, 0, tzinfo=UTC),
            finished=datetime(2026, 11, 24, 10, 12, 7, 400000, tzinfo=UTC),
            evaluated=datetime(2026, 11, 24, 10, 12, 7, 500000, tzinfo=UTC),
        ),
        verdict=verdict,
        sizes=_sizes(findings, sized),
        models=(
            ModelVerdict(model=OperatingModel.COMPOSE, verdict=verdict, findings=(), not_asked=0),
            ModelVerdict(
                model=OperatingModel.KUBERNETES,
                verdict=VerdictInfo(
                    outcome=VerdictOutcome.UNDETERMINED,
                    exit_code=5,
                    exit_code_with_confirmations=5,
                    counts=verdict.counts.model_copy(update={"must_unmet": 0, "must_unknown": 14}),
                ),
                findings=tuple(not_asked),
                not_asked=14,
            ),
            ModelVerdict(model=OperatingModel.SAAS, verdict=_verdict(findings), findings=(), not_asked=0),
        ),
        roots=() if ready else roots,
        findings=tuple(findings),
        facts=_facts(hostile=hostile),
    )


def in_a_container(kind: str = "docker") -> Report:
    """The sample, run inside a container."""
    whole = report(hostile=False)
    return whole.model_copy(update={"host": whole.host.model_copy(update={"container": kind})})


def interrupted() -> Report:
    """The sample, ended early by a signal."""
    whole = report(hostile=False)
    return whole.model_copy(update={"times": whole.times.model_copy(update={"interrupted": "SIGINT"})})
