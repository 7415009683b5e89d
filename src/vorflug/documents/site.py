"""The customer's site file: values for the profile's parameters, and answers to what no program can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from vorflug.documents import conditions, yamlstrict
from vorflug.documents.fields import check_names, read, seen_at, sentence, unknown_word
from vorflug.documents.parameters import ParameterType, mistakes
from vorflug.documents.problems import DocumentError, Place, Problem, Problems
from vorflug.documents.profile import Line, Profile, ProfileName, ProfileVersion, read_file
from vorflug.documents.rows import Missing, Row
from vorflug.documents.yamlstrict import Map, Mark, Seq, place
from vorflug.model.base import Frozen
from vorflug.model.message import msg
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
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Where secrets lie: ``{env: NAME}`` or ``{file: PATH}``, by parameter."""

    @classmethod
    def empty(cls) -> Site:
        """What there is without a site file."""
        return cls(given=False)

    def answers(self, profile: Profile) -> dict[str, Any]:
        """Every parameter that has a value: given here, else the profile's default."""
        defaults = {name: p.default for name, p in profile.parameters.items() if p.default is not None}
        return {**defaults, **self.parameters}

    def info(self) -> SiteInfo:
        """What reports and facts files keep of it: no secrets, not even where they lie."""
        return SiteInfo(
            given=self.given,
            customer=self.customer,
            parameters=plain(self.parameters),
            confirmations={id_: answer.model_dump(mode="json") for id_, answer in self.confirmations.items()},
        )

    def missing(self, profile: Profile, model: OperatingModel | None = None) -> list[str]:
        """The required parameters without a value that a requirement waits for, in the profile's order.

        *model*: only what its requirements wait for.  A requirement whose ``when`` does not hold waits for nothing.
        """
        answers = self.answers(profile)
        waited_for: set[str] = set()
        for row in profile.rows if model is None else profile.rows_of(model):
            if row.when is None or not isinstance(conditions.judge(row.when, answers), conditions.Fails):
                waited_for |= row.needs
        return [
            name
            for name, parameter in profile.parameters.items()
            if parameter.required and name in waited_for and name not in answers
        ]


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
    """The profile that the site file names, as ``--profile`` takes it, or None.  Raises DocumentError."""
    problems = Problems()
    root = yamlstrict.load(read_file(path), str(path))
    head = read(SitePreamble, root.only(_names()), problems)
    problems.refuse()
    return head.profile.ref if head is not None and head.profile is not None else None


def load(path: Path, profile: Profile) -> Site:
    """Read a site file for *profile*.  Raises DocumentError with every mistake."""
    return parse(read_file(path), str(path), profile)


def parse(data: bytes, file: str, profile: Profile) -> Site:
    """Read a site file's bytes.  *file* is what messages call it.  Raises DocumentError with every mistake."""
    problems = Problems()
    root = yamlstrict.load(data, file)
    check_names(root, (*_names(), "parameters", "confirmations"), problems)
    head = read(SitePreamble, root.only(_names()), problems)
    if head is not None and head.profile is not None:
        _check_pin(head.profile, root["profile"], profile, problems)
    given = _parameters(root, profile, problems)
    confirmations = _confirmations(root, profile, problems)
    problems.refuse()
    if head is None:
        raise AssertionError("a preamble that cannot be read has a problem")  # pragma: no cover
    secret = {n for n in given if profile.parameters[n].type is ParameterType.SECRET}
    site = Site(
        given=True,
        customer=head.customer,
        model=head.model,
        size=head.size,
        phase=head.phase,
        parameters={name: plain(value) for name, value in given.items() if name not in secret},
        confirmations=confirmations,
        secrets={name: plain(value) for name, value in given.items() if name in secret},
    )
    _try_rows(site, profile, given.values_at, problems)
    problems.refuse()
    return site


def from_info(info: SiteInfo, profile: Profile, file: str = "facts") -> Site:
    """The site that a facts file or report carries, for *profile*.  Raises DocumentError where a value does not fit.

    Values and answers that another version of the profile knew and this one does not are left aside: the same facts
    are to be judged again, and nothing in this profile could ask for them.
    """
    problems = Problems()
    whole: Mark = (file, 0, 0, "")
    given = Map(whole)
    for name, value in info.parameters.items():
        if name in profile.parameters and profile.parameters[name].type is not ParameterType.SECRET:
            given.put(name, value, whole, whole)
    _check_values(given, profile, problems)
    answers: dict[str, Answer] = {}
    for id_, answer in info.confirmations.items():
        row = profile.row(id_)
        if row is None or row.nature is not Nature.ORGANISATIONAL:
            continue
        try:
            answers[id_] = Answer.model_validate(answer)
        except ValidationError:
            problems.add(place(whole), msg("the answer to {id} cannot be read.", id=id_))
    problems.refuse()
    site = Site(given=info.given, customer=info.customer, parameters=dict(given), confirmations=answers)
    _try_rows(site, profile, given.values_at, problems)
    problems.refuse()
    return site


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
            problems.add(place(node.keys_at[name]), unknown_word(msg("parameter"), name, tuple(profile.parameters)))
    known = node.only([name for name in node if name in profile.parameters])
    _check_values(known, profile, problems)
    return known


def _check_values(node: Map, profile: Profile, problems: Problems) -> None:
    for name, value in node.items():
        for path, says in mistakes(profile.parameters[name], value):
            mark = node.values_at[name]
            seen = value
            if path and isinstance(value, Seq):
                seen, mark = value[path[0]], value.items_at[path[0]]
            if _may_hold_a_secret(profile.parameters[name].type, seen):
                problems.add(place(mark), sentence(name, says))
            else:
                shown = seen_at(seen, mark)
                problems.add(place(mark), msg("{name}: {problem}, saw {seen}.", name=name, problem=says, seen=shown))


def _may_hold_a_secret(type_: ParameterType, seen: Any) -> bool:
    """Whether a refused value is better not shown: a secret itself, or a URL with user name and password."""
    return type_ is ParameterType.SECRET or (isinstance(seen, str) and "@" in seen and type_ is not ParameterType.EMAIL)


def _confirmations(root: Map, profile: Profile, problems: Problems) -> dict[str, Answer]:
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
    return found


def _try_rows(site: Site, profile: Profile, marks: Mapping[str, Mark], problems: Problems) -> None:
    """Try the given values in every requirement that uses them, so that a run cannot stumble over them later."""
    answers = site.answers(profile)
    rows = {id(row): row for model in OperatingModel for row in profile.rows_of(model)}
    for row in rows.values():
        given = [name for name in row.uses if name in site.parameters]
        for size in profile.sizes_or_all if given else ():
            found = _trial(row, size, answers)
            if found:
                name = next((n for n in given if not _trial(row, size, _with_sample(answers, n, profile))), given[0])
                says = msg("{name}: does not suit {id}: {problem}", name=name, id=row.id, problem=found[0].says)
                problems.add(place(marks[name]), says)
                break


def _with_sample(answers: Mapping[str, Any], name: str, profile: Profile) -> dict[str, Any]:
    return {**answers, name: profile.parameters[name].sample}


def _trial(row: Row, size: HostSize, answers: Mapping[str, Any]) -> list[Problem]:
    try:
        made = row.trial(size, answers)
    except Missing:
        return []  # what is not given cannot be wrong; `resolve` says that it is missing
    return made if isinstance(made, list) else []


__all__ = ["SCHEMA", "DocumentError", "Place", "Site", "from_info", "load", "parse", "pinned"]
