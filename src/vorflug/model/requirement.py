"""What a profile demands, and what is decided about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.cause import Cause, Team
from vorflug.model.contact import Contact
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Query


class Level(StrEnum):
    """How much it matters.  Set by the profile, never by a probe."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


LEVEL_NAMES: dict[Level, Message] = {
    Level.MUST: msg("must"),
    Level.SHOULD: msg("should"),
    Level.INFO: msg("note"),
}
"""How a level is called where people read it."""


class Nature(StrEnum):
    """Who can answer: a program that looks, or only a person."""

    TECHNICAL = "technical"
    ORGANISATIONAL = "organisational"


class OperatingModel(StrEnum):
    """How the product is run."""

    SAAS = "saas"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    HYBRID = "hybrid"


class Phase(StrEnum):
    """When in the delivery a requirement must hold."""

    PRE_INSTALL = "pre-install"
    TEST_DEPLOYMENT = "test-deployment"
    GO_LIVE = "go-live"
    OPERATIONS = "operations"


PHASE_NAMES: dict[Phase, Message] = {
    Phase.PRE_INSTALL: msg("before installation"),
    Phase.TEST_DEPLOYMENT: msg("test deployment"),
    Phase.GO_LIVE: msg("go-live"),
    Phase.OPERATIONS: msg("operations"),
}
"""How a phase is called where people read it."""


class HostSize(StrEnum):
    """The sizing class."""

    S = "S"
    M = "M"
    L = "L"


class Basis(StrEnum):
    """What a requirement rests on.  Vendor facts come from published documents and need the vendor's confirmation."""

    VENDOR = "vendor"
    UPSTREAM = "upstream"
    NORM = "norm"
    RUNBOOK = "runbook"
    DERIVED = "derived"


class Outcome(StrEnum):
    """The four things that can be decided.  *unknown* is never *met*."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class LocalText(Frozen):
    """A profile's sentence in both languages."""

    en: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    de: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


RequirementId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*(\.[a-z][a-z0-9-]*)*$", max_length=64)
]


class Header(Frozen):
    """What a profile says about a requirement besides the demand itself."""

    id: RequirementId
    title: LocalText
    """The wished-for state, as a noun phrase."""
    why: LocalText | None = None
    """Why it is asked; shown by ``vorflug explain``."""
    advice: LocalText
    """What to do when it is not met, in the profile's words; stands beside the fix that was computed."""
    level: Level = Level.MUST
    models: Annotated[tuple[OperatingModel, ...], Field(min_length=1)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    team: Team
    basis: Basis
    sources: tuple[str, ...] = ()
    """Keys of the profile's list of sources."""


@dataclass(frozen=True)
class Gauge:
    """A capacity to draw as a bar: what is there, and the mark that is wanted, in the same unit."""

    have: float
    want: float
    unit: str
    """``B`` (bytes), ``1`` (a count), ``s`` or ``bit/s``."""
    of: Message | None = None
    """What it measures, where a demand has several parts: the file system and the paths on it."""


@dataclass(frozen=True)
class Verdict:
    """A decision: what was wanted, what was seen, why it was decided so, and what to do about it."""

    outcome: Outcome
    wanted: Message
    seen: Message | None
    because: Message
    fix: Message | None = None
    cause: Cause | None = None
    gauge: Gauge | None = None
    """The capacity that decides: of several parts the one that fits worst."""
    gauges: tuple[Gauge, ...] = ()
    """Every part, where there are several."""


def met(
    *, wanted: Message, seen: Message, because: Message, gauge: Gauge | None = None, gauges: tuple[Gauge, ...] = ()
) -> Verdict:
    """The requirement is satisfied."""
    return Verdict(Outcome.MET, wanted, seen, because, gauge=gauge, gauges=gauges)


def unmet(
    *,
    wanted: Message,
    seen: Message,
    because: Message,
    fix: Message,
    cause: Cause | None = None,
    gauge: Gauge | None = None,
    gauges: tuple[Gauge, ...] = (),
) -> Verdict:
    """It is not; *fix* is not optional, because a refusal without advice is rude."""
    return Verdict(Outcome.UNMET, wanted, seen, because, fix, cause, gauge, gauges)


def unknown(
    *,
    wanted: Message,
    because: Message,
    seen: Message | None = None,
    fix: Message | None = None,
    cause: Cause | None = None,
) -> Verdict:
    """It could not be decided.  *fix* says how it can be."""
    return Verdict(Outcome.UNKNOWN, wanted, seen, because, fix, cause)


def not_applicable(*, wanted: Message, because: Message, seen: Message | None = None) -> Verdict:
    """What was seen makes the demand pointless (an XFS question on ext4).  Say what was seen."""
    return Verdict(Outcome.NOT_APPLICABLE, wanted, seen, because)


_ENCRYPTED = ("https", "wss")
"""Protocols that TLS inspection can open."""


class Requirement(Header, ABC):
    """One demand of a profile.  Subclasses in ``areas/`` add the demand's own fields.

    A field's value may be written in a profile as itself, as ``{param: NAME}`` or as ``{S: …, M: …, L: …}``;
    it is resolved before a requirement is made, so code here only ever sees plain values.
    """

    kind: ClassVar[str]
    nature: ClassVar[Nature] = Nature.TECHNICAL
    networked: ClassVar[bool] = False
    """Its fields name who is connected to: while a value is missing, a row of the firewall request may be, too."""

    @abstractmethod
    def wanted(self) -> Message:
        """The demand as a short phrase for the *wanted* column: "at least 32 GB"."""

    @abstractmethod
    def queries(self, known: Evidence) -> Sequence[Query[Any]]:
        """What must be asked to judge this, given what is *known* so far.

        Asked with nothing known for the plan, then again after each answer until it names nothing new
        (three rounds at most).  Always names the earlier questions again.
        """

    @abstractmethod
    def judge(self, evidence: Evidence) -> Verdict:
        """Decide.  Pure: the same evidence gives the same verdict, anywhere.  May raise `NotSeen`."""

    def then(self) -> Message | None:
        """One sentence for the plan about questions that follow from answers; None where there are none."""
        return None

    def flows(self) -> tuple[Contact, ...]:
        """What the product needs over the network: the rows of the firewall request.

        Unless an area knows more, what the questions contact.
        """
        exempt, serves = self.tls_exempt(), self.serves()
        seen = (c for query in self.queries(Evidence()) for c in query.contacts() if c.over_the_network)
        return tuple(
            replace(c, exempt=exempt if c.protocol in _ENCRYPTED else None, purpose=c.purpose or serves) for c in seen
        )

    def serves(self) -> Message | None:
        """What its connections are for, as a short phrase; None where the title says it."""
        return None

    def tls_exempt(self) -> Message | None:
        """Why TLS inspection must leave these connections alone; None where nothing asks for that."""
        return None

    def thorough(self) -> Requirement:
        """The demand where the run may take minutes (``--thorough``); unless a kind knows better, the same one."""
        return self

    def about(self, evidence: Evidence) -> Cause | None:  # noqa: ARG002 - subclasses look
        """The cause that this requirement is itself about, so that its finding becomes the root of the others."""
        return None


class Answer(Frozen):
    """A person's answer to what no program can see."""

    confirmed: bool
    by: Annotated[str, StringConstraints(min_length=2, max_length=200)]
    on: date
    evidence: Annotated[str, StringConstraints(max_length=500)] = ""


class Organisational(Requirement, ABC):
    """A requirement that only a person can confirm.  The loader fills *answer* from the site file."""

    nature: ClassVar[Nature] = Nature.ORGANISATIONAL
    answer: Answer | None = None


@dataclass(frozen=True)
class Pending:
    """A requirement that cannot be put because a value is missing.  Always judged *unknown*."""

    header: Header
    kind: str
    nature: Nature
    cause: Cause
    wanted: Message = field(default_factory=lambda: msg("a value in the site file"))
    """What will be demanded once the value is there, as far as that is known."""


@dataclass(frozen=True)
class Excluded:
    """A requirement that does not apply here: another phase, or a ``when:`` that does not hold."""

    header: Header
    kind: str
    nature: Nature
    because: Message


Item = Requirement | Pending | Excluded
"""One row of a resolved profile."""


def header_of(item: Item) -> Header:
    """The profile's words about *item*, whichever kind of row it is."""
    return item if isinstance(item, Requirement) else item.header


@dataclass(frozen=True)
class Finding:
    """An item and its verdict: one row of the report."""

    item: Item
    subject: str
    """The area that judges it."""
    verdict: Verdict
    blocked_by: str | None = None
    """The id of the requirement whose finding is the root of this one."""

    @property
    def header(self) -> Header:
        """The profile's words about it."""
        return header_of(self.item)

    @property
    def nature(self) -> Nature:
        """Technical or organisational."""
        return self.item.nature
