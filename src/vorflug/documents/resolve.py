"""A profile and a customer's values become the rows to be judged, for one model, size and phase.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vorflug.documents import conditions
from vorflug.documents.parameters import missing
from vorflug.documents.problems import DocumentError, Place, Problem
from vorflug.documents.profile import Profile
from vorflug.documents.rows import Missing, Row
from vorflug.documents.site import Site
from vorflug.model.message import Message, msg
from vorflug.model.requirement import (
    PHASE_NAMES,
    Excluded,
    HostSize,
    Item,
    OperatingModel,
    Organisational,
    Pending,
    Phase,
)


def resolve(profile: Profile, site: Site, *, model: OperatingModel, size: HostSize, phase: Phase) -> list[Item]:
    """Every row of *model*, in the profile's order.

    Rows of another phase, and rows whose ``when`` does not hold, are there as `Excluded`; rows that wait for a
    parameter as `Pending`.  Raises DocumentError where the profile has nothing for the model or does not know the size.
    """
    if size not in profile.sizes_or_all:
        says = msg("there is no size {size} in this profile.", size=size.value)
        raise DocumentError([Problem(Place(profile.file), says)])
    # of a secret only where it lies, for the one kind of field that takes that (`rows`)
    secrets = {name: {**place, "parameter": name} for name, place in site.secrets.items()}
    case = _Case(profile, site, size, phase, {**site.answers(profile), **secrets})
    items = [case.item(row) for row in profile.rows_of(model)]
    if not items:
        says = msg("there is no requirement for the operating model {model}.", model=model.value)
        raise DocumentError([Problem(Place(profile.file), says)])
    return items


@dataclass(frozen=True)
class _Case:
    profile: Profile
    site: Site
    size: HostSize
    phase: Phase
    answers: dict[str, Any]

    def item(self, row: Row) -> Item:
        header = row.headers[self.size]
        if self.phase not in header.phases:
            because = msg(
                "Belongs to the phase {phases:or}; judged here: {phase}.",
                phases=tuple(PHASE_NAMES[p] for p in header.phases),
                phase=PHASE_NAMES[self.phase],
            )
            return Excluded(header, row.kind, row.nature, because)
        if row.when is not None:
            match conditions.judge(row.when, self.answers):
                case conditions.Fails(reasons):
                    because = msg("Does not apply here: {reasons:list}.", reasons=reasons)
                    return Excluded(header, row.kind, row.nature, because)
                case conditions.Unanswered(name):
                    return self._waiting(row, name)
        try:
            requirement = row.requirement(self.size, self.answers)
        except Missing as gap:
            return self._waiting(row, gap.parameter)
        if isinstance(requirement, Organisational) and row.id in self.site.confirmations:
            return requirement.model_copy(update={"answer": self.site.confirmations[row.id]})
        return requirement

    def _waiting(self, row: Row, parameter: str) -> Pending:
        cause = missing(parameter, self.profile.parameters[parameter])
        return Pending(row.headers[self.size], row.kind, row.nature, cause, self._wanted(row))

    def _wanted(self, row: Row) -> Message:
        try:
            return row.requirement(self.size, self.answers).wanted()
        except (Missing, DocumentError):  # what does not fit is refused once the row is to be judged
            if row.by_size:
                return msg("a value in the site file, and what size {size} asks for", size=self.size.value)
            return msg("a value in the site file")
