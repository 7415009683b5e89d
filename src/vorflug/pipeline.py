"""The straight line: profile + site → plan → collect → facts → evaluate → report.  No branch on any area."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vorflug import __version__
from vorflug.documents.profile import Profile
from vorflug.documents.report import Run, assemble, gather
from vorflug.documents.resolve import resolve
from vorflug.documents.site import Site
from vorflug.engine.collect import OpenHost, Started, Stop, collect
from vorflug.engine.evaluate import evaluate
from vorflug.model.query import Observation
from vorflug.model.report import Facts, HostInfo, Report, Times, ToolInfo
from vorflug.model.requirement import Finding, HostSize, Item, OperatingModel, Phase, Requirement


@dataclass(frozen=True)
class Case:
    """What is judged: a profile with the customer's values, for one model, size and phase."""

    profile: Profile
    site: Site
    model: OperatingModel
    size: HostSize
    phase: Phase
    strict: bool = False
    with_confirmations: bool = False
    thorough: bool = False
    """Whether what takes minutes is wanted, too (``--thorough``)."""

    def items(self) -> list[Item]:
        """The rows of the profile for this case."""
        rows = resolve(self.profile, self.site, model=self.model, size=self.size, phase=self.phase)
        return [row.thorough() if self.thorough and isinstance(row, Requirement) else row for row in rows]

    def asked(self) -> list[Item]:
        """The rows whose questions are put: the union over the sizes."""
        return [i for size in self.profile.sizes_or_all for i in replace(self, size=size).items()]

    def asked_locally(self) -> list[Item]:
        """The rows of the other operating models, of which only local questions are put."""
        return [
            i for model in self.profile.models if model is not self.model for i in replace(self, model=model).items()
        ]

    def findings(self, observations: Iterable[Observation]) -> list[Finding]:
        """Every row judged."""
        return evaluate(self.items(), observations)


def observe(
    case: Case,
    open_host: OpenHost,
    *,
    active: bool,
    network: bool = True,
    deadline: float,
    stop: Stop,
    on_start: Callable[[Started], None],
    on_crash: Callable[[BaseException], None],
) -> Iterator[Observation]:
    """Put every question of *case* to the host: those that write where *active*, those to others where *network*."""
    return collect(
        case.asked(),
        open_host,
        also=case.asked_locally(),
        active=active,
        network=network,
        deadline=deadline,
        stop=stop,
        on_start=on_start,
        on_crash=on_crash,
    )


def judge(case: Case, observations: Sequence[Observation], host: HostInfo, times: Times) -> Report:
    """The report on *observations*: the case itself, each size, and each operating model."""
    # a clock that was set back meanwhile makes no judgement older than what it judges
    times = times.model_copy(update={"evaluated": max(datetime.now(UTC), times.finished)})
    by_size = {size: replace(case, size=size).findings(observations) for size in case.profile.sizes_or_all}
    by_model = {model: replace(case, model=model).findings(observations) for model in case.profile.models}
    return assemble(_run(case, host, times), case.findings(observations), by_size, by_model, observations)


def facts(case: Case, observations: Sequence[Observation], host: HostInfo, times: Times) -> Facts:
    """The facts file: what was seen, with what is needed to judge it anywhere."""
    return gather(_run(case, host, times), observations)


def _run(case: Case, host: HostInfo, times: Times) -> Run:
    return Run(
        tool=ToolInfo(version=__version__),
        profile=case.profile.info(model=case.model, size=case.size, phase=case.phase, thorough=case.thorough),
        site=case.site.info(),
        host=host,
        times=times,
        sources=case.profile.sources,
        strict=case.strict,
        with_confirmations=case.with_confirmations,
    )
