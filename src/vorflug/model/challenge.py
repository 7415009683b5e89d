"""How a server wants to be authenticated to: the WWW-Authenticate and Proxy-Authenticate fields (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_LONGEST = 8192
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2
_PARAMETER = re.compile(rf'[ \t,]*({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))[ \t]*(?=,|$)')
_SCHEME = re.compile(rf"[ \t,]*({_TOKEN})(?=[ \t,]|$)")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")


@dataclass(frozen=True)
class Challenge:
    """One way to authenticate that a server offers."""

    scheme: str
    """Lower case: ``bearer``, ``basic``, ``negotiate``."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; of a name that is given twice the first."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


def challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge in the field's *values*, in order.

    One value may hold several, and their commas look like those between parameters.  What makes no sense ends the
    reading of that value: half a challenge is never made up.
    """
    return tuple(one for value in values for one in _read(value[:_LONGEST]))


def _read(value: str) -> list[Challenge]:
    found: list[Challenge] = []
    place = 0
    while (scheme := _SCHEME.match(value, place)) is not None:
        place = scheme.end()
        parameters: dict[str, str] = {}
        if (opaque := _TOKEN68.match(value, place)) is not None:
            place = opaque.end()
        else:
            while (one := _PARAMETER.match(value, place)) is not None:
                quoted, plain = one[2], one[3]
                text = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters.setdefault(one[1].lower(), text)
                place = one.end()
        found.append(Challenge(scheme[1].lower(), parameters))
    return found
