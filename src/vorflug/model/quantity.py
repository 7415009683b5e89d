"""Quantities: parsed at the edge into plain numbers, formatted at the edge into words.

Sizes follow IEC 80000-13: ``GB`` is 10^9 bytes, ``GiB`` is 2^30 bytes.  Both are accepted, neither is guessed:
``32 Gb``, ``32g`` and a bare ``32`` are refused with the spelling that was probably meant.

Where a document is read (validation context ``{"written": True}``) only a text with its unit will do; elsewhere a
number is taken as already parsed.  The ValueErrors here carry a `Message`, so that they can be said in any language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import total_ordering
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from vorflug.model.message import Message, msg

_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "min": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_RATES = {"kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_QUANTITY = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(\S*)\s*", re.ASCII)


def _no_quantity(value: object, example: str) -> Message:
    return msg("wanted a number with its unit such as '{example}', saw {seen}", example=example, seen=str(value))


def _split(value: object, units: dict[str, Any], example: str) -> tuple[Decimal, str]:
    if not isinstance(value, str):
        raise ValueError(_no_quantity(value, example))  # noqa: TRY004 - pydantic reports ValueError
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise ValueError(_no_quantity(value, example))
    number, unit = match.groups()
    if unit not in units:
        near = [u for u in units if u.lower() in (unit.lower(), unit.lower() + "b", unit.lower() + "/s")]
        if unit and near:
            meant = f"{number} {near[0]}"
            raise ValueError(
                msg(
                    "wanted one of the units {units:list}, saw {seen}; did you mean '{near}'?",
                    units=tuple(units),
                    seen=value,
                    near=meant,
                )
            )
        raise ValueError(msg("wanted one of the units {units:list}, saw {seen}", units=tuple(units), seen=value))
    try:
        return Decimal(number), unit
    except InvalidOperation:  # pragma: no cover - the pattern only lets numbers through
        raise ValueError(_no_quantity(value, example)) from None


def _in_documents_with_unit(parse: Callable[[object], Any], example: str) -> BeforeValidator:
    def read(value: object, info: ValidationInfo) -> Any:
        if (info.context or {}).get("written") and not isinstance(value, str):
            raise ValueError(_no_quantity(value, example))
        return parse(value)

    return BeforeValidator(read)


def parse_size(value: object) -> int:
    """``'32 GB'`` → 32000000000 (bytes).  An int is taken as bytes already parsed.  Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    number, unit = _split(value, _UNITS, "32 GB")
    return int(number * _UNITS[unit])


def parse_duration(value: object) -> float:
    """``'2 s'`` → 2.0, ``'30 d'`` → 2592000.0 (seconds).  A float is taken as seconds.  Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    number, unit = _split(value, _SECONDS, "30 d")
    return float(number * _SECONDS[unit])


def parse_percent(value: object) -> float:
    """``'7 %'`` → 0.07 (a share).  A float is taken as a share already parsed.  Raises ValueError."""
    if isinstance(value, float) and 0 <= value <= 1:
        return value
    number, _ = _split(value, {"%": 1}, "7 %")
    share = float(number / 100)
    if share > 1:
        raise ValueError(msg("wanted at most 100 %, saw {seen}", seen=str(value)))
    return share


def parse_rate(value: object) -> int:
    """``'10 Mbit/s'`` → 10000000 (bits per second).  Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    number, unit = _split(value, _RATES, "10 Mbit/s")
    return int(number * _RATES[unit])


def _schema(pattern: str, example: str, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example], "description": description})


Size = Annotated[
    int,
    _in_documents_with_unit(parse_size, "32 GB"),
    Field(ge=0),
    _schema(r"^[0-9.]+ ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$", "32 GB", "An amount of bytes; GB is 10^9, GiB is 2^30."),
]
"""Bytes.  Written ``32 GB`` or ``32 GiB``."""

Duration = Annotated[
    float,
    _in_documents_with_unit(parse_duration, "30 d"),
    Field(ge=0),
    _schema(r"^[0-9.]+ ?(ms|s|min|h|d)$", "30 d", "A length of time."),
]
"""Seconds.  Written ``10 ms``, ``2 s``, ``30 d``."""

Percent = Annotated[
    float,
    _in_documents_with_unit(parse_percent, "7 %"),
    Field(ge=0, le=1),
    _schema(r"^[0-9.]+ ?%$", "7 %", "A share of the whole."),
]
"""A share between 0 and 1.  Written ``7 %``."""

Rate = Annotated[
    int,
    _in_documents_with_unit(parse_rate, "10 Mbit/s"),
    Field(ge=0),
    _schema(r"^[0-9.]+ ?(kbit/s|Mbit/s|Gbit/s)$", "10 Mbit/s", "Bits per second."),
]
"""Bits per second.  Written ``10 Mbit/s``."""


@total_ordering
class Version:
    """A dotted version, compared number by number: 9.10 is newer than 9.4, 24.04 equals 24.4 and 5.15 equals 5.15.0.

    Leading non-digits (``v1.34``) and everything after the first component that is no number (``5.15.0-91-generic``,
    ``29.0.1-rc.1``) are kept for display but not compared: distributions put their own build there.
    """

    __slots__ = ("numbers", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError where *text* holds no number to compare."""
        match = re.match(r"\s*v?(\d{1,9}(?:\.\d{1,9}){0,7})", text)
        if match is None:
            raise ValueError(msg("wanted a version such as '5.15', saw {seen}", seen=text))
        numbers = [int(part) for part in match[1].split(".")]
        while numbers and numbers[-1] == 0:
            numbers.pop()
        self.text = text.strip()
        self.numbers = tuple(numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.numbers == other.numbers

    def __lt__(self, other: Version) -> bool:
        return self.numbers < other.numbers

    def __hash__(self) -> int:
        return hash(self.numbers)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"

    def within(self, series: Version) -> bool:
        """Whether this is the *series* itself or a release of it: 12.11 lies within 12, 9.10 not within 9.1."""
        return self.numbers[: len(series.numbers)] == series.numbers

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> Version:
            if isinstance(value, Version):
                return value
            if not isinstance(value, str):
                # 24.10 as a YAML float would silently become 24.1: a version is text, always
                says = msg("wanted a version in quotes such as '24.04', saw {seen} without quotes", seen=str(value))
                raise ValueError(says)  # noqa: TRY004
            return cls(value)

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            json_schema_input_schema=core_schema.str_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema_: CoreSchema, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^v?[0-9]+(\.[0-9]+)*", "examples": ["24.04"]}
