"""How a healthy service answers a request without credentials, so that a stranger's answer is not taken for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.message import Message, msg, visible
from vorflug.ports.net import HttpSeen


class Confidence(StrEnum):
    """What a fingerprint rests on."""

    CITED = "cited"
    """Seen in the service's published material."""
    UNVERIFIED = "unverified"
    """General knowledge: a mismatch says little, so it never decides a must alone."""


HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
"""A field name (RFC 9110, 5.1) in lower case."""


class HeaderMark(Frozen):
    """A response header that a healthy answer has."""

    name: HeaderName
    contains: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    """Text within its value, upper and lower case being equal; None where being there is enough."""


class Fingerprint(Frozen):
    """What a healthy answer looks like."""

    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    """Any of these; empty where every status will do."""
    headers: tuple[HeaderMark, ...] = ()
    """All of these."""
    body: tuple[Annotated[str, StringConstraints(min_length=1, max_length=300)], ...] = ()
    """All of these texts stand in the first 64 KiB."""
    confidence: Confidence = Confidence.CITED

    def kept_headers(self) -> tuple[str, ...]:
        """The headers whose values must be asked for."""
        return tuple(sorted({mark.name for mark in self.headers if mark.contains is not None}))

    def compare(self, http: HttpSeen) -> tuple[Message, ...]:
        """What of *http* differs, one sentence each; empty where it is the healthy answer."""
        values: dict[str, list[str]] = {}
        for name, value in http.headers:
            values.setdefault(name, []).append(value)
        wrong: list[Message] = []
        if self.status and http.status not in self.status:
            wrong.append(
                msg(
                    "status {status} instead of {wanted:or}",
                    status=http.status,
                    wanted=tuple(str(s) for s in self.status),
                )
            )
        for mark in self.headers:
            if mark.name not in http.header_names:
                wrong.append(msg("no header {name}", name=mark.name))
            elif mark.contains is not None:
                seen = values.get(mark.name, [])
                if not any(mark.contains.lower() in value.lower() for value in seen):
                    wrong.append(
                        msg(
                            "header {name} without “{wanted}”: {seen}",
                            name=mark.name,
                            wanted=mark.contains,
                            seen=visible(", ".join(seen), at_most=200),
                        )
                    )
        wrong += [msg("no “{mark}” in the body", mark=mark) for mark in self.body if mark not in http.found]
        return tuple(wrong)
