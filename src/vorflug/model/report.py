"""The report: everything a reader, a renderer or a verifier needs, as plain values.

``report.json`` is this model with schema id ``vorflug/report/1``.  Sentences are `Sentence`: the English template, its
raw values and the rendered English, so that a script reads ``en`` and a renderer can say it in another language.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.cause import Team
from vorflug.model.message import Message, Text, render
from vorflug.model.requirement import Basis, HostSize, Level, LocalText, Nature, OperatingModel, Outcome, Phase

SCHEMA = "vorflug/report/1"
FACTS_SCHEMA = "vorflug/facts/1"


_NESTED_AT_MOST = 20
"""Sentences within sentences: JSON writers and readers give up somewhere above a hundred levels."""


class Sentence(Frozen):
    """A `Message` in a document: ``text`` is the template, ``en`` the sentence itself.

    ``de`` is there only where the sentence comes from a profile and no catalogue can translate it.
    A value that is a sentence itself is an object of the same shape, a list is a JSON array.
    """

    text: str
    values: dict[str, Any] = Field(default_factory=dict)
    en: str
    de: str | None = None

    @classmethod
    def of(cls, message: Message | Text, *, depth: int = 0) -> Sentence:
        """Write *message*, which stands in *depth* others.

        Raises ValueError where sentences stand in one another too deep, KeyError where a value is missing.
        """
        if depth > _NESTED_AT_MOST:
            raise ValueError(f"wanted sentences of at most {_NESTED_AT_MOST} levels, saw more")
        if isinstance(message, Text):
            return cls(text=message.en, en=message.en, de=message.de)
        values = {k: _write(v, depth + 1) for k, v in message.values.items()}
        return cls(text=message.text, values=values, en=render(message))

    def message(self) -> Message | Text:
        """Read it back."""
        if self.de is not None:
            return Text(self.en, self.de)
        return Message(self.text, {k: _read(v) for k, v in self.values.items()})


def _write(value: Any, depth: int) -> Any:
    match value:
        case Message() | Text():
            return Sentence.of(value, depth=depth).model_dump(mode="json", exclude_none=True)
        case tuple() | list():
            return [_write(v, depth) for v in value]
        case bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _read(value: Any) -> Any:
    match value:
        case {"text": str(), "en": str()}:
            return Sentence.model_validate(value).message()
        case list():
            return tuple(_read(v) for v in value)
        case _:
            return value


class VerdictOutcome(StrEnum):
    """The whole in one word."""

    READY = "ready"
    NOT_READY = "not_ready"
    UNDETERMINED = "undetermined"


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ToolInfo(Frozen):
    """Which program wrote this."""

    name: Literal["vorflug"] = "vorflug"
    version: str


class SizeInfo(Frozen):
    """A sizing class in the profile's words."""

    size: HostSize
    title: LocalText


class ProfileInfo(Frozen):
    """What was demanded."""

    name: str
    version: str
    title: LocalText
    digest: Sha256
    """SHA-256 over the profile's files; see ``docs/report.md``."""
    model: OperatingModel
    size: HostSize
    phase: Phase
    sizes: tuple[SizeInfo, ...] = ()
    thorough: bool = False
    """Whether it was demanded with what takes minutes (``--thorough``)."""


class SiteInfo(Frozen):
    """The customer's values, without secrets; enough to judge the same facts again."""

    given: bool
    """Whether there was a site file."""
    customer: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Only what the site file gave; defaults stay in the profile."""
    confirmations: dict[str, Any] = Field(default_factory=dict)
    """By requirement id: confirmed, by, on, evidence."""
    secrets: tuple[str, ...] = ()
    """The parameters for which a secret was given; neither it nor where it lies is kept."""


class HostInfo(Frozen):
    """Which machine it was."""

    name: str
    identity: str
    """A keyed hash of the machine id, ``sha256:…``: tells machines apart without naming one.

    ``unknown`` where the machine has no id.
    """
    user: str
    elevated: bool
    """Whether the run had root's rights."""
    container: str | None = None
    """The kind of container that the run was in (``docker``, ``podman``, …); empty for none that could be seen.

    None where it could not be found out, or an earlier version wrote this.
    """


class Times(Frozen):
    """When it was seen and judged (UTC)."""

    started: AwareDatetime
    finished: AwareDatetime
    evaluated: AwareDatetime
    interrupted: str | None = None
    """Why the collection ended early: a signal's name or ``deadline``."""


class Counts(Frozen):
    """Findings by outcome.  Technical ones unless the name says otherwise; levels as in the profile."""

    total: int
    """All findings, whatever they are."""
    met: int
    unmet: int
    unknown: int
    not_applicable: int
    must_unmet: int
    must_unknown: int
    should_unmet: int
    confirmations_met: int
    """Organisational ones that somebody confirmed."""
    confirmations_outstanding: int
    """Organisational ones of the phase that nobody has confirmed."""
    confirmations_refused: int
    """Organisational ones that somebody answered with no."""


class VerdictInfo(Frozen):
    """The verdict, and the exit code that went with it."""

    outcome: VerdictOutcome
    exit_code: int
    exit_code_with_confirmations: int
    """What ``--with-confirmations`` ends with."""
    counts: Counts


class CauseInfo(Frozen):
    """What stands behind findings."""

    kind: str
    subject: str
    says: Sentence
    fix: Sentence | None = None


class Root(Frozen):
    """A cause that several findings share, or a finding that others wait for."""

    cause: CauseInfo
    team: Team
    finding: str | None
    """The finding that is about this very thing, if there is one."""
    blocks: tuple[str, ...]
    """The ids of the findings that it blocks."""


class GaugeInfo(Frozen):
    """A capacity as a bar."""

    have: float
    want: float
    unit: str
    of: Sentence | None = None
    """What it measures, where a demand has several parts."""


class SourceInfo(Frozen):
    """Where a demand comes from."""

    id: str
    title: str


class FindingInfo(Frozen):
    """One requirement and what was decided about it."""

    id: str
    kind: str
    subject: str
    nature: Nature
    level: Level
    phases: tuple[Phase, ...]
    models: tuple[OperatingModel, ...]
    team: Team
    basis: Basis
    sources: tuple[SourceInfo, ...]
    title: LocalText
    why: LocalText | None = None
    advice: LocalText
    outcome: Outcome
    reason: str | None = None
    """For *unknown*: the kind of its cause."""
    wanted: Sentence
    seen: Sentence | None
    because: Sentence
    fix: Sentence | None
    cause: CauseInfo | None
    blocked_by: str | None = None
    gauge: GaugeInfo | None = None
    """The capacity that decides."""
    gauges: tuple[GaugeInfo, ...] = ()
    """Every part, where there are several."""
    waiver: None = None


class Judged(Frozen):
    """One requirement judged for another size or model, in short."""

    id: str
    level: Level
    nature: Nature
    outcome: Outcome
    title: LocalText
    wanted: Sentence
    because: Sentence
    gauge: GaugeInfo | None = None


class SizeVerdict(Frozen):
    """The same facts judged for one size."""

    size: HostSize
    verdict: VerdictInfo
    findings: tuple[Judged, ...]
    """Every technical must of that size that is not met, every capacity, and what another size wants otherwise."""


class ModelVerdict(Frozen):
    """The same facts judged for another operating model, at the run's size."""

    model: OperatingModel
    verdict: VerdictInfo
    findings: tuple[Judged, ...]
    """Every technical must of that model that is not met."""
    not_asked: int
    """How many of its musts are unknown because this run did not ask."""


class FactInfo(Frozen):
    """A question and its answer."""

    query: dict[str, Any]
    asks: Sentence
    fact: dict[str, Any] | None = None
    unseen: dict[str, str] | None = None
    """``reason`` and ``detail``."""
    took_s: float


class Report(Frozen):
    """The whole report."""

    schema_: Literal["vorflug/report/1"] = Field("vorflug/report/1", alias="schema")
    tool: ToolInfo
    profile: ProfileInfo
    site: SiteInfo
    host: HostInfo
    times: Times
    verdict: VerdictInfo
    sizes: tuple[SizeVerdict, ...]
    models: tuple[ModelVerdict, ...]
    roots: tuple[Root, ...]
    findings: Annotated[tuple[FindingInfo, ...], Field(min_length=1)]
    facts: tuple[FactInfo, ...]

    model_config = ConfigDict(populate_by_name=True)


class Facts(Frozen):
    """A facts file: what was seen, and enough about the run to judge it anywhere."""

    schema_: Literal["vorflug/facts/1"] = Field("vorflug/facts/1", alias="schema")
    tool: ToolInfo
    profile: ProfileInfo
    site: SiteInfo
    host: HostInfo
    times: Times
    facts: tuple[FactInfo, ...]

    model_config = ConfigDict(populate_by_name=True)
