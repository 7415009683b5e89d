"""The question that several areas put: what day is it here?  Equal questions are asked once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.ports import Host


class DateFact(Fact):
    """The machine's time."""

    now: str
    """RFC 3339, UTC."""

    @property
    def today(self) -> date:
        """The day, UTC."""
        return date.fromisoformat(self.now[:10])


@dataclass(frozen=True, kw_only=True)
class DateQuery(Query[DateFact]):
    """What time does this machine's clock show?"""

    kind = "date"
    touches = ("@certificates.now",)

    def asks(self) -> Message:
        return msg("What time does this machine's clock show?")

    def observe(self, host: Host) -> DateFact:
        return DateFact(now=host.certificates.now())
