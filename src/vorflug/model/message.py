"""Human sentences as data, so that one report can be read in any language.

A `Message` is an English template (which is also the gettext key) and its values.  Values stay raw (bytes, seconds);
the template says how they are shown: ``{free:size}``, ``{free:sizes}`` (in binary and in decimal units, beside an
amount that is wanted in the latter), ``{age:duration}``, ``{share:percent}``, ``{rate:rate}``,
``{names:list}``, ``{names:or}``, ``{when:date}``, ``{parts:sentences}`` (a space between them), ``{things:items}`` (a
semicolon between them).  A plain ``{name}`` shows text or a number.

Whatever comes from outside and may be hostile is made visible here: control, format and bidirectional characters
never reach a terminal or page as they are (Unicode TR #36, CVE-2021-42574).
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Value = Any
"""A message's value: str, int, float, `Message`, `Text` or a tuple of those."""

Translate = Callable[[str], str]
"""Gives the template in the reader's language; the identity is English."""

_SHOWN_AT_MOST = 400
_PARTS_AT_MOST = 10
"""Sentences or things of one message: a reader takes in no more, and the facts hold them all."""
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}


@dataclass(frozen=True)
class Text:
    """A sentence that comes from a profile in both languages, not from the program's catalogues."""

    en: str
    de: str


@dataclass(frozen=True)
class Message:
    """An English template and its values; the template is also the translation key."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def __hash__(self) -> int:
        return hash((self.text, repr(sorted(self.values.items(), key=lambda item: item[0]))))

    def __str__(self) -> str:
        return render(self)


def msg(text: str, /, **values: Value) -> Message:
    """Write a message.  *text* must be a literal: the extractor looks for calls of this name."""
    return Message(text, values)


def sentences(parts: Iterable[Message]) -> Message:
    """Whole sentences one after the other, each said once; of many the first ten.  Raises ValueError where none."""
    shown, more = _first(parts)
    if more:
        shown = (*shown, msg("There are {n} more of this kind.", n=more))
    return shown[0] if len(shown) == 1 else msg("{parts:sentences}", parts=shown)


def listed(things: Iterable[Message]) -> Message:
    """Several things that were seen, each once; of many the first ten.  Raises ValueError where there are none."""
    shown, more = _first(things)
    if more:
        shown = (*shown, msg("and {n} more", n=more))
    return shown[0] if len(shown) == 1 else msg("{things:items}", things=shown)


def _first(parts: Iterable[Message]) -> tuple[tuple[Message, ...], int]:
    distinct = tuple(dict.fromkeys(parts))
    if not distinct:
        raise ValueError("wanted at least one sentence, saw none")
    return distinct[:_PARTS_AT_MOST], max(0, len(distinct) - _PARTS_AT_MOST)


def visible(text: str, *, at_most: int = _SHOWN_AT_MOST) -> str:
    r"""*text* with every control, format and bidirectional character written out as ``\\u202e``, cut at *at_most*."""
    shown = "".join(
        f"\\u{ord(c):04x}" if unicodedata.category(c) in _HIDDEN and c != "\n" else c for c in text[: at_most + 1]
    ).replace("\n", " ")
    return shown if len(text) <= at_most else shown[:at_most] + "…"


def render(message: Message | Text | str, translate: Translate = str, language: str = "en") -> str:
    """The sentence in the reader's language.  Values that came from outside are made visible, never interpreted."""
    if isinstance(message, str):
        return visible(message)
    if isinstance(message, Text):
        return message.de if language == "de" else message.en
    return _Formatter(translate, language).vformat(translate(message.text), (), message.values)


class _Formatter(string.Formatter):
    """``str.format`` without attribute access, and with our units."""

    def __init__(self, translate: Translate, language: str) -> None:
        self._translate = translate
        self._language = language

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        # no dots or brackets: a value is shown, never walked into
        return self.get_value(field_name, args, kwargs), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "size":
                return self.number(*size_parts(value))
            case "sizes":
                return self._sizes(float(value))
            case "duration":
                return self._duration(float(value))
            case "percent":
                return self.number(float(value) * 100, "%")
            case "rate":
                return self._rate(float(value))
            case "list" | "or":
                return self._list(
                    tuple(value), msg("{rest} or {last}") if format_spec == "or" else msg("{rest} and {last}")
                )
            case "sentences":
                return " ".join(self._plain(v) for v in value)
            case "items":
                return "; ".join(self._plain(v) for v in value)
            case "date":
                return visible(str(value))[:10]
            case "":
                return self._plain(value)
            case _:
                raise ValueError(f"unknown format {format_spec!r}")

    def _plain(self, value: Any) -> str:
        if isinstance(value, Message | Text):
            return render(value, self._translate, self._language)
        if isinstance(value, float):
            return self.number(value, "")
        if isinstance(value, tuple):
            return ", ".join(self._plain(v) for v in value)
        return visible(str(value))

    def _list(self, values: tuple[Any, ...], ending: Message) -> str:
        shown = [self._plain(v) for v in values]
        if len(shown) < 2:  # noqa: PLR2004 - one thing needs no conjunction
            return "".join(shown)
        # the parts are already rendered, so they go in as they are
        return self._translate(ending.text).replace("{rest}", ", ".join(shown[:-1])).replace("{last}", shown[-1])

    def number(self, value: float, unit: str) -> str:
        """At most one decimal, a plain space before the unit, a comma in German."""
        text = f"{value:.1f}".removesuffix(".0") if value < 1000 else f"{value:.0f}"  # noqa: PLR2004
        if 0 < value < 0.05:  # noqa: PLR2004 - never show a real amount as nothing
            text = f"{value:.1g}"
        if self._language == "de":
            text = text.replace(".", ",")
        return f"{text} {unit}".rstrip()

    def _sizes(self, count: float) -> str:
        first = size_parts(count)
        for factor, unit in ((1e12, "TB"), (1e9, "GB")):
            if count >= factor and first[1].endswith("iB"):
                return f"{self.number(*first)} ({self.number(count / factor, unit)})"
        return self.number(*first)

    def _duration(self, seconds: float) -> str:
        for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
            if seconds >= 2 * size:
                return self.number(seconds / size, unit)
        return self.number(seconds, "s") if seconds >= 1 or seconds == 0 else self.number(seconds * 1000, "ms")

    def _rate(self, bits: float) -> str:
        for size, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
            if bits >= size:
                return self.number(bits / size, unit)
        return self.number(bits, "bit/s")


def size_parts(count: float) -> tuple[float, str]:
    """Bytes in the unit that they read best in: whole GB where they are exactly that (profiles write so), else IEC."""
    for factor, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= factor and count % factor == 0 and count % 2**20 != 0:
            return count / factor, unit
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if count >= 1024**power:
            return count / 1024**power, unit
    return count, "B"
