"""Images of the compose file: are they those of the delivery, in the delivered version?

Sources: Compose Specification, "image"; the grammar of distribution/reference: no tag is ``latest``, and ``library/``
is left out on Docker Hub.  A registry, and a mirror's project, may stand before the repository, so the end of a name
decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.package_file import FileFact, file_gap, values_gap
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.registry import Image
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Images of the compose file")


class ComposeImagesFact(Fact):
    """Which images the services run."""

    class Use(Fact):
        """The image of one service."""

        service: str
        image: str | None
        """None where there is none, or where it is no valid name."""

    file: FileFact
    env: FileFact
    """What the variables were filled in from."""
    uses: tuple[Use, ...]


@dataclass(frozen=True, kw_only=True)
class ComposeImagesQuery(Query[ComposeImagesFact]):
    """Which images do the services run?"""

    kind = "compose_images"
    touches = ("@package.images",)
    path: str
    env_path: str

    def asks(self) -> Message:
        return msg("Which images do the services of {path} run?", path=self.path)

    def observe(self, host: Host) -> ComposeImagesFact:
        read = host.package.images(self.path, self.env_path)
        return ComposeImagesFact(
            file=FileFact.of(read.file),
            env=FileFact.of(read.env),
            uses=tuple(ComposeImagesFact.Use(service=u.service, image=u.image) for u in read.uses),
        )


@dataclass(frozen=True)
class _Name:
    repository: str
    tag: str | None
    """None where only a digest is named."""
    digest: str

    @classmethod
    def of(cls, image: str) -> _Name:
        rest, _, digest = image.partition("@")
        folder, slash, last = rest.rpartition("/")
        name, colon, tag = last.partition(":")
        repository = f"{folder}{slash}{name}".removeprefix("library/")
        return cls(repository, tag if colon else None if digest else "latest", digest)

    def is_of(self, other: _Name) -> bool:
        """Whether the repository is that of *other*, perhaps below a mirror's project."""
        return self.repository == other.repository or self.repository.endswith("/" + other.repository)


class ComposeImagesRequirement(Requirement):
    """Every service runs an image of the delivery's list, with the tag or digest that stands there."""

    kind = "compose_images"
    path: AbsolutePath
    env_path: AbsolutePath
    images: Annotated[tuple[Image, ...], Field(min_length=1, max_length=100)]
    """The delivery's list, without the registry's name: ``repository:tag`` or ``repository@sha256:…``."""

    def wanted(self) -> Message:
        return msg(
            "every image of {path} as the delivery lists it ({count} images)", path=self.path, count=len(self.images)
        )

    def queries(self, known: Evidence) -> Sequence[ComposeImagesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ComposeImagesQuery(path=self.path, env_path=self.env_path)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[ComposeImagesQuery(path=self.path, env_path=self.env_path)]
        # without the env file's values an image is another one, or none; that there is no such file is no obstacle
        gap = file_gap(self.wanted(), fact.file) or values_gap(self.wanted(), fact.env, missed=False)
        if gap is not None:
            return gap
        seen = listed(msg("{service}: {image}", service=u.service, image=u.image or "-") for u in fact.uses)
        without = tuple(u.service for u in fact.uses if u.image is None)
        unlisted = tuple(u.image for u in fact.uses if u.image is not None and not self._listed(u.image))
        other = tuple(
            u.image
            for u in fact.uses
            if u.image is not None and u.image not in unlisted and self._agrees(u.image) is False
        )
        unclear = tuple(u.image for u in fact.uses if u.image is not None and self._agrees(u.image) is None)
        correct = msg(
            "Ask the vendor which versions belong together; correct {path}, {env} or the list in the site file.",
            path=self.path,
            env=self.env_path,
        )
        told = (
            (without, msg("These services name no image, or none that is valid: {names:list}.", names=without)),
            (unlisted, msg("The list of the delivery lacks {images:list}.", images=unlisted)),
            (other, msg("The list of the delivery has another version of {images:list}.", images=other)),
        )
        faults = [because for found, because in told if found]
        if faults:
            return unmet(wanted=self.wanted(), seen=seen, because=sentences(faults), fix=correct)
        if unclear:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Of {images:list} only one side names a tag, the other a digest.", images=unclear),
                fix=correct,
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("Every image is one of the delivery's list."))

    def _listed(self, image: str) -> list[_Name]:
        name = _Name.of(image)
        return [one for one in map(_Name.of, self.images) if name.is_of(one)]

    def _agrees(self, image: str) -> bool | None:
        """Whether the list has this version; None where one side names a tag and the other a digest.

        What the list lacks altogether is told before.
        """
        name = _Name.of(image)
        answers = [_same_version(name, one) for one in self._listed(image)]
        if True in answers:
            return True
        return None if None in answers else False


def _same_version(one: _Name, other: _Name) -> bool | None:
    if one.digest and other.digest:
        return one.digest == other.digest
    if one.tag is not None and other.tag is not None:
        return one.tag == other.tag
    return None
