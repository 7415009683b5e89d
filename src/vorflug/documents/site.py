"""The customer's site file: values for the profile's parameters, and answers to what no program can see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from vorflug.documents import conditions, yamlstrict
from vorflug.documents.fields import check_names, read, seen_at, sentence, unknown_word
from vorflug.documents.parameters import ParameterType, hint, mistakes
from vorflug.documents.problems import DocumentError, Place, Problem, Problems, near
from vorflug.documents.profile import Line, Profile, ProfileName, ProfileVersion, read_file
from vorflug.documents.rows import Missing, Row
from vorflug.documents.yamlstrict import Map, Mark, Seq, place
from vorflug.model.base import Frozen
from vorflug.model.message import Message, msg, visible
from vorflug.model.report import SiteInfo
from vorflug.model.requirement import Answer, HostSize, Nature, OperatingModel, Phase

SCHEMA = "vorflug/site/1"


class Pin(Frozen):
    """The profile that a site file was written for."""

    name: ProfileName
    version: ProfileVersion | None = None

    @property
    def ref(self) -> str:
        """As ``--profile`` takes it."""
        return self.name if self.version is None else f"{self.name}@{self.version}"


class SitePreamble(Frozen):
    """What a site file says besides parameters and confirmations."""

    schema_: Literal["vorflug/site/1"] = Field(alias="schema")
    customer: Line | None = None
    profile: Pin | None = None
    model: OperatingModel | None = None
    """Taken where ``--model`` is not given; likewise size and phase."""
    size: HostSize | None = None
    phase: Phase | None = None


@dataclass(frozen=True)
class Site:
    """A customer's values.  Secrets are in here as references only, never as values."""

    given: bool
    customer: str | None = None
    model: OperatingModel | None = None
    size: HostSize | None = None
    phase: Phase | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """As written, checked against their types."""
    confirmations: Mapping[str, Answer] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Where secrets lie, by parameter: ``{env: NAME}`` or ``{file: PATH}``; ``{given: true}`` where it was not kept."""

    @classmethod
    def empty(cls) -> Site:
        """What there is without a site file."""
        return cls(given=False)

    def answers(self, profile: Profile) -> dict[str, Any]:
        """Every parameter that has a value: given here, else the profile's default."""
        defaults = {name: p.default for name, p in profile.parameters.items() if p.default is not None}
        return {**defaults, **self.parameters}

    def info(self) -> SiteInfo:
        """What reports and facts files keep of it: no secrets, not even where they lie, only that there are."""
        return SiteInfo(
            given=self.given,
            customer=self.customer,
            parameters=plain(self.parameters),
            confirmations={id_: answer.model_dump(mode="json") for id_, answer in self.confirmations.items()},
            secrets=tuple(sorted(self.secrets)),
        )

    def missing(self, profile: Profile, model: OperatingModel | None = None, phase: Phase | None = None) -> list[str]:
        """The required parameters without a value that a requirement waits for, in the profile's order.

        *model*, *phase*: only what their requirements wait for.  A requirement whose ``when`` does not hold waits for
        nothing.
        """
        answers = self.answers(profile)
        waited_for = {name for row in self._asked(profile, model, phase) for name in row.needs}
        return [
            name
            for name, parameter in profile.parameters.items()
            if parameter.required and name in waited_for and name not in answers
        ]

    def outstanding(
        self, profile: Profile, model: OperatingModel | None = None, phase: Phase | None = None
    ) -> list[Row]:
        """The confirmations that nobody has answered, as `missing`."""
        asked = self._asked(profile, model, phase)
        return [row for row in asked if row.nature is Nature.ORGANISATIONAL and row.id not in self.confirmations]

    def _asked(self, profile: Profile, model: OperatingModel | None, phase: Phase | None) -> Iterator[Row]:
        answers = self.answers(profile)
        for row in profile.rows if model is None else profile.rows_of(model):
            phases = next(iter(row.headers.values())).phases
            fails = row.when is not None and isinstance(conditions.judge(row.when, answers), conditions.Fails)
            if not fails and (phase is None or phase in phases):
                yield row


def plain(value: Any) -> Any:
    """*value* as builtin containers."""
    match value:
        case Mapping():
            return {key: plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [plain(entry) for entry in value]
        case _:
            return value


def pinned(path: Path) -> str | None:
    """The profile that the site file names, as ``--profile`` takes it, or None.

    Raises DocumentError only where the file cannot be read at all: `load` names its other mistakes, with all the rest.
    """
    root = yamlstrict.load(read_file(path), str(path), Problems())
    node = root.get("profile")
    pin = read(Pin, node, Problems()) if isinstance(node, Map) else None
    return pin.ref if pin is not None else None


def load(path: Path, profile: Profile, today: date) -> Site:
    """Read a site file for *profile*.  Raises DocumentError with every mistake.

    *today*: a confirmation with a later date has not been given yet, so it is refused.
    """
    return parse(read_file(path), str(path), profile, today)


def parse(data: bytes, file: str, profile: Profile, today: date) -> Site:
    """Read a site file's bytes.  *file* is what messages call it.  Otherwise as `load`."""
    doubts, problems = Problems(), Problems()
    root = yamlstrict.load(data, file, doubts)
    check_names(root, (*_names(), "parameters", "confirmations"), problems)
    head = read(SitePreamble, root.only(_names()), problems)
    if head is not None and head.profile is not None:
        _check_pin(head.profile, root["profile"], profile, problems)
    given = _parameters(root, profile, problems)
    confirmations = _confirmations(root, profile, today, problems)
    _try_rows(given, profile, problems)
    _refuse(doubts, problems)
    if head is None:
        raise AssertionError("a preamble that cannot be read has a problem")  # pragma: no cover
    secret = {n for n in given if profile.parameters[n].type is ParameterType.SECRET}
    return Site(
        given=True,
        customer=head.customer,
        model=head.model,
        size=head.size,
        phase=head.phase,
        parameters={name: plain(value) for name, value in given.items() if name not in secret},
        confirmations=confirmations,
        secrets={name: plain(value) for name, value in given.items() if name in secret},
    )


def _refuse(doubts: Problems, problems: Problems) -> None:
    """Raise DocumentError if anything was noted; what follows from a value with two readings is not said twice."""
    doubtful = {problem.place for problem in doubts.sorted()}
    doubts.extend(problem for problem in problems.sorted() if problem.place not in doubtful)
    doubts.refuse()


def from_info(info: SiteInfo, profile: Profile, today: date, file: str = "facts") -> Site:
    """The site that a facts file or report carries, for *profile*.  Raises DocumentError where a value does not fit.

    *today*: as for `load`.

    Values and answers that another version of the profile knew and this one does not are left aside: the same facts
    are to be judged again, and nothing in this profile could ask for them.
    """
    problems = Problems()
    whole: Mark = (file, 0, 0, "")
    given = Map(whole)
    for name, value in info.parameters.items():
        if name in profile.parameters and profile.parameters[name].type is not ParameterType.SECRET:
            given.put(name, value, whole, whole)
    given = _check_values(given, profile, problems)
    answers: dict[str, Answer] = {}
    for id_, answer in info.confirmations.items():
        row = profile.row(id_)
        if row is None or row.nature is not Nature.ORGANISATIONAL:
            continue
        try:
            answers[id_] = Answer.model_validate(answer)
        except ValidationError:
            problems.add(place(whole), msg("the answer to {id} cannot be read.", id=id_))
        else:
            _check_date(id_, answers[id_], whole, today, problems)
    _try_rows(given, profile, problems)
    problems.refuse()
    secrets = {
        name: {"given": True}
        for name in info.secrets
        if name in profile.parameters and profile.parameters[name].type is ParameterType.SECRET
    }
    return Site(
        given=info.given, customer=info.customer, parameters=dict(given), confirmations=answers, secrets=secrets
    )


def _names() -> tuple[str, ...]:
    return tuple(f.alias or name for name, f in SitePreamble.model_fields.items())


def _check_pin(pin: Pin, node: Any, profile: Profile, problems: Problems) -> None:
    if pin.name != profile.name or pin.version not in (None, profile.version):
        says = msg(
            "this site file was written for the profile {wanted}, but {name}@{version} is asked for.",
            wanted=pin.ref,
            name=profile.name,
            version=profile.version,
        )
        problems.add(place(node.values_at["name"]), says)


def _parameters(root: Map, profile: Profile, problems: Problems) -> Map:
    node = root.get("parameters")
    if node is None:
        return Map(root.at)
    if not isinstance(node, Map):
        mark = root.values_at["parameters"]
        problems.add(place(mark), msg("parameters: wanted names with values, saw {seen}.", seen=seen_at(node, mark)))
        return Map(root.at)
    for name in node:
        if name not in profile.parameters:
            says = _unknown(name, tuple(profile.parameters))
            if _LIKE_A_SECRET.search(name):
                says = msg("{problem} No secret belongs into this file: keep it elsewhere.", problem=says)
            problems.add(place(node.keys_at[name]), says)
    return _check_values(node.only([name for name in node if name in profile.parameters]), profile, problems)


_KIN_AT_MOST = 3


def _unknown(name: str, known: tuple[str, ...]) -> Message:
    """The sentence about a parameter that does not exist: those with a like name, never all of them."""
    sure = near(name, known, cutoff=0.75)
    if sure is not None:
        return unknown_word(msg("parameter"), name, (sure,))
    group, _, last = name.rpartition(".")
    kin = [k for k in known if group and k.partition(".")[0] == group.partition(".")[0]]
    kin += [k for k in known if k.rpartition(".")[2] == last]
    guess = near(name, known)
    first = [guess] if guess is not None else []
    found = tuple(dict.fromkeys((*first, *sorted(kin, key=lambda k: -SequenceMatcher(None, name, k).ratio()))))
    if not found:
        return msg("there is no parameter {name}; vorflug site init lists all.", name=name)
    if len(found) == 1:
        return unknown_word(msg("parameter"), name, found)
    return msg(
        "there is no parameter {name}; did you mean {near:or}? vorflug site init lists all.",
        name=name,
        near=found[:_KIN_AT_MOST],
    )


_LIKE_A_SECRET = re.compile(r"secret|passw|token|api[._-]?key|credential|kennwort", re.IGNORECASE)


def _check_values(node: Map, profile: Profile, problems: Problems) -> Map:
    """Those of the values that are of their parameter's type."""
    fit = []
    for name, value in node.items():
        parameter = profile.parameters[name]
        found = list(mistakes(parameter, value))
        fit += [] if found else [name]
        for path, says in found:
            mark = node.values_at[name]
            seen = value
            if path and isinstance(value, Seq):
                seen, mark = value[path[0]], value.items_at[path[0]]
            if _may_hold_a_secret(parameter.type, seen):
                problems.add(place(mark), sentence(name, says))
                continue
            words: dict[str, Any] = {"name": name, "problem": says, "seen": seen_at(seen, mark)}
            if isinstance(seen, str) and parameter.type in _UNQUOTED:
                words["seen"] = msg("the text '{text}'", text=visible(seen, at_most=60))
            advice = hint(parameter if not path else parameter.model_copy(update={"many": False}), seen)
            if advice is None:
                problems.add(place(mark), msg("{name}: {problem}, saw {seen}.", **words))
            else:
                problems.add(place(mark), msg("{name}: {problem}, saw {seen}; {hint}", hint=advice, **words))
    return node.only(fit)


_UNQUOTED = (ParameterType.INTEGER, ParameterType.PORT, ParameterType.BOOLEAN)
"""Types whose values look the same as a text in quotes."""


def _may_hold_a_secret(type_: ParameterType, seen: Any) -> bool:
    """Whether a refused value is better not shown: a secret itself, or a URL with user name, password or query."""
    if type_ is ParameterType.SECRET or not isinstance(seen, str):
        return type_ is ParameterType.SECRET
    return ("@" in seen and type_ is not ParameterType.EMAIL) or (
        type_ is ParameterType.URL and any(mark in seen for mark in "?#")
    )


def _confirmations(root: Map, profile: Profile, today: date, problems: Problems) -> dict[str, Answer]:
    node = root.get("confirmations")
    if node is None:
        return {}
    if not isinstance(node, Map):
        mark = root.values_at["confirmations"]
        problems.add(place(mark), msg("confirmations: wanted ids with answers, saw {seen}.", seen=seen_at(node, mark)))
        return {}
    every = {row.id: row for row in profile.rows}
    answerable = [row.id for row in profile.confirmations()]
    found: dict[str, Answer] = {}
    for id_, value in node.items():
        at = node.values_at[id_]
        if id_ not in every:
            problems.add(place(node.keys_at[id_]), unknown_word(msg("confirmation"), id_, answerable))
        elif every[id_].nature is not Nature.ORGANISATIONAL:
            says = msg("{id} is looked at by the program: nobody needs to confirm it.", id=id_)
            problems.add(place(node.keys_at[id_]), says)
        elif not isinstance(value, Map):
            says = msg(
                "{id}: wanted the fields confirmed, by, on, evidence, saw {seen}.", id=id_, seen=seen_at(value, at)
            )
            problems.add(place(at), says)
        elif (answer := read(Answer, value, problems)) is not None:
            found[id_] = answer
            _check_date(id_, answer, value.values_at["on"], today, problems)
    return found


def _check_date(id_: str, answer: Answer, mark: Mark, today: date, problems: Problems) -> None:
    if answer.on > today:
        says = msg(
            "{id}: the date {date} lies in the future (nowhere is it later than {today}): write the day on which it "
            "was confirmed.",
            id=id_,
            date=answer.on.isoformat(),
            today=today.isoformat(),
        )
        problems.add(place(mark), says)


def _try_rows(given: Map, profile: Profile, problems: Problems) -> None:
    """Try the given values in every requirement that uses them, so that a run cannot stumble over them later."""
    answers = Site(given=True, parameters=given).answers(profile)
    rows = {id(row): row for model in OperatingModel for row in profile.rows_of(model)}
    for row in rows.values():
        used = [name for name in row.uses if name in given]
        for size in profile.sizes_or_all if used else ():
            found = _trial(row, size, answers, profile)
            if found:
                name = next(
                    (n for n in used if not _trial(row, size, _with_sample(answers, n, profile), profile)), used[0]
                )
                says = msg("{name}: does not suit {id}: {problem}", name=name, id=row.id, problem=found[0].says)
                problems.add(place(given.values_at[name]), says)
                break


def _with_sample(answers: Mapping[str, Any], name: str, profile: Profile) -> dict[str, Any]:
    return {**answers, name: profile.parameters[name].sample}


def _trial(row: Row, size: HostSize, answers: Mapping[str, Any], profile: Profile) -> list[Problem]:
    try:
        made = row.trial(size, answers)
    except Missing:
        # what is not given cannot be wrong (`resolve` says that it is missing): only what a given value gets counts
        sample = {name: profile.parameters[name].sample for name in row.uses}
        made = row.trial(size, {**sample, **answers})
        places = {place(mark) for name, mark in row.uses.items() if name in answers}
        return [problem for problem in made if problem.place in places] if isinstance(made, list) else []
    return made if isinstance(made, list) else []


__all__ = ["SCHEMA", "DocumentError", "Place", "Site", "from_info", "load", "parse", "pinned"]
