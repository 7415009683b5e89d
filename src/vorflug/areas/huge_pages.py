"""Transparent huge pages: does the kernel make huge pages unasked?

Source: the kernel's document admin-guide/mm/transhuge: ``enabled`` lists all modes, the one in force in brackets.
Memory that is set aside for huge pages beforehand (hugetlbpage) is judged with the memory, from which it is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("Huge pages")

_FOLDER = "/sys/kernel/mm"
_FILE = f"{_FOLDER}/transparent_hugepage/enabled"


class HugePageMode(StrEnum):
    """When the kernel makes huge pages by itself."""

    ALWAYS = "always"
    MADVISE = "madvise"
    """Where a program asks for them, by madvise(2)."""
    NEVER = "never"


class TransparentHugePagesFact(Fact):
    """The mode in force."""

    mode: HugePageMode | None
    """None on a kernel that was built without them, which makes none."""


@dataclass(frozen=True, kw_only=True)
class TransparentHugePagesQuery(Query[TransparentHugePagesFact]):
    """When does the kernel make huge pages by itself?"""

    kind = "transparent_huge_pages"
    touches = ("/sys/kernel/mm/",)

    def asks(self) -> Message:
        return msg("When does the kernel make huge pages by itself?")

    def observe(self, host: Host) -> TransparentHugePagesFact:
        try:
            text = host.files.read_text(_FILE)
        except FileNotFoundError:
            if not host.files.exists(_FOLDER):
                raise NotImplementedError(f"{_FOLDER} is not there: /sys is not mounted") from None
            return TransparentHugePagesFact(mode=None)
        chosen = re.search(r"\[(\w+)\]", text)
        if chosen is None:
            raise ValueError(f"wanted a mode in brackets in {_FILE}, saw {text[:80]!r}")
        return TransparentHugePagesFact(mode=HugePageMode(chosen[1]))


class TransparentHugePagesRequirement(Requirement):
    """Huge pages are made only in these modes."""

    kind = "transparent_huge_pages"
    accepted: Annotated[tuple[HugePageMode, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("transparent huge pages: {modes:or}", modes=tuple(mode.value for mode in self.accepted))

    def queries(self, known: Evidence) -> Sequence[TransparentHugePagesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [TransparentHugePagesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        mode = evidence[TransparentHugePagesQuery()].mode
        if mode is None:
            return met(
                wanted=self.wanted(),
                seen=msg("a kernel without transparent huge pages"),
                because=msg("This kernel makes no huge pages by itself."),
            )
        seen = msg("transparent huge pages: {mode}", mode=mode.value)
        if mode in self.accepted:
            return met(wanted=self.wanted(), seen=seen, because=msg("The mode {mode} is accepted.", mode=mode.value))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "In the mode {mode} the kernel may hold up services while it makes huge pages, and takes more memory.",
                mode=mode.value,
            )
            if mode is HugePageMode.ALWAYS
            else msg("The mode is {mode}.", mode=mode.value),
            fix=msg(
                "Write {mode} to {file}, and set transparent_hugepage={mode} on the kernel's command line so that it "
                "stays.",
                mode=self.accepted[0].value,
                file=_FILE,
            ),
        )
