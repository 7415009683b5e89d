"""Whether a service runs, as far as it can be told from its processes."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from vorflug.model.message import Message, msg


class Runs(StrEnum):
    """Whether a service runs."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    """Processes are hidden, or one is called so and nothing proves what it is (so in a container)."""

    def said(self) -> Message:
        """In words."""
        match self:
            case Runs.YES:
                return msg("runs")
            case Runs.NO:
                return msg("does not run")
            case Runs.UNCLEAR:
                return msg("not visible")
            case _:
                assert_never(self)
