"""Mistakes in a document: where they are, what was wanted, what was seen.  All of them, not only the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from vorflug.model.message import Message, msg

MOST_PROBLEMS = 50
"""After so many mistakes the rest is not worth reading."""

_LONGEST_GUESS = 64
_SHORTEST_BEGINNING = 3


@dataclass(frozen=True, order=True)
class Place:
    """Where in a file: *line* and *column* count from 1; line 0 stands for the file as a whole."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Problem:
    """One mistake."""

    place: Place
    says: Message

    @property
    def message(self) -> Message:
        """The mistake with its place, as one line."""
        if not self.place.line:
            return msg("{file}: {says}", file=self.place.file, says=self.says)
        return msg(
            "{file}:{line}:{column}: {says}",
            file=self.place.file,
            line=self.place.line,
            column=self.place.column,
            says=self.says,
        )


class DocumentError(Exception):
    """A profile, overlay or site file that cannot be used.  *problems* are in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(str(self.message))

    @property
    def message(self) -> Message:
        """Every mistake, one a line."""
        # only placeholders: there is nothing in this template to translate
        names = [f"p{number}" for number in range(len(self.problems))]
        return Message(
            "\n".join(f"{{{name}}}" for name in names),
            dict(zip(names, (p.message for p in self.problems), strict=True)),
        )


class Problems:
    """Gathers mistakes; `refuse` raises them together."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, says: Message) -> None:
        """Note one.  Raises DocumentError when there are too many to go on."""
        self._found.setdefault(Problem(place, says))
        if len(self._found) >= MOST_PROBLEMS:
            stop = msg("{count} mistakes: the rest was not read.", count=MOST_PROBLEMS)
            raise DocumentError([*self.sorted(), Problem(Place(place.file), stop)])

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several."""
        for problem in problems:
            self.add(problem.place, problem.says)

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> list[Problem]:
        """In the order in which an editor jumps through them; files stay in the order they were read."""
        files = list(dict.fromkeys(p.place.file for p in self._found))
        return sorted(self._found, key=lambda p: (files.index(p.place.file), p.place.line, p.place.column))

    def refuse(self) -> None:
        """Raise DocumentError if anything was noted."""
        if self._found:
            raise DocumentError(self.sorted())


def near(seen: object, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that *seen* was probably meant to be; None where nothing is close.

    *cutoff*: how alike they must be, 1 for equal (`difflib.SequenceMatcher.ratio`).
    """
    if not isinstance(seen, str) or len(seen) > _LONGEST_GUESS:
        return None
    words = list(known)
    by_lower = {word.lower(): word for word in reversed(words)}
    plain = {lower.replace("_", "-"): word for lower, word in by_lower.items()}
    wanted = seen.lower().replace("_", "-")
    found = get_close_matches(wanted, plain, n=1, cutoff=cutoff)
    if not found and len(wanted) >= _SHORTEST_BEGINNING:
        begun = [lower for lower in plain if lower.startswith(wanted)]
        found = begun if len(begun) == 1 else []
    return plain[found[0]] if found else None
