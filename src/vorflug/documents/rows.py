"""One requirement as a profile writes it, and the requirement it becomes for a size and a customer's values.

A field's value is itself, ``{param: NAME}`` or ``{S: …, M: …, L: …}``, at any depth.  In a list, a parameter with many
values puts all of them in.  A parameter that may be left out and is takes its field (or list entry) with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vorflug.documents import conditions
from vorflug.documents.conditions import Condition
from vorflug.documents.fields import attempt, seen_at, unknown_field, unknown_word
from vorflug.documents.parameters import Parameter, ParameterType
from vorflug.documents.problems import DocumentError, Problem, Problems, near
from vorflug.documents.yamlstrict import Map, Mark, Seq, place
from vorflug.engine import registry
from vorflug.model.message import msg
from vorflug.model.requirement import Header, HostSize, Nature, Organisational, Requirement

HEADER = tuple(Header.model_fields)
"""The fields that every requirement has, whatever its kind."""
BESIDES = ("kind", "when")
"""The fields of a row that are no field of the requirement."""
_SIZES = frozenset(size.value for size in HostSize)
_BY_SIZE = ("level",)
"""The fields of the header that may differ from size to size."""
_TAKES_PLACE_OF_SECRET = ("key",)
"""Fields that say where a secret lies (``{env: NAME}``, ``{file: /path}``): a port reads it, no requirement has it."""


class Missing(Exception):
    """A required parameter is not given."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


@dataclass(frozen=True)
class Terms:
    """What rows may refer to."""

    parameters: Mapping[str, Parameter]
    sources: Mapping[str, str]
    sizes: tuple[HostSize, ...]
    broken: frozenset[str] = frozenset()
    """Parameters whose declaration has mistakes: rows that mention them cannot be tried."""


@dataclass(frozen=True, eq=False)
class Row:
    """A requirement of a profile, before sizes and parameters are filled in."""

    id: str
    type: type[Requirement]
    node: Map
    """As it is written, overlays included."""
    when: Condition | None
    uses: Mapping[str, Mark]
    """The parameters that its fields refer to, and where."""
    open: frozenset[str]
    """The fields that are filled in later: with a parameter, or by size."""
    terms: Terms
    headers: Mapping[HostSize, Header]
    _built: dict[tuple[HostSize, str], Requirement] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of its requirement."""
        return self.type.kind

    @property
    def nature(self) -> Nature:
        """Technical or organisational."""
        return self.type.nature

    @property
    def needs(self) -> frozenset[str]:
        """Every parameter it looks at, in a field or in ``when``."""
        return frozenset(self.uses) | conditions.parameters_of(self.when)

    @property
    def by_size(self) -> bool:
        """Whether any field of it differs between sizes."""
        return any(_any_by_size(self.node[name]) for name in self.open)

    def requirement(self, size: HostSize, answers: Mapping[str, Any]) -> Requirement:
        """The requirement for *size* with these values.  Raises Missing; DocumentError where a value does not fit."""
        key = (size, repr([(name, answers.get(name)) for name in self.uses]))
        if key not in self._built:
            made = self.trial(size, answers)
            if isinstance(made, list):
                raise DocumentError(made)
            self._built[key] = made
        return self._built[key]

    def trial(self, size: HostSize, answers: Mapping[str, Any]) -> Requirement | list[Problem]:
        """The requirement, or what is wrong with it.  Raises Missing."""
        return _Draft(self.type, self.node, self.open, self.terms).build(size, answers)


def fields_of(type_: type[Requirement]) -> tuple[str, ...]:
    """What a row of this kind may hold besides the header; a person's answer comes from the site file."""
    own = [name for name in type_.model_fields if name not in HEADER]
    return tuple(name for name in own if not (issubclass(type_, Organisational) and name == "answer"))


def read(node: Any, mark: Mark, terms: Terms, problems: Problems) -> Row | None:
    """Read one row and try it for every size with values that fit.  What is wrong goes to *problems*."""
    if not isinstance(node, Map):
        problems.add(place(mark), msg("wanted the fields of a requirement, saw {seen}.", seen=seen_at(node, mark)))
        return None
    type_ = _type(node, problems)
    if type_ is None or (terms.broken and _mentions(node, terms.broken)):
        return None
    # of this row alone: an overlay reads a row again, and what was said once already is not counted twice
    own = Problems()
    row = _read(node, type_, terms, own)
    problems.extend(own.sorted())
    return row


def _read(node: Map, type_: type[Requirement], terms: Terms, problems: Problems) -> Row | None:
    known = (*HEADER, *BESIDES, *fields_of(type_))
    unknown = [name for name in node if name not in known]
    meant = {near(name, [k for k in known if k not in node]) for name in unknown}
    for name in unknown:
        problems.add(place(node.keys_at[name]), unknown_field(name, known, node))
    node = node.only(known)
    when = None
    if "when" in node:
        when = conditions.read(node["when"], node.values_at["when"], terms.parameters, problems)
    uses: dict[str, Mark] = {}
    open_ = frozenset(
        name
        for name in node
        if name not in BESIDES and _References(name, terms, uses, problems).any_in(node[name], node.values_at[name])
    )
    _check_sources(node, terms, problems)
    made: dict[HostSize, Requirement] = {}
    if len(problems) == len(unknown):
        # a misspelled field is also a missing one: say it once
        found = _Draft(type_, node, open_, terms).tried(when, uses, made)
        problems.extend(p for p in found if p.says.values.get("field") not in meant)
    if len(problems) or not made:
        return None
    first = _header(next(iter(made.values())))
    headers = {size: first if "level" not in open_ else _header(one) for size, one in made.items()}
    return Row(str(node["id"]), type_, node, when, uses, open_, terms, headers)


def _type(node: Map, problems: Problems) -> type[Requirement] | None:
    if "kind" not in node:
        wrote = near("kind", [name for name in node if name not in HEADER])
        if wrote is None:
            says = msg("the field {field} is missing; it wants one of the kinds of requirement.", field="kind")
            problems.add(place(node.at), says)
        else:
            problems.add(place(node.keys_at[wrote]), unknown_field(wrote, ["kind"]))
        return None
    kind, mark = node["kind"], node.values_at["kind"]
    type_ = registry.requirement(kind) if isinstance(kind, str) else None
    if type_ is None:
        known = tuple(registry.requirements())
        problems.add(place(mark), unknown_word(msg("kind of requirement"), mark[3] or str(kind), known))
    return type_


def _mentions(node: Any, parameters: frozenset[str]) -> bool:
    match node:
        case Map():
            return node.get("param") in parameters or any(_mentions(value, parameters) for value in node.values())
        case Seq():
            return any(_mentions(value, parameters) for value in node)
        case _:
            return False


def _check_sources(node: Map, terms: Terms, problems: Problems) -> None:
    sources = node.get("sources")
    if isinstance(sources, Seq):
        for source, mark in zip(sources, sources.items_at, strict=True):
            if isinstance(source, str) and source not in terms.sources:
                problems.add(place(mark), unknown_word(msg("source"), source, tuple(terms.sources)))


def _is_reference(node: Any) -> bool:
    return isinstance(node, Map) and set(node) == {"param"}


def _is_by_size(node: Any) -> bool:
    return isinstance(node, Map) and bool(node) and set(node) <= _SIZES


def _any_by_size(node: Any) -> bool:
    match node:
        case Map():
            return _is_by_size(node) or any(_any_by_size(value) for value in node.values())
        case Seq():
            return any(_any_by_size(value) for value in node)
        case _:
            return False


@dataclass(frozen=True)
class _References:
    """Checks every ``{param: …}`` and ``{S: …}`` of a field, and notes the parameters in *uses*."""

    field: str
    terms: Terms
    uses: dict[str, Mark]
    problems: Problems

    def any_in(self, node: Any, mark: Mark) -> bool:
        """Check all of *node*; whether there is any."""
        match node:
            case Seq():
                entries = [self.any_in(entry, at) for entry, at in zip(node, node.items_at, strict=True)]
                return any(entries)
            case Map() if _is_reference(node) or _is_by_size(node):
                self._check(node, mark)
                return True
            case Map():
                entries = [self.any_in(node[key], node.values_at[key]) for key in node]
                return any(entries)
            case _:
                return False

    def _check(self, node: Map, mark: Mark) -> None:
        reference = _is_reference(node)
        if self.field in HEADER and (reference or self.field not in _BY_SIZE):
            says = msg("{field} is the same for every customer and size: write its value.", field=self.field)
            self.problems.add(place(mark), says)
        elif reference:
            self._parameter(node["param"], node.values_at["param"])
        else:
            self._sizes(node, mark)

    def _parameter(self, name: Any, mark: Mark) -> None:
        parameters = self.terms.parameters
        if not isinstance(name, str) or name not in parameters:
            self.problems.add(place(mark), unknown_word(msg("parameter"), str(name), tuple(parameters)))
        elif parameters[name].type is ParameterType.SECRET and self.field not in _TAKES_PLACE_OF_SECRET:
            self.problems.add(place(mark), msg("{name} is a secret: no requirement may show it.", name=name))
        else:
            self.uses.setdefault(name, mark)

    def _sizes(self, node: Map, mark: Mark) -> None:
        known = [size.value for size in self.terms.sizes]
        lacking = tuple(size for size in known if size not in node)
        if lacking:
            says = msg("{field}: no value for the size {sizes:list}.", field=self.field, sizes=lacking)
            self.problems.add(place(mark), says)
        for size in node:
            if size not in known:
                self.problems.add(place(node.keys_at[size]), unknown_word(msg("size"), size, known))
            self.any_in(node[size], node.values_at[size])


class _LeftOut:
    """Stands for the value of a parameter that may be left out and is."""


_LEFT_OUT = _LeftOut()


def _fill(
    node: Any, mark: Mark, size: HostSize, answers: Mapping[str, Any], parameters: Mapping[str, Parameter]
) -> tuple[Any, Mark]:
    """*node* with sizes and parameters filled in; every value keeps the place it came from."""
    if _is_reference(node):
        name = node["param"]
        if name in answers:
            value = answers[name]
            at = node.values_at["param"]
            at = (at[0], at[1], at[2], "")  # what stands there is the name, not the value
            return (_list(value, at) if isinstance(value, list | tuple) else value), at
        if parameters[name].required:
            raise Missing(name)
        return _LEFT_OUT, mark
    if _is_by_size(node):
        return _fill(node[size.value], node.values_at[size.value], size, answers, parameters)
    if isinstance(node, Map):
        filled = Map(node.at)
        for key, entry in node.items():
            value, at = _fill(entry, node.values_at[key], size, answers, parameters)
            if value is not _LEFT_OUT:
                filled.put(key, value, node.keys_at[key], at)
        return filled, mark
    if isinstance(node, Seq):
        items = Seq(node.at)
        for entry, entry_at in zip(node, node.items_at, strict=True):
            value, at = _fill(entry, entry_at, size, answers, parameters)
            if _is_reference(entry) and isinstance(value, Seq):
                for one in value:
                    items.put(one, at)
            elif value is not _LEFT_OUT:
                items.put(value, at)
        return items, mark
    return node, mark


def _list(values: Sequence[Any], at: Mark) -> Seq:
    made = Seq(at)
    for value in values:
        made.put(value, at)
    return made


@dataclass(frozen=True)
class _Draft:
    """A row's fields on their way to a requirement."""

    type: type[Requirement]
    node: Map
    open: frozenset[str]
    terms: Terms

    def build(self, size: HostSize, answers: Mapping[str, Any]) -> Requirement | list[Problem]:
        """The requirement, or what is wrong with it.  Raises Missing."""
        filled = self.node.without(BESIDES)
        for name in [n for n in self.node if n in self.open]:  # as written, so that one run is like the next
            value, at = _fill(filled[name], filled.values_at[name], size, answers, self.terms.parameters)
            if value is _LEFT_OUT:
                filled.drop(name)
            else:
                filled.put(name, value, filled.keys_at[name], at)
        return attempt(self.type, filled)

    def tried(
        self, when: Condition | None, uses: Mapping[str, Mark], made: dict[HostSize, Requirement]
    ) -> list[Problem]:
        """Build it for every size, for every choice, and without what may be left out; plain ones go to *made*."""
        parameters = self.terms.parameters
        sample = {name: parameters[name].sample for name in uses}
        for size in self.terms.sizes:
            one = self.build(size, sample) if self.open or not made else next(iter(made.values()))
            if isinstance(one, list):
                return one
            made[size] = one
        for answers in _choices(sample, parameters):
            for size in self.terms.sizes:
                one = self.build(size, answers)
                if isinstance(one, list):
                    return one
        return [
            Problem(
                place(mark),
                msg(
                    "the parameter {name} may be left out, but this field has no default: "
                    "give the parameter 'required: true' or a default.",
                    name=name,
                ),
            )
            for name, mark in uses.items()
            if not self._can_do_without(name, sample, when)
        ]

    def _can_do_without(self, name: str, sample: Mapping[str, Any], when: Condition | None) -> bool:
        parameter = self.terms.parameters[name]
        if parameter.required or parameter.default is not None or name in conditions.answered_by(when):
            return True
        without = {other: value for other, value in sample.items() if other != name}
        return not isinstance(self.build(self.terms.sizes[0], without), list)


def _choices(sample: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> Iterator[dict[str, Any]]:
    for name in sample:
        for value in parameters[name].choices:
            yield {**sample, name: value}


def _header(requirement: Requirement) -> Header:
    return Header.model_construct(**{name: getattr(requirement, name) for name in HEADER})
