"""The words that every renderer shares, and the one way a report's sentences are said.  Pure."""

from __future__ import annotations

from vorflug.engine import registry
from vorflug.model.cause import TEAM_NAMES, Team
from vorflug.model.message import Message, Text, Translate, msg, render, visible
from vorflug.model.report import GaugeInfo, Sentence, VerdictOutcome
from vorflug.model.requirement import LEVEL_NAMES, PHASE_NAMES, Basis, LocalText, OperatingModel, Outcome
from vorflug.texts import translator

Said = Sentence | LocalText | Message | Text | str | None
"""Whatever a report or a renderer can put into words."""

_LONGEST = 4000
"""No single sentence is longer on any page (characters); the whole stands in ``report.json``."""

VERDICTS: dict[VerdictOutcome, Message] = {
    VerdictOutcome.READY: msg("ready"),
    VerdictOutcome.NOT_READY: msg("not ready"),
    VerdictOutcome.UNDETERMINED: msg("undetermined"),
}

OUTCOMES: dict[Outcome, Message] = {
    Outcome.MET: msg("met"),
    Outcome.UNMET: msg("not met"),
    Outcome.UNKNOWN: msg("undetermined"),
    Outcome.NOT_APPLICABLE: msg("does not apply"),
}

LEVELS = LEVEL_NAMES

PHASES = PHASE_NAMES

BASES: dict[Basis, Message] = {
    Basis.VENDOR: msg("vendor document"),
    Basis.UPSTREAM: msg("upstream documentation"),
    Basis.NORM: msg("standard or law"),
    Basis.RUNBOOK: msg("delivery runbook"),
    Basis.DERIVED: msg("derived"),
}

MODELS: dict[OperatingModel, str] = {
    OperatingModel.SAAS: "SaaS",
    OperatingModel.COMPOSE: "Compose",
    OperatingModel.KUBERNETES: "Kubernetes",
    OperatingModel.HYBRID: "Hybrid",
}
"""Proper names: the same in every language."""

SHORT_TEAMS: dict[Team, Message] = {
    Team.OS: msg("Server"),
    Team.NETWORK: msg("Network"),
    Team.PROXY: msg("Proxy"),
    Team.DNS: msg("DNS"),
    Team.PKI: msg("PKI"),
    Team.IAM: msg("Identity"),
    Team.PLATFORM: msg("Platform"),
    Team.DBA: msg("Database"),
    Team.STORAGE: msg("Disks"),
    Team.MONITORING: msg("Monitoring"),
    Team.PROJECT: msg("Project"),
}
"""At most ten characters, for the terminal's left column."""


class Speaker:
    """Says things in one language.  What it returns holds no control, format or bidirectional character."""

    def __init__(self, language: str) -> None:
        """Raise FileNotFoundError where the catalogue of *language* is missing from the build."""
        self.language = language
        self._translate: Translate = translator(language)

    def __call__(self, said: Said) -> str:
        """*said* in this language; nothing for None."""
        match said:
            case None:
                return ""
            case str():
                return visible(said)
            case LocalText():
                text = said.de if self.language == "de" else said.en
            case Sentence():
                text = self._sentence(said)
            case Message() | Text():
                text = render(said, self._translate, self.language)
        # a report may come from anywhere: its templates are no more trusted than its values
        return visible(text, at_most=_LONGEST)

    def _sentence(self, sentence: Sentence) -> str:
        try:
            return render(sentence.message(), self._translate, self.language)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            # template and values do not fit together (another version wrote it): its own English is still there
            return sentence.en

    def team(self, team: Team) -> str:
        """The team's full name."""
        return self(TEAM_NAMES[team])

    def subject(self, subject: str) -> str:
        """The heading of a subject; its bare name where this version has no such area."""
        return self(registry.title(subject)) if subject in registry.names() else visible(subject)


def inside(container: str) -> Message:
    """What a run in a container hides; the sentence stands right under the verdict."""
    return msg(
        "This ran inside a container ({container}): it shows the container's own files, processes and network. Those "
        "of the machine, its firewall and limits further up are not visible. Run it on the machine itself as well.",
        container=container,
    )


def amounts(gauge: GaugeInfo) -> Message:
    """A capacity in words: the text beside, and in place of, its bar."""
    match gauge.unit:
        case "B":
            return msg("{have:size} there, {want:size} wanted", have=gauge.have, want=gauge.want)
        case "s":
            return msg("{have:duration} measured, {want:duration} wanted", have=gauge.have, want=gauge.want)
        case "bit/s":
            return msg("{have:rate} measured, {want:rate} wanted", have=gauge.have, want=gauge.want)
        case _:
            return msg("{have} there, {want} wanted", have=gauge.have, want=gauge.want)
