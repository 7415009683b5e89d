"""A requirements profile: a base file, overlays for operating models, and what they demand."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from vorflug.documents import rows, yamlstrict
from vorflug.documents.fields import check_names, read, seen_at, unknown_word
from vorflug.documents.parameters import Parameter, ParameterName
from vorflug.documents.problems import DocumentError, Place, Problem, Problems
from vorflug.documents.rows import Row, Terms
from vorflug.documents.yamlstrict import MOST_BYTES, Map, Mark, Seq, place
from vorflug.model.base import Frozen
from vorflug.model.message import msg
from vorflug.model.report import ProfileInfo, SizeInfo
from vorflug.model.requirement import Header, HostSize, LocalText, Nature, OperatingModel, Phase, RequirementId

SCHEMA = "vorflug/profile/1"
OVERLAY_SCHEMA = "vorflug/overlay/1"
BASE_NAME = "profile.yaml"
"""The base file of a profile's folder."""

FileName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*\.ya?ml$", max_length=64), Field(examples=["kubernetes.yaml"])
]
SourceId = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", max_length=32), Field(examples=["V-REQ"])
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]
ProfileName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64), Field(examples=["ai-audit-assist"])
]
ProfileVersion = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$", max_length=32),
    Field(examples=["1.0.0"]),
]


class SizeText(Frozen):
    """A sizing class in words."""

    title: LocalText


class Preamble(Frozen):
    """What a profile says before its requirements."""

    schema_: Literal["vorflug/profile/1"] = Field(alias="schema")
    name: ProfileName
    version: ProfileVersion
    title: LocalText
    published: date
    sizes: dict[HostSize, SizeText] = Field(default_factory=dict)
    sources: dict[SourceId, Line] = Field(default_factory=dict)
    overlays: dict[OperatingModel, FileName] = Field(default_factory=dict)


class OverlayPreamble(Frozen):
    """What an overlay says before its changes."""

    schema_: Literal["vorflug/overlay/1"] = Field(alias="schema")
    extends: FileName
    """The base file's name; it lies in the same folder."""
    model: OperatingModel


@dataclass(frozen=True, eq=False)
class Profile:
    """A loaded profile.  Everything in it has been tried for every size: what loads can be resolved."""

    file: str
    """The base file, as it is named in messages."""
    preamble: Preamble
    parameters: Mapping[str, Parameter]
    by_model: Mapping[OperatingModel, tuple[Row, ...]]
    digest: str
    """SHA-256 over the lines ``<SHA-256 of a file>  <its name>``, sorted by name: base and overlays."""

    @property
    def name(self) -> str:
        """Its name, without version."""
        return self.preamble.name

    @property
    def version(self) -> str:
        """Three numbers with dots."""
        return self.preamble.version

    @property
    def title(self) -> LocalText:
        """Its name in words."""
        return self.preamble.title

    @property
    def sources(self) -> Mapping[str, str]:
        """What its demands rest on, by key."""
        return self.preamble.sources

    @property
    def sizes(self) -> tuple[SizeInfo, ...]:
        """Its sizes in words; empty where it has none."""
        return tuple(SizeInfo(size=size, title=text.title) for size, text in self.preamble.sizes.items())

    @property
    def sizes_or_all(self) -> tuple[HostSize, ...]:
        """The sizes it can be resolved for."""
        return tuple(size for size in HostSize if size in self.preamble.sizes) or tuple(HostSize)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row for each id of any operating model: the base's where it is there, else an overlay's."""
        every: dict[str, Row] = {}
        # compose has no overlay as a rule, so its rows are the plain ones
        for model in (OperatingModel.COMPOSE, *OperatingModel):
            for row in self.by_model[model]:
                every.setdefault(row.id, row)
        return tuple(every.values())

    @property
    def models(self) -> tuple[OperatingModel, ...]:
        """The operating models that it has requirements for."""
        return tuple(model for model in OperatingModel if self.by_model[model])

    def rows_of(self, model: OperatingModel) -> tuple[Row, ...]:
        """The rows that this operating model has, in the profile's order."""
        return self.by_model[model]

    def row(self, id_: str) -> Row | None:
        """The row with this id."""
        return next((row for row in self.rows if row.id == id_), None)

    def confirmations(self, model: OperatingModel | None = None) -> tuple[Row, ...]:
        """The rows that a person must answer."""
        every = self.rows if model is None else self.rows_of(model)
        return tuple(row for row in every if row.nature is Nature.ORGANISATIONAL)

    def info(self, model: OperatingModel, size: HostSize, phase: Phase, *, thorough: bool = False) -> ProfileInfo:
        """What reports say about it."""
        return ProfileInfo(
            name=self.name,
            version=self.version,
            title=self.title,
            digest=self.digest,
            model=model,
            size=size,
            phase=phase,
            sizes=self.sizes,
            thorough=thorough,
        )


def load(path: Path) -> Profile:
    """Read a profile from its base file, or from the folder that holds a ``profile.yaml``.  Raises DocumentError."""
    # os.path: what may not be looked at is refused by read_file, with the reason
    base = path / BASE_NAME if os.path.isdir(path) else path  # noqa: PTH112
    return parse(str(base), base.name, lambda name: read_file(base.parent / name))


def read_file(path: Path) -> bytes:
    """The bytes of a document.  Raises DocumentError where there is no regular file or it is too large."""
    try:
        # a pipe or device must neither block nor flow without end
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                says = msg("wanted a file, saw a folder, pipe or device.")
                raise DocumentError([Problem(Place(str(path)), says)])
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read(MOST_BYTES + 1)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise DocumentError([Problem(Place(str(path)), msg("there is no such file."))]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DocumentError([Problem(Place(str(path)), msg("cannot be read: {reason}.", reason=reason))]) from None


def parse(file: str, base_name: str, fetch: Callable[[str], bytes]) -> Profile:
    """Read a profile whose files *fetch* gives by name; messages call the base *file*.  Raises DocumentError."""
    problems = Problems()
    contents = {base_name: fetch(base_name)}
    root = yamlstrict.load(contents[base_name], file)
    if root.get("schema") == OVERLAY_SCHEMA:
        says = msg("this is an overlay: name the base that it extends ({base}).", base=str(root.get("extends")))
        raise DocumentError([Problem(place(root.values_at["schema"]), says)])
    check_names(root, (*_names(Preamble), "parameters", "requirements"), problems)
    preamble = read(Preamble, root.only(_names(Preamble)), problems)
    if preamble is None:
        # sizes, sources and overlays are unknown, so anything said about the rows would be a guess
        problems.refuse()
        raise AssertionError("a preamble that cannot be read has a problem")  # pragma: no cover
    parameters = read_parameters(root, problems)
    sizes = tuple(size for size in HostSize if size in preamble.sizes) or tuple(HostSize)
    declared = root.get("parameters")
    broken = frozenset(declared if isinstance(declared, Map) else ()) - frozenset(parameters)
    terms = Terms(parameters, preamble.sources, sizes, broken)
    base = _Rows(terms, problems)
    base.read_list(root, "requirements")
    if not root.get("requirements"):
        problems.add(
            place(root.at), msg("wanted at least one requirement, saw none: an empty profile demands nothing.")
        )
    composed = dict.fromkeys(OperatingModel, base)
    folder = file.removesuffix(base_name)
    for model, name in preamble.overlays.items():
        contents[name] = fetch(name)
        composed[model] = _overlay(folder + name, contents[name], base_name, model=model, base=base)
    problems.refuse()
    by_model = {
        model: tuple(row for row in rows_.made.values() if model in next(iter(row.headers.values())).models)
        for model, rows_ in composed.items()
    }
    return Profile(file, preamble, parameters, by_model, digest(contents))


def digest(contents: Mapping[str, bytes]) -> str:
    """The profile's digest: what ``sha256sum *.yaml | LC_ALL=C sort -k2 | sha256sum`` prints in its folder."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _names(type_: type[Frozen]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in type_.model_fields.items())


def read_parameters(root: Map, problems: Problems) -> dict[str, Parameter]:
    """The profile's parameters by name."""
    node = root.get("parameters")
    if node is None:
        return {}
    mark = root.values_at["parameters"]
    if not isinstance(node, Map):
        problems.add(place(mark), msg("parameters: wanted names with fields, saw {seen}.", seen=seen_at(node, mark)))
        return {}
    found: dict[str, Parameter] = {}
    for name, fields in node.items():
        at = node.values_at[name]
        read(_Named, _named(name, node.keys_at[name]), problems)
        if not isinstance(fields, Map):
            problems.add(place(at), msg("{name}: wanted fields, saw {seen}.", name=name, seen=seen_at(fields, at)))
        elif (parameter := read(Parameter, fields, problems)) is not None:
            found[name] = parameter
    return found


class _Named(Frozen):
    name: ParameterName


class _Identified(Frozen):
    id: RequirementId


def _named(name: str, mark: Mark, field: str = "name") -> Map:
    node = Map(mark)
    node.put(field, name, mark, (mark[0], mark[1], mark[2], name))
    return node


class _Rows:
    """The rows of the base, or of the base as an overlay leaves it."""

    def __init__(self, terms: Terms, problems: Problems) -> None:
        self.terms = terms
        self.problems = problems
        self.made: dict[str, Row] = {}
        self.nodes: dict[str, Map] = {}

    def copy(self) -> _Rows:
        other = _Rows(self.terms, self.problems)
        other.made, other.nodes = dict(self.made), dict(self.nodes)
        return other

    def read_list(self, root: Map, name: str) -> list[str]:
        """Read the rows that stand below *name*; their ids."""
        node = root.get(name)
        if node is None:
            return []
        mark = root.values_at[name]
        if not isinstance(node, Seq):
            says = msg("{field}: wanted a list of requirements, saw {seen}.", field=name, seen=seen_at(node, mark))
            self.problems.add(place(mark), says)
            return []
        added: list[str] = []
        for entry, at in zip(node, node.items_at, strict=True):
            id_ = entry.get("id") if isinstance(entry, Map) else None
            if isinstance(id_, str) and id_ in self.nodes:
                first = self.nodes[id_].at
                says = msg(
                    "{id} stands here a second time; the first is {file}:{line}.", id=id_, file=first[0], line=first[1]
                )
                self.problems.add(place(entry.values_at["id"]), says)
                continue
            self._read(entry, at)
            added += [id_] if isinstance(id_, str) else []
        return added

    def _read(self, entry: Any, at: Mark) -> None:
        if isinstance(entry, Map) and isinstance(entry.get("id"), str):
            self.nodes[entry["id"]] = entry
        row = rows.read(entry, at, self.terms, self.problems)
        if row is not None:
            self.made[row.id] = row

    def change(self, id_: str, fields: Any, key_at: Mark, at: Mark) -> None:
        """Replace fields of a row; null takes a field away."""
        if not self._knows(id_, key_at):
            return
        if not isinstance(fields, Map) or not fields:
            self.problems.add(
                place(at), msg("{id}: wanted fields to change, saw {seen}.", id=id_, seen=seen_at(fields, at))
            )
            return
        node = self.nodes[id_].only(list(self.nodes[id_]))
        node.at = key_at  # what is now missing, this overlay took away
        for name, value in fields.items():
            if name == "id":
                self.problems.add(place(fields.keys_at[name]), msg("an id stays: remove the row and write a new one."))
            elif value is not None:
                node.put(name, value, fields.keys_at[name], fields.values_at[name])
            elif name in node:
                node.drop(name)
            else:
                says = msg("{id} has no field {name} to take away.", id=id_, name=name)
                self.problems.add(place(fields.keys_at[name]), says)
        self._read(node, at)

    def remove(self, id_: Any, at: Mark) -> None:
        """Take a row away."""
        if self._knows(id_, at):
            self.nodes.pop(id_)
            self.made.pop(id_, None)

    def _knows(self, id_: Any, at: Mark) -> bool:
        if isinstance(id_, str) and id_ in self.nodes:
            return True
        self.problems.add(place(at), unknown_word(msg("requirement"), str(id_), tuple(self.nodes)))
        return False

    def check_model(self, ids: Iterable[str], model: OperatingModel) -> None:
        """Every row that an overlay writes or changes must belong to its model, else it would be lost silently."""
        for id_ in ids:
            row = self.made.get(id_)
            if row is not None and model not in _header(row).models:
                says = msg(
                    "{id} is not for the operating model {model}, which this overlay is for.", id=id_, model=model
                )
                self.problems.add(place(row.node.at), says)


def _header(row: Row) -> Header:
    return next(iter(row.headers.values()))


def _overlay(file: str, data: bytes, base_name: str, *, model: OperatingModel, base: _Rows) -> _Rows:
    problems = base.problems
    root = yamlstrict.load(data, file)
    check_names(root, (*_names(OverlayPreamble), "requirements", "change", "remove"), problems)
    head = read(OverlayPreamble, root.only(_names(OverlayPreamble)), problems)
    if head is not None and (head.extends != base_name or head.model is not model):
        says = msg(
            "wanted 'extends: {base}' and 'model: {model}', as the base names this file.", base=base_name, model=model
        )
        problems.add(place(root.values_at["extends"]), says)
    composed = base.copy()
    changed, removed = root.get("change"), root.get("remove")
    if isinstance(changed, Map):
        for id_, fields in changed.items():
            composed.change(id_, fields, changed.keys_at[id_], changed.values_at[id_])
    elif changed is not None:
        at = root.values_at["change"]
        problems.add(place(at), msg("change: wanted ids with fields, saw {seen}.", seen=seen_at(changed, at)))
    if isinstance(removed, Seq):
        for id_, at in zip(removed, removed.items_at, strict=True):
            composed.remove(id_, at)
    elif removed is not None:
        at = root.values_at["remove"]
        problems.add(place(at), msg("remove: wanted a list of ids, saw {seen}.", seen=seen_at(removed, at)))
    added = composed.read_list(root, "requirements")
    composed.check_model([*(changed or ()), *added], model)
    return composed
