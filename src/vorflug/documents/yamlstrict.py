"""YAML as our documents use it: one mapping of plain values, each with the place it was written at.

libyaml reads, we compose: event by event, so that depth and number of nodes are bounded before anything is built.
What lets a document mean two things, or grow when it is read, is refused: anchors, aliases, tags, merge keys,
directives, further documents, duplicate keys, and plain scalars that YAML 1.1 and 1.2 read differently (``yes``,
``0777``, ``1_000``, ``1:30``).  Plain scalars follow the core schema of YAML 1.2.2, section 10.3.2; dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import yaml
from yaml._yaml import CParser

from vorflug.documents.problems import DocumentError, Place, Problem, Problems
from vorflug.model.message import Message, msg, visible

MOST_BYTES = 1 << 20
"""A document larger than this is refused before it is parsed."""
MOST_DEPTH = 32
MOST_NODES = 50_000
"""About five times the shipped profile; bounds the time a hostile document can take."""
_LONGEST_NUMBER = 64

Mark = tuple[str, int, int, str]
"""File, line, column (from 1), and a scalar as it was written ('' for the others)."""

_YAML_1_1_BOOLEANS = frozenset(
    spelling for word in ("y", "yes", "n", "no", "on", "off") for spelling in (word, word.capitalize(), word.upper())
)
_CONSTANTS: dict[str, Any] = {"": None, "~": None}
_CONSTANTS |= dict.fromkeys(("null", "Null", "NULL"))
_CONSTANTS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_MAY_BE_SPECIAL = frozenset("0123456789+-.~nNtTfFyYoO=")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)  # more digits do not fit into 64 bits everywhere
_DIGITS = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_TWO_READINGS = re.compile(
    r"[-+]?(0[0-9_]+|0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"
    r"|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|=",
    re.ASCII,
)
_LIKE_A_NUMBER = re.compile(r"[-+]?[0-9][0-9_:.]*", re.ASCII)
# C0 but tab and line ends, DEL, C1, the line separators that YAML 1.1 and 1.2 count differently, bidi controls, BOM
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


class Map(dict[str, Any]):
    """A mapping that knows where it, its keys and its values stand."""

    __slots__ = ("at", "keys_at", "values_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}

    def put(self, key: str, value: Any, key_at: Mark, value_at: Mark) -> None:
        """Set *key* with its places."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at

    def drop(self, key: str) -> None:
        """Forget *key*."""
        del self[key], self.keys_at[key], self.values_at[key]

    def only(self, keys: Sequence[str]) -> Map:
        """A copy with these keys, as far as they are there."""
        part = Map(self.at)
        for key in keys:
            if key in self:
                part.put(key, self[key], self.keys_at[key], self.values_at[key])
        return part

    def without(self, keys: Sequence[str]) -> Map:
        """A copy without these keys."""
        return self.only([key for key in self if key not in keys])


class Seq(list[Any]):
    """A list that knows where it and its entries stand."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.items_at: list[Mark] = []

    def put(self, value: Any, at: Mark) -> None:
        """Append *value* with its place."""
        self.append(value)
        self.items_at.append(at)


def place(mark: Mark) -> Place:
    """The place of a mark."""
    return Place(mark[0], mark[1], mark[2])


def find(node: Any, path: Sequence[str | int], at: Mark) -> tuple[Any, Mark, int]:
    """Follow *path* from *node* as far as it goes: what is there, its mark, and how many steps were taken."""
    for taken, step in enumerate(path):
        match node:
            case Map() if isinstance(step, str) and step in node:
                node, at = node[step], node.values_at[step]
            case Seq() if isinstance(step, int) and 0 <= step < len(node):
                node, at = node[step], node.items_at[step]
            case _:
                return node, at, taken
    return node, at, len(path)


def load(data: bytes, file: str, doubts: Problems | None = None) -> Map:
    """Read the one mapping that *data* holds.  *file* names it in refusals.  Raises DocumentError with all of them.

    *doubts*: takes the mistakes that leave the document readable (a value that has two readings); where it is given,
    the caller goes on to look for others and refuses.  Such a value is a guess and not to be used.
    """
    text = _text(data, file)
    composer = _Composer(file)
    try:
        root = composer.compose(CParser(text.encode()))
    except yaml.MarkedYAMLError as error:
        composer.problems.add(*_syntax(error, file, text))
        composer.problems.refuse()
    if doubts is None or not isinstance(root, Map):
        composer.problems.refuse()
    else:
        doubts.extend(composer.problems.sorted())
    if not isinstance(root, Map):
        first = Place(file, 1, 1)
        empty = msg("wanted a document with fields, saw an empty file.")
        other = msg("wanted a document with fields at its top, saw a list or a single value.")
        raise DocumentError([Problem(first, empty if root is None else other)])
    return root


def _text(data: bytes, file: str) -> str:
    if len(data) > MOST_BYTES:
        says = msg("wanted at most {most:size}, saw more: this is no document of ours.", most=MOST_BYTES)
        raise DocumentError([Problem(Place(file, 1, 1), says)])
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        where = Place(file, before.count(b"\n") + 1, len(before.rpartition(b"\n")[2]) + 1)
        says = msg("wanted UTF-8, saw the byte {byte}: save the file as UTF-8.", byte=f"0x{data[error.start]:02x}")
        raise DocumentError([Problem(where, says)]) from None
    if (odd := _UNPRINTABLE.search(text)) is not None:
        before_ = text[: odd.start()]
        where = Place(file, before_.count("\n") + 1, len(before_.rpartition("\n")[2]) + 1)
        raise DocumentError([Problem(where, _control(odd[0]))])
    return text


def _control(character: str) -> Message:
    return msg("saw the invisible character {code}: remove it.", code=f"U+{ord(character):04X}")


class _Composer:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems = Problems()

    def compose(self, parser: Any) -> Any:
        """Build the tree without recursion."""
        root: Any = None
        documents = nodes = 0
        open_: list[Map | Seq] = []
        keys: list[tuple[str, Mark] | None] = []
        for event in _events(parser):
            kind = type(event)
            if kind is yaml.ScalarEvent or kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                nodes += 1
                start = event.start_mark
                mark = (self.file, start.line + 1, start.column + 1, "")
                if event.anchor is not None or event.tag is not None:
                    self._refuse_decoration(event, mark)
                if nodes > MOST_NODES:
                    self._stop(mark, msg("wanted at most {most} values, saw more.", most=MOST_NODES))
                if open_ and keys[-1] is None and type(open_[-1]) is Map:
                    keys[-1] = self._key(event, mark, open_[-1])
                    continue
                value: Any
                if kind is yaml.ScalarEvent:
                    written = event.value
                    mark = (self.file, mark[1], mark[2], written)
                    value = self._scalar(event, mark)
                else:
                    value = Map(mark) if kind is yaml.MappingStartEvent else Seq(mark)
                if not open_:
                    root = value
                elif isinstance(parent := open_[-1], Map):
                    key, key_at = keys[-1]  # type: ignore[misc]  # a value follows its key
                    parent.put(key, value, key_at, mark)
                    keys[-1] = None
                else:
                    parent.put(value, mark)
                if kind is not yaml.ScalarEvent:
                    if len(open_) >= MOST_DEPTH:
                        self._stop(mark, _too_deep())
                    open_.append(value)
                    keys.append(None)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                open_.pop()
                keys.pop()
            elif kind is yaml.AliasEvent:
                start = event.start_mark
                says = msg("aliases (*{name}) are not allowed: write the value out.", name=event.anchor)
                self._stop((self.file, start.line + 1, start.column + 1, ""), says)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                start = event.start_mark
                mark = (self.file, start.line + 1, start.column + 1, "")
                if documents > 1:
                    self._stop(mark, msg("wanted one document in the file, saw a second one after '---'."))
                if event.version or event.tags:
                    self._note(mark, msg("directives (%YAML, %TAG) are not allowed: remove the line."))
        return root

    def _note(self, mark: Mark, says: Message) -> None:
        self.problems.add(place(mark), says)

    def _stop(self, mark: Mark, says: Message) -> NoReturn:
        self._note(mark, says)
        raise DocumentError(self.problems.sorted())

    def _refuse_decoration(self, event: Any, mark: Mark) -> None:
        if event.anchor is not None:
            says = msg("anchors (&{name}) are not allowed: write the value out where it is used.", name=event.anchor)
            self._note(mark, says)
        if event.tag is not None:
            self._note(mark, msg("tags ({tag}) are not allowed: remove it.", tag=event.tag))

    def _key(self, event: Any, mark: Mark, parent: Map) -> tuple[str, Mark]:
        if type(event) is not yaml.ScalarEvent:
            self._stop(mark, msg("wanted a name before ':', saw a list or mapping in its place."))
        key: str = event.value
        if not key:
            self._note(mark, msg("wanted a name before ':', saw nothing."))
        elif key == "<<" and not event.style:
            self._note(mark, msg("merge keys (<<) are not allowed: write the fields out."))
        elif (odd := _UNPRINTABLE.search(key)) is not None:
            self._note(mark, _control(odd[0]))
        elif key in parent:
            first = parent.keys_at[key][1]
            self._note(mark, msg("{key} stands here a second time; the first is on line {line}.", key=key, line=first))
        return key, mark

    def _scalar(self, event: Any, mark: Mark) -> Any:
        text: str = event.value
        if event.style:
            if event.style == '"' and (odd := _UNPRINTABLE.search(text)) is not None:
                self._note(mark, _control(odd[0]))
            return text
        if text and text[0] not in _MAY_BE_SPECIAL:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text in _YAML_1_1_BOOLEANS:
            meant = text.lower() in ("y", "yes", "on")
            says = msg(
                "saw {text}, which some YAML readers take for {value}: write {value}, "
                "or '{text}' in quotes if it is a text.",
                text=text,
                value="true" if meant else "false",
            )
            self._note(mark, says)
            return meant
        if _INTEGER.fullmatch(text):
            return int(text)
        # the second pattern is for texts so long that the first one would take its time
        short = len(text) <= _LONGEST_NUMBER
        doubtful = _TWO_READINGS if short else _LIKE_A_NUMBER
        if doubtful.fullmatch(text) or (short and _DIGITS.fullmatch(text)):
            says = msg(
                "saw {text}, which YAML readers take for different numbers: write a plain decimal number, "
                "or '{text}' in quotes if it is a text.",
                text=visible(text, at_most=60),
            )
            self._note(mark, says)
            return text
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self._note(mark, msg("saw {text}, which is too large a number.", text=visible(text, at_most=60)))
            return number
        return text


def _events(parser: Any) -> Iterator[Any]:
    while (event := parser.get_event()) is not None:
        yield event
        if type(event) is yaml.StreamEndEvent:
            return


def _too_deep() -> Message:
    return msg("wanted at most {most} levels, saw more.", most=MOST_DEPTH)


_SYNTAX: dict[str, Message] = {
    "exceeded maximum nesting depth": _too_deep(),
    "could not find expected ':'": msg("wanted ':' and a space after the name, saw the line end."),
    "mapping values are not allowed in this context": msg(
        "saw a second ': ' where a value was wanted: put the value in quotes, or check the indentation."
    ),
    "did not find expected key": msg("wanted a field here: check the indentation and the quotes of the lines above."),
    "did not find expected '-' indicator": msg("wanted a list entry '- ' here: check the indentation."),
    "found a tab character that violates indentation": msg("saw a tab: indent with spaces."),
    "found character that cannot start any token": msg(
        "saw a character that cannot start a value (@, ` or %): put the value in quotes."
    ),
    "found undefined tag handle": msg("tags are not allowed: remove the '!'."),
    "found undefined alias": msg("aliases are not allowed: write the value out."),
    "did not find expected <document start>": msg(
        "wanted one document with fields, saw something after its end: check the indentation."
    ),
}
"""What libyaml says, in our words."""

_OPENED: dict[str, Message] = {
    "did not find expected ',' or ']'": msg("the list in brackets that begins here lacks a ',' or its ']'."),
    "did not find expected ',' or '}'": msg("the fields in braces that begin here lack a ',' or their '}}'."),
    "found unexpected end of stream": msg("the text in quotes that begins here lacks its closing quote."),
}
"""The same, where the mistake is better looked for at the beginning than at the end."""


def _syntax(error: yaml.MarkedYAMLError, file: str, text: str) -> tuple[Place, Message]:
    problem = str(error.problem or error.context or "")
    if problem in _OPENED and error.context_mark is not None:
        return Place(file, error.context_mark.line + 1, error.context_mark.column + 1), _OPENED[problem]
    mark = error.problem_mark or error.context_mark
    # at the end of the file libyaml names the line after the last
    line = min(mark.line + 1, text.count("\n") + 1) if mark else 1
    where = Place(file, line, mark.column + 1 if mark else 1)
    if mark and text.split("\n")[line - 1][mark.column : mark.column + 1] == "\t":
        problem = "found a tab character that violates indentation"
    return where, _SYNTAX.get(problem, msg("this is no valid YAML: {problem}.", problem=problem))
