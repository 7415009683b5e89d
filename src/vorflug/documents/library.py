"""Where profiles are: those that come with the program, and files of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import vorflug
from vorflug.documents import profile as documents
from vorflug.documents.problems import DocumentError, Place, Problem, near
from vorflug.documents.profile import BASE_NAME, Profile
from vorflug.model.message import Message, msg

_FOLDER = "requirements_profiles"


@dataclass(frozen=True)
class Shipped:
    """A profile that comes with the program."""

    name: str
    version: str
    folder: Path

    @property
    def order(self) -> tuple[int, ...]:
        """Versions compare as numbers."""
        return tuple(int(part) for part in self.version.split("."))


def root() -> Path:
    """The folder of the shipped profiles: inside the package when installed, else beside ``src`` in a checkout."""
    package = Path(vorflug.__file__).resolve().parent
    installed = package / _FOLDER
    return installed if installed.is_dir() else package.parent.parent / _FOLDER


def shipped(folder: Path | None = None) -> list[Shipped]:
    """Every shipped profile, by name, the newest version first."""
    return sorted(_found(folder or root()), key=lambda s: (s.name, [-n for n in s.order]))


def _found(folder: Path) -> Iterator[Shipped]:
    if not folder.is_dir():
        return
    for base in folder.glob(f"*/*/{BASE_NAME}"):
        version = base.parent.name
        if all(part.isdecimal() for part in version.split(".")):
            yield Shipped(base.parent.parent.name, version, base.parent)


def load(ref: str | None = None, folder: Path | None = None) -> Profile:
    """Load what ``--profile`` names.  Raises DocumentError.

    *ref*: ``NAME`` (its newest version), ``NAME@VERSION``, a base file or a folder; None is the newest shipped profile.
    A shipped name wins over a file of that name: write ``./NAME`` for the file.
    """
    every = shipped(folder)
    if ref is None:
        return _load(_newest(every, msg("no profile came with this program: name one with --profile FILE.")))
    name, _, version = ref.partition("@")
    named = [s for s in every if s.name == name]
    if named and not version:
        return _load(_newest(named, msg("there is no such profile.")))
    if named:
        exact = [s for s in named if s.version == version]
        there = tuple(s.version for s in named)
        says = msg(
            "there is no version {version} of {name}. There are: {there:list}.", version=version, name=name, there=there
        )
        return _load(_newest(exact, says))
    path = Path(ref)
    if "/" in ref or ref.endswith((".yaml", ".yml")) or (ref and os.path.lexists(path)):
        return documents.load(path)
    meant = near(name, {s.name for s in every})
    if meant is not None:
        says = msg("there is no profile {name}; did you mean {near}?", name=ref, near=meant)
    else:
        names = tuple(dict.fromkeys(s.name for s in every)) or ("-",)
        says = msg("there is no profile {name}. There are: {there:list}; or name a file.", name=ref, there=names)
    raise DocumentError([Problem(Place("--profile"), says)])


def _newest(candidates: list[Shipped], otherwise: Message) -> Shipped:
    if not candidates:
        raise DocumentError([Problem(Place("--profile"), otherwise)])
    return max(candidates, key=lambda s: s.order)


def _load(found: Shipped) -> Profile:
    loaded = documents.load(found.folder)
    if (loaded.name, loaded.version) != (found.name, found.version):
        says = msg(
            "lies in the folder of {name} {version}, but says that it is {other} {other_version}.",
            name=found.name,
            version=found.version,
            other=loaded.name,
            other_version=loaded.version,
        )
        raise DocumentError([Problem(Place(loaded.file, 1, 1), says)])
    return loaded
